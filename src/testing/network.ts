/**
 * A network in virtual time between one relay, its clients and the servers that it dials, with random delays.
 *
 * Invariants: N1 the frames of one direction of a socket arrive in the order in which they were sent, whatever their delays; N2 after a
 * cut, frames under way do not arrive; N3 each end is notified once that its socket is closed.
 */
import type { ConnectionInfo, Event, ListenerName } from "../core/event.ts";
import { isLink, type LinkId, type Millis, type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Sockets } from "../engine/ports.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./clock.ts";

/** The end of a connection that a fake holds. */
export interface TestSocket {
  readonly isOpen: boolean;
  send(frame: Frame): void;
  /** Closes in order: frames that were sent before arrive. */
  close(): void;
  /** Breaks the connection: frames under way are lost, and the relay notices after `noticedMs`. */
  cut(noticedMs?: Millis): void;
  onOpen: () => void;
  onFrame: (frame: Frame) => void;
  onClose: (code: number) => void;
}

/** The delay of each frame is random between these two. */
export interface NetworkHealth {
  readonly delayMinMs: Millis;
  readonly delayMaxMs: Millis;
}

const DEFAULT_CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "fake", via: "" };

/** Both ends of one connection. */
class SimulatedSocket implements TestSocket {
  readonly id: PeerId | LinkId;
  isOpen = false;
  /** The relay has neither closed its end nor seen it closed. */
  isOpenAtRelay = true;
  /** Bytes that the peer has not received yet. */
  waitingBytes = 0;
  hasBackpressure = false;
  /** Read rate of the peer in bytes per millisecond; undefined: no limit. */
  bytesPerMs: number | undefined;
  onOpen: () => void = () => {};
  onFrame: (frame: Frame) => void = () => {};
  onClose: (code: number) => void = () => {};
  readonly #network: Network;
  #peerAt: Millis = 0;
  #relayAt: Millis = 0;

  constructor(id: PeerId | LinkId, network: Network) {
    this.id = id;
    this.#network = network;
  }

  send(frame: Frame): void {
    if (this.isOpen) this.toRelay(() => this.#network.deliverToRelay(this, frame));
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.toRelay(() => this.#network.closeAtRelay(this, 1000));
    this.onClose(1000);
  }

  cut(noticedMs: Millis = 0): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#network.clock.after(noticedMs, () => this.#network.closeAtRelay(this, 1006));
    this.onClose(1006);
  }

  /** Runs `arrive` after the network delay, and after everything sent to the relay before. */
  toRelay(arrive: () => void): void {
    this.#relayAt = Math.max(this.#relayAt, this.#network.clock.now + this.#network.delayMs());
    this.#network.clock.after(this.#relayAt - this.#network.clock.now, arrive);
  }

  /** Runs `arrive` after the network delay and the read time of `bytes`, and after everything sent to the peer before. */
  toPeer(bytes: number, arrive: () => void): void {
    const { clock } = this.#network;
    const readMs = this.bytesPerMs === undefined ? 0 : Math.ceil(bytes / this.bytesPerMs);
    this.#peerAt = Math.max(this.#peerAt + readMs, clock.now + this.#network.delayMs() + readMs);
    clock.after(this.#peerAt - clock.now, arrive);
  }
}

/** Returns the handler of a socket that the relay dials; undefined refuses the socket. */
export type Accept = (url: string, headers: Readonly<Record<string, string>>) => ((socket: TestSocket) => void) | undefined;

/** All connections of one relay. Clients use `connect`; `accept` decides about dialled sockets; the other methods are for the engine. */
export class Network implements Sockets {
  readonly clock: VirtualClock;
  readonly #random: Random;
  readonly #sockets = new Map<PeerId | LinkId, SimulatedSocket>();
  #relay: ((event: Event) => void) | undefined;
  #count = 0;
  health: NetworkHealth = { delayMinMs: 0, delayMaxMs: 0 };
  accept: Accept = () => undefined;
  /** Called with each frame that either end receives, and each close. */
  onTraffic: (what: string) => void = () => {};

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.#random = random;
  }

  /** A new relay process listens. Undefined: the process has ended. All existing connections break. */
  attachRelay(push: ((event: Event) => void) | undefined): void {
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    this.#relay = push;
    for (const socket of sockets) {
      socket.isOpenAtRelay = false;
      this.#closeAtPeer(socket, 1006);
    }
  }

  /** Connects to a listener; `onOpen` or `onClose` follows. */
  connect(listener: ListenerName, connection: Partial<ConnectionInfo> = {}, bytesPerMs?: number): TestSocket {
    const id = peerId(`p${++this.#count}`);
    const socket = new SimulatedSocket(id, this);
    socket.bytesPerMs = bytesPerMs;
    socket.toRelay(() => {
      const relay = this.#relay;
      if (relay === undefined) return socket.onClose(1006);
      socket.isOpen = true;
      this.#sockets.set(id, socket);
      socket.onOpen();
      relay({ is: "opened", peer: id, listener, connection: { ...DEFAULT_CONNECTION, ...connection } });
    });
    return socket;
  }

  send(to: PeerId | LinkId, frame: Frame): number {
    const socket = this.#sockets.get(to);
    if (socket === undefined || !socket.isOpenAtRelay) return 0;
    const bytes = frame.length;
    socket.waitingBytes += bytes;
    socket.toPeer(bytes, () => {
      socket.waitingBytes -= bytes;
      if (socket.isOpen) {
        this.onTraffic(`${to} < ${typeof frame === "string" ? frame : `${bytes} bytes`}`);
        socket.onFrame(frame);
      }
      if (socket.hasBackpressure && socket.waitingBytes === 0) this.#relieve(socket);
    });
    if (socket.bytesPerMs === undefined) return 0;
    socket.hasBackpressure = true;
    return socket.waitingBytes;
  }

  flush(): void {}

  close(peer: PeerId, code: number, _reason: string): void {
    const socket = this.#sockets.get(peer);
    if (socket === undefined || !socket.isOpenAtRelay) return;
    socket.isOpenAtRelay = false;
    socket.toPeer(0, () => this.#closeAtPeer(socket, code));
    socket.toRelay(() => this.closeAtRelay(socket, code, true));
  }

  ping(peer: PeerId): void {
    const socket = this.#sockets.get(peer);
    socket?.toPeer(0, () => socket.isOpen && socket.toRelay(() => this.#push(socket, { is: "ponged", peer })));
  }

  attach(): void {}

  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void {
    const socket = new SimulatedSocket(link, this);
    this.#sockets.set(link, socket);
    socket.toPeer(0, () => {
      const accept = socket.isOpenAtRelay ? this.accept(url, headers) : undefined;
      if (accept === undefined) return socket.toRelay(() => this.closeAtRelay(socket, 1006));
      socket.isOpen = true;
      socket.toRelay(() => this.#push(socket, { is: "dialed", link }));
      accept(socket);
      socket.onOpen();
    });
  }

  closeLink(link: LinkId, code = 1000): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    socket.isOpenAtRelay = false;
    this.#sockets.delete(link);
    socket.toPeer(0, () => this.#closeAtPeer(socket, code));
  }

  /** The random delay of the next frame or close. */
  delayMs(): Millis {
    return this.#random.between(this.health.delayMinMs, this.health.delayMaxMs);
  }

  /** A frame of a peer arrived at the relay. */
  deliverToRelay(socket: SimulatedSocket, frame: Frame): void {
    if (!socket.isOpenAtRelay) return;
    const { id } = socket;
    this.onTraffic(`${id} > ${typeof frame === "string" ? frame : `${frame.length} bytes`}`);
    this.#push(socket, isLink(id) ? { is: "received", link: id, frame } : { is: "frame", peer: id, frame });
  }

  /** Notifies the relay that a socket is closed. */
  closeAtRelay(socket: SimulatedSocket, code: number, wasClosedByRelay = false): void {
    if (!wasClosedByRelay && !socket.isOpenAtRelay && isLink(socket.id)) return;
    const { id } = socket;
    this.#push(socket, isLink(id) ? { is: "dropped", link: id, code, reason: "" } : { is: "closed", peer: id, code });
    socket.isOpenAtRelay = false;
    this.#sockets.delete(id);
  }

  #relieve(socket: SimulatedSocket): void {
    const { id } = socket;
    socket.hasBackpressure = false;
    this.#push(socket, isLink(id) ? { is: "linkRelieved", link: id } : { is: "relieved", peer: id });
  }

  /** Ignores sockets of an earlier process. */
  #push(socket: SimulatedSocket, event: Event): void {
    if (this.#sockets.get(socket.id) === socket) this.#relay?.(event);
  }

  #closeAtPeer(socket: SimulatedSocket, code: number): void {
    if (!socket.isOpen) return;
    socket.isOpen = false;
    this.onTraffic(`${socket.id} closed ${code}`);
    socket.onClose(code);
  }
}
