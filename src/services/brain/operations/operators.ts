/**
 * Operators: pure functions from a state and parameters to the next state, with what the log says about them.
 *
 * Invariants: O1 an operator of one name and version never changes what it does, for logs are folded with it years later; O2 it
 * either gives a whole outcome or refuses, and the state it was given stays as it is; O3 risk is in whole thousandths.
 */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { repr, typeName, unhashableError } from "../codec/python-repr.ts";
import { pairsOf } from "./key-value-pairs.ts";
import { invalid, valid, type Validated } from "../codec/request-error.ts";
import { type StateJson, withPairs } from "./session-state.ts";

/** What one application of an operator comes to. */
export interface OperatorResult {
  readonly state: StateJson;
  readonly delta: JsonObject;
  readonly audit: JsonObject;
  /** Thousandths. */
  readonly risk: number;
}

/** An operator as the registry keeps it: the type of its parameters is known to itself only. */
export interface Operator {
  readonly name: string;
  readonly version: number;
  /** What each parameter should be, for people: `object`, `string`, `any`. */
  readonly params: Readonly<Record<string, string>>;
  apply(state: StateJson, params: JsonObject): Validated<OperatorResult>;
}

/** What is needed to make an operator of ones own. */
export interface OperatorDefinition<Params> {
  readonly name: string;
  readonly version: number;
  readonly params: Readonly<Record<string, string>>;
  /** Parameters as they came, read; whatever else came with them is ignored. */
  read(params: JsonObject): Validated<Params>;
  apply(state: StateJson, params: Params): OperatorResult;
}

/** Makes an operator whose parameters are typed. */
export function operator<Params>({ read, apply, ...about }: OperatorDefinition<Params>): Operator {
  return {
    ...about,
    apply(state, params) {
      const given = read(params);
      return given.ok ? valid(apply(state, given.value)) : given;
    },
  };
}

/** Operators by name and version. The newest version of a name is the one that requests get. */
export class OperatorRegistry {
  readonly #newest = new Map<string, Operator>();
  readonly #all = new Map<string, Operator>();

  constructor(operators: readonly Operator[]) {
    for (const each of operators) {
      this.#all.set(`${each.name} ${each.version}`, each);
      if ((this.#newest.get(each.name)?.version ?? -1) < each.version) this.#newest.set(each.name, each);
    }
  }

  /** The operator that a request names; any JSON value may stand there. */
  find(name: Json | undefined): Validated<Operator> {
    const cannot = unhashableError(name);
    if (cannot !== undefined) return invalid({ message: `operator must be a name: ${cannot}` });
    const found = typeof name === "string" ? this.#newest.get(name) : undefined;
    return found === undefined ? invalid({ message: `Operator ${repr(name)} not found` }) : valid(found);
  }

  /** The operator that an event of the log was made by. */
  at(name: string, version: number): Operator | undefined {
    return this.#all.get(`${name} ${version}`);
  }

  list(): readonly Operator[] {
    return [...this.#newest.values()];
  }
}

/** Merges pairs into the state, and says nothing about them in its delta. */
const st = operator<{ readonly changes: Json; readonly pairs: readonly (readonly [string, Json | undefined])[] }>({
  name: "ST",
  version: 1,
  params: { changes: "object" },
  read({ changes = {} }) {
    const pairs = pairsOf(changes);
    return pairs.ok ? valid({ changes, pairs: pairs.value }) : pairs;
  },
  apply: (state, { changes, pairs }) => ({
    state: withPairs(state, pairs),
    delta: { st_applied: true },
    audit: { details: changes, op: "ST" },
    risk: 100,
  }),
});

/** Sets each key of an object. */
const ch = operator<JsonObject>({
  name: "CH",
  version: 1,
  params: { changes: "object" },
  read({ changes = {} }) {
    if (isObject(changes)) return valid(changes);
    return invalid({ message: `changes must be an object: '${typeName(changes)}' object has no attribute 'items'` });
  },
  apply: (state, changes) => ({
    state: withPairs(state, Object.entries(changes)),
    delta: changes,
    audit: { changes, op: "CH" },
    risk: 200,
  }),
});

/** Sets one key. A bad key is no error: it changes nothing, and counts as a risk. */
const xyz = operator<{ readonly key: Json; readonly value: Json }>({
  name: "XYZ",
  version: 1,
  params: { key: "string", value: "any" },
  read: ({ key = null, value = null }) => valid({ key, value }),
  apply(state, { key, value }) {
    if (typeof key !== "string" || key === "") {
      return { state, delta: {}, audit: { op: "XYZ", ok: false, error: "key must be a non-empty string" }, risk: 600 };
    }
    const delta = withPairs(Object.create(null), [[key, value]]);
    return { state: withPairs(state, [[key, value]]), delta, audit: { op: "XYZ", ok: true, key }, risk: 50 };
  },
});

/** The operators that every Brain has. */
export const OPERATORS: readonly Operator[] = [st, ch, xyz];
