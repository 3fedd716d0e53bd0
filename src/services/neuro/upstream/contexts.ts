/**
 * Contexts for Neuro: attributed, within the upstream's budget, and queued while they cannot be sent.
 *
 * Invariants: C1 the contexts of one game arrive in order, except those that a policy delays (`coalescing.ts`); C2 the queue is bounded for each game in number, bytes and time, and silent contexts are
 * dropped first; C3 a context that waits for longer than `KEEP_MS` is stored, and its entry is deleted when it is sent or dropped; C4
 * results, forces and registrations never wait for a context; C5 a settled write costs the same however many contexts wait.
 */
import { bucket, take } from "../../../core/bucket.ts";
import { type Key, type Millis } from "../../../core/ids.ts";
import { isPlain } from "../../../core/json.ts";
import { key, segment } from "../../../core/key.ts";
import { CONTEXTS_HELD_PER_INTEGRATION_MAX } from "../../../core/limits.ts";
import type { ContextMessage } from "../../../core/neuro-messages.ts";
import { failed, type Failure, ok, type Result } from "../../../core/result.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { Settings, UpstreamSettings } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import type { ContextWait } from "../../../core/traces/trace.ts";
import { endContextRecord, newContextRecord, newStep } from "../traces/make-record.ts";
import type { ContextEnding, ContextRecord } from "../traces/records.ts";
import { traceContext } from "../traces/trace.ts";
import { countAgain, diagnose, reportRefusal } from "../diagnostics/diagnose.ts";
import { toNeuro } from "../outbound.ts";
import { type ContextTemplate, defaultTemplate, templateFor } from "../policy.ts";
import { afterWrite, retryMs, suspendedUntil } from "../write-health.ts";
import type { Contexts, ContextSource, NeuroState, QueuedContext, Timer, Upstream } from "../state.ts";
import { contextKey, nextAt, rememberKey } from "./coalescing.ts";

/** A context that has waited this long is stored. */
const KEEP_MS = 1_000;
/** A queued context without its text, and its entry in the store. */
const CONTEXT_BYTES = 512;
/** Prefix of the key of a source that is not a game. */
const WATCHER = "watcher:";

const budgetTimer = ({ id }: Upstream): Timer => ({ is: "context_budget", upstream: id });
const delayTimer = (game: string): Timer => ({ is: "delayed_contexts", game });
const storeTimer = ({ id }: Upstream): Timer => ({ is: "store_contexts", upstream: id });

/** Without settings, of the built-in Neuro, which has no budget. */
export const newContexts = (settings: UpstreamSettings | undefined, now: Millis): Contexts => ({
  queued: new Map(),
  ready: new Set(),
  budget: bucket(settings?.context_burst ?? 1, now),
  unstored: new Set(),
  writes: new Map(),
});

/** A context as its source sends it. */
export type NewContext = Pick<ContextMessage, "message" | "silent" | "isPlain" | "repairs">;

/** Sends Neuro a context, or queues it. Returns the limit that prevents both; then the context is dropped. */
export function sendContext(
  upstream: Upstream,
  source: ContextSource,
  context: NewContext,
  ctx: StepContext,
): Failure | undefined {
  const { message, silent } = context;
  const record = newContextRecord(upstream, source, context, ctx);
  if (ctx.countUnread?.("add_context") !== true) {
    const { name: game_title, slug } = source;
    ctx.observe({ is: "add_context", id: record.id, game_title, slug, message, reply_if_not_busy: !silent });
  }
  if (ctx.isIgnored?.("intermediary", "contextShared") !== true) {
    const peer = source.presence?.is === "connected" ? source.presence.peer : undefined;
    ctx.post("intermediary", { is: "contextShared", from: source.name, peer, message, silent });
  }
  const coalesceKey = contextKey(source, message);
  const notBefore = nextAt(source, coalesceKey);
  if (coalesceKey !== undefined) dropReplaced(upstream, source, coalesceKey, ctx);
  const isDue = upstream.contexts.ready.size === 0 && notBefore <= ctx.now;
  if (isDue && canSend(upstream) && !isBlocked(source) && withinBudget(upstream, ctx.now)) {
    if (coalesceKey !== undefined) rememberKey(source, coalesceKey, ctx.now);
    endContextRecord(upstream, record, sendNow(upstream, source, context, ctx), ctx.now);
    traceContext(upstream, source, record, ctx);
    return undefined;
  }
  const waiting = newQueuedContext(record, source, context, { key: undefined, coalesceKey, notBefore });
  (record.steps ??= []).push(newStep(ctx, "waiting", null, waitReason(upstream, waiting, ctx.now)));
  const refusal = queueContext(upstream, waiting, ctx);
  if (refusal !== undefined) {
    const reason = `context: ${refusal.reason}`;
    traceEnd(upstream, waiting, "refused", ctx);
    reportRefused(upstream.service, source, { ...context, ...refusal, reason }, ctx);
  }
  flushContexts(upstream, ctx);
  return refusal;
}

/** Drops the queued context that a new one with the same key replaces. */
function dropReplaced(upstream: Upstream, source: ContextSource, key: string, ctx: StepContext): void {
  const { queued, ready } = upstream.contexts;
  const queue = queued.get(source.key) ?? [];
  const at = queue.findIndex(({ coalesceKey }) => coalesceKey === key);
  if (at < 0) return;
  endContext(upstream, queue.splice(at, 1)[0], "replaced", ctx);
  if (queue.length === 0) {
    queued.delete(source.key);
    ready.delete(source.key);
  }
  const game = upstream.service.games.get(source.key);
  if (game !== undefined && !countAgain(game, "context_replaced", ctx.now)) diagnose(game, "context_replaced", {}, ctx);
}

/** True if a queued context of this source would be replaced by one with that text. */
export function wouldReplace(upstream: Upstream, source: ContextSource, message: string): boolean {
  const queue = upstream.contexts.queued.get(source.key);
  const key = queue === undefined ? undefined : contextKey(source, message);
  return key !== undefined && queue?.some(({ coalesceKey }) => coalesceKey === key) === true;
}

function reportRefused(
  { games }: NeuroState,
  source: ContextSource,
  { message, silent, ...failure }: NewContext & Failure,
  ctx: StepContext,
): void {
  const { fault, reason } = failure;
  const game = games.get(source.key);
  if (game === undefined) return ctx.observe({ is: "input_refused", from: source.name.slice(0, 64), fault, reason });
  reportRefusal(game, "limit_reached", { ...failure, message: { command: "context", message, silent } }, ctx);
}

/** A context that is to be queued. */
export const newQueuedContext = (
  record: ContextRecord,
  source: ContextSource,
  { message, silent }: NewContext,
  entry: Pick<QueuedContext, "key" | "coalesceKey" | "notBefore">,
): QueuedContext => ({
  record,
  source,
  message,
  silent,
  account: source.retained,
  bytes: CONTEXT_BYTES + 2 * message.length,
  ...entry,
});

/** A watcher as the source of contexts. */
export const watcherSource = (state: NeuroState, name: string): ContextSource => ({
  key: WATCHER + name,
  name,
  isOffAir: false,
  isHeld: false,
  traces: state.otherTraces,
  retained: new RetainedBytes(state.retained, "peer_bytes"),
});

/**
 * Sends Neuro a watcher's context. If it has to wait it is stored at once, under the key that is returned. It is refused if
 * `CONTEXTS_HELD_PER_INTEGRATION_MAX` contexts of this watcher wait already, or if there is no room for it: none that was acknowledged
 * is dropped.
 */
export function sendContextDurably(
  upstream: Upstream,
  source: ContextSource,
  context: NewContext,
  ctx: StepContext,
): Result<Key | undefined> {
  const held = () => upstream.contexts.queued.get(source.key) ?? [];
  if (held().length >= CONTEXTS_HELD_PER_INTEGRATION_MAX) {
    const reason =
      `${CONTEXTS_HELD_PER_INTEGRATION_MAX} of your contexts wait for Neuro already; send more once she has got them`;
    return failed("queueFull", reason);
  }
  const refusal = sendContext(upstream, source, context, ctx);
  if (refusal !== undefined) return refusal;
  const waiting = held().find(({ message }) => message === context.message);
  if (waiting !== undefined) storeContext(upstream, waiting, ctx);
  return ok(waiting?.key);
}

/** The write of a context succeeded, or failed. */
export function contextWriteSettled(
  upstream: Upstream,
  { key: at, isStored }: { readonly key: Key; readonly isStored: boolean },
  ctx: StepContext,
): void {
  const { writes, queued } = upstream.contexts;
  const context = writes.get(at);
  if (context === undefined) return;
  writes.delete(at);
  if (isStored) return;
  if (!context.source.key.startsWith(WATCHER)) storeLater(upstream, context, ctx);
  else { // Why: the watcher got the reply that it is not stored.
    const queue = queued.get(context.source.key);
    const at = queue?.indexOf(context) ?? -1;
    if (at >= 0) queue?.splice(at, 1);
    if (at >= 0) context.account.release(context.bytes);
  }
}

/** Games are not notified of a failed write, so it is repeated. */
function storeLater(upstream: Upstream, context: QueuedContext, ctx: StepContext): void {
  const { contexts, service: { timers } } = upstream;
  context.key = undefined;
  contexts.unstored.add(context);
  if (timers.get(storeTimer(upstream)) !== undefined) return;
  timers.set(storeTimer(upstream), ctx.now + retryMs(upstream.service.writeHealth));
}

/** Stores the contexts at that time. */
export function storeAt(upstream: Upstream, at: Millis): void {
  if (upstream.contexts.unstored.size > 0) upstream.service.timers.set(storeTimer(upstream), at);
}

/**
 * Sends the contexts that a game sent before its force, as far as possible. `force` is its id.
 *
 * Why: Otherwise Neuro would choose before she has the contexts that her choice depends on, such as the rules.
 */
export function sendEarlierContexts(upstream: Upstream, source: string, force: string, ctx: StepContext): void {
  const { queued } = upstream.contexts;
  const queue = queued.get(source);
  if (queue === undefined || !canSend(upstream)) return;
  const oldest = ctx.now - upstream.service.settings.queue.ttl.context;
  for (let [next] = queue; next !== undefined && next.record.id < force; [next] = queue) {
    const isExpired = next.record.at < oldest;
    if (!isExpired && !withinBudget(upstream, ctx.now)) return;
    const end: ContextEnding = isExpired ? "expired" : sendQueued(upstream, next, ctx);
    endContext(upstream, queue.shift(), end, ctx);
  }
  if (queue.length === 0) queued.delete(source);
}

/** Sends queued contexts as far as possible, one of each game in turn. */
export function flushContexts(upstream: Upstream, ctx: StepContext): void {
  const { queued, ready } = upstream.contexts;
  if (ready.size === 0 || !canSend(upstream)) return;
  const { ttl } = upstream.service.settings.queue;
  for (const from of ready) {
    const queue = queued.get(from) ?? [];
    if (queue[0] !== undefined && isBlocked(queue[0].source)) {
      ready.delete(from); // Why: a look at every held game in every step would cost more than everything else. `releaseContexts` adds it.
      continue;
    }
    const oldest = ctx.now - (from.startsWith(WATCHER) ? ttl.direct : ttl.context);
    while (queue[0] !== undefined && queue[0].record.at < oldest) endContext(upstream, queue.shift(), "expired", ctx);
    const at = queue.findIndex(({ notBefore }) => notBefore <= ctx.now);
    const next = queue[at];
    if (next !== undefined) {
      if (!withinBudget(upstream, ctx.now)) return;
      const end = sendQueued(upstream, next, ctx);
      queue.splice(at, 1);
      endContext(upstream, next, end, ctx);
    }
    ready.delete(from);
    if (queue.length === 0) queued.delete(from);
    else if (next !== undefined) ready.add(from); // Why: a key that is added again is visited again, after the others.
    else upstream.service.timers.set(delayTimer(from), Math.min(...queue.map(({ notBefore }) => notBefore)));
  }
}

/** The contexts of a game may be sent again: it is not held any more, or back on the air. */
export function releaseContexts({ contexts: { queued, ready } }: Upstream, from: string): void {
  if (queued.has(from)) ready.add(from);
}

/** Stores the queued contexts, so that they survive a restart. */
export function storeQueued(upstream: Upstream, ctx: StepContext): void {
  const { contexts: { unstored }, service: state } = upstream;
  for (const context of unstored) {
    const until = suspendedUntil(state.writeHealth, ctx.now);
    if (until !== undefined) return state.timers.set(storeTimer(upstream), until);
    state.writeHealth = afterWrite(state.writeHealth, ctx.now);
    storeContext(upstream, context, ctx);
  }
}

function storeContext(upstream: Upstream, context: QueuedContext, ctx: StepContext): void {
  upstream.contexts.unstored.delete(context);
  if (context.key !== undefined) return;
  // Why a new id: the write of the same context may have failed, and no key is written twice.
  context.key = key("neuro", "context", segment(ctx.id()));
  upstream.contexts.writes.set(context.key, context);
  const { record: { id, at }, source, message, silent } = context;
  const value = { v: 1, id, upstream: upstream.id, from: source.key, name: source.name, message, silent, at };
  ctx.emit({ do: "put", key: context.key, value });
}

/** Drops the queued contexts of a game. */
export function dropContexts(upstream: Upstream, from: string, ctx: StepContext): void {
  const queue = upstream.contexts.queued.get(from);
  upstream.contexts.queued.delete(from);
  for (const context of queue ?? []) endContext(upstream, context, "dropped", ctx);
}

/**
 * Queues a context. Beyond a limit, older contexts of the same game are dropped for it; those of a watcher are not, because they were
 * acknowledged. Returns the limit that prevents it nevertheless. Without `ctx` it is one that was stored before a restart.
 */
export function queueContext(
  upstream: Upstream,
  context: QueuedContext,
  ctx: StepContext | undefined,
): Failure | undefined {
  const { contexts, service: { timers } } = upstream;
  const { queued, unstored } = contexts;
  const { source: { key: from }, silent, message, bytes } = context;
  const queue = queued.get(from) ?? [];
  if (silent && queue.some((other) => other.silent && other.message === message)) {
    if (ctx !== undefined) traceEnd(upstream, context, "duplicate", ctx);
    return undefined;
  }
  context.account = queue[0]?.account ?? context.account;
  const refusal = freeCapacity(upstream, context, queue, ctx);
  if (refusal !== undefined) return refusal;
  context.account.charge(bytes);
  queue.push(context);
  queued.set(from, queue);
  contexts.ready.add(from);
  if (context.key === undefined) unstored.add(context);
  if (ctx !== undefined && timers.get(storeTimer(upstream)) === undefined) {
    timers.set(storeTimer(upstream), ctx.now + KEEP_MS);
  }
  return undefined;
}

/** Drops older contexts of the same source until another one is within the limits. Returns the limit where that is not enough. */
function freeCapacity(
  upstream: Upstream,
  { account, bytes, source }: QueuedContext,
  queue: QueuedContext[],
  ctx: StepContext | undefined,
): Failure | undefined {
  const { limits } = upstream.service.settings;
  let refusal = account.refusal(bytes, limits);
  if (refusal === undefined && queue.length < CONTEXTS_HELD_PER_INTEGRATION_MAX) return undefined;
  if (refusal !== undefined) {
    const droppable = source.key.startsWith(WATCHER) ? 0 : queue.reduce((sum, other) => sum + other.bytes, 0);
    if (account.refusal(bytes - droppable, limits) !== undefined || droppable === 0) return refusal;
  }
  while (queue.length > 0 && (refusal !== undefined || queue.length >= CONTEXTS_HELD_PER_INTEGRATION_MAX)) {
    const silent = queue.findIndex((other) => other.silent);
    const [dropped] = queue.splice(Math.max(silent, 0), 1);
    endContext(upstream, dropped, "dropped", ctx);
    refusal = account.refusal(bytes, limits);
  }
  return refusal;
}

const isBlocked = ({ isOffAir, isHeld }: ContextSource): boolean => isOffAir || isHeld;

const canSend = ({ isOpen, hasBackpressure, trial, profile, pendingActions }: Upstream): boolean =>
  isOpen && !hasBackpressure && trial === undefined && !(profile.holdsContext && pendingActions.byUpstreamId.size > 0);

/** What a context waits for. */
function waitReason(
  upstream: Upstream,
  { source: { isHeld, isOffAir }, notBefore }: QueuedContext,
  now: Millis,
): ContextWait {
  if (isHeld) return "held";
  if (isOffAir) return "other_character";
  if (!upstream.isOpen) return "neuro_away";
  if (!canSend(upstream)) {
    return upstream.hasBackpressure ? "backpressure" : upstream.trial === undefined ? "result" : "trial";
  }
  if (notBefore > now) return "interval";
  return upstream.contexts.ready.size > 0 ? "turn" : "rate";
}

/** Takes one context from the budget, or sets the timer for when one is available again. */
function withinBudget(upstream: Upstream, now: Millis): boolean {
  const { settings, contexts, service: state } = upstream;
  if (settings === undefined || settings.context_rate === 0) return true;
  if ((state.timers.get(budgetTimer(upstream)) ?? now) > now) return false;
  const rate = { perSecond: settings.context_rate, burst: Math.max(1, settings.context_burst), now };
  const waitMs = take(contexts.budget, rate, 1);
  if (waitMs > 0) state.timers.set(budgetTimer(upstream), now + waitMs);
  return waitMs === 0;
}

function sendQueued(upstream: Upstream, context: QueuedContext, ctx: StepContext): ContextEnding {
  const { source, coalesceKey } = context;
  if (coalesceKey !== undefined) rememberKey(source, coalesceKey, ctx.now);
  return sendNow(upstream, source, context, ctx);
}

/** Returns how the context ended: it is not sent if it is too large for the backend. */
function sendNow(
  upstream: Upstream,
  source: ContextSource,
  given: NewContext,
  ctx: StepContext,
): ContextEnding {
  const { message, silent } = given;
  const template = templateOf(source, upstream.service.settings);
  const text = template.before + message + template.after;
  const context: ContextMessage = template.isPlain && (given.isPlain === true || isPlain(message))
    ? { command: "context", message: text, silent, isPlain: true }
    : { command: "context", message: text, silent };
  return toNeuro(upstream, context, source.name, ctx) ? template : "refused";
}

function templateOf(source: ContextSource, settings: Settings): ContextTemplate {
  const { policy, name } = source;
  if (policy === undefined) return defaultTemplate(settings.actions, name);
  return source.contextTemplate ??= templateFor(policy, settings, name);
}

function traceEnd(upstream: Upstream, { record, source }: QueuedContext, ending: ContextEnding, ctx: StepContext): void {
  endContextRecord(upstream, record, ending, ctx.now);
  traceContext(upstream, source, record, ctx);
}

/** A context was sent or dropped. */
function endContext(
  upstream: Upstream,
  context: QueuedContext | undefined,
  end: ContextEnding,
  ctx: StepContext | undefined,
): void {
  const { contexts, service } = upstream;
  if (context === undefined) return;
  if (ctx !== undefined) traceEnd(upstream, context, end, ctx);
  context.account.release(context.bytes);
  contexts.unstored.delete(context);
  if (context.key === undefined) return;
  contexts.writes.delete(context.key);
  if (ctx === undefined) service.staleKeys.push(context.key);
  else ctx.emit({ do: "delete", key: context.key });
}

/** Moves the queued contexts of a game to another upstream. */
export function moveContexts(
  from: string,
  between: { readonly from: Upstream; readonly to: Upstream },
  ctx: StepContext,
): void {
  const queue = between.from.contexts.queued.get(from);
  between.from.contexts.queued.delete(from);
  for (const context of queue ?? []) {
    context.record.upstream = between.to.id;
    context.account.release(context.bytes);
    between.from.contexts.unstored.delete(context);
    if (context.key !== undefined && between.from.contexts.writes.delete(context.key)) {
      between.to.contexts.writes.set(context.key, context);
    }
    queueContext(between.to, context, ctx);
  }
}
