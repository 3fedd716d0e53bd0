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
import { type StateDraft, type StateJson, withPairs } from "./session-state.ts";
import { changeBetween, SettingChange, type StateChange } from "./state-change.ts";

/** The parts of an operator's result that the log records. */
export interface OperatorRecord {
  readonly delta: JsonObject;
  readonly audit: JsonObject;
  /** In thousandths. */
  readonly risk: number;
}

/** The result of an operator that sets keys, or of one that makes another state. */
export type OperatorResult =
  | OperatorRecord & { readonly pairs: readonly KeyValuePair[] }
  | OperatorRecord & { readonly state: StateJson };

/** An operator in the registry. Only the operator itself knows the type of its parameters. */
export interface Operator {
  readonly name: string;
  readonly version: number;
  /** The expected type of each parameter, for `ListOperators`: `object`, `string`, `any`. */
  readonly params: Readonly<Record<string, string>>;
  apply(draft: StateDraft, params: JsonObject): Validated<OperatorResult>;
}

interface OperatorDescription<Params> extends Pick<Operator, "name" | "version" | "params"> {
  /** Validates the parameters of a request. Parameters that the operator does not know are ignored. */
  read(params: JsonObject): Validated<Params>;
}

/** The definition of an operator. */
export interface OperatorDefinition<Params> extends OperatorDescription<Params> {
  apply(state: StateJson, params: Params): OperatorRecord & { readonly state: StateJson };
}

/** Makes an operator whose parameters are typed. */
export function operator<Params>({ read, apply, ...description }: OperatorDefinition<Params>): Operator {
  return {
    ...description,
    apply(draft, params) {
      const given = read(params);
      return given.ok ? valid(apply(draft.state(), given.value)) : given;
    },
  };
}

interface SetterDefinition<Params> extends OperatorDescription<Params> {
  apply(params: Params): OperatorRecord & { readonly pairs: readonly KeyValuePair[] };
}

/** Makes an operator that sets keys whatever the state is, so its cost does not depend on the size of the state. */
function setter<Params>({ read, apply, ...description }: SetterDefinition<Params>): Operator {
  return {
    ...description,
    apply(_draft, params) {
      const given = read(params);
      return given.ok ? valid(apply(given.value)) : given;
    },
  };
}

/** Applies a result to a draft. */
export function applyResult(draft: StateDraft, result: OperatorResult): void {
  if ("pairs" in result) draft.set(result.pairs);
  else draft.replace(result.state);
}

/** The changes of a result to a draft before it is applied. */
export const changeOf = (draft: StateDraft, result: OperatorResult): StateChange =>
  "pairs" in result ? new SettingChange(draft, result.pairs) : changeBetween(draft.state(), result.state);

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
const st = setter<{ readonly changes: Json; readonly pairs: readonly KeyValuePair[] }>({
  name: "ST",
  version: 1,
  params: { changes: "object" },
  read({ changes = {} }) {
    const pairs = pairsOf(changes);
    return pairs.ok ? valid({ changes, pairs: pairs.value }) : pairs;
  },
  apply: ({ changes, pairs }) => ({
    pairs,
    delta: { st_applied: true },
    audit: { details: changes, op: "ST" },
    risk: 100,
  }),
});

/** Sets each key of an object. */
const ch = setter<JsonObject>({
  name: "CH",
  version: 1,
  params: { changes: "object" },
  read({ changes = {} }) {
    if (isObject(changes)) return valid(changes);
    return invalid({ message: `changes must be an object: '${typeName(changes)}' object has no attribute 'items'` });
  },
  apply: (changes) => ({
    pairs: Object.entries(changes),
    delta: changes,
    audit: { changes, op: "CH" },
    risk: 200,
  }),
});

/** Sets one key. An invalid key is not an error: it changes nothing and has a higher risk. */
const xyz = setter<{ readonly key: Json; readonly value: Json }>({
  name: "XYZ",
  version: 1,
  params: { key: "string", value: "any" },
  read: ({ key = null, value = null }) => valid({ key, value }),
  apply({ key, value }) {
    if (typeof key !== "string" || key === "") {
      return { pairs: [], delta: {}, audit: { op: "XYZ", ok: false, error: "key must be a non-empty string" }, risk: 600 };
    }
    const delta = withPairs(Object.create(null), [[key, value]]);
    return { pairs: [[key, value]], delta, audit: { op: "XYZ", ok: true, key }, risk: 50 };
  },
});

/** The operators of the original relay. */
export const OPERATORS: readonly Operator[] = [st, ch, xyz];
