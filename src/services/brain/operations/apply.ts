/** Doing something to a session: one operator, or several as one, or only asking what the covenant would say. */
import { hashText } from "../../../core/hash.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { MACRO_STEPS_MAX, OPERATION_NAME_MAX, SESSION_EVENTS_MAX } from "../../../core/limits.ts";
import {
  activeSession,
  answer,
  answerFromSession,
  answerWithText,
  readLog,
  refuse,
  refuseFromSession,
  type RequestInStep,
} from "../request.ts";
import { EVALUATION, evaluationJson } from "./covenant.ts";
import { commit, dryRun, type OperatorStep, refusalReply, type SessionOperation, snapshotReply } from "./commit.ts";
import { typeName } from "../codec/python-repr.ts";
import { badParams, invalid, limitExceeded, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import type { BrainSession } from "../sessions/session.ts";
import { digestState } from "./session-state.ts";

/** So many times as long as it came may JSON be when it is written out again. */
const SERIALIZED_GROWTH_MAX = 6;

/** `ApplyOperator` */
export function applyOperator(call: RequestInStep): void {
  const { fields } = call;
  if (fields["session_id"] === undefined) return refuse(call, { message: "missing field 'session_id'" });
  const { operator, params = {} } = fields;
  if (operator === undefined) return refuse(call, { message: "missing field 'operator'" });
  const found = activeSession(call);
  if (found === undefined) return;
  const work: SessionOperation = {
    ...found,
    eventType: "OperatorApplied",
    name: operator,
    operationId: operationIdOf(call, { operator, params }),
  };
  if (!isNewOperation(call, work)) return;
  const step = readStep(call, operator, params);
  if (!step.ok) return refuse(call, step.problem);
  commit(call, work, [step.value]);
}

/** `ApplyMacro`: all of its steps, or none. */
export function applyMacro(call: RequestInStep): void {
  const { name = null, steps } = call.fields;
  const found = activeSession(call);
  if (found === undefined) return;
  const work: SessionOperation = {
    ...found,
    eventType: "MacroApplied",
    name,
    operationId: operationIdOf(call, { name, steps }),
  };
  if (!isNewOperation(call, work)) return;
  if (!Array.isArray(steps) || steps.length === 0) return refuse(call, badParams("steps", "a list of steps is wanted"));
  if (steps.length > MACRO_STEPS_MAX) return refuse(call, limitExceeded("steps", MACRO_STEPS_MAX));
  const read: OperatorStep[] = [];
  for (const [at, each] of steps.entries()) {
    const { name: operator = null, params = {} }: JsonObject = isObject(each) ? each : {};
    const step = readStep(call, operator, params);
    if (!step.ok) return refuse(call, { ...step.problem, message: `step ${at}: ${step.problem.message}` });
    read.push(step.value);
  }
  commit(call, work, read);
}

/** `EvaluateCovenant`: what would be said, without doing it. */
export function evaluateCovenant(call: RequestInStep): void {
  const found = activeSession(call);
  if (found === undefined) return;
  const { session, body: { head } } = found;
  const { operator = null, params = {} } = call.fields;
  const step = readStep(call, operator, params);
  const tried = step.ok ? dryRun(head, [step.value]) : step;
  if (!tried.ok) return refuse(call, tried.problem);
  const { evaluation } = tried.value[0] ?? {};
  if (evaluation === undefined) return;
  const speaksAgainst = evaluation.reasons.length > 0 && head.policy.mode !== "off";
  const decision = !speaksAgainst ? "allow" : head.policy.mode === "enforce" ? "refuse" : "advise";
  answerFromSession(call, {
    session,
    seq: head.seq,
    body: {
      type: "Covenant.Result",
      session_id: session.id,
      decision,
      name: EVALUATION,
      result: evaluationJson(evaluation),
      reasons: [...evaluation.reasons],
    },
  });
}

/** `ListOperators` */
export function listOperators(call: RequestInStep): void {
  const operators = call.brain.operators.list().map(({ name, version, params }) => ({ name, version, params }));
  answer(call, { type: "Operator.List", operators });
}

/** Its name and a digest of what it asks, for a request that may be sent twice. */
function operationIdOf({ fields: { op_id: name } }: RequestInStep, asks: JsonObject): JsonObject {
  return typeof name === "string" || typeof name === "number"
    ? { op_asks: hashText(canonicalJson(asks)), op_id: String(name) }
    : {};
}

/** Answers what need not be done (again), and what may not. */
function isNewOperation(call: RequestInStep, { session, body: { head }, operationId }: SessionOperation): boolean {
  const { if_seq: expected, op_id: given } = call.fields;
  const { op_id: name, op_asks: asks } = operationId;
  if (given !== undefined && (name === undefined || String(name).length > OPERATION_NAME_MAX)) {
    return handled(refuse(call, badParams("op_id", `a text of at most ${OPERATION_NAME_MAX} characters is wanted`)));
  }
  const done = name === undefined ? undefined : head.remembered.findLast((each) => each.name === name);
  if (done !== undefined) {
    if (done.asks !== asks) return handled(refuse(call, badParams("op_id", "it was used for another operation")));
    return handled(repeatAnswer(call, session, done.seq));
  }
  if (expected !== undefined && (typeof expected !== "number" || !Number.isInteger(expected))) {
    return handled(refuse(call, badParams("if_seq", "a whole number is wanted")));
  }
  if (head.sealed) return handled(refuseFromSession(call, session, sessionSealed(session)));
  if (expected !== undefined && expected !== head.seq) {
    const message = `version conflict: expected seq ${expected}, the session is at ${head.seq}`;
    return handled(
      refuseFromSession(call, session, { message, code: "VersionConflict", details: { expected, seq: head.seq } }),
    );
  }
  if (head.seq + 1 >= SESSION_EVENTS_MAX) return handled(refuse(call, limitExceeded("events", SESSION_EVENTS_MAX)));
  return true;
}

const handled = (_answered: void): false => false;

const sessionSealed = ({ id }: BrainSession): RequestError => ({
  message: "session sealed",
  code: "SessionSealed",
  details: { session_id: id },
});

/** The same reply as the first time. */
function repeatAnswer(call: RequestInStep, session: BrainSession, seq: number): void {
  readLog(call, { session, from: seq, until: seq, textMax: 1 }, (then, found) => {
    const [event] = found.is === "events" ? found.events : [];
    if (event === undefined) return;
    if (event.type === "OperatorRefused") return answerFromSession(then, { session, seq, body: refusalReply(event) });
    readLog(then, { session, from: 0, until: seq }, (later, past) => {
      if (past.is === "head") {
        answerWithText(later, { session, seq, text: snapshotReply(later, event, digestState(past.head.state)) });
      }
    });
  });
}

function readStep({ brain, frameLength }: RequestInStep, name: Json, params: Json): Validated<OperatorStep> {
  if (!isObject(params)) {
    const message = `params must be an object: argument after ** must be a mapping, not ${typeName(params)}`;
    return invalid({ message });
  }
  for (const taken of ["self", "name", "state"]) {
    // Why: the original could not tell these from its own arguments, and refused them.
    if (!Object.hasOwn(params, taken)) continue;
    return invalid({ message: `params may not have '${taken}': got multiple values for argument '${taken}'` });
  }
  const operator = brain.operators.find(name);
  if (!operator.ok) return operator;
  const bytesMax = brain.settings.state_bytes;
  // Why not always: a number is the one thing that may be written out longer than it came, `1e20` by five times.
  const mayBeMore = frameLength * SERIALIZED_GROWTH_MAX > bytesMax;
  if (mayBeMore && JSON.stringify(params).length > bytesMax) return invalid(limitExceeded("params_bytes", bytesMax));
  return valid({ operator: operator.value, params });
}
