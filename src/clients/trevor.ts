/**
 * A client of Trevor, the control protocol of a Nallely session. Runs on Bun, Deno, Workers, Node and in browsers.
 *
 * ```ts
 * await using trevor = Trevor.open();
 * const state = await trevor.call("create_device", { name: "LFO" });
 * const [lfo] = devicesOf(state, "LFO");
 * await trevor.connect(devicePath(lfo.id, "output_cv"), await trevor.pathOf("synth", "gain"));
 * ```
 *
 * Trevor executes code that it receives: access to its port is full control of the session's machine.
 */
import type { Json, JsonObject } from "../core/json.ts";
import type { KeepaliveOptions, LinkPhase } from "../core/link.ts";
import {
  busIdOf,
  type CommandName,
  type CommandParams,
  type CommandReply,
  createTrevor,
  handleTrevorLink,
  neuronPath,
  nextTrevorWakeup,
  proxyOf,
  type Scaling,
  type SessionState,
  startTrevor,
  stopTrevor,
  submitCommand,
  tickTrevor,
  type TrevorMachine,
  type TrevorUpdate,
} from "../services/nallely/mod.ts";
import { type DriverOptions, LINK_DEFAULTS, SocketDriver } from "../websocket-client/socket-driver.ts";
import { ClosedError, RefusedError, TrevorError } from "./nallely-error.ts";
import { type IterateOptions, Stream, type ValueIterator, type ValueListener } from "./value-stream.ts";
import { type WaitOptions, waitUntil } from "./wait-until.ts";

/** The address of Trevor, timeouts, and the connection's options. */
export interface TrevorOptions extends DriverOptions {
  /** The address of Trevor. Default: `ws://127.0.0.1:6788`. */
  readonly url?: string;
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  readonly dialTimeoutMs?: number;
  /** Detection of a connection that died without a close. Default: after 30 s without a message, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off";
  /** From the call of a command to its end. Default: 20 s. */
  readonly timeoutMs?: number;
  /** Closes the client. */
  readonly signal?: AbortSignal;
}

/** A change of the link, or a message of Trevor that is not a reply. */
export type TrevorEvent = Exclude<TrevorUpdate, { is: "answered" | "failed" }>;

/** Counts since the client was opened. */
export interface TrevorMetrics {
  readonly answered: number;
  readonly failed: number;
  readonly unreadable: number;
  readonly reconnects: number;
  /** Duration of the last round trip, from a command to the answer to its fence. */
  readonly fenceMs: number;
}

/** The address of a session's Trevor by default. */
export const TREVOR_URL = "ws://127.0.0.1:6788";
const COMMAND_MS = 20_000;

interface PendingCommand {
  readonly command: CommandName;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** Parameters are optional where a command requires none. */
type Args<C extends CommandName> = Record<never, never> extends CommandParams<C> ? [params?: CommandParams<C>]
  : [params: CommandParams<C>];

/** A client of Trevor: typed commands with their replies, and the session's state. Created by `Trevor.open`. */
export class Trevor implements AsyncDisposable {
  readonly #machine: TrevorMachine;
  readonly #driver: SocketDriver;
  readonly #timeoutMs: number;
  readonly #events = new Stream<TrevorEvent>((error) => console.error(error));
  readonly #states = new Stream<SessionState>((error) => console.error(error));
  readonly #pending = new Map<string, PendingCommand>();

  /** Dials Trevor. Commands that are called before the link is open wait. */
  static open(options: TrevorOptions = {}): Trevor {
    const trevor = new Trevor(options);
    trevor.retry();
    const close = () => void trevor.close();
    if (options.signal?.aborted === true) close();
    options.signal?.addEventListener("abort", close, { once: true });
    return trevor;
  }

  private constructor(options: TrevorOptions) {
    const { url = TREVOR_URL, backoff = LINK_DEFAULTS.backoff, dialTimeoutMs = LINK_DEFAULTS.dialTimeoutMs } = options;
    this.#timeoutMs = options.timeoutMs ?? COMMAND_MS;
    this.#machine = createTrevor({ url, backoff, dialTimeoutMs, keepalive: options.keepalive });
    this.#driver = new SocketDriver({
      handle: (event, ctx) => this.#emit(handleTrevorLink(this.#machine, event, ctx)),
      tick: (ctx) => this.#emit(tickTrevor(this.#machine, ctx)),
      nextWakeup: () => nextTrevorWakeup(this.#machine),
    }, options);
  }

  get linkState(): LinkPhase {
    return this.#machine.link.state.is;
  }

  /** The last state that arrived, for any client; undefined while there is no connection. */
  get state(): SessionState | undefined {
    return this.#machine.state;
  }

  /** The id of the bus in that state; undefined while the session has no bus, and while there is no connection. */
  get busId(): number | undefined {
    return this.#machine.busId;
  }

  get metrics(): TrevorMetrics {
    const { openings, ...counts } = this.#machine.counts;
    return { ...counts, reconnects: Math.max(0, openings - 1) };
  }

  /**
   * Sends a command and resolves with its reply. Rejects with a `RefusedError` before anything is sent, or with a `TrevorError` whose
   * `failure` says how the command ended. Commands run one after the other, across reconnects.
   */
  call<C extends CommandName>(command: C, ...[params]: Args<C>): Promise<CommandReply<C>> {
    if (this.linkState === "idle") return Promise.reject(new ClosedError("the client is closed"));
    const ctx = this.#driver.begin();
    const id = ctx.id();
    const sent = { ...params } as JsonObject; // Why: the parameters of every command are JSON.
    const broken = submitCommand(
      this.#machine,
      { id, name: command, params: sent, deadline: ctx.now + this.#timeoutMs },
      ctx,
    );
    if (broken !== undefined) return Promise.reject(new RefusedError(broken));
    const reply = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { command, resolve, reject }));
    this.#driver.settle();
    return reply as Promise<CommandReply<C>>; // Why: `COMMANDS` and `Commands` describe the same replies.
  }

  /** Resolves with the first state that fulfils the predicate: the current one, or a later one. Never with one of a lost connection. */
  waitFor(predicate: (state: SessionState) => boolean, options: WaitOptions = {}): Promise<SessionState> {
    const { state } = this;
    if (state !== undefined && predicate(state)) return Promise.resolve(state);
    if (this.linkState === "idle") return Promise.reject(new ClosedError("the client is closed"));
    return waitUntil<SessionState>(this.#driver, options, ({ resolve, reject }) => {
      const ends = [
        this.#states.listen((next) => {
          if (predicate(next)) resolve(next);
        }),
        this.#events.listen((event) => {
          if (event.is === "closed") reject(new ClosedError("the client was closed"));
        }),
      ];
      return () => ends.forEach((end) => end());
    });
  }

  /** Resolves with the first state, which Trevor sends without a request. */
  ready(options: WaitOptions = {}): Promise<SessionState> {
    return this.waitFor(() => true, options);
  }

  onEvent(listener: ValueListener<TrevorEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The states that arrive from now on. A slow reader gets the latest one. */
  states(options: IterateOptions = {}): ValueIterator<SessionState> {
    return this.#states.iterate(options);
  }

  /** The path of an external neuron's parameter on the current bus. */
  async pathOf(neuron: string, parameter: string, options: WaitOptions = {}): Promise<string> {
    const state = await this.waitFor((state) => busIdOf(state) !== undefined, options);
    return neuronPath(busIdOf(state) ?? 0, neuron, parameter);
  }

  /** Connects one parameter to another. */
  connect(source: string, target: string, scaling: Scaling = true): Promise<SessionState> {
    return this.call("associate_parameters", {
      from_parameter: source,
      to_parameter: target,
      unbind: false,
      with_scaler: scaling,
    });
  }

  /** Removes a connection. */
  disconnect(source: string, target: string): Promise<SessionState> {
    return this.call("associate_parameters", { from_parameter: source, to_parameter: target, unbind: true });
  }

  /** Sets a parameter of a virtual device by its name. */
  set(device: number, parameter: string, value: Json): Promise<SessionState> {
    return this.call("set_virtual_value", { device_id: device, parameter, value });
  }

  /** Resets the session. Resolves with the session's state once it has a bus again. */
  async resetAll(options: WaitOptions = {}): Promise<SessionState> {
    const before = this.busId;
    await this.call("reset_all");
    return await this.waitFor((state) => ![undefined, before].includes(busIdOf(state)), {
      timeoutMs: this.#timeoutMs,
      ...options,
    });
  }

  /** Removes an external neuron from the session. True if the session no longer lists it. Close the neuron first, or it reconnects. */
  async unregister(neuron: string): Promise<boolean> {
    const bus = busIdOf(await this.waitFor((state) => busIdOf(state) !== undefined, { timeoutMs: this.#timeoutMs }));
    const state = await this.call("unregister_service", { bus_id: bus ?? 0, service_name: neuron });
    return proxyOf(state, neuron) === undefined;
  }

  /** Dials now instead of at the end of the wait. Also opens a closed client again. */
  retry(): void {
    this.#emit(startTrevor(this.#machine, this.#driver.begin()));
    this.#driver.settle();
  }

  /** Closes the socket. Commands that have not ended are rejected. */
  close(): Promise<void> {
    this.#emit(stopTrevor(this.#machine, this.#driver.begin()));
    this.#driver.settle();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #emit(updates: readonly TrevorUpdate[]): void {
    for (const update of updates) {
      if (update.is === "answered") this.#takePending(update.id)?.resolve(update.reply);
      else if (update.is === "failed") {
        const pending = this.#takePending(update.id);
        pending?.reject(new TrevorError(pending.command, update));
      } else {
        if (update.is === "state") this.#states.emit(update.state);
        this.#events.emit(update);
      }
    }
  }

  #takePending(id: string): PendingCommand | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}
