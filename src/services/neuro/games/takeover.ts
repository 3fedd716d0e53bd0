/**
 * Two sockets, one game: a half-open old one and its successor, or two real copies.
 *
 * The old one is asked whether it lives. If it does not, the newcomer has the game, and what the old one still does counts for
 * nothing. If it does, the policy decides: `replace` (the newest, but not again and again), `suffix`, `reject`.
 *
 * Invariants: T1 one socket serves a game at any time; T2 a contest ends at `CONTEST_MS` at the latest; T3 whoever loses keeps its
 * socket, for clients would come back for ever.
 */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Game, GameConnection, GameSocket, NeuroState } from "../state.ts";

const CONTEST_MS: Millis = 5_000;
const TAKEOVERS_MAX = 3;
const TAKEOVERS_MS: Millis = 60_000;
/** Messages of a newcomer that wait for the decision. */
const HEARD_MAX = 256;

const CONTEST = "contest all";

/** What is to be done about a contest. */
export type Verdict = "wait" | "newest" | "oldest" | "suffix";

/** A newcomer wants a game that another socket has. */
export function begin(seat: GameConnection, ctx: StepContext): Verdict {
  const { game, socket: { service: state } } = seat;
  const old = holderOf(game);
  const isQuiet = old === undefined || ctx.now - old.lastHeardAt >= CONTEST_MS;
  if (isQuiet && (old === undefined || game.policy.on_duplicate === "replace")) return "newest";
  seat.is = "contested";
  state.contested.add(seat);
  state.timers.set(CONTEST, Math.min(state.timers.get(CONTEST) ?? Infinity, ctx.now + CONTEST_MS));
  if (old !== undefined) ctx.emit({ do: "ping", peer: old.peer });
  return "wait";
}

/** Keeps what a contested seat says; false when it is not to be heard. */
export function isWaiting(seat: GameConnection, message: GameMessage): boolean {
  if (seat.is !== "contested") return false;
  if (seat.backlog.length < HEARD_MAX) seat.backlog.push(message);
  return true;
}

/** The old socket lives. */
export function whenAlive({ game }: GameConnection, now: Millis): Verdict {
  const { on_duplicate: policy } = game.policy;
  if (policy === "suffix") return "suffix";
  if (policy === "reject") return "oldest";
  const isSettled = now - game.connectedAt >= game.service.settings.actions.grace;
  return isSettled && !hasChangedTooOften(game, now) ? "newest" : "oldest";
}

/** Contests whose time is over: the old socket has not been heard. */
export function overdue(state: NeuroState, now: Millis): readonly GameConnection[] {
  const over: GameConnection[] = [];
  for (const seat of state.contested) {
    if (seat.since + CONTEST_MS <= now) over.push(seat);
    else state.timers.set(CONTEST, Math.min(state.timers.get(CONTEST) ?? Infinity, seat.since + CONTEST_MS));
  }
  return over;
}

/** The old socket, which is returned, gives the game up, and the game does not notice. */
export function yieldTo(seat: GameConnection, ctx: StepContext): GameSocket | undefined {
  const { game } = seat;
  const old = holderOf(game);
  game.takeovers = [...game.takeovers.filter((at) => ctx.now - at < TAKEOVERS_MS), ctx.now];
  for (const other of old?.connections.values() ?? []) if (other.game === game) refuse(other);
  ctx.observe({ is: "taken_over", name: game.name, winner: "newest" });
  return old;
}

/** The seat is not heard until the game is free; but for its force, which it may wait for still. */
export function refuse(seat: GameConnection): void {
  const { service: state } = seat.socket;
  seat.is = "unserved";
  const force = seat.backlog.findLast(({ command }) => command === "actions/force");
  seat.backlog.splice(0, seat.backlog.length, ...(force === undefined ? [] : [force]));
  state.contested.delete(seat);
  state.unserved.add(seat);
}

/** A seat that waits for a game that has become free. */
export function heirOf(game: Game): GameConnection | undefined {
  const { service: state } = game;
  for (const seat of state.contested) if (seat.game === game) return seat;
  for (const seat of state.unserved) if (seat.game === game) return seat;
  return undefined;
}

/** A free name like the game's, for a copy of it. */
export function suffixed(game: Game): string {
  for (let copy = 2;; copy++) {
    const name = `${game.name}-${copy}`;
    if (game.service.games.get(`${game.listener}:${name}`)?.peer === undefined) return name;
  }
}

const holderOf = (
  { peer, service: state }: Game,
): GameSocket | undefined => (peer === undefined ? undefined : state.sockets.get(peer));

function hasChangedTooOften({ takeovers }: Game, now: Millis): boolean {
  return takeovers.filter((at) => now - at < TAKEOVERS_MS).length >= TAKEOVERS_MAX;
}
