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
import { SmallMap } from "../small-map.ts";
import { addRepair, type Repair } from "../codec/repair.ts";
import type { Game, GameConnection, GameSocket, NeuroState } from "../state.ts";
import { isLoop, redial, viaOf } from "../upstream/client.ts";
import { decodeGame } from "../codec/decode-game.ts";
import { encodeGame } from "../codec/encode-game.ts";
import {
  connectGame,
  disconnectGame,
  expectReregistration,
  findOrCreateGame,
  handleGameMessage,
  normalizeGameName,
} from "./registry.ts";
import {
  awaitFirstMessage,
  firstMessageTimer,
  gameNameInPath,
  identifySilentSocket,
  requestReregistration,
  REREGISTRATION_MS,
  scheduleKeepalive,
} from "./keepalive.ts";
import {
  contestGame,
  expiredContests,
  nextConnectionOf,
  putOnStandby,
  queueWhileContested,
  replaceHolder,
  type Resolution,
  resolutionWhenAlive,
  suffixedName,
} from "./duplicate-connection.ts";

/** Games that one socket may speak for. */
const CONNECTIONS_PER_SOCKET_MAX = 256;
const REPORTED_REPAIRS_MAX = 64;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

/** Somebody came in. */
export function openSocket(
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
  const socket = createSocket(state, { peer, connection }, ctx.now);
  state.sockets.set(peer, socket);
  if (!socket.isVoice) awaitFirstMessage(socket, ctx.now);
  scheduleKeepalive(state, ctx.now);
  if (before === undefined || viaOf(state) === before) return;
  // Why: only a dial can say who is behind us, and a loop shows only to the relay that meets its own name.
  for (const upstream of state.upstreams.values()) if (upstream.settings !== undefined) redial(upstream, ctx);
}

export const createSocket = (
  state: NeuroState,
  at: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  now: Millis,
): GameSocket => ({
  service: state,
  peer: at.peer,
  connection: at.connection,
  openedAt: now,
  connections: new SmallMap(),
  lastConnection: undefined,
  lastHeardAt: now,
  unansweredPings: 0,
  canPong: false,
  reregisterAskedAt: undefined,
  hasSpoken: false,
  isVoice: /\/voice\/?$/.test(at.connection.path),
});

/** A frame of a game. */
export function receiveGameFrame(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  const { service: state } = socket;
  socket.lastHeardAt = ctx.now;
  if (state.contested.size > 0) confirmAlive(socket, ctx);
  if (socket.isVoice) return answerVoice(socket, frame, ctx);
  const decoded = decodeGame(frame, state.settings.limits);
  ctx.count("game", "in", decoded.ok ? decoded.value.message.command : "unreadable");
  if (!decoded.ok) {
    const from = socket.lastConnection?.game.name ?? socket.connection.address;
    return ctx.observe({ is: "input_refused", from, fault: decoded.fault, reason: decoded.reason });
  }
  const { game: name, message, mended: repairs } = decoded.value;
  if (!socket.hasSpoken) handleFirstMessage(socket, { name, message }, ctx);
  const { lastConnection } = socket;
  const isLast = lastConnection !== undefined && (name === undefined || lastConnection.name === name);
  const connection = isLast ? lastConnection : connectionFor(socket, { name, message }, ctx);
  if (connection === undefined) return;
  socket.lastConnection = connection;
  if (repairs.length > 0) reportRepairs(connection.game, repairs, ctx);
  if (connection.is === "active") handleConnectionMessage(connection, message, ctx);
  else if (!queueWhileContested(connection, message)) dropMessage(connection, message, ctx);
}

/** What a copy says that is not served. Only its last force is kept: it may have the game for itself one day, and still wait. */
function dropMessage({ game, backlog }: GameConnection, message: GameMessage, ctx: StepContext): void {
  if (message.command === "actions/force") backlog.splice(0, backlog.length, message);
  const reason = "another copy of this game is here";
  ctx.observe({ is: "input_refused", from: game.name, fault: "nameTaken", reason });
}

/** What a served seat says. */
export function handleConnectionMessage(connection: GameConnection, message: GameMessage, ctx: StepContext): void {
  if (message.command === "actions/register") trackRegistration(connection, message, ctx);
  handleGameMessage(connection.game, message, ctx);
}

/** A socket is gone, or does not speak for anybody any more. */
export function closeSocket(socket: GameSocket, ctx: StepContext): void {
  const { service: state } = socket;
  state.sockets.delete(socket.peer);
  state.timers.clear(firstMessageTimer(socket.peer));
  for (const connection of socket.connections.values()) {
    state.contested.delete(connection);
    state.standby.delete(connection);
    if (connection.is !== "active" || connection.game.peer !== socket.peer) continue;
    disconnectGame(connection.game, ctx);
    const heir = nextConnectionOf(connection.game);
    if (heir !== undefined) applyResolution(heir, "newest", ctx);
  }
}

/** The socket answered a ping. */
export function receivePong(socket: GameSocket, ctx: StepContext): void {
  socket.lastHeardAt = ctx.now;
  socket.unansweredPings = 0;
  socket.canPong = true;
  confirmAlive(socket, ctx);
}

/** The socket is heard: who wants its games learns that it lives. */
function confirmAlive(socket: GameSocket, ctx: StepContext): void {
  for (const connection of socket.service.contested) {
    if (connection.game.peer === socket.peer) applyResolution(connection, resolutionWhenAlive(connection, ctx.now), ctx);
  }
}

/** Contests whose time is over are won by the newcomer. */
export function resolveExpiredContests(state: NeuroState, ctx: StepContext): void {
  for (const connection of expiredContests(state, ctx.now)) applyResolution(connection, "newest", ctx);
}

/** A socket has been silent for a while. */
export function identifySocket(socket: GameSocket, ctx: StepContext): void {
  const found = identifySilentSocket(socket, ctx);
  if (found === undefined) return;
  socket.lastConnection = openConnection(socket, found, ctx.now);
  activateConnection(socket.lastConnection, ctx);
}

/** The seat speaks for its game from now on. */
export function activateConnection(connection: GameConnection, ctx: StepContext): void {
  const { socket, game, isStarting } = connection;
  connection.is = "active";
  game.connection = socket.connection;
  connectGame(game, { peer: socket.peer, isStarting }, ctx);
  saveAttachment(socket, ctx);
  if (!isStarting && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
}

export interface ConnectionOptions {
  readonly name: string;
  readonly game: Game;
  readonly isStarting?: boolean;
}

/** Gives a game a place on a socket. */
export function openConnection(
  socket: GameSocket,
  { name, game, isStarting = false }: ConnectionOptions,
  now: Millis,
): GameConnection {
  const connection: GameConnection = {
    socket,
    name,
    game,
    is: "active",
    since: now,
    isStarting,
    backlog: [],
    registeredNames: new SmallMap(),
    hasReregistered: false,
  };
  socket.connections.set(name, connection);
  return connection;
}

/** Remembers who speaks on a socket, over a panic and over sleep. */
export function saveAttachment({ peer, connections }: GameSocket, ctx: StepContext): void {
  const served = [...connections.values()].filter(({ is }) => is === "active");
  const names = served.slice(0, 32).map(({ name, game }) => [name, game.key]);
  ctx.emit({ do: "attach", peer, attachment: { v: 1, names } });
}

function handleFirstMessage(socket: GameSocket, { name, message }: NamedMessage, ctx: StepContext): void {
  socket.hasSpoken = true;
  socket.service.timers.clear(firstMessageTimer(socket.peer));
  const guessed = socket.lastConnection;
  if (guessed !== undefined && name !== undefined && guessed.name !== name) {
    socket.connections.delete(guessed.name);
    if (guessed.game.peer === socket.peer) disconnectGame(guessed.game, ctx);
  }
  if (message.command !== "startup" && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
}

interface NamedMessage {
  readonly name: string | undefined;
  readonly message: GameMessage;
}

/** The seat of a game on a socket; a new one is taken, or has to wait for whoever has the game. */
function connectionFor(
  socket: GameSocket,
  { name: given, message }: NamedMessage,
  ctx: StepContext,
): GameConnection | undefined {
  const { service: state } = socket;
  const name = given ?? gameNameInPath(socket) ?? `unknown-${++state.unnamedCount}`;
  const seated = socket.connections.get(name);
  if (seated !== undefined) return seated;
  if (socket.connections.size >= CONNECTIONS_PER_SOCKET_MAX) {
    const reason = "too many games on one socket";
    ctx.observe({ is: "input_refused", from: name.slice(0, 64), fault: "queueFull", reason });
    return undefined;
  }
  const game = findOrCreateGame(state, { listener: "neuro", name: normalizeGameName(name) }, ctx);
  const connection = openConnection(socket, { name, game, isStarting: message.command === "startup" }, ctx.now);
  if (game.peer === undefined) activateConnection(connection, ctx);
  else if (game.peer !== socket.peer) applyResolution(connection, contestGame(connection, ctx), ctx);
  return socket.connections.get(name);
}

/** Carries out what became of a contest. */
function applyResolution(connection: GameConnection, resolution: Resolution, ctx: StepContext): void {
  const { socket, game } = connection;
  if (resolution === "wait") return;
  if (resolution === "oldest") {
    putOnStandby(connection);
    return ctx.observe({ is: "taken_over", name: game.name, winner: "oldest" });
  }
  const { service: state } = socket;
  state.contested.delete(connection);
  const wasUnserved = state.standby.delete(connection);
  if (wasUnserved) socket.reregisterAskedAt = undefined;
  const heard = connection.backlog.splice(0);
  let winner = connection;
  if (resolution === "suffix") {
    const copy = findOrCreateGame(state, { listener: "neuro", name: suffixedName(game) }, ctx);
    winner = openConnection(socket, { name: connection.name, game: copy, isStarting: connection.isStarting }, ctx.now);
    if (socket.lastConnection === connection) socket.lastConnection = winner;
  } else if (game.peer !== undefined) {
    const old = replaceHolder(connection, ctx);
    if (old !== undefined) saveAttachment(old, ctx); // Why: after a panic it must not be taken for the holder again.
  }
  // Why: what it was asked it answered in time, though it is heard only now.
  if (socket.reregisterAskedAt !== undefined) {
    socket.reregisterAskedAt += ctx.now - Math.max(connection.since, socket.reregisterAskedAt);
  }
  activateConnection(winner, ctx);
  // Why: what it said while it was not served nobody has heard.
  if (wasUnserved && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
  for (const message of heard) handleConnectionMessage(winner, message, ctx);
}

/**
 * A list that answers the question for everything is everything: what is not in it is gone. A flush of what a client queued while
 * it was away can look the same, so what is missing has a moment to come.
 */
function trackRegistration(
  connection: GameConnection,
  { actions }: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const { socket, game, registeredNames } = connection;
  // Why only where nobody asked: whoever was asked to say everything again may well do so.
  if (socket.reregisterAskedAt === undefined) reportRepairs(game, registeredTwice(connection, actions), ctx);
  const isAnswer = socket.reregisterAskedAt !== undefined && !connection.hasReregistered &&
    ctx.now - socket.reregisterAskedAt <= REREGISTRATION_MS;
  const names = new Set(actions.map(({ name }) => name));
  if (isAnswer && [...registeredNames.keys()].every((name) => names.has(name))) {
    if ([...game.actions.keys()].some((name) => !names.has(name))) expectReregistration(game, names, ctx);
  }
  connection.hasReregistered = true;
  for (const name of names) registeredNames.set(name, true);
}

/** What the socket registered and still has. */
function registeredTwice({ game, registeredNames }: GameConnection, actions: readonly Action[]): readonly Repair[] {
  const again = actions.filter(({ name }) => registeredNames.has(name) && game.actions.get(name)?.isUnconfirmed === false);
  const repairs: Repair[] = [];
  if (again.length > 0) {
    addRepair(
      repairs,
      "registered_twice",
      again.map(({ name }) => name).join(", ").slice(0, NAMES_TEXT_MAX),
    );
  }
  return repairs;
}

function reportRepairs(game: Game, repairs: readonly Repair[], ctx: StepContext): void {
  for (const { what, hint } of repairs) {
    if (game.reportedRepairs.has(what) || game.reportedRepairs.size >= REPORTED_REPAIRS_MAX) continue;
    game.reportedRepairs.add(what);
    ctx.observe({ is: "input_repaired", from: game.name, what, hint });
  }
}

/** There is no voice here. The socket stays open: clients would try again every few seconds for ever. */
function answerVoice(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  if (typeof frame !== "string") return;
  const asked = parseJson(frame, socket.service.settings.limits.json_depth);
  if (!isObject(asked) || asked["command"] !== "voice/start") return;
  const answer = encodeGame({
    command: "other",
    name: "voice/unavailable",
    data: { reason: "not supported by this relay" },
  });
  if (answer !== undefined) ctx.emit({ do: "send", to: socket.peer, frame: answer });
}
