/**
 * Actions that somebody awaits the result of: Neuro, or a person.
 *
 * Invariants: P1 every action gets exactly one result, before the backend's deadline: its game's own, or the relay's; P2 an action
 * reaches a game at most once, and only one that has it registered; P3 a result is never sent to another connection than the one
 * that its action came by; P4 one game's silence holds back nobody else's results.
 * Knows nothing of: sockets, storage.
 */
import type { ResultMessage } from "../../../core/neuro-messages.ts";
import type { ResultOrigin } from "../../../core/observation.ts";
import type { StepContext } from "../../../core/context.ts";
import { toGame, toNeuro } from "../outbound.ts";
import type { Delivery, Game, GameAction, PendingAction, Upstream } from "../state.ts";
import { hideActions, isLive, sync } from "../actions/actions.ts";
import { cancelForces, onActionEnded, onActionsSynced, onActionStarted } from "../forces/forces.ts";

/** How soon a client that confirms nothing but answers failures is taken to have succeeded. */
const FAILURES_ONLY_MS = 500;
/** So many deadlines in a row show that a client confirms nothing. */
const SILENCES_MAX = 3;

/** What came of an action. */
export interface ActionResult {
  readonly success: boolean;
  readonly message: string | undefined;
  readonly origin: ResultOrigin;
  /** Who answered, where a game did, or was let pass. */
  readonly part?: Delivery;
}

/** An action that is to be done. */
export interface NewAction extends Pick<PendingAction, "theirId" | "epoch" | "action" | "data" | "force" | "requestId"> {
  /** At least one. */
  readonly owners: readonly GameAction[];
}

/** An action goes to its owners, and is waited for. */
export function startAction(order: NewAction, ctx: StepContext): PendingAction {
  const { theirId, epoch, action, data, force, requestId, owners } = order;
  const { upstream } = (owners[0] as GameAction).game;
  const deliveries: Delivery[] = [];
  let needsPerson = false;
  for (const gameAction of owners) {
    const isAsked = epoch !== 0 && needsApproval(gameAction.game);
    needsPerson ||= isAsked;
    deliveries.push({ gameAction, is: isAsked ? "approval" : "held" });
  }
  const pending: PendingAction = {
    id: ctx.id(),
    theirId,
    epoch,
    action,
    digest: action.digest,
    data,
    startedAt: ctx.now,
    force,
    requestId,
    deliveries,
    deadline: ctx.now + upstream.profile.deadlineMs,
    failure: undefined,
    isAnswered: false,
  };
  upstream.pendingActions.byId.set(pending.id, pending);
  if (epoch !== 0) upstream.pendingActions.byUpstreamId.set(theirId, pending);
  upstream.pendingActions.deadlines.set(pending.id, pending.deadline);
  if (force !== undefined) onActionStarted(force);
  const ready = needsPerson ? deliveries.filter(({ is }) => is === "held") : deliveries;
  if (ready.length > 0) observeSent(pending, { is: "action_sent", parts: ready }, ctx);
  if (needsPerson) {
    observeSent(pending, { is: "approval_wanted", parts: deliveries.filter(({ is }) => is === "approval") }, ctx);
  }
  for (const part of ready) if (part.gameAction.game.peer !== undefined) deliver(pending, part, ctx);
  return pending;
}

const needsApproval = ({ service: state, controls }: Game): boolean => state.controls.approval || controls.approval;

/** A person lets an action go, if it waits for that. */
export function approveAction(pending: PendingAction, ctx: StepContext): void {
  const parts = pending.deliveries.filter(({ is }) => is === "approval");
  if (parts.length === 0) return;
  for (const part of parts) part.is = "held";
  observeSent(pending, { is: "action_sent", parts }, ctx);
  for (const part of parts) if (part.gameAction.game.peer !== undefined) deliver(pending, part, ctx);
}

interface Announcement {
  readonly is: "action_sent" | "approval_wanted";
  readonly parts: readonly Delivery[];
}

function observeSent({ id, action, force, data }: PendingAction, { is, parts }: Announcement, ctx: StepContext): void {
  const to: string[] = [];
  const slugs: string[] = [];
  for (const { gameAction: { game } } of parts) {
    to.push(game.name);
    slugs.push(game.slug);
  }
  ctx.observe({ is, id, name: action.name, to, slugs, forced: force !== undefined, data });
}

/** A game answers. */
export function receiveResult(game: Game, result: ResultMessage, ctx: StepContext): void {
  const { pendingActions } = game.upstream;
  const pending = result.id === undefined
    ? onlyPendingOf(game)
    : pendingActions.byId.get(ownId(result.id)) ?? pendingActions.byUpstreamId.get(result.id);
  const part = pending?.deliveries.find((each) => each.gameAction.game === game);
  if (pending === undefined || part === undefined || isUndelivered(part)) return ignoreResult(game, result, ctx);
  if (part.is !== "sent") return ctx.observe({ is: "result_ignored", from: game.name, why: "twice" });
  game.lastAnsweredId = pending.id;
  countResult(game, { pending, success: result.success }, ctx);
  if (result.success) {
    game.missedDeadlines = 0;
    game.neverConfirms = false;
    return conclude(pending, { success: true, message: result.message, origin: "game", part }, ctx);
  }
  part.is = "failed";
  pending.failure = result.message ?? "";
  if (isExhausted(pending)) conclude(pending, { success: false, message: result.message, origin: "game", part }, ctx);
}

/** A game is back: what was held for it is delivered, as far as it has the same action still. */
export function deliverQueued(game: Game, ctx: StepContext): void {
  for (const pending of pendingActionsOf(game)) {
    const owned = game.actions.get(pending.action.originalName);
    if (!isLive(owned) || owned.upstreamAction.digest !== pending.digest) continue;
    for (const part of pending.deliveries) {
      if (part.gameAction.game === game && part.is === "held") deliver(pending, part, ctx);
    }
  }
}

/** A game is not coming back in time: Neuro has been told so, and now is answered. */
export function failForLostGame(game: Game, ctx: StepContext): void {
  for (const pending of pendingActionsOf(game)) failDelivery(pending, game, ctx);
}

/**
 * A game's list is settled: actions that are `gone` from it fail, and those of the session before that its new one does not have
 * alike. What a game unregistered itself it still answers: that is how a disposable action ends.
 */
export function failOutdated(game: Game, gone: ReadonlySet<string>, ctx: StepContext): void {
  for (const pending of pendingActionsOf(game)) {
    const { originalName } = pending.action;
    const isOfOldSession = pending.id < game.sessionId;
    const isSame = game.actions.get(originalName)?.upstreamAction.digest === pending.digest;
    if (gone.has(originalName) || (isOfOldSession && !isSame)) failDelivery(pending, game, ctx);
  }
}

/** The time of some actions is over. */
export function expireActions(upstream: Upstream, ctx: StepContext): void {
  for (const id of upstream.pendingActions.deadlines.due(ctx.now)) {
    const pending = upstream.pendingActions.byId.get(id);
    if (pending !== undefined) expire(pending, ctx);
  }
}

/** The relay leaves: every action gets its result now. */
export function failAll(upstream: Upstream, why: string, ctx: StepContext): void {
  for (const pending of [...upstream.pendingActions.byId.values()]) {
    conclude(pending, { success: false, message: why, origin: "relay" }, ctx);
  }
}

/** The connection is gone: its actions get no result any more, but what games say about them still counts for their forces. */
export function forgetUpstreamIds(upstream: Upstream): void {
  upstream.pendingActions.byUpstreamId.clear();
}

/**
 * An action's id as its game sees it: ours, and behind it Neuro's, so that the two sides of a log can be laid beside each other.
 * A game that answers with Neuro's alone is understood; with ours, an old answer never counts for a new action.
 */
const idForGame = (id: string, theirId: string): string => LEGIBLE.test(theirId) ? id + SEPARATOR + theirId : id;

const SEPARATOR = "~";
const LEGIBLE = /^[!-}]{1,64}$/;

function ownId(id: string): string {
  const end = id.indexOf(SEPARATOR);
  return end < 0 ? id : id.slice(0, end);
}

/** It has not reached its game. */
export const isUndelivered = ({ is }: Delivery): boolean => is === "held" || is === "approval";

/** An answer of a game, or that there was none. */
function countResult(
  { counts }: Game,
  of: { readonly pending: PendingAction; readonly success: boolean },
  ctx: StepContext,
): void {
  counts.actions++;
  counts.result_ms += ctx.now - of.pending.startedAt;
  if (!of.success) counts.failures++;
}

function deliver(pending: PendingAction, part: Delivery, ctx: StepContext): void {
  const { game, name } = part.gameAction;
  const { id, theirId, data, force } = pending;
  if (!toGame(game, { command: "action", id: idForGame(id, theirId), name, ...(data !== undefined && { data }) }, ctx)) {
    part.is = "failed";
    pending.failure = "The data of this action is too large for its game.";
    if (isExhausted(pending)) conclude(pending, { success: false, message: pending.failure, origin: "relay", part }, ctx);
    return;
  }
  part.is = "sent";
  if (force !== undefined) {
    force.wasDelivered = true;
    game.service.unsavedRecords.add(game.forceRecord);
    game.service.mustSaveNow = true;
  }
  if (!isExpectedToConfirm(game)) {
    game.upstream.pendingActions.deadlines.set(id, Math.min(pending.deadline, ctx.now + FAILURES_ONLY_MS));
  }
}

function failDelivery(pending: PendingAction, game: Game, ctx: StepContext): void {
  const part = pending.deliveries.find((each) => each.gameAction.game === game);
  if (part === undefined || part.is === "failed" || part.is === "gone") return;
  part.is = "gone";
  if (isExhausted(pending)) conclude(pending, goneOutcome(pending, part), ctx);
}

/** In a force a failure would be tried again by Neuro, with nobody there to answer. */
function goneOutcome({ force, failure, epoch }: PendingAction, part: Delivery): ActionResult {
  const message = `${part.gameAction.game.name} disconnected before it answered.`;
  if (force !== undefined && epoch !== 0) return { success: true, message, origin: "gone", part };
  return { success: false, message: failure ?? message, origin: "gone", part };
}

function expire(pending: PendingAction, ctx: StepContext): void {
  const silent = pending.deliveries.find((part) => part.is === "sent" && part.gameAction.game.peer !== undefined);
  if (silent !== undefined && ctx.now < pending.deadline) {
    return conclude(pending, { success: true, message: undefined, origin: "deadline", part: silent }, ctx);
  }
  if (!pending.isAnswered) {
    const to = pending.deliveries.map(({ gameAction }) => gameAction.game.name);
    ctx.observe({ is: "action_expired", id: pending.id, name: pending.action.name, to });
  }
  if (silent === undefined) return expireUndelivered(pending, ctx);
  for (const part of pending.deliveries) {
    if (part.is !== "sent" || part.gameAction.game.peer === undefined) continue;
    countResult(part.gameAction.game, { pending, success: false }, ctx);
    countMissedDeadline(part.gameAction.game, ctx);
  }
  const isForced = pending.force !== undefined && !pending.isAnswered;
  const message = pending.failure ?? (isForced ? "No confirmation came in time." : "No answer came in time.");
  conclude(pending, { success: isForced, message, origin: "deadline", part: silent }, ctx);
}

/** Nobody approved, or all who could still answer are away. In a force their names go first, so that Neuro does not try again. */
function expireUndelivered(pending: PendingAction, ctx: StepContext): void {
  const unapproved = pending.deliveries.find(({ is }) => is === "approval");
  if (unapproved !== undefined) {
    const message = pending.failure ?? "Nobody approved this action in time.";
    return conclude(pending, { success: false, message, origin: "deadline", part: unapproved }, ctx);
  }
  const part = pending.deliveries.find(({ is }) => is === "held" || is === "sent") ?? pending.deliveries[0];
  if (part === undefined) return;
  const { game } = part.gameAction;
  if (pending.force === undefined) return conclude(pending, goneOutcome(pending, part), ctx);
  hideActions(game);
  sync(game.upstream, ctx);
  conclude(pending, goneOutcome(pending, part), ctx);
  cancelForces(game, "game gone", ctx);
}

function countMissedDeadline(game: Game, ctx: StepContext): void {
  if (!isExpectedToConfirm(game) || ++game.missedDeadlines < SILENCES_MAX) return;
  game.neverConfirms = true;
  ctx.observe({
    is: "input_repaired",
    from: game.name,
    what: "no results",
    hint: "every action needs an `action/result`; from now on silence is taken for success",
  });
}

const isExpectedToConfirm = (game: Game): boolean => game.policy.results === "required" && !game.neverConfirms;

/** Answers an action, once and for all. */
export function conclude(pending: PendingAction, outcome: ActionResult, ctx: StepContext): void {
  const { id, action, epoch, force, deliveries } = pending;
  const { success, origin, part } = outcome;
  const { game } = (part ?? deliveries[0] as Delivery).gameAction;
  const { upstream } = game;
  upstream.pendingActions.byId.delete(id);
  upstream.pendingActions.deadlines.clear(id);
  const isUntold = epoch !== upstream.linkNumber || !upstream.isOpen;
  if (!pending.isAnswered) report(pending, outcome, ctx);
  // Why: a game that is gone has not done what it was forced to; its force ends for that reason instead.
  const counts = success && origin !== "gone";
  const { name: upstreamName, originalName: name } = action;
  const { startedAt } = pending;
  onActionEnded(
    { game, name, upstreamName, since: startedAt, success: counts, force, isByHand: epoch === 0, isUntold },
    ctx,
  );
  onActionsSynced(upstream, ctx);
}

/** Tells whoever waits for an action what came of it. Its game may still have to answer. */
export function report(pending: PendingAction, { success, message, origin, part }: ActionResult, ctx: StepContext): void {
  const { id, theirId, epoch, action, deliveries, requestId } = pending;
  const { game } = (part ?? deliveries[0] as Delivery).gameAction;
  const { upstream } = game;
  const ms = ctx.now - pending.startedAt;
  pending.isAnswered = true;
  if (epoch === upstream.linkNumber && upstream.isOpen) {
    upstream.pendingActions.byUpstreamId.delete(theirId);
    toNeuro(upstream, { command: "action/result", id: theirId, success, ...(message !== undefined && { message }) }, ctx);
  }
  if (requestId !== undefined) ctx.emit({ do: "respond", requestId, body: { id, success, message: message ?? null, ms } });
  const { name, slug } = game;
  ctx.observe({ is: "action_result", id, name: action.name, from: name, slug, success, message, ms, origin });
}

/** True when nobody can answer any more. */
export const isExhausted = ({ deliveries }: PendingAction): boolean =>
  deliveries.every(({ is }) => is === "failed" || is === "gone");

/** Pendings that a game has a part in; a copy, for what is done with them changes the table. */
export function pendingActionsOf(game: Game): PendingAction[] {
  const found: PendingAction[] = [];
  for (const pending of game.upstream.pendingActions.byId.values()) {
    if (pending.deliveries.some((part) => part.gameAction.game === game)) found.push(pending);
  }
  return found;
}

/** The pending action of a client that does not say which: if there is but one. */
function onlyPendingOf(game: Game): PendingAction | undefined {
  const owed = pendingActionsOf(game).filter(({ deliveries }) =>
    deliveries.some((part) => part.gameAction.game === game && part.is === "sent")
  );
  return owed.length === 1 ? owed[0] : undefined;
}

function ignoreResult(game: Game, { id: whole }: ResultMessage, ctx: StepContext): void {
  const id = whole === undefined ? undefined : ownId(whole);
  const isOurs = id !== undefined && /^\d{13,}-\d{10,}$/.test(id);
  const why = !isOurs
    ? "unknown"
    : id === game.lastAnsweredId
    ? "twice"
    : game.upstream.pendingActions.byId.has(id)
    ? "foreign"
    : "late";
  ctx.observe({ is: "result_ignored", from: game.name, why });
}
