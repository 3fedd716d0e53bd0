/**
 * The events of a session's log, and the head that folding them gives. The log is the source of truth for the session's state.
 *
 * Invariants: L1 events are numbered from 0 without a gap; L2 the hash of an event covers its number, type, payload and the previous
 * hash, but not its id and timestamp, so the same operations give the same hashes; L3 `fold` uses only the event, the previous head
 * and pure operators.
 * Knows nothing of: stores, sessions, peers.
 */
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { OPERATIONS_REMEMBERED_MAX } from "../../../core/limits.ts";
import type { CovenantPolicy } from "../operations/covenant.ts";
import { applyResult, type OperatorRegistry } from "../operations/operators.ts";
import { policyFrom } from "../operations/policy.ts";
import { digestState, EMPTY_STATE, StateDraft, type StateJson, stateOf } from "../operations/session-state.ts";

export type LogEventType =
  | "SessionCreated"
  | "OperatorApplied"
  | "MacroApplied"
  | "OperatorRefused"
  | "SessionForked"
  | "SessionSealed";

export interface LogEvent {
  readonly seq: number;
  readonly id: string;
  readonly timestamp: string;
  readonly type: LogEventType;
  readonly payload: JsonObject;
  readonly hash: string;
}

/** A request with an `op_id`, which must not be carried out twice. */
export interface OperationRecord {
  readonly opId: string;
  /** The SHA-256 of what the request asked. */
  readonly digest: string;
  /** The event that it led to. */
  readonly seq: number;
}

/** The result of all events up to `seq`. Immutable: the next event gives a new head. */
export interface LogHead {
  readonly seq: number;
  readonly hash: string;
  readonly state: StateJson;
  readonly stateHash: string;
  /** UTF-16 units of the state's JSON text. */
  readonly stateLength: number;
  /** The sum of the risks of all operations, in thousandths. */
  readonly riskSpent: number;
  readonly sealed: boolean;
  readonly owner: Json;
  readonly policy: CovenantPolicy;
  readonly ttlMs: number;
  readonly operations: readonly OperationRecord[];
}

/** The head before the first event. */
export function emptyHead(policy: CovenantPolicy): LogHead {
  const { hash: stateHash, text: { length: stateLength } } = digestState(EMPTY_STATE);
  return {
    seq: -1,
    hash: "",
    state: EMPTY_STATE,
    stateHash,
    stateLength,
    riskSpent: 0,
    sealed: false,
    owner: null,
    policy,
    ttlMs: 0,
    operations: [],
  };
}

/** The hashed parts of an event, with its payload as canonical text. */
interface HashInput extends Pick<LogEvent, "seq" | "type"> {
  readonly payload: string;
}

/** The hash of the event that follows `previous`: the SHA-256 of the canonical text of the four values. */
export function hashAfter(previous: string, { seq, type, payload }: HashInput): string {
  return hashText(`{"payload":${payload},"prev_hash":${JSON.stringify(previous)},"seq":${seq},"type":"${type}"}`);
}

/** The head after one more event, or the reason why the event cannot follow. */
export function fold(head: LogHead, event: LogEvent, operators: OperatorRegistry): LogHead | string {
  if (event.seq !== head.seq + 1) return `event ${event.seq} follows event ${head.seq}`;
  if (hashAfter(head.hash, { ...event, payload: canonicalJson(event.payload) }) !== event.hash) {
    return "its hash does not match its content";
  }
  const { seq, hash } = event;
  const next = applyEvent({ ...head, seq, hash, operations: operationsAfter(head, event) }, event, operators);
  if (typeof next === "string") return next;
  const expected = event.payload["state_hash"];
  return expected === undefined || expected === next.stateHash ? next : "the state does not match its recorded hash";
}

function applyEvent(head: LogHead, { type, payload }: LogEvent, operators: OperatorRegistry): LogHead | string {
  switch (type) {
    case "SessionCreated":
      return afterCreation(head, payload);
    case "SessionForked":
      return head.seq === 0 ? afterCreation(head, payload) : head;
    case "SessionSealed":
      return { ...head, sealed: true };
    case "OperatorRefused":
      return head;
    case "OperatorApplied":
      return afterSteps(head, [payload], operators);
    case "MacroApplied": {
      const { steps } = payload;
      return Array.isArray(steps) ? afterSteps(head, steps, operators) : "a macro without steps";
    }
    default:
      // Why not `assertNever`: the type comes from the store, where a later version may have written another one.
      return `unknown event type ${String(type satisfies never)}`;
  }
}

function afterCreation(head: LogHead, { owner = null, initial_state, covenant, ttl_ms }: JsonObject): LogHead {
  const state = isObject(initial_state) ? stateOf(initial_state) : EMPTY_STATE;
  const { hash: stateHash, text: { length: stateLength } } = digestState(state);
  const policy = policyFrom(covenant, head.policy);
  return {
    ...head,
    state,
    stateHash,
    stateLength,
    owner,
    policy: policy.ok ? policy.value : head.policy,
    ttlMs: typeof ttl_ms === "number" ? ttl_ms : head.ttlMs,
  };
}

function afterSteps(head: LogHead, steps: readonly Json[], operators: OperatorRegistry): LogHead | string {
  const draft = new StateDraft(head.state);
  let { riskSpent } = head;
  for (const step of steps) {
    const { operator, operator_version: version, params = {} }: JsonObject = isObject(step) ? step : {};
    const found = operators.at(String(operator), Number(version));
    if (found === undefined || !isObject(params)) return `no operator ${String(operator)} of version ${String(version)}`;
    const applied = found.apply(draft, params);
    if (!applied.ok) return applied.error.message;
    applyResult(draft, applied.value);
    riskSpent += applied.value.risk;
  }
  const state = draft.state();
  const { hash: stateHash, text: { length: stateLength } } = digestState(state);
  return { ...head, state, stateHash, stateLength, riskSpent };
}

/** The remembered operations after an event, including the event's own if its request had an `op_id`. */
export function operationsAfter({ operations }: LogHead, { seq, payload }: LogEvent): readonly OperationRecord[] {
  const { op_id: opId, op_asks: digest } = payload;
  if (typeof opId !== "string" || typeof digest !== "string") return operations;
  return [...operations.slice(1 - OPERATIONS_REMEMBERED_MAX), { opId, digest, seq }];
}
