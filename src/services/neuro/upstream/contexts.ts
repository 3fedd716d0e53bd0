/**
 * Contexts for Neuro: attributed, within the upstream's budget, and queued while they cannot be sent.
 *
 * Invariants: C1 the contexts of one game arrive in order; C2 the queue is bounded for each game and in time, and silent contexts are
 * dropped first; C3 a context that waits for longer than `KEEP_MS` is stored, and its entry is deleted when it is sent or dropped; C4
 * results, forces and registrations never wait for a context.
 */
import { take } from "../../../core/bucket.ts";
import { type Key, type Millis } from "../../../core/ids.ts";
import { key, segment } from "../../../core/key.ts";
import { CONTEXTS_HELD_PER_INTEGRATION_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../outbound.ts";
import type { ContextSource, QueuedContext, Timer, Upstream } from "../state.ts";

/** A context that has waited this long is stored. */
const KEEP_MS = 1_000;
/** Prefix of the key of a source that is not a game. */
const WATCHER = "watcher:";

const budgetTimer = ({ id }: Upstream): Timer => ({ is: "context_budget", upstream: id });
const storeTimer = ({ id }: Upstream): Timer => ({ is: "store_contexts", upstream: id });

export interface NewContext {
  readonly source: ContextSource;
  readonly message: string;
  readonly silent: boolean;
}

/** Sends Neuro a context, or queues it. */
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

/** A watcher as the source of contexts. */
export const watcherSource = (name: string): ContextSource => ({
  key: WATCHER + name,
  name,
  isOffAir: false,
  isHeld: false,
});

/**
 * Sends Neuro a watcher's context. If it has to wait it is stored at once, under the key that is returned. False if
 * `CONTEXTS_HELD_PER_INTEGRATION_MAX` contexts of this watcher wait already: none that was acknowledged is dropped.
 */
export function sendContextDurably(upstream: Upstream, said: NewContext, ctx: StepContext): Key | undefined | false {
  const held = () => upstream.contexts.queued.get(said.source.key) ?? [];
  if (held().length >= CONTEXTS_HELD_PER_INTEGRATION_MAX) return false;
  sendContext(upstream, said, ctx);
  const waiting = held().find(({ message }) => message === said.message);
  if (waiting !== undefined) storeContext(upstream, waiting, ctx);
  return waiting?.key;
}

/** A context could not be stored. A watcher was told so, so its context is dropped. */
export function contextNotStored(upstream: Upstream, at: Key): void {
  for (const [from, queue] of upstream.contexts.queued) {
    const left = queue.filter((context) => context.key !== at);
    if (from.startsWith(WATCHER) && left.length < queue.length) upstream.contexts.queued.set(from, left);
  }
}

/** Sends queued contexts as far as possible, one of each game in turn. */
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
    if (queue.length > 0) queued.set(from, queue); // Why: a key that is set again is visited again, after the others.
  }
}

/** Stores the queued contexts, so that they survive a restart. */
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

/** Drops the queued contexts of a game. */
export function dropContexts(upstream: Upstream, from: string, ctx: StepContext): void {
  const queue = upstream.contexts.queued.get(from);
  upstream.contexts.queued.delete(from);
  for (const context of queue ?? []) deleteStored(context, ctx);
}

/** Queues a context. Without `ctx` it is one that was stored before a restart. */
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

/** Takes one context from the budget, or sets the timer for when one is available again. */
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

/** Moves the queued contexts of a game to another upstream. */
export function moveContexts(from: string, between: { readonly from: Upstream; readonly to: Upstream }): void {
  const queue = between.from.contexts.queued.get(from);
  between.from.contexts.queued.delete(from);
  for (const context of queue ?? []) queueContext(between.to, context, undefined);
}
