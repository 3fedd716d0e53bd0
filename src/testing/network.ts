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

const CALLER: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "fake", via: "" };

/** Both ends of one connection. */
class SimulatedConnection implements TestSocket {
  readonly id: PeerId | LinkId;
  isOpen = false;
  /** The relay still holds its end. */
  isHeld = true;
  /** Bytes that the far end has not taken yet. */
  waitingBytes = 0;
  isPressed = false;
  /** Reads this slowly: bytes per millisecond; undefined is as fast as can be. */
  bytesPerMs: number | undefined;
  onOpen: () => void = () => {};
  onFrame: (frame: Frame) => void = () => {};
  onClose: (code: number) => void = () => {};
  readonly #network: Network;
  #downAt: Millis = 0;
  #upAt: Millis = 0;

  constructor(id: PeerId | LinkId, network: Network) {
    this.id = id;
    this.#network = network;
  }

  send(frame: Frame): void {
    if (this.isOpen) this.up(() => this.#network.arrived(this, frame));
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.up(() => this.#network.ended(this, 1000));
    this.onClose(1000);
  }

  cut(noticedMs: Millis = 0): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#network.clock.after(noticedMs, () => this.#network.ended(this, 1006));
    this.onClose(1006);
  }

  /** Does it once the relay's end has heard of all that came before. */
  up(arrive: () => void): void {
    this.#upAt = Math.max(this.#upAt, this.#network.clock.now + this.#network.delayMs());
    this.#network.clock.after(this.#upAt - this.#network.clock.now, arrive);
  }

  /** Does it once the far end has heard of all that came before. */
  down(bytes: number, arrive: () => void): void {
    const { clock } = this.#network;
    const readMs = this.bytesPerMs === undefined ? 0 : Math.ceil(bytes / this.bytesPerMs);
    this.#downAt = Math.max(this.#downAt + readMs, clock.now + this.#network.delayMs() + readMs);
    clock.after(this.#downAt - clock.now, arrive);
  }
}

/** What answers when the relay dials; undefined refuses. */
export type Accept = (url: string, headers: Readonly<Record<string, string>>) => ((wire: TestSocket) => void) | undefined;

/** All connections of one relay. Those who connect use `connect`, those it dials are found by `answering`; the rest is the relay's. */
export class Network implements Sockets {
  readonly clock: VirtualClock;
  readonly #chance: Random;
  readonly #cables = new Map<PeerId | LinkId, SimulatedConnection>();
  #relay: ((event: Event) => void) | undefined;
  #count = 0;
  health: NetworkHealth = { delayMinMs: 0, delayMaxMs: 0 };
  accept: Accept = () => undefined;
  /** Told of every frame that either end received, and of every end of a wire. */
  onTraffic: (what: string) => void = () => {};

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.#chance = random;
  }

  /** A relay listens; its connections are none. Undefined: it is no more, and all connections with it. */
  attachRelay(push: ((event: Event) => void) | undefined): void {
    const cables = [...this.#cables.values()];
    this.#cables.clear();
    this.#relay = push;
    for (const cable of cables) {
      cable.isHeld = false;
      this.#end(cable, 1006);
    }
  }

  /** Connects by a door; `onOpen` or `onClose` follows. */
  connect(listener: ListenerName, connection: Partial<ConnectionInfo> = {}, bytesPerMs?: number): TestSocket {
    const id = peerId(`p${++this.#count}`);
    const cable = new SimulatedConnection(id, this);
    cable.bytesPerMs = bytesPerMs;
    cable.up(() => {
      const relay = this.#relay;
      if (relay === undefined) return cable.onClose(1006);
      cable.isOpen = true;
      this.#cables.set(id, cable);
      cable.onOpen();
      relay({ is: "opened", peer: id, listener, connection: { ...CALLER, ...connection } });
    });
    return cable;
  }

  send(to: PeerId | LinkId, frame: Frame): number {
    const cable = this.#cables.get(to);
    if (cable === undefined || !cable.isHeld) return 0;
    const bytes = frame.length;
    cable.waitingBytes += bytes;
    cable.down(bytes, () => {
      cable.waitingBytes -= bytes;
      if (cable.isOpen) {
        this.onTraffic(`${to} < ${typeof frame === "string" ? frame : `${bytes} bytes`}`);
        cable.onFrame(frame);
      }
      if (cable.isPressed && cable.waitingBytes === 0) this.#ease(cable);
    });
    if (cable.bytesPerMs === undefined) return 0;
    cable.isPressed = true;
    return cable.waitingBytes;
  }

  flush(): void {}

  close(peer: PeerId, code: number, _reason: string): void {
    const cable = this.#cables.get(peer);
    if (cable === undefined || !cable.isHeld) return;
    cable.isHeld = false;
    cable.down(0, () => this.#end(cable, code));
    cable.up(() => this.ended(cable, code, true));
  }

  ping(peer: PeerId): void {
    const cable = this.#cables.get(peer);
    cable?.down(0, () => cable.isOpen && cable.up(() => this.#push(cable, { is: "ponged", peer })));
  }

  attach(): void {}

  dial(link: LinkId, url: string, headers: Readonly<Record<string, string>>): void {
    const cable = new SimulatedConnection(link, this);
    this.#cables.set(link, cable);
    cable.down(0, () => {
      const accept = cable.isHeld ? this.accept(url, headers) : undefined;
      if (accept === undefined) return cable.up(() => this.ended(cable, 1006));
      cable.isOpen = true;
      cable.up(() => this.#push(cable, { is: "dialed", link }));
      accept(cable);
      cable.onOpen();
    });
  }

  closeLink(link: LinkId, code = 1000): void {
    const cable = this.#cables.get(link);
    if (cable === undefined) return;
    cable.isHeld = false;
    this.#cables.delete(link);
    cable.down(0, () => this.#end(cable, code));
  }

  /** How long the next thing is on its way. */
  delayMs(): Millis {
    return this.#chance.between(this.health.delayMinMs, this.health.delayMaxMs);
  }

  /** A frame of a far end came to the relay. */
  arrived(cable: SimulatedConnection, frame: Frame): void {
    if (!cable.isHeld) return;
    const { id } = cable;
    this.onTraffic(`${id} > ${typeof frame === "string" ? frame : `${frame.length} bytes`}`);
    this.#push(cable, isLink(id) ? { is: "received", link: id, frame } : { is: "frame", peer: id, frame });
  }

  /** The relay learns that a wire has ended. */
  ended(cable: SimulatedConnection, code: number, wasClosedByRelay = false): void {
    if (!wasClosedByRelay && !cable.isHeld && isLink(cable.id)) return;
    const { id } = cable;
    this.#push(cable, isLink(id) ? { is: "dropped", link: id, code, reason: "" } : { is: "closed", peer: id, code });
    cable.isHeld = false;
    this.#cables.delete(id);
  }

  #ease(cable: SimulatedConnection): void {
    const { id } = cable;
    cable.isPressed = false;
    this.#push(cable, isLink(id) ? { is: "linkRelieved", link: id } : { is: "relieved", peer: id });
  }

  /** Only for wires of the relay that is there now. */
  #push(cable: SimulatedConnection, event: Event): void {
    if (this.#cables.get(cable.id) === cable) this.#relay?.(event);
  }

  #end(cable: SimulatedConnection, code: number): void {
    if (!cable.isOpen) return;
    cable.isOpen = false;
    this.onTraffic(`${cable.id} closed ${code}`);
    cable.onClose(code);
  }
}
