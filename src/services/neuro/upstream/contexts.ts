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
import { toNeuro } from "../outbound.ts";
import type { ContextSource, QueuedContext, Timer, Upstream } from "../state.ts";

/** A context is stored once it has been held for so long. */
const KEEP_MS = 1_000;
/** Begins the key of a source that is no game. */
const WATCHER = "watcher:";

const budgetTimer = ({ id }: Upstream): Timer => ({ is: "context_budget", upstream: id });
const storeTimer = ({ id }: Upstream): Timer => ({ is: "store_contexts", upstream: id });

export interface NewContext {
  readonly source: ContextSource;
  readonly message: string;
  readonly silent: boolean;
}

/** Somebody tells Neuro something. */
export function sendContext(upstream: Upstream, said: NewContext, ctx: StepContext): void {
  const { source, message, silent } = said;
  ctx.observe({ is: "add_context", game_title: source.name, slug: source.slug, message, reply_if_not_busy: !silent });
  ctx.post("intermediary", { is: "contextShared", from: source.name, message, silent });
  if (upstream.contexts.queued.size === 0 && canSend(upstream) && !isBlocked(source) && withinBudget(upstream, ctx.now)) {
    return sendNow(upstream, said, ctx);
  }
  queueContext(upstream, { ...said, id: ctx.id(), at: ctx.now, key: undefined }, ctx);
  flushContexts(upstream, ctx);
}

/** One who watches, as the source of contexts. */
export const watcherSource = (name: string): ContextSource => ({
  key: WATCHER + name,
  name,
  isOffAir: false,
  isHeld: false,
});

/**
 * A watcher tells Neuro something, and is answered: what she cannot be told now is stored at once, under the key that is returned.
 * False when too much of that watcher waits already: nothing is dropped of what it was promised.
 */
export function sendContextDurably(upstream: Upstream, said: NewContext, ctx: StepContext): Key | undefined | false {
  const held = () => upstream.contexts.queued.get(said.source.key) ?? [];
  if (held().length >= CONTEXTS_HELD_PER_INTEGRATION_MAX) return false;
  sendContext(upstream, said, ctx);
  const waiting = held().find(({ message }) => message === said.message);
  if (waiting !== undefined) storeContext(upstream, waiting, ctx);
  return waiting?.key;
}

/** A context could not be stored: what a watcher was told of that is true only if it is dropped. */
export function contextNotStored(upstream: Upstream, at: Key): void {
  for (const [from, queue] of upstream.contexts.queued) {
    const left = queue.filter((context) => context.key !== at);
    if (from.startsWith(WATCHER) && left.length < queue.length) upstream.contexts.queued.set(from, left);
  }
}

/** Says what is held, as far as Neuro can be told. Each game in its turn. */
export function flushContexts(upstream: Upstream, ctx: StepContext): void {
  const { queued } = upstream.contexts;
  if (queued.size === 0 || !canSend(upstream)) return;
  const { ttl } = upstream.service.settings.queue;
  for (const [from, queue] of queued) {
    const oldest = ctx.now - (from.startsWith(WATCHER) ? ttl.direct : ttl.context);
    if (queue[0] !== undefined && isBlocked(queue[0].source)) continue;
    while (queue[0] !== undefined && queue[0].at < oldest) deleteStored(queue.shift(), ctx);
    const next = queue[0];
    if (next !== undefined) {
      if (!withinBudget(upstream, ctx.now)) return;
      sendNow(upstream, next, ctx);
      deleteStored(queue.shift(), ctx);
    }
    queued.delete(from);
    if (queue.length > 0) queued.set(from, queue); // Why: a key set again is visited again, after the others.
  }
}

/** Stores what has been held for a moment, so that it survives this process. */
export function storeQueued(upstream: Upstream, ctx: StepContext): void {
  for (const queue of upstream.contexts.queued.values()) for (const context of queue) storeContext(upstream, context, ctx);
}

function storeContext(upstream: Upstream, context: QueuedContext, ctx: StepContext): void {
  if (context.key !== undefined) return;
  context.key = key("neuro", "context", segment(context.id));
  const { id, source, message, silent, at } = context;
  const value = { v: 1, id, upstream: upstream.id, from: source.key, name: source.name, message, silent, at };
  ctx.emit({ do: "put", key: context.key, value });
}

/** What a game said and Neuro has not heard is dropped. */
export function dropContexts(upstream: Upstream, from: string, ctx: StepContext): void {
  const queue = upstream.contexts.queued.get(from);
  upstream.contexts.queued.delete(from);
  for (const context of queue ?? []) deleteStored(context, ctx);
}

/** Puts a context with those that wait; also used for those that were stored. */
export function queueContext(upstream: Upstream, context: QueuedContext, ctx: StepContext | undefined): void {
  const { queued } = upstream.contexts;
  let queue = queued.get(context.source.key);
  if (queue === undefined) queued.set(context.source.key, queue = []);
  if (context.silent && queue.some((other) => other.silent && other.message === context.message)) return;
  queue.push(context);
  if (queue.length > CONTEXTS_HELD_PER_INTEGRATION_MAX) {
    const silent = queue.findIndex((other) => other.silent);
    const [dropped] = queue.splice(Math.max(silent, 0), 1);
    if (ctx !== undefined) deleteStored(dropped, ctx);
  }
  const { timers } = upstream.service;
  if (ctx !== undefined && timers.get(storeTimer(upstream)) === undefined) {
    timers.set(storeTimer(upstream), ctx.now + KEEP_MS);
  }
}

const isBlocked = ({ isOffAir, isHeld }: ContextSource): boolean => isOffAir || isHeld;

const canSend = ({ isOpen, hasBackpressure, profile, pendingActions }: Upstream): boolean =>
  isOpen && !hasBackpressure && !(profile.holdsContext && pendingActions.byUpstreamId.size > 0);

/** Takes one from the budget, or sets the timer for when there is one again. */
function withinBudget(upstream: Upstream, now: Millis): boolean {
  const { settings, contexts, service: state } = upstream;
  if (settings === undefined) return true;
  if ((state.timers.get(budgetTimer(upstream)) ?? now) > now) return false;
  const rate = { perSecond: settings.context_rate, burst: Math.max(1, settings.context_burst), now };
  const waitMs = take(contexts.budget, rate, 1);
  if (waitMs > 0) state.timers.set(budgetTimer(upstream), now + waitMs);
  return waitMs === 0;
}

function sendNow(upstream: Upstream, { source, message, silent }: NewContext, ctx: StepContext): void {
  const text = upstream.service.settings.actions.attribution ? `[${source.name}] ${message}` : message;
  toNeuro(upstream, { command: "context", message: text, silent }, ctx);
}

function deleteStored(context: QueuedContext | undefined, ctx: StepContext): void {
  if (context?.key !== undefined) ctx.emit({ do: "delete", key: context.key });
}

/** What a game said goes to another Neuro. */
export function moveContexts(from: string, between: { readonly from: Upstream; readonly to: Upstream }): void {
  const queue = between.from.contexts.queued.get(from);
  between.from.contexts.queued.delete(from);
  for (const context of queue ?? []) queueContext(between.to, context, undefined);
}
