/**
 * Reads a part of a log, from memory where it is loaded and from the store where it is not.
 *
 * A read either collects events or folds them. It may span several loads, and the log may change in the meantime: new events arrive,
 * and a compacted segment may replace segments that are still to be read. So a read proceeds by event numbers and looks up the
 * segments before each load.
 *
 * Invariants: K1 a read ends exactly once, with its result or the reason for its failure; K2 every event was checked against the
 * checksum of its segment, and folded events against the hash chain as well; K3 a snapshot is used only if it agrees with the events,
 * and in case of doubt the fold starts again from event 0.
 * Knows nothing of: sessions, peers, replies.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Entry } from "../../../core/event.ts";
import { type Key, type LoadToken, loadToken } from "../../../core/ids.ts";
import { LOG_READS_MAX, LOG_SEGMENTS_PER_LOAD } from "../../../core/limits.ts";
import { deleteLater } from "./deferred-delete.ts";
import { emptyHead, fold, type LogEvent, type LogHead } from "./event.ts";
import type { CollectedEvents, FoldedLog, LogRead, LogStore, ReadFailure, ReadGoal } from "./log-store.ts";
import { addStored } from "./journal.ts";
import { chainSegments, type LogSegment, readSegment, type SegmentContent } from "./segment.ts";
import { type LoadedLog, loadedOf, type LogDamage, type SessionLog } from "./session-log.ts";
import { headFromSnapshot, snapshotText } from "./snapshot.ts";

type Fold = Extract<ReadGoal, { readonly is: "fold" }>;

export interface EventsPlan {
  readonly from: number;
  readonly until: number;
  /** The read ends once this much payload text has been collected. */
  readonly textMax: number;
  done(result: CollectedEvents | ReadFailure, ctx: StepContext): void;
}

export interface FoldPlan {
  readonly until: number;
  /** Starts from event 0 in the store, even if the log is loaded, and verifies every snapshot. */
  readonly isStrict?: boolean;
  done(result: FoldedLog | ReadFailure, ctx: StepContext): void;
}

/** Collects events. The read may end before this function returns. */
export function readEvents(store: LogStore, log: SessionLog, plan: EventsPlan, ctx: StepContext): void {
  const { from, until, textMax, done } = plan;
  const goal: ReadGoal = { is: "events", events: [], textMax, textLength: 0, done };
  proceed(store, { log, goal, next: from, until, loading: [] }, ctx);
}

/** Folds the events up to `until`. The read may end before this function returns. */
export function foldLog(store: LogStore, log: SessionLog, plan: FoldPlan, ctx: StepContext): void {
  const { until, isStrict = false, done } = plan;
  const start = emptyHead(store.defaultPolicy);
  const goal: Fold = { is: "fold", isStrict, head: start, base: start, tail: [], done };
  const read: LogRead = { log, goal, next: 0, until, loading: [] };
  const loaded = loadedOf(log);
  const isBaseUsable = loaded !== undefined && loaded.base.seq <= until && (!isStrict || !store.isPersistent);
  if (isBaseUsable) startAfter(read, goal, loaded.base);
  proceed(store, read, ctx);
}

function startAfter(read: LogRead, goal: Fold, head: LogHead): void {
  goal.head = head;
  goal.base = head;
  goal.tail.length = 0;
  read.next = head.seq + 1;
}

/** Reads what is in memory, or has the next segments loaded. */
function proceed(store: LogStore, read: LogRead, ctx: StepContext): void {
  const { log, until } = read;
  const loaded = loadedOf(log);
  if (loaded !== undefined && read.next > inMemoryAfter(read, loaded)) {
    for (const event of loaded.tail.slice(read.next - loaded.base.seq - 1, until - loaded.base.seq)) {
      const damage = takeEvent(store, read, event);
      if (damage !== undefined) return read.goal.done({ is: "damaged", damage }, ctx);
    }
    return finish(read, ctx);
  }
  if (isDone(read)) return finish(read, ctx);
  read.loading = nextSegments(read, log.segments.filter(({ last }) => last >= read.next));
  const [first] = read.loading;
  if (first === undefined || (first.first > read.next && !isShortcut(read, first))) {
    return read.goal.done({ is: "damaged", damage: { seq: read.next, reason: "the event is not stored" } }, ctx);
  }
  // Why: each load brings several segments into memory.
  if (store.reads.size >= LOG_READS_MAX) return void store.waitingReads.push(read);
  const token = loadToken(`brain:${ctx.id()}`);
  store.reads.set(token, read);
  ctx.emit({ do: "load", token, keys: read.loading.map(({ key }) => key) });
}

/** The events in memory are those after this one. A strict fold reads stored events from the store, even if they are also in memory. */
function inMemoryAfter({ goal, log }: LogRead, { base, durable }: LoadedLog): number {
  return goal.is === "fold" && goal.isStrict && log.segments.length > 0 ? durable.seq : base.seq;
}

const isDone = ({ next, until, goal }: LogRead): boolean =>
  next > until || (goal.is === "events" && goal.textLength >= goal.textMax);

/** A fold that has not begun starts with the last snapshot before its end: the earlier events need not be folded. */
function nextSegments(read: LogRead, segments: readonly LogSegment[]): readonly LogSegment[] {
  const start = Math.max(0, segments.findLastIndex((segment) => isShortcut(read, segment)));
  return segments.slice(start, start + LOG_SEGMENTS_PER_LOAD).filter(({ first }) => first <= read.until);
}

const isShortcut = ({ goal, next, until }: LogRead, { hasSnapshot, last }: LogSegment): boolean =>
  goal.is === "fold" && !goal.isStrict && hasSnapshot && last <= until && next === 0;

/** The segments of a read were loaded. */
export function segmentsLoaded(store: LogStore, token: LoadToken, entries: readonly Entry[], ctx: StepContext): void {
  const read = store.reads.get(token);
  if (read === undefined) return;
  store.reads.delete(token);
  takeSegments(store, read, entries, ctx);
  startWaiting(store, ctx);
}

/** Continues the reads that waited, as far as others have ended. */
function startWaiting(store: LogStore, ctx: StepContext): void {
  while (store.reads.size < LOG_READS_MAX) {
    const next = store.waitingReads.shift();
    if (next === undefined) return;
    proceed(store, next, ctx);
  }
}

function takeSegments(store: LogStore, read: LogRead, entries: readonly Entry[], ctx: StepContext): void {
  const values = new Map<Key, Entry>(entries.map((entry) => [entry.key, entry]));
  for (const segment of read.loading) {
    if (isDone(read)) break;
    const value = values.get(segment.key)?.value;
    if (value === undefined && read.log.isUnverified) return dropTornSegment(store, read, segment, ctx);
    const content = readSegment(segment, value);
    // Why: compaction may replace a segment while it is being loaded.
    if (typeof content === "string" && !read.log.segments.includes(segment)) break;
    const damage = typeof content === "string"
      ? { seq: Math.max(read.next, segment.first), reason: content }
      : takeSegment(store, read, segment, content);
    if (damage === undefined) continue;
    if (read.goal.is === "events" || read.goal.isStrict) return read.goal.done({ is: "damaged", damage }, ctx);
    return restartStrictly(store, read, read.goal, ctx);
  }
  proceed(store, read, ctx);
}

/** The store could not be read. */
export function segmentsNotLoaded(store: LogStore, token: LoadToken, reason: string, ctx: StepContext): void {
  const read = store.reads.get(token);
  store.reads.delete(token);
  read?.goal.done({ is: "unreadable", reason }, ctx);
  startWaiting(store, ctx);
}

/**
 * Drops a segment without a value from a log that is read for the first time. A crash tore it while it was written, so no client was
 * told of its events. The segments that it would have replaced are used again; only if those are missing, too, is something lost.
 */
function dropTornSegment(store: LogStore, read: LogRead, torn: LogSegment, ctx: StepContext): void {
  const { log, goal } = read;
  const found = [...log.segments, ...log.spareSegments].filter((each) => each !== torn);
  const { segments, spareSegments, gap } = chainSegments(found);
  log.segments.splice(0, log.segments.length, ...segments);
  addStored(store, log, -torn.length);
  log.spareSegments = spareSegments;
  deleteLater(store.deletes, [torn.key], ctx);
  if (gap !== undefined) {
    return goal.done({ is: "damaged", damage: { seq: gap, reason: "stored events are missing" } }, ctx);
  }
  read.until = segments.at(-1)?.last ?? -1;
  if (goal.is === "fold") startAfter(read, goal, emptyHead(store.defaultPolicy));
  proceed(store, read, ctx);
}

/** Starts again with event 0, without using snapshots. */
function restartStrictly(store: LogStore, read: LogRead, goal: Fold, ctx: StepContext): void {
  goal.isStrict = true;
  startAfter(read, goal, emptyHead(store.defaultPolicy));
  proceed(store, read, ctx);
}

function takeSegment(
  store: LogStore,
  read: LogRead,
  segment: LogSegment,
  { events, snapshot }: SegmentContent,
): LogDamage | undefined {
  const { goal } = read;
  if (goal.is === "fold" && snapshot !== undefined && isShortcut(read, segment)) {
    const head = headFromSnapshot(snapshot, goal.base);
    const isOfEvents = head?.seq === segment.last && head.hash === events.at(-1)?.hash;
    if (head === undefined || !isOfEvents) {
      return { seq: segment.last, reason: "the snapshot does not belong to its events" };
    }
    startAfter(read, goal, head);
    return undefined;
  }
  for (const event of events) {
    if (event.seq < read.next || event.seq > read.until) continue;
    const damage = takeEvent(store, read, event);
    if (damage !== undefined) return damage;
  }
  if (goal.is === "events" || snapshot === undefined || goal.head.seq !== segment.last) return undefined;
  if (snapshotText(goal.head) !== snapshot) {
    return { seq: segment.last, reason: "the snapshot differs from the head that its events fold to" };
  }
  startAfter(read, goal, goal.head);
  return undefined;
}

function takeEvent(store: LogStore, read: LogRead, event: LogEvent): LogDamage | undefined {
  if (isDone(read)) return undefined;
  const { goal } = read;
  read.next = event.seq + 1;
  if (goal.is === "events") {
    goal.events.push(event);
    goal.textLength += JSON.stringify(event.payload).length;
    return undefined;
  }
  goal.tail.push(event);
  const head = fold(goal.head, event, store.operators);
  if (typeof head === "string") return { seq: event.seq, reason: head };
  goal.head = head;
  return undefined;
}

function finish({ goal }: LogRead, ctx: StepContext): void {
  if (goal.is === "events") return goal.done({ is: "events", events: goal.events }, ctx);
  goal.done({ is: "folded", head: goal.head, base: goal.base, tail: goal.tail }, ctx);
}
