/**
 * One force at a time: a second one breaks the first, so everybody else waits for the slot.
 *
 * Nobody ever says that a force was accepted, or is over: that is concluded from results and from names that go.
 *
 * Invariants: F1 at most one force is at Neuro; F2 a game has at most one force waiting, its newest; F3 every force ends once,
 * with its reason; F4 a slot that is `settling`, or `dying` with nothing owed, has a deadline.
 */
import type { ForceMessage, Priority } from "../../core/api.ts";
import type { Millis } from "../../core/ids.ts";
import { FORCES_WAITING_MAX } from "../../core/limits.ts";
import type { ForceEnd } from "../../core/note.ts";
import type { Turn } from "../../core/turn.ts";
import { toNeuro } from "../speech.ts";
import type { Force, Game, Upstream } from "../state.ts";
import { isLive, renew, sync } from "./actions.ts";
import { next, PRIORITIES } from "./line.ts";

/** How long Neuro may still come with an action of a force that is over. */
const ENDED_MS = 30_000;
const ENDED_MAX = 512;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

const slotTimer = (upstream: Upstream): string => `slot ${upstream.id}`;
const namesTimer = (upstream: Upstream): string => `names ${upstream.id}`;

/** A game asks Neuro to act. */
export function ask(game: Game, message: ForceMessage, turn: Turn): void {
  const { upstream } = game;
  const { forces } = upstream;
  const earlier = forces.waiting.get(game);
  if (earlier !== undefined) end(earlier, "replaced", turn);
  const force = newForce(game, capped(message, game.policy.priority_max), turn);
  game.lostForce = undefined;
  if (forces.waiting.size >= FORCES_WAITING_MAX) return noteEnd(force, "refused", turn);
  if (!force.message.names.every((name) => isLive(game.actions.get(name)))) {
    force.awaitUntil = turn.now + game.room.settings.actions.await_names;
    awaitNames(upstream, force.awaitUntil);
  }
  forces.waiting.set(game, force);
  game.room.unsaved.add(game.forceRecord);
  game.room.isUrgent = true;
  if (forces.slot?.isOverdue === true) giveUp(forces.slot, turn);
  pump(upstream, turn);
}

/** Gives the free slot to the next force, if there is one whose game is here. */
export function pump(upstream: Upstream, turn: Turn): void {
  const { forces } = upstream;
  while (forces.slot === undefined && upstream.isOpen && upstream.room.drainUntil === undefined) {
    const force = next(upstream, turn.now);
    if (force === undefined) return;
    forces.waiting.delete(force.game);
    open(force, turn);
  }
}

/** The connection to Neuro is new: she has to be asked again. */
export function reopen(upstream: Upstream, turn: Turn): void {
  const { slot } = upstream.forces;
  if (slot?.is === "open") {
    slot.asked = 1;
    slot.isOverdue = false;
    slot.askAgain = true;
    setTimer(slot, turn.now + upstream.room.settings.actions.force_timeout);
    askAgain(upstream, turn);
  }
  pump(upstream, turn);
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
export function resulted(result: Answered, turn: Turn): void {
  const { game, name } = result;
  const { upstream } = game;
  const { slot } = upstream.forces;
  if (result.force !== undefined) result.force.owed--;
  if (result.force !== undefined && result.isByHand) result.force.isByHand = false;
  if (result.isUntold && result.success) return satisfied(result, turn);
  if (slot !== undefined && slot.game !== game && result.success) return mistaken(slot, result.upstreamName, turn);
  if (slot === undefined || slot.game !== game) return;
  if (result.success && slot.is !== "settling" && slot.message.names.includes(name)) return succeed(slot, turn);
  if (result.force !== slot || slot.owed > 0) return;
  const { actions } = upstream.room.settings;
  if (slot.isWithheld) putBack(slot, turn);
  else if (slot.is === "dying") setTimer(slot, turn.now + actions.settle);
  else if (slot.is === "open") {
    setTimer(slot, turn.now + actions.force_timeout);
    askAgain(upstream, turn);
  }
}

/** Neuro may take another game's success by the same name for the end of her force: to be sure, she is asked anew. */
function mistaken(slot: Force, upstreamName: string, turn: Turn): void {
  if (slot.is !== "open" || !slot.upstreamNames.includes(upstreamName)) return;
  slot.askAgain = true;
  withdraw(slot, turn);
}

/** A game has done what its force asks for, though not for Neuro: she must not do it as well. */
function satisfied({ game, name, force, isByHand, since }: Answered, turn: Turn): void {
  const { slot, waiting } = game.upstream.forces;
  const own = [slot?.game === game ? slot : undefined, isByHand ? waiting.get(game) : undefined];
  // Why: what a person sent before a game asked, or for what it asked before, is no answer to what it asks now.
  const asked = isByHand
    ? own.find((each) => force === undefined ? each !== undefined && each.askedAt <= since : each === force)
    : own[0];
  if (asked === undefined || asked.hasSucceeded || !asked.message.names.includes(name)) return;
  if (asked === slot) conclude(slot, "completed", turn);
  else if (waiting.get(game) === asked) end(asked, "completed", turn);
}

/** A person takes a force back. */
export function veto(force: Force, turn: Turn): void {
  const { slot } = force.game.upstream.forces;
  if (force === slot) conclude(slot, "cancelled", turn);
  else end(force, "cancelled", turn);
}

/** Neuro loses the force that she has. What she answers to it meanwhile is not done, so the slot is kept for a moment. */
function conclude(slot: Force, verdict: ForceEnd, turn: Turn): void {
  slot.hasSucceeded = true;
  slot.isWithheld = false;
  slot.isOverdue = false;
  slot.verdict = verdict;
  slot.is = "settling";
  slot.game.room.unsaved.add(slot.game.forceRecord);
  slot.game.room.isUrgent = true;
  withdraw(slot, turn);
  setTimer(slot, turn.now + slot.game.room.settings.actions.settle);
}

function succeed(slot: Force, turn: Turn): void {
  slot.hasSucceeded = true;
  if (slot.names.size === 0) return finish(slot, "completed", turn);
  slot.is = "settling";
  setTimer(slot, turn.now + slot.game.room.settings.actions.settle);
}

/** A game took one of its names away. To be called before Neuro is told. */
export function withdrawn(game: Game, name: string, turn: Turn): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game || !slot.names.delete(name) || slot.names.size > 0) return;
  if (slot.is === "open") slot.is = "dying";
  if (slot.owed === 0 || slot.hasSucceeded) setTimer(slot, turn.now + game.room.settings.actions.settle);
}

/** A game changed one of its names; Neuro lost the force with the old definition. To be called before Neuro is told. */
export function redefined(game: Game, name: string): void {
  const { slot } = game.upstream.forces;
  if (slot?.game === game && slot.is === "open" && slot.names.has(name)) slot.askAgain = true;
}

/** What a game's names are has changed, and Neuro knows. */
export function namesChanged(upstream: Upstream, turn: Turn): void {
  const { slot } = upstream.forces;
  if (slot?.is === "settling" && slot.names.size === 0) finish(slot, slot.verdict ?? "completed", turn);
  askAgain(upstream, turn);
  pump(upstream, turn);
}

/** A game's session is over: its forces with it. To be called once Neuro was told which names are gone. */
export function cancel(game: Game, why: ForceEnd, turn: Turn): void {
  const { forces } = game.upstream;
  const waiting = forces.waiting.get(game);
  const slot = forces.slot?.game === game ? forces.slot : undefined;
  const unanswered = [waiting, slot].find((force) => force?.hasSucceeded === false && !force.wasDelivered);
  game.lostForce = why === "game gone" ? unanswered?.message : undefined;
  if (waiting !== undefined) end(waiting, why, turn);
  if (slot !== undefined) finish(slot, slot.hasSucceeded ? slot.verdict ?? "completed" : why, turn);
}

/** A game is held: its force goes back into the line. To be called once Neuro was told that the names are gone. */
export function withhold(game: Game, turn: Turn): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game) return;
  if (slot.hasSucceeded) return finish(slot, slot.verdict ?? "completed", turn);
  if (slot.owed === 0) return putBack(slot, turn);
  slot.is = "dying";
  slot.isWithheld = true;
  slot.names.clear();
  withdraw(slot, turn);
}

/** A game is not held any more, and Neuro has its names again. */
export function resume(game: Game, turn: Turn): void {
  const { slot } = game.upstream.forces;
  if (slot?.game !== game || !slot.isWithheld) return;
  slot.isWithheld = false;
  for (const name of slot.message.names) if (isLive(game.actions.get(name))) slot.names.add(name);
  if (slot.names.size === 0) return;
  slot.is = "open";
  slot.askAgain = true;
  askAgain(game.upstream, turn);
}

/** The slot is freed for others; its force waits until its game is not held any more. */
function putBack(slot: Force, turn: Turn): void {
  const { game, message } = slot;
  const { waiting } = game.upstream.forces;
  if (!waiting.has(game)) waiting.set(game, newForce(game, message, turn));
  finish(slot, "held", turn);
}

/** A game that is back, and did not start anew, may still wait for the force that it had to give up. */
export function recover(game: Game, turn: Turn): void {
  const message = game.lostForce;
  if (message !== undefined && !game.upstream.forces.waiting.has(game)) ask(game, message, turn);
}

/** The slot's deadline has come. */
export function slotDue(upstream: Upstream, turn: Turn): void {
  const { slot, waiting } = upstream.forces;
  if (slot === undefined) return;
  if (slot.is === "settling" || slot.hasSucceeded) return finish(slot, slot.verdict ?? "completed", turn);
  if (slot.is === "dying") return slot.owed === 0 ? finish(slot, "names gone", turn) : undefined;
  if (!upstream.isOpen || slot.owed > 0) return setTimer(slot, turn.now + upstream.room.settings.actions.force_timeout);
  if (!slot.isOverdue) turn.note({ is: "upstream_silent", upstream: upstream.id, ms: turn.now - slot.openedAt });
  slot.isOverdue = true;
  if (waiting.size > 0) giveUp(slot, turn);
}

/** Forces that waited for names have waited long enough. */
export function namesDue(upstream: Upstream, turn: Turn): void {
  let next: Millis | undefined;
  for (const { awaitUntil } of upstream.forces.waiting.values()) {
    if (awaitUntil !== undefined && awaitUntil > turn.now && (next === undefined || awaitUntil < next)) next = awaitUntil;
  }
  if (next !== undefined) awaitNames(upstream, next);
  pump(upstream, turn);
}

/** True when a use of this name, which is gone, answers a force that is gone too: a failure would be tried again for ever. */
export function endsRetry(upstream: Upstream, name: string, now: Millis): boolean {
  const { slot, ended } = upstream.forces;
  if (slot?.upstreamNames.includes(name) === true) return slot.names.size === 0;
  return (ended.get(name) ?? 0) > now;
}

/** Nobody answers, and others wait: asks once more, then makes room and comes last. */
function giveUp(slot: Force, turn: Turn): void {
  const { game } = slot;
  const { upstream } = game;
  slot.isOverdue = false;
  if (slot.asked === 1) {
    slot.asked = 2;
    send(slot, turn);
    return setTimer(slot, turn.now + game.room.settings.actions.force_timeout);
  }
  if (!upstream.forces.waiting.has(game)) {
    upstream.forces.waiting.set(game, { ...newForce(game, slot.message, turn), isLast: true });
  }
  finish(slot, "expired", turn);
}

function open(force: Force, turn: Turn): void {
  const { game, message } = force;
  sync(game.upstream, turn);
  for (const name of message.names) if (isLive(game.actions.get(name))) force.names.add(name);
  noteUnknown(force, turn);
  if (force.names.size === 0) return end(force, "names gone", turn);
  game.upstream.forces.slot = force;
  game.servedAt = turn.now;
  force.is = "open";
  force.openedAt = turn.now;
  send(force, turn);
  setTimer(force, turn.now + game.room.settings.actions.force_timeout);
  const { query, names, priority } = message;
  const waited = turn.now - force.askedAt;
  const { id } = force;
  turn.note({ is: "force_opened", id, integration: game.name, slug: game.slug, query, names, priority, waited });
}

/** Names that were not registered when the force came, and are not yet: its developer is told, once. */
function noteUnknown({ game, message, names, awaitUntil }: Force, turn: Turn): void {
  const what = "force of unknown names";
  const unknown = message.names.filter((name) => !names.has(name));
  if (awaitUntil === undefined || unknown.length === 0 || game.mended.has(what)) return;
  game.mended.add(what);
  const hint = `register an action before you force it; not registered: ${unknown.join(", ").slice(0, NAMES_TEXT_MAX)}`;
  turn.note({ is: "input_mended", from: game.name, what, hint });
}

/** Asks Neuro again, once nothing of the force is owed: a game must not be asked twice. */
function askAgain(upstream: Upstream, turn: Turn): void {
  const { slot } = upstream.forces;
  if (slot === undefined || !slot.askAgain || slot.is !== "open" || slot.owed > 0 || !upstream.isOpen) return;
  slot.askAgain = false;
  sync(upstream, turn);
  for (const name of slot.names) if (!isLive(slot.game.actions.get(name))) slot.names.delete(name);
  if (slot.names.size === 0) return finish(slot, "names gone", turn);
  send(slot, turn);
}

function send({ game, message, names, upstreamNames }: Force, turn: Turn): void {
  upstreamNames.length = 0;
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned !== undefined) upstreamNames.push(owned.offered.name);
  }
  const query = game.room.settings.actions.attribution ? `[${game.name}] ${message.query}` : message.query;
  toNeuro(game.upstream, { ...message, query, names: [...upstreamNames], from: game.name }, turn);
}

/** The slot is free. */
function finish(slot: Force, why: ForceEnd, turn: Turn): void {
  const { upstream } = slot.game;
  if (why !== "completed" && slot.verdict === undefined) withdraw(slot, turn);
  upstream.forces.slot = undefined;
  upstream.room.timers.clear(slotTimer(upstream));
  end(slot, why, turn);
  pump(upstream, turn);
}

/** A force that nobody completed stays open at Neuro for as long as she has one of its names, be it another game's as well. */
function withdraw({ game: { upstream }, upstreamNames }: Force, turn: Turn): void {
  const kept = upstreamNames.flatMap((name) => upstream.offered.get(name) ?? []).filter(({ isSent }) => isSent);
  renew(upstream, kept);
  sync(upstream, turn);
}

function end(force: Force, why: ForceEnd, turn: Turn): void {
  const { game, upstreamNames } = force;
  const { forces, offered } = game.upstream;
  if (forces.waiting.get(game) === force) forces.waiting.delete(game);
  for (const name of upstreamNames) {
    if (offered.get(name)?.isSent === true) continue;
    forces.ended.delete(name);
    forces.ended.set(name, turn.now + ENDED_MS);
  }
  for (const oldest of forces.ended.keys()) {
    if (forces.ended.size <= ENDED_MAX) break;
    forces.ended.delete(oldest);
  }
  game.room.unsaved.add(game.forceRecord);
  noteEnd(force, why, turn);
}

const noteEnd = ({ id, game, askedAt }: Force, end: ForceEnd, turn: Turn): void =>
  turn.note({ is: "force_ended", id, integration: game.name, slug: game.slug, end, ms: turn.now - askedAt });

const setTimer = ({ game }: Force, at: Millis): void => game.room.timers.set(slotTimer(game.upstream), at);

function awaitNames(upstream: Upstream, until: Millis): void {
  const { timers } = upstream.room;
  const current = timers.get(namesTimer(upstream));
  if (current === undefined || until < current) timers.set(namesTimer(upstream), until);
}

const capped = (message: ForceMessage, priorityMax: Priority): ForceMessage =>
  PRIORITIES.indexOf(message.priority) > PRIORITIES.indexOf(priorityMax) ? { ...message, priority: priorityMax } : message;

const newForce = (game: Game, message: ForceMessage, turn: Turn): Force => ({
  id: turn.id(),
  game,
  message,
  askedAt: turn.now,
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
