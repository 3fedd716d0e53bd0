/** How sessions come to be, are sealed, and end. */
import { type Bucket, bucket, take } from "../../core/bucket.ts";
import { hashText } from "../../core/hash.ts";
import type { Millis } from "../../core/ids.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { SESSIONS_BURST_MAX, SESSIONS_PER_SECOND_MAX, STATE_KEYS_MAX } from "../../core/limits.ts";
import type { StepContext } from "../../core/context.ts";
import type { Brain } from "./brain.ts";
import { answer, answerOf, awake, awakeOrDamaged, type Call, lookBack, refuse } from "./call.ts";
import { policyOf } from "./rules/covenant.ts";
import { pointIn } from "./history.ts";
import { append } from "./log/journal.ts";
import { type Head, noHead } from "./log/log.ts";
import { policyFrom, policyJson } from "./rules/policy.ts";
import {
  badParams,
  fine,
  limitExceeded,
  type Outcome,
  type Problem,
  problemText,
  storageFailed,
  wrong,
} from "./problem.ts";
import { end } from "./log/ending.ts";
import { bodyAt, lastSeq, nameOf, newSession, type Session, uuidFrom } from "./session.ts";
import { digest, EMPTY, isLonger, stateOf } from "./rules/state.ts";
import { nextLook } from "./log/lifetime.ts";

/** How long an unused session is left alone. */
const UNUSED_MS = 60_000;

/** `CreateSession` */
export function createSession(call: Call): void {
  const { brain, ctx } = call;
  const birth = birthOf(call);
  if (!birth.ok) return refuse(call, birth.problem);
  const problem = mayMake(call);
  if (problem !== undefined) return refuse(call, problem);
  const session = make(brain, ctx, birth.value.ttlMs);
  append(brain, ctx, {
    session,
    type: "SessionCreated",
    payload: { session_id: session.id, ...beginning(birth.value) },
    head: birth.value,
  });
  ctx.observe({ is: "session_created", session: nameOf(session.id), parent: undefined });
  answerOf(call, { session, seq: 0, body: { type: "SessionCreated", session_id: session.id } });
}

/** `ForkSession`: a new session that begins as another one was after some event. */
export function forkSession(call: Call): void {
  const found = awake(call);
  if (found === undefined) return;
  const { session: parent, body } = found;
  const at = pointIn(call, body);
  if (!at.ok) return refuse(call, at.problem);
  lookBack(call, { session: parent, from: 0, until: at.value }, (then, past) => {
    const problem = mayMake(then);
    if (problem !== undefined) return refuse(then, problem);
    if (past.is === "head") fork(then, parent, past.head);
  });
}

function fork(call: Call, parent: Session, from: Head): void {
  const { brain, ctx, fields } = call;
  const { owner = from.owner } = fields;
  const { seq: atSeq, hash, policy, ttlMs, state, stateHash } = from;
  const head: Head = { ...noHead(policy), owner, ttlMs, state, stateHash };
  const child = make(brain, ctx, ttlMs);
  const relation = { parent: parent.id, child: child.id, at_seq: atSeq };
  append(brain, ctx, {
    session: child,
    type: "SessionForked",
    payload: { ...relation, parent_hash: hash, ...beginning(head) },
    head,
  });
  const isOpen = parent.body?.head.sealed === false;
  if (parent.body !== undefined && isOpen) {
    append(brain, ctx, { session: parent, type: "SessionForked", payload: relation, head: parent.body.head });
  }
  ctx.observe({ is: "session_created", session: nameOf(child.id), parent: nameOf(parent.id) });
  const reply = { type: "SessionForked", ...relation };
  const seq = parent.body?.head.seq ?? atSeq;
  call.slot.holds++; // Why: it waits for both logs.
  answerOf(call, { session: child, seq: 0, body: reply });
  call.slot.holds--;
  answerOf(call, { session: parent, seq, body: reply });
}

/** `SealSession`: from now on nothing is done to it. Sealing it again changes nothing. */
export function sealSession(call: Call): void {
  const found = awake(call);
  if (found === undefined) return;
  const { session, body } = found;
  const { reason = null } = call.fields;
  if (!body.head.sealed) {
    const payload = { session_id: session.id, reason: typeof reason === "string" ? reason.slice(0, 1_024) : null };
    append(call.brain, call.ctx, { session, type: "SessionSealed", payload, head: { ...body.head, sealed: true } });
    call.ctx.observe({ is: "session_sealed", session: nameOf(session.id) });
  }
  const { seq, hash } = body.head;
  answerOf(call, { session, seq, body: { type: "SessionSealed", session_id: session.id, seq, head_hash: hash } });
}

/** `CloseSession`: the session and its log are no more. */
export function closeSession(call: Call): void {
  const { brain, ctx, slot, fields } = call;
  const session = awakeOrDamaged(call);
  if (session === undefined) return;
  slot.holds++;
  slot.otherwise = () => problemText(storageFailed("the end of the session was not stored"), fields);
  session.waiting.push({ seq: Infinity, slot });
  answer(call, { type: "SessionClosed", session_id: session.id });
  end(brain, ctx, { session, why: "closed" });
}

/** What a request makes a session from. */
function birthOf({ brain: { settings }, fields }: Call): Outcome<Head> {
  const { initial_state: given, ttl_ms: ttlMs = settings.ttl, owner = null, covenant } = fields;
  if (given !== undefined && !isObject(given)) return wrong(badParams("initial_state", "an object is wanted"));
  if (typeof ttlMs !== "number" || !Number.isInteger(ttlMs) || ttlMs < 1) {
    return wrong(badParams("ttl_ms", "a whole number of milliseconds is wanted"));
  }
  const policy = policyFrom(covenant, policyOf(settings.covenant));
  if (!policy.ok) return policy;
  const state = given === undefined ? EMPTY : stateOf(given);
  const { hash: stateHash, text } = digest(state);
  if (isLonger(text, settings.state_bytes)) return wrong(limitExceeded("state_bytes", settings.state_bytes));
  if (Object.keys(state).length > STATE_KEYS_MAX) return wrong(limitExceeded("keys", STATE_KEYS_MAX));
  if (JSON.stringify(owner).length > settings.state_bytes) return wrong(limitExceeded("owner_bytes", settings.state_bytes));
  const ttl = Math.min(ttlMs, settings.ttl);
  return fine({ ...noHead(policy.value), state, stateHash, owner, ttlMs: ttl });
}

/** Why no session can be made for this peer now, if so. */
function mayMake({ brain, ctx, slot }: Call): Problem | undefined {
  const max = brain.settings.sessions;
  if (brain.sessions.size >= max && !makeRoom(brain, ctx)) return limitExceeded("sessions", max);
  const peer = brain.peers.get(slot.peer);
  if (peer === undefined) return undefined;
  const rate = { perSecond: SESSIONS_PER_SECOND_MAX, burst: SESSIONS_BURST_MAX, now: ctx.now };
  const retryMs = take(peer.births, rate, 1);
  if (retryMs === 0) return undefined;
  return { error: "rate limit: too many new sessions", code: "RateLimited", more: { retry_after_ms: retryMs } };
}

/** Clients that reconnect leave sessions behind in which nothing ever happened: when all is full, the oldest of them goes. */
function makeRoom(brain: Brain, ctx: StepContext): boolean {
  for (const session of brain.sessions.values()) {
    const isUnused = lastSeq(session) === 0 && session.followers.size === 0 && !session.isWaking;
    if (!isUnused || session.ending !== undefined || ctx.now - session.touchedAt < UNUSED_MS) continue;
    end(brain, ctx, { session, why: "expired" });
    return true;
  }
  return false;
}

/** What the first event of a session's log says: all that there is before the next one. */
const beginning = ({ owner, state, policy, ttlMs, stateHash }: Head): JsonObject => ({
  owner,
  initial_state: state,
  covenant: policyJson(policy),
  ttl_ms: ttlMs,
  state_hash: stateHash,
});

function make(brain: Brain, ctx: StepContext, ttlMs: Millis): Session {
  const id = uuidFrom(hashText(ctx.secret()));
  const session = newSession(id, ctx.now, bodyAt(noHead(policyOf(brain.settings.covenant))));
  session.ttlMs = ttlMs;
  brain.sessions.set(id, session);
  brain.deadlines.set(id, nextLook(brain, session));
  return session;
}

/** The fresh bucket of a peer that may make sessions. */
export const births = (ctx: Pick<StepContext, "now">): Bucket => bucket(SESSIONS_BURST_MAX, ctx.now);
