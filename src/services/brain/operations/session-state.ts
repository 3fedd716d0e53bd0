/**
 * The state of a session: a JSON object without a prototype, copied before it is changed.
 *
 * Invariants: S1 a state has no prototype, so that `__proto__`, `constructor` and their like are keys like any other, on every
 * runtime; S2 a state, and whatever lies in it, is never changed once made: one that is older stays valid for ever; S3 only own
 * keys are read.
 */
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isSorted, type Json, type JsonObject } from "../../../core/json.ts";

/** The whole of what a session holds. */
export type StateJson = JsonObject;

const ENCODER = new TextEncoder();
/** Bytes that one character of a text may take. */
const UTF8_MAX = 3;

/** The state of a session that nothing was done to. */
export const EMPTY_STATE: StateJson = Object.freeze(Object.create(null));

/** A state with the own keys of an object. */
export function stateOf(source: JsonObject): StateJson {
  return withPairs(EMPTY_STATE, Object.entries(source));
}

/** A copy in which each pair's key has its value; of equal keys the last counts. */
export function withPairs(state: StateJson, pairs: Iterable<readonly [string, Json | undefined]>): StateJson {
  const next: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(state)) next[name] = state[name] ?? null;
  for (const [name, value] of pairs) next[name] = value ?? null;
  return next;
}

/** True when a state has the key, whatever its value. */
export const hasKey = (state: StateJson, name: string): boolean => Object.hasOwn(state, name);

/** A state written out, and its hash: that of its canonical text, whose keys are sorted. */
export interface StateDigest {
  readonly text: string;
  readonly hash: string;
}

/** Writes a state out: once, for its hash, its size, and whoever is to see it. */
export function digestState(state: StateJson): StateDigest {
  const text = JSON.stringify(state);
  return { text, hash: hashText(isSorted(state) ? text : canonicalJson(state)) };
}

/** The size of a state: of its text, in bytes. */
export const sizeOf = (state: StateJson): number => bytesOf(JSON.stringify(state));

/** True when a text has more bytes than that; they are counted only where they could be too many. */
export const exceedsBytes = (text: string, bytesMax: number): boolean =>
  text.length * UTF8_MAX > bytesMax && bytesOf(text) > bytesMax;

const bytesOf = (text: string): number => ENCODER.encode(text).length;

/** The keys whose values differ, and the keys that are gone. */
export function difference(
  before: StateJson,
  after: StateJson,
): { readonly changes: StateJson; readonly removed: readonly string[] } {
  const changed = Object.entries(after).filter(([name, value]) =>
    !hasKey(before, name) || !isSameJson(before[name], value)
  );
  return { changes: withPairs(EMPTY_STATE, changed), removed: Object.keys(before).filter((name) => !hasKey(after, name)) };
}

/** True when two values have the same canonical text. */
export const isSameJson = (left: Json | undefined, right: Json | undefined): boolean =>
  left === right || canonicalJson(left) === canonicalJson(right);
