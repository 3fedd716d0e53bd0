/**
 * A client for integrations of the Intermediary: actions with handlers typed by their schema, results, contexts, forces, events, choices,
 * and commands of watchers.
 *
 * ```ts
 * using jukebox = new IntegrationClient("ws://127.0.0.1:8765", { name: "jukebox", token: "super-secret-token" });
 * jukebox.action("play_song", {
 *   description: "Play a song.",
 *   schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
 *   handler: ({ title }) => `${title} is playing.`,
 * });
 * jukebox.context("The jukebox is on.");
 * ```
 *
 * The client reconnects and registers again. What it is told while it is offline waits, in order. The relay does not acknowledge contexts,
 * forces, events and choices, so one that was sent just before a connection was lost may be lost with it. Runs on Bun, Deno, Workers, Node and in
 * browsers; where there is no global `WebSocket` (Node 20), pass `openSocket`.
 *
 * Invariants: I1 an action, and a command that was handled, is handled once, however often the relay sends it; I2 a command is acknowledged
 * only after its handler has ended, so a command that was not handled is sent again; I3 a result that may have been lost with a connection
 * is sent again, and the relay counts it once; I4 after another program took the name over, or the relay refused the registration or a
 * message that each connection would repeat, the client does
 * not reconnect.
 *
 * @module
 */
import { assertNever } from "../core/assert.ts";
import type { JsonObject } from "../core/json.ts";
import type { Backoff, KeepaliveOptions } from "../core/link.ts";
import { type LinkLoss, ReconnectingLink } from "../websocket-client/reconnecting-link.ts";
import { type ClientClock, type DriverOptions, systemClock } from "../websocket-client/socket-driver.ts";
import type { TraceView } from "../core/traces/trace.ts";
import { Backlog, type BacklogLimits } from "./backlog.ts";
import { objectIn, objectOf } from "./calls.ts";
import { type CommandHandler, CommandInbox } from "./command-inbox.ts";
import type { ForceOptions } from "./force-options.ts";
import { errorIn, finalError, RelayError } from "./relay-error.ts";
import { ResultBox } from "./result-box.ts";
import { messageText, type Repetition, SuspectFrames } from "./suspect-frames.ts";
import { type ActionSchema, type TypedAction, TypedActions } from "./typed-actions.ts";
import { type IterateOptions, Stream, type ValueIterator, type ValueListener } from "./value-stream.ts";
import { type WaitOptions, waitUntil } from "./wait-until.ts";

export { type ClientFault, RelayError } from "./relay-error.ts";
export type { BacklogLimits } from "./backlog.ts";
export type {
  TraceKind,
  TraceOutcome,
  TraceState,
  TraceStep,
  TraceStepName,
  TraceTexts,
  TraceView,
} from "../core/traces/trace.ts";
export type { ForceOptions } from "./force-options.ts";
export type { CommandHandler, WatcherCommand } from "./command-inbox.ts";
export type {
  ActionSchema,
  DataOf,
  HandlerOutcome,
  HandlerResult,
  JsonSchema,
  ReceivedAction,
  StandardResult,
  StandardSchema,
  TypedAction,
  ValueOf,
} from "./typed-actions.ts";
export type { ClientClock, DriverOptions, OpenSocket, SocketLike } from "../websocket-client/socket-driver.ts";
export type { IterateOptions, ValueIterator, ValueListener } from "./value-stream.ts";
export { type WaitOptions, WaitTimeoutError } from "./wait-until.ts";

/** The registration and the connection of an integration. */
export interface IntegrationClientOptions extends DriverOptions, BacklogLimits {
  /** Unique among the integrations of a relay. At most 64 characters. */
  readonly name: string;
  /** `intermediary.auth_token`, or one of `intermediary.tokens`. */
  readonly token: string;
  /** Handles the commands of watchers, one after the other. Without it each command becomes a dead letter of the relay. */
  readonly command?: CommandHandler;
  /** The relay sends the path of each of the own messages, once it has ended: the event `trace`. Default: false. */
  readonly traces?: boolean;
  /** Between attempts, with full jitter. Default: from 250 ms up to 5 s. */
  readonly backoff?: Backoff;
  /** Detection of a connection that died without a close. Default: after 30 s without a frame, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off";
}

/** A choice that the relay asks for in Neuro's place. Answer it with `choose`. */
export interface OfferedChoice {
  readonly id: string;
  readonly game: string;
  readonly query: string;
  readonly state: string | undefined;
  readonly actions: readonly { readonly name: string; readonly desc: string }[];
}

/** What happens to an integration. */
export type IntegrationEvent =
  /** The relay knows the integration. `again`: it was registered before. */
  | { readonly is: "registered"; readonly name: string; readonly session: string; readonly again: boolean }
  /** The connection was lost, or could not be made. The next attempt follows after `retryMs`. */
  | { readonly is: "waiting"; readonly code: number; readonly reason: string; readonly retryMs: number }
  /** Another connection has the name now. The client does not reconnect, unless `restart` is called. */
  | { readonly is: "takenOver"; readonly error: RelayError }
  /** The relay refused the registration, or its URL can never be dialed. The client does not reconnect, unless `restart` is called. */
  | { readonly is: "refused"; readonly error: RelayError }
  /** The relay refused a message. */
  | { readonly is: "messageRefused"; readonly error: RelayError }
  /** Another integration, or a game, gave Neuro a context. */
  | { readonly is: "context"; readonly from: string; readonly message: string; readonly silent: boolean }
  /** Contexts that the relay skipped because this client was too slow. */
  | { readonly is: "contextsMissed"; readonly count: number }
  | { readonly is: "choice"; readonly choice: OfferedChoice }
  /** The path of an own message has ended. Only with `traces`. */
  | { readonly is: "trace"; readonly trace: TraceView }
  /** Another event of Neuro: `startup`, `speech_finished`, `shutdown/graceful` and others. */
  | { readonly is: "neuro"; readonly event: string; readonly payload: JsonObject }
  /** The handler of commands threw `error`. The relay sends the command again. */
  | { readonly is: "commandFailed"; readonly error: unknown }
  | { readonly is: "closed" };

/** `greeting`: connected, not yet registered. `stopped`: taken over or refused. */
export type IntegrationPhase = "connecting" | "greeting" | "registered" | "stopped" | "closed";

type IntegrationState =
  | { readonly is: "connecting" | "closed" }
  | { readonly is: "greeting"; said: RelayError | undefined }
  | { readonly is: "registered"; said: RelayError | undefined }
  | { readonly is: "stopped"; readonly error: RelayError };

const BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
const KEEPALIVE: KeepaliveOptions = { idleMs: 30_000, answerMs: 10_000 };
const EVENTS_KEPT = 64;
/** The only request of an integration that has a reply. */
const PROBE = JSON.stringify({ query: "get_registered_actions", request_id: "probe" });

/** An integration of the Intermediary. It dials at once. */
export class IntegrationClient implements Disposable {
  readonly name: string;
  readonly #token: string;
  readonly #wantsTraces: boolean;
  readonly #link: ReconnectingLink;
  readonly #clock: ClientClock;
  readonly #actions = new TypedActions();
  /** Names that the relay may still know from an earlier connection. */
  readonly #removed = new Set<string>();
  readonly #results: ResultBox;
  readonly #commands: CommandInbox;
  readonly #backlog: Backlog;
  readonly #sent = new SuspectFrames();
  readonly #events = new Stream<IntegrationEvent>((error) => console.error(error));
  #state: IntegrationState = { is: "connecting" };
  #registrations = 0;

  constructor(url: string, options: IntegrationClientOptions) {
    const { name, token, command, backoff = BACKOFF, keepalive = KEEPALIVE, clock = systemClock } = options;
    this.name = name;
    this.#wantsTraces = options.traces === true;
    this.#token = token;
    this.#clock = clock;
    this.#backlog = new Backlog(options);
    this.#results = new ResultBox(() => clock.now());
    this.#commands = new CommandInbox({
      handler: command,
      send: (receipt) => this.#link.send(JSON.stringify(receipt)),
      failed: (error) => this.#events.emit({ is: "commandFailed", error }),
    });
    this.#link = new ReconnectingLink({
      ...options,
      url,
      backoff,
      keepalive: keepalive === "off" ? undefined : { ...keepalive, probe: () => PROBE },
    }, {
      opened: () => this.#greet(),
      received: (frame) => this.#received(objectIn(frame)),
      lost: (loss) => this.#lost(loss),
    });
    this.#link.start();
  }

  get phase(): IntegrationPhase {
    return this.#state.is;
  }

  /** Messages that wait for the connection. */
  get waiting(): number {
    return this.#backlog.size;
  }

  /** Registers an action, or replaces it. Returns a function that unregisters it. Throws a `RelayError` for an unusable schema. */
  action<const S extends ActionSchema = undefined>(name: string, action: TypedAction<S>): () => void {
    const declaration = this.#actions.define(name, action);
    this.#removed.delete(name);
    if (this.#isRegistered) this.#sendNow({ event: "register_actions", actions: [declaration] });
    return () => this.removeAction(name);
  }

  /** Unregisters an action. Inside a force, do this before its result is sent. */
  removeAction(name: string): void {
    if (!this.#actions.remove(name)) return;
    this.#removed.add(name);
    if (this.#isRegistered) this.#sendNow({ event: "unregister_actions", actions: [name] });
  }

  /** Tells Neuro something. With `silent: false` she may reply. Throws a `RelayError` (`Busy`) if too much waits. */
  context(message: string, { silent = true }: { readonly silent?: boolean } = {}): void {
    this.#post({ command: "context", data: { message, silent } });
  }

  /** Asks Neuro to choose an action. Throws a `RelayError` (`Busy`) if too much waits. */
  force({ query, state, actions, ephemeralContext = false, priority = "low" }: ForceOptions): void {
    const data = { query, ...(state !== undefined && { state }), ephemeral_context: ephemeralContext, priority };
    this.#post({ command: "actions/force", data: { ...data, action_names: actions } });
  }

  /** Sends an event of this integration: to watchers, and to Neuro as a silent context. Throws a `RelayError` (`Busy`) if too much waits. */
  send(event: string, payload: unknown = {}): void {
    this.#post({ event, payload });
  }

  /** Answers an offered choice, or executes any registered action. Throws a `RelayError` (`Busy`) if too much waits. */
  choose(action: string, data: unknown = {}): void {
    this.#post({ choice: { selected: action, data } });
  }

  /** Resolves once the relay has confirmed the registration. Rejects with a `RelayError` if it refused it, or if the client is closed. */
  ready(options: WaitOptions = {}): Promise<void> {
    const { is } = this.#state;
    if (is === "registered") return Promise.resolve();
    if (is === "stopped") return Promise.reject(this.#state.error);
    if (is === "closed") return Promise.reject(closedError());
    return waitUntil<void>(this.#clock, options, ({ resolve, reject }) =>
      this.#events.listen((event) => {
        if (event.is === "registered") resolve();
        if (event.is === "takenOver" || event.is === "refused") reject(event.error);
        if (event.is === "closed") reject(closedError());
      }));
  }

  /** Calls the listener at each event. Returns a function that ends this. */
  onEvent(listener: ValueListener<IntegrationEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The events from now on. A slow reader loses the oldest ones beyond `keep`. Default: 64. */
  events(options: IterateOptions = {}): ValueIterator<IntegrationEvent> {
    return this.#events.iterate({ keep: EVENTS_KEPT, ...options });
  }

  /** Registers again after a takeover or a refusal, or dials now instead of at the end of a wait. */
  restart(): void {
    if (this.#state.is === "closed") throw closedError();
    if (this.#state.is === "stopped") this.#state = { is: "connecting" };
    this.#link.start();
  }

  /** Closes the connection. Messages that wait are dropped. */
  close(): void {
    if (this.#state.is === "closed") return;
    this.#state = { is: "closed" };
    this.#backlog.clear();
    this.#commands.close();
    this.#link.close();
    this.#events.emit({ is: "closed" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #isRegistered(): boolean {
    return this.#state.is === "registered";
  }

  #greet(): void {
    this.#sent.clear();
    this.#state = { is: "greeting", said: undefined };
    this.#sendNow({
      type: "integration",
      name: this.name,
      auth_token: this.#token,
      ack: true,
      ...(this.#wantsTraces && { trace: true }),
    });
  }

  #lost(loss: LinkLoss): void {
    const said = this.#state.is === "greeting" || this.#state.is === "registered" ? this.#state.said : undefined;
    this.#backlog.pause();
    const error = finalError(loss, said) ?? this.#sent.rejection(loss);
    if (error === undefined) {
      const { code, reason, retryMs = 0 } = loss;
      this.#state = { is: "connecting" };
      return this.#events.emit({ is: "waiting", code, reason, retryMs });
    }
    this.#state = { is: "stopped", error };
    this.#link.close();
    this.#events.emit({ is: error.code === "nameTaken" ? "takenOver" : "refused", error });
  }

  #received(message: JsonObject | undefined): void {
    if (message === undefined) return;
    const state = this.#state;
    switch (state.is) {
      case "greeting":
        if (message["event"] === "registered") return this.#registered(String(message["session"]));
        state.said = errorIn(message) ?? state.said;
        return;
      case "registered":
        return this.#handle(message, state);
      case "connecting":
      case "stopped":
      case "closed":
        return;
      default:
        return assertNever(state);
    }
  }

  #registered(session: string): void {
    this.#state = { is: "registered", said: undefined };
    const again = this.#registrations++ > 0;
    if (again && this.#removed.size > 0) this.#sendNow({ event: "unregister_actions", actions: [...this.#removed] });
    this.#registerAll();
    for (const result of this.#results.recent()) this.#write(result, "repeated");
    this.#backlog.flush((text) => this.#write(text, "once"), this.#clock);
    this.#events.emit({ is: "registered", name: this.name, session, again });
  }

  #handle(message: JsonObject, state: Extract<IntegrationState, { readonly is: "registered" }>): void {
    const { id, event, from_watcher: from, cmd } = message;
    if (from !== undefined && cmd !== undefined) return this.#commands.receive(message);
    if (typeof id === "string") this.#sendNow({ ack: id });
    const error = errorIn(message);
    // Why only this one: the others are about a message, not about the connection.
    if (error?.code === "nameTaken") state.said = error;
    else if (error !== undefined) this.#events.emit({ is: "messageRefused", error });
    if (typeof event === "string") this.#handleEvent(event, objectOf(message["payload"]));
  }

  #handleEvent(event: string, payload: JsonObject): void {
    switch (event) {
      case "action":
        return this.#act(payload);
      case "actions/reregister_all":
        return this.#registerAll();
      case "choose_action":
        return this.#events.emit({ is: "choice", choice: choiceOf(payload) });
      case "context_update": {
        const { from, message, silent } = payload;
        return this.#events.emit({ is: "context", from: String(from), message: String(message), silent: silent === true });
      }
      case "neuro-relay/trace":
        // Why the cast: this is what the relay sends.
        return this.#events.emit({ is: "trace", trace: payload["trace"] as unknown as TraceView });
      case "context_gap":
        return this.#events.emit({ is: "contextsMissed", count: Number(payload["missed"]) });
      default:
        // Why not `assertNever`: Neuro can send any event.
        return this.#events.emit({ is: "neuro", event, payload });
    }
  }

  #act({ id, name, data }: JsonObject): void {
    const actionId = String(id);
    const earlier = this.#results.begin(actionId);
    if (earlier === "running") return;
    if (earlier !== "new") return void this.#write(earlier.text, "repeated");
    const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
    void this.#actions.run({ id: actionId, name: String(name) }, text).then((result) => {
      const frame = JSON.stringify({ event: "action_result", payload: { id: actionId, ...result } });
      this.#results.complete(actionId, frame);
      if (this.#isRegistered) this.#write(frame, "repeated");
    });
  }

  /** Sends a message now, after those that wait for the connection. */
  #post(message: object): void {
    if (this.#state.is === "closed") throw closedError();
    const text = messageText(message);
    if (!this.#isRegistered || this.#backlog.size > 0 || !this.#write(text, "once")) this.#backlog.push(text);
  }

  #registerAll(): void {
    for (const actions of this.#actions.batches) this.#sendNow({ event: "register_actions", actions });
  }

  #sendNow(message: object): void {
    this.#write(JSON.stringify(message), "repeated");
  }

  #write(text: string, repetition: Repetition): boolean {
    this.#sent.add(text, repetition);
    return this.#link.send(text);
  }
}

const closedError = (): RelayError => new RelayError("the client is closed", "Closed");

function choiceOf({ id, game_title, query, context, state, actions }: JsonObject): OfferedChoice {
  return {
    id: String(id),
    game: String(game_title),
    query: String(query ?? context),
    state: typeof state === "string" ? state : undefined,
    actions: Array.isArray(actions) ? actions as OfferedChoice["actions"] : [], // Why: the relay sends nothing else.
  };
}
