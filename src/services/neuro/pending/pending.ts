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
import { toGame, toNeuro } from "../speech.ts";
import type { Game, Owned, Part, Pending, Upstream } from "../state.ts";
import { isLive, sync, vanish } from "../actions/actions.ts";
import { cancel, namesChanged, owes, resulted } from "../forces/forces.ts";

/** How soon a client that confirms nothing but answers failures is taken to have succeeded. */
const FAILURES_ONLY_MS = 500;
/** So many deadlines in a row show that a client confirms nothing. */
const SILENCES_MAX = 3;

/** What came of an action. */
export interface Outcome {
  readonly success: boolean;
  readonly message: string | undefined;
  readonly origin: ResultOrigin;
  /** Who answered, where a game did, or was let pass. */
  readonly part?: Part;
}

/** An action that is to be done. */
export interface Order extends Pick<Pending, "theirId" | "epoch" | "offered" | "data" | "force" | "requestId"> {
  /** At least one. */
  readonly owners: readonly Owned[];
}

/** An action goes to its owners, and is waited for. */
export function begin(order: Order, ctx: StepContext): Pending {
  const { theirId, epoch, offered, data, force, requestId, owners } = order;
  const { upstream } = (owners[0] as Owned).game;
  const parts: Part[] = [];
  let needsPerson = false;
  for (const owned of owners) {
    const isAsked = epoch !== 0 && needsApproval(owned.game);
    needsPerson ||= isAsked;
    parts.push({ owned, is: isAsked ? "approval" : "held" });
  }
  const pending: Pending = {
    id: ctx.id(),
    theirId,
    epoch,
    offered,
    digest: offered.digest,
    data,
    since: ctx.now,
    force,
    requestId,
    parts,
    deadline: ctx.now + upstream.profile.deadlineMs,
    failure: undefined,
    isAnswered: false,
  };
  upstream.pendings.byId.set(pending.id, pending);
  if (epoch !== 0) upstream.pendings.byTheirId.set(theirId, pending);
  upstream.pendings.deadlines.set(pending.id, pending.deadline);
  if (force !== undefined) owes(force);
  const ready = needsPerson ? parts.filter(({ is }) => is === "held") : parts;
  if (ready.length > 0) announce(pending, { is: "action_sent", parts: ready }, ctx);
  if (needsPerson) {
    announce(pending, { is: "approval_wanted", parts: parts.filter(({ is }) => is === "approval") }, ctx);
  }
  for (const part of ready) if (part.owned.game.peer !== undefined) deliver(pending, part, ctx);
  return pending;
}

const needsApproval = ({ room, controls }: Game): boolean => room.controls.approval || controls.approval;

/** A person lets an action go, if it waits for that. */
export function release(pending: Pending, ctx: StepContext): void {
  const parts = pending.parts.filter(({ is }) => is === "approval");
  if (parts.length === 0) return;
  for (const part of parts) part.is = "held";
  announce(pending, { is: "action_sent", parts }, ctx);
  for (const part of parts) if (part.owned.game.peer !== undefined) deliver(pending, part, ctx);
}

interface Announcement {
  readonly is: "action_sent" | "approval_wanted";
  readonly parts: readonly Part[];
}

function announce({ id, offered, force, data }: Pending, { is, parts }: Announcement, ctx: StepContext): void {
  const to: string[] = [];
  const slugs: string[] = [];
  for (const { owned: { game } } of parts) {
    to.push(game.name);
    slugs.push(game.slug);
  }
  ctx.observe({ is, id, name: offered.name, to, slugs, forced: force !== undefined, data });
}

/** A game answers. */
export function answer(game: Game, result: ResultMessage, ctx: StepContext): void {
  const { pendings } = game.upstream;
  const pending = result.id === undefined
    ? soleOf(game)
    : pendings.byId.get(ourId(result.id)) ?? pendings.byTheirId.get(result.id);
  const part = pending?.parts.find((each) => each.owned.game === game);
  if (pending === undefined || part === undefined || isUndelivered(part)) return ignore(game, result, ctx);
  if (part.is !== "sent") return ctx.observe({ is: "result_ignored", from: game.name, why: "twice" });
  game.lastAnswered = pending.id;
  count(game, { pending, success: result.success }, ctx);
  if (result.success) {
    game.silences = 0;
    game.confirmsNothing = false;
    return finish(pending, { success: true, message: result.message, origin: "game", part }, ctx);
  }
  part.is = "failed";
  pending.failure = result.message ?? "";
  if (isSpent(pending)) finish(pending, { success: false, message: result.message, origin: "game", part }, ctx);
}

/** A game is back: what was held for it is delivered, as far as it has the same action still. */
export function returned(game: Game, ctx: StepContext): void {
  for (const pending of pendingsOf(game)) {
    const owned = game.actions.get(pending.offered.original);
    if (!isLive(owned) || owned.offered.digest !== pending.digest) continue;
    for (const part of pending.parts) if (part.owned.game === game && part.is === "held") deliver(pending, part, ctx);
  }
}

/** A game is not coming back in time: Neuro has been told so, and now is answered. */
export function lost(game: Game, ctx: StepContext): void {
  for (const pending of pendingsOf(game)) fail(pending, game, ctx);
}

/**
 * A game's list is settled: actions that are `gone` from it fail, and those of the session before that its new one does not have
 * alike. What a game unregistered itself it still answers: that is how a disposable action ends.
 */
export function outdated(game: Game, gone: ReadonlySet<string>, ctx: StepContext): void {
  for (const pending of pendingsOf(game)) {
    const { original } = pending.offered;
    const isOfOldSession = pending.id < game.sessionId;
    const isSame = game.actions.get(original)?.offered.digest === pending.digest;
    if (gone.has(original) || (isOfOldSession && !isSame)) fail(pending, game, ctx);
  }
}

/** The time of some actions is over. */
export function due(upstream: Upstream, ctx: StepContext): void {
  for (const id of upstream.pendings.deadlines.due(ctx.now)) {
    const pending = upstream.pendings.byId.get(id);
    if (pending !== undefined) expire(pending, ctx);
  }
}

/** The relay leaves: every action gets its result now. */
export function failAll(upstream: Upstream, why: string, ctx: StepContext): void {
  for (const pending of [...upstream.pendings.byId.values()]) {
    finish(pending, { success: false, message: why, origin: "relay" }, ctx);
  }
}

/** The connection is gone: its actions get no result any more, but what games say about them still counts for their forces. */
export function orphan(upstream: Upstream): void {
  upstream.pendings.byTheirId.clear();
}

/**
 * An action's id as its game sees it: ours, and behind it Neuro's, so that the two sides of a log can be laid beside each other.
 * A game that answers with Neuro's alone is understood; with ours, an old answer never counts for a new action.
 */
const idForGame = (id: string, theirId: string): string => LEGIBLE.test(theirId) ? id + SEPARATOR + theirId : id;

const SEPARATOR = "~";
const LEGIBLE = /^[!-}]{1,64}$/;

function ourId(id: string): string {
  const end = id.indexOf(SEPARATOR);
  return end < 0 ? id : id.slice(0, end);
}

/** It has not reached its game. */
export const isUndelivered = ({ is }: Part): boolean => is === "held" || is === "approval";

/** An answer of a game, or that there was none. */
function count({ counts }: Game, of: { readonly pending: Pending; readonly success: boolean }, ctx: StepContext): void {
  counts.actions++;
  counts.result_ms += ctx.now - of.pending.since;
  if (!of.success) counts.failures++;
}

function deliver(pending: Pending, part: Part, ctx: StepContext): void {
  const { game, name } = part.owned;
  const { id, theirId, data, force } = pending;
  if (!toGame(game, { command: "action", id: idForGame(id, theirId), name, ...(data !== undefined && { data }) }, ctx)) {
    part.is = "failed";
    pending.failure = "The data of this action is too large for its game.";
    if (isSpent(pending)) finish(pending, { success: false, message: pending.failure, origin: "relay", part }, ctx);
    return;
  }
  part.is = "sent";
  if (force !== undefined) {
    force.wasDelivered = true;
    game.room.unsaved.add(game.forceRecord);
    game.room.isUrgent = true;
  }
  if (!confirms(game)) {
    game.upstream.pendings.deadlines.set(id, Math.min(pending.deadline, ctx.now + FAILURES_ONLY_MS));
  }
}

function fail(pending: Pending, game: Game, ctx: StepContext): void {
  const part = pending.parts.find((each) => each.owned.game === game);
  if (part === undefined || part.is === "failed" || part.is === "gone") return;
  part.is = "gone";
  if (isSpent(pending)) finish(pending, goneOutcome(pending, part), ctx);
}

/** In a force a failure would be tried again by Neuro, with nobody there to answer. */
function goneOutcome({ force, failure, epoch }: Pending, part: Part): Outcome {
  const message = `${part.owned.game.name} disconnected before it answered.`;
  if (force !== undefined && epoch !== 0) return { success: true, message, origin: "gone", part };
  return { success: false, message: failure ?? message, origin: "gone", part };
}

function expire(pending: Pending, ctx: StepContext): void {
  const silent = pending.parts.find((part) => part.is === "sent" && part.owned.game.peer !== undefined);
  if (silent !== undefined && ctx.now < pending.deadline) {
    return finish(pending, { success: true, message: undefined, origin: "deadline", part: silent }, ctx);
  }
  if (!pending.isAnswered) {
    const to = pending.parts.map(({ owned }) => owned.game.name);
    ctx.observe({ is: "action_expired", id: pending.id, name: pending.offered.name, to });
  }
  if (silent === undefined) return expireUnheard(pending, ctx);
  for (const part of pending.parts) {
    if (part.is !== "sent" || part.owned.game.peer === undefined) continue;
    count(part.owned.game, { pending, success: false }, ctx);
    countSilence(part.owned.game, ctx);
  }
  const isForced = pending.force !== undefined && !pending.isAnswered;
  const message = pending.failure ?? (isForced ? "No confirmation came in time." : "No answer came in time.");
  finish(pending, { success: isForced, message, origin: "deadline", part: silent }, ctx);
}

/** Nobody approved, or all who could still answer are away. In a force their names go first, so that Neuro does not try again. */
function expireUnheard(pending: Pending, ctx: StepContext): void {
  const unapproved = pending.parts.find(({ is }) => is === "approval");
  if (unapproved !== undefined) {
    const message = pending.failure ?? "Nobody approved this action in time.";
    return finish(pending, { success: false, message, origin: "deadline", part: unapproved }, ctx);
  }
  const part = pending.parts.find(({ is }) => is === "held" || is === "sent") ?? pending.parts[0];
  if (part === undefined) return;
  const { game } = part.owned;
  if (pending.force === undefined) return finish(pending, goneOutcome(pending, part), ctx);
  vanish(game);
  sync(game.upstream, ctx);
  finish(pending, goneOutcome(pending, part), ctx);
  cancel(game, "game gone", ctx);
}

function countSilence(game: Game, ctx: StepContext): void {
  if (!confirms(game) || ++game.silences < SILENCES_MAX) return;
  game.confirmsNothing = true;
  ctx.observe({
    is: "input_repaired",
    from: game.name,
    what: "no results",
    hint: "every action needs an `action/result`; from now on silence is taken for success",
  });
}

const confirms = (game: Game): boolean => game.policy.results === "required" && !game.confirmsNothing;

/** Answers an action, once and for all. */
export function finish(pending: Pending, outcome: Outcome, ctx: StepContext): void {
  const { id, offered, epoch, force, parts } = pending;
  const { success, origin, part } = outcome;
  const { game } = (part ?? parts[0] as Part).owned;
  const { upstream } = game;
  upstream.pendings.byId.delete(id);
  upstream.pendings.deadlines.clear(id);
  const isUntold = epoch !== upstream.epoch || !upstream.isOpen;
  if (!pending.isAnswered) respond(pending, outcome, ctx);
  // Why: a game that is gone has not done what it was forced to; its force ends for that reason instead.
  const counts = success && origin !== "gone";
  const { name: upstreamName, original: name } = offered;
  const { since } = pending;
  resulted({ game, name, upstreamName, since, success: counts, force, isByHand: epoch === 0, isUntold }, ctx);
  namesChanged(upstream, ctx);
}

/** Tells whoever waits for an action what came of it. Its game may still have to answer. */
export function respond(pending: Pending, { success, message, origin, part }: Outcome, ctx: StepContext): void {
  const { id, theirId, epoch, offered, parts, requestId } = pending;
  const { game } = (part ?? parts[0] as Part).owned;
  const { upstream } = game;
  const ms = ctx.now - pending.since;
  pending.isAnswered = true;
  if (epoch === upstream.epoch && upstream.isOpen) {
    upstream.pendings.byTheirId.delete(theirId);
    toNeuro(upstream, { command: "action/result", id: theirId, success, ...(message !== undefined && { message }) }, ctx);
  }
  if (requestId !== undefined) ctx.emit({ do: "respond", requestId, body: { id, success, message: message ?? null, ms } });
  const { name, slug } = game;
  ctx.observe({ is: "action_result", id, name: offered.name, from: name, slug, success, message, ms, origin });
}

/** True when nobody can answer any more. */
export const isSpent = ({ parts }: Pending): boolean => parts.every(({ is }) => is === "failed" || is === "gone");

/** Pendings that a game has a part in; a copy, for what is done with them changes the table. */
export function pendingsOf(game: Game): Pending[] {
  const found: Pending[] = [];
  for (const pending of game.upstream.pendings.byId.values()) {
    if (pending.parts.some((part) => part.owned.game === game)) found.push(pending);
  }
  return found;
}

/** The pending action of a client that does not say which: if there is but one. */
function soleOf(game: Game): Pending | undefined {
  const owed = pendingsOf(game).filter(({ parts }) => parts.some((part) => part.owned.game === game && part.is === "sent"));
  return owed.length === 1 ? owed[0] : undefined;
}

function ignore(game: Game, { id: whole }: ResultMessage, ctx: StepContext): void {
  const id = whole === undefined ? undefined : ourId(whole);
  const isOurs = id !== undefined && /^\d{13,}-\d{10,}$/.test(id);
  const why = !isOurs
    ? "unknown"
    : id === game.lastAnswered
    ? "twice"
    : game.upstream.pendings.byId.has(id)
    ? "foreign"
    : "late";
  ctx.observe({ is: "result_ignored", from: game.name, why });
}
