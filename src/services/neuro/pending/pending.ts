/**
 * Pending actions: Neuro or a person waits for the result of each.
 *
 * Invariants: P1 every action gets exactly one result, before the backend's deadline: its game's own, or the relay's; P2 an action
 * reaches a game at most once, and only if the game has it registered; P3 a result goes only to the connection that its action came
 * by; P4 one game's silence delays no other game's results.
 * Knows nothing of: sockets, storage.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Millis, RequestId } from "../../../core/ids.ts";
import type { GameMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import type { ResultOrigin } from "../../../core/observation.ts";
import { digestOf, hideActions, isLive, sync } from "../actions/actions.ts";
import {
  cancelForces,
  hasForces,
  isWithdrawn,
  keepPresumedForce,
  onActionDelivered,
  onActionEnded,
  onActionsSynced,
  onActionStarted,
  onDeliveryDoubted,
  restorePresumedForce,
} from "../forces/forces.ts";
import { diagnose } from "../diagnostics/diagnose.ts";
import { checkResult, reportIgnored } from "../diagnostics/result-checks.ts";
import { toGame, toNeuro } from "../outbound.ts";
import {
  countsOf,
  type Delivery,
  type Game,
  type GameAction,
  isConnected,
  type PendingAction,
  type Upstream,
} from "../state.ts";
import { newStep, repairSteps } from "../traces/make-record.ts";
import { transcribe } from "../traces/transcript.ts";
import { addActionStep, traceAction, traceDelivery } from "../traces/trace.ts";
import { confirmed, missedDeadline, mustConfirm, overBy, presumeSilent } from "./confirmation.ts";
import { addPending, allPending, deletePending, forgetUpstreamId, pendingById } from "./pending-actions.ts";
import type { ActionOrigin, DeliveryEvent, PendingEvent } from "./states.ts";
import { receiveUnregisteredResult } from "./unregistered-actions.ts";
import { isSpent, isUndelivered, isWithGame, nextDelivery, nextPending } from "./transition.ts";

/** An action of a client that confirms only failures counts as a success after this time. */
const FAILURES_ONLY_MS = 500;
/** So does an action this long after evidence that it is over: a client that confirms successes may be slow. */
const EVIDENCE_MS = 2_000;

/** The outcome of an action. */
export interface ActionResult {
  readonly success: boolean;
  readonly message: string | undefined;
  readonly origin: ResultOrigin;
  /** The delivery that decided the result. Undefined: the result names the game of the first delivery. */
  readonly delivery?: Delivery;
}

/** An action to send. It has at least one delivery. */
export type NewAction = Pick<PendingAction, "origin" | "action" | "data" | "force" | "deliveries">;

/** A delivery of a new action. */
export const newDelivery = (gameAction: GameAction): Delivery => ({ gameAction, state: "queued", sentAt: 0 });

/** A pending action without its texts, and its delivery to one game. */
const PENDING_ACTION_BYTES = 512;
const DELIVERY_BYTES = 256;

/** What a link is charged for an action with this many recipients. */
export const pendingBytes = (origin: ActionOrigin, data: string | undefined, recipients: number): number =>
  PENDING_ACTION_BYTES + DELIVERY_BYTES * recipients + 2 * (data?.length ?? 0) +
  (origin.is === "neuro" ? 2 * origin.id.length : 0);

/** Sends an action to its games, and waits for the result. */
export function startAction({ origin, action, data, force, deliveries }: NewAction, ctx: StepContext): PendingAction {
  const { upstream } = (deliveries[0] as Delivery).gameAction.game;
  let needsPerson = false;
  for (const delivery of deliveries) {
    if (origin.is !== "neuro" || !needsApproval(delivery.gameAction)) continue;
    delivery.state = "approval";
    needsPerson = true;
  }
  const bytes = pendingBytes(origin, data, deliveries.length);
  const id = ctx.id();
  const pending: PendingAction = {
    id,
    gameId: idForGame(id, origin),
    origin,
    upstream,
    chosenBy: undefined,
    action,
    digest: digestOf(action),
    data,
    schema: action.definition.schema,
    bytes,
    startedAt: ctx.now,
    force,
    deliveries,
    deadline: ctx.now + deadlineMs(upstream, deliveries),
    expiry: undefined,
    failure: undefined,
    steps: undefined,
    sequence: origin.is === "neuro" ? ++upstream.service.messageCount : 0,
    resultSequence: 0,
    state: "outstanding",
  };
  addPending(upstream.pendingActions, pending);
  for (const { gameAction: { game } } of deliveries) game.pending.push(pending);
  upstream.pendingActions.retained.charge(bytes);
  expireAt(pending, pending.deadline);
  if (force !== undefined) onActionStarted(force, { by: origin.is, action: pending.id }, ctx);
  const ready = needsPerson ? deliveries.filter(({ state }) => state === "queued") : deliveries;
  if (ready.length > 0) observeAction(pending, "action_sent", ready, ctx);
  if (needsPerson) {
    addActionStep(pending, newStep(ctx, "waiting", null, "approval"));
    observeAction(pending, "approval_wanted", deliveries.filter(({ state }) => state === "approval"), ctx);
  }
  for (const delivery of ready) deliver(pending, delivery, ctx);
  return pending;
}

/** The deadline of the backend, or the longest one of the recipients if that is earlier. */
function deadlineMs({ profile }: Upstream, deliveries: readonly Delivery[]): Millis {
  let longest = 0;
  for (const { gameAction: { game: { policy } } } of deliveries) {
    longest = Math.max(longest, policy.result_deadline ?? profile.deadlineMs);
  }
  return Math.min(longest, profile.deadlineMs);
}

const needsApproval = ({ name, game: { service, controls, alwaysAllowed } }: GameAction): boolean =>
  (service.controls.approval || controls.approval) && !alwaysAllowed.has(name);

/** A person replaces the data of an action that no game has got. */
export function editAction(pending: PendingAction, data: string | undefined): void {
  const { upstream: { pendingActions: { retained } }, origin, deliveries } = pending;
  retained.release(pending.bytes);
  pending.data = data;
  pending.bytes = pendingBytes(origin, data, deliveries.length);
  retained.charge(pending.bytes);
}

/** A person approves an action, if it waits for approval. */
export function approveAction(pending: PendingAction, ctx: StepContext): void {
  const deliveries = pending.deliveries.filter(({ state }) => state === "approval");
  if (deliveries.length === 0) return;
  for (const delivery of deliveries) advance(pending, delivery, "approved", ctx);
  observeAction(pending, "action_sent", deliveries, ctx);
  for (const delivery of deliveries) deliver(pending, delivery, ctx);
}

/** A person rejects an action that waits for approval. */
export function rejectAction(pending: PendingAction, message: string, ctx: StepContext): void {
  const [first] = pending.deliveries.filter(({ state }) => state === "approval");
  for (const delivery of pending.deliveries) advance(pending, delivery, "rejected", ctx);
  pending.failure = message;
  concludeIfSpent(pending, { success: false, message, origin: "operator", ...(first && { delivery: first }) }, ctx);
}

function observeAction(
  { id, action, force, data }: PendingAction,
  is: "action_sent" | "approval_wanted",
  deliveries: readonly Delivery[],
  ctx: StepContext,
): void {
  if (ctx.countUnread?.(is) === true) return;
  const to: string[] = [];
  const slugs: string[] = [];
  for (const { gameAction: { game } } of deliveries) {
    to.push(game.name);
    slugs.push(game.slug);
  }
  ctx.observe({ is, id, name: action.name, to, slugs, forced: force !== undefined, data });
}

/** A game answers. */
export function receiveResult(game: Game, result: ResultMessage, ctx: StepContext): void {
  const pending = result.id === undefined ? onlyActionOf(game) : actionOf(game, result.id);
  const delivery = pending && deliveryTo(game, pending);
  if (pending === undefined || delivery === undefined || isUndelivered(delivery.state)) {
    return ignoreResult(game, result, ctx);
  }
  const repaired = repairSteps(result, ctx);
  if (repaired !== undefined) { for (const step of repaired) addActionStep(pending, step); }
  if (!advance(pending, delivery, result.success ? "success" : "failure", ctx)) {
    return reportIgnored(game, "twice", result, ctx);
  }
  game.lastAnsweredId = pending.id;
  countResult(game, pending, result.success, ctx);
  checkResult(pending, delivery, result, ctx);
  const { success, message } = result;
  if (success) {
    confirmed(game);
    return conclude(pending, { success, message, origin: "game", delivery }, ctx);
  }
  pending.failure = message ?? "";
  concludeIfSpent(pending, { success, message, origin: "game", delivery }, ctx);
}

/** The action that a game means by this id: the relay's, with or without Neuro's after it, or Neuro's alone. */
function actionOf(game: Game, id: string): PendingAction | undefined {
  const oldest = game.pending[0];
  // Why first: it nearly always is the one, and no text has to be cut and looked up.
  if (oldest?.gameId === id) return oldest;
  const { byUpstreamId } = game.upstream.pendingActions;
  const own = ownId(id);
  const named = byUpstreamId.get(id.slice(own.length + SEPARATOR.length));
  if (named?.id === own) return named;
  return game.pending.find((pending) => pending.id === own) ?? byUpstreamId.get(id);
}

function deliveryTo(game: Game, { deliveries }: PendingAction): Delivery | undefined {
  for (const delivery of deliveries) if (delivery.gameAction.game === game) return delivery;
  return undefined;
}

/** A message of a game that is no result may show that some of its actions are over. The results may still be on their way. */
export function noteEvidence(game: Game, message: GameMessage, ctx: StepContext): void {
  for (const pending of overBy(game, message)) {
    for (const delivery of pending.deliveries) {
      if (delivery.gameAction.game === game && advance(pending, delivery, "evidence", ctx)) {
        awaitResult(pending, EVIDENCE_MS, ctx);
      }
    }
  }
}

/** Without a result the action counts as a success after this time. */
function awaitResult(pending: PendingAction, ms: Millis, ctx: StepContext): void {
  const { expiry, deadline } = pending;
  expireAt(pending, Math.min(expiry?.of === undefined ? deadline : expiry.at, ctx.now + ms));
}

function expireAt(pending: PendingAction, at: Millis): void {
  const { deadlines } = pending.upstream.pendingActions;
  if (pending.expiry !== undefined) deadlines.clear(pending.expiry);
  pending.expiry = deadlines.add(pending, at);
}

/** A connection of a game was lost, which was last heard then. The game may not have got what was sent since. */
export function onConnectionLost(game: Game, lastHeardAt: Millis, ctx: StepContext): void {
  for (const pending of game.pending) {
    const { deliveries, force } = pending;
    for (const delivery of deliveries) {
      const isUnheard = delivery.gameAction.game === game && delivery.sentAt >= lastHeardAt;
      if (!isUnheard || !advance(pending, delivery, "unheard", ctx)) continue;
      if (force !== undefined) onDeliveryDoubted(force);
    }
  }
}

/** A game has reconnected: it gets the queued actions that it still has with the same definition. */
export function deliverQueued(game: Game, ctx: StepContext): void {
  for (const pending of [...game.pending]) {
    const gameAction = game.actions.get(pending.action.originalName);
    if (!isLive(gameAction) || digestOf(gameAction.upstreamAction) !== pending.digest) continue;
    for (const delivery of pending.deliveries) if (delivery.gameAction.game === game) deliver(pending, delivery, ctx);
  }
}

/** A game has not reconnected in time. Call this after the unregistrations of its names were sent to Neuro. */
export function failForLostGame(game: Game, ctx: StepContext): void {
  for (const pending of [...game.pending]) failDelivery(pending, game, ctx);
}

/**
 * A game's list is complete. Pending actions whose name is `gone` from the list fail. Actions of the previous session also fail unless the
 * new one has them with the same definition. A game may still answer an action that it unregistered itself, because disposable actions end
 * like this.
 */
export function failOutdated(game: Game, gone: ReadonlySet<string>, ctx: StepContext): void {
  for (const pending of [...game.pending]) {
    const { originalName } = pending.action;
    const isOfOldSession = pending.id < game.sessionId;
    const gameAction = game.actions.get(originalName);
    const isSame = gameAction !== undefined && digestOf(gameAction.upstreamAction) === pending.digest;
    if (gone.has(originalName) || (isOfOldSession && !isSame)) failDelivery(pending, game, ctx);
  }
}

/** A game is held: actions that have not reached it fail. */
export function failUndelivered(game: Game, why: string, ctx: StepContext): void {
  for (const pending of [...game.pending]) {
    for (const delivery of pending.deliveries) {
      if (delivery.gameAction.game !== game || !advance(pending, delivery, "held", ctx)) continue;
      pending.failure = why;
      concludeIfSpent(pending, { success: false, message: why, origin: "operator", delivery }, ctx);
    }
  }
}

/**
 * Everything is stopped: Neuro's pending actions fail, and those of a person continue.
 *
 * Why the game's result for a force is still awaited: the game considers its force answered once it has done the action, so the force must
 * not be sent again.
 */
export function stopActions({ pendingActions }: Upstream, message: string, ctx: StepContext): void {
  const result: ActionResult = { success: false, message, origin: "operator" };
  for (const pending of allPending(pendingActions)) {
    if (pending.origin.is === "person" || pending.state !== "outstanding") continue;
    const isUnderway = pending.force !== undefined && pending.deliveries.some(({ state }) => isWithGame(state));
    if (isUnderway) {
      addActionStep(pending, newStep(ctx, "answered", null, "stopped"));
      dispatch(pending, "answered_early", result, ctx);
    } else conclude(pending, result, ctx);
  }
}

/** The deadline of some actions has expired. */
export function expireActions(upstream: Upstream, ctx: StepContext): void {
  for (const pending of upstream.pendingActions.deadlines.due(ctx.now)) {
    if (pending.state !== "finished") expire(pending, ctx);
  }
}

/** The relay stops: every action gets its result now. */
export function failAll({ pendingActions }: Upstream, message: string, ctx: StepContext): void {
  for (const pending of allPending(pendingActions)) {
    conclude(pending, { success: false, message, origin: "relay" }, ctx);
  }
}

/**
 * Makes the id of an action in messages to its game: the relay's id, then Neuro's, so that the logs of both sides can be matched. A game may
 * answer with Neuro's id alone. The relay's id prevents an old answer from counting for a new action.
 */
function idForGame(id: string, origin: ActionOrigin): string {
  return origin.is === "neuro" && LEGIBLE.test(origin.id) ? id + SEPARATOR + origin.id : id;
}

const SEPARATOR = "~";
const LEGIBLE = /^[!-}]{1,64}$/;

function ownId(id: string): string {
  const end = id.indexOf(SEPARATOR);
  return end < 0 ? id : id.slice(0, end);
}

/** Changes the state of a delivery; false if the event changes nothing. */
function advance(pending: PendingAction, delivery: Delivery, event: DeliveryEvent, ctx: StepContext): boolean {
  const next = nextDelivery(delivery.state, event);
  if (next === undefined) return false;
  delivery.state = next;
  traceDelivery(pending, delivery, event, ctx);
  return true;
}

/** A game answered, or missed its deadline. */
function countResult(game: Game, { startedAt }: PendingAction, success: boolean, ctx: StepContext): void {
  const counts = countsOf(game);
  counts.actions++;
  counts.result_ms += ctx.now - startedAt;
  if (!success) counts.failures++;
}

/** Sends a queued delivery, if its game is connected. */
function deliver(pending: PendingAction, delivery: Delivery, ctx: StepContext): void {
  const { game, name } = delivery.gameAction;
  if (delivery.state !== "queued") return;
  if (!isConnected(game)) return addActionStep(pending, newStep(ctx, "waiting", game.name, "integration_away"));
  const { gameId: id, data, force } = pending;
  if (!toGame(game, data === undefined ? { command: "action", id, name } : { command: "action", id, name, data }, ctx)) {
    advance(pending, delivery, "oversized", ctx);
    pending.failure = "The data of this action is too large for its game.";
    return concludeIfSpent(pending, { success: false, message: pending.failure, origin: "relay", delivery }, ctx);
  }
  advance(pending, delivery, "written", ctx);
  delivery.sentAt = ctx.now;
  if (force !== undefined) onActionDelivered(force);
  if (!mustConfirm(game)) awaitResult(pending, FAILURES_ONLY_MS, ctx);
}

function failDelivery(pending: PendingAction, game: Game, ctx: StepContext): void {
  const delivery = deliveryTo(game, pending);
  if (delivery !== undefined && advance(pending, delivery, "lost", ctx)) {
    concludeIfSpent(pending, resultOfLost(pending, delivery), ctx);
  }
}

/** After a failure in a force Neuro would try again, although no game can answer. */
function resultOfLost({ force, failure, origin }: PendingAction, delivery: Delivery): ActionResult {
  const message = `${delivery.gameAction.game.name} disconnected before it answered.`;
  if (force !== undefined && origin.is === "neuro") return { success: true, message, origin: "gone", delivery };
  return { success: false, message: failure ?? message, origin: "gone", delivery };
}

function expire(pending: PendingAction, ctx: StepContext): void {
  if (ctx.now < pending.deadline) return presumeSuccess(pending, ctx);
  const silent = pending.deliveries.find(isSilent);
  const isOutstanding = pending.state === "outstanding";
  if (isOutstanding) {
    const to = pending.deliveries.map(({ gameAction }) => gameAction.game.name);
    ctx.observe({ is: "action_expired", id: pending.id, name: pending.action.name, to });
  }
  if (silent === undefined) return expireUndelivered(pending, ctx);
  for (const delivery of pending.deliveries) {
    if (!isSilent(delivery) || delivery.state === "doubtful") continue;
    countResult(delivery.gameAction.game, pending, false, ctx);
    diagnose(delivery.gameAction.game, "result_missing", { detail: delivery.gameAction.name, trace: pending.id }, ctx);
    if (missedDeadline(delivery.gameAction.game, ctx)) expectNoResults(delivery.gameAction.game, ctx);
  }
  // Why a success in a force: after a failure Neuro would repeat an action that may have been done.
  const success = pending.force !== undefined && isOutstanding && silent.state !== "doubtful";
  const message = pending.failure ?? (success ? "No confirmation came in time." : "No answer came in time.");
  conclude(pending, { success, message, origin: "deadline", delivery: silent }, ctx);
  if (success) keepForceOf(pending, silent);
}

/** The action counts as a success without a result. A failure may still come, and the game may still wait for the force then. */
function keepForceOf({ id, force }: PendingAction, { gameAction: { game } }: Delivery): void {
  if (force?.game === game && !isWithdrawn(force)) keepPresumedForce(game, { action: id, message: force.message });
}

/** An action whose game sends no results of successes, or that is over by evidence, is done. */
function presumeSuccess(pending: PendingAction, ctx: StepContext): void {
  const delivery = pending.deliveries.find((each) => isSilent(each) && isOverWithoutResult(each));
  // Why: its game has disconnected meanwhile, or has sent a success, so that only its results count.
  if (delivery === undefined) return expireAt(pending, pending.deadline);
  const { game } = delivery.gameAction;
  if (delivery.state === "presumed" && presumeSilent(game, ctx)) expectNoResults(game, ctx);
  conclude(pending, { success: true, message: undefined, origin: "deadline", delivery }, ctx);
  keepForceOf(pending, delivery);
}

const isOverWithoutResult = ({ state, gameAction: { game } }: Delivery): boolean =>
  !mustConfirm(game) || (state === "presumed" && game.confirmation.is === "unknown");

/** The other actions that the game has do not have to wait for their deadlines, either. */
function expectNoResults(game: Game, ctx: StepContext): void {
  for (const pending of game.pending) {
    if (!pending.deliveries.some((each) => each.gameAction.game === game && isSilent(each))) continue;
    awaitResult(pending, FAILURES_ONLY_MS, ctx);
  }
}

/** Its game has the action, is connected and has not answered. */
const isSilent = ({ state, gameAction }: Delivery): boolean => isWithGame(state) && isConnected(gameAction.game);

/**
 * The action was not approved, or all games that could answer are away. In a force their names are unregistered first, so that Neuro does
 * not try again.
 */
function expireUndelivered(pending: PendingAction, ctx: StepContext): void {
  const unapproved = pending.deliveries.find(({ state }) => state === "approval");
  if (unapproved !== undefined) {
    const message = pending.failure ?? "Nobody approved this action in time.";
    return conclude(pending, { success: false, message, origin: "deadline", delivery: unapproved }, ctx);
  }
  const delivery = pending.deliveries.find(({ state }) => !isSpent(state)) ?? pending.deliveries[0];
  if (delivery === undefined) return;
  const { game } = delivery.gameAction;
  if (pending.force === undefined) return conclude(pending, resultOfLost(pending, delivery), ctx);
  hideActions(game);
  sync(game.upstream, ctx);
  conclude(pending, resultOfLost(pending, delivery), ctx);
  cancelForces(game, "game_gone", ctx);
}

/** Ends an action that no game can do any more. */
function concludeIfSpent(pending: PendingAction, result: ActionResult, ctx: StepContext): void {
  if (pending.deliveries.every(({ state }) => isSpent(state))) conclude(pending, result, ctx);
}

/** Answers an action, once and for all. */
function conclude(pending: PendingAction, result: ActionResult, ctx: StepContext): void {
  const { pendingActions } = pending.upstream;
  if (pending.expiry !== undefined) pendingActions.deadlines.clear(pending.expiry);
  deletePending(pendingActions, pending);
  for (const { gameAction } of pending.deliveries) remove(gameAction.game.pending, pending);
  pendingActions.retained.release(pending.bytes);
  dispatch(pending, "concluded", result, ctx);
  traceAction(pending, result, ctx);
}

/** Why no set: nearly always the first is removed, and adding to a set and deleting from it takes a twelfth of the time of a trip. */
function remove(list: PendingAction[], pending: PendingAction): void {
  const at = list.indexOf(pending);
  if (at === 0) list.shift();
  else if (at > 0) list.splice(at, 1);
}

function dispatch(pending: PendingAction, event: PendingEvent, result: ActionResult, ctx: StepContext): void {
  const { state: before, force, upstream } = pending;
  // Why also for its own force: whatever answered the action early has withdrawn that force from Neuro.
  const isSettled = before === "outstanding" || (force !== undefined && force === upstream.forces.current);
  const { to, tasks } = nextPending(pending.state, event);
  pending.state = to;
  for (const task of tasks) {
    switch (task) {
      case "report":
        report(pending, result, ctx);
        break;
      case "finish":
        finish(pending, result, isSettled && isReachable(pending), ctx);
        break;
      default:
        return assertNever(task);
    }
  }
}

/** Sends the outcome of an action to its origin. */
function report(pending: PendingAction, { success, message, origin: by, delivery }: ActionResult, ctx: StepContext): void {
  const { id, origin, upstream, action, deliveries } = pending;
  const { name, slug } = (delivery ?? deliveries[0] as Delivery).gameAction.game;
  const ms = ctx.now - pending.startedAt;
  if (origin.is === "neuro" && isReachable(pending)) {
    if (pending.state !== "finished") forgetUpstreamId(upstream.pendingActions, pending);
    const result: ResultMessage = message === undefined
      ? { command: "action/result", id: origin.id, success }
      : { command: "action/result", id: origin.id, success, message };
    const isSent = toNeuro(upstream, result, name, ctx);
    if (isSent && pending.state === "finished") pending.resultSequence = ++upstream.service.messageCount;
    // Why: the record of the trace will have the result of the game.
    else if (isSent) transcribe(upstream, { ...result, trace: id }, name, ctx);
  }
  const requestId = requestOf(pending);
  if (requestId !== undefined) {
    ctx.emit({ do: "respond", requestId, body: { id, success, message: message ?? null, ms } });
  }
  ctx.countResult?.(name, by, success, ms);
  if (ctx.countUnread?.("action_result") === true) return;
  ctx.observe({ is: "action_result", id, name: action.name, from: name, slug, success, message, ms, origin: by });
}

/** `isReported`: Neuro knows the outcome, or does not have to. */
function finish(pending: PendingAction, result: ActionResult, isReported: boolean, ctx: StepContext): void {
  const { action, origin, upstream, deliveries, force, startedAt } = pending;
  const { success, origin: by, delivery = deliveries[0] as Delivery } = result;
  const { game } = delivery.gameAction;
  if (force === undefined && !hasForces(game.upstream) && !hasForces(upstream)) return;
  onActionEnded({
    game,
    name: action.originalName,
    upstreamName: action.name,
    startedAt,
    // Why: a game that left has not done the action of its force, so the force ends because of the leave instead.
    success: success && by !== "gone",
    failure: success ? undefined : result.message,
    force,
    isManual: origin.is === "person",
    isPresumed: delivery.state === "presumed",
    isReported,
  }, ctx);
  onActionsSynced(upstream, ctx);
}

/** The request of the person who sent or chose the action. */
export const requestOf = ({ origin, chosenBy }: PendingAction): RequestId | undefined =>
  origin.is === "person" ? origin.request : chosenBy;

/** The connection that the action came by is open. */
const isReachable = ({ origin, upstream }: PendingAction): boolean =>
  origin.is === "neuro" && origin.link === upstream.linkNumber && upstream.isOpen;

/** The action of a result without an id: the client's only action without a result. */
function onlyActionOf(game: Game): PendingAction | undefined {
  const unanswered = [...game.pending].filter(({ deliveries }) =>
    deliveries.some(({ gameAction, state }) => gameAction.game === game && isWithGame(state))
  );
  return unanswered.length === 1 ? unanswered[0] : undefined;
}

function ignoreResult(game: Game, result: ResultMessage, ctx: StepContext): void {
  if (game.unregisteredActions.length > 0 && receiveUnregisteredResult(game, result, ctx)) return;
  const { id: whole, success } = result;
  const id = whole === undefined ? undefined : ownId(whole);
  const isOurs = id !== undefined && /^\d{13,}-\d{10,}$/.test(id);
  const why = !isOurs
    ? "unknown"
    : id === game.lastAnsweredId
    ? "twice"
    : pendingById(game.upstream.pendingActions, id) !== undefined
    ? "foreign"
    : "late";
  if (why === "late" && success) confirmed(game);
  if (why === "late" && !success && id !== undefined) restorePresumedForce(game, id, ctx);
  reportIgnored(game, why, result, ctx);
}
