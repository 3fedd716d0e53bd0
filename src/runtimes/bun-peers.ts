/**
 * Peers on Bun: accepted connections, and what is sent to each.
 *
 * Invariants: B1 what is sent to one peer leaves in order, all of one turn of the event loop in one write; B2 a peer that was
 * closed by us is not heard any more; B3 it is gone at the latest `CLOSING_MS` later.
 */
import type { Caller, DoorName } from "../core/event.ts";
import { type PeerId, peerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { Cell } from "../observability/mod.ts";
import type { Guest, GuestSocket } from "./bun-guests.ts";
import { closeCode, closeReason, CLOSING_MS } from "./close.ts";
import type { Host } from "./host.ts";

/** One write holds about this much; more of one turn goes in several. */
const BATCH_CHARS = 16_384;
/** A peer whose backlog fell below this is eased. */
const EASED_BYTES = 64 * 1_024;

export class BunPeers {
  readonly #host: Pick<Host, "push" | "observe" | "meters">;
  readonly #table = new Map<PeerId, Peer>();
  #dirty: Peer[] = [];
  #isWriteDue = false;
  #count = 0;

  constructor(host: Pick<Host, "push" | "observe" | "meters">) {
    this.#host = host;
  }

  get size(): number {
    return this.#table.size;
  }

  /** The owner of the socket that an upgrade will open. */
  admit(door: DoorName, caller: Caller): Guest {
    const id = peerId(`${door}-${++this.#count}`);
    const { push, observe, meters } = this.#host;
    const open = meters.peers.of(door);
    const received = meters.frames.of(door, "in");
    const peer = new Peer(meters.frames.of(door, "out"));
    return {
      opened: (socket) => {
        peer.socket = socket;
        this.#table.set(id, peer);
        open.add();
        push({ is: "opened", peer: id, door, caller });
      },
      heard: (frame) => {
        received.value++;
        if (!peer.isClosing) push({ is: "frame", peer: id, frame });
      },
      drained: (socket) => {
        peer.waiting = socket.getBufferedAmount();
        if (peer.waiting <= EASED_BYTES) push({ is: "eased", peer: id });
      },
      ponged: () => push({ is: "ponged", peer: id }),
      closed: (code) => {
        if (code === 1009 && !peer.isClosing) {
          observe({ is: "peer_closed_by_relay", from: caller.address, fault: "tooBig" });
        }
        peer.isClosing = true;
        open.add(-1);
        this.#table.delete(id);
        push({ is: "closed", peer: id, code });
      },
    };
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
    setImmediate(() => this.#writeAll());
  }

  close(id: PeerId, code: number, reason: string): void {
    const peer = this.#table.get(id);
    if (peer === undefined || peer.isClosing) return;
    peer.write();
    peer.isClosing = true;
    peer.socket?.close(closeCode(code), closeReason(reason));
    if (this.#table.has(id)) setTimeout(() => peer.socket?.terminate(), CLOSING_MS).unref();
  }

  ping(id: PeerId): void {
    this.#table.get(id)?.socket?.ping();
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
  readonly batch: Frame[] = [];
  batchChars = 0;
  /** Bytes that the socket did not take, as of the last write or drain. */
  waiting = 0;
  isClosing = false;
  socket: GuestSocket | undefined;
  readonly #sent: Cell;

  constructor(sent: Cell) {
    this.#sent = sent;
  }

  write(): void {
    const { batch, socket } = this;
    const [first] = batch;
    if (first === undefined) return;
    this.batchChars = 0;
    if (socket !== undefined && !this.isClosing) {
      this.#sent.add(batch.length);
      if (batch.length === 1) this.#send(socket, first);
      else socket.cork(() => batch.forEach((frame) => this.#send(socket, frame)));
    }
    batch.length = 0;
  }

  #send(socket: GuestSocket, frame: Frame): void {
    if (socket.send(frame) < 0) this.waiting = socket.getBufferedAmount();
  }
}
