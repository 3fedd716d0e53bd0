/**
 * The Neuro side of the wire: the relay as one game of a backend, of which the strictest ends at a key it does not know, at a null,
 * and at a missing `silent`.
 *
 * Invariants: U1 `decodeUpstream` never throws; U2 every frame written holds exactly the keys of the specification and no null;
 * U3 none is larger than `UPSTREAM_FRAME_BYTES_MAX`.
 * Knows nothing of: links, names of integrations.
 */
import type { Action, GameMessage, NeuroMessage } from "../../../core/neuro-messages.ts";
import { assert } from "../../../core/assert.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { REGISTER_FRAME_BYTES_MAX, UPSTREAM_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { Profile } from "../upstream/profiles.ts";
import { bytesOf, fits, readObject } from "./wire-frame.ts";

/** What Neuro, or the backend in her place, said. */
export function decodeUpstream(frame: Frame, limits: { readonly json_depth: number }): Result<NeuroMessage> {
  const envelope = readObject(frame, limits.json_depth, []);
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
        ? ok({ command, wanted })
        : failed("badMessage", "`shutdown/graceful` without `wants_shutdown`");
    }
    case "actions/reregister_all":
    case "shutdown/immediate":
      return ok({ command });
    default:
      return ok({ command: "other", name: command, ...(isObject(given) && { data: given }) });
  }
}

function readActionCall({ id: givenId, name, data: given }: JsonObject): Result<NeuroMessage> {
  const id = typeof givenId === "number" ? String(givenId) : givenId;
  if (typeof id !== "string" || id === "") return failed("badMessage", "`action` without `id`");
  if (typeof name !== "string" || name === "") {
    return failed("badMessage", `\`action\` ${id.slice(0, 64)} without \`name\``);
  }
  if (given === undefined || given === null || given === "") return ok({ command: "action", id, name });
  return ok({ command: "action", id, name, data: typeof given === "string" ? given : JSON.stringify(given) });
}

function readStartup({ session }: JsonObject): Result<NeuroMessage> {
  if (!isObject(session) || typeof session["characterId"] !== "string" || session["characterId"] === "") {
    return failed("badMessage", "`startup` without `session.characterId`");
  }
  const text = (key: string): string => (typeof session[key] === "string" ? session[key] : "");
  const characterId = session["characterId"];
  const displayName = text("displayName");
  return ok({
    command: "startup",
    session: { sessionId: text("sessionId"), characterId, displayName: displayName === "" ? characterId : displayName },
  });
}

function readSpeech({ isFinal, cancelled, reason }: JsonObject): Result<NeuroMessage> {
  if (typeof isFinal !== "boolean") return failed("badMessage", "`speech_finished` without `isFinal`");
  const data: JsonObject = {
    isFinal,
    ...(typeof cancelled === "boolean" && { cancelled }),
    ...(typeof reason === "string" && { reason }),
  };
  return ok({ command: "speech_finished", data });
}

/** The frames that say this to the backend, in the name of `game`. More than one only where a list is long. */
export const encodeUpstream = (message: GameMessage, game: string, profile: Profile): readonly string[] =>
  framesFor(message, game, profile).map(wellFormed);

function framesFor(message: GameMessage, game: string, profile: Profile): readonly string[] {
  const frame = (data: JsonObject): string => JSON.stringify({ command: message.command, game, data });
  switch (message.command) {
    case "action/result": {
      const { id, success, message: text } = message;
      assert(id !== undefined, "a result goes upstream without the id of its action");
      return [
        text === undefined ? frame({ id, success }) : cut(text, (shorter) => frame({ id, success, message: shorter })),
      ];
    }
    case "context":
      return [cut(message.message, (shorter) => frame({ message: shorter, silent: message.silent }))];
    case "actions/register": {
      const actions = message.actions.map((action) => definition(action, profile));
      return split(actions, (list) => frame({ actions: list, ...mainThread(message, profile) }));
    }
    case "actions/unregister":
      return split(message.names, (names) => frame({ action_names: names, ...mainThread(message, profile) }));
    case "actions/force":
      return [encodeForce(message, frame, profile)];
    case "startup":
    case "shutdown/ready":
      return [JSON.stringify({ command: message.command, game })];
    case "other":
      return [JSON.stringify({ command: message.name, game, data: message.data && withoutNulls(message.data) })];
  }
}

type Force = GameMessage & { readonly command: "actions/force" };

function encodeForce(force: Force, frame: (data: JsonObject) => string, profile: Profile): string {
  const { state, query, ephemeral, priority, names } = force;
  const tail = { ephemeral_context: ephemeral, priority, action_names: names, ...mainThread(force, profile) };
  if (state === undefined) return cut(query, (shorter) => frame({ query: shorter, ...tail }));
  return cut(state, (shorter) => cut(query, (asked) => frame({ state: shorter, query: asked, ...tail })));
}

function mainThread({ mainThread }: { readonly mainThread?: boolean }, profile: Profile): JsonObject {
  return mainThread === undefined || !profile.mainThread ? {} : { main_thread: mainThread };
}

function definition({ name, description: given, schema }: Action, profile: Profile): JsonObject {
  const description = shorten(given);
  if (schema === undefined || Object.keys(schema).length === 0) return { name, description };
  return { name, description, schema: profile.schemaNulls ? schema : withoutNulls(schema) };
}

/** Without the keys whose value is null, at any depth; nulls in lists stay. */
function withoutNulls(object: JsonObject): JsonObject {
  const entries = Object.entries(object).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNullKeys(value)]));
}

function withoutNullKeys(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item: Json) => (isObject(item) ? withoutNulls(item) : item));
  return isObject(value) ? withoutNulls(value) : value;
}

/** As few frames as hold all items, in order; one frame also for none. */
function split<Item extends Json>(items: readonly Item[], frame: (items: readonly Item[]) => string): readonly string[] {
  const whole = frame(items);
  if (items.length <= 1 || fits(whole, REGISTER_FRAME_BYTES_MAX)) return [whole];
  const frames: string[] = [];
  let held: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(JSON.stringify(item)) + 1;
    if (held.length > 0 && bytes + size > REGISTER_FRAME_BYTES_MAX - ENVELOPE_BYTES) {
      frames.push(frame(held));
      [held, bytes] = [[], 0];
    }
    held.push(item);
    bytes += size;
  }
  return [...frames, frame(held)];
}

/** More than the command, the keys and the game's name ever take. */
const ENVELOPE_BYTES = 4_096;

/** The frame with the whole text, or with so much of it that the frame is not too large for a backend. */
function cut(text: string, frame: (text: string) => string): string {
  const whole = frame(text);
  return fits(whole, UPSTREAM_FRAME_BYTES_MAX) ? whole : frame(shorten(text));
}

/** Why a twelfth: a frame holds at most two long texts, and no character takes more than six bytes in JSON. */
const TEXT_UNITS_MAX = Math.floor(UPSTREAM_FRAME_BYTES_MAX / 12) - 512;

const shorten = (text: string): string =>
  text.length <= TEXT_UNITS_MAX ? text : `${text.slice(0, TEXT_UNITS_MAX).toWellFormed()} [...]`;

/** Half a surrogate pair is legal in JSON, but there are servers that end when they come to print it. */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return JSON.stringify(JSON.parse(json), (_key, value) => (typeof value === "string" ? value.toWellFormed() : value));
}
