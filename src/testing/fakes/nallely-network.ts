/**
 * A network inside the program, on virtual time: fake sockets to a fake session, for clients with injected clock and sockets.
 *
 * Nothing happens unless time passes. A socket opens, delivers and closes after `latencyMs`, in order.
 */
import type { Frame } from "../../core/json.ts";
import { FakeSession, type FakeSessionPeer } from "./nallely-session.ts";

/** The addresses at which the session is reached. */
export const FAKE_BUS_URL = "ws://bus.test";
export const FAKE_TREVOR_URL = "ws://trevor.test";

interface FakeTimer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeNetwork {
  readonly session: FakeSession;
  /** One way. */
  latencyMs = 1;
  /** Nothing answers: attempts hang until they time out. */
  isDark = false;
  /** Every frame that a client sent to the bus, in order. */
  readonly sent: { readonly path: string; readonly frame: Frame }[] = [];
  readonly #timers = new Set<FakeTimer>();
  readonly #sockets = new Set<FakeWebSocket>();
  #now = 1_000_000;
  #order = 0;

  constructor() {
    this.session = new FakeSession((ms, run) => void this.later(ms, run));
  }

  /** The clock for clients. */
  readonly clock: { now(): number; random(): number; later(ms: number, run: () => void): () => void } = {
    now: () => this.#now,
    random: () => 0.5,
    later: (ms, run) => this.later(ms, run),
  };

  readonly openSocket = (url: string): FakeWebSocket => {
    const socket = new FakeWebSocket(this, url);
    this.#sockets.add(socket);
    return socket;
  };

  later(ms: number, run: () => void): () => void {
    const timer: FakeTimer = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Advances the time, and lets promises settle after each timer. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
      await settle();
    }
    this.#now = until;
  }

  /** Every socket ends at once, as when a process is killed. */
  cut(code = 1006): void {
    for (const socket of [...this.#sockets]) socket.fail(code, "");
  }

  /** Existing connections carry nothing any more and report no close, as when a NAT entry or a host is lost. New ones work. */
  silence(): void {
    for (const socket of this.#sockets) socket.isSilent = true;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** For sockets only. */
  forget(socket: FakeWebSocket): void {
    this.#sockets.delete(socket);
  }

  #next(until: number): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

interface Server {
  open(peer: FakeSessionPeer): void;
  message(peer: FakeSessionPeer, frame: Frame): void;
  closed(peer: FakeSessionPeer): void;
}

/** The client's side of a socket, with the part of a WebSocket that clients use. */
export class FakeWebSocket {
  binaryType = "blob";
  bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly url: string;
  readonly #network: FakeNetwork;
  readonly #peer: FakeSessionPeer;
  #server: Server | undefined;
  #isOver = false;
  isSilent = false;

  constructor(network: FakeNetwork, url: string) {
    this.#network = network;
    this.url = url;
    const path = url.replace(/^ws:\/\/[^/]*/, "");
    this.#peer = {
      path,
      send: (frame) => this.#arrive(typeof frame === "string" ? frame : frame.slice().buffer),
      close: (code, reason) => void network.later(network.latencyMs, () => this.fail(code, reason)),
    };
    network.later(network.latencyMs, () => this.#connect());
  }

  send(data: Frame): void {
    const frame = typeof data === "string" ? data : data.slice();
    this.#network.sent.push({ path: this.#peer.path, frame });
    this.#network.later(this.#network.latencyMs, () => {
      if (!this.isSilent) this.#server?.message(this.#peer, frame);
    });
  }

  /** Frames that were sent before arrive first. */
  close(): void {
    if (this.isSilent) return this.#network.forget(this);
    this.#network.later(this.#network.latencyMs, () => this.fail(1000, ""));
  }

  /** The connection ends, and both sides are notified. */
  fail(code: number, reason: string): void {
    if (this.#isOver || this.isSilent) return;
    this.#isOver = true;
    this.#network.forget(this);
    this.#server?.closed(this.#peer);
    this.#server = undefined;
    this.onclose?.({ code, reason } as never); // Why: handlers of real sockets take events of real sockets.
  }

  #connect(): void {
    if (this.#isOver || this.#network.isDark) return;
    const { session } = this.#network;
    const server = this.url.startsWith(FAKE_TREVOR_URL)
      ? session.trevor
      : this.url.startsWith(FAKE_BUS_URL)
      ? session.bus
      : undefined;
    if (server === undefined) return this.fail(1006, "");
    this.#server = server;
    // Why: the server may close within its open; the client still sees the socket open first.
    this.#network.later(this.#network.latencyMs, () => {
      if (!this.#isOver) this.onopen?.({} as never);
    });
    server.open(this.#peer);
  }

  #arrive(data: string | ArrayBuffer): void {
    this.#network.later(this.#network.latencyMs * 2, () => {
      if (!this.#isOver && !this.isSilent) this.onmessage?.({ data } as never);
    });
  }
}

/** Lets pending promises settle. */
async function settle(): Promise<void> {
  for (let round = 0; round < 12; round++) await Promise.resolve();
}
