/** The changes of an operator to a state, as the covenant sees them. Each part is computed when it is first read. */
import type { Json } from "../../../core/json.ts";
import { utf8Length } from "../../../core/text.ts";
import type { KeyValuePair } from "./key-value-pairs.ts";
import { hasKey, isSameJson, sizeOf, type StateDraft, type StateJson } from "./session-state.ts";

export interface StateChange {
  /** The value of a key before and after the change. */
  before(name: string): Json | undefined;
  after(name: string): Json | undefined;
  isChanged(name: string): boolean;
  /** True if no key except this one is changed. */
  changesOnly(name: string): boolean;
  /** The number of keys after the change. */
  keys(): number;
  /** The bytes by which the JSON text of the state grows. */
  growth(): number;
}

/** The change from one state to another. Costs as much as the states are large. */
export function changeBetween(before: StateJson, after: StateJson): StateChange {
  // Why only own keys: an added operator may return an object with a prototype.
  const valueIn = (state: StateJson, name: string): Json | undefined => (hasKey(state, name) ? state[name] : undefined);
  const isChanged = (name: string): boolean =>
    hasKey(before, name) !== hasKey(after, name) || !isSameJson(valueIn(before, name), valueIn(after, name));
  return {
    before: (name) => valueIn(before, name),
    after: (name) => valueIn(after, name),
    isChanged,
    changesOnly: (only) =>
      [...Object.keys(before), ...Object.keys(after)].every((name) => name === only || !isChanged(name)),
    keys: () => Object.keys(after).length,
    growth: () => sizeOf(after) - sizeOf(before),
  };
}

/** The change that setting some keys makes. Costs as much as the pairs are large, however large the state is. */
export class SettingChange implements StateChange {
  readonly #draft: StateDraft;
  readonly #pairs: readonly KeyValuePair[];
  #values: ReadonlyMap<string, Json> | undefined;

  constructor(draft: StateDraft, pairs: readonly KeyValuePair[]) {
    this.#draft = draft;
    this.#pairs = pairs;
  }

  /** The last value of each key that is set. */
  get #set(): ReadonlyMap<string, Json> {
    return this.#values ??= new Map(this.#pairs.map(([name, value]) => [name, value ?? null]));
  }

  before(name: string): Json | undefined {
    return this.#draft.get(name);
  }

  after(name: string): Json | undefined {
    return this.#set.has(name) ? this.#set.get(name) : this.#draft.get(name);
  }

  isChanged(name: string): boolean {
    if (!this.#set.has(name)) return false;
    return !this.#draft.has(name) || !isSameJson(this.#draft.get(name), this.#set.get(name));
  }

  changesOnly(only: string): boolean {
    return [...this.#set.keys()].every((name) => name === only || !this.isChanged(name));
  }

  keys(): number {
    return this.#draft.size + [...this.#set.keys()].filter((name) => !this.#draft.has(name)).length;
  }

  growth(): number {
    const draft = this.#draft;
    const commas = Math.max(0, this.keys() - 1) - Math.max(0, draft.size - 1);
    const members = [...this.#set].map(([name, value]) =>
      memberLength(name, value) - (draft.has(name) ? memberLength(name, draft.get(name) ?? null) : 0)
    );
    return members.reduce((sum, length) => sum + length, commas);
  }
}

/** The bytes of `"name":value`. */
const memberLength = (name: string, value: Json): number => utf8Length(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
