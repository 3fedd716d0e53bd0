/**
 * Applies operators to a session: from steps to an event of the log, the reply and the notifications.
 *
 * Invariants: D1 nothing changes before everything is decided: all steps are first applied to a draft, evaluated and measured;
 * D2 an operation that the covenant refused is in the log, one that failed or exceeded a limit is not.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { EVENT_PAYLOAD_BYTES_MAX, STATE_KEYS_MAX } from "../../../core/limits.ts";
import { fitsBytes } from "../../../core/text.ts";
import { str } from "../codec/python-repr.ts";
import { echo, limitExceeded, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import type { LogEvent, LogHead } from "../log/event.ts";
import { append } from "../log/journal.ts";
import { notifyWhenStored } from "../replies/when-stored.ts";
import { type ActiveSession, answerFromSession, answerWithFrame, refuse, wantsMeta } from "../request.ts";
import { type ClientRequest, shortId } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";
import { type CovenantEvaluation, evaluate, evaluationJson, fromThousandths } from "./covenant.ts";
import { applyResult, changeOf, type Operator, type OperatorRecord } from "./operators.ts";
import { difference, digestState, sizeOf, type StateDigest, StateDraft, type StateJson } from "./session-state.ts";

/** An operator with its parameters, as a request names them. */
export interface OperatorStep {
  readonly operator: Operator;
  readonly params: JsonObject;
}

/** A step that was applied to a draft. */
export interface TrialStep extends OperatorStep {
  readonly record: OperatorRecord;
  readonly evaluation: CovenantEvaluation;
}

/** The steps that were applied to a draft, and the state that they lead to. */
export interface DryRun {
  readonly trials: readonly TrialStep[];
  readonly state: StateJson;
}

/** An operation that a request asks for. */
export interface SessionOperation extends ActiveSession {
  readonly eventType: "OperatorApplied" | "MacroApplied";
  /** The name of the operator or macro. */
  readonly name: Json;
  /** `op_id` and `op_asks` (the digest of what the request asks); empty for a request without `op_id`. */
  readonly operationId: JsonObject;
}

/** Applies steps to a draft, each to the result of the previous one. */
export function dryRun(head: LogHead, steps: readonly OperatorStep[]): Validated<DryRun> {
  const trials: TrialStep[] = [];
  const draft = new StateDraft(head.state);
  let { riskSpent } = head;
  for (const { operator, params } of steps) {
    const applied = operator.apply(draft, params);
    if (!applied.ok) return applied;
    const { risk } = applied.value;
    const evaluation = evaluate(head.policy, { change: changeOf(draft, applied.value), risk, riskSpent });
    trials.push({ operator, params, record: applied.value, evaluation });
    applyResult(draft, applied.value);
    riskSpent += risk;
  }
  return valid({ trials, state: draft.state() });
}

/** Applies all steps and answers the request, or refuses all of them. */
export function commit(
  state: BrainState,
  request: ClientRequest,
  { steps, ...operation }: SessionOperation & { readonly steps: readonly OperatorStep[] },
  ctx: StepContext,
): void {
  const { session, loaded: { head } } = operation;
  const run = dryRun(head, steps);
  if (!run.ok) return refuse(state, request, run.error, ctx);
  const { trials, state: after } = run.value;
  const refused = trials.find(({ evaluation }) => evaluation.reasons.length > 0);
  if (head.policy.mode === "enforce" && refused !== undefined) {
    return refuseByCovenant(state, request, { ...operation, refused }, ctx);
  }
  const risk = trials.reduce((sum, { record }) => sum + record.risk, 0);
  const digest = digestState(after);
  const error = exceededLimit(state, head.state, { after, text: digest.text });
  if (error !== undefined) return refuse(state, request, error, ctx);
  // Why in this order: it is the order of the canonical text, which then need not be sorted.
  const payload: JsonObject = {
    ...eventPayload(operation, trials, risk),
    ...operation.operationId,
    session_id: session.id,
    state_hash: digest.hash,
  };
  const sizeError = oversizedEvent(request, payload);
  if (sizeError !== undefined) return refuse(state, request, sizeError, ctx);
  const { hash: stateHash, text: { length: stateLength } } = digest;
  const next: LogHead = { ...head, state: after, stateHash, stateLength, riskSpent: head.riskSpent + risk };
  const event = append(state.logs, session.log, { type: operation.eventType, payload, head: next }, ctx);
  ctx.observe({ is: "operator_applied", session: shortId(session.id), operator: str(operation.name), risk });
  const frame = snapshotFrame(request, event, digest);
  answerWithFrame(state, request, { session, seq: event.seq, frame }, ctx);
  if (session.followers.size > 0) notify(state, request, { ...operation, event, before: head.state, after }, ctx);
}

function eventPayload({ eventType, name }: SessionOperation, trials: readonly TrialStep[], risk: number): JsonObject {
  const steps = trials.map(stepPayload);
  return eventType === "MacroApplied" ? { name, steps, risk: fromThousandths(risk) } : steps[0] ?? {};
}

/** A step as the log records it. */
function stepPayload({ operator, params, record: { delta, audit, risk }, evaluation }: TrialStep): JsonObject {
  const { reasons } = evaluation;
  const recommendations = reasons.length === 0 ? {} : { reasons: [...reasons], ...evaluationJson(evaluation) };
  const { name, version } = operator;
  return {
    audit,
    delta,
    operator: name,
    operator_version: version,
    params,
    recommendations,
    risk: fromThousandths(risk),
  };
}

/** The reply to an operation: the state after its event. */
export function snapshotFrame(
  { fields }: ClientRequest,
  { seq, payload }: LogEvent,
  { text, hash }: StateDigest,
): string {
  const meta = wantsMeta(fields) ? { seq, state_hash: hash, risk: payload["risk"] ?? 0 } : {};
  const more = JSON.stringify({ ...meta, ...echo(fields) }).slice(1);
  const id = JSON.stringify(payload["session_id"] ?? null);
  return `{"type":"State.Snapshot","session_id":${id},"state":${text}${more === "}" ? more : `,${more}`}`;
}

/** The reply to an operation that the covenant refused. */
export function refusalBody({ id, payload }: LogEvent): JsonObject {
  const { reason, code, session_id, operator, reasons, score, required } = payload;
  return { error: reason, code, session_id, operator, reasons, score, required, ledger_id: id };
}

/** The text of one key is at least this long: two quotes, a colon and a value. */
const KEY_TEXT_MIN = 4;

/** Refuses a state that exceeds a limit, unless it is smaller than the state before. */
function exceededLimit(
  { settings: { state_bytes: bytesMax } }: BrainState,
  before: StateJson,
  { after, text }: { readonly after: StateJson; readonly text: string },
): RequestError | undefined {
  if (!fitsBytes(text, bytesMax) && sizeOf(after) > sizeOf(before)) return limitExceeded("state_bytes", bytesMax);
  if (text.length < STATE_KEYS_MAX * KEY_TEXT_MIN) return undefined;
  const keys = Object.keys(after).length;
  return keys > STATE_KEYS_MAX && keys > Object.keys(before).length ? limitExceeded("keys", STATE_KEYS_MAX) : undefined;
}

/** An event repeats the parameters of its request in `delta` and `audit`, and a character may need three bytes. */
const PAYLOAD_GROWTH_MAX = 12;

/** Refuses an operation whose event could not be read: no page of the audit would have room for it. */
function oversizedEvent({ frameLength }: ClientRequest, payload: JsonObject): RequestError | undefined {
  if (frameLength * PAYLOAD_GROWTH_MAX <= EVENT_PAYLOAD_BYTES_MAX) return undefined;
  const isTooLarge = !fitsBytes(JSON.stringify(payload), EVENT_PAYLOAD_BYTES_MAX);
  return isTooLarge ? limitExceeded("event_bytes", EVENT_PAYLOAD_BYTES_MAX) : undefined;
}

function refuseByCovenant(
  state: BrainState,
  request: ClientRequest,
  { session, loaded: { head }, operationId, refused }: SessionOperation & { readonly refused: TrialStep },
  ctx: StepContext,
): void {
  const { operator: { name: operator, version }, params, evaluation } = refused;
  const reasons = [...evaluation.reasons];
  const { score = 0 } = evaluationJson(evaluation);
  const payload: JsonObject = {
    session_id: session.id,
    operator,
    operator_version: version,
    params,
    code: "CovenantRefused",
    reasons,
    reason: `covenant refused operator '${operator}': ${reasons.join(", ")}`,
    score,
    required: fromThousandths(head.policy.minScore),
    state_hash: head.stateHash,
    ...operationId,
  };
  const sizeError = oversizedEvent(request, payload);
  if (sizeError !== undefined) return refuse(state, request, sizeError, ctx);
  const event = append(state.logs, session.log, { type: "OperatorRefused", payload, head }, ctx);
  ctx.observe({ is: "operator_refused", session: shortId(session.id), operator, reasons });
  answerFromSession(state, request, { session, seq: event.seq, body: refusalBody(event) }, ctx);
}

interface OperationChange extends SessionOperation {
  readonly event: LogEvent;
  readonly before: StateJson;
  readonly after: StateJson;
}

/** Notifies the followers of a session of a change of its state. */
function notify(state: BrainState, { reply }: ClientRequest, change: OperationChange, ctx: StepContext): void {
  const { session, name, event: { seq, payload }, before, after } = change;
  const { changes, removed } = difference(before, after);
  const delta: JsonObject = {
    type: "State.Delta",
    session_id: session.id,
    seq,
    operator: name,
    changes,
    ...(removed.length > 0 && { removed }),
    risk: payload["risk"] ?? 0,
  };
  notifyWhenStored(state, session, { seq, from: reply.peer, frame: JSON.stringify(delta) }, ctx);
}
