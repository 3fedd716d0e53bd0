/**
 * Contexts for Neuro: attributed, within her budget, and kept while she cannot be told.
 *
 * Invariants: C1 what one game says arrives in order; C2 what is held is bounded per game and in time, and silent ones go first;
 * C3 what is held for longer than a moment is stored, and its entry is deleted when it is said or dropped; C4 results, forces
 * and registrations never wait for a context.
 */
import { take } from "../../../core/bucket.ts";
import { type Key, type Millis } from "../../../core/ids.ts";
import { key, segment } from "../../../core/key.ts";
import { CONTEXTS_HELD_PER_INTEGRATION_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../speech.ts";
import type { HeldContext, Source, Upstream } from "../state.ts";

/** A context is stored once it has been held for so long. */
const KEEP_MS = 1_000;
/** Begins the key of a source that is no game. */
const WATCHER = "watcher:";

const budgetTimer = (upstream: Upstream): string => `budget ${upstream.id}`;
const keepTimer = (upstream: Upstream): string => `keep ${upstream.id}`;

export interface Said {
  readonly from: Source;
  readonly message: string;
  readonly silent: boolean;
}

/** Somebody tells Neuro something. */
export function say(upstream: Upstream, said: Said, ctx: StepContext): void {
  const { from, message, silent } = said;
  ctx.observe({ is: "add_context", game_title: from.name, slug: from.slug, message, reply_if_not_busy: !silent });
  ctx.post("intermediary", { is: "contextShared", from: from.name, message, silent });
  if (upstream.contexts.held.size === 0 && mayTell(upstream) && !isHeldBack(from) && withinBudget(upstream, ctx.now)) {
    return tellNeuro(upstream, said, ctx);
  }
  hold(upstream, { ...said, id: ctx.id(), at: ctx.now, key: undefined }, ctx);
  release(upstream, ctx);
}

/** One who watches, as the source of contexts. */
export const watcher = (name: string): Source => ({
  key: WATCHER + name,
  name,
  isParked: false,
  isHeld: false,
});

/**
 * A watcher tells Neuro something, and is answered: what she cannot be told now is stored at once, under the key that is returned.
 * False when too much of that watcher waits already: nothing is dropped of what it was promised.
 */
export function sayAndKeep(upstream: Upstream, said: Said, ctx: StepContext): Key | undefined | false {
  const held = () => upstream.contexts.held.get(said.from.key) ?? [];
  if (held().length >= CONTEXTS_HELD_PER_INTEGRATION_MAX) return false;
  say(upstream, said, ctx);
  const waiting = held().find(({ message }) => message === said.message);
  if (waiting !== undefined) store(upstream, waiting, ctx);
  return waiting?.key;
}

/** A context could not be stored: what a watcher was told of that is true only if it is dropped. */
export function notKept(upstream: Upstream, at: Key): void {
  for (const [from, queue] of upstream.contexts.held) {
    const left = queue.filter((context) => context.key !== at);
    if (from.startsWith(WATCHER) && left.length < queue.length) upstream.contexts.held.set(from, left);
  }
}

/** Says what is held, as far as Neuro can be told. Each game in its turn. */
export function release(upstream: Upstream, ctx: StepContext): void {
  const { held } = upstream.contexts;
  if (held.size === 0 || !mayTell(upstream)) return;
  const { ttl } = upstream.room.settings.queue;
  for (const [from, queue] of held) {
    const oldest = ctx.now - (from.startsWith(WATCHER) ? ttl.direct : ttl.context);
    if (queue[0] !== undefined && isHeldBack(queue[0].from)) continue;
    while (queue[0] !== undefined && queue[0].at < oldest) forget(queue.shift(), ctx);
    const next = queue[0];
    if (next !== undefined) {
      if (!withinBudget(upstream, ctx.now)) return;
      tellNeuro(upstream, next, ctx);
      forget(queue.shift(), ctx);
    }
    held.delete(from);
    if (queue.length > 0) held.set(from, queue); // Why: a key set again is visited again, after the others.
  }
}

/** Stores what has been held for a moment, so that it survives this process. */
export function keep(upstream: Upstream, ctx: StepContext): void {
  for (const queue of upstream.contexts.held.values()) for (const context of queue) store(upstream, context, ctx);
}

function store(upstream: Upstream, context: HeldContext, ctx: StepContext): void {
  if (context.key !== undefined) return;
  context.key = key("neuro", "context", segment(context.id));
  const { id, from, message, silent, at } = context;
  const value = { v: 1, id, upstream: upstream.id, from: from.key, name: from.name, message, silent, at };
  ctx.emit({ do: "put", key: context.key, value });
}

/** What a game said and Neuro has not heard is dropped. */
export function dropAll(upstream: Upstream, from: string, ctx: StepContext): void {
  const queue = upstream.contexts.held.get(from);
  upstream.contexts.held.delete(from);
  for (const context of queue ?? []) forget(context, ctx);
}

/** Puts a context with those that wait; also used for those that were stored. */
export function hold(upstream: Upstream, context: HeldContext, ctx: StepContext | undefined): void {
  const { held } = upstream.contexts;
  let queue = held.get(context.from.key);
  if (queue === undefined) held.set(context.from.key, queue = []);
  if (context.silent && queue.some((other) => other.silent && other.message === context.message)) return;
  queue.push(context);
  if (queue.length > CONTEXTS_HELD_PER_INTEGRATION_MAX) {
    const silent = queue.findIndex((other) => other.silent);
    const [dropped] = queue.splice(Math.max(silent, 0), 1);
    if (ctx !== undefined) forget(dropped, ctx);
  }
  const { timers } = upstream.room;
  if (ctx !== undefined && timers.get(keepTimer(upstream)) === undefined) {
    timers.set(keepTimer(upstream), ctx.now + KEEP_MS);
  }
}

const isHeldBack = ({ isParked, isHeld }: Source): boolean => isParked || isHeld;

const mayTell = ({ isOpen, isPressed, profile, pendings }: Upstream): boolean =>
  isOpen && !isPressed && !(profile.holdsContext && pendings.byTheirId.size > 0);

/** Takes one from the budget, or sets the timer for when there is one again. */
function withinBudget(upstream: Upstream, now: Millis): boolean {
  const { settings, contexts, room } = upstream;
  if (settings === undefined) return true;
  if ((room.timers.get(budgetTimer(upstream)) ?? now) > now) return false;
  const rate = { perSecond: settings.context_rate, burst: Math.max(1, settings.context_burst), now };
  const waitMs = take(contexts.budget, rate, 1);
  if (waitMs > 0) room.timers.set(budgetTimer(upstream), now + waitMs);
  return waitMs === 0;
}

function tellNeuro(upstream: Upstream, { from, message, silent }: Said, ctx: StepContext): void {
  const text = upstream.room.settings.actions.attribution ? `[${from.name}] ${message}` : message;
  toNeuro(upstream, { command: "context", message: text, silent }, ctx);
}

function forget(context: HeldContext | undefined, ctx: StepContext): void {
  if (context?.key !== undefined) ctx.emit({ do: "delete", key: context.key });
}

/** What a game said goes to another Neuro. */
export function moveAll(from: string, between: { readonly from: Upstream; readonly to: Upstream }): void {
  const queue = between.from.contexts.held.get(from);
  between.from.contexts.held.delete(from);
  for (const context of queue ?? []) hold(between.to, context, undefined);
}
