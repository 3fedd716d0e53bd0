/** How sessions come to be, are sealed, and end. */
import { type Bucket, bucket, take } from "../../../core/bucket.ts";
import { hashText } from "../../../core/hash.ts";
import type { Millis } from "../../../core/ids.ts";
import { isObject, type JsonObject } from "../../../core/json.ts";
import { SESSIONS_BURST_MAX, SESSIONS_PER_SECOND_MAX, STATE_KEYS_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import {
  activeOrDamagedSession,
  activeSession,
  answer,
  answerFromSession,
  readLog,
  refuse,
  type RequestInStep,
} from "../request.ts";
import { defaultPolicy } from "../operations/covenant.ts";
import { requestedSeq } from "./history.ts";
import { append } from "../log/journal.ts";
import { emptyHead, type LogHead } from "../log/event.ts";
import { policyFrom, policyJson } from "../operations/policy.ts";
import {
  badParams,
  errorText,
  invalid,
  limitExceeded,
  type RequestError,
  storageFailed,
  valid,
  type Validated,
} from "../codec/request-error.ts";
import { endSession } from "./tombstone.ts";
import { type BrainSession, lastSeq, loadedLog, newSession, shortId, uuidFrom } from "./session.ts";
import { digestState, EMPTY_STATE, exceedsBytes, stateOf } from "../operations/session-state.ts";
import { nextCheck } from "./ttl.ts";

/** How long an unused session is left alone. */
const UNUSED_SESSION_MS = 60_000;

/** `CreateSession` */
export function createSession(call: RequestInStep): void {
  const { brain, ctx } = call;
  const birth = initialHead(call);
  if (!birth.ok) return refuse(call, birth.problem);
  const problem = sessionLimit(call);
  if (problem !== undefined) return refuse(call, problem);
  const session = addSession(brain, ctx, birth.value.ttlMs);
  append(brain, ctx, {
    session,
    type: "SessionCreated",
    payload: { session_id: session.id, ...creationPayload(birth.value) },
    head: birth.value,
  });
  ctx.observe({ is: "session_created", session: shortId(session.id), parent: undefined });
  answerFromSession(call, { session, seq: 0, body: { type: "SessionCreated", session_id: session.id } });
}

/** `ForkSession`: a new session that begins as another one was after some event. */
export function forkSession(call: RequestInStep): void {
  const found = activeSession(call);
  if (found === undefined) return;
  const { session: parent, body } = found;
  const at = requestedSeq(call, body);
  if (!at.ok) return refuse(call, at.problem);
  readLog(call, { session: parent, from: 0, until: at.value }, (then, past) => {
    const problem = sessionLimit(then);
    if (problem !== undefined) return refuse(then, problem);
    if (past.is === "head") fork(then, parent, past.head);
  });
}

function fork(call: RequestInStep, parent: BrainSession, from: LogHead): void {
  const { brain, ctx, fields } = call;
  const { owner = from.owner } = fields;
  const { seq: atSeq, hash, policy, ttlMs, state, stateHash } = from;
  const head: LogHead = { ...emptyHead(policy), owner, ttlMs, state, stateHash };
  const child = addSession(brain, ctx, ttlMs);
  const relation = { parent: parent.id, child: child.id, at_seq: atSeq };
  append(brain, ctx, {
    session: child,
    type: "SessionForked",
    payload: { ...relation, parent_hash: hash, ...creationPayload(head) },
    head,
  });
  const isOpen = parent.log?.head.sealed === false;
  if (parent.log !== undefined && isOpen) {
    append(brain, ctx, { session: parent, type: "SessionForked", payload: relation, head: parent.log.head });
  }
  ctx.observe({ is: "session_created", session: shortId(child.id), parent: shortId(parent.id) });
  const reply = { type: "SessionForked", ...relation };
  const seq = parent.log?.head.seq ?? atSeq;
  call.reply.pendingWrites++; // Why: it waits for both logs.
  answerFromSession(call, { session: child, seq: 0, body: reply });
  call.reply.pendingWrites--;
  answerFromSession(call, { session: parent, seq, body: reply });
}

/** `SealSession`: from now on nothing is done to it. Sealing it again changes nothing. */
export function sealSession(call: RequestInStep): void {
  const found = activeSession(call);
  if (found === undefined) return;
  const { session, body } = found;
  const { reason = null } = call.fields;
  if (!body.head.sealed) {
    const payload = { session_id: session.id, reason: typeof reason === "string" ? reason.slice(0, 1_024) : null };
    append(call.brain, call.ctx, { session, type: "SessionSealed", payload, head: { ...body.head, sealed: true } });
    call.ctx.observe({ is: "session_sealed", session: shortId(session.id) });
  }
  const { seq, hash } = body.head;
  answerFromSession(call, { session, seq, body: { type: "SessionSealed", session_id: session.id, seq, head_hash: hash } });
}

/** `CloseSession`: the session and its log are no more. */
export function closeSession(call: RequestInStep): void {
  const { brain, ctx, reply, fields } = call;
  const session = activeOrDamagedSession(call);
  if (session === undefined) return;
  reply.pendingWrites++;
  reply.onFailure = () => errorText(storageFailed("the end of the session was not stored"), fields);
  session.waitingReplies.push({ seq: Infinity, reply });
  answer(call, { type: "SessionClosed", session_id: session.id });
  endSession(brain, ctx, { session, why: "closed" });
}

/** What a request makes a session from. */
function initialHead({ brain: { settings }, fields }: RequestInStep): Validated<LogHead> {
  const { initial_state: given, ttl_ms: ttlMs = settings.ttl, owner = null, covenant } = fields;
  if (given !== undefined && !isObject(given)) return invalid(badParams("initial_state", "an object is wanted"));
  if (typeof ttlMs !== "number" || !Number.isInteger(ttlMs) || ttlMs < 1) {
    return invalid(badParams("ttl_ms", "a whole number of milliseconds is wanted"));
  }
  const policy = policyFrom(covenant, defaultPolicy(settings.covenant));
  if (!policy.ok) return policy;
  const state = given === undefined ? EMPTY_STATE : stateOf(given);
  const { hash: stateHash, text } = digestState(state);
  if (exceedsBytes(text, settings.state_bytes)) return invalid(limitExceeded("state_bytes", settings.state_bytes));
  if (Object.keys(state).length > STATE_KEYS_MAX) return invalid(limitExceeded("keys", STATE_KEYS_MAX));
  if (JSON.stringify(owner).length > settings.state_bytes) {
    return invalid(limitExceeded("owner_bytes", settings.state_bytes));
  }
  const ttl = Math.min(ttlMs, settings.ttl);
  return valid({ ...emptyHead(policy.value), state, stateHash, owner, ttlMs: ttl });
}

/** Why no session can be made for this peer now, if so. */
function sessionLimit({ brain, ctx, reply }: RequestInStep): RequestError | undefined {
  const max = brain.settings.sessions;
  if (brain.sessions.size >= max && !evictUnused(brain, ctx)) return limitExceeded("sessions", max);
  const peer = brain.peers.get(reply.peer);
  if (peer === undefined) return undefined;
  const rate = { perSecond: SESSIONS_PER_SECOND_MAX, burst: SESSIONS_BURST_MAX, now: ctx.now };
  const retryMs = take(peer.sessionBucket, rate, 1);
  if (retryMs === 0) return undefined;
  return { message: "rate limit: too many new sessions", code: "RateLimited", details: { retry_after_ms: retryMs } };
}

/** Clients that reconnect leave sessions behind in which nothing ever happened: when all is full, the oldest of them goes. */
function evictUnused(brain: BrainState, ctx: StepContext): boolean {
  for (const session of brain.sessions.values()) {
    const isUnused = lastSeq(session) === 0 && session.followers.size === 0 && !session.isActivating;
    if (!isUnused || session.tombstone !== undefined || ctx.now - session.touchedAt < UNUSED_SESSION_MS) continue;
    endSession(brain, ctx, { session, why: "expired" });
    return true;
  }
  return false;
}

/** What the first event of a session's log says: all that there is before the next one. */
const creationPayload = ({ owner, state, policy, ttlMs, stateHash }: LogHead): JsonObject => ({
  owner,
  initial_state: state,
  covenant: policyJson(policy),
  ttl_ms: ttlMs,
  state_hash: stateHash,
});

function addSession(brain: BrainState, ctx: StepContext, ttlMs: Millis): BrainSession {
  const id = uuidFrom(hashText(ctx.secret()));
  const session = newSession(id, ctx.now, loadedLog(emptyHead(defaultPolicy(brain.settings.covenant))));
  session.ttlMs = ttlMs;
  brain.sessions.set(id, session);
  brain.deadlines.set(id, nextCheck(brain, session));
  return session;
}

/** The fresh bucket of a peer that may make sessions. */
export const newSessionBucket = (ctx: Pick<StepContext, "now">): Bucket => bucket(SESSIONS_BURST_MAX, ctx.now);
