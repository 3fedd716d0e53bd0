/**
 * From steps that may be done to an event of the log, and to what is said of it.
 *
 * Invariants: D1 nothing changes before everything is decided: all steps are tried on copies, judged and measured first; D2 what
 * was refused by the covenant is in the log, what failed or was too much is not.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import { STATE_KEYS_MAX } from "../../core/limits.ts";
import { answerOf, answerText, type Call, refuse, wantsMeta } from "./call.ts";
import { judge, resultOf, share, type Verdict } from "./rules/covenant.ts";
import { append, push } from "./log/journal.ts";
import { plain } from "./legacy.ts";
import type { Head, LogEvent } from "./log/log.ts";
import type { Applied, Operator } from "./rules/operators.ts";
import { echo, fine, limitExceeded, type Outcome, type Problem } from "./problem.ts";
import { type Body, nameOf, type Session } from "./session.ts";
import { difference, type Digest, digest, isLonger, sizeOf, type State } from "./rules/state.ts";

/** An operator with its parameters, as it was asked for. */
export interface Step {
  readonly operator: Operator;
  readonly params: JsonObject;
}

/** A step that was tried on a copy. */
export interface Tried extends Step {
  readonly applied: Applied;
  readonly verdict: Verdict;
}

/** What is asked of which session. */
export interface Work {
  readonly session: Session;
  readonly body: Body;
  readonly does: "OperatorApplied" | "MacroApplied";
  /** The operator, or the name of the macro. */
  readonly name: Json;
  /** `op_id` and what it stands for, if the request has one. */
  readonly operation: JsonObject;
}

/** Tries steps one after the other, each on what the one before made of the state. */
export function tryAll(head: Head, steps: readonly Step[]): Outcome<readonly Tried[]> {
  const tried: Tried[] = [];
  let { state, spent } = head;
  for (const { operator, params } of steps) {
    const outcome = operator.apply(state, params);
    if (!outcome.ok) return outcome;
    const applied = outcome.value;
    tried.push({ operator, params, applied, verdict: judge(head.policy, { before: state, spent, applied }) });
    state = applied.state;
    spent += applied.risk;
  }
  return fine(tried);
}

/** Does the steps and answers the request, or refuses all of them. */
export function commit(call: Call, work: Work, steps: readonly Step[]): void {
  const { session, body: { head } } = work;
  const outcome = tryAll(head, steps);
  if (!outcome.ok) return refuse(call, outcome.problem);
  const tried = outcome.value;
  const refused = tried.find(({ verdict }) => verdict.reasons.length > 0);
  if (head.policy.mode === "enforce" && refused !== undefined) return refuseByCovenant(call, work, refused);
  const state = tried.at(-1)?.applied.state ?? head.state;
  const risk = tried.reduce((sum, { applied }) => sum + applied.risk, 0);
  const { text, hash: stateHash } = digest(state);
  const tooMuch = limitOn(call, head.state, { state, text });
  if (tooMuch !== undefined) return refuse(call, tooMuch);
  const what = work.does === "MacroApplied"
    ? { name: work.name, steps: tried.map(deed), risk: share(risk) }
    : tried.map(deed)[0];
  // Why in this order: it is that of the canonical text, which is then quickly written.
  const payload = { ...what, ...work.operation, session_id: session.id, state_hash: stateHash };
  const next: Head = { ...head, state, stateHash, spent: head.spent + risk };
  const event = append(call.brain, call.ctx, { session, type: work.does, payload, head: next });
  call.ctx.observe({ is: "operator_applied", session: nameOf(session.id), operator: plain(work.name), risk });
  answerText(call, { session, seq: event.seq, text: snapshot(call, event, { text, hash: stateHash }) });
  if (session.followers.size > 0) follow(call, work, { event, before: head.state, after: state });
}

/** The state after an event, as the reply to whoever caused it. */
export function snapshot({ fields }: Call, { seq, payload }: LogEvent, { text, hash }: Digest): string {
  const meta = wantsMeta(fields) ? { seq, state_hash: hash, risk: payload["risk"] ?? 0 } : {};
  const more = JSON.stringify({ ...meta, ...echo(fields) }).slice(1);
  const id = JSON.stringify(payload["session_id"] ?? null);
  return `{"type":"State.Snapshot","session_id":${id},"state":${text}${more === "}" ? more : `,${more}`}`;
}

/** What is said to whoever asked for what the covenant refused. */
export function refusal({ id, payload }: LogEvent): JsonObject {
  const { reason, code, session_id, operator, reasons, score, required } = payload;
  return { error: reason, code, session_id, operator, reasons, score, required, ledger_id: id };
}

/** What the log says of one step. */
function deed({ operator, params, applied: { delta, audit, risk }, verdict }: Tried): JsonObject {
  const recommendations = verdict.reasons.length === 0 ? {} : { reasons: [...verdict.reasons], ...resultOf(verdict) };
  const { name, version } = operator;
  return { audit, delta, operator: name, operator_version: version, params, recommendations, risk: share(risk) };
}

/** A key takes at least so much text: two quotes, a colon and a value. */
const KEY_TEXT_MIN = 4;

/** More than a session may hold is refused; what makes one that is too big smaller is not. */
function limitOn(call: Call, before: State, after: { readonly state: State; readonly text: string }): Problem | undefined {
  const bytesMax = call.brain.settings.state_bytes;
  if (isLonger(after.text, bytesMax) && sizeOf(after.state) > sizeOf(before)) return limitExceeded("state_bytes", bytesMax);
  if (after.text.length < STATE_KEYS_MAX * KEY_TEXT_MIN) return undefined;
  const keys = Object.keys(after.state).length;
  return keys > STATE_KEYS_MAX && keys > Object.keys(before).length ? limitExceeded("keys", STATE_KEYS_MAX) : undefined;
}

function refuseByCovenant(call: Call, { session, body: { head }, operation }: Work, tried: Tried): void {
  const { operator: { name: operator, version }, params, verdict } = tried;
  const reasons = [...verdict.reasons];
  const reason = `covenant refused operator '${operator}': ${reasons.join(", ")}`;
  const { score = 0 } = resultOf(verdict);
  const payload: JsonObject = {
    session_id: session.id,
    operator,
    operator_version: version,
    params,
    code: "CovenantRefused",
    reasons,
    reason,
    score,
    required: share(head.policy.minScore),
    state_hash: head.stateHash,
    ...operation,
  };
  const event = append(call.brain, call.ctx, { session, type: "OperatorRefused", payload, head });
  call.ctx.observe({ is: "operator_refused", session: nameOf(session.id), operator, reasons });
  answerOf(call, { session, seq: event.seq, body: refusal(event) });
}

/** Tells those who follow the session what became of its state. */
function follow(
  { brain, ctx, slot }: Call,
  { session, name }: Work,
  { event: { seq, payload }, before, after }: { readonly event: LogEvent; readonly before: State; readonly after: State },
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
  push(brain, ctx, { session, seq, from: slot.peer, frame: JSON.stringify(news) });
}
