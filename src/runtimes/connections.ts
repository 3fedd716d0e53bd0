/**
 * Connections that peers open, and the frames sent on each; the same on every runtime.
 *
 * Invariants: B1 frames to one peer leave in order; all frames between two flushes leave in one write where the runtime can, and at most one
 * turn of the event loop after the second;
 * B2 frames from a peer that the relay is closing are ignored, and after `CLOSING_BYTES_MAX` it is disconnected; B3 the relay
 * treats such a peer as disconnected at most `CLOSING_MS` later;
 * B4 exactly one `closed` follows an `opened`.
 */
import type { ConnectionInfo, Event, ListenerName } from "../core/event.ts";
import { ABNORMAL_CLOSE, FAULTS } from "../core/fault.ts";
import { isLink, type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";
import type { Sockets } from "../engine/mod.ts";
import type { AccessControl } from "../http/app.ts";
import type { Counter, Gauge, RelayMetrics } from "../observability/mod.ts";
import { closeCode, closeReason, CLOSING_MS } from "../websocket-client/close.ts";
import { RELIEVED_BYTES } from "../websocket-client/backpressure.ts";
import type { Links } from "./links.ts";

/** An accepted socket. No method throws, whatever state the socket is in. */
export interface ServerSocket {
  /** Sends frames in order, in one write if the runtime can. Returns the bytes that still wait; 0 if the runtime hides their number. */
  write(frames: readonly Frame[]): number;
  close(code: number, reason: string): void;
  /** Disconnects without waiting for the peer, if the runtime can. */
  terminate(): void;
  /** Does nothing if the runtime cannot ping. */
  ping(): void;
}

/** Receives the events of one accepted socket. No method throws. */
export interface ConnectionHandler {
  /** Its first message is a greeting; before that anyone can send. */
  readonly greets: boolean;
  /** The address of the client, also behind a proxy. Needed only if it greets. */
  readonly address?: string;
  open(socket: ServerSocket): void;
  message(frame: Frame): void;
  /** The socket has read this many bytes before its first message is complete. Not called where the runtime hides them. */
  buffered(bytes: number): void;
  /** The socket sent some of its backlog; `waiting` bytes remain. */
  drain(waiting: number): void;
  /** The answer to a ping. */
  pong(): void;
  /** A ping, a pong that answers no ping, or some tiny fragments: it has hardly an effect, but counts as work. */
  controlFrame(): void;
  close(code: number, reason?: string): void;
}

/** The functions of the host that connections need. */
export interface ConnectionsHost {
  readonly metrics: RelayMetrics;
  readonly settings: Pick<Settings, "limits">;
  push(event: Event): void;
  observe(observation: Observation): void;
  /** Runs something at the end of the next turn of the event loop. Absent where nothing is gained by waiting. */
  afterTurn?(run: () => void): void;
  /** False for a new peer whose token is not valid any more. Absent: it was checked at the upgrade. */
  admits?(identity: PeerIdentity): boolean;
}

/** The identity of a peer. */
export interface PeerIdentity {
  readonly id: PeerId;
  readonly listener: ListenerName;
  readonly connection: ConnectionInfo;
}

/** Bytes that a peer may send after its close, because it does not know of the close yet. */
export const CLOSING_BYTES_MAX = 1_048_576;
/** Each of these frames counts as at least this many bytes, because handling it is work as well. */
export const CLOSING_FRAME_BYTES_MIN = 4_096;

/** Bytes of the largest header of a client's frame. */
export const FRAME_HEADER_BYTES_MAX = 14;

/** A write contains about this many characters; more frames leave in several writes. */
const BATCH_CHARS = 16_384;

/** A flush to more peers than this, and to more than this part of all, waits for the next turn of the event loop. */
const PEERS_AT_ONCE_MAX = 32;
const PART_AT_ONCE_MAX = 1 / 4;

export class PeerConnections {
  readonly #host: ConnectionsHost;
  readonly #prefix: string;
  readonly #table = new Map<PeerId, PeerConnection>();
  readonly #groups = new Map<ListenerName, ListenerGroup>();
  #unwritten: PeerConnection[] = [];
  #isFlushPostponed = false;
  #count = 0;
  /** Of the peer before. Why kept: many connect from the same program, or from the same machine, and share the object. */
  #latest: ConnectionInfo = { address: "", path: "", userAgent: "", via: "" };

  /** `prefix` distinguishes the ids of these peers from those of an earlier process whose peers are still connected. */
  constructor(host: ConnectionsHost, prefix = "") {
    this.#host = host;
    this.#prefix = prefix;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Creates a new peer, which handles the socket that an upgrade will open. */
  admit(
    listener: ListenerName,
    connection: ConnectionInfo,
  ): ConnectionHandler & { readonly id: PeerId } {
    const id = peerId(`${listener}-${this.#prefix}${++this.#count}`);
    if (!isSameInfo(connection, this.#latest)) this.#latest = connection;
    return new PeerConnection({ id, listener, connection: this.#latest }, this.#groupOf(listener), "new");
  }

  /** Takes a new peer whose id another node has given. */
  accept(identity: PeerIdentity): ConnectionHandler {
    return new PeerConnection(identity, this.#groupOf(identity.listener), "new");
  }

  /** Takes over a peer that was connected before this process, or this Durable Object, started. */
  resume(identity: PeerIdentity, socket: ServerSocket): ConnectionHandler {
    const peer = new PeerConnection(identity, this.#groupOf(identity.listener), "resumed");
    peer.open(socket);
    return peer;
  }

  /** Closes the peers whose credentials are not valid any more, after the tokens changed. */
  closeRevoked(accessControl: Pick<AccessControl, "admits">): void {
    for (const [id, { listener, connection }] of [...this.#table]) {
      if (accessControl.admits(listener, connection.credential, connection.address)) continue;
      this.#host.observe({ is: "peer_closed_by_relay", from: connection.address, fault: "badToken" });
      this.close(id, FAULTS.badToken.close, FAULTS.badToken.message);
    }
  }

  /** Returns the bytes that still wait for the peer. */
  send(to: PeerId, frame: Frame): number {
    const peer = this.#table.get(to);
    if (peer === undefined || !peer.isOpen) return 0;
    const batch = peer.batch ??= [];
    if (batch.push(frame) === 1) this.#unwritten.push(peer);
    peer.batchChars += frame.length;
    if (peer.batchChars >= BATCH_CHARS) peer.write();
    return peer.waiting + peer.batchChars;
  }

  /**
   * Writes what was sent since the last flush; to many peers one turn of the event loop later.
   *
   * Why: each write is a system call, and what arrives in the next turn is for the same peers again. Of 256 actions for 100 games the relay
   * otherwise writes nearly each one alone, and a trip takes a seventh more.
   */
  flush(): void {
    const { afterTurn } = this.#host;
    const isToMany = this.#unwritten.length > Math.max(PEERS_AT_ONCE_MAX, this.#table.size * PART_AT_ONCE_MAX);
    if (!isToMany || this.#isFlushPostponed || afterTurn === undefined) return this.#write();
    this.#isFlushPostponed = true;
    afterTurn(this.#write);
  }

  readonly #write = (): void => {
    this.#isFlushPostponed = false;
    const peers = this.#unwritten;
    if (peers.length === 0) return;
    this.#unwritten = [];
    for (const peer of peers) peer.write();
  };

  close(id: PeerId, code: number, reason: string): void {
    this.#table.get(id)?.closeByRelay(code, reason);
  }

  ping(id: PeerId): void {
    this.#table.get(id)?.ping();
  }

  #groupOf(listener: ListenerName): ListenerGroup {
    const known = this.#groups.get(listener);
    if (known !== undefined) return known;
    const { connections, frames } = this.#host.metrics;
    const group = {
      host: this.#host,
      table: this.#table,
      open: connections.labels(listener),
      received: frames.labels(listener, "in"),
      sent: frames.labels(listener, "out"),
    };
    this.#groups.set(listener, group);
    return group;
  }
}

function isSameInfo(one: ConnectionInfo, other: ConnectionInfo): boolean {
  for (const field of INFO_FIELDS) if (one[field] !== other[field]) return false;
  return true;
}

/** Why a record: a field that is added to a connection has to be compared, too. */
const INFO: Readonly<Record<keyof ConnectionInfo, true>> = {
  address: true,
  path: true,
  userAgent: true,
  via: true,
  credential: true,
  query: true,
  protocols: true,
};
// Why the cast: `Object.keys` forgets the names of a record.
const INFO_FIELDS = Object.keys(INFO) as readonly (keyof ConnectionInfo)[];

/** The state that all peers of one listener share. */
interface ListenerGroup {
  readonly host: ConnectionsHost;
  readonly table: Map<PeerId, PeerConnection>;
  readonly open: Gauge;
  readonly received: Counter;
  readonly sent: Counter;
}

type PeerConnectionState =
  /** The upgrade was accepted; the socket is not open yet. */
  | { readonly is: "opening" }
  | { readonly is: "open"; readonly socket: ServerSocket }
  /** The relay has sent its close frame; `timer` terminates the socket if the peer does not answer. */
  | {
    readonly is: "closing";
    readonly socket: ServerSocket;
    readonly timer: ReturnType<typeof setTimeout>;
    /** Received since the close. */
    bytes: number;
  }
  | { readonly is: "closed" };

const OPENING: PeerConnectionState = { is: "opening" };
const CLOSED: PeerConnectionState = { is: "closed" };

/** One peer and the frames that wait to be written to it. Why a class: ten thousand peers share its methods. */
class PeerConnection implements ConnectionHandler, PeerIdentity {
  readonly id: PeerId;
  readonly listener: ListenerName;
  readonly connection: ConnectionInfo;
  /** Undefined until it gets its first frame. */
  batch: Frame[] | undefined;
  batchChars = 0;
  /** Bytes that the socket did not take, as of the last write or drain. */
  waiting = 0;
  readonly #group: ListenerGroup;
  readonly #origin: "new" | "resumed";
  #state: PeerConnectionState = OPENING;

  constructor({ id, listener, connection }: PeerIdentity, group: ListenerGroup, origin: "new" | "resumed") {
    this.id = id;
    this.listener = listener;
    this.connection = connection;
    this.#group = group;
    this.#origin = origin;
  }

  get address(): string {
    return this.connection.address;
  }

  get greets(): boolean {
    return this.listener === "intermediary";
  }

  get isOpen(): boolean {
    return this.#state.is === "open";
  }

  open(socket: ServerSocket): void {
    const { table, open, host } = this.#group;
    const { id, listener, connection } = this;
    this.#state = { is: "open", socket };
    table.set(id, this);
    open.add();
    // Why not for a resumed one: the engine gets those when it starts.
    if (this.#origin !== "new") return;
    host.push({ is: "opened", peer: id, listener, connection });
    if (host.admits?.(this) === false) this.closeByRelay(FAULTS.badToken.close, FAULTS.badToken.message);
  }

  message(frame: Frame): void {
    const { received, host } = this.#group;
    received.value++;
    if (this.#state.is === "open") host.push({ is: "frame", peer: this.id, frame });
    else this.#receivedWhileClosing(frame.length);
  }

  buffered(bytes: number): void {
    const { host } = this.#group;
    const { address } = this;
    const { greeting_bytes: bytesMax } = host.settings.limits;
    if (!this.greets || bytes <= bytesMax + FRAME_HEADER_BYTES_MAX || this.#state.is !== "open") return;
    const reason = `the greeting exceeds limits.greeting_bytes, which is ${bytesMax} bytes`;
    host.observe({ is: "greeting_refused", fault: "badGreeting", address, reason });
    this.#disconnect(this.#state.socket);
  }

  drain(waiting: number): void {
    this.waiting = waiting;
    if (waiting <= RELIEVED_BYTES) this.#group.host.push({ is: "relieved", peer: this.id });
  }

  pong(): void {
    this.#group.host.push({ is: "ponged", peer: this.id });
  }

  controlFrame(): void {
    if (this.#state.is === "open") this.#group.host.push({ is: "controlFrame", peer: this.id });
    else this.#receivedWhileClosing(0);
  }

  close(code: number, reason = ""): void {
    this.#end(code, reason);
  }

  closeByRelay(code: number, reason: string): void {
    if (this.#state.is !== "open") return;
    this.write();
    const { socket } = this.#state;
    if (code === ABNORMAL_CLOSE) return this.#disconnect(socket);
    const timer = setTimeout(() => this.#disconnect(socket), CLOSING_MS);
    this.#state = { is: "closing", socket, timer, bytes: 0 };
    socket.close(closeCode(code), closeReason(reason));
  }

  #receivedWhileClosing(bytes: number): void {
    if (this.#state.is !== "closing") return;
    this.#state.bytes += Math.max(bytes, CLOSING_FRAME_BYTES_MIN);
    if (this.#state.bytes > CLOSING_BYTES_MAX) this.#disconnect(this.#state.socket);
  }

  #disconnect(socket: ServerSocket): void {
    socket.terminate();
    this.#end(ABNORMAL_CLOSE);
  }

  ping(): void {
    if (this.#state.is === "open") this.#state.socket.ping();
  }

  write(): void {
    const { batch } = this;
    if (batch === undefined || batch.length === 0) return;
    this.batchChars = 0;
    if (this.#state.is === "open") {
      this.#group.sent.add(batch.length);
      this.waiting = this.#state.socket.write(batch);
    }
    batch.length = 0;
  }

  #end(code: number, reason = ""): void {
    if (this.#state.is === "closed") return;
    if (this.#state.is === "closing") clearTimeout(this.#state.timer);
    this.#state = CLOSED;
    const { table, open, host } = this.#group;
    open.add(-1);
    table.delete(this.id);
    host.push({ is: "closed", peer: this.id, code, ...(reason !== "" && { reason }) });
  }
}

/** The engine's port to accepted and dialled connections. */
export const createSockets = (peers: PeerConnections, links: Links): Sockets => ({
  send: (to, frame) => (isLink(to) ? links.send(to, frame) : peers.send(to, frame)),
  flush: () => {
    peers.flush();
    links.flush();
  },
  close: (peer, code, reason) => peers.close(peer, code, reason),
  ping: (peer) => peers.ping(peer),
  attach: () => {}, // Why: a process does not sleep; the engine itself keeps attachments over a panic.
  dial: (link, url, headers) => links.dial(link, url, headers),
  closeLink: (link, code, reason) => links.closeLink(link, code, reason),
});
