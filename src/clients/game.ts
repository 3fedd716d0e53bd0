/**
 * A client of the Neuro API, for games and tools: actions with handlers typed by their schema, contexts, forces and results. It knows nothing
 * of a relay, and speaks to Neuro herself as well.
 *
 * ```ts
 * using game = new GameClient("ws://127.0.0.1:8000", { game: "Chess" });
 * game.action("move", {
 *   description: "Move a piece.",
 *   schema: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
 *   handler: ({ to }) => `You moved to ${to}.`,
 * });
 * game.force({ query: "It is your turn.", actions: ["move"] });
 * ```
 *
 * The client reconnects, sends `startup`, registers its actions again and repeats the force that has not been answered. The API has no message
 * that Neuro answers, so only the system notices a connection that died without a close. Runs on Bun, Deno,
 * Workers, Node and in browsers; where there is no global `WebSocket` (Node 20), pass `openSocket`.
 *
 * Invariants: G1 `startup` is the first message of each connection, and the actions follow it; G2 a result is sent only on the connection of
 * its action, because Neuro may use an id again after a restart; G3 at most one force is open.
 *
 * @module
 */
import { isObject, type JsonObject } from "../core/json.ts";
import type { Backoff } from "../core/link.ts";
import type { NeuroSession } from "../core/neuro-messages.ts";
import { type LinkLoss, ReconnectingLink } from "../websocket-client/reconnecting-link.ts";
import { type ClientClock, type DriverOptions, systemClock } from "../websocket-client/socket-driver.ts";
import type { TraceView } from "../core/traces/trace.ts";
import { Backlog, type BacklogLimits } from "./backlog.ts";
import { objectIn, objectOf } from "./calls.ts";
import type { ForceOptions } from "./force-options.ts";
import { finalError, RelayError } from "./relay-error.ts";
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
export type { NeuroSession } from "../core/neuro-messages.ts";
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

/** The name and the connection of a game. */
export interface GameClientOptions extends DriverOptions, BacklogLimits {
  /** The name of the game for Neuro. It is the only identity of a game, and never changes. */
  readonly game: string;
  /** A relay sends the path of each of the own messages, once it has ended: the event `trace`. Default: false. Neuro does not know that. */
  readonly traces?: boolean;
  /** Between attempts, with full jitter. Default: from 250 ms up to 5 s. */
  readonly backoff?: Backoff;
}

/** What happens to a game. */
export type GameEvent =
  /** Connected and registered. `again`: it was connected before. */
  | { readonly is: "connected"; readonly again: boolean }
  /** Neuro's answer to `startup`. Not every backend sends it. */
  | { readonly is: "session"; readonly session: NeuroSession }
  /** The connection was lost, or could not be made. The next attempt follows after `retryMs`. */
  | { readonly is: "waiting"; readonly code: number; readonly reason: string; readonly retryMs: number }
  /** The server refused the connection, or its URL can never be dialed. The client is closed. */
  | { readonly is: "refused"; readonly error: RelayError }
  /** Neuro asks to save and exit: then call `shutdownReady`. `wanted: false` takes an earlier request back. */
  | { readonly is: "shutdownRequested"; readonly wanted: boolean }
  /** The connection ends within seconds. */
  | { readonly is: "shutdownNow" }
  /** The path of an own message has ended. Only with `traces`. */
  | { readonly is: "trace"; readonly trace: TraceView }
  /** Another message of Neuro, such as `speech_finished`. */
  | { readonly is: "neuro"; readonly command: string; readonly data: JsonObject }
  | { readonly is: "closed" };

/** The state of a game's connection. */
export type GamePhase = "connecting" | "connected" | "refused" | "closed";

type GameState =
  | { readonly is: "connecting" | "closed" }
  /** `number`: of this connection. */
  | { readonly is: "connected"; readonly number: number }
  | { readonly is: "refused"; readonly error: RelayError };

const BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
const EVENTS_KEPT = 64;
/** The request for traces, and a trace. */
const TRACE = "neuro-relay/trace";

/** A game. It dials at once. */
export class GameClient implements Disposable {
  readonly game: string;
  readonly #wantsTraces: boolean;
  readonly #link: ReconnectingLink;
  readonly #clock: ClientClock;
  readonly #actions = new TypedActions();
  readonly #backlog: Backlog;
  readonly #sent = new SuspectFrames();
  readonly #events = new Stream<GameEvent>((error) => console.error(error));
  #state: GameState = { is: "connecting" };
  /** The force that has not been answered. */
  #force: ForceOptions | undefined;
  #connections = 0;

  constructor(url: string, options: GameClientOptions) {
    const { game, traces = false, backoff = BACKOFF, clock = systemClock } = options;
    this.game = game;
    this.#wantsTraces = traces;
    this.#clock = clock;
    this.#backlog = new Backlog(options);
    this.#link = new ReconnectingLink({ ...options, url, backoff }, {
      opened: () => this.#opened(),
      received: (frame) => this.#received(objectIn(frame)),
      lost: (loss) => this.#lost(loss),
    });
    this.#link.start();
  }

  get phase(): GamePhase {
    return this.#state.is;
  }

  /** Registers an action, or replaces it. Returns a function that unregisters it. Throws a `RelayError` for an unusable schema. */
  action<const S extends ActionSchema = undefined>(name: string, action: TypedAction<S>): () => void {
    const isReplaced = this.#actions.has(name);
    const declaration = this.#actions.define(name, action);
    // Why first: some backends keep the first definition.
    if (isReplaced) this.#send("actions/unregister", { action_names: [name] });
    this.#send("actions/register", { actions: [declaration] });
    return () => this.removeAction(name);
  }

  /** Unregisters an action. Inside a force, do this before its result is sent: in the handler. */
  removeAction(name: string): void {
    if (!this.#actions.remove(name)) return;
    if (this.#force?.actions.every((left) => !this.#actions.has(left)) === true) this.#force = undefined;
    this.#send("actions/unregister", { action_names: [name] });
  }

  /** Tells Neuro something. With `silent: false` she may reply. Throws a `RelayError` (`Busy`) if too much waits for the connection. */
  context(message: string, { silent = true }: { readonly silent?: boolean } = {}): void {
    if (this.#state.is === "closed" || this.#state.is === "refused") throw closedError();
    const text = messageText(this.#messageOf("context", { message, silent }));
    if (this.#state.is !== "connected" || this.#backlog.size > 0 || !this.#write(text, "once")) this.#backlog.push(text);
  }

  /** Asks Neuro to choose an action. Replaces an earlier force. */
  force(force: ForceOptions): void {
    if (this.#state.is === "closed" || this.#state.is === "refused") throw closedError();
    messageText(this.#messageOf("actions/force", force)); // Why first: a force that is too large must not be kept for the next connection.
    this.#force = force;
    this.#sendForce();
  }

  /** The game has saved and exits now, as Neuro asked (`shutdownRequested`). */
  shutdownReady(): void {
    this.#send("shutdown/ready");
  }

  /** Resolves once the game is connected and registered. Rejects with a `RelayError` if it was refused or is closed. */
  ready(options: WaitOptions = {}): Promise<void> {
    const { is } = this.#state;
    if (is === "connected") return Promise.resolve();
    if (is === "refused") return Promise.reject(this.#state.error);
    if (is === "closed") return Promise.reject(closedError());
    return waitUntil<void>(this.#clock, options, ({ resolve, reject }) =>
      this.#events.listen((event) => {
        if (event.is === "connected") resolve();
        if (event.is === "refused") reject(event.error);
        if (event.is === "closed") reject(closedError());
      }));
  }

  /** Calls the listener at each event. Returns a function that ends this. */
  onEvent(listener: ValueListener<GameEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The events from now on. A slow reader loses the oldest ones beyond `keep`. Default: 64. */
  events(options: IterateOptions = {}): ValueIterator<GameEvent> {
    return this.#events.iterate({ keep: EVENTS_KEPT, ...options });
  }

  /** Closes the connection. Messages that wait are dropped. */
  close(): void {
    if (this.#state.is === "closed") return;
    this.#state = { is: "closed" };
    this.#backlog.clear();
    this.#link.close();
    this.#events.emit({ is: "closed" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #opened(): void {
    this.#sent.clear();
    const number = ++this.#connections;
    this.#state = { is: "connected", number };
    this.#send("startup");
    if (this.#wantsTraces) this.#send(TRACE);
    for (const actions of this.#actions.batches) this.#send("actions/register", { actions });
    this.#backlog.flush((text) => this.#write(text, "once"), this.#clock);
    this.#sendForce();
    this.#events.emit({ is: "connected", again: number > 1 });
  }

  #lost(loss: LinkLoss): void {
    this.#backlog.pause();
    const error = finalError(loss, undefined) ?? this.#sent.rejection(loss);
    if (error === undefined) {
      const { code, reason, retryMs = 0 } = loss;
      this.#state = { is: "connecting" };
      return this.#events.emit({ is: "waiting", code, reason, retryMs });
    }
    this.#state = { is: "refused", error };
    this.#backlog.clear();
    this.#link.close();
    this.#events.emit({ is: "refused", error });
  }

  #received(message: JsonObject | undefined): void {
    if (message === undefined || this.#state.is !== "connected" || typeof message["command"] !== "string") return;
    const { command } = message;
    const data = objectOf(message["data"]);
    switch (command) {
      case "action":
        return this.#act(data, this.#state.number);
      case "actions/reregister_all":
        return this.#actions.batches.forEach((actions) => this.#send("actions/register", { actions }));
      case "startup": {
        const { sessionId, characterId, displayName } = objectOf(data["session"]);
        const [session, character, display] = [sessionId, characterId, displayName].map((text) => String(text ?? ""));
        return this.#events.emit({
          is: "session",
          session: { sessionId: session ?? "", characterId: character ?? "", displayName: display ?? "" },
        });
      }
      case "shutdown/graceful":
        return this.#events.emit({ is: "shutdownRequested", wanted: data["wants_shutdown"] !== false });
      case TRACE: {
        const trace = data["trace"];
        // Why the cast: this is what a relay sends. The answer to the request for traces has none.
        return isObject(trace) ? this.#events.emit({ is: "trace", trace: trace as unknown as TraceView }) : undefined;
      }
      case "shutdown/immediate":
        return this.#events.emit({ is: "shutdownNow" });
      default:
        // Why not `assertNever`: Neuro can send any command.
        return this.#events.emit({ is: "neuro", command, data });
    }
  }

  #act({ id, name, data }: JsonObject, connection: number): void {
    const action = { id: String(id), name: String(name) };
    const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
    const force = this.#force;
    void this.#actions.run(action, text).then((result) => {
      if (this.#state.is !== "connected" || this.#state.number !== connection) return;
      if (result.success && force === this.#force && force?.actions.includes(action.name) === true) this.#force = undefined;
      this.#write(this.#textOf("action/result", { id: action.id, ...result }), "once"); // G2
    });
  }

  #sendForce(): void {
    if (this.#force === undefined) return;
    const { query, state, actions, ephemeralContext, priority } = this.#force;
    this.#send("actions/force", {
      query,
      ...(state !== undefined && { state }),
      ...(ephemeralContext !== undefined && { ephemeral_context: ephemeralContext }),
      ...(priority !== undefined && { priority }),
      action_names: actions,
    });
  }

  /** Sends a message if the game is connected. What the next connection needs is sent by `#opened`. */
  #send(command: string, data?: object): void {
    if (this.#state.is === "connected") this.#write(this.#textOf(command, data), "repeated");
  }

  #textOf(command: string, data?: object): string {
    return JSON.stringify(this.#messageOf(command, data));
  }

  #messageOf(command: string, data?: object): object {
    return { command, game: this.game, ...(data && { data }) };
  }

  #write(text: string, repetition: Repetition): boolean {
    this.#sent.add(text, repetition);
    return this.#link.send(text);
  }
}

const closedError = (): RelayError => new RelayError("the client is closed", "Closed");
