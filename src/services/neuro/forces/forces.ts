/**
 * One force at a time: a second one breaks the first, so everybody else waits for the slot.
 *
 * Nobody ever says that a force was accepted, or is over: that is concluded from results and from names that go.
 *
 * Invariants: F1 at most one force is at Neuro; F2 a game has at most one force waiting, its newest; F3 every force ends once,
 * with its reason; F4 a slot that is `settling`, or `dying` with nothing owed, has a deadline.
 */
import type { ForceMessage, Priority } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import { FORCES_WAITING_MAX } from "../../../core/limits.ts";
import type { ForceEnd } from "../../../core/observation.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../outbound.ts";
import type { Force, Game, Upstream } from "../state.ts";
import { isLive, markStale, sync } from "../actions/actions.ts";
import { nextForce, PRIORITIES } from "./force-queue.ts";

/** How long Neuro may still come with an action of a force that is over. */
const ENDED_MS = 30_000;
const ENDED_MAX = 512;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

const slotTimer = (upstream: Upstream): string => `slot ${upstream.id}`;
const namesTimer = (upstream: Upstream): string => `names ${upstream.id}`;

/** A game asks Neuro to act. */
export function requestForce(game: Game, message: ForceMessage, ctx: StepContext): void {
  const { upstream } = game;
  const { forces } = upstream;
  const earlier = forces.waiting.get(game);
  if (earlier !== undefined) end(earlier, "replaced", ctx);
  const force = newForce(game, capped(message, game.policy.priority_max), ctx);
  game.interruptedForce = undefined;
  if (forces.waiting.size >= FORCES_WAITING_MAX) return noteEnd(force, "refused", ctx);
  if (!force.message.names.every((name) => isLive(game.actions.get(name)))) {
    force.awaitUntil = ctx.now + game.service.settings.actions.await_names;
    awaitNames(upstream, force.awaitUntil);
  }
  forces.waiting.set(game, force);
  game.service.unsavedRecords.add(game.forceRecord);
  game.service.mustSaveNow = true;
  if (forces.current?.isOverdue === true) giveUp(forces.current, ctx);
  openNext(upstream, ctx);
}

/** Gives the free slot to the next force, if there is one whose game is here. */
export function openNext(upstream: Upstream, ctx: StepContext): void {
  const { forces } = upstream;
  while (forces.current === undefined && upstream.isOpen && upstream.service.drainUntil === undefined) {
    const force = nextForce(upstream, ctx.now);
    if (force === undefined) return;
    forces.waiting.delete(force.game);
    open(force, ctx);
  }
}

/** The connection to Neuro is new: she has to be asked again. */
export function onLinkOpened(upstream: Upstream, ctx: StepContext): void {
  const { current } = upstream.forces;
  if (current?.is === "open") {
    current.asked = 1;
    current.isOverdue = false;
    current.askAgain = true;
    setTimer(current, ctx.now + upstream.service.settings.actions.force_timeout);
    askAgain(upstream, ctx);
  }
  openNext(upstream, ctx);
}

/** Neuro acts for this force: its game owes a result. */
export function onActionStarted(force: Force): void {
  force.owed++;
  force.isOverdue = false;
}

/** A result: whose, of which action, and for which force. */
export interface EndedAction {
  readonly game: Game;
  readonly name: string;
  readonly upstreamName: string;
  /** When the action was sent. */
  readonly since: Millis;
  readonly success: boolean;
  readonly force: Force | undefined;
  /** A person sent the action, not Neuro. */
  readonly isByHand: boolean;
  /** Neuro does not hear of it: the action was a person's, or of a connection before this one. */
  readonly isUntold: boolean;
}

/** A success ends the force of its game; a failure leaves it to Neuro to try again. */
export function onActionEnded(result: EndedAction, ctx: StepContext): void {
  const { game, name } = result;
  const { upstream } = game;
  const { current } = upstream.forces;
  if (result.force !== undefined) result.force.owed--;
  if (result.force !== undefined && result.isByHand) result.force.isByHand = false;
  if (result.isUntold && result.success) return satisfied(result, ctx);
  if (current !== undefined && current.game !== game && result.success) return mistaken(current, result.upstreamName, ctx);
  if (current === undefined || current.game !== game) return;
  if (result.success && current.is !== "settling" && current.message.names.includes(name)) return succeed(current, ctx);
  if (result.force !== current || current.owed > 0) return;
  const { actions } = upstream.service.settings;
  if (current.isWithheld) putBack(current, ctx);
  else if (current.is === "dying") setTimer(current, ctx.now + actions.settle);
  else if (current.is === "open") {
    setTimer(current, ctx.now + actions.force_timeout);
    askAgain(upstream, ctx);
  }
}

/** Neuro may take another game's success by the same name for the end of her force: to be sure, she is asked anew. */
function mistaken(slot: Force, upstreamName: string, ctx: StepContext): void {
  if (slot.is !== "open" || !slot.upstreamNames.includes(upstreamName)) return;
  slot.askAgain = true;
  withdraw(slot, ctx);
}

/** A game has done what its force asks for, though not for Neuro: she must not do it as well. */
function satisfied({ game, name, force, isByHand, since }: EndedAction, ctx: StepContext): void {
  const { current, waiting } = game.upstream.forces;
  const own = [current?.game === game ? current : undefined, isByHand ? waiting.get(game) : undefined];
  // Why: what a person sent before a game asked, or for what it asked before, is no answer to what it asks now.
  const asked = isByHand
    ? own.find((each) => force === undefined ? each !== undefined && each.askedAt <= since : each === force)
    : own[0];
  if (asked === undefined || asked.hasSucceeded || !asked.message.names.includes(name)) return;
  if (asked === current) conclude(current, "completed", ctx);
  else if (waiting.get(game) === asked) end(asked, "completed", ctx);
}

/** A person takes a force back. */
export function vetoForce(force: Force, ctx: StepContext): void {
  const { current } = force.game.upstream.forces;
  if (force === current) conclude(current, "cancelled", ctx);
  else end(force, "cancelled", ctx);
}

/** Neuro loses the force that she has. What she answers to it meanwhile is not done, so the slot is kept for a moment. */
function conclude(slot: Force, verdict: ForceEnd, ctx: StepContext): void {
  slot.hasSucceeded = true;
  slot.isWithheld = false;
  slot.isOverdue = false;
  slot.verdict = verdict;
  slot.is = "settling";
  slot.game.service.unsavedRecords.add(slot.game.forceRecord);
  slot.game.service.mustSaveNow = true;
  withdraw(slot, ctx);
  setTimer(slot, ctx.now + slot.game.service.settings.actions.settle);
}

function succeed(slot: Force, ctx: StepContext): void {
  slot.hasSucceeded = true;
  if (slot.names.size === 0) return finish(slot, "completed", ctx);
  slot.is = "settling";
  setTimer(slot, ctx.now + slot.game.service.settings.actions.settle);
}

/** A game took one of its names away. To be called before Neuro is told. */
export function onNameUnregistered(game: Game, name: string, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game || !current.names.delete(name) || current.names.size > 0) return;
  if (current.is === "open") current.is = "dying";
  if (current.owed === 0 || current.hasSucceeded) setTimer(current, ctx.now + game.service.settings.actions.settle);
}

/** A game changed one of its names; Neuro lost the force with the old definition. To be called before Neuro is told. */
export function onNameRedefined(game: Game, name: string): void {
  const { current } = game.upstream.forces;
  if (current?.game === game && current.is === "open" && current.names.has(name)) current.askAgain = true;
}

/** What a game's names are has changed, and Neuro knows. */
export function onActionsSynced(upstream: Upstream, ctx: StepContext): void {
  const { current } = upstream.forces;
  if (current?.is === "settling" && current.names.size === 0) finish(current, current.verdict ?? "completed", ctx);
  askAgain(upstream, ctx);
  openNext(upstream, ctx);
}

/** A game's session is over: its forces with it. To be called once Neuro was told which names are gone. */
export function cancelForces(game: Game, why: ForceEnd, ctx: StepContext): void {
  const { forces } = game.upstream;
  const waiting = forces.waiting.get(game);
  const slot = forces.current?.game === game ? forces.current : undefined;
  const unanswered = [waiting, slot].find((force) => force?.hasSucceeded === false && !force.wasDelivered);
  game.interruptedForce = why === "game gone" ? unanswered?.message : undefined;
  if (waiting !== undefined) end(waiting, why, ctx);
  if (slot !== undefined) finish(slot, slot.hasSucceeded ? slot.verdict ?? "completed" : why, ctx);
}

/** A game is held: its force goes back into the line. To be called once Neuro was told that the names are gone. */
export function onGameHeld(game: Game, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game) return;
  if (current.hasSucceeded) return finish(current, current.verdict ?? "completed", ctx);
  if (current.owed === 0) return putBack(current, ctx);
  current.is = "dying";
  current.isWithheld = true;
  current.names.clear();
  withdraw(current, ctx);
}

/** A game is not held any more, and Neuro has its names again. */
export function onGameResumed(game: Game, ctx: StepContext): void {
  const { current } = game.upstream.forces;
  if (current?.game !== game || !current.isWithheld) return;
  current.isWithheld = false;
  for (const name of current.message.names) if (isLive(game.actions.get(name))) current.names.add(name);
  if (current.names.size === 0) return;
  current.is = "open";
  current.askAgain = true;
  askAgain(game.upstream, ctx);
}

/** The slot is freed for others; its force waits until its game is not held any more. */
function putBack(slot: Force, ctx: StepContext): void {
  const { game, message } = slot;
  const { waiting } = game.upstream.forces;
  if (!waiting.has(game)) waiting.set(game, newForce(game, message, ctx));
  finish(slot, "held", ctx);
}

/** A game that is back, and did not start anew, may still wait for the force that it had to give up. */
export function restoreInterruptedForce(game: Game, ctx: StepContext): void {
  const message = game.interruptedForce;
  if (message !== undefined && !game.upstream.forces.waiting.has(game)) requestForce(game, message, ctx);
}

/** The slot's deadline has come. */
export function onForceTimer(upstream: Upstream, ctx: StepContext): void {
  const { current, waiting } = upstream.forces;
  if (current === undefined) return;
  if (current.is === "settling" || current.hasSucceeded) return finish(current, current.verdict ?? "completed", ctx);
  if (current.is === "dying") return current.owed === 0 ? finish(current, "names gone", ctx) : undefined;
  if (!upstream.isOpen || current.owed > 0) {
    return setTimer(current, ctx.now + upstream.service.settings.actions.force_timeout);
  }
  if (!current.isOverdue) ctx.observe({ is: "upstream_silent", upstream: upstream.id, ms: ctx.now - current.openedAt });
  current.isOverdue = true;
  if (waiting.size > 0) giveUp(current, ctx);
}

/** Forces that waited for names have waited long enough. */
export function onNamesTimer(upstream: Upstream, ctx: StepContext): void {
  let next: Millis | undefined;
  for (const { awaitUntil } of upstream.forces.waiting.values()) {
    if (awaitUntil !== undefined && awaitUntil > ctx.now && (next === undefined || awaitUntil < next)) next = awaitUntil;
  }
  if (next !== undefined) awaitNames(upstream, next);
  openNext(upstream, ctx);
}

/** True when a use of this name, which is gone, answers a force that is gone too: a failure would be tried again for ever. */
export function isOfEndedForce(upstream: Upstream, name: string, now: Millis): boolean {
  const { current, retiredNames } = upstream.forces;
  if (current?.upstreamNames.includes(name) === true) return current.names.size === 0;
  return (retiredNames.get(name) ?? 0) > now;
}

/** Nobody answers, and others wait: asks once more, then makes room and comes last. */
function giveUp(slot: Force, ctx: StepContext): void {
  const { game } = slot;
  const { upstream } = game;
  slot.isOverdue = false;
  if (slot.asked === 1) {
    slot.asked = 2;
    send(slot, ctx);
    return setTimer(slot, ctx.now + game.service.settings.actions.force_timeout);
  }
  if (!upstream.forces.waiting.has(game)) {
    upstream.forces.waiting.set(game, { ...newForce(game, slot.message, ctx), isLast: true });
  }
  finish(slot, "expired", ctx);
}

function open(force: Force, ctx: StepContext): void {
  const { game, message } = force;
  sync(game.upstream, ctx);
  for (const name of message.names) if (isLive(game.actions.get(name))) force.names.add(name);
  noteUnknown(force, ctx);
  if (force.names.size === 0) return end(force, "names gone", ctx);
  game.upstream.forces.current = force;
  game.lastForcedAt = ctx.now;
  force.is = "open";
  force.openedAt = ctx.now;
  send(force, ctx);
  setTimer(force, ctx.now + game.service.settings.actions.force_timeout);
  const { query, names, priority } = message;
  const waited = ctx.now - force.askedAt;
  const { id } = force;
  ctx.observe({ is: "force_opened", id, integration: game.name, slug: game.slug, query, names, priority, waited });
}

/** Names that were not registered when the force came, and are not yet: its developer is told, once. */
function noteUnknown({ game, message, names, awaitUntil }: Force, ctx: StepContext): void {
  const what = "force of unknown names";
  const unknown = message.names.filter((name) => !names.has(name));
  if (awaitUntil === undefined || unknown.length === 0 || game.reportedRepairs.has(what)) return;
  game.reportedRepairs.add(what);
  const hint = `register an action before you force it; not registered: ${unknown.join(", ").slice(0, NAMES_TEXT_MAX)}`;
  ctx.observe({ is: "input_repaired", from: game.name, what, hint });
}

/** Asks Neuro again, once nothing of the force is owed: a game must not be asked twice. */
function askAgain(upstream: Upstream, ctx: StepContext): void {
  const { current } = upstream.forces;
  if (current === undefined || !current.askAgain || current.is !== "open" || current.owed > 0 || !upstream.isOpen) return;
  current.askAgain = false;
  sync(upstream, ctx);
  for (const name of current.names) if (!isLive(current.game.actions.get(name))) current.names.delete(name);
  if (current.names.size === 0) return finish(current, "names gone", ctx);
  send(current, ctx);
}

function send({ game, message, names, upstreamNames }: Force, ctx: StepContext): void {
  upstreamNames.length = 0;
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned !== undefined) upstreamNames.push(owned.upstreamAction.name);
  }
  const query = game.service.settings.actions.attribution ? `[${game.name}] ${message.query}` : message.query;
  toNeuro(game.upstream, { ...message, query, names: [...upstreamNames], from: game.name }, ctx);
}

/** The slot is free. */
function finish(slot: Force, why: ForceEnd, ctx: StepContext): void {
  const { upstream } = slot.game;
  if (why !== "completed" && slot.verdict === undefined) withdraw(slot, ctx);
  upstream.forces.current = undefined;
  upstream.service.timers.clear(slotTimer(upstream));
  end(slot, why, ctx);
  openNext(upstream, ctx);
}

/** A force that nobody completed stays open at Neuro for as long as she has one of its names, be it another game's as well. */
function withdraw({ game: { upstream }, upstreamNames }: Force, ctx: StepContext): void {
  const kept = upstreamNames.flatMap((name) => upstream.actions.get(name) ?? []).filter(({ isRegistered }) => isRegistered);
  markStale(upstream, kept);
  sync(upstream, ctx);
}

function end(force: Force, why: ForceEnd, ctx: StepContext): void {
  const { game, upstreamNames } = force;
  const { forces, actions } = game.upstream;
  if (forces.waiting.get(game) === force) forces.waiting.delete(game);
  for (const name of upstreamNames) {
    if (actions.get(name)?.isRegistered === true) continue;
    forces.retiredNames.delete(name);
    forces.retiredNames.set(name, ctx.now + ENDED_MS);
  }
  for (const oldest of forces.retiredNames.keys()) {
    if (forces.retiredNames.size <= ENDED_MAX) break;
    forces.retiredNames.delete(oldest);
  }
  game.service.unsavedRecords.add(game.forceRecord);
  noteEnd(force, why, ctx);
}

const noteEnd = ({ id, game, askedAt }: Force, end: ForceEnd, ctx: StepContext): void =>
  ctx.observe({ is: "force_ended", id, integration: game.name, slug: game.slug, end, ms: ctx.now - askedAt });

const setTimer = ({ game }: Force, at: Millis): void => game.service.timers.set(slotTimer(game.upstream), at);

function awaitNames(upstream: Upstream, until: Millis): void {
  const { timers } = upstream.service;
  const current = timers.get(namesTimer(upstream));
  if (current === undefined || until < current) timers.set(namesTimer(upstream), until);
}

const capped = (message: ForceMessage, priorityMax: Priority): ForceMessage =>
  PRIORITIES.indexOf(message.priority) > PRIORITIES.indexOf(priorityMax) ? { ...message, priority: priorityMax } : message;

const newForce = (game: Game, message: ForceMessage, ctx: StepContext): Force => ({
  id: ctx.id(),
  game,
  message,
  askedAt: ctx.now,
  is: "waiting",
  awaitUntil: undefined,
  openedAt: 0,
  names: new Set(),
  upstreamNames: [],
  owed: 0,
  wasDelivered: false,
  hasSucceeded: false,
  asked: 1,
  isOverdue: false,
  isLast: false,
  askAgain: false,
  isWithheld: false,
  isByHand: false,
  verdict: undefined,
});
