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
import { toNeuro } from "../speech.ts";
import type { Force, Game, Upstream } from "../state.ts";
import { isLive, renew, sync } from "../actions/actions.ts";
import { next, PRIORITIES } from "./line.ts";

/** How long Neuro may still come with an action of a force that is over. */
const ENDED_MS = 30_000;
const ENDED_MAX = 512;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

const slotTimer = (upstream: Upstream): string => `slot ${upstream.id}`;
const namesTimer = (upstream: Upstream): string => `names ${upstream.id}`;

/** A game asks Neuro to act. */
export function ask(game: Game, message: ForceMessage, ctx: StepContext): void {
  const { upstream } = game;
  const { forces } = upstream;
  const earlier = forces.waiting.get(game);
  if (earlier !== undefined) end(earlier, "replaced", ctx);
  const force = newForce(game, capped(message, game.policy.priority_max), ctx);
  game.lostForce = undefined;
  if (forces.waiting.size >= FORCES_WAITING_MAX) return noteEnd(force, "refused", ctx);
  if (!force.message.names.every((name) => isLive(game.actions.get(name)))) {
    force.awaitUntil = ctx.now + game.room.settings.actions.await_names;
    awaitNames(upstream, force.awaitUntil);
  }
  forces.waiting.set(game, force);
  game.room.unsaved.add(game.forceRecord);
  game.room.isUrgent = true;
  if (forces.slot?.isOverdue === true) giveUp(forces.slot, ctx);
  pump(upstream, ctx);
}

/** Gives the free slot to the next force, if there is one whose game is here. */
export function pump(upstream: Upstream, ctx: StepContext): void {
  const { forces } = upstream;
  while (forces.slot === undefined && upstream.isOpen && upstream.room.drainUntil === undefined) {
    const force = next(upstream, ctx.now);
    if (force === undefined) return;
    forces.waiting.delete(force.game);
    open(force, ctx);
  }
}

/** The connection to Neuro is new: she has to be asked again. */
export function reopen(upstream: Upstream, ctx: StepContext): void {
  const { slot } = upstream.forces;
  if (slot?.is === "open") {
    slot.asked = 1;
    slot.isOverdue = false;
    slot.askAgain = true;
    setTimer(slot, ctx.now + upstream.room.settings.actions.force_timeout);
    askAgain(upstream, ctx);
  }
  pump(upstream, ctx);
}

/** Neuro acts for this force: its game owes a result. */
export function owes(force: Force): void {
  force.owed++;
  force.isOverdue = false;
}

/** A result: whose, of which action, and for which force. */
export interface Answered {
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
export function resulted(result: Answered, ctx: StepContext): void {
  const { game, name } = result;
  const { upstream } = game;
  const { slot } = upstream.forces;
  if (result.force !== undefined) result.force.owed--;
  if (result.force !== undefined && result.isByHand) result.force.isByHand = false;
  if (result.isUntold && result.success) return satisfied(result, ctx);
  if (slot !== undefined && slot.game !== game && result.success) return mistaken(slot, result.upstreamName, ctx);
  if (slot === undefined || slot.game !== game) return;
  if (result.success && slot.is !== "settling" && slot.message.names.includes(name)) return succeed(slot, ctx);
  if (result.force !== slot || slot.owed > 0) return;
  const { actions } = upstream.room.settings;
  if (slot.isWithheld) putBack(slot, ctx);
  else if (slot.is === "dying") setTimer(slot, ctx.now + actions.settle);
  else if (slot.is === "open") {
    setTimer(slot, ctx.now + actions.force_timeout);
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
function satisfied({ game, name, force, isByHand, since }: Answered, ctx: StepContext): void {
  const { slot, waiting } = game.upstream.forces;
  const own = [slot?.game === game ? slot : undefined, isByHand ? waiting.get(game) : undefined];
  // Why: what a person sent before a game asked, or for what it asked before, is no answer to what it asks now.
  const asked = isByHand
    ? own.find((each) => force === undefined ? each !== undefined && each.askedAt <= since : each === force)
    : own[0];
  if (asked === undefined || asked.hasSucceeded || !asked.message.names.includes(name)) return;
  if (asked === slot) conclude(slot, "completed", ctx);
  else if (waiting.get(game) === asked) end(asked, "completed", ctx);
}

/** A person takes a force back. */
export function veto(force: Force, ctx: StepContext): void {
  const { slot } = force.game.upstream.forces;
  if (force === slot) conclude(slot, "cancelled", ctx);
  else end(force, "cancelled", ctx);
}

/** Neuro loses the force that she has. What she answers to it meanwhile is not done, so the slot is kept for a moment. */
function conclude(slot: Force, verdict: ForceEnd, ctx: StepContext): void {
  slot.hasSucceeded = true;
  slot.isWithheld = false;
  slot.isOverdue = false;
  slot.verdict = verdict;
  slot.is = "settling";
  slot.game.room.unsaved.add(slot.game.forceRecord);
  slot.game.room.isUrgent = true;
  withdraw(slot, ctx);
  setTimer(slot, ctx.now + slot.game.room.settings.actions.settle);
}

function succeed(slot: Force, ctx: StepContext): void {
  slot.hasSucceeded = true;
  if (slot.names.size === 0) return finish(slot, "completed", ctx);
  slot.is = "settling";
  setTimer(slot, ctx.now + slot.game.room.settings.actions.settle);
}

/** A game took one of its names away. To be called before Neuro is told. */
export function withdrawn(game: Game, name: string, ctx: StepContext): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game || !slot.names.delete(name) || slot.names.size > 0) return;
  if (slot.is === "open") slot.is = "dying";
  if (slot.owed === 0 || slot.hasSucceeded) setTimer(slot, ctx.now + game.room.settings.actions.settle);
}

/** A game changed one of its names; Neuro lost the force with the old definition. To be called before Neuro is told. */
export function redefined(game: Game, name: string): void {
  const { slot } = game.upstream.forces;
  if (slot?.game === game && slot.is === "open" && slot.names.has(name)) slot.askAgain = true;
}

/** What a game's names are has changed, and Neuro knows. */
export function namesChanged(upstream: Upstream, ctx: StepContext): void {
  const { slot } = upstream.forces;
  if (slot?.is === "settling" && slot.names.size === 0) finish(slot, slot.verdict ?? "completed", ctx);
  askAgain(upstream, ctx);
  pump(upstream, ctx);
}

/** A game's session is over: its forces with it. To be called once Neuro was told which names are gone. */
export function cancel(game: Game, why: ForceEnd, ctx: StepContext): void {
  const { forces } = game.upstream;
  const waiting = forces.waiting.get(game);
  const slot = forces.slot?.game === game ? forces.slot : undefined;
  const unanswered = [waiting, slot].find((force) => force?.hasSucceeded === false && !force.wasDelivered);
  game.lostForce = why === "game gone" ? unanswered?.message : undefined;
  if (waiting !== undefined) end(waiting, why, ctx);
  if (slot !== undefined) finish(slot, slot.hasSucceeded ? slot.verdict ?? "completed" : why, ctx);
}

/** A game is held: its force goes back into the line. To be called once Neuro was told that the names are gone. */
export function withhold(game: Game, ctx: StepContext): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game) return;
  if (slot.hasSucceeded) return finish(slot, slot.verdict ?? "completed", ctx);
  if (slot.owed === 0) return putBack(slot, ctx);
  slot.is = "dying";
  slot.isWithheld = true;
  slot.names.clear();
  withdraw(slot, ctx);
}

/** A game is not held any more, and Neuro has its names again. */
export function resume(game: Game, ctx: StepContext): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game || !slot.isWithheld) return;
  slot.isWithheld = false;
  for (const name of slot.message.names) if (isLive(game.actions.get(name))) slot.names.add(name);
  if (slot.names.size === 0) return;
  slot.is = "open";
  slot.askAgain = true;
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
export function recover(game: Game, ctx: StepContext): void {
  const message = game.lostForce;
  if (message !== undefined && !game.upstream.forces.waiting.has(game)) ask(game, message, ctx);
}

/** The slot's deadline has come. */
export function slotDue(upstream: Upstream, ctx: StepContext): void {
  const { slot, waiting } = upstream.forces;
  if (slot === undefined) return;
  if (slot.is === "settling" || slot.hasSucceeded) return finish(slot, slot.verdict ?? "completed", ctx);
  if (slot.is === "dying") return slot.owed === 0 ? finish(slot, "names gone", ctx) : undefined;
  if (!upstream.isOpen || slot.owed > 0) return setTimer(slot, ctx.now + upstream.room.settings.actions.force_timeout);
  if (!slot.isOverdue) ctx.observe({ is: "upstream_silent", upstream: upstream.id, ms: ctx.now - slot.openedAt });
  slot.isOverdue = true;
  if (waiting.size > 0) giveUp(slot, ctx);
}

/** Forces that waited for names have waited long enough. */
export function namesDue(upstream: Upstream, ctx: StepContext): void {
  let next: Millis | undefined;
  for (const { awaitUntil } of upstream.forces.waiting.values()) {
    if (awaitUntil !== undefined && awaitUntil > ctx.now && (next === undefined || awaitUntil < next)) next = awaitUntil;
  }
  if (next !== undefined) awaitNames(upstream, next);
  pump(upstream, ctx);
}

/** True when a use of this name, which is gone, answers a force that is gone too: a failure would be tried again for ever. */
export function endsRetry(upstream: Upstream, name: string, now: Millis): boolean {
  const { slot, ended } = upstream.forces;
  if (slot?.upstreamNames.includes(name) === true) return slot.names.size === 0;
  return (ended.get(name) ?? 0) > now;
}

/** Nobody answers, and others wait: asks once more, then makes room and comes last. */
function giveUp(slot: Force, ctx: StepContext): void {
  const { game } = slot;
  const { upstream } = game;
  slot.isOverdue = false;
  if (slot.asked === 1) {
    slot.asked = 2;
    send(slot, ctx);
    return setTimer(slot, ctx.now + game.room.settings.actions.force_timeout);
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
  game.upstream.forces.slot = force;
  game.servedAt = ctx.now;
  force.is = "open";
  force.openedAt = ctx.now;
  send(force, ctx);
  setTimer(force, ctx.now + game.room.settings.actions.force_timeout);
  const { query, names, priority } = message;
  const waited = ctx.now - force.askedAt;
  const { id } = force;
  ctx.observe({ is: "force_opened", id, integration: game.name, slug: game.slug, query, names, priority, waited });
}

/** Names that were not registered when the force came, and are not yet: its developer is told, once. */
function noteUnknown({ game, message, names, awaitUntil }: Force, ctx: StepContext): void {
  const what = "force of unknown names";
  const unknown = message.names.filter((name) => !names.has(name));
  if (awaitUntil === undefined || unknown.length === 0 || game.mended.has(what)) return;
  game.mended.add(what);
  const hint = `register an action before you force it; not registered: ${unknown.join(", ").slice(0, NAMES_TEXT_MAX)}`;
  ctx.observe({ is: "input_repaired", from: game.name, what, hint });
}

/** Asks Neuro again, once nothing of the force is owed: a game must not be asked twice. */
function askAgain(upstream: Upstream, ctx: StepContext): void {
  const { slot } = upstream.forces;
  if (slot === undefined || !slot.askAgain || slot.is !== "open" || slot.owed > 0 || !upstream.isOpen) return;
  slot.askAgain = false;
  sync(upstream, ctx);
  for (const name of slot.names) if (!isLive(slot.game.actions.get(name))) slot.names.delete(name);
  if (slot.names.size === 0) return finish(slot, "names gone", ctx);
  send(slot, ctx);
}

function send({ game, message, names, upstreamNames }: Force, ctx: StepContext): void {
  upstreamNames.length = 0;
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned !== undefined) upstreamNames.push(owned.offered.name);
  }
  const query = game.room.settings.actions.attribution ? `[${game.name}] ${message.query}` : message.query;
  toNeuro(game.upstream, { ...message, query, names: [...upstreamNames], from: game.name }, ctx);
}

/** The slot is free. */
function finish(slot: Force, why: ForceEnd, ctx: StepContext): void {
  const { upstream } = slot.game;
  if (why !== "completed" && slot.verdict === undefined) withdraw(slot, ctx);
  upstream.forces.slot = undefined;
  upstream.room.timers.clear(slotTimer(upstream));
  end(slot, why, ctx);
  pump(upstream, ctx);
}

/** A force that nobody completed stays open at Neuro for as long as she has one of its names, be it another game's as well. */
function withdraw({ game: { upstream }, upstreamNames }: Force, ctx: StepContext): void {
  const kept = upstreamNames.flatMap((name) => upstream.offered.get(name) ?? []).filter(({ isSent }) => isSent);
  renew(upstream, kept);
  sync(upstream, ctx);
}

function end(force: Force, why: ForceEnd, ctx: StepContext): void {
  const { game, upstreamNames } = force;
  const { forces, offered } = game.upstream;
  if (forces.waiting.get(game) === force) forces.waiting.delete(game);
  for (const name of upstreamNames) {
    if (offered.get(name)?.isSent === true) continue;
    forces.ended.delete(name);
    forces.ended.set(name, ctx.now + ENDED_MS);
  }
  for (const oldest of forces.ended.keys()) {
    if (forces.ended.size <= ENDED_MAX) break;
    forces.ended.delete(oldest);
  }
  game.room.unsaved.add(game.forceRecord);
  noteEnd(force, why, ctx);
}

const noteEnd = ({ id, game, askedAt }: Force, end: ForceEnd, ctx: StepContext): void =>
  ctx.observe({ is: "force_ended", id, integration: game.name, slug: game.slug, end, ms: ctx.now - askedAt });

const setTimer = ({ game }: Force, at: Millis): void => game.room.timers.set(slotTimer(game.upstream), at);

function awaitNames(upstream: Upstream, until: Millis): void {
  const { timers } = upstream.room;
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
