/**
 * Live events: a watcher's connection to the Intermediary. It reconnects by itself and resumes after the last event that it received.
 *
 * ```
 *   connecting --reply to `subscribe`--> open --closed--> waiting --backoff--> connecting
 *        |                                                   |
 *        +--------- token refused or `stop` --> stopped <----+
 * ```
 *
 * Invariants: L1 each event is delivered at most once, in order; L2 a connection that is silent for `SILENCE_MAX_MS` is replaced,
 * because a connection that died on the way reports nothing; L3 after `stop` the listener hears nothing.
 */
import { isObject, parseJson } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import type { TokenRefusal } from "./dashboard-state.ts";
import type { WatchEvent } from "./event-feed.ts";
import type { DashboardPorts, EventSocket, Undo } from "./ports.ts";

export interface LiveEventsListener {
  connecting(): void;
  open(): void;
  lost(): void;
  /** The token does not allow watching. No further attempt is made. */
  refused(refusal: TokenRefusal): void;
  event(event: WatchEvent): void;
}

type LivePorts = Pick<DashboardPorts, "clock" | "random" | "openEventSocket" | "visibility">;

type LivePhase =
  | { readonly is: "connecting" | "open"; readonly socket: EventSocket }
  | { readonly is: "waiting"; readonly cancel: Undo }
  | { readonly is: "stopped" };

const BACKOFF_MS: Millis = 300;
const BACKOFF_MAX_MS: Millis = 5_000;
/** After this much silence the connection counts as lost; the relay replies to each ping. */
export const SILENCE_MAX_MS: Millis = 20_000;
/** After this much silence a ping is sent. */
export const PING_AFTER_MS: Millis = 8_000;
const DEPTH_MAX = 512;
/** Events a second: more than anybody can read, and affordable for a busy relay. */
const RATE_MAX = 1_000;
/** Older than all event ids: the relay starts with the oldest event that it still has. */
const OLDEST = "0";

export class LiveEvents {
  readonly #token: string;
  readonly #ports: LivePorts;
  readonly #listener: LiveEventsListener;
  readonly #unsubscribe: Undo;
  #phase: LivePhase = { is: "stopped" };
  #cancelPing: Undo = () => {};
  #attempt = 0;
  /** Id of the last event. */
  #cursor: string | undefined;
  #receivedAt: Millis = 0;

  constructor(token: string, ports: LivePorts, listener: LiveEventsListener) {
    this.#token = token;
    this.#ports = ports;
    this.#listener = listener;
    this.#unsubscribe = ports.visibility.onReturn(() => {
      if (this.#phase.is === "waiting" && ports.visibility.isVisible()) this.#connect();
    });
  }

  start(): void {
    this.#connect();
    this.#watchSilence();
  }

  /** Reconnects. Call when the relay does not answer elsewhere: a dead connection is noticed late. */
  verify(): void {
    if (this.#phase.is === "connecting" || this.#phase.is === "open") this.#lose(this.#phase.socket);
  }

  stop(): void {
    const phase = this.#phase;
    this.#phase = { is: "stopped" };
    this.#unsubscribe();
    this.#cancelPing();
    if (phase.is === "waiting") phase.cancel();
    else if (phase.is !== "stopped") phase.socket.close();
  }

  #connect(): void {
    if (this.#phase.is === "waiting") this.#phase.cancel();
    const socket = this.#ports.openEventSocket({
      opened: () => this.#opened(socket),
      received: (text) => this.#received(socket, text),
      closed: () => this.#lose(socket),
    });
    this.#phase = { is: "connecting", socket };
    this.#receivedAt = this.#ports.clock.monotonic();
    this.#listener.connecting();
  }

  /** False for a socket that was replaced, or after `stop`. */
  #isCurrent(socket: EventSocket): boolean {
    return (this.#phase.is === "connecting" || this.#phase.is === "open") && this.#phase.socket === socket;
  }

  #opened(socket: EventSocket): void {
    if (!this.#isCurrent(socket)) return;
    this.#receivedAt = this.#ports.clock.monotonic();
    const name = `dashboard-${this.#ports.random().toString(36).slice(2, 8)}`;
    socket.send(JSON.stringify({ type: "neuro-os", name, auth_token: this.#token }));
    const subscribe = { after: this.#cursor ?? OLDEST, rate: RATE_MAX };
    socket.send(JSON.stringify({ subscribe, request_id: "subscribed" }));
  }

  #received(socket: EventSocket, text: string): void {
    if (!this.#isCurrent(socket)) return;
    this.#receivedAt = this.#ports.clock.monotonic();
    const message = parseJson(text, DEPTH_MAX);
    if (!isObject(message)) return;
    const { event, error, request_id } = message;
    if (typeof error === "string" && request_id === undefined) return this.#refuse(error);
    if (request_id === "subscribed") {
      this.#phase = { is: "open", socket };
      this.#attempt = 0;
      this.#listener.open();
    }
    // Why: events before the reply to `subscribe` are sent once more, after the cursor.
    if (typeof event !== "string" || this.#phase.is !== "open") return;
    // Why: events before the page was opened are not missed by anybody.
    if (event === "gap" && this.#cursor === undefined) return;
    if (typeof message.id === "string") this.#cursor = message.id;
    this.#listener.event({ ...message, event });
  }

  #refuse(reason: string): void {
    const refusal = /not allowed/.test(reason) ? "not_allowed" : /token/.test(reason) ? "invalid" : undefined;
    if (refusal === undefined) return;
    this.stop();
    this.#listener.refused(refusal);
  }

  #lose(socket: EventSocket): void {
    if (!this.#isCurrent(socket)) return;
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#attempt++);
    const cancel = this.#ports.clock.after(this.#ports.random() * longest, () => this.#connect());
    this.#phase = { is: "waiting", cancel };
    socket.close();
    this.#listener.lost();
  }

  #watchSilence(): void {
    const { clock, visibility } = this.#ports;
    this.#cancelPing = clock.after(PING_AFTER_MS / 2, () => {
      this.#watchSilence();
      if (!visibility.isVisible()) return;
      const silence = clock.monotonic() - this.#receivedAt;
      if (silence > SILENCE_MAX_MS) this.verify();
      else if (silence > PING_AFTER_MS && this.#phase.is === "open") {
        this.#phase.socket.send(JSON.stringify({ query: "peers", request_id: "ping" }));
      }
    });
  }
}
