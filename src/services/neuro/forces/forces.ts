/**
 * Forces: Neuro has one at a time, all others wait.
 *
 * No message says that Neuro accepted a force or that it is over. Both follow from results and from names that are unregistered;
 * `transition.ts` says how. This file dispatches events to forces and runs the resulting tasks.
 *
 * Invariants: F1 at most one force is at Neuro; F2 a game has at most one waiting force, its newest; F3 every force ends once, with
 * a reason; F4 a force that is `settling`, `revoked` or `closing` has a timer.
 */
import type { ForceMessage, Priority } from "../../../core/neuro-messages.ts";
import { assertNever } from "../../../core/assert.ts";
import type { Millis } from "../../../core/ids.ts";
import { FORCES_WAITING_MAX } from "../../../core/limits.ts";
import { failed, type Failure } from "../../../core/result.ts";
import { retainedBytes } from "../../../core/retained-bytes.ts";
import type { ForceEnd } from "../../../core/observation.ts";
import type { StepContext } from "../../../core/context.ts";
import { shorten } from "../../../core/text.ts";
import type { TraceStepName } from "../../../core/traces/trace.ts";
import { isAwaited, isLive, markStale, sync } from "../actions/actions.ts";
import { flushChanges } from "../actions/debounce.ts";
import { diagnose, reportRefusal } from "../diagnostics/diagnose.ts";
import { toNeuro } from "../outbound.ts";
import { permissionFor } from "../policy.ts";
import { sendEarlierContexts } from "../upstream/contexts.ts";
import { type Force, forceRecordOf, type Forces, type Game, type Timer, type Upstream } from "../state.ts";
import { addStep, newStep, repairSteps } from "../traces/make-record.ts";
import { traceForce } from "../traces/trace.ts";
import { isReady, nextForce, PRIORITIES, urgencyOf } from "./force-queue.ts";
import type { ForceEvent, ForceRank, ForceStateName, ForceTask, SentForce } from "./states.ts";
import { waitReason } from "./wait-reason.ts";
import { isDone, sentForceOf, transition } from "./transition.ts";

/** Neuro may use a name of an ended force for this long. */
const RETIRED_MS = 30_000;
const RETIRED_MAX = 512;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;
/** Characters of the message of a failure. */
const FAILURE_TEXT_MAX = 200;

const forceTimer = ({ id }: Upstream): Timer => ({ is: "current_force", upstream: id });
const namesTimer = ({ id }: Upstream): Timer => ({ is: "force_names", upstream: id });

/** A game sent a force. */
export function requestForce(game: Game, message: ForceMessage, ctx: StepContext): void {
  const { upstream } = game;
  const { forces } = upstream;
  flushChanges(game, ctx);
  const earlier = forces.waiting.get(game);
  if (earlier !== undefined) dispatch(earlier, { is: "replaced" }, ctx);
  keepInterruptedForce(game, undefined);
  keepPresumedForce(game, undefined);
  const limited = limitPriority(message, game.policy.priority_max);
  const bytes = forceBytes(limited);
  const refusal = forceRefusal(game, bytes);
  const awaitNamesUntil = refusal !== undefined ? undefined : awaitNames(game, limited, ctx.now);
  const force = newForce(game, limited, { rank: "by_priority", awaitNamesUntil }, ctx);
  if (refusal !== undefined) {
    reportRefusal(game, "limit_reached", { ...refusal, reason: `force: ${refusal.reason}`, message }, ctx);
    return dispatch(force, { is: "refused" }, ctx);
  }
  addWaiting(force, bytes);
  saveSoon(game);
  replaceCurrent(upstream, ctx);
  preemptCurrent(upstream, ctx);
  if (othersWait(forces)) dispatchToCurrent(upstream, { is: "others_wait" }, ctx);
  openNext(upstream, ctx);
  traceWait(force, ctx);
}

/** Why a new force is not open at once. */
function traceWait({ game, message, state, steps }: Force, ctx: StepContext): void {
  const reason = state.is === "waiting" ? waitReason(game, message, state) : null;
  if (reason !== null) addStep(steps, newStep(ctx, "waiting", null, reason));
}

/** A force without the texts of its message. */
const FORCE_BYTES = 1_024;

const forceBytes = (message: ForceMessage): number => FORCE_BYTES + retainedBytes(message);

/** The limit that one more force would exceed. */
function forceRefusal({ upstream: { forces }, retained, service }: Game, bytes: number): Failure | undefined {
  return forces.waiting.size >= FORCES_WAITING_MAX
    ? failed("queueFull", `${forces.waiting.size} forces wait for Neuro already, and at most that many may`)
    : retained.refusal(bytes, service.settings.limits);
}

/** The force waits for its turn. Its game is charged for it until it leaves. */
function addWaiting(force: Force, bytes: number): void {
  const { game } = force;
  game.upstream.forces.waiting.set(game, force);
  game.retained.charge(bytes);
  force.bytes = bytes;
}

/** A game's newer force replaces the one that Neuro has. */
function replaceCurrent(upstream: Upstream, ctx: StepContext): void {
  const { current, waiting } = upstream.forces;
  const newer = current === undefined ? undefined : waiting.get(current.game);
  if (newer === undefined || !isReady(newer, ctx.now) || !canAsk(upstream)) return;
  dispatchToCurrent(upstream, { is: "superseded" }, ctx);
}

/** A `critical` force takes the place of the one that Neuro has, if its policy allows it and it is the next one. */
function preemptCurrent(upstream: Upstream, ctx: StepContext): void {
  const { current, waiting } = upstream.forces;
  if (current === undefined || waiting.size === 0 || !waiting.values().some(canPreempt)) return;
  const sent = sentForceOf(current.state);
  const next = sent === undefined ? undefined : nextForce(upstream, ctx.now);
  if (next === undefined || next.game === current.game || !canPreempt(next) || !canAsk(upstream)) return;
  // Why the urgency that it was opened with: a force that had to wait for long enough keeps its turn, so no flood of forces can starve it.
  if (urgencyOf(next, ctx.now) <= urgencyOf(current, sent?.openedAt ?? ctx.now)) return;
  dispatch(current, { is: "preempted" }, ctx);
}

const canPreempt = ({ game, message }: Force): boolean => message.priority === "critical" && game.policy.critical_preempts;

const canAsk = ({ isOpen, trial, service }: Upstream): boolean =>
  isOpen && trial === undefined && service.drain.is === "none";

/** A force of another game waits behind the current force. */
const othersWait = ({ current, waiting }: Forces): boolean =>
  waiting.size > (current !== undefined && waiting.has(current.game) ? 1 : 0);

/** Until when the force waits for names that are not registered; undefined if all are. */
function awaitNames(game: Game, { names }: ForceMessage, now: Millis): Millis | undefined {
  if (!names.some((name) => isAwaited(game, name))) return undefined;
  const until = now + game.service.settings.actions.await_names;
  setNamesTimer(game.upstream, until);
  return until;
}

/** While Neuro has no force: opens the next one whose game is connected. */
export function openNext(upstream: Upstream, ctx: StepContext): void {
  const { forces } = upstream;
  while (forces.current === undefined && canAsk(upstream)) {
    const force = nextForce(upstream, ctx.now);
    if (force === undefined) return;
    forces.waiting.delete(force.game);
    open(force, 1, ctx);
  }
}

function open(force: Force, attempt: 1 | 2, ctx: StepContext): void {
  const { game, message } = force;
  sync(game.upstream, ctx);
  const names = new Set(message.names.filter((name) => isLive(game.actions.get(name))));
  reportMissingNames(force, names, ctx);
  dispatch(force, { is: "selected", sent: { openedAt: ctx.now, attempt, names, upstreamNames: [] } }, ctx);
  if (game.upstream.forces.current !== force) return;
  const { query, priority } = message;
  const waited = ctx.now - force.requestedAt;
  const { id } = force;
  ctx.observe({
    is: "force_opened",
    id,
    integration: game.name,
    slug: game.slug,
    query,
    names: message.names,
    priority,
    waited,
  });
}

/**
 * Tells the developer which names of a force were not registered when it came and still are not, and which ones the policy of the game
 * keeps from Neuro.
 */
function reportMissingNames(
  { id: trace, game, message, state }: Force,
  names: ReadonlySet<string>,
  ctx: StepContext,
): void {
  if (names.size === message.names.length) return;
  const missing = message.names.filter((name) => !names.has(name));
  const unknown = missing.filter((name) => permissionFor(game.policy, name) === "shown");
  const report = (id: "force_names_unknown" | "force_names_withheld", reported: readonly string[]): void => {
    if (reported.length === 0) return;
    diagnose(game, id, { detail: reported.join(", ").slice(0, NAMES_TEXT_MAX), message, trace }, ctx);
  };
  if (state.is === "waiting" && state.awaitNamesUntil !== undefined) report("force_names_unknown", unknown);
  report("force_names_withheld", missing.filter((name) => !unknown.includes(name)));
}

/** The connection to Neuro is new: she is asked again. */
export function onLinkOpened(upstream: Upstream, ctx: StepContext): void {
  dispatchToCurrent(upstream, { is: "link_opened" }, ctx);
  onActionsSynced(upstream, ctx);
}

/** An action that ended, with the fields that forces need. */
export interface EndedAction {
  readonly game: Game;
  readonly name: string;
  readonly upstreamName: string;
  readonly startedAt: Millis;
  readonly success: boolean;
  /** Its message, if it failed. */
  readonly failure: string | undefined;
  /** The force that the action was for. */
  readonly force: Force | undefined;
  /** A person sent the action. */
  readonly isManual: boolean;
  /** No result arrived: a later message of the game showed that the action is over. */
  readonly isPresumed: boolean;
  /** Neuro knows the outcome. She does not get those of a person's actions, of an earlier connection, and of actions answered early. */
  readonly isReported: boolean;
}

/** Until when Neuro has time to answer the force; undefined while she does not have it. */
export const answerDeadline = ({ game: { upstream }, state }: Force): Millis | undefined =>
  sentForceOf(state) === undefined ? undefined : upstream.service.timers.get(forceTimer(upstream));

/** True if a force waits, or Neuro has one. */
export const hasForces = ({ forces: { current, waiting } }: Upstream): boolean => current !== undefined || waiting.size > 0;

/** A success ends the force of its game; after a failure Neuro may try again. */
export function onActionEnded(ended: EndedAction, ctx: StepContext): void {
  const { game, upstreamName, success, force, isPresumed, isReported } = ended;
  const { current } = game.upstream.forces;
  if (!success) {
    if (force !== undefined) {
      force.failures++;
      force.lastFailure = shorten(ended.failure ?? "", FAILURE_TEXT_MAX);
      dispatch(force, { is: "failed" }, ctx);
    }
    return giveUpIfLast(game.upstream, ctx);
  }
  // Why not the names of the game's message: Neuro was given only those that were registered.
  const isAnswer = isReported && current !== undefined &&
    sentForceOf(current.state)?.upstreamNames.includes(upstreamName) === true;
  if (isAnswer) {
    // Why not every force of the game: after an action that is presumed to be over, it asked for another answer.
    const isOwn = current.game === game && (!isPresumed || current === force);
    return dispatch(current, { is: isOwn ? "succeeded" : "foreign_success" }, ctx);
  }
  const satisfied = satisfiedForce(ended);
  if (satisfied !== undefined) dispatch(satisfied, { is: "satisfied" }, ctx);
}

/** Neuro makes no further attempt: her time is over, or the built-in Neuro has dropped the force after its maximum of attempts. */
function giveUpIfLast(upstream: Upstream, ctx: StepContext): void {
  const { decider, forces, isOpen } = upstream;
  if (forces.current?.state.is !== "retrying") return;
  const isOver = decider === undefined ? isOpen && ctx.now >= forces.answerBy : decider.force === undefined;
  if (isOver) dispatchToCurrent(upstream, { is: "given_up", othersWait: othersWait(forces) }, ctx);
}

/** The force that a success has answered without Neuro, who must not answer it, too. */
function satisfiedForce(
  { game, name, force, isManual, isPresumed, isReported, startedAt }: EndedAction,
): Force | undefined {
  const { current, waiting } = game.upstream.forces;
  const own = current?.game === game ? current : undefined;
  if (!isManual && !isReported && !isPresumed) return own?.message.names.includes(name) === true ? own : undefined;
  const candidates = [own, waiting.get(game)].filter((each) => each !== undefined);
  // Why: an action from before this force, or for an earlier one, does not answer it.
  const isForAny = force === undefined && !isPresumed;
  const answered = candidates.find((each) => isForAny ? each.requestedAt <= startedAt : each === force);
  return answered?.message.names.includes(name) === true ? answered : undefined;
}

/** The backend rejects the force that it has, or it is too large for it. */
export function refuseCurrentForce({ forces: { current } }: Upstream, ctx: StepContext): void {
  if (current !== undefined) dispatch(current, { is: "cancelled", end: "refused" }, ctx);
}

/** A person cancels a force. */
export function vetoForce(force: Force, ctx: StepContext): void {
  dispatch(force, { is: "vetoed" }, ctx);
}

/** An action for this force is on its way to its game. */
export function onActionStarted(
  force: Force,
  { by, action }: { readonly by: "neuro" | "person"; readonly action: string },
  ctx: StepContext,
): void {
  addStep(force.steps, newStep(ctx, "answered", by === "neuro" ? force.game.upstream.id : "operator", action));
  dispatch(force, { is: "action_started", by }, ctx);
}

/** The game got an action for its force. */
export function onActionDelivered(force: Force): void {
  force.deliveries++;
  saveSoon(force.game);
}

/** The game may not have got an action for its force, so the force is asked again if no result comes. */
export function onDeliveryDoubted(force: Force): void {
  force.deliveries--;
  saveSoon(force.game);
}

/** A game unregisters one of its names. Call this before Neuro gets the unregistration. */
export function onNameUnregistered(game: Game, name: string, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game) return;
  const names = sentForceOf(current.state)?.names;
  if (names?.delete(name) === true && names.size === 0) dispatch(current, { is: "names_gone" }, ctx);
}

/** A game changed the definition of one of its names: Neuro loses the force with the old one. Call this before she gets the new one. */
export function onNameRedefined(game: Game, name: string, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game || sentForceOf(current.state)?.names.has(name) !== true) return;
  dispatch(current, { is: "redefined" }, ctx);
}

/** The registered actions may have changed, and the changes were sent to Neuro. */
export function onActionsSynced(upstream: Upstream, ctx: StepContext): void {
  if (!hasForces(upstream)) return;
  replaceCurrent(upstream, ctx);
  preemptCurrent(upstream, ctx);
  dispatchToCurrent(upstream, { is: "actions_synced", isConnected: upstream.isOpen }, ctx);
  openNext(upstream, ctx);
}

/** A game's session is over, so its forces end. Call this after the unregistrations were sent to Neuro. */
export function cancelForces(game: Game, why: ForceEnd, ctx: StepContext): void {
  const { forces } = game.upstream;
  const own = [forces.waiting.get(game), forces.current?.game === game ? forces.current : undefined]
    .filter((force) => force !== undefined);
  keepInterruptedForce(game, why === "game_gone" ? own.find(isUnanswered)?.message : undefined);
  if (why === "cancelled") keepPresumedForce(game, undefined);
  for (const force of own) dispatch(force, { is: "cancelled", end: why }, ctx);
}

/** Keeps the force that ended when its game left, or forgets the one that was kept. */
export function keepInterruptedForce(game: Game, message: ForceMessage | undefined): void {
  const { interruptedForce: before, retained } = game;
  if (before !== undefined) retained.release(forceBytes(before));
  if (message !== undefined) retained.charge(forceBytes(message));
  game.interruptedForce = message;
}

/** Keeps a force that was completed by an action without a result, or forgets the one that was kept. */
export function keepPresumedForce(game: Game, presumed: Game["presumedForce"]): void {
  const { presumedForce: before, retained } = game;
  if (before !== undefined) retained.release(forceBytes(before.message));
  if (presumed !== undefined) retained.charge(forceBytes(presumed.message));
  game.presumedForce = presumed;
}

/** True if its game does not wait for the force any more: it has sent a newer one, or the force was cancelled. */
export const isWithdrawn = ({ game, state }: Force): boolean =>
  game.upstream.forces.waiting.has(game) ||
  (state.is === "ended" && (state.end === "replaced" || state.end === "cancelled"));

/** A failure came too late: the game still waits for the force that the action had completed, and expects another try. */
export function restorePresumedForce(game: Game, action: string, ctx: StepContext): void {
  const { presumedForce: presumed } = game;
  if (presumed?.action !== action || game.upstream.forces.waiting.has(game)) return;
  requestForce(game, presumed.message, ctx);
}

/** True while the force has no answer, so that Neuro may be asked after its game reconnects, or after a restart. */
export const isUnanswered = ({ state, deliveries }: Force): boolean => deliveries === 0 && !isDone(state);

/** A game is held. Call this after the unregistrations of its names were sent to Neuro. */
export function onGameHeld(game: Game, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game === game) dispatch(current, { is: "held" }, ctx);
}

/** A game is not held any more, and Neuro has its names again. */
export function onGameResumed(game: Game, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game || current.state.is !== "suspended") return;
  const names = new Set(current.message.names.filter((name) => isLive(game.actions.get(name))));
  dispatch(current, { is: "resumed", names }, ctx);
}

/** A game that returned without `startup` may still wait for the force that was cancelled when it left. */
export function restoreInterruptedForce(game: Game, ctx: StepContext): void {
  const message = game.interruptedForce;
  if (message !== undefined && !game.upstream.forces.waiting.has(game)) requestForce(game, message, ctx);
}

/** The timer of the current force has expired. */
export function onForceTimer(upstream: Upstream, ctx: StepContext): void {
  // Why: another timer of the same tick may have ended that force, and this is the next one's.
  if (upstream.service.timers.get(forceTimer(upstream)) !== undefined) return;
  const event = { is: "timer", isConnected: upstream.isOpen, othersWait: othersWait(upstream.forces) } as const;
  dispatchToCurrent(upstream, event, ctx);
}

/** The wait of some forces for unregistered names has expired. */
export function onNamesTimer(upstream: Upstream, ctx: StepContext): void {
  let next: Millis | undefined;
  for (const { state } of upstream.forces.waiting.values()) {
    const until = state.is === "waiting" || state.is === "claimed" ? state.awaitNamesUntil : undefined;
    if (until !== undefined && until > ctx.now && (next === undefined || until < next)) next = until;
  }
  if (next !== undefined) setNamesTimer(upstream, next);
  replaceCurrent(upstream, ctx);
  preemptCurrent(upstream, ctx);
  openNext(upstream, ctx);
}

/**
 * True if an action by this unregistered name may also answer an ended force. Neuro would repeat it without end after a failure.
 */
export function isOfEndedForce({ forces }: Upstream, name: string, now: Millis): boolean {
  const sent = forces.current === undefined ? undefined : sentForceOf(forces.current.state);
  if (sent?.upstreamNames.includes(name) === true) return sent.names.size === 0;
  return (forces.retiredNames.get(name) ?? 0) > now;
}

/** Names by which Neuro can answer a game's force now. */
export function openNamesOf(game: Game): readonly string[] {
  const { current } = game.upstream.forces;
  return current?.game === game ? [...sentForceOf(current.state)?.names ?? []] : [];
}

function dispatchToCurrent({ forces: { current } }: Upstream, event: ForceEvent, ctx: StepContext): void {
  if (current !== undefined) dispatch(current, event, ctx);
}

function dispatch(force: Force, event: ForceEvent, ctx: StepContext): void {
  const before = force.state;
  const { to, tasks } = transition(before, event);
  force.state = to;
  const step = to.is === before.is ? undefined : STEPS[to.is];
  if (step !== undefined) addStep(force.steps, newStep(ctx, step));
  // Why also the previous state: an ended force has no names, but Neuro still has to lose them.
  const sent = sentForceOf(to) ?? sentForceOf(before);
  for (const task of tasks) carryOut(force, task, sent, ctx);
}

/** The steps of a trace that are states of its force. The others are added where they happen. */
const STEPS: Readonly<Record<ForceStateName, TraceStepName | undefined>> = {
  waiting: "waiting",
  claimed: undefined,
  open: undefined,
  overdue: "overdue",
  answering: undefined,
  retrying: "retrying",
  settling: "settling",
  revoked: "revoked",
  closing: "closing",
  draining: "draining",
  suspended: "suspended",
  ended: undefined,
};

function carryOut(force: Force, task: ForceTask, sent: SentForce | undefined, ctx: StepContext): void {
  const { game } = force;
  const { upstream } = game;
  const { actions } = game.service.settings;
  switch (task) {
    case "occupy":
      upstream.forces.current = force;
      game.lastForcedAt = ctx.now;
      return;
    case "ask":
      return ask(force, sent, ctx);
    case "ask_again":
      return askAgain(force, sent, ctx);
    case "withdraw":
      return withdraw(upstream, sent, ctx);
    case "set_settle_timer":
      return game.service.timers.set(forceTimer(upstream), ctx.now + actions.settle);
    case "set_answer_timer":
      upstream.forces.answerBy = ctx.now + actions.force_timeout;
      return game.service.timers.set(forceTimer(upstream), upstream.forces.answerBy);
    case "resume_answer_timer":
      return game.service.timers.set(forceTimer(upstream), Math.max(ctx.now, upstream.forces.answerBy));
    case "set_retry_timer": {
      const retryBy = Math.min(ctx.now + actions.retry_timeout, Math.max(ctx.now, upstream.forces.answerBy));
      return game.service.timers.set(forceTimer(upstream), retryBy);
    }
    case "save":
      return saveSoon(game);
    case "report_silence": {
      const ms = ctx.now - (sent?.openedAt ?? ctx.now);
      return ctx.observe({ is: "upstream_silent", upstream: upstream.id, ms });
    }
    case "requeue":
      return requeue(force, "by_priority", ctx);
    case "requeue_last":
      return requeue(force, "last", ctx);
    case "hand_over":
      return handOver(force, sent, ctx);
    case "leave":
      return leave(force, sent, ctx) ? openNext(upstream, ctx) : undefined;
    default:
      return assertNever(task);
  }
}

function ask({ id, game, message, steps }: Force, sent: SentForce | undefined, ctx: StepContext): void {
  if (sent === undefined) return;
  const { names, upstreamNames } = sent;
  upstreamNames.length = 0;
  for (const name of names) {
    const action = game.actions.get(name);
    if (action !== undefined) upstreamNames.push(action.upstreamAction.name);
  }
  const query = game.service.settings.actions.attribution ? `[${game.name}] ${message.query}` : message.query;
  sendEarlierContexts(game.upstream, game.key, id, ctx);
  toNeuro(game.upstream, { ...message, query, names: [...upstreamNames], from: game.name, trace: id }, game.name, ctx);
  addStep(steps, newStep(ctx, "sent", game.upstream.id));
}

function askAgain(force: Force, sent: SentForce | undefined, ctx: StepContext): void {
  const { game } = force;
  sync(game.upstream, ctx);
  for (const name of sent?.names ?? []) if (!isLive(game.actions.get(name))) sent?.names.delete(name);
  if (sent?.names.size === 0) dispatch(force, { is: "not_repeatable" }, ctx);
  else ask(force, sent, ctx);
}

/** An incomplete force stays open at Neuro as long as she has one of its names, even from another game. */
function withdraw(upstream: Upstream, sent: SentForce | undefined, ctx: StepContext): void {
  const registered = (sent?.upstreamNames ?? []).flatMap((name) => upstream.actions.get(name) ?? [])
    .filter(({ isRegistered }) => isRegistered);
  markStale(upstream, registered);
  sync(upstream, ctx);
}

function requeue({ id, game, message, requestedAt: since }: Force, rank: ForceRank, ctx: StepContext): void {
  const { waiting } = game.upstream.forces;
  if (waiting.has(game)) return;
  const requestedAt = rank === "by_priority" ? since : ctx.now;
  const again = newForce(game, message, { rank, awaitNamesUntil: undefined, previous: id, requestedAt }, ctx);
  addWaiting(again, forceBytes(message));
  traceWait(again, ctx);
}

function handOver(force: Force, sent: SentForce | undefined, ctx: StepContext): void {
  const { upstream } = force.game;
  const { forces, service: { timers } } = upstream;
  const { answerBy } = forces;
  const hasTimer = timers.get(forceTimer(upstream)) !== undefined;
  leave(force, sent, ctx);
  const newer = forces.waiting.get(force.game);
  if (newer !== undefined) {
    forces.waiting.delete(force.game);
    open(newer, sent?.attempt ?? 1, ctx);
    // Why: otherwise a game could renew the time by repeating its force, and no other game would get a turn.
    if (forces.current === newer && hasTimer) {
      forces.answerBy = answerBy;
      timers.set(forceTimer(upstream), Math.max(ctx.now, answerBy));
    }
  }
  openNext(upstream, ctx);
}

/** True if Neuro has no force now. */
function leave(force: Force, sent: SentForce | undefined, ctx: StepContext): boolean {
  const { game, state } = force;
  const { upstream } = game;
  const { forces } = upstream;
  const wasCurrent = forces.current === force;
  if (wasCurrent) {
    forces.current = undefined;
    game.service.timers.clear(forceTimer(upstream));
  }
  if (forces.waiting.get(game) === force) forces.waiting.delete(game);
  game.retained.release(force.bytes);
  force.bytes = 0;
  retireNames(upstream, sent?.upstreamNames ?? [], ctx.now);
  game.service.unsavedRecords.add(forceRecordOf(game));
  if (state.is === "ended") observeEnd(force, state.end, ctx);
  return wasCurrent;
}

/** Unregistered names of an ended force: Neuro may still send an action by one of them. */
function retireNames({ forces: { retiredNames }, actions }: Upstream, names: readonly string[], now: Millis): void {
  for (const name of names) {
    if (actions.get(name)?.isRegistered === true) continue;
    retiredNames.delete(name);
    retiredNames.set(name, now + RETIRED_MS);
  }
  for (const oldest of retiredNames.keys()) {
    if (retiredNames.size <= RETIRED_MAX) break;
    retiredNames.delete(oldest);
  }
}

function observeEnd(force: Force, end: ForceEnd, ctx: StepContext): void {
  const { id, game, requestedAt } = force;
  const ms = ctx.now - requestedAt;
  ctx.observe({ is: "force_ended", id, integration: game.name, slug: game.slug, end, ms });
  traceForce(force, end, ctx);
}

/** The record of a game's force is written in this step. Why: games do not repeat a force, and Neuro must not get the same force twice. */
function saveSoon(game: Game): void {
  game.service.unsavedRecords.add(forceRecordOf(game));
  game.service.mustSaveNow = true;
}

function setNamesTimer(upstream: Upstream, until: Millis): void {
  upstream.service.timers.setEarlier(namesTimer(upstream), until);
}

const limitPriority = (message: ForceMessage, priorityMax: Priority): ForceMessage =>
  PRIORITIES.indexOf(message.priority) > PRIORITIES.indexOf(priorityMax) ? { ...message, priority: priorityMax } : message;

const newForce = (
  game: Game,
  message: ForceMessage,
  { previous, requestedAt, ...wait }: {
    readonly rank: ForceRank;
    readonly awaitNamesUntil: Millis | undefined;
    readonly previous?: string;
    readonly requestedAt?: Millis;
  },
  ctx: StepContext,
): Force => ({
  id: ctx.id(),
  game,
  message,
  requestedAt: requestedAt ?? ctx.now,
  state: { is: "waiting", ...wait },
  bytes: 0,
  failures: 0,
  lastFailure: undefined,
  deliveries: 0,
  previous,
  steps: repairSteps(message, ctx) ?? [],
});
