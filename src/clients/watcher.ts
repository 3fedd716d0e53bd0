/**
 * A client for watchers of the Intermediary: the relay's events, as a listener or an async iterator, and commands for integrations.
 *
 * ```ts
 * using watcher = new WatcherClient("ws://127.0.0.1:8765", { name: "my-dashboard", token: "super-secret-token" });
 * console.log(await watcher.command("jukebox", { action: "skip" }));
 * for await (const event of watcher.events()) console.log(event.event, event);
 * ```
 *
 * The client reconnects, and resumes after the last event that it got. Runs on Bun, Deno, Workers, Node and in browsers; where there is no
 * global `WebSocket` (Node 20), pass `openSocket`.
 *
 * Invariants: W1 an event is delivered once, in the order of the relay; W2 where events are missing, a gap takes their place; W3 a request
 * ends exactly once. One that changes something is not repeated after a lost connection, because its outcome is unknown (`Lost`).
 *
 * @module
 */
import { assertNever } from "../core/assert.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Backoff, KeepaliveOptions } from "../core/link.ts";
import type { EventView, PeerView } from "../core/view.ts";
import { type LinkLoss, ReconnectingLink } from "../websocket-client/reconnecting-link.ts";
import { type ClientClock, type DriverOptions, systemClock } from "../websocket-client/socket-driver.ts";
import { type Call, Calls, objectIn, objectOf } from "./calls.ts";
import { errorIn, finalError, RelayError } from "./relay-error.ts";
import { type IterateOptions, Stream, type ValueIterator, type ValueListener } from "./value-stream.ts";
import { type WaitOptions, waitUntil } from "./wait-until.ts";

export { type ClientFault, RelayError } from "./relay-error.ts";
export type { EventView, PeerView } from "../core/view.ts";
export type { ClientClock, DriverOptions, OpenSocket, SocketLike } from "../websocket-client/socket-driver.ts";
export type { IterateOptions, ValueIterator, ValueListener } from "./value-stream.ts";
export { type WaitOptions, WaitTimeoutError } from "./wait-until.ts";

/** Which events a watcher gets. */
export interface EventFilter {
  /** Names of events. Default: all. */
  readonly events?: readonly string[];
  /** Events per second. Default: no limit. */
  readonly rate?: number;
}

/** The registration and the connection of a watcher. */
export interface WatcherClientOptions extends DriverOptions, EventFilter {
  /** At most 64 characters. Several watchers may have one name. */
  readonly name: string;
  /** `intermediary.auth_token`, one of `intermediary.tokens` with the scope `watch`, or the token of the web port. */
  readonly token: string;
  /** The id of the last event that an earlier run got (`cursor`): later events are sent again. */
  readonly after?: string;
  /** How long a request may take, including the wait for the connection. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Between attempts, with full jitter. Default: from 250 ms up to 5 s. */
  readonly backoff?: Backoff;
  /** Detection of a connection that died without a close. Default: after 30 s without a frame, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off";
}

/** Takes the place of events that were skipped. `missed`: their number; null if it is unknown. */
export interface WatchedGap {
  readonly event: "gap";
  readonly missed: number | null;
}

/** What a watcher gets, in order. */
export type WatchedEvent = EventView | WatchedGap;

/** True for a gap. */
export const isGap = (event: WatchedEvent): event is WatchedGap => event.event === "gap";

/** What became of a command. `queued`: it is stored for an absent integration. `count`: the integrations that got it, for the target `*`. */
export interface CommandReceipt {
  readonly status: "sent" | "queued";
  readonly count?: number;
}

/** A change of a watcher's connection. */
export type WatcherStatus =
  /** The relay sends events of these names. */
  | { readonly is: "subscribed"; readonly events: readonly string[]; readonly again: boolean }
  /** The connection was lost, or could not be made. The next attempt follows after `retryMs`. */
  | { readonly is: "waiting"; readonly code: number; readonly reason: string; readonly retryMs: number }
  /** The relay refused the registration, or its URL can never be dialed. The client is closed. */
  | { readonly is: "refused"; readonly error: RelayError }
  /** The relay refused a frame. Its request ends at its deadline. */
  | { readonly is: "frameRefused"; readonly error: RelayError }
  | { readonly is: "closed" };

/** `greeting`: connected, not yet subscribed. */
export type WatcherPhase = "connecting" | "greeting" | "subscribed" | "refused" | "closed";

type WatcherState =
  | { readonly is: "connecting" | "subscribed" | "closed" }
  | {
    readonly is: "greeting";
    said: RelayError | undefined;
    /** Events before the confirmation are sent again. */
    readonly isResuming: boolean;
  }
  | { readonly is: "refused"; readonly error: RelayError };

const TIMEOUT_MS = 10_000;
const BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
const KEEPALIVE: KeepaliveOptions = { idleMs: 30_000, answerMs: 10_000 };
const EXPIRY_CHECK_MS = 250;
const EVENTS_KEPT = 1_000;
const SUBSCRIBE_ID = "subscribe";

/** A watcher of the Intermediary. It dials at once. */
export class WatcherClient implements Disposable {
  readonly #options: WatcherClientOptions;
  readonly #link: ReconnectingLink;
  readonly #clock: ClientClock;
  readonly #calls = new Calls((...error) => new RelayError(...error));
  readonly #expiry: ReturnType<typeof setInterval>;
  readonly #events = new Stream<WatchedEvent>((error) => console.error(error));
  readonly #statuses = new Stream<WatcherStatus>((error) => console.error(error));
  #state: WatcherState = { is: "connecting" };
  #filter: EventFilter;
  #cursor: string | undefined;
  /** A choice that was open when the client reconnected. It is news only if the events before were lost. */
  #lateChoice: EventView | undefined;
  #subscriptions = 0;
  #count = 0;

  constructor(url: string, options: WatcherClientOptions) {
    const { events, rate, after, timeoutMs = TIMEOUT_MS, backoff = BACKOFF, keepalive = KEEPALIVE } = options;
    this.#options = options;
    this.#filter = { ...(events && { events }), ...(rate !== undefined && { rate }) };
    this.#cursor = after;
    this.#clock = options.clock ?? systemClock;
    this.#expiry = setInterval(() => this.#calls.expire(Date.now()), Math.min(EXPIRY_CHECK_MS, timeoutMs));
    this.#link = new ReconnectingLink({
      ...options,
      url,
      backoff,
      keepalive: keepalive === "off" ? undefined : { ...keepalive, probe: () => this.#probe() },
    }, {
      opened: () => this.#greet(),
      received: (frame) => this.#received(objectIn(frame)),
      lost: (loss) => this.#lost(loss),
    });
    this.#link.start();
  }

  get phase(): WatcherPhase {
    return this.#state.is;
  }

  /** The id of the last event. Pass it as `after` to a later client of the same relay, which then resumes there. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Resolves once the relay has confirmed the subscription. Rejects with a `RelayError` if it refused the registration. */
  ready(options: WaitOptions = {}): Promise<void> {
    const { is } = this.#state;
    if (is === "subscribed") return Promise.resolve();
    if (is === "refused") return Promise.reject(this.#state.error);
    if (is === "closed") return Promise.reject(closedError());
    return waitUntil<void>(this.#clock, options, ({ resolve, reject }) =>
      this.#statuses.listen((status) => {
        if (status.is === "subscribed") resolve();
        if (status.is === "refused") reject(status.error);
        if (status.is === "closed") reject(closedError());
      }));
  }

  /** Calls the listener with each event and gap. Returns a function that ends this. */
  onEvent(listener: ValueListener<WatchedEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The events and gaps from now on. A slow reader loses the oldest ones beyond `keep` (1,000); `lost` of the iterator counts them. */
  events(options: IterateOptions = {}): ValueIterator<WatchedEvent> {
    return this.#events.iterate({ keep: EVENTS_KEPT, ...options });
  }

  /** Calls the listener at each change of the connection. Returns a function that ends this. */
  onStatus(listener: ValueListener<WatcherStatus>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#statuses.listen(listener, options.signal);
  }

  /** Changes which events arrive, also after reconnects. Resolves with their names. */
  async subscribe(filter: EventFilter): Promise<readonly string[]> {
    this.#filter = filter;
    return namesIn(await this.call({ subscribe: { ...filter } }, true));
  }

  /** Sends a command to an integration; `*`: to all that are connected. Rejects with a `RelayError` if the relay refuses it. */
  async command(target: string, cmd: Json): Promise<CommandReceipt> {
    const { status, count } = await this.call({ target, cmd });
    return { status: status === "queued" ? "queued" : "sent", ...(typeof count === "number" && { count }) };
  }

  /** Gives Neuro a message, as a silent context. `queued`: she is away, and it is stored. Needs the scope `direct`. */
  async sendToNeuro(payload: Json): Promise<"sent" | "queued"> {
    const { status } = await this.call({ direct_to_neuro: true, payload });
    return status === "queued" ? "queued" : "sent";
  }

  /** Chooses an action in Neuro's place: for the open question, or any registered one. Resolves once it was sent to its integration. */
  async choose(action: string, data: Json = {}): Promise<void> {
    await this.call({ choice: { selected: action, data } });
  }

  /** The connected integrations, watchers and games, and the absent integrations. */
  async peers(): Promise<readonly PeerView[]> {
    const { peers } = await this.call({ query: "peers" }, true);
    return Array.isArray(peers) ? peers as unknown as readonly PeerView[] : []; // Why: the relay and this client share the type.
  }

  /** The schemas of all registered actions, by `<integration>.<action>`. */
  async registeredActions(): Promise<JsonObject> {
    return objectOf((await this.call({ query: "get_registered_actions" }, true))["actions"]);
  }

  /** Sends any request of the protocol. An idempotent one is sent again after a lost connection. */
  call(fields: JsonObject, isIdempotent = false): Promise<JsonObject> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const id = String(++this.#count);
    const text = JSON.stringify({ ...fields, request_id: id });
    return new Promise((resolve, reject) => {
      const call: Call = { id, text, isIdempotent, isSent: false, deadline: Date.now() + timeoutMs, resolve, reject };
      if (this.#calls.add(call) && this.#state.is === "subscribed") this.#send(call);
    });
  }

  /** Closes the connection. Unanswered requests are rejected (`Closed`). */
  close(): void {
    if (this.#state.is === "closed") return;
    this.#state = { is: "closed" };
    this.#end();
    this.#statuses.emit({ is: "closed" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(): void {
    clearInterval(this.#expiry);
    this.#link.close();
    this.#calls.close();
  }

  #greet(): void {
    const { name, token } = this.#options;
    const after = this.#cursor;
    this.#state = { is: "greeting", said: undefined, isResuming: after !== undefined };
    this.#link.send(JSON.stringify({ type: "neuro-os", name, auth_token: token }));
    // Why a snapshot: it has the cursor, so that a watcher resumes there although it has not got any event.
    const from = after === undefined ? { snapshot: true } : { after };
    this.#link.send(JSON.stringify({ subscribe: { ...this.#filter, ...from }, request_id: SUBSCRIBE_ID }));
  }

  #lost(loss: LinkLoss): void {
    const error = finalError(loss, this.#state.is === "greeting" ? this.#state.said : undefined);
    this.#lateChoice = undefined;
    if (error !== undefined) {
      this.#state = { is: "refused", error };
      this.#end();
      return this.#statuses.emit({ is: "refused", error });
    }
    const { code, reason, retryMs = 0 } = loss;
    this.#state = { is: "connecting" };
    this.#calls.connectionLost(code);
    this.#statuses.emit({ is: "waiting", code, reason, retryMs });
  }

  #received(message: JsonObject | undefined): void {
    if (message === undefined) return;
    const { event, request_id: id } = message;
    if (typeof event === "string") return this.#arrived(message as unknown as WatchedEvent); // Why: the relay sends nothing else.
    if (id === SUBSCRIBE_ID) return this.#subscribed(message);
    if (id !== undefined) return void this.#calls.settle(message);
    const error = errorIn(message);
    if (error === undefined) return;
    if (this.#state.is === "greeting") this.#state.said = error;
    else this.#statuses.emit({ is: "frameRefused", error });
  }

  #subscribed(reply: JsonObject): void {
    const { after } = objectOf(reply["snapshot"]);
    if (typeof after === "string") this.#cursor = after;
    this.#state = { is: "subscribed" };
    for (const call of this.#calls.unsent()) this.#send(call);
    this.#statuses.emit({ is: "subscribed", events: namesIn(reply), again: this.#subscriptions++ > 0 });
  }

  #arrived(event: WatchedEvent): void {
    const state = this.#state;
    switch (state.is) {
      case "greeting":
        if (!state.isResuming) return this.#isWanted(event) ? this.#deliver(event) : undefined;
        if (!isGap(event) && event.event === "choose_action" && this.#isWanted(event)) this.#lateChoice = event;
        return;
      case "subscribed":
        return this.#deliver(event);
      case "connecting":
      case "refused":
      case "closed":
        return;
      default:
        return assertNever(state);
    }
  }

  #deliver(event: WatchedEvent): void {
    const choice = this.#lateChoice;
    this.#lateChoice = undefined;
    if (!isGap(event)) this.#cursor = event.id;
    this.#events.emit(event);
    if (isGap(event) && event.missed === null && choice !== undefined) this.#events.emit(choice);
  }

  #isWanted({ event }: WatchedEvent): boolean {
    return this.#filter.events?.includes(event) !== false;
  }

  #probe(): undefined {
    this.call({ query: "peers" }, true).catch(() => {}); // Why: a lost connection is reported by the link.
  }

  #send(call: Call): void {
    call.isSent = this.#link.send(call.text);
  }
}

const closedError = (): RelayError => new RelayError("the client is closed", "Closed");

const namesIn = ({ events }: JsonObject): readonly string[] => Array.isArray(events) ? events.map(String) : [];
