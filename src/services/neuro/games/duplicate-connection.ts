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
import type { Game, GameConnection, GameSocket, NeuroState, Timer } from "../state.ts";

const PROBE_TIMEOUT_MS: Millis = 5_000;
const TAKEOVERS_MAX = 3;
const TAKEOVERS_WINDOW_MS: Millis = 60_000;
/** Messages of a newcomer that wait for the decision. */
const QUEUED_MESSAGES_MAX = 256;

const CONTESTS: Timer = { is: "contests" };

/** What is to be done about a contest. */
export type Resolution = "wait" | "newest" | "oldest" | "suffix";

/** A newcomer wants a game that another socket has. */
export function contestGame(connection: GameConnection, ctx: StepContext): Resolution {
  const { game, socket: { service: state } } = connection;
  const old = holderOf(game);
  const isQuiet = old === undefined || ctx.now - old.lastHeardAt >= PROBE_TIMEOUT_MS;
  if (isQuiet && (old === undefined || game.policy.on_duplicate === "replace")) return "newest";
  connection.is = "contested";
  state.contested.add(connection);
  state.timers.setEarlier(CONTESTS, ctx.now + PROBE_TIMEOUT_MS);
  if (old !== undefined) ctx.emit({ do: "ping", peer: old.peer });
  return "wait";
}

/** Keeps what a contested seat says; false when it is not to be heard. */
export function queueWhileContested(connection: GameConnection, message: GameMessage): boolean {
  if (connection.is !== "contested") return false;
  if (connection.backlog.length < QUEUED_MESSAGES_MAX) connection.backlog.push(message);
  return true;
}

/** The old socket lives. */
export function resolutionWhenAlive({ game }: GameConnection, now: Millis): Resolution {
  const { on_duplicate: policy } = game.policy;
  if (policy === "suffix") return "suffix";
  if (policy === "reject") return "oldest";
  const isSettled = now - game.connectedAt >= game.service.settings.actions.grace;
  return isSettled && !hasChangedTooOften(game, now) ? "newest" : "oldest";
}

/** Contests whose time is over: the old socket has not been heard. */
export function expiredContests(state: NeuroState, now: Millis): readonly GameConnection[] {
  const over: GameConnection[] = [];
  for (const connection of state.contested) {
    if (connection.since + PROBE_TIMEOUT_MS <= now) over.push(connection);
    else state.timers.setEarlier(CONTESTS, connection.since + PROBE_TIMEOUT_MS);
  }
  return over;
}

/** The old socket, which is returned, gives the game up, and the game does not notice. */
export function replaceHolder(connection: GameConnection, ctx: StepContext): GameSocket | undefined {
  const { game } = connection;
  const old = holderOf(game);
  game.takeovers = [...game.takeovers.filter((at) => ctx.now - at < TAKEOVERS_WINDOW_MS), ctx.now];
  for (const other of old?.connections.values() ?? []) if (other.game === game) putOnStandby(other);
  ctx.observe({ is: "taken_over", name: game.name, winner: "newest" });
  return old;
}

/** The seat is not heard until the game is free; but for its force, which it may wait for still. */
export function putOnStandby(connection: GameConnection): void {
  const { service: state } = connection.socket;
  connection.is = "standby";
  const force = connection.backlog.findLast(({ command }) => command === "actions/force");
  connection.backlog.splice(0, connection.backlog.length, ...(force === undefined ? [] : [force]));
  state.contested.delete(connection);
  state.standby.add(connection);
}

/** A seat that waits for a game that has become free. */
export function nextConnectionOf(game: Game): GameConnection | undefined {
  const { service: state } = game;
  for (const connection of state.contested) if (connection.game === game) return connection;
  for (const connection of state.standby) if (connection.game === game) return connection;
  return undefined;
}

/** A free name like the game's, for a copy of it. */
export function suffixedName(game: Game): string {
  for (let copy = 2;; copy++) {
    const name = `${game.name}-${copy}`;
    if (game.service.games.get(`${game.listener}:${name}`)?.peer === undefined) return name;
  }
}

const holderOf = (
  { peer, service: state }: Game,
): GameSocket | undefined => (peer === undefined ? undefined : state.sockets.get(peer));

function hasChangedTooOften({ takeovers }: Game, now: Millis): boolean {
  return takeovers.filter((at) => now - at < TAKEOVERS_WINDOW_MS).length >= TAKEOVERS_MAX;
}
