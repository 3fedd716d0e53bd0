/**
 * Two connections of one game: a half-open socket and its successor, or two running copies of the game.
 *
 * The active socket of the game is pinged. If it sends nothing within `PROBE_TIMEOUT_MS`, the newcomer gets the game. If it answers, the
 * policy decides: `replace` (the newest, unless the game was replaced too often), `suffix` (the newcomer gets a name of its own),
 * or `reject` (the oldest).
 *
 * Invariants: D1 at most one connection of a game is active; D2 a contest takes at most `PROBE_TIMEOUT_MS`; D3 the losing connection
 * stays open, because its client would reconnect in a loop if it were closed.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { ForceMessage, GameMessage } from "../../../core/neuro-messages.ts";
import { failed } from "../../../core/result.ts";
import { retainedBytes } from "../../../core/retained-bytes.ts";
import { reportRefusal } from "../diagnostics/diagnose.ts";
import { onConnectionLost } from "../pending/pending.ts";
import { pingSocket } from "./keepalive.ts";
import {
  type Game,
  type GameConnection,
  type GameConnectionState,
  type GameSocket,
  isConnected,
  type NeuroState,
  peerOf,
  type Timer,
} from "../state.ts";

const PROBE_TIMEOUT_MS: Millis = 5_000;
/** A game may be replaced this often within `TAKEOVERS_WINDOW_MS`. */
const TAKEOVERS_MAX = 3;
const TAKEOVERS_WINDOW_MS: Millis = 60_000;
/** Messages of a contested connection that wait for the resolution. */
const BACKLOG_MAX = 256;

type Contested = GameConnectionState & { readonly is: "contested" };
type Standby = GameConnectionState & { readonly is: "standby" };

const CONTESTS: Timer = { is: "contests" };

/** The outcome of a contest: the connection that gets the game. `wait`: the active socket has neither answered nor timed out. */
export type Resolution = "wait" | "newest" | "oldest" | "suffix";

/** A connection wants a game that another socket has. */
export function contestGame(connection: GameConnection, ctx: StepContext): Resolution {
  const { game, socket: { service: state } } = connection;
  const holder = holderOf(game);
  const isQuiet = holder === undefined || ctx.now - holder.lastHeardAt >= PROBE_TIMEOUT_MS;
  if (isQuiet && (holder === undefined || game.policy.on_duplicate === "replace")) return "newest";
  connection.state = { is: "contested", since: ctx.now, backlog: [], bytes: 0 };
  state.contested.add(connection);
  (game.rivals ??= new Set()).add(connection);
  state.timers.setEarlier(CONTESTS, ctx.now + PROBE_TIMEOUT_MS);
  if (holder !== undefined) pingSocket(holder, ctx);
  return "wait";
}

/** A message of a contested connection waits for the resolution, unless too many do. */
export function queueMessage(
  { socket: { service, retained }, game }: GameConnection,
  contested: Contested,
  message: GameMessage,
  ctx: StepContext,
): void {
  const bytes = retainedBytes(message);
  const refusal = contested.backlog.length >= BACKLOG_MAX
    ? failed("queueFull", `${BACKLOG_MAX} messages of this connection wait for the name already`)
    : retained.refusal(bytes, service.settings.limits);
  if (refusal !== undefined) {
    return reportRefusal(game, "limit_reached", { ...refusal, message }, ctx);
  }
  contested.backlog.push(message);
  contested.bytes += bytes;
  retained.charge(bytes);
}

/** Keeps the newest force of a connection on standby, unless its socket has no room for it. */
export function keepForce({ socket }: GameConnection, standby: Standby, force: ForceMessage | undefined): void {
  const { retained, service: { settings } } = socket;
  retained.release(standby.bytes);
  const bytes = force === undefined ? 0 : retainedBytes(force);
  const fits = retained.refusal(bytes, settings.limits) === undefined;
  standby.force = fits ? force : undefined;
  standby.bytes = fits ? bytes : 0;
  retained.charge(standby.bytes);
}

/** What a socket is charged for messages that wait. */
export const waitingBytes = (state: GameConnectionState): number => (state.is === "active" ? 0 : state.bytes);

/** The outcome of a contest whose active socket has answered. */
export function resolutionWhenAlive({ game }: GameConnection, now: Millis): Resolution {
  const { policy: { on_duplicate: policy }, presence } = game;
  if (policy === "suffix") return "suffix";
  if (policy === "reject") return "oldest";
  const isSettled = now - presence.since >= game.policy.grace;
  return isSettled && !wasReplacedTooOften(game, now) ? "newest" : "oldest";
}

/** Contested connections whose game's active socket sent nothing within `PROBE_TIMEOUT_MS`. */
export function expiredContests(state: NeuroState, now: Millis): readonly GameConnection[] {
  const expired: GameConnection[] = [];
  for (const connection of state.contested) {
    if (connection.state.is !== "contested") continue;
    const deadline = connection.state.since + PROBE_TIMEOUT_MS;
    if (deadline > now) {
      state.timers.setEarlier(CONTESTS, deadline);
      break; // Why: the others are newer.
    }
    expired.push(connection);
  }
  return expired;
}

/** Puts the active socket of the game on standby for it, and returns that socket. Nothing changes for Neuro. */
export function replaceHolder({ game }: GameConnection, ctx: StepContext): GameSocket | undefined {
  const holder = holderOf(game);
  if (holder !== undefined) onConnectionLost(game, holder.lastHeardAt, ctx);
  game.takeovers = [...game.takeovers.filter((at) => ctx.now - at < TAKEOVERS_WINDOW_MS), ctx.now];
  for (const other of holder?.connections.values() ?? []) if (other.game === game) putOnStandby(other);
  ctx.observe({ is: "taken_over", name: game.name, winner: "newest" });
  return holder;
}

/**
 * Messages of the connection are dropped until the game is free. Only its newest force is kept, because its client may still wait for the
 * result.
 */
export function putOnStandby(connection: GameConnection): void {
  const { state, game, socket: { service: { contested } } } = connection;
  const force = state.is === "contested" ? state.backlog.findLast(isForce) : undefined;
  connection.socket.retained.release(waitingBytes(state));
  const standbyState: Standby = { is: "standby", force: undefined, bytes: 0 };
  connection.state = standbyState;
  keepForce(connection, standbyState, force);
  contested.delete(connection);
  (game.rivals ??= new Set()).add(connection);
}

const isForce = (message: GameMessage): message is ForceMessage => message.command === "actions/force";

/** The next connection for a game that has become free: contested ones first, then those on standby. */
export function nextConnectionOf(game: Game): GameConnection | undefined {
  let next: GameConnection | undefined;
  for (const connection of game.rivals ?? []) {
    if (connection.state.is === "contested") return connection;
    next ??= connection;
  }
  return next;
}

/** The connection does not wait for its game any more. */
export function withdrawRival(connection: GameConnection): void {
  connection.socket.service.contested.delete(connection);
  connection.game.rivals?.delete(connection);
}

/** A free name for a copy of the game: its own with a number. */
export function suffixedName(game: Game): string {
  for (let copy = 2;; copy++) {
    const name = `${game.name}-${copy}`;
    const known = game.service.games.get(`${game.listener}:${name}`);
    if (known === undefined || !isConnected(known)) return name;
  }
}

function holderOf(game: Game): GameSocket | undefined {
  const peer = peerOf(game);
  return peer === undefined ? undefined : game.service.sockets.get(peer);
}

function wasReplacedTooOften({ takeovers }: Game, now: Millis): boolean {
  return takeovers.filter((at) => now - at < TAKEOVERS_WINDOW_MS).length >= TAKEOVERS_MAX;
}
