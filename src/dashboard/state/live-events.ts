/**
 * Live events: a watcher's connection that comes back by itself and goes on after the last event it had.
 *
 * ```
 *   connecting --first frame or reply--> open --closed--> lost --backoff--> connecting
 *        |
 *        +-- token refused --> refused
 * ```
 */
import { isObject, parseJson } from "../../core/json.ts";
import type { WatchEvent } from "./event-feed.ts";
import { relaySocketAddress } from "../lib/address.ts";

export type LiveState = "connecting" | "open" | "lost" | "refused";

export interface LiveListener {
  /** `why` says what the relay said when it refused. */
  state(is: LiveState, why?: string): void;
  event(event: WatchEvent): void;
}

const BACKOFF_MS = 300;
const BACKOFF_MAX_MS = 5_000;
/** A connection that says nothing for so long was lost on the way; the relay answers each question. */
const SILENCE_MS = 20_000;
const ASK_MS = 8_000;
const DEPTH_MAX = 512;
/** Events a second: more than anybody can read, less than a busy relay would have to pay for. */
const RATE_MAX = 1_000;
/** An id older than all: what the relay still has comes from its beginning. */
const FROM_THE_START = "0";

export class LiveEvents {
  readonly #token: string;
  readonly #listener: LiveListener;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setInterval> | undefined;
  #attempt = 0;
  #cursor: string | undefined;
  #heardAt = 0;
  #isStopped = false;
  /** Events before that come once more, after the cursor. */
  #isSubscribed = false;

  constructor(token: string, listener: LiveListener) {
    this.#token = token;
    this.#listener = listener;
    addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#watchSilence();
  }

  connect(): void {
    if (this.#isStopped) return;
    this.#listener.state("connecting");
    const socket = new WebSocket(relaySocketAddress("intermediary"));
    this.#socket = socket;
    this.#isSubscribed = false;
    socket.onopen = () => {
      this.#heardAt = performance.now();
      const name = `dashboard-${Math.random().toString(36).slice(2, 8)}`;
      socket.send(JSON.stringify({ type: "neuro-os", name, auth_token: this.#token }));
      socket.send(
        JSON.stringify({ subscribe: { after: this.#cursor ?? FROM_THE_START, rate: RATE_MAX }, request_id: "subscribed" }),
      );
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#hear(String(data));
    };
    socket.onclose = () => this.#lose(socket);
  }

  /** Says that the relay did not answer elsewhere: who is connected to a relay that is gone finds out late. */
  verify(): void {
    this.#socket?.close();
    if (this.#socket !== undefined) this.#lose(this.#socket);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#silence);
    removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    this.#socket?.close();
    this.#socket = undefined;
  }

  #hear(text: string): void {
    this.#heardAt = performance.now();
    const message = parseJson(text, DEPTH_MAX);
    if (!isObject(message)) return;
    const { event, error, request_id } = message;
    if (typeof error === "string" && request_id === undefined) return this.#refuse(error);
    if (request_id === "subscribed") {
      this.#isSubscribed = true;
      this.#attempt = 0;
      this.#listener.state("open");
    }
    if (typeof event !== "string" || !this.#isSubscribed) return;
    // Why: of what was before the page came nobody knows, and nobody misses it.
    if (event === "gap" && this.#cursor === undefined) return;
    if (typeof message.id === "string") this.#cursor = message.id;
    this.#listener.event({ ...message, event });
  }

  #refuse(why: string): void {
    if (/token|not allowed/.test(why)) {
      this.stop();
      this.#listener.state("refused", why);
    }
  }

  #lose(socket: WebSocket): void {
    if (this.#socket !== socket || this.#isStopped) return;
    this.#socket = undefined;
    this.#listener.state("lost");
    const wait = Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#attempt++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), wait);
  }

  readonly #hurry = (): void => {
    if (document.hidden || this.#socket !== undefined || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.connect();
  };

  /** Why: a connection that died on the way says nothing, not even that. */
  #watchSilence(): void {
    this.#silence = setInterval(() => {
      const socket = this.#socket;
      if (socket === undefined || document.hidden) return;
      const silent = performance.now() - this.#heardAt;
      if (socket.readyState === WebSocket.OPEN && silent > SILENCE_MS) this.verify();
      else if (socket.readyState === WebSocket.OPEN && silent > ASK_MS) {
        socket.send(JSON.stringify({ query: "peers", request_id: "ping" }));
      }
    }, ASK_MS / 2);
  }
}
