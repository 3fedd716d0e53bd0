/**
 * Accepted connections, and what is sent to each: the same on every runtime.
 *
 * Invariants: B1 what is sent to one peer leaves in order, all of one turn of the event loop in one write where the runtime can;
 * B2 a peer that was closed by us is not heard any more; B3 for the relay it is gone at the latest `CLOSING_MS` later; B4 exactly
 * one `closed` follows an `opened`.
 */
import type { Caller, DoorName, Event } from "../core/event.ts";
import { FAULTS } from "../core/fault.ts";
import { type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Note } from "../core/note.ts";
import type { Ticket, Tokens } from "../http/app.ts";
import type { Cell, Meters } from "../observability/mod.ts";
import { closeCode, closeReason, CLOSING_MS } from "./close.ts";
import { EASED_BYTES, type Guest, type GuestSocket } from "./guest.ts";

/** Of a host, what peers need. */
export interface PeersHost {
  readonly meters: Meters;
  push(event: Event): void;
  observe(note: Note): void;
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
  readonly door: DoorName;
  readonly caller: Caller;
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
  admit(door: DoorName, caller: Caller, ticket: Ticket = undefined): Guest & { readonly id: PeerId } {
    const id = peerId(`${door}-${this.#options.prefix ?? ""}${++this.#count}`);
    return this.#own({ id, door, caller, ticket }, () => this.#host.push({ is: "opened", peer: id, door, caller }));
  }

  /** Tokens changed: who would not be let in any more has to go. */
  recheck(tokens: Admitting): void {
    for (const [id, { admitted: { door, caller, ticket } }] of [...this.#table]) {
      if (tokens.admits(door, ticket, caller.address)) continue;
      this.#host.observe({ is: "peer_closed_by_relay", from: caller.address, fault: "badToken" });
      this.close(id, FAULTS.badToken.close, FAULTS.badToken.says);
    }
  }

  /** A peer that the engine is told about otherwise, since it was connected before. */
  resume(admitted: Admitted, socket: GuestSocket): Guest {
    const guest = this.#own(admitted, () => {});
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

  #own(admitted: Admitted, announce: () => void): Guest & { readonly id: PeerId } {
    const { id, door, caller } = admitted;
    const { push, observe, meters } = this.#host;
    const open = meters.connections.of(door);
    const received = meters.frames.of(door, "in");
    const peer = new Peer(admitted, meters.frames.of(door, "out"), (code) => {
      open.add(-1);
      this.#table.delete(id);
      push({ is: "closed", peer: id, code });
    });
    return {
      id,
      opened: (socket) => {
        peer.socket = socket;
        this.#table.set(id, peer);
        open.add();
        announce();
      },
      heard: (frame) => {
        received.value++;
        if (!peer.isClosing) push({ is: "frame", peer: id, frame });
      },
      drained: (waiting) => {
        peer.waiting = waiting;
        if (waiting <= EASED_BYTES) push({ is: "eased", peer: id });
      },
      ponged: () => push({ is: "ponged", peer: id }),
      closed: (code) => {
        if (code === 1009 && !peer.isClosing) {
          observe({ is: "peer_closed_by_relay", from: caller.address, fault: "tooBig" });
        }
        peer.gone(code);
      },
    };
  }

  #writeAll(): void {
    this.#isWriteDue = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const peer of dirty) peer.write();
  }
}

/** What is on its way to one peer. */
class Peer {
  readonly admitted: Admitted;
  readonly batch: Frame[] = [];
  batchChars = 0;
  /** Bytes that the socket did not take, as of the last write or drain. */
  waiting = 0;
  isClosing = false;
  socket: GuestSocket | undefined;
  cutting: ReturnType<typeof setTimeout> | undefined;
  readonly #sent: Cell;
  readonly #onGone: (code: number) => void;
  #isGone = false;

  constructor(admitted: Admitted, sent: Cell, onGone: (code: number) => void) {
    this.admitted = admitted;
    this.#sent = sent;
    this.#onGone = onGone;
  }

  write(): void {
    const { batch, socket } = this;
    if (batch.length === 0) return;
    this.batchChars = 0;
    if (socket !== undefined && !this.isClosing) {
      this.#sent.add(batch.length);
      this.waiting = socket.write(batch);
    }
    batch.length = 0;
  }

  gone(code: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.isClosing = true;
    clearTimeout(this.cutting);
    this.#onGone(code);
  }
}
