/**
 * Encodes frames for games: exactly the keys of the specification, in printable ASCII, under `GAME_FRAME_BYTES_MAX`. Some clients
 * crash on an unknown key, a null, a character outside ASCII or a longer frame.
 */
import { assertNever } from "../../../core/assert.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { JsonObject } from "../../../core/json.ts";
import { GAME_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import { asciiJson, isPrintable } from "../../../neuro-api/frame.ts";
import { fitsBytes } from "../../../core/text.ts";

/** The frame for a game; undefined when it is larger than `GAME_FRAME_BYTES_MAX`, which some game could not receive. */
export function encodeGame(message: NeuroMessage): string | undefined {
  const json = JSON.stringify(envelopeFor(message));
  const ascii = isAscii(message) ? json : asciiJson(json);
  if (ascii.length <= GAME_FRAME_BYTES_MAX) return ascii;
  // Why: escapes can make a text several times longer, and an unescaped frame is better than none.
  return fitsBytes(json, GAME_FRAME_BYTES_MAX) ? json : undefined;
}

/** True for an action whose texts are ASCII. Why: they are much shorter than the frame, and nearly all frames are actions. */
const isAscii = (message: NeuroMessage): boolean =>
  message.command === "action" && isPrintable(message.id) && isPrintable(message.name) && isPrintable(message.data ?? "");

function envelopeFor(message: NeuroMessage): JsonObject {
  switch (message.command) {
    case "action": {
      const { command, id, name, data } = message;
      // Why: one client rejects an empty text, and another crashes on `data` that is not a text.
      return { command, data: data === undefined || data === "" ? { id, name } : { id, name, data } };
    }
    case "startup": {
      const { sessionId, characterId, displayName } = message.session;
      return { command: message.command, data: { session: { sessionId, characterId, displayName } } };
    }
    case "speech_finished":
      return { command: message.command, data: withoutNulls(message.data) };
    case "shutdown/graceful":
      return { command: message.command, data: { wants_shutdown: message.wanted } };
    case "actions/reregister_all":
    case "shutdown/immediate":
      return { command: message.command };
    case "other":
      return message.data === undefined
        ? { command: message.name }
        : { command: message.name, data: withoutNulls(message.data) };
    default:
      return assertNever(message);
  }
}

const withoutNulls = (data: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
