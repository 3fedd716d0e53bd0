/**
 * A network on virtual time between one relay and those who speak with it, as bad as it is told to be.
 *
 * Invariants: N1 frames of one direction of one wire arrive in the order in which they were sent, whatever their delays; N2 after a
 * cut nothing arrives that was still on its way; N3 each end learns of the end of its wire once.
 */
import type { ConnectionInfo, Event, ListenerName } from "../core/event.ts";
import { isLink, type LinkId, type Millis, type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Sockets } from "../engine/ports.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./clock.ts";

/** The far end of a connection with the relay, as its fake sees it. */
export interface TestSocket {
  readonly isOpen: boolean;
  send(frame: Frame): void;
  /** Says goodbye: what was sent before arrives. */
  close(): void;
  /** The cable is pulled: what is on its way is lost, and the relay notices only after `noticedMs`. */
  cut(noticedMs?: Millis): void;
  onOpen: () => void;
  onFrame: (frame: Frame) => void;
  onClose: (code: number) => void;
}

/** How bad the network is: each frame is on its way for some time between these two. */
export interface NetworkHealth {
  readonly delayMinMs: Millis;
  readonly delayMaxMs: Millis;
}

const DEFAULT_CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "fake", via: "" };

/** Both ends of one connection. */
class SimulatedSocket implements TestSocket {
  readonly id: PeerId | LinkId;
  isOpen = false;
  /** The relay still holds its end. */
  isOpenAtRelay = true;
  /** Bytes that the far end has not taken yet. */
  waitingBytes = 0;
  hasBackpressure = false;
  /** Reads this slowly: bytes per millisecond; undefined is as fast as can be. */
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

  /** Does it once the relay's end has heard of all that came before. */
  toRelay(arrive: () => void): void {
    this.#relayAt = Math.max(this.#relayAt, this.#network.clock.now + this.#network.delayMs());
    this.#network.clock.after(this.#relayAt - this.#network.clock.now, arrive);
  }

  /** Does it once the far end has heard of all that came before. */
  toPeer(bytes: number, arrive: () => void): void {
    const { clock } = this.#network;
    const readMs = this.bytesPerMs === undefined ? 0 : Math.ceil(bytes / this.bytesPerMs);
    this.#peerAt = Math.max(this.#peerAt + readMs, clock.now + this.#network.delayMs() + readMs);
    clock.after(this.#peerAt - clock.now, arrive);
  }
}

/** What answers when the relay dials; undefined refuses. */
export type Accept = (url: string, headers: Readonly<Record<string, string>>) => ((socket: TestSocket) => void) | undefined;

/** All connections of one relay. Those who connect use `connect`, those it dials are found by `answering`; the rest is the relay's. */
export class Network implements Sockets {
  readonly clock: VirtualClock;
  readonly #random: Random;
  readonly #sockets = new Map<PeerId | LinkId, SimulatedSocket>();
  #relay: ((event: Event) => void) | undefined;
  #count = 0;
  health: NetworkHealth = { delayMinMs: 0, delayMaxMs: 0 };
  accept: Accept = () => undefined;
  /** Told of every frame that either end received, and of every end of a wire. */
  onTraffic: (what: string) => void = () => {};

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.#random = random;
  }

  /** A relay listens; its connections are none. Undefined: it is no more, and all connections with it. */
  attachRelay(push: ((event: Event) => void) | undefined): void {
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    this.#relay = push;
    for (const socket of sockets) {
      socket.isOpenAtRelay = false;
      this.#closeAtPeer(socket, 1006);
    }
  }

  /** Connects by a door; `onOpen` or `onClose` follows. */
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

  /** How long the next thing is on its way. */
  delayMs(): Millis {
    return this.#random.between(this.health.delayMinMs, this.health.delayMaxMs);
  }

  /** A frame of a far end came to the relay. */
  deliverToRelay(socket: SimulatedSocket, frame: Frame): void {
    if (!socket.isOpenAtRelay) return;
    const { id } = socket;
    this.onTraffic(`${id} > ${typeof frame === "string" ? frame : `${frame.length} bytes`}`);
    this.#push(socket, isLink(id) ? { is: "received", link: id, frame } : { is: "frame", peer: id, frame });
  }

  /** The relay learns that a wire has ended. */
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

  /** Only for wires of the relay that is there now. */
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
