/** Doing something to a session: one operator, or several as one, or only asking what the covenant would say. */
import { hashText } from "../../core/hash.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../../core/json.ts";
import { MACRO_STEPS_MAX, OPERATION_NAME_MAX, SESSION_EVENTS_MAX } from "../../core/limits.ts";
import { answer, answerOf, answerText, awake, type Call, lookBack, refuse, refuseOf } from "./call.ts";
import { EVALUATION, resultOf } from "./rules/covenant.ts";
import { commit, refusal, snapshot, type Step, tryAll, type Work } from "./deed.ts";
import { typeName } from "./legacy.ts";
import { badParams, fine, limitExceeded, type Outcome, type Problem, wrong } from "./problem.ts";
import type { Session } from "./session.ts";
import { digest } from "./rules/state.ts";

/** So many times as long as it came may JSON be when it is written out again. */
const WRITTEN_OUT_MAX = 6;

/** `ApplyOperator` */
export function applyOperator(call: Call): void {
  const { fields } = call;
  if (fields["session_id"] === undefined) return refuse(call, { error: "missing field 'session_id'" });
  const { operator, params = {} } = fields;
  if (operator === undefined) return refuse(call, { error: "missing field 'operator'" });
  const found = awake(call);
  if (found === undefined) return;
  const work: Work = {
    ...found,
    does: "OperatorApplied",
    name: operator,
    operation: operationOf(call, { operator, params }),
  };
  if (!mayGoOn(call, work)) return;
  const step = stepOf(call, operator, params);
  if (!step.ok) return refuse(call, step.problem);
  commit(call, work, [step.value]);
}

/** `ApplyMacro`: all of its steps, or none. */
export function applyMacro(call: Call): void {
  const { name = null, steps } = call.fields;
  const found = awake(call);
  if (found === undefined) return;
  const work: Work = { ...found, does: "MacroApplied", name, operation: operationOf(call, { name, steps }) };
  if (!mayGoOn(call, work)) return;
  if (!Array.isArray(steps) || steps.length === 0) return refuse(call, badParams("steps", "a list of steps is wanted"));
  if (steps.length > MACRO_STEPS_MAX) return refuse(call, limitExceeded("steps", MACRO_STEPS_MAX));
  const read: Step[] = [];
  for (const [at, each] of steps.entries()) {
    const { name: operator = null, params = {} }: JsonObject = isObject(each) ? each : {};
    const step = stepOf(call, operator, params);
    if (!step.ok) return refuse(call, { ...step.problem, error: `step ${at}: ${step.problem.error}` });
    read.push(step.value);
  }
  commit(call, work, read);
}

/** `EvaluateCovenant`: what would be said, without doing it. */
export function evaluateCovenant(call: Call): void {
  const found = awake(call);
  if (found === undefined) return;
  const { session, body: { head } } = found;
  const { operator = null, params = {} } = call.fields;
  const step = stepOf(call, operator, params);
  const tried = step.ok ? tryAll(head, [step.value]) : step;
  if (!tried.ok) return refuse(call, tried.problem);
  const { verdict } = tried.value[0] ?? {};
  if (verdict === undefined) return;
  const speaksAgainst = verdict.reasons.length > 0 && head.policy.mode !== "off";
  const decision = !speaksAgainst ? "allow" : head.policy.mode === "enforce" ? "refuse" : "advise";
  answerOf(call, {
    session,
    seq: head.seq,
    body: {
      type: "Covenant.Result",
      session_id: session.id,
      decision,
      name: EVALUATION,
      result: resultOf(verdict),
      reasons: [...verdict.reasons],
    },
  });
}

/** `ListOperators` */
export function listOperators(call: Call): void {
  const operators = call.brain.operators.list().map(({ name, version, params }) => ({ name, version, params }));
  answer(call, { type: "Operator.List", operators });
}

/** Its name and a digest of what it asks, for a request that may be sent twice. */
function operationOf({ fields: { op_id: name } }: Call, asks: JsonObject): JsonObject {
  return typeof name === "string" || typeof name === "number"
    ? { op_asks: hashText(canonicalJson(asks)), op_id: String(name) }
    : {};
}

/** Answers what need not be done (again), and what may not. */
function mayGoOn(call: Call, { session, body: { head }, operation }: Work): boolean {
  const { if_seq: expected, op_id: given } = call.fields;
  const { op_id: name, op_asks: asks } = operation;
  if (given !== undefined && (name === undefined || String(name).length > OPERATION_NAME_MAX)) {
    return no(refuse(call, badParams("op_id", `a text of at most ${OPERATION_NAME_MAX} characters is wanted`)));
  }
  const done = name === undefined ? undefined : head.remembered.findLast((each) => each.name === name);
  if (done !== undefined) {
    if (done.asks !== asks) return no(refuse(call, badParams("op_id", "it was used for another operation")));
    return no(answerAgain(call, session, done.seq));
  }
  if (expected !== undefined && (typeof expected !== "number" || !Number.isInteger(expected))) {
    return no(refuse(call, badParams("if_seq", "a whole number is wanted")));
  }
  if (head.sealed) return no(refuseOf(call, session, sealed(session)));
  if (expected !== undefined && expected !== head.seq) {
    const error = `version conflict: expected seq ${expected}, the session is at ${head.seq}`;
    return no(refuseOf(call, session, { error, code: "VersionConflict", more: { expected, seq: head.seq } }));
  }
  if (head.seq + 1 >= SESSION_EVENTS_MAX) return no(refuse(call, limitExceeded("events", SESSION_EVENTS_MAX)));
  return true;
}

const no = (_answered: void): false => false;

const sealed = ({ id }: Session): Problem => ({
  error: "session sealed",
  code: "SessionSealed",
  more: { session_id: id },
});

/** The same reply as the first time. */
function answerAgain(call: Call, session: Session, seq: number): void {
  lookBack(call, { session, from: seq, until: seq, textMax: 1 }, (then, found) => {
    const [event] = found.is === "events" ? found.events : [];
    if (event === undefined) return;
    if (event.type === "OperatorRefused") return answerOf(then, { session, seq, body: refusal(event) });
    lookBack(then, { session, from: 0, until: seq }, (later, past) => {
      if (past.is === "head") answerText(later, { session, seq, text: snapshot(later, event, digest(past.head.state)) });
    });
  });
}

function stepOf({ brain, frameLength }: Call, name: Json, params: Json): Outcome<Step> {
  if (!isObject(params)) {
    const error = `params must be an object: argument after ** must be a mapping, not ${typeName(params)}`;
    return wrong({ error });
  }
  for (const taken of ["self", "name", "state"]) {
    // Why: the original could not tell these from its own arguments, and refused them.
    if (!Object.hasOwn(params, taken)) continue;
    return wrong({ error: `params may not have '${taken}': got multiple values for argument '${taken}'` });
  }
  const operator = brain.operators.find(name);
  if (!operator.ok) return operator;
  const bytesMax = brain.settings.state_bytes;
  // Why not always: a number is the one thing that may be written out longer than it came, `1e20` by five times.
  const mayBeMore = frameLength * WRITTEN_OUT_MAX > bytesMax;
  if (mayBeMore && JSON.stringify(params).length > bytesMax) return wrong(limitExceeded("params_bytes", bytesMax));
  return fine({ operator: operator.value, params });
}
