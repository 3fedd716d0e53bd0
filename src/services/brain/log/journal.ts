/**
 * Writes logs: an event is appended in memory, then stored with its segment, and only then visible to clients.
 *
 * While one segment of a log is being written, further events gather and become the next segment. So the stored events never have
 * a gap, and many small events cost one write.
 *
 * Invariants: J1 the durable head advances only when all events up to it are stored; J2 if a write fails, the log falls back to its
 * durable head.
 * Knows nothing of: sessions, peers, replies. The service holds back the frames that show an event until the event is durable.
 */
import { assert } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Key } from "../../../core/ids.ts";
import { isoTime } from "../../../core/text.ts";
import { canonicalJson, isSorted, type JsonObject } from "../../../core/json.ts";
import { LOG_SEGMENT_EVENTS_MAX, SNAPSHOT_EVENTS, SNAPSHOT_TEXT_MAX, UNSTORED_EVENTS_KEPT } from "../../../core/limits.ts";
import { deleteLater } from "./deferred-delete.ts";
import { eventText } from "./event-text.ts";
import { hashAfter, type LogEvent, type LogEventType, type LogHead, operationsAfter } from "./event.ts";
import type { LogStore, LogWriteOutcome } from "./log-store.ts";
import { lengthOf, type LogSegment, newSegment, segmentValue } from "./segment.ts";
import { type LoadedLog, loadedOf, type SessionLog, settleAccount, type UnwrittenEvent } from "./session-log.ts";
import { snapshotText } from "./snapshot.ts";

/** An event that is to be appended, and the head it leads to. `append` adds its number and hashes. */
export interface EventDraft {
  readonly type: LogEventType;
  readonly payload: JsonObject;
  readonly head: LogHead;
}

/** Appends an event to a loaded log and starts a write if none is under way. */
export function append(store: LogStore, log: SessionLog, draft: EventDraft, ctx: StepContext): LogEvent {
  const loaded = loadedOf(log);
  assert(loaded !== undefined, "the log that an event is appended to is not loaded");
  const { type, payload } = draft;
  const seq = loaded.head.seq + 1;
  const text = JSON.stringify(payload); // Why here: serialized once for the hash and the store.
  const hash = hashAfter(loaded.head.hash, { seq, type, payload: isSorted(payload) ? text : canonicalJson(payload) });
  const event: LogEvent = { seq, id: ctx.id(), timestamp: isoTime(ctx.now), type, payload, hash };
  const head: LogHead = { ...draft.head, seq, hash, operations: operationsAfter(loaded.head, event) };
  loaded.head = head;
  loaded.tail.push(event);
  if (store.isPersistent) {
    const stored = eventText(event, text);
    log.unwritten.push({ text: stored, head });
    log.unwrittenLength += stored.length;
    writeNext(store, log, ctx);
  } else {
    loaded.tailLength += text.length;
    dropOldest(loaded);
  }
  settleAccount(log);
  return event;
}

/** Without a store the head is durable at once, and between one and two times `UNSTORED_EVENTS_KEPT` events are kept. */
function dropOldest(loaded: LoadedLog): void {
  loaded.durable = loaded.head;
  if (loaded.tail.length === UNSTORED_EVENTS_KEPT) loaded.nextBase = loaded.head;
  if (loaded.tail.length < 2 * UNSTORED_EVENTS_KEPT) return;
  loaded.tail.splice(0, loaded.nextBase.seq - loaded.base.seq);
  loaded.tailLength = JSON.stringify(loaded.tail).length;
  loaded.base = loaded.nextBase;
  loaded.nextBase = loaded.head;
}

/**
 * A write has succeeded or failed. After `stored` the caller first makes the durable events visible, then calls `continueWriting`:
 * a client that sees its own event 5 must have been notified of everybody's event 4.
 */
export function settleWrite(store: LogStore, key: Key, isStored: boolean, ctx: StepContext): LogWriteOutcome | undefined {
  const log = store.writes.get(key);
  if (log === undefined) return undefined;
  store.writes.delete(key);
  const { write, compaction } = log;
  if (compaction?.segment.key === key) {
    if (isStored) replaceSegments(store, log, ctx);
    endCompaction(log);
    settleAccount(log);
    return { is: "compacted", log };
  }
  const loaded = loadedOf(log);
  if (loaded === undefined || write?.segment.key !== key) return undefined;
  log.write = undefined;
  if (!isStored) {
    rollBack(log, loaded);
    settleAccount(log);
    return { is: "rolledBack", log };
  }
  log.segments.push(write.segment);
  addStored(store, log, write.segment.length);
  loaded.durable = write.head;
  loaded.tailLength += write.length;
  return { is: "stored", log };
}

/** Writes the events that gathered during the last write, and compacts the log if it is due. */
export function continueWriting(store: LogStore, log: SessionLog, ctx: StepContext): void {
  const loaded = loadedOf(log);
  writeNext(store, log, ctx);
  if (loaded === undefined || log.compaction !== undefined) return;
  if (log.segments.at(-1)?.hasSnapshot === true) dropUntil(loaded, loaded.durable);
  else if (isCompactionDue(loaded)) compact(store, log, ctx);
  settleAccount(log);
}

function rollBack(log: SessionLog, loaded: LoadedLog): void {
  log.unwritten.length = 0;
  log.unwrittenLength = 0;
  loaded.head = loaded.durable;
  loaded.tail.length = loaded.durable.seq - loaded.base.seq;
}

function writeNext(store: LogStore, log: SessionLog, ctx: StepContext): void {
  if (log.write !== undefined || log.unwritten.length === 0) return;
  const batch = takeBatch(log.unwritten, store.segmentTextMax);
  const head = batch.at(-1)?.head;
  assert(head !== undefined, "a segment without events");
  const text = `[${batch.map((each) => each.text).join(",")}]`;
  // Why: a segment as large as a compacted one gets its snapshot at once and need not be written twice.
  const hasSnapshot = batch.length >= SNAPSHOT_EVENTS || text.length >= SNAPSHOT_TEXT_MAX;
  for (const each of batch) log.unwrittenLength -= each.text.length;
  const range = { first: head.seq - batch.length + 1, last: head.seq, hasSnapshot };
  const segment = putSegment(store, log, { ...range, head, events: text }, ctx);
  log.write = { segment, head, length: text.length };
}

/** The events of the next segment: at least one, and as many as fit. */
function takeBatch(unwritten: UnwrittenEvent[], textMax: number): UnwrittenEvent[] {
  let length = 0;
  let count = 0;
  for (const { text } of unwritten.slice(0, LOG_SEGMENT_EVENTS_MAX)) {
    length += text.length;
    if (count > 0 && length > textMax) break;
    count++;
  }
  return unwritten.splice(0, count);
}

interface SegmentText extends Pick<LogSegment, "first" | "last" | "hasSnapshot"> {
  readonly head: LogHead;
  readonly events: string;
}

function putSegment(
  store: LogStore,
  log: SessionLog,
  { head, events, ...range }: SegmentText,
  ctx: StepContext,
): LogSegment {
  const snapshot = range.hasSnapshot ? snapshotText(head) : undefined;
  const length = events.length + (snapshot?.length ?? 0);
  const segment = newSegment(log.id, { ...range, at: ctx.now, length, id: ctx.id() });
  store.writes.set(segment.key, log);
  ctx.emit({ do: "put", key: segment.key, value: segmentValue(events, snapshot) });
  return segment;
}

/** Accounts for stored text that was added or, with a negative length, is to be deleted. */
export function addStored(store: LogStore, log: SessionLog, length: number): void {
  log.storedLength += length;
  store.storedLength += length;
}

const isCompactionDue = ({ base, durable, tailLength }: LoadedLog): boolean =>
  durable.seq - base.seq >= SNAPSHOT_EVENTS || tailLength >= SNAPSHOT_TEXT_MAX;

/** Writes the stored events since `base` again, as one segment with a snapshot. */
function compact(store: LogStore, log: SessionLog, ctx: StepContext): void {
  const loaded = loadedOf(log);
  if (loaded === undefined) return;
  const head = loaded.durable;
  const count = head.seq - loaded.base.seq;
  const events = `[${loaded.tail.slice(0, count).map((event) => eventText(event)).join(",")}]`;
  const range = { first: loaded.base.seq + 1, last: head.seq, hasSnapshot: true };
  log.compaction = { segment: putSegment(store, log, { ...range, head, events }, ctx), head };
}

/** The compacted segment is stored: the segments that it covers are deleted. */
function replaceSegments(store: LogStore, log: SessionLog, ctx: StepContext): void {
  const { compaction, segments } = log;
  const segment = compaction?.segment;
  if (segment === undefined) return;
  const from = segments.findIndex(({ first }) => first === segment.first);
  const covered = segments.filter(({ first, last }) => first >= segment.first && last <= segment.last);
  segments.splice(from, covered.length, segment);
  addStored(store, log, segment.length - lengthOf(covered));
  deleteLater(store.deletes, covered.map(({ key }) => key), ctx);
}

/** Whether the compacted segment was stored or not: its events are stored and need not be in memory. */
function endCompaction(log: SessionLog): void {
  const loaded = loadedOf(log);
  if (loaded !== undefined && log.compaction !== undefined) dropUntil(loaded, log.compaction.head);
  log.compaction = undefined;
}

/** Drops the events up to a durable head from memory. */
function dropUntil(loaded: LoadedLog, head: LogHead): void {
  if (head.seq <= loaded.base.seq) return;
  loaded.tail.splice(0, head.seq - loaded.base.seq);
  loaded.base = head;
  loaded.tailLength = 0;
}
