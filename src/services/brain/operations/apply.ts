/** The requests that apply operators: `ApplyOperator`, `ApplyMacro`, `EvaluateCovenant`, `ListOperators`. */
import type { StepContext } from "../../../core/context.ts";
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isNumber, isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import { MACRO_STEPS_MAX, OPERATION_NAME_MAX, SESSION_EVENTS_MAX } from "../../../core/limits.ts";
import { typeName } from "../codec/python-repr.ts";
import { badParams, invalid, limitExceeded, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import type { LogEvent } from "../log/event.ts";
import {
  activeSession,
  answer,
  answerFromSession,
  answerWithFrame,
  readEventsFor,
  readHeadFor,
  refuse,
  refuseFromSession,
  type SessionAt,
} from "../request.ts";
import type { BrainSession, ClientRequest } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";
import { commit, dryRun, type OperatorStep, refusalBody, type SessionOperation, snapshotFrame } from "./commit.ts";
import { EVALUATION_NAME, evaluationJson } from "./covenant.ts";
import { chargeWrite } from "./quota.ts";
import { digestState } from "./session-state.ts";

/** The JSON text of parsed values is at most this many times as long as the text that they were parsed from. */
const SERIALIZED_GROWTH_MAX = 6;

/** `ApplyOperator` */
export function applyOperator(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const { session_id, operator, params = {} } = request.fields;
  if (session_id === undefined) return refuse(state, request, { message: "missing field 'session_id'" }, ctx);
  if (operator === undefined) return refuse(state, request, { message: "missing field 'operator'" }, ctx);
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const operationId = operationIdOf(request, { operator, params });
  const operation: SessionOperation = { ...found, eventType: "OperatorApplied", name: operator, operationId };
  if (!isNewOperation(state, request, operation, ctx)) return;
  const step = readStep(state, request, operator, params);
  if (!step.ok) return refuse(state, request, step.error, ctx);
  commit(state, request, { ...operation, steps: [step.value] }, ctx);
}

/** `ApplyMacro`: all of its steps, or none. */
export function applyMacro(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const { name = null, steps: given } = request.fields;
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const operationId = operationIdOf(request, { name, steps: given });
  const operation: SessionOperation = { ...found, eventType: "MacroApplied", name, operationId };
  if (!isNewOperation(state, request, operation, ctx)) return;
  const steps = readSteps(state, request, given);
  if (!steps.ok) return refuse(state, request, steps.error, ctx);
  commit(state, request, { ...operation, steps: steps.value }, ctx);
}

function readSteps(
  state: BrainState,
  request: ClientRequest,
  given: Json | undefined,
): Validated<readonly OperatorStep[]> {
  if (!Array.isArray(given) || given.length === 0) return invalid(badParams("steps", "a list of steps"));
  if (given.length > MACRO_STEPS_MAX) return invalid(limitExceeded("steps", MACRO_STEPS_MAX));
  const steps: OperatorStep[] = [];
  for (const [at, each] of given.entries()) {
    const { name: operator = null, params = {} }: JsonObject = isObject(each) ? each : {};
    const step = readStep(state, request, operator, params);
    if (!step.ok) return invalid({ ...step.error, message: `step ${at}: ${step.error.message}` });
    steps.push(step.value);
  }
  return valid(steps);
}

/** `EvaluateCovenant`: the covenant's evaluation of an operator, without applying it. */
export function evaluateCovenant(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const { session, loaded: { head } } = found;
  const { operator = null, params = {} } = request.fields;
  const step = readStep(state, request, operator, params);
  const run = step.ok ? dryRun(head, [step.value]) : step;
  if (!run.ok) return refuse(state, request, run.error, ctx);
  const [trial] = run.value.trials;
  if (trial === undefined) return;
  const { evaluation } = trial;
  const isAllowed = evaluation.reasons.length === 0 || head.policy.mode === "off";
  const body = {
    type: "Covenant.Result",
    session_id: session.id,
    decision: isAllowed ? "allow" : head.policy.mode === "enforce" ? "refuse" : "advise",
    name: EVALUATION_NAME,
    result: evaluationJson(evaluation),
    reasons: [...evaluation.reasons],
  };
  answerFromSession(state, request, { session, seq: head.seq, body }, ctx);
}

/** `ListOperators` */
export function listOperators(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const operators = state.logs.operators.list().map(({ name, version, params }) => ({ name, version, params }));
  answer(state, request, { type: "Operator.List", operators }, ctx);
}

/** The `op_id` of a request and a digest of what it asks; empty for a request without `op_id`. */
function operationIdOf({ fields: { op_id: id } }: ClientRequest, asks: JsonObject): JsonObject {
  return typeof id === "string" || isNumber(id) ? { op_asks: hashText(canonicalJson(asks)), op_id: String(id) } : {};
}

/** False if the request has been answered: it is a repetition, or cannot be carried out. */
function isNewOperation(
  state: BrainState,
  request: ClientRequest,
  operation: SessionOperation,
  ctx: StepContext,
): boolean {
  const { session, loaded: { head } } = operation;
  const id = checkOperationId(request, operation);
  if (!id.ok) return handled(refuse(state, request, id.error, ctx));
  if (id.value !== undefined) return handled(repeatReply(state, request, { session, seq: id.value }, ctx));
  const { if_seq: given } = request.fields;
  const expected = numberOf(given);
  if (given !== undefined && !Number.isInteger(expected)) {
    return handled(refuse(state, request, badParams("if_seq", "a whole number"), ctx));
  }
  if (head.sealed) return handled(refuseFromSession(state, request, { session, error: sessionSealed(session) }, ctx));
  if (expected !== undefined && expected !== head.seq) {
    const error = versionConflict(expected, head.seq);
    return handled(refuseFromSession(state, request, { session, error }, ctx));
  }
  const error = head.seq + 1 < SESSION_EVENTS_MAX
    ? chargeWrite(state, request, { log: session.log, length: request.frameLength }, ctx)
    : limitExceeded("events", SESSION_EVENTS_MAX);
  return error === undefined || handled(refuse(state, request, error, ctx));
}

const handled = (_answered: void): false => false;

/** The event that a request with the same `op_id` led to before, if there was one. */
function checkOperationId({ fields }: ClientRequest, operation: SessionOperation): Validated<number | undefined> {
  const { operationId: { op_id: id, op_asks: digest }, loaded: { head } } = operation;
  const isInvalid = id === undefined || id === "" || String(id).length > OPERATION_NAME_MAX;
  if (fields["op_id"] !== undefined && isInvalid) {
    return invalid(badParams("op_id", `a number, or a text of 1 to ${OPERATION_NAME_MAX} characters`));
  }
  const earlier = id === undefined ? undefined : head.operations.findLast(({ opId }) => opId === id);
  if (earlier === undefined || earlier.digest === digest) return valid(earlier?.seq);
  return invalid(badParams("op_id", "an id that was not used for another operation"));
}

const sessionSealed = ({ id }: BrainSession): RequestError => ({
  message: "session sealed",
  code: "SessionSealed",
  details: { session_id: id },
});

const versionConflict = (expected: number, seq: number): RequestError => ({
  message: `version conflict: expected seq ${expected}, the session is at ${seq}`,
  code: "VersionConflict",
  details: { expected, seq },
});

/** Sends the reply that the first request with this `op_id` got. */
function repeatReply(state: BrainState, request: ClientRequest, { session, seq }: SessionAt, ctx: StepContext): void {
  readEventsFor(state, request, {
    session,
    from: seq,
    until: seq,
    textMax: 1,
    use([event], later) {
      if (event === undefined) return;
      if (event.type !== "OperatorRefused") return repeatSnapshot(state, request, { session, event }, later);
      answerFromSession(state, request, { session, seq, body: refusalBody(event) }, later);
    },
  }, ctx);
}

function repeatSnapshot(
  state: BrainState,
  request: ClientRequest,
  { session, event }: { readonly session: BrainSession; readonly event: LogEvent },
  ctx: StepContext,
): void {
  const { seq } = event;
  readHeadFor(state, request, {
    session,
    seq,
    use(head, later) {
      const frame = snapshotFrame(request, event, digestState(head.state));
      answerWithFrame(state, request, { session, seq, frame }, later);
    },
  }, ctx);
}

function readStep(
  { settings: { state_bytes: bytesMax }, logs: { operators } }: BrainState,
  { frameLength }: ClientRequest,
  name: Json,
  params: Json,
): Validated<OperatorStep> {
  if (!isObject(params)) {
    const reason = `argument after ** must be a mapping, not ${typeName(params)}`;
    return invalid({ message: `params must be an object: ${reason}` });
  }
  for (const reserved of ["self", "name", "state"]) {
    // Why: the original could not distinguish these from its own arguments, and refused them.
    if (!Object.hasOwn(params, reserved)) continue;
    return invalid({
      message: `params must not have '${reserved}': got multiple values for argument '${reserved}'`,
    });
  }
  const operator = operators.find(name);
  if (!operator.ok) return operator;
  // Why not always: only numbers can get longer when they are serialized (`1e20` becomes five times as long).
  const mayExceed = frameLength * SERIALIZED_GROWTH_MAX > bytesMax;
  if (mayExceed && JSON.stringify(params).length > bytesMax) return invalid(limitExceeded("params_bytes", bytesMax));
  return valid({ operator: operator.value, params });
}
