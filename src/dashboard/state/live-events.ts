/**
 * Live events: a watcher's connection to the Intermediary. It reconnects by itself and resumes after the last event that it received. The
 * relay also says there which services may show something else than before.
 *
 * ```
 *   connecting --reply to `subscribe`--> open
 *        ^                                 |
 *        +---------- link lost ------------+
 *
 *   any --token refused or `stop`--> stopped
 * ```
 *
 * Invariants: L1 each event is delivered at most once, in order; L2 after `stop` the listener hears nothing.
 * Knows nothing of: when to reconnect, and how a dead connection is noticed (`ReconnectingLink`).
 */
import { isObject, type Json, parseJson } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import { SERVICE_NAMES, type ServiceName } from "../../core/service.ts";
import { ReconnectingLink } from "../../websocket-client/reconnecting-link.ts";
import type { TokenRefusal } from "./dashboard-state.ts";
import type { WatchEvent } from "./event-feed.ts";
import type { DashboardPorts, Undo } from "./ports.ts";

export interface LiveEventsListener {
  /** An attempt begins. */
  connecting(): void;
  open(): void;
  /** The connection is lost, or could not be made. The next attempt follows by itself. */
  lost(): void;
  /** The token does not allow watching. No further attempt is made. */
  refused(refusal: TokenRefusal): void;
  event(event: WatchEvent): void;
  /** What the API returns of these services may have changed. */
  changed(services: readonly ServiceName[]): void;
}

type LivePorts = Pick<DashboardPorts, "clock" | "eventsUrl" | "openSocket" | "visibility">;
type LivePhase = "connecting" | "open" | "stopped";

const BACKOFF = { baseMs: 300, capMs: 5_000 } as const;
/** After this long without a frame a ping is sent. */
const PING_AFTER_MS: Millis = 8_000;
/** Without a reply to the ping for this long, the connection counts as lost. */
const PONG_WITHIN_MS: Millis = 12_000;
const PING = JSON.stringify({ query: "peers", request_id: "ping" });
const DEPTH_MAX = 512;
/** Events a second: more than anybody can read, and affordable for a busy relay. */
const RATE_MAX = 1_000;
/** Older than all event ids: the relay starts with the oldest event that it still has. */
const OLDEST = "0";

export class LiveEvents {
  readonly #token: string;
  readonly #ports: LivePorts;
  readonly #listener: LiveEventsListener;
  readonly #link: ReconnectingLink;
  #phase: LivePhase = "stopped";
  #unsubscribe: Undo = () => {};
  /** Id of the last event. */
  #cursor: string | undefined;

  constructor(token: string, ports: LivePorts, listener: LiveEventsListener) {
    const { clock, eventsUrl: url, openSocket } = ports;
    const keepalive = { idleMs: PING_AFTER_MS, answerMs: PONG_WITHIN_MS, probe: () => PING };
    this.#token = token;
    this.#ports = ports;
    this.#listener = listener;
    this.#link = new ReconnectingLink({ url, backoff: BACKOFF, keepalive, clock, openSocket }, {
      dialing: () => listener.connecting(),
      opened: () => this.#opened(),
      received: (frame) => {
        if (typeof frame === "string") this.#received(frame);
      },
      lost: () => this.#lost(),
    });
  }

  start(): void {
    const { visibility } = this.#ports;
    this.#phase = "connecting";
    // Why: a page that becomes visible again does not wait for the backoff.
    this.#unsubscribe = visibility.onReturn(() => {
      if (visibility.isVisible()) this.#link.start();
    });
    this.#link.start();
  }

  /** Reconnects. Call when the relay does not answer elsewhere: a dead connection is noticed late. */
  verify(): void {
    this.#link.reconnect("requests to the relay are not answered");
  }

  stop(): void {
    this.#phase = "stopped";
    this.#unsubscribe();
    this.#link.close();
  }

  #opened(): void {
    const name = `dashboard-${this.#ports.clock.random().toString(36).slice(2, 8)}`;
    this.#link.send(JSON.stringify({ type: "neuro-os", name, auth_token: this.#token }));
    const subscribe = { after: this.#cursor ?? OLDEST, rate: RATE_MAX, changes: true };
    this.#link.send(JSON.stringify({ subscribe, request_id: "subscribed" }));
  }

  #received(text: string): void {
    const message = parseJson(text, DEPTH_MAX);
    if (!isObject(message)) return;
    const { event, error, request_id } = message;
    if (typeof error === "string" && request_id === undefined) return this.#refused(error);
    if (request_id === "subscribed") {
      this.#phase = "open";
      this.#listener.open();
    }
    // Why: events before the reply to `subscribe` are sent once more, after the cursor.
    if (typeof event !== "string" || this.#phase !== "open") return;
    if (event === "changed") return this.#listener.changed(servicesIn(message["services"]));
    // Why: events before the page was opened are not missed by anybody.
    if (event === "gap" && this.#cursor === undefined) return;
    if (typeof message.id === "string") this.#cursor = message.id;
    this.#listener.event({ ...message, event });
  }

  #refused(reason: string): void {
    const refusal = /not allowed/.test(reason) ? "not_allowed" : /token/.test(reason) ? "invalid" : undefined;
    if (refusal === undefined) return;
    this.stop();
    this.#listener.refused(refusal);
  }

  #lost(): void {
    this.#phase = "connecting";
    this.#listener.lost();
  }
}

const servicesIn = (names: Json | undefined): readonly ServiceName[] =>
  SERVICE_NAMES.filter((name) => Array.isArray(names) && names.includes(name));
