/**
 * From steps that may be done to an event of the log, and to what is said of it.
 *
 * Invariants: D1 nothing changes before everything is decided: all steps are tried on copies, judged and measured first; D2 what
 * was refused by the covenant is in the log, what failed or was too much is not.
 */
import type { Json, JsonObject } from "../../../core/json.ts";
import { STATE_KEYS_MAX } from "../../../core/limits.ts";
import { answerFromSession, answerWithText, refuse, type RequestInStep, wantsMeta } from "../request.ts";
import { type CovenantEvaluation, evaluate, evaluationJson, fromThousandths } from "./covenant.ts";
import { append, notifyWhenStored } from "../log/journal.ts";
import { repr } from "../codec/python-repr.ts";
import type { LogEvent, LogHead } from "../log/event.ts";
import type { Operator, OperatorResult } from "./operators.ts";
import { echo, limitExceeded, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import { type BrainSession, type LoadedLog, shortId } from "../sessions/session.ts";
import { difference, digestState, exceedsBytes, sizeOf, type StateDigest, type StateJson } from "./session-state.ts";

/** An operator with its parameters, as it was asked for. */
export interface OperatorStep {
  readonly operator: Operator;
  readonly params: JsonObject;
}

/** A step that was tried on a copy. */
export interface TrialStep extends OperatorStep {
  readonly result: OperatorResult;
  readonly evaluation: CovenantEvaluation;
}

/** What is asked of which session. */
export interface SessionOperation {
  readonly session: BrainSession;
  readonly body: LoadedLog;
  readonly eventType: "OperatorApplied" | "MacroApplied";
  /** The operator, or the name of the macro. */
  readonly name: Json;
  /** `op_id` and what it stands for, if the request has one. */
  readonly operationId: JsonObject;
}

/** Tries steps one after the other, each on what the one before made of the state. */
export function dryRun(head: LogHead, steps: readonly OperatorStep[]): Validated<readonly TrialStep[]> {
  const tried: TrialStep[] = [];
  let { state, spent } = head;
  for (const { operator, params } of steps) {
    const outcome = operator.apply(state, params);
    if (!outcome.ok) return outcome;
    const result = outcome.value;
    tried.push({ operator, params, result, evaluation: evaluate(head.policy, { before: state, spent, result }) });
    state = result.state;
    spent += result.risk;
  }
  return valid(tried);
}

/** Does the steps and answers the request, or refuses all of them. */
export function commit(call: RequestInStep, work: SessionOperation, steps: readonly OperatorStep[]): void {
  const { session, body: { head } } = work;
  const outcome = dryRun(head, steps);
  if (!outcome.ok) return refuse(call, outcome.problem);
  const tried = outcome.value;
  const refused = tried.find(({ evaluation }) => evaluation.reasons.length > 0);
  if (head.policy.mode === "enforce" && refused !== undefined) return refuseByCovenant(call, work, refused);
  const state = tried.at(-1)?.result.state ?? head.state;
  const risk = tried.reduce((sum, { result }) => sum + result.risk, 0);
  const { text, hash: stateHash } = digestState(state);
  const tooMuch = exceededLimit(call, head.state, { state, text });
  if (tooMuch !== undefined) return refuse(call, tooMuch);
  const what = work.eventType === "MacroApplied"
    ? { name: work.name, steps: tried.map(stepPayload), risk: fromThousandths(risk) }
    : tried.map(stepPayload)[0];
  // Why in this order: it is that of the canonical text, which is then quickly written.
  const payload = { ...what, ...work.operationId, session_id: session.id, state_hash: stateHash };
  const next: LogHead = { ...head, state, stateHash, spent: head.spent + risk };
  const event = append(call.brain, call.ctx, { session, type: work.eventType, payload, head: next });
  call.ctx.observe({ is: "operator_applied", session: shortId(session.id), operator: repr(work.name), risk });
  answerWithText(call, { session, seq: event.seq, text: snapshotReply(call, event, { text, hash: stateHash }) });
  if (session.followers.size > 0) notify(call, work, { event, before: head.state, after: state });
}

/** The state after an event, as the reply to whoever caused it. */
export function snapshotReply({ fields }: RequestInStep, { seq, payload }: LogEvent, { text, hash }: StateDigest): string {
  const meta = wantsMeta(fields) ? { seq, state_hash: hash, risk: payload["risk"] ?? 0 } : {};
  const more = JSON.stringify({ ...meta, ...echo(fields) }).slice(1);
  const id = JSON.stringify(payload["session_id"] ?? null);
  return `{"type":"State.Snapshot","session_id":${id},"state":${text}${more === "}" ? more : `,${more}`}`;
}

/** What is said to whoever asked for what the covenant refused. */
export function refusalReply({ id, payload }: LogEvent): JsonObject {
  const { reason, code, session_id, operator, reasons, score, required } = payload;
  return { error: reason, code, session_id, operator, reasons, score, required, ledger_id: id };
}

/** What the log says of one step. */
function stepPayload({ operator, params, result: { delta, audit, risk }, evaluation }: TrialStep): JsonObject {
  const recommendations = evaluation.reasons.length === 0
    ? {}
    : { reasons: [...evaluation.reasons], ...evaluationJson(evaluation) };
  const { name, version } = operator;
  return { audit, delta, operator: name, operator_version: version, params, recommendations, risk: fromThousandths(risk) };
}

/** A key takes at least so much text: two quotes, a colon and a value. */
const KEY_TEXT_MIN = 4;

/** More than a session may hold is refused; what makes one that is too big smaller is not. */
function exceededLimit(
  call: RequestInStep,
  before: StateJson,
  after: { readonly state: StateJson; readonly text: string },
): RequestError | undefined {
  const bytesMax = call.brain.settings.state_bytes;
  if (exceedsBytes(after.text, bytesMax) && sizeOf(after.state) > sizeOf(before)) {
    return limitExceeded("state_bytes", bytesMax);
  }
  if (after.text.length < STATE_KEYS_MAX * KEY_TEXT_MIN) return undefined;
  const keys = Object.keys(after.state).length;
  return keys > STATE_KEYS_MAX && keys > Object.keys(before).length ? limitExceeded("keys", STATE_KEYS_MAX) : undefined;
}

function refuseByCovenant(
  call: RequestInStep,
  { session, body: { head }, operationId }: SessionOperation,
  tried: TrialStep,
): void {
  const { operator: { name: operator, version }, params, evaluation } = tried;
  const reasons = [...evaluation.reasons];
  const reason = `covenant refused operator '${operator}': ${reasons.join(", ")}`;
  const { score = 0 } = evaluationJson(evaluation);
  const payload: JsonObject = {
    session_id: session.id,
    operator,
    operator_version: version,
    params,
    code: "CovenantRefused",
    reasons,
    reason,
    score,
    required: fromThousandths(head.policy.minScore),
    state_hash: head.stateHash,
    ...operationId,
  };
  const event = append(call.brain, call.ctx, { session, type: "OperatorRefused", payload, head });
  call.ctx.observe({ is: "operator_refused", session: shortId(session.id), operator, reasons });
  answerFromSession(call, { session, seq: event.seq, body: refusalReply(event) });
}

/** Tells those who follow the session what became of its state. */
function notify(
  { brain, ctx, reply }: RequestInStep,
  { session, name }: SessionOperation,
  { event: { seq, payload }, before, after }: {
    readonly event: LogEvent;
    readonly before: StateJson;
    readonly after: StateJson;
  },
): void {
  const { changes, removed } = difference(before, after);
  const news: JsonObject = {
    type: "State.Delta",
    session_id: session.id,
    seq,
    operator: name,
    changes,
    ...(removed.length > 0 && { removed }),
    risk: payload["risk"] ?? 0,
  };
  notifyWhenStored(brain, ctx, { session, seq, from: reply.peer, frame: JSON.stringify(news) });
}
