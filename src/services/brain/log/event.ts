/**
 * The log of a session: the truth. Its state is what folding the events gives.
 *
 * Invariants: L1 events are numbered from 0 without a gap; L2 the hash of an event covers its number, kind, payload and the hash
 * before it, but not its id and time, so that the same deeds give the same hashes; L3 `fold` uses nothing but the event, what
 * was folded before, and pure operators.
 * Knows nothing of: stores, peers.
 */
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { OPERATIONS_REMEMBERED_MAX } from "../../../core/limits.ts";
import type { CovenantPolicy } from "../operations/covenant.ts";
import type { OperatorRegistry, OperatorResult } from "../operations/operators.ts";
import { policyFrom } from "../operations/policy.ts";
import { digestState, EMPTY_STATE, type StateJson, stateOf } from "../operations/session-state.ts";

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

/** A request that must not be done twice: its name, a digest of what it asks, and the event that it led to. */
export interface OperationRecord {
  readonly name: string;
  readonly asks: string;
  readonly seq: number;
}

/** All that the events up to `seq` come to. Never changed: the next head is a new one. */
export interface LogHead {
  readonly seq: number;
  readonly hash: string;
  readonly state: StateJson;
  readonly stateHash: string;
  /** Thousandths of risk of everything done so far. */
  readonly spent: number;
  readonly sealed: boolean;
  readonly owner: Json;
  readonly policy: CovenantPolicy;
  readonly ttlMs: number;
  readonly remembered: readonly OperationRecord[];
}

/** Before the first event. */
export function emptyHead(policy: CovenantPolicy): LogHead {
  const { hash: stateHash } = digestState(EMPTY_STATE);
  const nothing = { seq: -1, hash: "", state: EMPTY_STATE, stateHash, spent: 0 };
  return { ...nothing, sealed: false, owner: null, policy, ttlMs: 0, remembered: [] };
}

/** What makes the hash of an event: its payload is given as canonical text. */
interface HashInput extends Pick<LogEvent, "seq" | "type"> {
  readonly payload: string;
}

/** The hash of what would come after `previous`: that of the canonical text of the four. */
export function hashAfter(previous: string, { seq, type, payload }: HashInput): string {
  return hashText(`{"payload":${payload},"prev_hash":${JSON.stringify(previous)},"seq":${seq},"type":"${type}"}`);
}

/** The head after one more event, or in words why the event cannot be the next one. */
export function fold(head: LogHead, event: LogEvent, operators: OperatorRegistry): LogHead | string {
  if (event.seq !== head.seq + 1) return `event ${event.seq} after ${head.seq}`;
  if (hashAfter(head.hash, { ...event, payload: canonicalJson(event.payload) }) !== event.hash) {
    return "its hash is not that of its content";
  }
  const next = applyEvent(
    { ...head, seq: event.seq, hash: event.hash, remembered: rememberOperation(head, event) },
    event,
    operators,
  );
  if (typeof next === "string") return next;
  const expected = event.payload["state_hash"];
  return expected === undefined || expected === next.stateHash ? next : "the state is not the one it recorded";
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
      return afterOperator(head, payload, operators);
    case "MacroApplied": {
      const steps = payload["steps"];
      if (!Array.isArray(steps)) return "a macro without steps";
      return steps.reduce((soFar: LogHead | string, step) => afterStep(soFar, step, operators), head);
    }
    default:
      return `an event of unknown kind`;
  }
}

function afterStep(head: LogHead | string, step: Json, operators: OperatorRegistry): LogHead | string {
  if (typeof head === "string") return head;
  return isObject(step) ? afterOperator(head, step, operators) : "a step that is no object";
}

function afterCreation(head: LogHead, { owner = null, initial_state, covenant, ttl_ms }: JsonObject): LogHead {
  const state = isObject(initial_state) ? stateOf(initial_state) : EMPTY_STATE;
  const policy = policyFrom(covenant, head.policy);
  const ttlMs = typeof ttl_ms === "number" ? ttl_ms : head.ttlMs;
  return {
    ...head,
    state,
    stateHash: digestState(state).hash,
    owner,
    policy: policy.ok ? policy.value : head.policy,
    ttlMs,
  };
}

function afterOperator(head: LogHead, payload: JsonObject, operators: OperatorRegistry): LogHead | string {
  const { operator, operator_version: version, params = {} } = payload;
  const found = operators.at(String(operator), Number(version));
  if (found === undefined || !isObject(params)) return `no operator ${String(operator)} of version ${String(version)}`;
  const outcome = found.apply(head.state, params);
  return outcome.ok ? withResult(head, outcome.value) : outcome.problem.message;
}

/** The head with what an operator made of its state. */
export function withResult(head: LogHead, { state, risk }: OperatorResult): LogHead {
  return { ...head, state, stateHash: digestState(state).hash, spent: head.spent + risk };
}

/** What is remembered after an event: itself too, if its request had a name. */
export function rememberOperation({ remembered }: LogHead, { seq, payload }: LogEvent): readonly OperationRecord[] {
  const { op_id: name, op_asks: asks } = payload;
  if (typeof name !== "string" || typeof asks !== "string") return remembered;
  return [...remembered.slice(1 - OPERATIONS_REMEMBERED_MAX), { name, asks, seq }];
}
