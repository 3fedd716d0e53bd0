/**
 * The sockets of the game port, and the games that each of them is active for.
 *
 * The only identity that the protocol has is the `game` in each frame, so one socket may speak for several games.
 *
 * Invariants: C1 a frame is handled completely before the next frame of its socket; C2 a socket that closes disconnects only the
 * games that it is active for.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { RefusalKind } from "../../../core/diagnostics/catalogue.ts";
import type { ConnectionInfo } from "../../../core/event.ts";
import { listenerTokens, permitsName } from "../../../core/access.ts";
import { type FaultName, FAULTS } from "../../../core/fault.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { type Frame, isObject, parseJson } from "../../../core/json.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { failed, type Failure } from "../../../core/result.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import { SmallMap } from "../small-map.ts";
import { decodeGame } from "../../../neuro-api/decode-game.ts";
import { encodeGame } from "../codec/encode-game.ts";
import { utf8Length } from "../../../core/text.ts";
import {
  ACTIVE,
  type Game,
  type GameConnection,
  type GameConnectionState,
  type GameSocket,
  isConnected,
  type NeuroState,
  peerOf,
} from "../state.ts";
import { isLoop, tellChain } from "../upstream/relay-chain.ts";
import {
  contestGame,
  expiredContests,
  keepForce,
  nextConnectionOf,
  putOnStandby,
  queueMessage,
  replaceHolder,
  type Resolution,
  resolutionWhenAlive,
  suffixedName,
  waitingBytes,
  withdrawRival,
} from "./duplicate-connection.ts";
import { diagnose, diagnoseUnnamed, reportRefusal, reportRepairs } from "../diagnostics/diagnose.ts";
import { checkFirstMessage, checkLatency } from "../diagnostics/connection-checks.ts";
import { checkBreak } from "../diagnostics/result-checks.ts";
import { withRepairs } from "../../../neuro-api/repair.ts";
import { handleGameMessage } from "./game-messages.ts";
import { awaitFirstMessage, endSilence, gameNameInPath, identifySilentSocket } from "./identification.ts";
import { onConnectionLost } from "../pending/pending.ts";
import { scheduleKeepalive } from "./keepalive.ts";
import {
  connectGame,
  connectionName,
  disconnectGame,
  findOrCreateGame,
  GAME_BYTES,
  normalizeGameName,
} from "./registry.ts";
import { forgetUnregistered, requestReregistration, trackRegistration } from "./reregistration.ts";

/** Games that one socket may speak for. */
const CONNECTIONS_PER_SOCKET_MAX = 256;
/** One game on one socket, with its name in the frames. */
const CONNECTION_BYTES = 2_048;
/** Games of one socket that its attachment names. */
const ATTACHED_NAMES_MAX = 32;
/** Characters of a name in the reason for closing its socket. */
const REFUSED_NAME_MAX = 32;
/** A Durable Object rejects an attachment of more than 16 KiB, and it also holds the metadata of the upgrade request. */
const ATTACHMENT_BYTES_MAX = 8_192;

export function openSocket(
  state: NeuroState,
  { peer, connection }: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  ctx: StepContext,
): void {
  const { via, address } = connection;
  if (isLoop(state, via)) {
    ctx.observe({ is: "greeting_refused", fault: "notAllowed", address, reason: "relays chained in a loop" });
    return ctx.emit({ do: "close", peer, fault: "notAllowed" });
  }
  const socket = createSocket(state, { peer, connection }, ctx.now);
  state.sockets.set(peer, socket);
  if (!socket.isVoice) awaitFirstMessage(socket, ctx.now);
  scheduleKeepalive(state, ctx.now);
  tellChain(socket, ctx);
}

export const createSocket = (
  state: NeuroState,
  { peer, connection }: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  now: Millis,
): GameSocket => ({
  // Why these first: each message reads them, and they lie together in memory.
  service: state,
  peer,
  lastHeardAt: now,
  isVoice: /\/voice\/?$/.test(connection.path),
  hasSpoken: false,
  lastConnection: undefined,
  connection,
  retained: new RetainedBytes(state.retained, "peer_bytes"),
  openedAt: now,
  connections: new SmallMap(),
  unansweredPings: 0,
  canPong: false,
  pingedAt: undefined,
  reregisterAskedAt: undefined,
  firstMessage: undefined,
});

export function receiveGameFrame(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  const { service: state } = socket;
  socket.lastHeardAt = ctx.now;
  if (state.contested.size > 0) confirmAlive(socket, ctx);
  if (socket.isVoice) return answerVoice(socket, frame, ctx);
  const decoded = decodeGame(frame, state.settings.limits);
  ctx.count("game", "in", decoded.ok ? decoded.message.command : "unreadable");
  if (!decoded.ok) {
    return refuseFrame(socket, { ...decoded, message: frame }, ctx);
  }
  const { game: name, message, repairs } = decoded;
  if (!socket.hasSpoken) handleFirstMessage(socket, { name, message }, ctx);
  const last = socket.lastConnection;
  const isLast = last !== undefined && (name === undefined || last.name === name);
  const connection = isLast ? last : connectionFor(socket, { name, message }, ctx);
  if (connection === undefined) return;
  socket.lastConnection = connection;
  if (repairs.length > 0) reportRepairs(connection.game, repairs, frame, ctx);
  receiveMessage(connection, withRepairs(message, repairs), ctx);
}

const REFUSALS: Readonly<Partial<Record<FaultName, RefusalKind>>> = {
  badFrame: "frame_unreadable",
  tooBig: "message_too_large",
};

/** A frame that cannot be read belongs to the game whose message came last on its socket. */
function refuseFrame(
  { service: state, lastConnection, connection: { address } }: GameSocket,
  failure: Failure & { readonly message: Frame },
  ctx: StepContext,
): void {
  const { fault, reason, message } = failure;
  const id = REFUSALS[fault] ?? "message_invalid";
  if (lastConnection !== undefined) return reportRefusal(lastConnection.game, id, failure, ctx);
  ctx.observe({ is: "input_refused", from: address, fault, reason });
  diagnoseUnnamed(state, id, { address, detail: reason, message }, ctx);
}

function receiveMessage(connection: GameConnection, message: GameMessage, ctx: StepContext): void {
  const { state, game } = connection;
  switch (state.is) {
    case "active":
      return handleMessage(connection, message, ctx);
    case "contested":
      return queueMessage(connection, state, message, ctx);
    case "standby":
      if (message.command === "actions/force") keepForce(connection, state, message);
      return reportRefusal(
        game,
        "connection_standby",
        { ...failed("nameTaken", "another connection of this game is active"), message },
        ctx,
      );
    default:
      return assertNever(state);
  }
}

function handleMessage(connection: GameConnection, message: GameMessage, ctx: StepContext): void {
  const { game } = connection;
  if (message.command === "other") {
    const { wantsTraces } = game;
    handleGameMessage(game, message, ctx);
    return game.wantsTraces === wantsTraces ? undefined : saveAttachment(connection.socket, ctx);
  }
  if (message.command !== "actions/register") return handleGameMessage(game, message, ctx);
  trackRegistration(connection, message, ctx);
  handleGameMessage(game, message, ctx);
  forgetUnregistered(connection);
}

export function closeSocket(socket: GameSocket, code: number, ctx: StepContext): void {
  const { service: state } = socket;
  state.sockets.delete(socket.peer);
  endSilence(socket);
  for (const connection of socket.connections.values()) {
    const { game } = connection;
    withdrawRival(connection);
    if (connection.state.is !== "active" || peerOf(game) !== socket.peer) continue;
    checkBreak(game, code, ctx);
    onConnectionLost(game, socket.lastHeardAt, ctx);
    disconnectGame(game, ctx);
    const next = nextConnectionOf(game);
    if (next !== undefined) applyResolution(next, "newest", ctx);
  }
  socket.retained.close();
}

export function receivePong(socket: GameSocket, ctx: StepContext): void {
  checkLatency(socket, ctx);
  socket.pingedAt = undefined;
  socket.lastHeardAt = ctx.now;
  socket.unansweredPings = 0;
  socket.canPong = true;
  confirmAlive(socket, ctx);
}

/** The socket sent something, which decides the contests for its games. */
function confirmAlive(socket: GameSocket, ctx: StepContext): void {
  for (const { game, state } of socket.connections.values()) {
    if (state.is !== "active") continue;
    for (const rival of game.rivals ?? []) {
      if (rival.state.is !== "contested" || peerOf(game) !== socket.peer) continue;
      diagnose(game, "connected_twice", {}, ctx);
      applyResolution(rival, resolutionWhenAlive(rival, ctx.now), ctx);
    }
  }
}

/** The active socket of a contested game sent nothing within `PROBE_TIMEOUT_MS`: the newcomer gets the game. */
export function resolveExpiredContests(state: NeuroState, ctx: StepContext): void {
  for (const connection of expiredContests(state, ctx.now)) applyResolution(connection, "newest", ctx);
}

/** A socket has not sent a message for a while. If only one game can be its client, the socket becomes the connection of that game. */
export function identifySocket(socket: GameSocket, ctx: StepContext): void {
  const found = identifySilentSocket(socket, ctx);
  if (found !== undefined && permitsGame(socket, found.name)) connectSilentSocket(socket, found, ctx);
}

/** The connection speaks for its game from now on. */
function activateConnection(connection: GameConnection, ctx: StepContext): void {
  const { socket, game, isStarting } = connection;
  connection.state = ACTIVE;
  game.connection = socket.connection;
  connectGame(game, { peer: socket.peer, isStarting }, ctx);
  saveAttachment(socket, ctx);
  if (!isStarting && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
  const left = socket.service.silent.identified();
  if (left !== undefined && permitsGame(left.socket, left.game.name)) {
    connectSilentSocket(left.socket, { name: left.game.name, game: left.game }, ctx);
  }
}

/** The socket becomes the connection of a game, although it has sent no message. */
function connectSilentSocket(
  socket: GameSocket,
  found: { readonly name: string; readonly game: Game },
  ctx: StepContext,
): void {
  socket.service.silent.forget(socket);
  socket.lastConnection = openConnection(socket, found);
  activateConnection(socket.lastConnection, ctx);
}

export function openConnection(
  socket: GameSocket,
  { name, game, isStarting = false }: { readonly name: string; readonly game: Game; readonly isStarting?: boolean },
): GameConnection {
  const connection: GameConnection = {
    socket,
    name,
    game,
    state: ACTIVE,
    isStarting,
    registeredNames: new SmallMap(),
    hasReregistered: false,
  };
  if (!socket.connections.has(name)) socket.retained.charge(CONNECTION_BYTES);
  socket.connections.set(name, connection);
  return connection;
}

/**
 * Stores the active games of a socket in its attachment, which survives a panic and the hibernation of a Durable Object. Only a socket
 * that never had a game nor waited for one has no attachment.
 */
function saveAttachment({ peer, connections }: GameSocket, ctx: StepContext): void {
  const names: (readonly string[])[] = [];
  for (const { name, game, state } of connections.values()) {
    if (state.is !== "active" || names.length === ATTACHED_NAMES_MAX) continue;
    // Why: a frame with a name that is too long leads to the same game by its normal form.
    const attached = name.length > game.name.length ? game.name : name;
    names.push(game.wantsTraces ? [attached, game.key, "traces"] : [attached, game.key]);
  }
  const attachment = { v: 1, names };
  // Why not for one: its names always fit.
  while (names.length > 1 && utf8Length(JSON.stringify(attachment)) > ATTACHMENT_BYTES_MAX) names.pop();
  ctx.emit({ do: "attach", peer, attachment });
}

interface NamedMessage {
  readonly name: string | undefined;
  readonly message: GameMessage;
}

function handleFirstMessage(socket: GameSocket, { name, message }: NamedMessage, ctx: StepContext): void {
  socket.hasSpoken = true;
  endSilence(socket);
  const identified = socket.lastConnection;
  if (identified !== undefined && name !== undefined && identified.name !== name) {
    socket.connections.delete(identified.name);
    socket.retained.release(CONNECTION_BYTES);
    if (peerOf(identified.game) === socket.peer) disconnectGame(identified.game, ctx);
  }
  if (message.command !== "startup" && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
}

/** A name for a game that sent no name. Why a search: the counter begins again after a panic or a restart. */
function freeUnknownName(state: NeuroState): string {
  let name: string;
  do name = `unknown-${++state.unnamedCount}`; while (state.games.has(`neuro:${name}`));
  return name;
}

/** The connection of a game on a socket. A new one is active at once, or contested while another socket has the game. */
function connectionFor(
  socket: GameSocket,
  { name: given, message }: NamedMessage,
  ctx: StepContext,
): GameConnection | undefined {
  const { service: state } = socket;
  const name = connectionName(given ?? gameNameInPath(socket) ?? freeUnknownName(state));
  const known = socket.connections.get(name);
  if (known !== undefined) return known;
  if (!permitsGame(socket, name)) {
    refuseGame(socket, name, ctx);
    return undefined;
  }
  const refusal = socket.connections.size >= CONNECTIONS_PER_SOCKET_MAX
    ? failed("queueFull", `a socket speaks for at most ${CONNECTIONS_PER_SOCKET_MAX} games`)
    : socket.retained.refusal(CONNECTION_BYTES + GAME_BYTES, state.settings.limits);
  if (refusal !== undefined) {
    const { fault, reason } = refusal;
    ctx.observe({ is: "input_refused", from: name.slice(0, 64), fault, reason });
    diagnoseUnnamed(state, "limit_reached", { address: name.slice(0, 64), detail: reason, message }, ctx);
    return undefined;
  }
  const game = findOrCreateGame(state, { listener: "neuro", name: normalizeGameName(name) }, ctx);
  checkFirstMessage(socket, { game, given, message }, ctx);
  const connection = openConnection(socket, { name, game, isStarting: message.command === "startup" });
  if (!isConnected(game)) activateConnection(connection, ctx);
  else if (peerOf(game) !== socket.peer) applyResolution(connection, contestGame(connection, ctx), ctx);
  return socket.connections.get(name);
}

/** Whether the token of a socket is valid for a game of this name. */
const permitsGame = ({ service: { settings }, connection: { credential } }: GameSocket, name: string): boolean =>
  settings["nakurity-backend"].tokens.length === 0 ||
  permitsName(listenerTokens(settings["nakurity-backend"]), credential, name);

/** Closes a socket that speaks for a game that its token is not valid for. */
function refuseGame({ peer, connection: { address } }: GameSocket, name: string, ctx: StepContext): void {
  const reason = `this token is not valid for a game called ${JSON.stringify(name.slice(0, REFUSED_NAME_MAX))}`;
  ctx.observe({ is: "greeting_refused", fault: "notAllowed", address, reason });
  ctx.emit({ do: "close", peer, fault: "notAllowed", as: { code: FAULTS.notAllowed.close, reason } });
}

/**
 * The tokens changed: closes the sockets that speak for a game that their token is not valid for any more. Those whose token is not valid at all
 * are closed by the runtime.
 */
export function recheckGames({ sockets, settings }: NeuroState, ctx: StepContext): void {
  const tokens = listenerTokens(settings["nakurity-backend"]);
  for (const socket of sockets.values()) {
    if (!tokens.some(({ digest }) => digest === socket.connection.credential)) continue;
    const refused = [...socket.connections.values()].find(({ name }) => !permitsGame(socket, name));
    if (refused !== undefined) refuseGame(socket, refused.name, ctx);
  }
}

function applyResolution(connection: GameConnection, resolution: Resolution, ctx: StepContext): void {
  const { socket, game, name, isStarting } = connection;
  const { service: state } = socket;
  switch (resolution) {
    case "wait":
      return saveAttachment(socket, ctx); // Why: after a panic it must not be resumed as a silent one.
    case "oldest":
      putOnStandby(connection);
      return ctx.observe({ is: "taken_over", name: game.name, winner: "oldest" });
    case "newest": {
      const loser = isConnected(game) ? replaceHolder(connection, ctx) : undefined;
      if (loser !== undefined) saveAttachment(loser, ctx); // Why: after a panic it must not be resumed as the active one.
      return activateAfterWaiting(connection, connection.state, ctx);
    }
    case "suffix": {
      withdrawRival(connection);
      const copy = findOrCreateGame(state, { listener: "neuro", name: suffixedName(game) }, ctx);
      const renamed = openConnection(socket, { name, game: copy, isStarting });
      if (socket.lastConnection === connection) socket.lastConnection = renamed;
      return activateAfterWaiting(renamed, connection.state, ctx);
    }
    default:
      return assertNever(resolution);
  }
}

/** The connection becomes active, and the messages that it sent while contested or on standby are handled now. */
function activateAfterWaiting(connection: GameConnection, before: GameConnectionState, ctx: StepContext): void {
  const { socket } = connection;
  withdrawRival(connection);
  socket.retained.release(waitingBytes(before));
  const askedAt = socket.reregisterAskedAt;
  if (before.is === "standby") socket.reregisterAskedAt = undefined;
  // Why: a list that arrived while the connection was contested is in time, although it is handled only now.
  if (before.is === "contested" && askedAt !== undefined) {
    socket.reregisterAskedAt = askedAt + ctx.now - Math.max(before.since, askedAt);
  }
  activateConnection(connection, ctx);
  // Why: the registrations of a connection on standby were dropped.
  if (before.is === "standby" && socket.reregisterAskedAt === undefined) requestReregistration(socket, ctx);
  for (const message of messagesOf(before)) handleMessage(connection, message, ctx);
}

function messagesOf(state: GameConnectionState): readonly GameMessage[] {
  switch (state.is) {
    case "active":
      return [];
    case "contested":
      return state.backlog;
    case "standby":
      return state.force === undefined ? [] : [state.force];
    default:
      return assertNever(state);
  }
}

/** There is no voice service. The socket stays open, because clients reconnect every few seconds when it is closed. */
function answerVoice(socket: GameSocket, frame: Frame, ctx: StepContext): void {
  if (typeof frame !== "string") return;
  const message = parseJson(frame, socket.service.settings.limits.json_depth);
  if (!isObject(message) || message["command"] !== "voice/start") return;
  const reason = "not supported by this relay";
  const answer = encodeGame({ command: "other", name: "voice/unavailable", data: { reason } });
  if (answer !== undefined) ctx.emit({ do: "send", to: socket.peer, frame: answer });
}
