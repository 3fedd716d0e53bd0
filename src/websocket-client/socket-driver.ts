/**
 * Runs a state machine outside the relay: gives it WebSockets, a clock and one timer. For Bun, Deno, Workers, Node and browsers.
 *
 * Invariants: D1 effects are carried out at once and in order; D2 events of a socket that was closed from this side are dropped; D3 an
 * exception of a socket becomes an event.
 * Knows nothing of: the content of frames, the time of the next dial (`core/link.ts` decides).
 */
import { assertNever, PermanentError } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { LinkEvent } from "../core/event.ts";
import type { LinkId, Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { StepContext } from "../core/context.ts";
import { errorText } from "../core/text.ts";

/** Default delay between attempts, and default timeout of a dial. */
export const LINK_DEFAULTS = { backoff: { baseMs: 250, capMs: 2_000 }, dialTimeoutMs: 5_000 } as const;

/** The part of a WebSocket that the driver uses. The global `WebSocket` of every runtime fits, and so does the class of `ws`. */
export interface SocketLike {
  binaryType?: string;
  readonly bufferedAmount?: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Opens a socket; may throw. */
export type OpenSocket = (url: string) => SocketLike;

/** Time and randomness. */
export interface ClientClock {
  /** Milliseconds that never go back. */
  now(): number;
  random(): number;
  /** Calls `run` once after `ms`. Returns a function that cancels the call. */
  later(ms: number, run: () => void): () => void;
}

/** Replacements for the runtime's sockets, clock and randomness. */
export interface DriverOptions {
  /** Opens sockets. Default: the global `WebSocket`, without compression where that can be chosen. */
  readonly openSocket?: OpenSocket | undefined;
  /** Time and randomness. Default: the system's. */
  readonly clock?: ClientClock | undefined;
}

/** A state machine as the driver sees it. */
export interface DrivenMachine {
  handle(event: LinkEvent, ctx: StepContext): void;
  tick(ctx: StepContext): void;
  nextWakeup(): Millis | undefined;
}

/** More buffered bytes than this in a socket are reported as backpressure, until fewer than `RELIEVED_BYTES` are left. */
const BACKPRESSURE_BYTES = 1_048_576;
const RELIEVED_BYTES = 262_144;
const RELIEF_CHECK_MS = 20;
/** Close code of a connection that never opened. */
const CODE_ABNORMAL = 1006;

export class SocketDriver implements StepContext {
  now: Millis = 0;
  readonly #open: OpenSocket;
  readonly #clock: ClientClock;
  readonly #machine: DrivenMachine;
  readonly #sockets = new Map<LinkId, SocketLike>();
  readonly #congested = new Set<LinkId>();
  #ids = 0;
  #wakeAt: Millis | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(machine: DrivenMachine, { openSocket, clock }: DriverOptions) {
    this.#machine = machine;
    this.#open = openSocket ?? openGlobalSocket;
    this.#clock = clock ?? systemClock;
  }

  /** Begins a step. The context is valid until the next one; `settle` ends the step. */
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

  /** Calls `run` after `ms`, for deadlines that are not the machine's. Returns a function that cancels the call. */
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
    switch (effect.do) {
      case "send":
        return this.#send(effect.to as LinkId, effect.frame); // Why: these machines have no peers.
      case "dial":
        return this.#dial(effect.link, effect.url);
      case "closeLink":
        return this.#close(effect.link);
      // These effects need a relay.
      case "reply":
      case "close":
      case "ping":
      case "attach":
      case "put":
      case "delete":
      case "load":
      case "saveFile":
      case "deleteFile":
      case "runJob":
      case "respond":
      case "observe":
      case "drained":
      case "rebuild":
        return;
      default:
        return assertNever(effect);
    }
  }

  #ring(): void {
    this.#wakeAt = undefined;
    this.#cancelTimer = undefined;
    this.#run((ctx) => this.#machine.tick(ctx));
  }

  #push(event: LinkEvent): void {
    this.#run((ctx) => this.#machine.handle(event, ctx));
  }

  /** Why `finally`: a listener of the program may throw, and the timer for the next deadline must still be set. */
  #run(step: (ctx: StepContext) => void): void {
    try {
      step(this.begin());
    } finally {
      this.settle();
    }
  }

  #dial(link: LinkId, url: string): void {
    try {
      const socket = this.#open(url);
      this.#sockets.set(link, socket);
      this.#listen(link, socket);
    } catch (error) {
      const dropped: LinkEvent = {
        is: "dropped",
        link,
        code: CODE_ABNORMAL,
        reason: errorText(error),
        isFinal: isFinal(error),
      };
      this.#clock.later(0, () => this.#push(dropped));
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
    socket.onerror = () => {}; // Why: `close` follows, and Node's emitters throw an error without a listener.
  }

  #send(link: LinkId, frame: Frame): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    try {
      socket.send(frame as string | Uint8Array<ArrayBuffer>); // Why: frames of these machines are never shared memory.
    } catch {
      return; // Why: the socket is closing, and `close` follows.
    }
    if (bufferedBytes(socket) > BACKPRESSURE_BYTES && !this.#congested.has(link)) {
      this.#congested.add(link);
      this.#machine.handle({ is: "linkBackpressure", link }, this);
      this.#awaitRelief(link, socket);
    }
  }

  #awaitRelief(link: LinkId, socket: SocketLike): void {
    this.#clock.later(RELIEF_CHECK_MS, () => {
      if (this.#sockets.get(link) !== socket) return;
      if (bufferedBytes(socket) > RELIEVED_BYTES) return this.#awaitRelief(link, socket);
      this.#congested.delete(link);
      this.#push({ is: "linkRelieved", link });
    });
  }

  /** Closes without another event. */
  #close(link: LinkId): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined || !this.#forget(link, socket)) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(1000);
    } catch {
      return; // Why: it was closed already.
    }
  }

  #forget(link: LinkId, socket: SocketLike): boolean {
    if (this.#sockets.get(link) !== socket) return false;
    this.#congested.delete(link);
    return this.#sockets.delete(link);
  }
}

const bufferedBytes = ({ bufferedAmount = 0 }: SocketLike): number => bufferedAmount;

/** The data of a message event as a frame; undefined for data that is neither text nor bytes. */
function frameOf(data: unknown): Frame | undefined {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}

/** Bun offers compression by default, and Nallely's bus then accepts a tenth of the frames. */
const TAKES_OPTIONS = "Bun" in globalThis;

/** A runtime without WebSocket, or a URL that no WebSocket accepts: its scheme, its syntax, or a fragment. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof PermanentError || error.name === "SyntaxError" || /invalid url/i.test(error.message);
}

function openGlobalSocket(url: string): SocketLike {
  if (typeof WebSocket === "undefined") {
    throw new PermanentError("this runtime has no WebSocket: pass `openSocket`, for example with the package ws");
  }
  // Why: the second argument is a list of protocols everywhere else, and the types know only that.
  const Socket = WebSocket as unknown as new (url: string, options?: object) => SocketLike;
  return TAKES_OPTIONS ? new Socket(url, { perMessageDeflate: false }) : new Socket(url);
}

/** The system's time, which never goes back, and its randomness. */
export const systemClock: ClientClock = {
  now: () => performance.timeOrigin + performance.now(),
  random: Math.random,
  later(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
