/**
 * The control protocol of a Nallely session, for a program of its own: on Bun, Deno, Workers, Node and in the browser.
 *
 * ```ts
 * await using trevor = Trevor.open();
 * const state = await trevor.call("create_device", { name: "LFO" });
 * const [lfo] = devicesOf(state, "LFO");
 * await trevor.connect(devicePath(lfo.id, "output_cv"), await trevor.pathOf("synth", "gain"));
 * ```
 *
 * Trevor runs code that it is given. Whoever reaches its port owns the session's machine.
 */
import {
  ask,
  busIdOf,
  type CommandName,
  type Gives,
  neuronPath,
  nextTrevorWakeup,
  proxyOf,
  type Scaling,
  type SessionState,
  startTrevor,
  stopTrevor,
  type Takes,
  tickTrevor,
  type TrevorMachine,
  trevorMachine,
  type TrevorNews,
  trevorStep,
} from "../services/nallely/mod.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { Driver, type DriverOptions } from "./nallely-driver.ts";
import { ClosedError, RefusedError, TrevorError } from "./nallely-error.ts";
import { type IterateOptions, type Listener, Stream, type ValueIterator } from "./nallely-stream.ts";
import { type WaitOptions, waitUntil } from "./nallely-wait.ts";
import { LINK_DEFAULTS } from "./neuron.ts";

/** Where Trevor is, how long to wait for it, and what the driver is lent. */
export interface TrevorOptions extends DriverOptions {
  /** `ws://127.0.0.1:6788` when absent. */
  readonly url?: string;
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  readonly dialTimeoutMs?: number;
  /** For each command, from its call to its end; 20 s when absent. */
  readonly timeoutMs?: number;
  /** Closes the client. */
  readonly signal?: AbortSignal;
}

/** What Trevor says that is no answer. */
export type TrevorEvent = Exclude<TrevorNews, { is: "answered" | "failed" }>;

/** What became of commands, and of the link, since the client was opened. */
export interface TrevorMetrics {
  readonly answered: number;
  readonly failed: number;
  readonly unreadable: number;
  readonly reconnects: number;
  /** From the last command to its fence: what a round trip costs now. */
  readonly fenceMs: number;
}

/** Where a session has its Trevor, unless it was told otherwise. */
export const TREVOR_URL = "ws://127.0.0.1:6788";
const COMMAND_MS = 20_000;

interface Call {
  readonly command: CommandName;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** Parameters may be left out where a command needs none. */
type Args<C extends CommandName> = Record<never, never> extends Takes<C> ? [params?: Takes<C>] : [params: Takes<C>];

/** A client of Trevor: typed commands with their replies, and the session's state. Made by `Trevor.open`. */
export class Trevor implements AsyncDisposable {
  readonly #machine: TrevorMachine;
  readonly #driver: Driver;
  readonly #timeoutMs: number;
  readonly #events = new Stream<TrevorEvent>((error) => console.error(error));
  readonly #states = new Stream<SessionState>((error) => console.error(error));
  readonly #calls = new Map<string, Call>();

  /** Dials Trevor; calls made before it answers wait. */
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
    this.#machine = trevorMachine({ url, backoff, dialTimeoutMs });
    this.#driver = new Driver({
      event: (event, ctx) => this.#tell(trevorStep(this.#machine, event, ctx)),
      tick: (ctx) => this.#tell(tickTrevor(this.#machine, ctx)),
      nextWakeup: () => nextTrevorWakeup(this.#machine),
    }, options);
  }

  get linkState(): "idle" | "dialing" | "open" | "waiting" {
    return this.#machine.link.state;
  }

  /** The last state that came, whoever asked for it; undefined before the first. */
  get state(): SessionState | undefined {
    return this.#machine.state;
  }

  /** The id of the bus, followed over resets; undefined while there is none. */
  get busId(): number | undefined {
    return this.#machine.busId;
  }

  get metrics(): TrevorMetrics {
    const { openings, ...counts } = this.#machine.counts;
    return { ...counts, reconnects: Math.max(0, openings - 1) };
  }

  /**
   * One command, and its reply. Rejects with a `RefusedError` before the wire, or with a `TrevorError`: `refused` when Trevor failed
   * at it, `lost` when it may have been done, `late`, or `closed`. Commands run one after the other, also over reconnects.
   */
  call<C extends CommandName>(command: C, ...[params]: Args<C>): Promise<Gives<C>> {
    if (this.linkState === "idle") return Promise.reject(new ClosedError("the client is closed"));
    const ctx = this.#driver.begin();
    const id = ctx.id();
    const sent = { ...params } as JsonObject; // Why: what every command takes is JSON.
    const refused = ask(this.#machine, { id, name: command, params: sent, deadline: ctx.now + this.#timeoutMs }, ctx);
    if (refused !== undefined) return Promise.reject(new RefusedError(refused));
    const reply = new Promise<unknown>((resolve, reject) => this.#calls.set(id, { command, resolve, reject }));
    this.#driver.settle();
    return reply as Promise<Gives<C>>; // Why: `COMMANDS` and `Commands` describe the same replies.
  }

  /** Resolves with the first state that fulfils the predicate: the present one, or one that comes. */
  waitFor(predicate: (state: SessionState) => boolean, options: WaitOptions = {}): Promise<SessionState> {
    const { state } = this;
    if (state !== undefined && predicate(state)) return Promise.resolve(state);
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

  /** Resolves with the first state, which Trevor sends unasked. */
  ready(options: WaitOptions = {}): Promise<SessionState> {
    return this.waitFor(() => true, options);
  }

  onEvent(listener: Listener<TrevorEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** Every state that comes, from now on; a reader that is too slow gets the latest. */
  states(options: IterateOptions = {}): ValueIterator<SessionState> {
    return this.#states.iterate(options);
  }

  /** The path of a parameter of an external neuron, on the bus as it is now. */
  async pathOf(neuron: string, parameter: string, options: WaitOptions = {}): Promise<string> {
    const state = await this.waitFor((state) => busIdOf(state) !== undefined, options);
    return neuronPath(busIdOf(state) ?? 0, neuron, parameter);
  }

  /** Wires one parameter to another. */
  connect(source: string, target: string, scaling: Scaling = true): Promise<SessionState> {
    return this.call("associate_parameters", {
      from_parameter: source,
      to_parameter: target,
      unbind: false,
      with_scaler: scaling,
    });
  }

  /** Takes a wire away again. */
  disconnect(source: string, target: string): Promise<SessionState> {
    return this.call("associate_parameters", { from_parameter: source, to_parameter: target, unbind: true });
  }

  /** Sets a parameter of a virtual device by its plain name. */
  set(device: number, parameter: string, value: Json): Promise<SessionState> {
    return this.call("set_virtual_value", { device_id: device, parameter, value });
  }

  /** Empties the session, and resolves with its state once it has a bus again. */
  async resetAll(options: WaitOptions = {}): Promise<SessionState> {
    const before = this.busId;
    await this.call("reset_all");
    return await this.waitFor((state) => ![undefined, before].includes(busIdOf(state)), {
      timeoutMs: this.#timeoutMs,
      ...options,
    });
  }

  /** Takes an external neuron out of the session. True when it is gone. Close the neuron first, or it comes back. */
  async unregister(neuron: string): Promise<boolean> {
    const bus = busIdOf(await this.waitFor((state) => busIdOf(state) !== undefined, { timeoutMs: this.#timeoutMs }));
    const state = await this.call("unregister_service", { bus_id: bus ?? 0, service_name: neuron });
    return proxyOf(state, neuron) === undefined;
  }

  /** Dials now, instead of at the end of the wait; also opens a closed client again. */
  retry(): void {
    this.#tell(startTrevor(this.#machine, this.#driver.begin()));
    this.#driver.settle();
  }

  /** Closes the socket; calls that wait are rejected. */
  close(): Promise<void> {
    this.#tell(stopTrevor(this.#machine, this.#driver.begin()));
    this.#driver.settle();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(news: readonly TrevorNews[]): void {
    for (const one of news) {
      if (one.is === "answered") this.#end(one.id)?.resolve(one.reply);
      else if (one.is === "failed") {
        const call = this.#end(one.id);
        call?.reject(new TrevorError(call.command, one));
      } else {
        if (one.is === "state") this.#states.emit(one.state);
        this.#events.emit(one);
      }
    }
  }

  #end(id: string): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}
