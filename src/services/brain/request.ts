/**
 * The ways to answer a request, and to find the session that it names.
 *
 * Replies to the original relay's requests have exactly its keys. Other keys are included only if the request asked for them.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { BRAIN_FRAME_BYTES_MAX } from "../../core/limits.ts";
import { fitsBytes } from "../../core/text.ts";
import { repr, unhashableError } from "./codec/python-repr.ts";
import {
  errorBody,
  errorFrame,
  limitExceeded,
  replyFrame,
  type RequestError,
  storageFailed,
} from "./codec/request-error.ts";
import type { CollectedEvents, FoldedLog, ReadFailure } from "./log/log-store.ts";
import { type EventsPlan, foldLog, readEvents } from "./log/reader.ts";
import { isDurable, lastSeq, type LoadedLog, type LogDamage } from "./log/session-log.ts";
import { waitUntilStored } from "./replies/when-stored.ts";
import { activateFor } from "./sessions/activation.ts";
import type { BrainSession, ClientRequest } from "./sessions/session.ts";
import { touch } from "./sessions/ttl.ts";
import type { BrainState } from "./state.ts";

/** Answers a request that concerns no session, or only the stored part of one. */
export function answer(state: BrainState, { reply, fields }: ClientRequest, body: JsonObject, ctx: StepContext): void {
  state.replies.fill(reply, readable(replyFrame(body, fields), fields), ctx);
}

/** A frame that common clients can read: an error in place of a reply that is too large. */
const readable = (frame: string, fields: JsonObject): string =>
  !fitsBytes(frame, BRAIN_FRAME_BYTES_MAX)
    ? errorFrame(limitExceeded("reply_bytes", BRAIN_FRAME_BYTES_MAX), fields)
    : frame;

/** A session as it is after event `seq`. */
export interface SessionAt {
  readonly session: BrainSession;
  readonly seq: number;
}

/** Answers a request with a body that shows a session: the reply waits until the events up to `seq` are stored. */
export function answerFromSession(
  state: BrainState,
  request: ClientRequest,
  { body, ...at }: SessionAt & { readonly body: JsonObject },
  ctx: StepContext,
): void {
  answerWithFrame(state, request, { ...at, frame: replyFrame(body, request.fields) }, ctx);
}

/** The same with a reply that is serialized already. */
export function answerWithFrame(
  state: BrainState,
  { reply, fields }: ClientRequest,
  { session, seq, frame }: SessionAt & { readonly frame: string },
  ctx: StepContext,
): void {
  if (!isDurable(session.log, seq)) {
    const onFailure = () => errorFrame(storageFailed("the operation was not stored"), fields);
    waitUntilStored(session, { seq, reply }, onFailure);
  }
  state.replies.fill(reply, readable(frame, fields), ctx);
}

/** Refuses a request. */
export function refuse(state: BrainState, { reply, fields }: ClientRequest, error: RequestError, ctx: StepContext): void {
  state.replies.fill(reply, readable(errorFrame(error, fields), fields), ctx);
}

/** Refuses a request because of the session's state, which may not be stored yet. */
export function refuseFromSession(
  state: BrainState,
  request: ClientRequest,
  { session, error }: { readonly session: BrainSession; readonly error: RequestError },
  ctx: StepContext,
): void {
  answerFromSession(state, request, { session, seq: lastSeq(session.log), body: errorBody(error) }, ctx);
}

/** True if a request wants `seq`, `state_hash` and `risk` in its reply. */
export const wantsMeta = ({ want }: JsonObject): boolean => Array.isArray(want) && want.includes("meta");

export interface ActiveSession {
  readonly session: BrainSession;
  readonly loaded: LoadedLog;
}

/** The session that a request names. Without one, the request has been refused, or waits until the session is active. */
export function activeSession(state: BrainState, request: ClientRequest, ctx: StepContext): ActiveSession | undefined {
  const { session_id: id } = request.fields;
  if (id === undefined) return void refuse(state, request, { message: "missing field 'session_id'" }, ctx);
  const session = typeof id === "string" ? state.sessions.get(id) : undefined;
  if (session === undefined || session.ending !== undefined) {
    return void refuse(state, request, unknownSession(state, id), ctx);
  }
  const { contents } = session.log;
  switch (contents.is) {
    case "damaged":
      return void refuse(state, request, damagedLog(contents.damage), ctx);
    case "stored":
      return void activateFor(state, session, request, ctx);
    case "loaded":
      touch(state, session, ctx);
      return { session, loaded: contents };
    default:
      return assertNever(contents);
  }
}

/** The same, but also returns a session whose log is damaged: it can be replayed and closed. */
export function activeOrDamagedSession(
  state: BrainState,
  request: ClientRequest,
  ctx: StepContext,
): BrainSession | undefined {
  const { session_id: id } = request.fields;
  const session = typeof id === "string" ? state.sessions.get(id) : undefined;
  const isDamaged = session?.log.contents.is === "damaged" && session.ending === undefined;
  return isDamaged ? session : activeSession(state, request, ctx)?.session;
}

function unknownSession({ sessions, tombstones }: BrainState, id: Json): RequestError {
  const reason = unhashableError(id);
  if (reason !== undefined) return { message: `session_id must be a name: ${reason}` };
  const message = `unknown session ${repr(id)}`;
  const end = typeof id === "string" ? sessions.get(id)?.ending ?? tombstones.get(id) : undefined;
  return end?.reason === "expired" ? { message, code: "SessionExpired" } : { message };
}

export const damagedLog = ({ seq, reason }: LogDamage): RequestError =>
  storageFailed(`the log of this session cannot be trusted from event ${seq} on: ${reason}`);

/** Which events of a session to read, and what to do with them. */
export interface EventsQuery extends Omit<EventsPlan, "done"> {
  readonly session: BrainSession;
  use(events: CollectedEvents["events"], ctx: StepContext): void;
}

/** Reads events for a request. If they cannot be read, the request is refused. */
export function readEventsFor(state: BrainState, request: ClientRequest, query: EventsQuery, ctx: StepContext): void {
  const { session, use, ...range } = query;
  readEvents(state.logs, session.log, {
    ...range,
    done(result, later) {
      if (!isCurrent(state, session)) return refuse(state, request, unknownSession(state, session.id), later);
      if (result.is === "events") return use(result.events, later);
      refuse(state, request, readError(result), later);
    },
  }, ctx);
}

/** After which event of a session its head is needed, and what to do with it. */
export interface HeadQuery {
  readonly session: BrainSession;
  readonly seq: number;
  use(head: FoldedLog["head"], ctx: StepContext): void;
}

/** Folds a log up to an event for a request. If it cannot be read, the request is refused. */
export function readHeadFor(state: BrainState, request: ClientRequest, query: HeadQuery, ctx: StepContext): void {
  const { session, seq, use } = query;
  foldLog(state.logs, session.log, {
    until: seq,
    done(result, later) {
      if (!isCurrent(state, session)) return refuse(state, request, unknownSession(state, session.id), later);
      if (result.is === "folded") return use(result.head, later);
      refuse(state, request, readError(result), later);
    },
  }, ctx);
}

/** False if the session ended while its log was being read. */
const isCurrent = ({ sessions }: BrainState, session: BrainSession): boolean => sessions.get(session.id) === session;

function readError(failure: ReadFailure): RequestError {
  return failure.is === "damaged" ? damagedLog(failure.damage) : storageFailed(failure.reason);
}
