/**
 * The state of a session: a JSON object without a prototype, copied before it is changed.
 *
 * Invariants: S1 a state has no prototype, so `__proto__`, `constructor` and similar names are ordinary keys on every runtime;
 * S2 a state and everything in it is immutable, so an older state stays valid; S3 only own keys are read.
 */
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isSorted, type Json, type JsonObject } from "../../../core/json.ts";
import { utf8Length } from "../../../core/text.ts";

/** The whole state of a session. */
export type StateJson = JsonObject;

/** The state of a new session. */
export const EMPTY_STATE: StateJson = Object.freeze(Object.create(null));

/** A state with the own keys of an object. */
export function stateOf(source: JsonObject): StateJson {
  return withPairs(EMPTY_STATE, Object.entries(source));
}

/** A copy in which the key of each pair has its value. If a key is given twice, the last value is used. */
export function withPairs(state: StateJson, pairs: Iterable<readonly [string, Json | undefined]>): StateJson {
  const next = copyOf(state);
  for (const [name, value] of pairs) next[name] = value ?? null;
  return next;
}

function copyOf(state: StateJson): Record<string, Json> {
  const copy: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(state)) copy[name] = state[name] ?? null;
  return copy;
}

/** True if a state has the key, whatever its value. */
export const hasKey = (state: StateJson, name: string): boolean => Object.hasOwn(state, name);

/** The JSON text of a state, and the SHA-256 of its canonical text (with sorted keys). */
export interface StateDigest {
  readonly text: string;
  readonly hash: string;
}

/** Serializes a state once, for its hash, its size and the reply. */
export function digestState(state: StateJson): StateDigest {
  const text = JSON.stringify(state);
  return { text, hash: hashText(isSorted(state) ? text : canonicalJson(state)) };
}

/** The size of a state: the UTF-8 bytes of its JSON text. */
export const sizeOf = (state: StateJson): number => utf8Length(JSON.stringify(state));

/** The keys whose values differ, and the keys that were removed. */
export function difference(
  before: StateJson,
  after: StateJson,
): { readonly changes: StateJson; readonly removed: readonly string[] } {
  const changed = Object.entries(after).filter(([name, value]) =>
    !hasKey(before, name) || !isSameJson(before[name], value)
  );
  return {
    changes: withPairs(EMPTY_STATE, changed),
    removed: Object.keys(before).filter((name) => !hasKey(after, name)),
  };
}

/** True if two values have the same canonical text. */
export const isSameJson = (left: Json | undefined, right: Json | undefined): boolean =>
  left === right || canonicalJson(left) === canonicalJson(right);

/** A state that several operators change one after the other. It is copied at most once, however many they are. */
export class StateDraft {
  #state: StateJson;
  /** The copy that may be changed; undefined while `#state` is shared. */
  #copy: Record<string, Json> | undefined;
  #keys: number | undefined;

  constructor(state: StateJson) {
    this.#state = state;
  }

  has(name: string): boolean {
    return hasKey(this.#state, name);
  }

  /** The value of a key; undefined if the state does not have it. */
  get(name: string): Json | undefined {
    return this.has(name) ? this.#state[name] ?? null : undefined;
  }

  /** The number of keys. */
  get size(): number {
    return this.#keys ??= Object.keys(this.#state).length;
  }

  /** Sets the key of each pair to its value. */
  set(pairs: Iterable<readonly [string, Json | undefined]>): void {
    for (const [name, value] of pairs) {
      if (this.#copy === undefined) this.#state = this.#copy = copyOf(this.#state);
      if (this.#keys !== undefined && !this.has(name)) this.#keys++;
      this.#copy[name] = value ?? null;
    }
  }

  replace(state: StateJson): void {
    this.#state = state;
    this.#copy = undefined;
    this.#keys = undefined;
  }

  /** The state as it is now. It does not change with the draft. */
  state(): StateJson {
    this.#copy = undefined;
    return this.#state;
  }
}
