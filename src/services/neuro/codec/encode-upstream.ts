/**
 * Encodes frames for a backend, to which the relay is one game. The strictest backend crashes on a key that it does not know, on a
 * null, and on a missing `silent`.
 *
 * Invariants: EU1 every frame has exactly the keys of the specification and no null; EU2 a text that would make a
 * frame larger than `frameBytesMax` of the profile is shortened, and reported.
 * Knows nothing of: links, names of integrations.
 */
import type { Action, ContextMessage, ForceMessage, GameMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { assert, assertNever } from "../../../core/assert.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import type { Profile } from "../upstream/profiles.ts";
import { fitsBytes, utf8Length } from "../../../core/text.ts";

/** What the encoder did to a message. */
export interface EncodingReport {
  /** Bytes of the frame that had to be shortened; 0 if none had to be. */
  shortenedFrom: number;
  /** The number of actions in each frame of a registration that was split. */
  readonly split: number[];
}

/** A message with one text, which is always one frame. */
export type TextMessage = ResultMessage | ContextMessage;

export const isTextMessage = (message: GameMessage): message is TextMessage =>
  message.command === "action/result" || message.command === "context";

/** Its frame, in the name of `game`. Why apart: nearly all frames are these, and a list of one takes longer than its frame. */
export function encodeText(message: TextMessage, game: string, profile: Profile, report: EncodingReport): string {
  const whole = textFrame(message, game, message.message);
  return fitsBytes(whole, profile.frameBytesMax) ? whole : shortenedFrame(message, { game, profile, report });
}

interface Encoding {
  readonly game: string;
  readonly profile: Profile;
  readonly report: EncodingReport;
}

/** The frame with this text in place of the message's own. */
function textFrame(message: TextMessage, game: string, text: string | undefined): string {
  if (message.command === "context") {
    const { command, silent } = message;
    // Why no object: the parts of the text are joined only here, with the rest of the frame. A shortened text is plain, too.
    if (message.isPlain === true) return `${contextHead(game)}${text}${silent ? SILENT_END : SPOKEN_END}`;
    return encode({ command, game, data: { message: text, silent } });
  }
  const { command, id, success } = message;
  assert(id !== undefined, "a result for the backend has no id");
  return encode({ command, game, data: text === undefined ? { id, success } : { id, success, message: text } });
}

/** The beginning of the frame of a context. The last one is kept, because a relay nearly always has one name. */
function contextHead(game: string): string {
  if (latestHead.game !== game) {
    latestHead = { game, text: `{"command":"context","game":${encode(game)},"data":{"message":"` };
  }
  return latestHead.text;
}

let latestHead: { readonly game: string | undefined; readonly text: string } = { game: undefined, text: "" };
const [SILENT_END, SPOKEN_END] = [`","silent":true}}`, `","silent":false}}`];

const shortenedFrame = (message: TextMessage, encoding: Encoding): string =>
  withinFrameLimit(message.message ?? "", encoding, (shorter) => textFrame(message, encoding.game, shorter));

/** The frames of any other message, in the name of `game`. A long list of actions is split into several. */
export function encodeUpstream(
  message: Exclude<GameMessage, TextMessage>,
  game: string,
  profile: Profile,
  report: EncodingReport,
): readonly string[] {
  const encoding: Encoding = { game, profile, report };
  const { command } = message;
  const frame = (data: JsonObject): string => encode({ command, game, data });
  switch (message.command) {
    case "actions/register": {
      const actions = message.actions.map((action) => encodeAction(action, profile));
      return splitList(actions, encoding, (list) => frame({ actions: list, ...mainThread(message, profile) }));
    }
    case "actions/unregister":
      return splitList(message.names, encoding, (names) => frame({ action_names: names, ...mainThread(message, profile) }));
    case "actions/force":
      return [encodeForce(message, frame, encoding)];
    case "startup":
    case "shutdown/ready":
      return [encode({ command, game })];
    case "other":
      return [encode({ command: message.name, game, data: message.data && withoutNulls(message.data) })];
    default:
      return assertNever(message);
  }
}

function encodeForce(force: ForceMessage, frame: (data: JsonObject) => string, encoding: Encoding): string {
  const { state, query, ephemeral, priority, names } = force;
  const tail = { ephemeral_context: ephemeral, priority, action_names: names, ...mainThread(force, encoding.profile) };
  if (state === undefined) return withinFrameLimit(query, encoding, (shorter) => frame({ query: shorter, ...tail }));
  const whole = withinFrameLimit(state, encoding, (shorter) => frame({ state: shorter, query, ...tail }));
  if (fitsBytes(whole, encoding.profile.frameBytesMax)) return whole;
  return withinFrameLimit(query, encoding, (shorter) => frame({ state: CUT, query: shorter, ...tail }));
}

function mainThread({ mainThread }: { readonly mainThread?: boolean }, profile: Profile): JsonObject {
  return mainThread === undefined || !profile.mainThread ? {} : { main_thread: mainThread };
}

function encodeAction({ name, description, schema }: Action, profile: Profile): JsonObject {
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
  { profile: { registerBytesMax }, report }: Encoding,
  frame: (items: readonly Item[]) => string,
): readonly string[] {
  const whole = frame(items);
  if (items.length <= 1 || fitsBytes(whole, registerBytesMax)) return [whole];
  const frames: string[] = [];
  let held: Item[] = [];
  let bytes = 0;
  const flush = (): void => {
    frames.push(frame(held));
    report.split.push(held.length);
    [held, bytes] = [[], 0];
  };
  for (const item of items) {
    const size = utf8Length(JSON.stringify(item)) + 1;
    if (held.length > 0 && bytes + size > registerBytesMax - ENVELOPE_BYTES) flush();
    held.push(item);
    bytes += size;
  }
  flush();
  return frames;
}

/** More than the command, the keys and the name of the game ever need. */
const ENVELOPE_BYTES = 4_096;

/** At the end of a text that was shortened. */
const CUT = " [...]";

/** The frame with the whole text, or with as much of it as is sure to fit into `frameBytesMax`. */
function withinFrameLimit(text: string, { profile, report }: Encoding, frame: (text: string) => string): string {
  const whole = frame(text);
  const { frameBytesMax } = profile;
  if (fitsBytes(whole, frameBytesMax)) return whole;
  report.shortenedFrom = Math.max(report.shortenedFrom, utf8Length(whole));
  // Why a sixth: no UTF-16 unit takes more than six bytes in JSON.
  const unitsMax = Math.floor((frameBytesMax - utf8Length(frame(CUT))) / 6);
  return frame(`${text.slice(0, Math.max(0, unitsMax)).toWellFormed()}${CUT}`);
}

/** Half of a surrogate pair as `JSON.stringify` writes it, or an escaped backslash, after which `ud83d` is ordinary text. */
const LONE_SURROGATE = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;

/** The JSON of a frame, or of a part of it. Half a surrogate pair is legal in it, but some backends crash when they print it. */
function encode(value: Json): string {
  const json = JSON.stringify(value);
  if (!json.includes("\\ud")) return json;
  return json.replace(LONE_SURROGATE, (found) => (found === "\\\\" ? found : "\ufffd"));
}
