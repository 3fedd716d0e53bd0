/**
 * One request while it is handled, and the ways in which it can be answered.
 *
 * Replies to what the original relay knew have exactly its keys; whatever is new stands there only if the request asked for it.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import type { StepContext } from "../../core/context.ts";
import type { BrainState } from "./state.ts";
import { holdReply, isDurable } from "./log/journal.ts";
import { touch } from "./sessions/ttl.ts";
import { quotedRepr, unhashableError } from "./codec/python-repr.ts";
import { errorText, replyText, type RequestError, storageFailed } from "./codec/request-error.ts";
import { type LogDamage, readFromLog, type ReadPlan, type ReadResult } from "./log/reader.ts";
import type { BrainSession, ClientRequest, LoadedLog } from "./sessions/session.ts";
import { activate } from "./sessions/activation.ts";

export interface RequestInStep extends ClientRequest {
  readonly brain: BrainState;
  readonly ctx: StepContext;
}

/** Answers a request that concerns no session, or nothing in it that could be lost. */
export function answer({ brain, ctx, reply, fields }: RequestInStep, body: JsonObject): void {
  brain.replies.fill(reply, replyText(body, fields), ctx);
}

/** What a reply shows: a session, as it is after event `seq`. */
interface Shown {
  readonly session: BrainSession;
  readonly seq: number;
}

/** Answers a request with something that shows a session. */
export function answerFromSession(call: RequestInStep, { body, ...shownOf }: Shown & { readonly body: JsonObject }): void {
  answerWithText(call, { ...shownOf, text: replyText(body, call.fields) });
}

/** The same, with a reply that was written out already. */
export function answerWithText(call: RequestInStep, { session, seq, text }: Shown & { readonly text: string }): void {
  const { brain, ctx, reply, fields } = call;
  if (!isDurable(session, seq)) {
    const onFailure = () => errorText(storageFailed("the operation was not stored"), fields);
    holdReply({ session, seq, reply, onFailure });
  }
  brain.replies.fill(reply, text, ctx);
}

/** Refuses a request. */
export function refuse(call: RequestInStep, problem: RequestError): void {
  call.brain.replies.fill(call.reply, errorText(problem, call.fields), call.ctx);
}

/** Refuses a request because of what a session is; that may not be stored yet. */
export function refuseFromSession(
  call: RequestInStep,
  session: BrainSession,
  { message, code, details }: RequestError,
): void {
  const body = { error: message, ...(code !== undefined && { code }), ...details };
  answerFromSession(call, { session, seq: session.log?.head.seq ?? -1, body });
}

/** True when a request asks for the figures of its session too. */
export const wantsMeta = ({ want }: JsonObject): boolean => Array.isArray(want) && want.includes("meta");

/** The session that a request names, awake; the request is answered or waits when there is none. */
export function activeSession(
  call: RequestInStep,
): { readonly session: BrainSession; readonly body: LoadedLog } | undefined {
  const { brain, fields } = call;
  const { session_id: id } = fields;
  if (id === undefined) return void refuse(call, { message: "missing field 'session_id'" });
  const session = typeof id === "string" ? brain.sessions.get(id) : undefined;
  if (session === undefined || session.tombstone !== undefined) return void refuse(call, unknownSession(brain, id));
  if (session.damage !== undefined) return void refuse(call, damagedLog(session.damage));
  if (session.log !== undefined) {
    touch(brain, call.ctx, session);
    return { session, body: session.log };
  }
  session.waitingRequests.push({ reply: call.reply, fields, frameLength: call.frameLength });
  activate(brain, session, call.ctx);
  return undefined;
}

/** The same, but a session whose log cannot be trusted is given as well: it can be looked into and closed. */
export function activeOrDamagedSession(call: RequestInStep): BrainSession | undefined {
  const { session_id: id } = call.fields;
  const session = typeof id === "string" ? call.brain.sessions.get(id) : undefined;
  return session?.damage !== undefined && session.tombstone === undefined ? session : activeSession(call)?.session;
}

function unknownSession({ sessions, tombstones }: BrainState, id: Json): RequestError {
  const cannot = unhashableError(id);
  if (cannot !== undefined) return { message: `session_id must be a name: ${cannot}` };
  const message = `unknown session ${quotedRepr(id)}`;
  const end = typeof id === "string" ? sessions.get(id)?.tombstone ?? tombstones.get(id) : undefined;
  return end?.why === "expired" ? { message, code: "SessionExpired" } : { message };
}

export const damagedLog = ({ seq, why }: LogDamage): RequestError =>
  storageFailed(`the log of this session cannot be trusted from event ${seq} on: ${why}`);

/** Looks into the past of a session and goes on with what was found; the request is answered here when nothing was. */
export function readLog(
  call: RequestInStep,
  plan: Omit<ReadPlan, "end">,
  go: (call: RequestInStep, found: Exclude<ReadResult, { is: "damage" | "unreadable" }>) => void,
): void {
  const { brain, ctx } = call;
  const end = (found: ReadResult, later: StepContext): void => {
    const then: RequestInStep = { ...call, ctx: later };
    if (brain.sessions.get(plan.session.id) !== plan.session) return refuse(then, unknownSession(brain, plan.session.id));
    if (found.is === "damage") return refuse(then, damagedLog(found.damage));
    if (found.is === "unreadable") return refuse(then, storageFailed(found.why));
    go(then, found);
  };
  readFromLog(brain, ctx, { ...plan, end });
}
