/**
 * An external neuron of a Nallely session. Runs on Bun, Deno, Workers, Node and in browsers.
 *
 * ```ts
 * await using synth = Neuron.open({
 *   name: "synth",
 *   parameters: { note: { direction: "out", range: [0, 127] }, gain: { direction: "in", range: [0, 1] } },
 * });
 * synth.on("gain", (gain) => setGain(gain));
 * await synth.ready();
 * synth.send("note", 60);
 * ```
 */
import type { StepContext } from "../core/context.ts";
import type { LinkEvent } from "../core/event.ts";
import { linkId } from "../core/ids.ts";
import type { KeepaliveOptions, LinkPhase } from "../core/link.ts";
import {
  addParameters,
  createNeuron,
  type Declaration,
  type Drift,
  driftOf,
  flushAll,
  handleNeuronFrame,
  handleNeuronLink,
  isNeuronStopped,
  isViolation,
  type NeuronDeclaration,
  type NeuronMachine,
  type NeuronUpdate,
  nextNeuronWakeup,
  readDeclaration,
  sendValue,
  startNeuron,
  stopNeuron,
  tickNeuron,
  waitingCount,
} from "../services/nallely/mod.ts";
import { type DriverOptions, LINK_DEFAULTS, SocketDriver } from "../websocket-client/socket-driver.ts";
import { ClosedError, RefusedError } from "./nallely-error.ts";
import type { Trevor } from "./trevor.ts";
import { type IterateOptions, Stream, type ValueIterator, type ValueListener } from "./value-stream.ts";
import { type WaitOptions, waitUntil } from "./wait-until.ts";

/** A neuron's name. A name to which the bus could not deliver is a type error. */
export type NeuronName<N extends string> = string extends N ? N
  : N extends "" | `${string}${"_" | "/" | "?" | "#"}${string}` ? never
  : N;
/** Names of the parameters that a program may listen to. */
export type InputOf<D extends Declaration> = {
  [P in keyof D & string]: D[P] extends { readonly direction: "out" } ? never : P;
}[keyof D & string];
/** Names of the parameters that a program may send. */
export type OutputOf<D extends Declaration> = {
  [P in keyof D & string]: D[P] extends { readonly direction: "in" } ? never : P;
}[keyof D & string];

/** A declaration, the address of the bus, and the connection's options. */
export interface NeuronSettings<D extends Declaration> extends NeuronDeclaration<D>, DriverOptions {
  /** The address of the bus. Default: `ws://127.0.0.1:6789`. */
  readonly url?: string;
  /** Between attempts, with full jitter. Default: from 250 ms up to 2 s. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** Default: 5 s. */
  readonly dialTimeoutMs?: number;
  /** Detection of a connection that died without a close. Default: after 30 s without a value, within 10 s. */
  readonly keepalive?: KeepaliveOptions | "off";
  /** Closes the neuron. */
  readonly signal?: AbortSignal;
}
/** The options of `Neuron.open`. */
export interface NeuronOptions<D extends Declaration, N extends string = string> extends NeuronSettings<D> {
  readonly name: N & NeuronName<N>;
}

/** A change of the neuron's link, or an error of one of the program's listeners. */
export type NeuronEvent = NeuronUpdate | { readonly is: "listenerFailed"; readonly error: unknown };

/** Counts since the neuron was opened. */
export interface NeuronMetrics {
  readonly sent: number;
  readonly merged: number;
  readonly dropped: number;
  readonly resent: number;
  readonly refused: number;
  /** Values that wait for their time or for the bus. */
  readonly waiting: number;
  readonly received: number;
  readonly malformed: number;
  readonly unknown: number;
  readonly nonFinite: number;
  readonly reconnects: number;
}

/** The address of a session's bus by default. */
export const BUS_URL = "ws://127.0.0.1:6789";
/** How long `close` waits for an attempt that has still to register. */
const CLOSE_MS = 5_000;

/** An external neuron: registers on the bus, reconnects, sends and receives values. Created by `Neuron.open`. */
export class Neuron<D extends Declaration = Declaration> implements AsyncDisposable {
  readonly name: string;
  readonly #machine: NeuronMachine;
  readonly #driver: SocketDriver;
  readonly #options: DriverOptions;
  readonly #url: string;
  readonly #streams = new Map<string, Stream<number>>();
  readonly #any: Stream<string>;
  readonly #events: Stream<NeuronEvent>;
  #onStopped: (() => void) | undefined;

  /** Declares a neuron and dials its bus. Throws a `RefusedError` if the declaration breaks a rule. */
  static open<const D extends Declaration, const N extends string>(options: NeuronOptions<D, N>): Neuron<D> {
    const neuron = new Neuron<D>(options);
    neuron.retry();
    const close = () => void neuron.close();
    if (options.signal?.aborted === true) close();
    options.signal?.addEventListener("abort", close, { once: true });
    return neuron;
  }

  private constructor(options: NeuronSettings<D>) {
    const spec = readDeclaration(options);
    if (isViolation(spec)) throw new RefusedError(spec);
    const { url = BUS_URL, backoff = LINK_DEFAULTS.backoff, dialTimeoutMs = LINK_DEFAULTS.dialTimeoutMs } = options;
    this.name = spec.name;
    this.#options = options;
    this.#url = url;
    this.#events = new Stream((error) => console.error(error));
    const onFailure = (error: unknown) => {
      if (this.#events.hasListeners) this.#events.emit({ is: "listenerFailed", error });
      else console.error(error);
    };
    this.#any = new Stream(onFailure);
    this.#machine = createNeuron(spec, { url, backoff, dialTimeoutMs, keepalive: options.keepalive });
    for (const input of this.#machine.inputs.keys()) this.#streams.set(input, new Stream(onFailure));
    this.#driver = new SocketDriver({
      handle: (event, ctx) => this.#handle(event, ctx),
      tick: (ctx) => this.#emit(tickNeuron(this.#machine, ctx)),
      nextWakeup: () => nextNeuronWakeup(this.#machine),
    }, options);
  }

  /** The state of the link. `open`: the registration was sent. */
  get state(): LinkPhase {
    return this.#machine.link.state.is;
  }

  get metrics(): NeuronMetrics {
    const { outputs, counts, openings, refused } = this.#machine;
    return {
      ...outputs.counts,
      ...counts,
      refused,
      waiting: waitingCount(outputs),
      reconnects: Math.max(0, openings - 1),
    };
  }

  /**
   * Sends a value at once, or the latest one as soon as the rate allows, or as `whileOffline` says. Throws a `RefusedError` if the value
   * breaks a rule.
   */
  send(parameter: OutputOf<D>, value: number): void {
    const broken = sendValue(this.#machine, { name: parameter, value }, this.#driver.begin());
    if (broken !== undefined) throw new RefusedError(broken);
    this.#driver.settle();
  }

  /** Sends all pending values now, regardless of the rate. */
  flush(): void {
    flushAll(this.#machine.outputs, this.#driver.begin());
    this.#driver.settle();
  }

  /** Calls the listener with each value that arrives. Returns a function that ends this. */
  on(parameter: InputOf<D>, listener: ValueListener<number>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#streamOf(parameter).listen(listener, options.signal);
  }

  /** The values that arrive from now on. A slow reader gets the latest one, or the last `keep`. */
  values(parameter: InputOf<D>, options: IterateOptions = {}): ValueIterator<number> {
    return this.#streamOf(parameter).iterate(options);
  }

  /** The last value that arrived; undefined before the first. */
  latest(parameter: InputOf<D>): number | undefined {
    return this.#machine.inputs.get(parameter)?.latest;
  }

  /** The latest value of each parameter that changed, at most once in `everyMs`. For drawing. */
  batches({ everyMs = 16, signal }: { readonly everyMs?: number; readonly signal?: AbortSignal } = {}): ValueIterator<
    ReadonlyMap<InputOf<D>, number>
  > {
    const batches = new Stream<ReadonlyMap<InputOf<D>, number>>((error) => console.error(error));
    let batch = new Map<InputOf<D>, number>();
    const emit = () => {
      const full = batch;
      batch = new Map();
      if (batches.hasListeners) batches.emit(full);
      else end();
    };
    const end = this.#any.listen((name) => {
      if (batch.size === 0) this.#driver.later(everyMs, emit);
      const parameter = name as InputOf<D>; // Why: only declared inputs are emitted.
      batch.set(parameter, this.latest(parameter) ?? 0);
    }, signal);
    return batches.iterate({ signal });
  }

  /** Calls the listener at each event of the link. */
  onEvent(listener: ValueListener<NeuronEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The events of the link from now on. */
  events(options: IterateOptions = {}): ValueIterator<NeuronEvent> {
    return this.#events.iterate({ keep: 64, ...options });
  }

  /** Resolves once the registration was sent on an open socket. The bus confirms nothing. */
  ready(options: WaitOptions = {}): Promise<void> {
    if (this.state === "open") return Promise.resolve();
    if (this.state === "idle") return Promise.reject(new ClosedError(`${this.name} is closed`));
    return waitUntil<void>(this.#driver, options, ({ resolve, reject }) =>
      this.#events.listen((event) => {
        if (event.is === "open") resolve();
        if (event.is === "closed") reject(new ClosedError(`${this.name} was closed`));
      }));
  }

  /** Dials now instead of at the end of the wait. Also opens a closed neuron again. */
  retry(): void {
    this.#emit(startNeuron(this.#machine, this.#driver.begin()));
    this.#driver.settle();
  }

  /** The differences between the session's registration of this neuron and its declaration. */
  async drift(trevor: Trevor): Promise<Drift> {
    return driftOf(await trevor.call("full_state"), this.#machine.spec);
  }

  /** Adds the parameters that the session does not know. Returns the remaining differences. */
  async repair(trevor: Trevor, { signal, timeoutMs = CLOSE_MS }: WaitOptions = {}): Promise<Drift> {
    const { spec } = this.#machine;
    const before = await this.drift(trevor);
    if (!before.isListed || before.missing.length === 0) return before;
    const broken = addParameters(this.#machine, before.missing, this.#driver.begin());
    if (broken !== undefined) throw new RefusedError(broken);
    this.#driver.settle();
    const after = await trevor.waitFor((state) => driftOf(state, spec).missing.length === 0, { signal, timeoutMs });
    return driftOf(after, spec);
  }

  /** Closes the socket. Parameters and wiring stay in the session until the name is registered again. */
  async close(): Promise<void> {
    this.#emit(stopNeuron(this.#machine, this.#driver.begin()));
    this.#driver.settle();
    if (isNeuronStopped(this.#machine)) return;
    // Why: a pending attempt must register before it closes, or the name is poisoned until the session is reset.
    await waitUntil<void>(this.#driver, {}, ({ resolve }) => {
      this.#onStopped = resolve;
      return this.#driver.later(CLOSE_MS, resolve);
    });
  }

  /**
   * Closes the neuron and removes its parameters and wiring from the session. With a Trevor client, resolves with true if the session no
   * longer lists the neuron. Without one, the outcome is unknown, because the bus answers the same in every case.
   */
  async unregister(trevor?: Trevor): Promise<boolean | undefined> {
    await this.close(); // Why first: an open neuron would reconnect at once and reappear without its wiring.
    if (trevor !== undefined) return await trevor.unregister(this.name);
    await unregisterByPath(this.#url, this.name, this.#options);
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #handle(event: LinkEvent, ctx: StepContext): void {
    if (event.is !== "received") {
      this.#emit(handleNeuronLink(this.#machine, event, ctx));
      if (isNeuronStopped(this.#machine)) this.#onStopped?.();
      return;
    }
    const input = handleNeuronFrame(this.#machine, event, ctx);
    if (input?.latest === undefined) return;
    const { name } = input.spec;
    this.#streams.get(name)?.emit(input.latest);
    if (this.#any.hasListeners) this.#any.emit(name);
  }

  #emit(update: NeuronUpdate | undefined): void {
    if (update !== undefined) this.#events.emit(update);
  }

  #streamOf(parameter: string): Stream<number> {
    const stream = this.#streams.get(parameter);
    if (stream !== undefined) return stream;
    throw new RefusedError({ rule: "parameter-unknown", reason: `${this.name} declares no input ${parameter}` });
  }
}

const UNREGISTER = linkId("nallely:unregister:1");

/** Removes a neuron from the session by the bus's own path. Resolves when the bus has closed the socket. */
export function unregisterByPath(url: string, name: string, options: DriverOptions & WaitOptions = {}): Promise<void> {
  let onDropped = () => {};
  const driver = new SocketDriver({
    handle: (event) => {
      if (event.is === "dropped") onDropped();
    },
    tick: () => {},
    nextWakeup: () => undefined,
  }, options);
  return waitUntil<void>(driver, { timeoutMs: CLOSE_MS, ...options }, ({ resolve }) => {
    onDropped = resolve;
    driver.begin().emit({ do: "dial", link: UNREGISTER, url: `${url.replace(/\/+$/, "")}/${name}/unregister` });
    return () => driver.emit({ do: "closeLink", link: UNREGISTER });
  });
}
