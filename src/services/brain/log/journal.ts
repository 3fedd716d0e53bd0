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
import { isoTime } from "../../../core/iso.ts";
import { canonicalJson, isSorted } from "../../../core/json.ts";
import { PAGE_EVENTS, PAGE_TEXT_MAX, STRETCH_EVENTS_MAX, UNSTORED_EVENTS_KEPT } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Brain } from "../brain.ts";
import { headText } from "./checkpoint.ts";
import { endStored } from "./ending.ts";
import { seenStored } from "./lifetime.ts";
import { discard } from "./rubbish.ts";
import type { Slot } from "../lanes.ts";
import { deliver } from "../news.ts";
import { hashAfter, type Head, type LogEvent, remembering } from "./log.ts";
import type { Body, Push, Session, Unwritten, Writing } from "../session.ts";
import { newStretch, written } from "./stretch.ts";

/** An event that is decided on, and what it makes of the head; number and hashes are found here. */
export interface Draft extends Pick<LogEvent, "type" | "payload"> {
  readonly session: Session;
  readonly head: Head;
}

/** Puts an event at the end of an awake session's log. */
export function append(brain: Brain, ctx: StepContext, { session, type, payload, head: outcome }: Draft): LogEvent {
  const { body } = session;
  assert(body !== undefined, "an event for a session that is asleep");
  const seq = body.head.seq + 1;
  const text = JSON.stringify(payload); // Why: written once, it serves the hash and the store.
  const hash = hashAfter(body.head.hash, { seq, type, payload: isSorted(payload) ? text : canonicalJson(payload) });
  const event: LogEvent = { seq, id: ctx.id(), timestamp: isoTime(ctx.now), type, payload, hash };
  const head: Head = { ...outcome, seq, hash, remembered: remembering(body.head, event) };
  body.head = head;
  body.tail.push(event);
  if (brain.settings.persist) {
    session.unwritten.push({ text: textOf(event, text), head });
    write(brain, session, ctx);
  } else forgetOld(body);
  return event;
}

/** The text of an event of which the payload is text already. */
const textOf = ({ seq, id, timestamp, type, hash }: LogEvent, payload: string): string =>
  `{"seq":${seq},"id":"${id}","timestamp":"${timestamp}","type":"${type}","payload":${payload},"hash":"${hash}"}`;

/** Without a store the head is durable at once, and only so much of the past is kept. */
function forgetOld(body: Body): void {
  body.durable = body.head;
  if (body.tail.length === UNSTORED_EVENTS_KEPT) body.next = body.head;
  if (body.tail.length < 2 * UNSTORED_EVENTS_KEPT) return;
  body.tail.splice(0, body.next.seq - body.base.seq);
  body.base = body.next;
  body.next = body.head;
}

/** True once all events up to `seq` are stored. */
export const isDurable = ({ body }: Session, seq: number): boolean => body === undefined || seq <= body.durable.seq;

/** Keeps a reply back until all events up to `seq` are stored; `otherwise` is said when they could not be. */
export function hold({ session, seq, slot, otherwise }: Held): void {
  slot.holds++;
  slot.otherwise = otherwise;
  session.waiting.push({ seq, slot });
}

export interface Held {
  readonly session: Session;
  readonly seq: number;
  readonly slot: Slot;
  readonly otherwise: () => string;
}

/** Tells followers of an event, once it is stored. */
export function push(brain: Brain, ctx: StepContext, { session, ...what }: Push & { readonly session: Session }): void {
  session.pushes.push(what);
  if (session.body !== undefined && what.seq <= session.body.durable.seq) tell(brain, session, ctx);
}

/** A key of a session was stored, or could not be. */
export function settled(brain: Brain, ctx: StepContext, { at, isStored }: { at: Key; isStored: boolean }): void {
  const session = brain.writes.get(at);
  if (session === undefined) return;
  brain.writes.delete(at);
  const { body, writing, ending, seeing, paging } = session;
  if (ending?.at === at) return endStored(brain, ctx, { session, isStored });
  if (seeing?.key === at) return seenStored(brain, ctx, { session, isStored });
  if (paging?.stretch.key === at) return turned(brain, ctx, { session, isStored });
  if (body === undefined || writing?.stretch.key !== at) return;
  session.writing = undefined;
  if (isStored) wrote(brain, ctx, { session, body, written: writing });
  else fallBack(brain, ctx, { session, body });
}

interface Wrote {
  readonly session: Session;
  readonly body: Body;
  readonly written: Writing;
}

function wrote(brain: Brain, ctx: StepContext, { session, body, written: { stretch, head, size } }: Wrote): void {
  session.stretches.push(stretch);
  body.durable = head;
  body.tailText += size;
  tell(brain, session, ctx); // Why first: whoever sees its own event 5 has then heard of everybody's event 4.
  release(brain, session, ctx);
  write(brain, session, ctx);
  if (session.paging !== undefined) return;
  if (stretch.isPage) forget(body, head);
  else if (isPageFull(body)) turnPage(brain, session, ctx);
}

function fallBack(brain: Brain, ctx: StepContext, { session, body }: Pick<Wrote, "session" | "body">): void {
  session.unwritten.length = 0;
  session.pushes.length = 0;
  body.head = body.durable;
  body.tail.length = body.durable.seq - body.base.seq;
  for (const { slot } of session.waiting.splice(0)) brain.lanes.release(slot, false, ctx);
  if (body.durable.seq < 0) {
    brain.sessions.delete(session.id); // Why: it was never stored, so it never was.
    brain.deadlines.clear(session.id);
  }
}

function write(brain: Brain, session: Session, ctx: StepContext): void {
  if (session.writing !== undefined || session.unwritten.length === 0) return;
  const taken = take(session.unwritten, brain.stretchTextMax);
  const head = taken.at(-1)?.head;
  assert(head !== undefined, "a stretch of nothing");
  const text = `[${taken.map((each) => each.text).join(",")}]`;
  // Why: what is as large as a page is one at once, and need not be written twice.
  const isPage = taken.length >= PAGE_EVENTS || text.length >= PAGE_TEXT_MAX;
  const about = { first: head.seq - taken.length + 1, last: head.seq, at: ctx.now, isPage, id: ctx.id() };
  const stretch = newStretch(session.id, about);
  session.writing = { stretch, head, size: text.length };
  brain.writes.set(stretch.key, session);
  ctx.emit({ do: "put", key: stretch.key, value: written(text, isPage ? headText(head) : undefined) });
}

/** As many as fit into one write, and at least one. */
function take(unwritten: Unwritten[], textMax: number): Unwritten[] {
  let size = 0;
  let count = 0;
  for (const { text } of unwritten.slice(0, STRETCH_EVENTS_MAX)) {
    size += text.length;
    if (count > 0 && size > textMax) break;
    count++;
  }
  return unwritten.splice(0, count);
}

function release(brain: Brain, { waiting, body }: Session, ctx: StepContext): void {
  const durable = body?.durable.seq ?? -1;
  let free = 0;
  while (free < waiting.length && (waiting[free]?.seq ?? Infinity) <= durable) free++;
  for (const { slot } of waiting.splice(0, free)) brain.lanes.release(slot, true, ctx);
}

function tell(brain: Brain, session: Session, ctx: StepContext): void {
  const { pushes, body } = session;
  const durable = body?.durable.seq ?? -1;
  let free = 0;
  while (free < pushes.length && (pushes[free]?.seq ?? Infinity) <= durable) free++;
  for (const push of pushes.splice(0, free)) deliver(brain, ctx, { session, push });
}

const isPageFull = ({ base, durable, tailText }: Body): boolean =>
  durable.seq - base.seq >= PAGE_EVENTS || tailText >= PAGE_TEXT_MAX;

/** Writes the stored events since `base` anew, as one page with the head after them. */
function turnPage(brain: Brain, session: Session, ctx: StepContext): void {
  const { body } = session;
  if (body === undefined) return;
  const head = body.durable;
  const about = { first: body.base.seq + 1, last: head.seq, at: ctx.now, isPage: true, id: ctx.id() };
  const stretch = newStretch(session.id, about);
  const events = body.tail.slice(0, head.seq - body.base.seq);
  session.paging = { stretch, head };
  brain.writes.set(stretch.key, session);
  ctx.emit({ do: "put", key: stretch.key, value: written(JSON.stringify(events), headText(head)) });
}

/** Events up to a head that is stored need not be kept in memory. */
function forget(body: Body, head: Head): void {
  if (head.seq <= body.base.seq) return;
  body.tail.splice(0, head.seq - body.base.seq);
  body.base = head;
  body.tailText = 0;
}

/** A page was written, or not: either way its events need not be kept in memory. */
function turned(brain: Brain, ctx: StepContext, { session, isStored }: { session: Session; isStored: boolean }): void {
  const { body, paging, stretches } = session;
  session.paging = undefined;
  if (body === undefined || paging === undefined) return;
  forget(body, paging.head);
  if (!isStored) return;
  const { stretch } = paging;
  const from = stretches.findIndex(({ first }) => first === stretch.first);
  const covered = stretches.filter(({ first, last }) => first >= stretch.first && last <= stretch.last);
  stretches.splice(from, covered.length, stretch);
  discard(brain, ctx, covered.map(({ key }) => key));
}
