/** Creates sessions: `CreateSession` and `ForkSession`. */
import { listenerTokens, permitsName } from "../../../core/access.ts";
import { take } from "../../../core/bucket.ts";
import type { StepContext } from "../../../core/context.ts";
import { hashText } from "../../../core/hash.ts";
import type { Millis } from "../../../core/ids.ts";
import { isObject, type JsonObject, numberOf } from "../../../core/json.ts";
import { SESSIONS_BURST_MAX, SESSIONS_PER_SECOND_MAX, STATE_KEYS_MAX } from "../../../core/limits.ts";
import { fitsBytes } from "../../../core/text.ts";
import { badParams, invalid, limitExceeded, type RequestError, valid, type Validated } from "../codec/request-error.ts";
import { emptyHead, type LogHead } from "../log/event.ts";
import { append } from "../log/journal.ts";
import { lastSeq, loadedLog, loadedOf } from "../log/session-log.ts";
import { defaultPolicy } from "../operations/covenant.ts";
import { chargeWrite } from "../operations/quota.ts";
import { policyFrom, policyJson } from "../operations/policy.ts";
import { digestState, EMPTY_STATE, stateOf } from "../operations/session-state.ts";
import { activeSession, answerFromSession, readHeadFor, refuse } from "../request.ts";
import type { BrainPeer, BrainState } from "../state.ts";
import { requestedSeq } from "./history.ts";
import { type BrainSession, type ClientRequest, hasEvents, isUnused, newSession, shortId, uuidFrom } from "./session.ts";
import { endSession } from "./tombstone.ts";
import { scheduleCheck } from "./ttl.ts";

/** An unused session may be ended after this time to make room for another. */
const UNUSED_SESSION_MS = 60_000;

/** `CreateSession` */
export function createSession(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const initial = initialHead(state, request);
  if (!initial.ok) return refuse(state, request, initial.error, ctx);
  const error = creationError(state, request, initial.value, ctx);
  if (error !== undefined) return refuse(state, request, error, ctx);
  const session = addSession(state, initial.value.ttlMs, ctx);
  const payload = { session_id: session.id, ...creationPayload(initial.value) };
  append(state.logs, session.log, { type: "SessionCreated", payload, head: initial.value }, ctx);
  ctx.observe({ is: "session_created", session: shortId(session.id), parent: undefined });
  const body = { type: "SessionCreated", session_id: session.id };
  answerFromSession(state, request, { session, seq: 0, body }, ctx);
}

/** `ForkSession`: creates a session that begins with the state of another one after some event. */
export function forkSession(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  if (found === undefined) return;
  const { session: parent, loaded } = found;
  const at = requestedSeq(state, request, loaded);
  if (!at.ok) return refuse(state, request, at.error, ctx);
  readHeadFor(state, request, {
    session: parent,
    seq: at.value,
    use(head, later) {
      const error = creationError(state, request, { ...head, owner: request.fields.owner ?? head.owner }, later);
      if (error !== undefined) return refuse(state, request, error, later);
      forkFrom(state, request, { parent, head }, later);
    },
  }, ctx);
}

interface ForkPoint {
  readonly parent: BrainSession;
  readonly head: LogHead;
}

function forkFrom(state: BrainState, request: ClientRequest, { parent, head: from }: ForkPoint, ctx: StepContext): void {
  const { owner = from.owner } = request.fields;
  const { seq: atSeq, hash, policy, ttlMs, state: initialState, stateHash, stateLength } = from;
  const head: LogHead = { ...emptyHead(policy), owner, ttlMs, state: initialState, stateHash, stateLength };
  const child = addSession(state, ttlMs, ctx);
  const relation = { parent: parent.id, child: child.id, at_seq: atSeq };
  const payload = { ...relation, parent_hash: hash, ...creationPayload(head) };
  append(state.logs, child.log, { type: "SessionForked", payload, head }, ctx);
  const parentHead = loadedOf(parent.log)?.head;
  if (parentHead?.sealed === false) {
    append(state.logs, parent.log, { type: "SessionForked", payload: relation, head: parentHead }, ctx);
  }
  ctx.observe({ is: "session_created", session: shortId(child.id), parent: shortId(parent.id) });
  const body = { type: "SessionForked", ...relation };
  request.reply.pendingWrites++; // Why: the reply waits for both logs, so the first must not send it.
  answerFromSession(state, request, { session: child, seq: 0, body }, ctx);
  request.reply.pendingWrites--;
  const seq = parentHead === undefined ? atSeq : lastSeq(parent.log);
  answerFromSession(state, request, { session: parent, seq, body }, ctx);
}

/** The head that a request wants its session to begin with. */
function initialHead({ settings }: BrainState, { fields }: ClientRequest): Validated<LogHead> {
  const { initial_state: given, ttl_ms: givenTtl = settings.ttl, owner = null, covenant } = fields;
  const ttlMs = numberOf(givenTtl);
  if (given !== undefined && !isObject(given)) return invalid(badParams("initial_state", "an object"));
  if (ttlMs === undefined || !Number.isInteger(ttlMs) || ttlMs < 1) {
    return invalid(badParams("ttl_ms", "a whole number of milliseconds, at least 1"));
  }
  const policy = policyFrom(covenant, defaultPolicy(settings.covenant));
  if (!policy.ok) return policy;
  const state = given === undefined ? EMPTY_STATE : stateOf(given);
  const { hash: stateHash, text } = digestState(state);
  if (!fitsBytes(text, settings.state_bytes)) return invalid(limitExceeded("state_bytes", settings.state_bytes));
  if (Object.keys(state).length > STATE_KEYS_MAX) return invalid(limitExceeded("keys", STATE_KEYS_MAX));
  if (JSON.stringify(owner).length > settings.state_bytes) {
    return invalid(limitExceeded("owner_bytes", settings.state_bytes));
  }
  const { length: stateLength } = text;
  return valid({ ...emptyHead(policy.value), state, stateHash, stateLength, owner, ttlMs: Math.min(ttlMs, settings.ttl) });
}

/** The reason why the peer cannot create a session now. */
function creationError(
  state: BrainState,
  request: ClientRequest,
  head: LogHead,
  ctx: StepContext,
): RequestError | undefined {
  const peer = state.peers.get(request.reply.peer);
  const ownerError = peer && ownerErrorOf(state, peer, head);
  if (ownerError !== undefined) return ownerError;
  const max = state.settings.sessions;
  if (state.sessions.size >= max && !endUnusedSession(state, ctx)) return limitExceeded("sessions", max);
  const quotaError = chargeWrite(state, request, { log: undefined, length: head.stateLength }, ctx);
  if (quotaError !== undefined) return quotaError;
  if (peer === undefined) return undefined;
  const rate = { perSecond: SESSIONS_PER_SECOND_MAX, burst: SESSIONS_BURST_MAX, now: ctx.now };
  const retryMs = take(peer.sessionRate, rate, 1);
  if (retryMs === 0) return undefined;
  return { message: "rate limit: too many new sessions", code: "RateLimited", details: { retry_after_ms: retryMs } };
}

/** A token with names creates sessions of those owners only. */
function ownerErrorOf({ settings }: BrainState, { credential }: BrainPeer, { owner }: LogHead): RequestError | undefined {
  if (settings.tokens.length === 0) return undefined;
  const tokens = listenerTokens(settings);
  if (permitsName(tokens, credential, typeof owner === "string" ? owner : "")) return undefined;
  return { message: "the token is not valid for this owner", code: "NotAllowed", details: { path: "owner" } };
}

/** Sessions that one request looks at. */
const UNUSED_LOOKED_AT_MAX = 64;

/**
 * Ends an old unused session, as reconnecting clients leave them behind. False if none was found. Why a limit: a session that is used is
 * looked at again only after all others.
 */
function endUnusedSession(state: BrainState, ctx: StepContext): boolean {
  const { unusedSessions } = state;
  let looked = 0;
  for (const session of unusedSessions) {
    if (looked++ === UNUSED_LOOKED_AT_MAX) return false;
    unusedSessions.delete(session);
    if (isUnused(session) && ctx.now - session.usedAt >= UNUSED_SESSION_MS) {
      endSession(state, session, { reason: "expired", replies: [] }, ctx);
      return true;
    }
    if (!hasEvents(session)) unusedSessions.add(session);
  }
  return false;
}

/** The part of a log's first event that determines its head. */
const creationPayload = ({ owner, state, policy, ttlMs, stateHash }: LogHead): JsonObject => ({
  owner,
  initial_state: state,
  covenant: policyJson(policy),
  ttl_ms: ttlMs,
  state_hash: stateHash,
});

function addSession(state: BrainState, ttlMs: Millis, ctx: StepContext): BrainSession {
  const id = uuidFrom(hashText(ctx.secret()));
  const session = newSession(id, loadedLog(emptyHead(state.logs.defaultPolicy)), state.logs.retained, ctx.now);
  session.ttlMs = ttlMs;
  state.sessions.set(id, session);
  state.activeSessions.add(session);
  state.unusedSessions.add(session);
  scheduleCheck(state, session);
  return session;
}
