/**
 * A WebSocket that is kept open: the reconnect policy of `core/link.ts` for programs outside the relay.
 *
 * ```ts
 * const link = new ReconnectingLink({ url, backoff: { baseMs: 250, capMs: 5_000 } }, {
 *   opened: () => link.send("hello"),
 *   received: (frame) => console.log(frame),
 * });
 * link.start();
 * ```
 *
 * Invariants: K1 `received` is called only between `opened` and `lost`, with frames of the current socket; K2 no frame is kept: `send`
 * while the link is not open returns false; K3 after `close` nothing is called.
 */
import { assertNever } from "../core/assert.ts";
import type { StepContext } from "../core/context.ts";
import type { LinkEvent } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import {
  type Backoff,
  closeLink,
  confirmLink,
  createLink,
  dialLink,
  failLink,
  giveUpLink,
  type KeepaliveOptions,
  linkDeadline,
  linkDue,
  linkIdOf,
  type LinkOptions,
  type LinkPhase,
  loseLink,
  openLink,
  probeLink,
} from "../core/link.ts";
import { type DriverOptions, SocketDriver } from "./socket-driver.ts";

export interface ReconnectingLinkOptions extends DriverOptions {
  readonly url: string;
  /** Between attempts, with full jitter. */
  readonly backoff: Backoff;
  /** An attempt that takes longer is given up. Default: 10 s. */
  readonly dialTimeoutMs?: Millis;
  /** Detection of a connection that died without a close. Default: off. */
  readonly keepalive?:
    | (KeepaliveOptions & {
      /** A frame that the peer answers; undefined if the probe was sent already. */
      probe(): Frame | undefined;
    })
    | undefined;
}

/** Why a link is not open any more, and when it is dialed again. */
export interface LinkLoss {
  readonly wasOpen: boolean;
  /** The close code; 1006 if none was received, 4408 for silence and for an attempt that took too long. */
  readonly code: number;
  readonly reason: string;
  /** Undefined: this URL can never be dialed, so there is no other attempt before `start`. */
  readonly retryMs: Millis | undefined;
}

export interface ReconnectingLinkListener {
  /** The socket is open: send the frames that must come first. */
  opened(): void;
  received(frame: Frame): void;
  /** The socket closed or could not be opened; the next attempt follows by itself. */
  lost?(loss: LinkLoss): void;
  /** An attempt begins. `attempt`: the number of failed attempts before it. */
  dialing?(attempt: number): void;
}

const DIAL_TIMEOUT_MS = 10_000;
const CODE_TIMEOUT = 4408;

export class ReconnectingLink {
  readonly #options: LinkOptions;
  readonly #keepalive: ReconnectingLinkOptions["keepalive"];
  readonly #listener: ReconnectingLinkListener;
  readonly #driver: SocketDriver;
  readonly #link = createLink("client", "link");

  constructor(options: ReconnectingLinkOptions, listener: ReconnectingLinkListener) {
    const { url, backoff, dialTimeoutMs = DIAL_TIMEOUT_MS, keepalive } = options;
    this.#options = { url, backoff, dialTimeoutMs };
    this.#keepalive = keepalive;
    this.#listener = listener;
    this.#driver = new SocketDriver({
      handle: (event, ctx) => this.#handle(event, ctx),
      tick: (ctx) => this.#tick(ctx),
      nextWakeup: () => linkDeadline(this.#link, this.#keepalive),
    }, options);
  }

  get state(): LinkPhase {
    return this.#link.state.is;
  }

  /** Dials, unless the link is dialing or open. Also cuts a wait short, and opens a closed link again. */
  start(): void {
    if (this.state === "idle" || this.state === "waiting" || this.state === "failed") this.#step((ctx) => this.#dial(ctx));
  }

  /** Sends a frame. False when the link is not open. */
  send(frame: Frame): boolean {
    const { state } = this.#link;
    if (state.is !== "open") return false;
    this.#driver.emit({ do: "send", to: state.id, frame });
    return true;
  }

  /** Gives the current socket up and dials again after the backoff. Call this when other evidence shows that the peer is gone. */
  reconnect(reason: string): void {
    if (this.state === "dialing" || this.state === "open") this.#step((ctx) => this.#fail(reason, ctx));
  }

  /** Closes the socket; there is no further attempt. */
  close(): void {
    this.#step((ctx) => closeLink(this.#link, ctx));
  }

  #step(run: (ctx: StepContext) => void): void {
    run(this.#driver.begin());
    this.#driver.settle();
  }

  #handle(event: LinkEvent, ctx: StepContext): void {
    if (event.link !== linkIdOf(this.#link)) return;
    switch (event.is) {
      case "dialed":
        openLink(this.#link, ctx.now);
        return this.#listener.opened();
      case "received":
        confirmLink(this.#link, ctx.now);
        return this.#listener.received(event.frame);
      case "dropped": {
        const { code, reason } = event;
        const wasOpen = this.state === "open";
        const retryMs = event.isFinal ? giveUpLink(this.#link, reason) : loseLink(this.#link, this.#options, ctx);
        return this.#listener.lost?.({ wasOpen, code, reason, retryMs });
      }
      case "linkBackpressure":
      case "linkRelieved":
        return;
      default:
        return assertNever(event);
    }
  }

  #tick(ctx: StepContext): void {
    const due = linkDue(this.#link, ctx.now, this.#keepalive);
    switch (due) {
      case "nothing":
        return;
      case "redial":
        return this.#dial(ctx);
      case "dialTimeout":
        return this.#fail(`no connection within ${this.#options.dialTimeoutMs} ms`, ctx);
      case "probe":
        return this.#probe(ctx);
      case "silence":
        return this.#fail(`no answer to a probe within ${this.#keepalive?.answerMs} ms`, ctx);
      default:
        return assertNever(due);
    }
  }

  #dial(ctx: StepContext): void {
    dialLink(this.#link, this.#options, ctx);
    this.#listener.dialing?.(this.#link.attempt);
  }

  #probe(ctx: StepContext): void {
    if (this.#keepalive === undefined) return;
    probeLink(this.#link, ctx.now);
    const frame = this.#keepalive.probe();
    if (frame !== undefined) this.send(frame);
  }

  #fail(reason: string, ctx: StepContext): void {
    const wasOpen = this.state === "open";
    const retryMs = failLink(this.#link, this.#options, ctx);
    this.#listener.lost?.({ wasOpen, code: CODE_TIMEOUT, reason, retryMs });
  }
}
