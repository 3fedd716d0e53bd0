/**
 * Writing: events become part of the log, then of the store, and only then of what anybody is told.
 *
 * While one stretch of a session is being written, what happens in it gathers and goes as the next one. So there is never a gap
 * in what is stored, and many small events cost one write.
 *
 * Invariants: J1 a frame that reveals event n leaves after all events up to n are stored; J2 when a write fails, the session falls
 * back to its durable head, and everyone who waited for more is told so.
 */
import { assert } from "../../../core/assert.ts";
import type { Key } from "../../../core/ids.ts";
import { isoTime } from "../../../core/text.ts";
import { canonicalJson, isSorted } from "../../../core/json.ts";
import { LOG_SEGMENT_EVENTS_MAX, SNAPSHOT_EVENTS, SNAPSHOT_TEXT_MAX, UNSTORED_EVENTS_KEPT } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { snapshotText } from "./snapshot.ts";
import { tombstoneStored } from "../sessions/tombstone.ts";
import { lastUseStored } from "../sessions/ttl.ts";
import { deleteLater } from "./deferred-delete.ts";
import type { PendingReply } from "../replies/reply-queues.ts";
import { notifyFollowers } from "../replies/notifications.ts";
import { hashAfter, type LogEvent, type LogHead, rememberOperation } from "./event.ts";
import type { BrainSession, ChangeNotification, LoadedLog, SegmentWrite, UnwrittenEvent } from "../sessions/session.ts";
import { newSegment, segmentValue } from "./segment.ts";

/** An event that is decided on, and what it makes of the head; number and hashes are found here. */
export interface EventDraft extends Pick<LogEvent, "type" | "payload"> {
  readonly session: BrainSession;
  readonly head: LogHead;
}

/** Puts an event at the end of an awake session's log. */
export function append(
  brain: BrainState,
  ctx: StepContext,
  { session, type, payload, head: outcome }: EventDraft,
): LogEvent {
  const { log } = session;
  assert(log !== undefined, "an event for a session that is asleep");
  const seq = log.head.seq + 1;
  const text = JSON.stringify(payload); // Why: written once, it serves the hash and the store.
  const hash = hashAfter(log.head.hash, { seq, type, payload: isSorted(payload) ? text : canonicalJson(payload) });
  const event: LogEvent = { seq, id: ctx.id(), timestamp: isoTime(ctx.now), type, payload, hash };
  const head: LogHead = { ...outcome, seq, hash, remembered: rememberOperation(log.head, event) };
  log.head = head;
  log.tail.push(event);
  if (brain.settings.persist) {
    session.unwritten.push({ text: textOf(event, text), head });
    writeNext(brain, session, ctx);
  } else dropOldest(log);
  return event;
}

/** The text of an event of which the payload is text already. */
const textOf = ({ seq, id, timestamp, type, hash }: LogEvent, payload: string): string =>
  `{"seq":${seq},"id":"${id}","timestamp":"${timestamp}","type":"${type}","payload":${payload},"hash":"${hash}"}`;

/** Without a store the head is durable at once, and only so much of the past is kept. */
function dropOldest(body: LoadedLog): void {
  body.durable = body.head;
  if (body.tail.length === UNSTORED_EVENTS_KEPT) body.nextBase = body.head;
  if (body.tail.length < 2 * UNSTORED_EVENTS_KEPT) return;
  body.tail.splice(0, body.nextBase.seq - body.base.seq);
  body.base = body.nextBase;
  body.nextBase = body.head;
}

/** True once all events up to `seq` are stored. */
export const isDurable = ({ log }: BrainSession, seq: number): boolean => log === undefined || seq <= log.durable.seq;

/** Keeps a reply back until all events up to `seq` are stored; `otherwise` is said when they could not be. */
export function holdReply({ session, seq, reply, onFailure }: ReplyHold): void {
  reply.pendingWrites++;
  reply.onFailure = onFailure;
  session.waitingReplies.push({ seq, reply });
}

export interface ReplyHold {
  readonly session: BrainSession;
  readonly seq: number;
  readonly reply: PendingReply;
  readonly onFailure: () => string;
}

/** Tells followers of an event, once it is stored. */
export function notifyWhenStored(
  brain: BrainState,
  ctx: StepContext,
  { session, ...what }: ChangeNotification & { readonly session: BrainSession },
): void {
  session.notifications.push(what);
  if (session.log !== undefined && what.seq <= session.log.durable.seq) notifyStored(brain, session, ctx);
}

/** A key of a session was stored, or could not be. */
export function writeSettled(brain: BrainState, ctx: StepContext, { at, isStored }: { at: Key; isStored: boolean }): void {
  const session = brain.writes.get(at);
  if (session === undefined) return;
  brain.writes.delete(at);
  const { log, writing, tombstone, lastUseWrite, compaction } = session;
  if (tombstone?.at === at) return tombstoneStored(brain, ctx, { session, isStored });
  if (lastUseWrite?.key === at) return lastUseStored(brain, ctx, { session, isStored });
  if (compaction?.segment.key === at) return compactionSettled(brain, ctx, { session, isStored });
  if (log === undefined || writing?.segment.key !== at) return;
  session.writing = undefined;
  if (isStored) segmentStored(brain, ctx, { session, body: log, written: writing });
  else rollBack(brain, ctx, { session, body: log });
}

interface StoredWrite {
  readonly session: BrainSession;
  readonly body: LoadedLog;
  readonly written: SegmentWrite;
}

function segmentStored(
  brain: BrainState,
  ctx: StepContext,
  { session, body, written: { segment, head, size } }: StoredWrite,
): void {
  session.segments.push(segment);
  body.durable = head;
  body.tailLength += size;
  notifyStored(brain, session, ctx); // Why first: whoever sees its own event 5 has then heard of everybody's event 4.
  releaseReplies(brain, session, ctx);
  writeNext(brain, session, ctx);
  if (session.compaction !== undefined) return;
  if (segment.isPage) dropUntil(body, head);
  else if (isCompactionDue(body)) compact(brain, session, ctx);
}

function rollBack(brain: BrainState, ctx: StepContext, { session, body }: Pick<StoredWrite, "session" | "body">): void {
  session.unwritten.length = 0;
  session.notifications.length = 0;
  body.head = body.durable;
  body.tail.length = body.durable.seq - body.base.seq;
  for (const { reply } of session.waitingReplies.splice(0)) brain.replies.settleWrite(reply, false, ctx);
  if (body.durable.seq < 0) {
    brain.sessions.delete(session.id); // Why: it was never stored, so it never was.
    brain.deadlines.clear(session.id);
  }
}

function writeNext(brain: BrainState, session: BrainSession, ctx: StepContext): void {
  if (session.writing !== undefined || session.unwritten.length === 0) return;
  const taken = takeBatch(session.unwritten, brain.segmentTextMax);
  const head = taken.at(-1)?.head;
  assert(head !== undefined, "a stretch of nothing");
  const text = `[${taken.map((each) => each.text).join(",")}]`;
  // Why: what is as large as a page is one at once, and need not be written twice.
  const isPage = taken.length >= SNAPSHOT_EVENTS || text.length >= SNAPSHOT_TEXT_MAX;
  const about = { first: head.seq - taken.length + 1, last: head.seq, at: ctx.now, isPage, id: ctx.id() };
  const segment = newSegment(session.id, about);
  session.writing = { segment, head, size: text.length };
  brain.writes.set(segment.key, session);
  ctx.emit({ do: "put", key: segment.key, value: segmentValue(text, isPage ? snapshotText(head) : undefined) });
}

/** As many as fit into one write, and at least one. */
function takeBatch(unwritten: UnwrittenEvent[], textMax: number): UnwrittenEvent[] {
  let size = 0;
  let count = 0;
  for (const { text } of unwritten.slice(0, LOG_SEGMENT_EVENTS_MAX)) {
    size += text.length;
    if (count > 0 && size > textMax) break;
    count++;
  }
  return unwritten.splice(0, count);
}

function releaseReplies(brain: BrainState, { waitingReplies, log }: BrainSession, ctx: StepContext): void {
  const durable = log?.durable.seq ?? -1;
  let free = 0;
  while (free < waitingReplies.length && (waitingReplies[free]?.seq ?? Infinity) <= durable) free++;
  for (const { reply } of waitingReplies.splice(0, free)) brain.replies.settleWrite(reply, true, ctx);
}

function notifyStored(brain: BrainState, session: BrainSession, ctx: StepContext): void {
  const { notifications, log } = session;
  const durable = log?.durable.seq ?? -1;
  let free = 0;
  while (free < notifications.length && (notifications[free]?.seq ?? Infinity) <= durable) free++;
  for (const push of notifications.splice(0, free)) notifyFollowers(brain, ctx, { session, push });
}

const isCompactionDue = ({ base, durable, tailLength }: LoadedLog): boolean =>
  durable.seq - base.seq >= SNAPSHOT_EVENTS || tailLength >= SNAPSHOT_TEXT_MAX;

/** Writes the stored events since `base` anew, as one page with the head after them. */
function compact(brain: BrainState, session: BrainSession, ctx: StepContext): void {
  const { log } = session;
  if (log === undefined) return;
  const head = log.durable;
  const about = { first: log.base.seq + 1, last: head.seq, at: ctx.now, isPage: true, id: ctx.id() };
  const segment = newSegment(session.id, about);
  const events = log.tail.slice(0, head.seq - log.base.seq);
  session.compaction = { segment, head };
  brain.writes.set(segment.key, session);
  ctx.emit({ do: "put", key: segment.key, value: segmentValue(JSON.stringify(events), snapshotText(head)) });
}

/** Events up to a head that is stored need not be kept in memory. */
function dropUntil(body: LoadedLog, head: LogHead): void {
  if (head.seq <= body.base.seq) return;
  body.tail.splice(0, head.seq - body.base.seq);
  body.base = head;
  body.tailLength = 0;
}

/** A page was written, or not: either way its events need not be kept in memory. */
function compactionSettled(
  brain: BrainState,
  ctx: StepContext,
  { session, isStored }: { session: BrainSession; isStored: boolean },
): void {
  const { log, compaction, segments } = session;
  session.compaction = undefined;
  if (log === undefined || compaction === undefined) return;
  dropUntil(log, compaction.head);
  if (!isStored) return;
  const { segment } = compaction;
  const from = segments.findIndex(({ first }) => first === segment.first);
  const covered = segments.filter(({ first, last }) => first >= segment.first && last <= segment.last);
  segments.splice(from, covered.length, segment);
  deleteLater(brain, ctx, covered.map(({ key }) => key));
}
