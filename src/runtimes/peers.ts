/**
 * Accepted connections, and what is sent to each: the same on every runtime.
 *
 * Invariants: B1 what is sent to one peer leaves in order, all of one turn of the event loop in one write where the runtime can;
 * B2 a peer that was closed by us is not heard any more; B3 for the relay it is gone at the latest `CLOSING_MS` later; B4 exactly
 * one `closed` follows an `opened`.
 */
import type { ConnectionInfo, Event, ListenerName } from "../core/event.ts";
import { FAULTS } from "../core/fault.ts";
import { type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Ticket, Tokens } from "../http/app.ts";
import type { Cell, Meters } from "../observability/mod.ts";
import { closeCode, closeReason, CLOSING_MS } from "../websocket-client/close.ts";
import { EASED_BYTES, type Guest, type GuestSocket } from "../websocket-client/guest.ts";

/** Of a host, what peers need. */
export interface PeersHost {
  readonly meters: Meters;
  push(event: Event): void;
  observe(observation: Observation): void;
}

export interface PeersOptions {
  /** Runs something at the end of this turn of the event loop; at once, where a write more costs nothing. */
  later(run: () => void): void;
  /** Begins the ids of these peers: they must not be those of an earlier table whose peers are still there. */
  readonly prefix?: string;
}

/** Who a peer is. */
export interface Admitted {
  readonly id: PeerId;
  readonly listener: ListenerName;
  readonly connection: ConnectionInfo;
  /** What let it in, where that is known. */
  readonly ticket?: Ticket;
}

/** Who may stay. */
export type Admitting = Pick<Tokens, "admits">;

/** One write holds about this much; more of one turn goes in several. */
const BATCH_CHARS = 16_384;

export class Peers {
  readonly #host: PeersHost;
  readonly #options: PeersOptions;
  readonly #table = new Map<PeerId, Peer>();
  readonly #sides = new Map<ListenerName, DoorSide>();
  #dirty: Peer[] = [];
  #isWriteDue = false;
  #count = 0;

  constructor(host: PeersHost, options: PeersOptions) {
    this.#host = host;
    this.#options = options;
  }

  get size(): number {
    return this.#table.size;
  }

  /** A new peer: the owner of the socket that an upgrade will open. */
  admit(listener: ListenerName, connection: ConnectionInfo, ticket: Ticket = undefined): Guest & { readonly id: PeerId } {
    const id = peerId(`${listener}-${this.#options.prefix ?? ""}${++this.#count}`);
    return new Peer({ id, listener, connection, ticket }, this.#sideOf(listener), { isNew: true });
  }

  /** Tokens changed: who would not be let in any more has to go. */
  recheck(tokens: Admitting): void {
    for (const [id, { admitted: { listener, connection, ticket } }] of [...this.#table]) {
      if (tokens.admits(listener, ticket, connection.address)) continue;
      this.#host.observe({ is: "peer_closed_by_relay", from: connection.address, fault: "badToken" });
      this.close(id, FAULTS.badToken.close, FAULTS.badToken.message);
    }
  }

  /** A peer that the engine is told about otherwise, since it was connected before. */
  resume(admitted: Admitted, socket: GuestSocket): Guest {
    const guest = new Peer(admitted, this.#sideOf(admitted.listener), { isNew: false });
    guest.opened(socket);
    return guest;
  }

  /** Returns what waits for the peer after it. */
  send(to: PeerId, frame: Frame): number {
    const peer = this.#table.get(to);
    if (peer === undefined || peer.isClosing) return 0;
    if (peer.batch.push(frame) === 1) this.#dirty.push(peer);
    peer.batchChars += frame.length;
    if (peer.batchChars >= BATCH_CHARS) peer.write();
    return peer.waiting + peer.batchChars;
  }

  /** Writes at the end of this turn of the event loop, so that all frames of one read leave together. */
  flush(): void {
    if (this.#isWriteDue || this.#dirty.length === 0) return;
    this.#isWriteDue = true;
    this.#options.later(() => this.#writeAll());
  }

  close(id: PeerId, code: number, reason: string): void {
    const peer = this.#table.get(id);
    if (peer === undefined || peer.isClosing) return;
    peer.write();
    peer.isClosing = true;
    peer.socket?.close(closeCode(code), closeReason(reason));
    if (!this.#table.has(id)) return;
    peer.cutting = setTimeout(() => {
      peer.socket?.cut();
      peer.gone(1006);
    }, CLOSING_MS);
  }

  ping(id: PeerId): void {
    this.#table.get(id)?.socket?.ping();
  }

  /** What the peers of one door share. */
  #sideOf(listener: ListenerName): DoorSide {
    const known = this.#sides.get(listener);
    if (known !== undefined) return known;
    const { connections, frames } = this.#host.meters;
    const counts = {
      open: connections.of(listener),
      received: frames.of(listener, "in"),
      sent: frames.of(listener, "out"),
    };
    const side = { ...counts, host: this.#host, table: this.#table };
    this.#sides.set(listener, side);
    return side;
  }

  #writeAll(): void {
    this.#isWriteDue = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const peer of dirty) peer.write();
  }
}

/** What the peers of one door share. */
interface DoorSide {
  readonly host: PeersHost;
  readonly table: Map<PeerId, Peer>;
  readonly open: Cell;
  readonly received: Cell;
  readonly sent: Cell;
}

/** One peer, and what is on its way to it. Why a class: ten thousand of them share its methods. */
class Peer implements Guest {
  readonly admitted: Admitted;
  readonly batch: Frame[] = [];
  batchChars = 0;
  /** Bytes that the socket did not take, as of the last write or drain. */
  waiting = 0;
  isClosing = false;
  socket: GuestSocket | undefined;
  cutting: ReturnType<typeof setTimeout> | undefined;
  readonly #side: DoorSide;
  /** The engine has to be told that it came. */
  readonly #isNew: boolean;
  #isGone = false;

  constructor(admitted: Admitted, side: DoorSide, { isNew }: { readonly isNew: boolean }) {
    this.admitted = admitted;
    this.#side = side;
    this.#isNew = isNew;
  }

  get id(): PeerId {
    return this.admitted.id;
  }

  opened(socket: GuestSocket): void {
    const { table, open, host } = this.#side;
    const { id, listener, connection } = this.admitted;
    this.socket = socket;
    table.set(id, this);
    open.add();
    if (this.#isNew) host.push({ is: "opened", peer: id, listener, connection });
  }

  heard(frame: Frame): void {
    const { received, host } = this.#side;
    received.value++;
    if (!this.isClosing) host.push({ is: "frame", peer: this.id, frame });
  }

  drained(waiting: number): void {
    this.waiting = waiting;
    if (waiting <= EASED_BYTES) this.#side.host.push({ is: "relieved", peer: this.id });
  }

  ponged(): void {
    this.#side.host.push({ is: "ponged", peer: this.id });
  }

  closed(code: number): void {
    if (code === 1009 && !this.isClosing) {
      this.#side.host.observe({ is: "peer_closed_by_relay", from: this.admitted.connection.address, fault: "tooBig" });
    }
    this.gone(code);
  }

  write(): void {
    const { batch, socket } = this;
    if (batch.length === 0) return;
    this.batchChars = 0;
    if (socket !== undefined && !this.isClosing) {
      this.#side.sent.add(batch.length);
      this.waiting = socket.write(batch);
    }
    batch.length = 0;
  }

  gone(code: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.isClosing = true;
    clearTimeout(this.cutting);
    const { table, open, host } = this.#side;
    open.add(-1);
    table.delete(this.id);
    host.push({ is: "closed", peer: this.id, code });
  }
}
