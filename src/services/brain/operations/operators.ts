/**
 * Operators: pure functions from a state and parameters to the next state, with the parts of the log entry that describe the change.
 *
 * Invariants: O1 an operator of one name and version never changes its behaviour, because logs are folded with it years later;
 * O2 an operator returns a complete result or an error, and does not change the state it was given; O3 risk is a whole number of
 * thousandths.
 */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { str, typeName, unhashableError } from "../codec/python-repr.ts";
import { invalid, valid, type Validated } from "../codec/request-error.ts";
import { type KeyValuePair, pairsOf } from "./key-value-pairs.ts";
import { type StateJson, withPairs } from "./session-state.ts";

/** The result of applying an operator once. */
export interface OperatorResult {
  readonly state: StateJson;
  readonly delta: JsonObject;
  readonly audit: JsonObject;
  /** In thousandths. */
  readonly risk: number;
}

/** An operator in the registry. Only the operator itself knows the type of its parameters. */
export interface Operator {
  readonly name: string;
  readonly version: number;
  /** The expected type of each parameter, for `ListOperators`: `object`, `string`, `any`. */
  readonly params: Readonly<Record<string, string>>;
  apply(state: StateJson, params: JsonObject): Validated<OperatorResult>;
}

/** The definition of an operator. */
export interface OperatorDefinition<Params> {
  readonly name: string;
  readonly version: number;
  readonly params: Readonly<Record<string, string>>;
  /** Validates the parameters of a request. Parameters that the operator does not know are ignored. */
  read(params: JsonObject): Validated<Params>;
  apply(state: StateJson, params: Params): OperatorResult;
}

/** Makes an operator whose parameters are typed. */
export function operator<Params>({ read, apply, ...description }: OperatorDefinition<Params>): Operator {
  return {
    ...description,
    apply(state, params) {
      const given = read(params);
      return given.ok ? valid(apply(state, given.value)) : given;
    },
  };
}

/** Operators by name and version. Requests get the newest version of a name. */
export class OperatorRegistry {
  readonly #newest = new Map<string, Operator>();
  readonly #byVersion = new Map<string, Operator>();

  constructor(operators: readonly Operator[]) {
    for (const each of operators) {
      this.#byVersion.set(`${each.name} ${each.version}`, each);
      if ((this.#newest.get(each.name)?.version ?? -1) < each.version) this.#newest.set(each.name, each);
    }
  }

  /** The operator that a request names. The name may be any JSON value. */
  find(name: Json | undefined): Validated<Operator> {
    const reason = unhashableError(name);
    if (reason !== undefined) return invalid({ message: `operator must be a name: ${reason}` });
    const found = typeof name === "string" ? this.#newest.get(name) : undefined;
    return found === undefined ? invalid({ message: `Operator ${str(name)} not found` }) : valid(found);
  }

  /** The operator that an event of the log was made with. */
  at(name: string, version: number): Operator | undefined {
    return this.#byVersion.get(`${name} ${version}`);
  }

  list(): readonly Operator[] {
    return [...this.#newest.values()];
  }
}

/** Merges pairs into the state. Its delta does not contain them. */
const st = operator<{ readonly changes: Json; readonly pairs: readonly KeyValuePair[] }>({
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

/** Sets one key. An invalid key is not an error: it changes nothing and has a higher risk. */
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

/** The operators of the original relay. */
export const OPERATORS: readonly Operator[] = [st, ch, xyz];
