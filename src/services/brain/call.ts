/**
 * One request while it is handled, and the ways in which it can be answered.
 *
 * Replies to what the original relay knew have exactly its keys; whatever is new stands there only if the request asked for it.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import type { StepContext } from "../../core/context.ts";
import type { Brain } from "./brain.ts";
import { hold, isDurable } from "./log/journal.ts";
import { touch } from "./log/lifetime.ts";
import { shown, unhashable } from "./legacy.ts";
import { type Problem, problemText, replyText, storageFailed } from "./problem.ts";
import { type Damage, type Found, type Plan, scan } from "./log/scan.ts";
import type { Body, Request, Session } from "./session.ts";
import { wake } from "./log/waking.ts";

export interface Call extends Request {
  readonly brain: Brain;
  readonly ctx: StepContext;
}

/** Answers a request that concerns no session, or nothing in it that could be lost. */
export function answer({ brain, ctx, slot, fields }: Call, body: JsonObject): void {
  brain.lanes.fill(slot, replyText(body, fields), ctx);
}

/** What a reply shows: a session, as it is after event `seq`. */
interface Shown {
  readonly session: Session;
  readonly seq: number;
}

/** Answers a request with something that shows a session. */
export function answerOf(call: Call, { body, ...shownOf }: Shown & { readonly body: JsonObject }): void {
  answerText(call, { ...shownOf, text: replyText(body, call.fields) });
}

/** The same, with a reply that was written out already. */
export function answerText(call: Call, { session, seq, text }: Shown & { readonly text: string }): void {
  const { brain, ctx, slot, fields } = call;
  if (!isDurable(session, seq)) {
    const otherwise = () => problemText(storageFailed("the operation was not stored"), fields);
    hold({ session, seq, slot, otherwise });
  }
  brain.lanes.fill(slot, text, ctx);
}

/** Refuses a request. */
export function refuse(call: Call, problem: Problem): void {
  call.brain.lanes.fill(call.slot, problemText(problem, call.fields), call.ctx);
}

/** Refuses a request because of what a session is; that may not be stored yet. */
export function refuseOf(call: Call, session: Session, { error, code, more }: Problem): void {
  const body = { error, ...(code !== undefined && { code }), ...more };
  answerOf(call, { session, seq: session.body?.head.seq ?? -1, body });
}

/** True when a request asks for the figures of its session too. */
export const wantsMeta = ({ want }: JsonObject): boolean => Array.isArray(want) && want.includes("meta");

/** The session that a request names, awake; the request is answered or waits when there is none. */
export function awake(call: Call): { readonly session: Session; readonly body: Body } | undefined {
  const { brain, fields } = call;
  const { session_id: id } = fields;
  if (id === undefined) return void refuse(call, { error: "missing field 'session_id'" });
  const session = typeof id === "string" ? brain.sessions.get(id) : undefined;
  if (session === undefined || session.ending !== undefined) return void refuse(call, unknown(brain, id));
  if (session.damage !== undefined) return void refuse(call, damaged(session.damage));
  if (session.body !== undefined) {
    touch(brain, call.ctx, session);
    return { session, body: session.body };
  }
  session.sleepers.push({ slot: call.slot, fields, frameLength: call.frameLength });
  wake(brain, session, call.ctx);
  return undefined;
}

/** The same, but a session whose log cannot be trusted is given as well: it can be looked into and closed. */
export function awakeOrDamaged(call: Call): Session | undefined {
  const { session_id: id } = call.fields;
  const session = typeof id === "string" ? call.brain.sessions.get(id) : undefined;
  return session?.damage !== undefined && session.ending === undefined ? session : awake(call)?.session;
}

function unknown({ sessions, ended }: Brain, id: Json): Problem {
  const cannot = unhashable(id);
  if (cannot !== undefined) return { error: `session_id must be a name: ${cannot}` };
  const error = `unknown session ${shown(id)}`;
  const end = typeof id === "string" ? sessions.get(id)?.ending ?? ended.get(id) : undefined;
  return end?.why === "expired" ? { error, code: "SessionExpired" } : { error };
}

export const damaged = ({ seq, why }: Damage): Problem =>
  storageFailed(`the log of this session cannot be trusted from event ${seq} on: ${why}`);

/** Looks into the past of a session and goes on with what was found; the request is answered here when nothing was. */
export function lookBack(
  call: Call,
  plan: Omit<Plan, "end">,
  go: (call: Call, found: Exclude<Found, { is: "damage" | "unreadable" }>) => void,
): void {
  const { brain, ctx } = call;
  const end = (found: Found, later: StepContext): void => {
    const then: Call = { ...call, ctx: later };
    if (brain.sessions.get(plan.session.id) !== plan.session) return refuse(then, unknown(brain, plan.session.id));
    if (found.is === "damage") return refuse(then, damaged(found.damage));
    if (found.is === "unreadable") return refuse(then, storageFailed(found.why));
    go(then, found);
  };
  scan(brain, ctx, { ...plan, end });
}
