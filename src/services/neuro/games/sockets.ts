/**
 * The game port: who speaks on which socket.
 *
 * The only identity that the protocol has is the `game` in each frame, so one socket may speak for several games.
 *
 * Invariants: K1 a frame is handled to its end before the next of its socket; K2 a socket that closes takes away only games that
 * it serves; K3 what had to be mended is said once per kind and game.
 */
import type { Action, GameMessage } from "../../../core/neuro-messages.ts";
import type { ConnectionInfo } from "../../../core/event.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { type Frame, isObject, parseJson } from "../../../core/json.ts";
import type { StepContext } from "../../../core/context.ts";
import { Few } from "../actions/few.ts";
import { mend } from "../codec/mend.ts";
import type { Game, GameConnection, GameSocket, NeuroState } from "../state.ts";
import { isLoop, redial, viaOf } from "../upstream/client.ts";
import { decodeGame, encodeForGame, type Mend } from "../codec/wire.ts";
import { arrive, depart, gameOf, hear, nameOf, suspectOthers } from "./games.ts";
import { askForAll, awaitFirst, keepAlive, LIST_MS, pathName, silenceTimer, silent } from "./silence.ts";
import { begin, heirOf, isWaiting, overdue, refuse, suffixed, type Verdict, whenAlive, yieldTo } from "./takeover.ts";

/** Games that one socket may speak for. */
const SEATS_MAX = 256;
const MENDED_MAX = 64;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

/** Somebody came in. */
export function open(
  state: NeuroState,
  { peer, connection }: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  ctx: StepContext,
): void {
  if (isLoop(state, connection.via)) {
    ctx.observe({
      is: "greeting_refused",
      fault: "notAllowed",
      address: connection.address,
      reason: "relays chained in a loop",
    });
    return ctx.emit({ do: "close", peer, fault: "notAllowed" });
  }
  const before = connection.via === "" ? undefined : viaOf(state); // Why: it asks every socket, and nearly all come by themselves.
  const socket = newSocket(state, { peer, connection }, ctx.now);
  state.sockets.set(peer, socket);
  if (!socket.isVoice) awaitFirst(socket, ctx.now);
  keepAlive(state, ctx.now);
  if (before === undefined || viaOf(state) === before) return;
  // Why: only a dial can say who is behind us, and a loop shows only to the relay that meets its own name.
  for (const upstream of state.upstreams.values()) if (upstream.settings !== undefined) redial(upstream, ctx);
}

export const newSocket = (
  state: NeuroState,
  at: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  now: Millis,
): GameSocket => ({
  service: state,
  peer: at.peer,
  connection: at.connection,
  openedAt: now,
  connections: new Few(),
  lastConnection: undefined,
  lastHeardAt: now,
  unansweredPings: 0,
  canPong: false,
  reregisterAskedAt: undefined,
  hasSpoken: false,
  isVoice: /\/voice\/?$/.test(at.connection.path),
});

/** A frame of a game. */
export function receive(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  const { service: state } = socket;
  socket.lastHeardAt = ctx.now;
  if (state.contested.size > 0) lives(socket, ctx);
  if (socket.isVoice) return declineVoice(socket, frame, ctx);
  const decoded = decodeGame(frame, state.settings.limits);
  ctx.count("game", "in", decoded.ok ? decoded.value.message.command : "unreadable");
  if (!decoded.ok) {
    const from = socket.lastConnection?.game.name ?? socket.connection.address;
    return ctx.observe({ is: "input_refused", from, fault: decoded.fault, reason: decoded.reason });
  }
  const { game: name, message, mended } = decoded.value;
  if (!socket.hasSpoken) speakFirst(socket, { name, message }, ctx);
  const { lastConnection } = socket;
  const isLast = lastConnection !== undefined && (name === undefined || lastConnection.name === name);
  const seat = isLast ? lastConnection : seatOf(socket, { name, message }, ctx);
  if (seat === undefined) return;
  socket.lastConnection = seat;
  if (mended.length > 0) noteMended(seat.game, mended, ctx);
  if (seat.is === "served") serve(seat, message, ctx);
  else if (!isWaiting(seat, message)) ignore(seat, message, ctx);
}

/** What a copy says that is not served. Only its last force is kept: it may have the game for itself one day, and still wait. */
function ignore({ game, backlog }: GameConnection, message: GameMessage, ctx: StepContext): void {
  if (message.command === "actions/force") backlog.splice(0, backlog.length, message);
  const reason = "another copy of this game is here";
  ctx.observe({ is: "input_refused", from: game.name, fault: "nameTaken", reason });
}

/** What a served seat says. */
export function serve(seat: GameConnection, message: GameMessage, ctx: StepContext): void {
  if (message.command === "actions/register") list(seat, message, ctx);
  hear(seat.game, message, ctx);
}

/** A socket is gone, or does not speak for anybody any more. */
export function close(socket: GameSocket, ctx: StepContext): void {
  const { service: state } = socket;
  state.sockets.delete(socket.peer);
  state.timers.clear(silenceTimer(socket.peer));
  for (const seat of socket.connections.values()) {
    state.contested.delete(seat);
    state.unserved.delete(seat);
    if (seat.is !== "served" || seat.game.peer !== socket.peer) continue;
    depart(seat.game, ctx);
    const heir = heirOf(seat.game);
    if (heir !== undefined) decide(heir, "newest", ctx);
  }
}

/** The socket answered a ping. */
export function ponged(socket: GameSocket, ctx: StepContext): void {
  socket.lastHeardAt = ctx.now;
  socket.unansweredPings = 0;
  socket.canPong = true;
  lives(socket, ctx);
}

/** The socket is heard: who wants its games learns that it lives. */
function lives(socket: GameSocket, ctx: StepContext): void {
  for (const seat of socket.service.contested) {
    if (seat.game.peer === socket.peer) decide(seat, whenAlive(seat, ctx.now), ctx);
  }
}

/** Contests whose time is over are won by the newcomer. */
export function concludeContests(state: NeuroState, ctx: StepContext): void {
  for (const seat of overdue(state, ctx.now)) decide(seat, "newest", ctx);
}

/** A socket has been silent for a while. */
export function stillSilent(socket: GameSocket, ctx: StepContext): void {
  const found = silent(socket, ctx);
  if (found === undefined) return;
  socket.lastConnection = sit(socket, found, ctx.now);
  take(socket.lastConnection, ctx);
}

/** The seat speaks for its game from now on. */
export function take(seat: GameConnection, ctx: StepContext): void {
  const { socket, game, isStarting } = seat;
  seat.is = "served";
  game.connection = socket.connection;
  arrive(game, { peer: socket.peer, isStarting }, ctx);
  attach(socket, ctx);
  if (!isStarting && socket.reregisterAskedAt === undefined) askForAll(socket, ctx);
}

export interface Sitting {
  readonly name: string;
  readonly game: Game;
  readonly isStarting?: boolean;
}

/** Gives a game a place on a socket. */
export function sit(socket: GameSocket, { name, game, isStarting = false }: Sitting, now: Millis): GameConnection {
  const seat: GameConnection = {
    socket,
    name,
    game,
    is: "served",
    since: now,
    isStarting,
    backlog: [],
    registeredNames: new Few(),
    hasReregistered: false,
  };
  socket.connections.set(name, seat);
  return seat;
}

/** Remembers who speaks on a socket, over a panic and over sleep. */
export function attach({ peer, connections }: GameSocket, ctx: StepContext): void {
  const served = [...connections.values()].filter(({ is }) => is === "served");
  const names = served.slice(0, 32).map(({ name, game }) => [name, game.key]);
  ctx.emit({ do: "attach", peer, attachment: { v: 1, names } });
}

function speakFirst(socket: GameSocket, { name, message }: First, ctx: StepContext): void {
  socket.hasSpoken = true;
  socket.service.timers.clear(silenceTimer(socket.peer));
  const guessed = socket.lastConnection;
  if (guessed !== undefined && name !== undefined && guessed.name !== name) {
    socket.connections.delete(guessed.name);
    if (guessed.game.peer === socket.peer) depart(guessed.game, ctx);
  }
  if (message.command !== "startup" && socket.reregisterAskedAt === undefined) askForAll(socket, ctx);
}

interface First {
  readonly name: string | undefined;
  readonly message: GameMessage;
}

/** The seat of a game on a socket; a new one is taken, or has to wait for whoever has the game. */
function seatOf(socket: GameSocket, { name: given, message }: First, ctx: StepContext): GameConnection | undefined {
  const { service: state } = socket;
  const name = given ?? pathName(socket) ?? `unknown-${++state.unnamedCount}`;
  const seated = socket.connections.get(name);
  if (seated !== undefined) return seated;
  if (socket.connections.size >= SEATS_MAX) {
    const reason = "too many games on one socket";
    ctx.observe({ is: "input_refused", from: name.slice(0, 64), fault: "queueFull", reason });
    return undefined;
  }
  const game = gameOf(state, { listener: "neuro", name: nameOf(name) }, ctx);
  const seat = sit(socket, { name, game, isStarting: message.command === "startup" }, ctx.now);
  if (game.peer === undefined) take(seat, ctx);
  else if (game.peer !== socket.peer) decide(seat, begin(seat, ctx), ctx);
  return socket.connections.get(name);
}

/** Carries out what became of a contest. */
function decide(seat: GameConnection, verdict: Verdict, ctx: StepContext): void {
  const { socket, game } = seat;
  if (verdict === "wait") return;
  if (verdict === "oldest") {
    refuse(seat);
    return ctx.observe({ is: "taken_over", name: game.name, winner: "oldest" });
  }
  const { service: state } = socket;
  state.contested.delete(seat);
  const wasUnserved = state.unserved.delete(seat);
  if (wasUnserved) socket.reregisterAskedAt = undefined;
  const heard = seat.backlog.splice(0);
  let winner = seat;
  if (verdict === "suffix") {
    const copy = gameOf(state, { listener: "neuro", name: suffixed(game) }, ctx);
    winner = sit(socket, { name: seat.name, game: copy, isStarting: seat.isStarting }, ctx.now);
    if (socket.lastConnection === seat) socket.lastConnection = winner;
  } else if (game.peer !== undefined) {
    const old = yieldTo(seat, ctx);
    if (old !== undefined) attach(old, ctx); // Why: after a panic it must not be taken for the holder again.
  }
  // Why: what it was asked it answered in time, though it is heard only now.
  if (socket.reregisterAskedAt !== undefined) {
    socket.reregisterAskedAt += ctx.now - Math.max(seat.since, socket.reregisterAskedAt);
  }
  take(winner, ctx);
  // Why: what it said while it was not served nobody has heard.
  if (wasUnserved && socket.reregisterAskedAt === undefined) askForAll(socket, ctx);
  for (const message of heard) serve(winner, message, ctx);
}

/**
 * A list that answers the question for everything is everything: what is not in it is gone. A flush of what a client queued while
 * it was away can look the same, so what is missing has a moment to come.
 */
function list(seat: GameConnection, { actions }: GameMessage & { command: "actions/register" }, ctx: StepContext): void {
  const { socket, game, registeredNames } = seat;
  // Why only where nobody asked: whoever was asked to say everything again may well do so.
  if (socket.reregisterAskedAt === undefined) noteMended(game, twice(seat, actions), ctx);
  const isAnswer = socket.reregisterAskedAt !== undefined && !seat.hasReregistered &&
    ctx.now - socket.reregisterAskedAt <= LIST_MS;
  const names = new Set(actions.map(({ name }) => name));
  if (isAnswer && [...registeredNames.keys()].every((name) => names.has(name))) {
    if ([...game.actions.keys()].some((name) => !names.has(name))) suspectOthers(game, names, ctx);
  }
  seat.hasReregistered = true;
  for (const name of names) registeredNames.set(name, true);
}

/** What the socket registered and still has. */
function twice({ game, registeredNames }: GameConnection, actions: readonly Action[]): readonly Mend[] {
  const again = actions.filter(({ name }) => registeredNames.has(name) && game.actions.get(name)?.isUnconfirmed === false);
  const mended: Mend[] = [];
  if (again.length > 0) mend(mended, "registered twice", again.map(({ name }) => name).join(", ").slice(0, NAMES_TEXT_MAX));
  return mended;
}

function noteMended(game: Game, mended: readonly Mend[], ctx: StepContext): void {
  for (const { what, hint } of mended) {
    if (game.reportedRepairs.has(what) || game.reportedRepairs.size >= MENDED_MAX) continue;
    game.reportedRepairs.add(what);
    ctx.observe({ is: "input_repaired", from: game.name, what, hint });
  }
}

/** There is no voice here. The socket stays open: clients would try again every few seconds for ever. */
function declineVoice(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  if (typeof frame !== "string") return;
  const asked = parseJson(frame, socket.service.settings.limits.json_depth);
  if (!isObject(asked) || asked["command"] !== "voice/start") return;
  const answer = encodeForGame({
    command: "other",
    name: "voice/unavailable",
    data: { reason: "not supported by this relay" },
  });
  if (answer !== undefined) ctx.emit({ do: "send", to: socket.peer, frame: answer });
}
