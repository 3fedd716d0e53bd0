/**
 * Encodes frames for a backend, to which the relay is one game. The strictest backend crashes on a key that it does not know, on a
 * null, and on a missing `silent`.
 *
 * Invariants: EU1 every frame has exactly the keys of the specification and no null; EU2 no frame is larger than
 * `UPSTREAM_FRAME_BYTES_MAX`.
 * Knows nothing of: links, names of integrations.
 */
import type { Action, GameMessage } from "../../../core/neuro-messages.ts";
import { assert, assertNever } from "../../../core/assert.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { REGISTER_FRAME_BYTES_MAX, UPSTREAM_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import type { Profile } from "../upstream/profiles.ts";
import { fitsBytes, utf8Length } from "../../../neuro-api/frame.ts";

/** The frames of a message in the name of `game`. A long list of actions is split into several. */
export const encodeUpstream = (message: GameMessage, game: string, profile: Profile): readonly string[] =>
  encodeFrames(message, game, profile).map(withoutLoneSurrogates);

function encodeFrames(message: GameMessage, game: string, profile: Profile): readonly string[] {
  const frame = (data: JsonObject): string => JSON.stringify({ command: message.command, game, data });
  switch (message.command) {
    case "action/result": {
      const { id, success, message: text } = message;
      assert(id !== undefined, "a result for the backend has no id");
      return [
        text === undefined
          ? frame({ id, success })
          : withinFrameLimit(text, (shorter) => frame({ id, success, message: shorter })),
      ];
    }
    case "context":
      return [withinFrameLimit(message.message, (shorter) => frame({ message: shorter, silent: message.silent }))];
    case "actions/register": {
      const actions = message.actions.map((action) => encodeAction(action, profile));
      return splitList(actions, (list) => frame({ actions: list, ...mainThread(message, profile) }));
    }
    case "actions/unregister":
      return splitList(message.names, (names) => frame({ action_names: names, ...mainThread(message, profile) }));
    case "actions/force":
      return [encodeForce(message, frame, profile)];
    case "startup":
    case "shutdown/ready":
      return [JSON.stringify({ command: message.command, game })];
    case "other":
      return [JSON.stringify({ command: message.name, game, data: message.data && withoutNulls(message.data) })];
    default:
      return assertNever(message);
  }
}

type ForceFields = GameMessage & { readonly command: "actions/force" };

function encodeForce(force: ForceFields, frame: (data: JsonObject) => string, profile: Profile): string {
  const { state, query, ephemeral, priority, names } = force;
  const tail = { ephemeral_context: ephemeral, priority, action_names: names, ...mainThread(force, profile) };
  if (state === undefined) return withinFrameLimit(query, (shorter) => frame({ query: shorter, ...tail }));
  return withinFrameLimit(
    state,
    (shorter) => withinFrameLimit(query, (asked) => frame({ state: shorter, query: asked, ...tail })),
  );
}

function mainThread({ mainThread }: { readonly mainThread?: boolean }, profile: Profile): JsonObject {
  return mainThread === undefined || !profile.mainThread ? {} : { main_thread: mainThread };
}

function encodeAction({ name, description: given, schema }: Action, profile: Profile): JsonObject {
  const description = shortenText(given);
  if (schema === undefined || Object.keys(schema).length === 0) return { name, description };
  return { name, description, schema: profile.schemaNulls ? schema : withoutNulls(withoutNullConst(schema)) };
}

/** `const: null` as an enum, which says the same: a null in a list does no harm. */
function withoutNullConst(schema: JsonObject): JsonObject {
  const within = (value: Json): Json =>
    Array.isArray(value) ? value.map(within) : isObject(value) ? withoutNullConst(value) : value;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]): [string, Json] =>
      key === "const" && value === null ? ["enum", [null]] : [key, within(value ?? null)]
    ),
  );
}

/** Without the keys whose value is null, at any depth; nulls in lists stay. */
function withoutNulls(object: JsonObject): JsonObject {
  const entries = Object.entries(object).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNullsIn(value)]));
}

function withoutNullsIn(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item: Json) => (isObject(item) ? withoutNulls(item) : item));
  return isObject(value) ? withoutNulls(value) : value;
}

/** As few frames as possible that hold all items in order; one frame for an empty list. */
function splitList<Item extends Json>(
  items: readonly Item[],
  frame: (items: readonly Item[]) => string,
): readonly string[] {
  const whole = frame(items);
  if (items.length <= 1 || fitsBytes(whole, REGISTER_FRAME_BYTES_MAX)) return [whole];
  const frames: string[] = [];
  let held: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = utf8Length(JSON.stringify(item)) + 1;
    if (held.length > 0 && bytes + size > REGISTER_FRAME_BYTES_MAX - ENVELOPE_BYTES) {
      frames.push(frame(held));
      [held, bytes] = [[], 0];
    }
    held.push(item);
    bytes += size;
  }
  return [...frames, frame(held)];
}

/** More than the command, the keys and the name of the game ever need. */
const ENVELOPE_BYTES = 4_096;

/** The frame with the whole text, or with a shortened one when it would be larger than `UPSTREAM_FRAME_BYTES_MAX`. */
function withinFrameLimit(text: string, frame: (text: string) => string): string {
  const whole = frame(text);
  return fitsBytes(whole, UPSTREAM_FRAME_BYTES_MAX) ? whole : frame(shortenText(text));
}

/** Why a twelfth: a frame holds at most two long texts, and no character takes more than six bytes in JSON. */
const TEXT_UNITS_MAX = Math.floor(UPSTREAM_FRAME_BYTES_MAX / 12) - 512;

const shortenText = (text: string): string =>
  text.length <= TEXT_UNITS_MAX ? text : `${text.slice(0, TEXT_UNITS_MAX).toWellFormed()} [...]`;

/** Half of a surrogate pair as `JSON.stringify` writes it, or an escaped backslash, after which `ud83d` is ordinary text. */
const LONE_SURROGATE = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;

/** Half a surrogate pair is legal in JSON, but some backends crash when they print it. */
function withoutLoneSurrogates(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(LONE_SURROGATE, (found) => (found === "\\\\" ? found : "\ufffd"));
}
