/**
 * Runs one of Nallely's machines in a program of its own: lends it a socket, a clock and one timer.
 *
 * Invariants: D1 what a machine asks for is done at once and in order; D2 an event of a socket that was let go of reaches nobody;
 * D3 whatever the socket throws becomes an event. It knows nothing of what the frames say.
 */
import type { Effect } from "../core/effect.ts";
import type { LinkEvent } from "../core/event.ts";
import type { LinkId, Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { StepContext } from "../core/context.ts";
import { errorText } from "../core/text.ts";

/** What is used of a WebSocket: the global one of every runtime fits, and that of `ws`. */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Opens a socket; may throw. */
export type OpenSocket = (url: string) => SocketLike;

/** Time and chance. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  random(): number;
  /** Calls `run` once after `ms`; what it returns takes that back. */
  later(ms: number, run: () => void): () => void;
}

/** A machine, as the driver sees it. */
export interface Driven {
  event(event: LinkEvent, ctx: StepContext): void;
  tick(ctx: StepContext): void;
  nextWakeup(): Millis | undefined;
}

/** Bytes waiting in a socket above which values are merged, and below which they flow again. */
const PRESSED_BYTES = 1_048_576;
const EASED_BYTES = 262_144;
const EASE_CHECK_MS = 20;
/** Close code for what never was a connection. */
const CODE_ABNORMAL = 1006;

export class Driver implements StepContext {
  now: Millis = 0;
  readonly #open: OpenSocket;
  readonly #clock: Clock;
  readonly #machine: Driven;
  readonly #sockets = new Map<LinkId, SocketLike>();
  readonly #pressed = new Set<LinkId>();
  #ids = 0;
  #wakeAt: Millis | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(machine: Driven, { openSocket, clock }: DriverOptions) {
    this.#machine = machine;
    this.#open = openSocket ?? openGlobalSocket;
    this.#clock = clock ?? systemClock;
  }

  /** Begins a step: the turn is good until the next one, and `settle` ends it. */
  begin(): StepContext {
    this.now = Math.floor(this.#clock.now());
    return this;
  }

  /** Sets the timer to the machine's next deadline. */
  settle(): void {
    const at = this.#machine.nextWakeup();
    if (at === this.#wakeAt) return;
    // Why: a timer that rings early does nothing, and setting one costs more than that.
    if (at !== undefined && this.#wakeAt !== undefined && this.#wakeAt <= at) return;
    this.#cancelTimer?.();
    this.#wakeAt = at;
    this.#cancelTimer = at === undefined ? undefined : this.#clock.later(Math.max(0, at - this.now), () => this.#ring());
  }

  /** Calls `run` after `ms`, for what is not the machine's. Returns what takes that back. */
  later(ms: Millis, run: () => void): () => void {
    return this.#clock.later(ms, run);
  }

  random(): number {
    return this.#clock.random();
  }

  id(): string {
    return String(++this.#ids);
  }

  secret(): string {
    return [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join("");
  }

  observe(): void {}

  post(): void {}

  count(): void {}

  emit(effect: Effect): void {
    if (effect.do === "send") this.#send(effect.to as LinkId, effect.frame); // Why: these machines have no peers.
    else if (effect.do === "dial") this.#dial(effect.link, effect.url);
    else if (effect.do === "closeLink") this.#hangup(effect.link);
  }

  #ring(): void {
    this.#wakeAt = undefined;
    this.#cancelTimer = undefined;
    this.#machine.tick(this.begin());
    this.settle();
  }

  #push(event: LinkEvent): void {
    this.#machine.event(event, this.begin());
    this.settle();
  }

  #dial(link: LinkId, url: string): void {
    try {
      const socket = this.#open(url);
      this.#sockets.set(link, socket);
      this.#listen(link, socket);
    } catch (error) {
      this.#clock.later(0, () => this.#push({ is: "dropped", link, code: CODE_ABNORMAL, reason: errorText(error) }));
    }
  }

  #listen(link: LinkId, socket: SocketLike): void {
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#push({ is: "dialed", link });
    socket.onmessage = (event: { readonly data: unknown }) => {
      const frame = frameOf(event.data);
      if (frame !== undefined) this.#push({ is: "received", link, frame });
    };
    socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
      if (!this.#forget(link, socket)) return;
      this.#push({ is: "dropped", link, code: event.code ?? CODE_ABNORMAL, reason: String(event.reason ?? "") });
    };
    socket.onerror = () => {}; // Why: `close` follows, and Node's emitters throw when nobody listens.
  }

  #send(link: LinkId, frame: Frame): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    try {
      socket.send(frame as string | Uint8Array<ArrayBuffer>); // Why: frames of these machines are never shared memory.
    } catch {
      return; // Why: a socket that is closing says so by `close`.
    }
    if (socket.bufferedAmount > PRESSED_BYTES && !this.#pressed.has(link)) {
      this.#pressed.add(link);
      this.#machine.event({ is: "linkBackpressure", link }, this);
      this.#awaitEase(link, socket);
    }
  }

  #awaitEase(link: LinkId, socket: SocketLike): void {
    this.#clock.later(EASE_CHECK_MS, () => {
      if (this.#sockets.get(link) !== socket) return;
      if (socket.bufferedAmount > EASED_BYTES) return this.#awaitEase(link, socket);
      this.#pressed.delete(link);
      this.#push({ is: "linkRelieved", link });
    });
  }

  /** Closes without another event. */
  #hangup(link: LinkId): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined || !this.#forget(link, socket)) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(1000);
    } catch {
      // Why: it was closed already.
    }
  }

  #forget(link: LinkId, socket: SocketLike): boolean {
    if (this.#sockets.get(link) !== socket) return false;
    this.#pressed.delete(link);
    return this.#sockets.delete(link);
  }
}

/** What a driver is lent, beside what the runtime has. */
export interface DriverOptions {
  /** Opens sockets. When absent: the global `WebSocket`, without compression where it can be asked for. */
  readonly openSocket?: OpenSocket | undefined;
  /** Time and chance. When absent: the system's. */
  readonly clock?: Clock | undefined;
}

/** The data of a message event as a frame; undefined for what is neither text nor bytes. */
function frameOf(data: unknown): Frame | undefined {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}

/** Bun asks for compression unless told not to, and the bus then takes a tenth of the frames. */
const ACCEPTS_OPTIONS = "Bun" in globalThis;

function openGlobalSocket(url: string): SocketLike {
  // Why: the second argument is a list of protocols everywhere else, and the types only know that.
  const Socket = WebSocket as unknown as new (url: string, options?: object) => SocketLike;
  return ACCEPTS_OPTIONS ? new Socket(url, { perMessageDeflate: false }) : new Socket(url);
}

/** The system's time, which is never set back, and its chance. */
const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  random: Math.random,
  later(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
