/**
 * Decodes frames of a backend, which are read strictly: a message without a required field is a failure.
 *
 * Invariant: DU1 `decodeUpstream` never throws.
 */
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import { type Frame, isNumber, isObject, type JsonObject } from "../../../core/json.ts";
import { SESSION_TEXT_MAX } from "../../../core/limits.ts";
import { failed, type Failure } from "../../../core/result.ts";
import { shorten } from "../../../core/text.ts";
import { readObject } from "../../../neuro-api/frame.ts";
import { readUsualAction } from "../../../neuro-api/usual-frames.ts";
import type { Repair } from "../../../neuro-api/repair.ts";

/** Repairs of a backend's frames, which nobody reads: at most one of each kind. */
const UNREPORTED: Repair[] = [];

/** A message of Neuro, or of another backend. Why no `Result`: it would be one more object for each frame. */
export function decodeUpstream(frame: Frame, limits: { readonly json_depth: number }): NeuroMessage | Failure {
  const usual = typeof frame === "string" ? readUsualAction(frame) : undefined;
  if (usual !== undefined) return usual;
  const envelope = readObject(frame, limits.json_depth, UNREPORTED);
  if (!envelope.ok) return envelope;
  const { command, data: given } = envelope.value;
  if (typeof command !== "string" || command === "") return failed("badMessage", "`command` is not a text");
  const data = isObject(given) ? given : {};
  switch (command) {
    case "action":
      return readActionCall(data);
    case "startup":
      return readStartup(data);
    case "speech_finished":
      return readSpeech(data);
    case "shutdown/graceful": {
      const wanted = data["wants_shutdown"];
      return typeof wanted === "boolean"
        ? { command, wanted }
        : failed("badMessage", "`shutdown/graceful` without `wants_shutdown`");
    }
    case "actions/reregister_all":
    case "shutdown/immediate":
      return { command };
    default:
      // Why not `assertNever`: a backend can send any command.
      return { command: "other", name: command, ...(isObject(given) && { data: given }) };
  }
}

function readActionCall({ id: givenId, name, data: given }: JsonObject): NeuroMessage | Failure {
  const id = isNumber(givenId) ? String(givenId) : givenId;
  if (typeof id !== "string" || id === "") return failed("badMessage", "`action` without `id`");
  if (typeof name !== "string" || name === "") {
    return failed("badMessage", `\`action\` ${id.slice(0, 64)} without \`name\``);
  }
  if (given === undefined || given === null || given === "") return { command: "action", id, name };
  return { command: "action", id, name, data: typeof given === "string" ? given : JSON.stringify(given) };
}

function readStartup({ session }: JsonObject): NeuroMessage | Failure {
  if (!isObject(session) || typeof session["characterId"] !== "string" || session["characterId"] === "") {
    return failed("badMessage", "`startup` without `session.characterId`");
  }
  const text = (key: string): string => shorten(typeof session[key] === "string" ? session[key] : "", SESSION_TEXT_MAX);
  const characterId = shorten(session["characterId"], SESSION_TEXT_MAX);
  const displayName = text("displayName");
  return {
    command: "startup",
    session: { sessionId: text("sessionId"), characterId, displayName: displayName === "" ? characterId : displayName },
  };
}

function readSpeech({ isFinal, cancelled, reason }: JsonObject): NeuroMessage | Failure {
  if (typeof isFinal !== "boolean") return failed("badMessage", "`speech_finished` without `isFinal`");
  const data: JsonObject = {
    isFinal,
    ...(typeof cancelled === "boolean" && { cancelled }),
    ...(typeof reason === "string" && { reason }),
  };
  return { command: "speech_finished", data };
}
