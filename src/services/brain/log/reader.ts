/**
 * Reading back: a walk through a stretch of a session's log, from memory where it is there and from the store where not.
 *
 * A walk either collects events or folds them. It may span many reads; meanwhile the session lives on, and pages may take the
 * place of what was still to be read: the walk goes by numbers of events, and looks up where they lie at every read.
 *
 * Invariants: K1 a walk ends exactly once, with what it found or with why it could not; K2 every event it yields was checked
 * against the checksum it was stored with, and folded ones against the hash chain too; K3 a page's head is believed only as far as
 * it agrees with the events, and on any doubt the walk begins again from event 0.
 */
import type { Entry } from "../../../core/event.ts";
import { type Key, type LoadToken, loadToken } from "../../../core/ids.ts";
import { LOG_SEGMENTS_PER_LOAD } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { headFromSnapshot, snapshotText } from "./snapshot.ts";
import { defaultPolicy } from "../operations/covenant.ts";
import { emptyHead, fold, type LogEvent, type LogHead } from "./event.ts";
import type { BrainSession, LoadedLog } from "../sessions/session.ts";
import { deleteLater } from "./deferred-delete.ts";
import { chainSegments, type LogSegment, readSegment, type SegmentContent } from "./segment.ts";

/** What is wrong in a log, and where. */
export interface LogDamage {
  readonly seq: number;
  readonly why: string;
}

/** How a walk ended. */
export type ReadResult =
  | { readonly is: "events"; readonly events: readonly LogEvent[] }
  /** `tail` is what was folded since the head of the last page; `last` is the event at the head. */
  | { readonly is: "head"; readonly head: LogHead; readonly base: LogHead; readonly tail: readonly LogEvent[] }
  | { readonly is: "damage"; readonly damage: LogDamage }
  /** The store gave no answer; it may later. */
  | { readonly is: "unreadable"; readonly why: string };

/** What to walk through, and for what. */
export interface ReadPlan {
  readonly session: BrainSession;
  readonly from: number;
  readonly until: number;
  /** Collects events until so much text is there; without it the walk folds. */
  readonly textMax?: number;
  /** Folds from event 0 and checks every page on the way. */
  readonly isStrict?: boolean;
  readonly end: (found: ReadResult, ctx: StepContext) => void;
}

export interface LogRead extends ReadPlan {
  /** The next event wanted. */
  at: number;
  head: LogHead;
  base: LogHead;
  until: number;
  isStrict: boolean;
  readonly events: LogEvent[];
  text: number;
  /** What is being read. */
  reading: readonly LogSegment[];
}

/** Starts a walk; it may end before this returns. */
export function readFromLog(brain: BrainState, ctx: StepContext, plan: ReadPlan): void {
  const start = emptyHead(defaultPolicy(brain.settings.covenant));
  const { from: at, isStrict = plan.textMax !== undefined } = plan;
  const walk: LogRead = { ...plan, at, isStrict, head: start, base: start, events: [], text: 0, reading: [] };
  const { log } = plan.session;
  if (walk.textMax === undefined) {
    walk.at = 0;
    const isHere = log !== undefined && log.base.seq <= plan.until;
    if (isHere && (!isStrict || !brain.settings.persist)) startAt(walk, log.base);
  }
  continueRead(brain, ctx, walk);
}

function startAt(walk: LogRead, head: LogHead): void {
  walk.head = head;
  walk.base = head;
  walk.at = head.seq + 1;
  walk.events.length = 0;
}

/** Goes on as far as memory reaches, then reads. */
function continueRead(brain: BrainState, ctx: StepContext, walk: LogRead): void {
  const { session: { log, segments }, until } = walk;
  if (log !== undefined && walk.at > inMemoryAfter(walk, log)) {
    for (const event of log.tail.slice(walk.at - log.base.seq - 1, until - log.base.seq)) {
      const damage = take(brain, walk, event);
      if (damage !== undefined) return walk.end({ is: "damage", damage }, ctx);
    }
    return finish(walk, ctx);
  }
  if (isDone(walk)) return finish(walk, ctx);
  const next = segments.filter(({ last }) => last >= walk.at);
  walk.reading = readFrom(walk, next);
  const [first] = walk.reading;
  if (first === undefined || (first.first > walk.at && !isShortcut(walk, first))) {
    return walk.end({ is: "damage", damage: { seq: walk.at, why: "nothing is stored of it" } }, ctx);
  }
  const token = loadToken(`brain:${ctx.id()}`);
  brain.reads.set(token, walk);
  ctx.emit({ do: "load", token, keys: walk.reading.map(({ key }) => key) });
}

/** A strict fold is to see what is stored, even of what is in memory too. */
function inMemoryAfter({ isStrict, textMax, session: { segments } }: LogRead, { base, durable }: LoadedLog): number {
  return isStrict && textMax === undefined && segments.length > 0 ? durable.seq : base.seq;
}

const isDone = ({ at, until, textMax, text }: LogRead): boolean => at > until || (textMax !== undefined && text >= textMax);

/** A fold that has not begun starts with the last page before its end; its events need not be folded. */
function readFrom(walk: LogRead, next: readonly LogSegment[]): readonly LogSegment[] {
  const page = next.findLastIndex((stretch) => isShortcut(walk, stretch));
  const from = next.slice(Math.max(0, page), Math.max(0, page) + LOG_SEGMENTS_PER_LOAD);
  return from.filter(({ first }) => first <= walk.until);
}

const isShortcut = (walk: LogRead, { isPage, last }: LogSegment): boolean =>
  isPage && last <= walk.until && !walk.isStrict && walk.at === 0;

/** What a walk asked for was read. */
export function segmentsLoaded(
  brain: BrainState,
  ctx: StepContext,
  answer: { token: LoadToken; entries: readonly Entry[] },
): void {
  const walk = brain.reads.get(answer.token);
  if (walk === undefined) return;
  brain.reads.delete(answer.token);
  const values = new Map<Key, Entry>(answer.entries.map((entry) => [entry.key, entry]));
  for (const stretch of walk.reading) {
    if (isDone(walk)) break;
    const value = values.get(stretch.key)?.value;
    if (value === undefined && walk.session.isUnread) return dropTornSegment(brain, ctx, { walk, stretch });
    const content = readSegment(stretch, value);
    // Why: a page took its place while it was being read.
    if (typeof content === "string" && !walk.session.segments.includes(stretch)) break;
    const damage = typeof content === "string"
      ? { seq: Math.max(walk.at, stretch.first), why: content }
      : takeAll(brain, walk, { stretch, content });
    if (damage === undefined) continue;
    if (walk.isStrict) return walk.end({ is: "damage", damage }, ctx);
    return restartStrictly(brain, ctx, walk);
  }
  continueRead(brain, ctx, walk);
}

/** The store could not be read. */
export function segmentsNotLoaded(
  brain: BrainState,
  ctx: StepContext,
  { token, reason }: { token: LoadToken; reason: string },
): void {
  const walk = brain.reads.get(token);
  brain.reads.delete(token);
  walk?.end({ is: "unreadable", why: reason }, ctx);
}

/**
 * A stretch of a session that is read for the first time has no value: a kill tore it while it was written, so nobody was told
 * of it. What it was to take the place of counts again; only when that is gone too is something lost.
 */
function dropTornSegment(
  brain: BrainState,
  ctx: StepContext,
  { walk, stretch }: { readonly walk: LogRead; readonly stretch: LogSegment },
): void {
  const { session } = walk;
  const { segments, spareSegments, gap } = chainSegments(
    [...session.segments, ...session.spareSegments].filter((each) => each !== stretch),
  );
  session.segments.splice(0, session.segments.length, ...segments);
  session.spareSegments = spareSegments;
  deleteLater(brain, ctx, [stretch.key]);
  if (gap !== undefined) {
    return walk.end({ is: "damage", damage: { seq: gap, why: "what was stored of it is gone" } }, ctx);
  }
  walk.until = segments.at(-1)?.last ?? -1;
  startAt(walk, emptyHead(defaultPolicy(brain.settings.covenant)));
  continueRead(brain, ctx, walk);
}

/** Begins anew with event 0, believing no page. */
function restartStrictly(brain: BrainState, ctx: StepContext, walk: LogRead): void {
  walk.isStrict = true;
  startAt(walk, emptyHead(defaultPolicy(brain.settings.covenant)));
  continueRead(brain, ctx, walk);
}

function takeAll(
  brain: BrainState,
  walk: LogRead,
  { stretch, content: { events, snapshot } }: { stretch: LogSegment; content: SegmentContent },
): LogDamage | undefined {
  const atPage = snapshot === undefined || walk.textMax !== undefined ? undefined : snapshot;
  if (atPage !== undefined && isShortcut(walk, stretch)) {
    const head = headFromSnapshot(atPage, walk.base);
    const isOfEvents = head?.seq === stretch.last && head.hash === events.at(-1)?.hash;
    if (head === undefined || !isOfEvents) {
      return { seq: stretch.last, why: "the head of its page is not that of its events" };
    }
    startAt(walk, head);
    return undefined;
  }
  for (const event of events) {
    if (event.seq < walk.at || event.seq > walk.until) continue;
    const damage = take(brain, walk, event);
    if (damage !== undefined) return damage;
  }
  if (atPage === undefined || walk.head.seq !== stretch.last) return undefined;
  if (snapshotText(walk.head) !== atPage) {
    return { seq: stretch.last, why: "the head of its page is not what its events fold to" };
  }
  startAt(walk, walk.head);
  return undefined;
}

function take(brain: BrainState, walk: LogRead, event: LogEvent): LogDamage | undefined {
  if (isDone(walk)) return undefined;
  walk.at = event.seq + 1;
  walk.events.push(event);
  if (walk.textMax !== undefined) {
    walk.text += JSON.stringify(event.payload).length;
    return undefined;
  }
  const head = fold(walk.head, event, brain.operators);
  if (typeof head === "string") return { seq: event.seq, why: head };
  walk.head = head;
  return undefined;
}

function finish({ textMax, head, base, events, end }: LogRead, ctx: StepContext): void {
  end(textMax === undefined ? { is: "head", head, base, tail: events } : { is: "events", events }, ctx);
}
