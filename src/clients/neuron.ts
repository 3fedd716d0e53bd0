/**
 * An external neuron of a Nallely session, for a program of its own: on Bun, Deno, Workers, Node and in the browser.
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
import {
  type Declaration,
  type Drift,
  driftOf,
  flushAll,
  isOpenOn,
  isRefusal,
  isStopped,
  linkStep,
  type NeuronDeclaration,
  type NeuronMachine,
  neuronMachine,
  type NeuronNews,
  nextWakeup,
  readDeclaration,
  receive,
  repair,
  send,
  start,
  stop,
  tick,
  waitingCount,
} from "../services/nallely/mod.ts";
import type { LinkEvent } from "../core/event.ts";
import { linkId } from "../core/ids.ts";
import type { StepContext } from "../core/context.ts";
import { Driver, type DriverOptions } from "./nallely-driver.ts";
import { ClosedError, RefusedError } from "./nallely-error.ts";
import { type IterateOptions, type Listener, Stream, type ValueIterator } from "./nallely-stream.ts";
import { type WaitOptions, waitUntil } from "./nallely-wait.ts";
import type { Trevor } from "./trevor.ts";

/** Refuses at compile time what the bus could not deliver to. */
export type NeuronName<N extends string> = string extends N ? N
  : N extends "" | `${string}${"_" | "/" | "?" | "#"}${string}` ? never
  : N;
/** Names of the parameters that may be listened to. */
export type InputOf<D extends Declaration> = {
  [P in keyof D & string]: D[P] extends { readonly direction: "out" } ? never : P;
}[keyof D & string];
/** Names of the parameters that may be sent. */
export type OutputOf<D extends Declaration> = {
  [P in keyof D & string]: D[P] extends { readonly direction: "in" } ? never : P;
}[keyof D & string];

/** A declaration, where its bus is, and what the driver is lent. */
export interface NeuronSettings<D extends Declaration> extends NeuronDeclaration<D>, DriverOptions {
  /** Of the bus; `ws://127.0.0.1:6789` when absent. */
  readonly url?: string;
  /** Between attempts, with full jitter; from 250 ms up to 2 s when absent. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** 5 s when absent. */
  readonly dialTimeoutMs?: number;
  /** Closes the neuron. */
  readonly signal?: AbortSignal;
}
/** What `Neuron.open` takes; a name that the bus could not deliver to is a type error. */
export interface NeuronOptions<D extends Declaration, N extends string = string> extends NeuronSettings<D> {
  readonly name: N & NeuronName<N>;
}

/** What a neuron says of itself. */
export type NeuronEvent = NeuronNews | { readonly is: "listenerFailed"; readonly error: unknown };

/** What happened to the values of a neuron, and to its link, since it was opened. */
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

/** Where a session has its bus, unless it was told otherwise. */
export const BUS_URL = "ws://127.0.0.1:6789";
export const LINK_DEFAULTS = { backoff: { baseMs: 250, capMs: 2_000 }, dialTimeoutMs: 5_000 } as const;
/** How long closing waits for an attempt that has still to register. */
const CLOSE_MS = 5_000;

/** An external neuron: dials, registers, comes back, sends and listens. Made by `Neuron.open`. */
export class Neuron<D extends Declaration = Declaration> implements AsyncDisposable {
  readonly name: string;
  readonly #machine: NeuronMachine;
  readonly #driver: Driver;
  readonly #options: DriverOptions;
  readonly #url: string;
  readonly #streams = new Map<string, Stream<number>>();
  readonly #any: Stream<string>;
  readonly #events: Stream<NeuronEvent>;
  #onStopped: (() => void) | undefined;

  /** Declares a neuron and dials its bus. Throws a `RefusedError` when the declaration breaks a rule. */
  static open<const D extends Declaration, const N extends string>(options: NeuronOptions<D, N>): Neuron<D> {
    const neuron = new Neuron<D>(options);
    neuron.retry();
    const close = () => void neuron.close();
    if (options.signal?.aborted === true) close();
    options.signal?.addEventListener("abort", close, { once: true });
    return neuron;
  }

  private constructor(options: NeuronSettings<D>) {
    const plan = readDeclaration(options);
    if (isRefusal(plan)) throw new RefusedError(plan);
    const { url = BUS_URL, backoff = LINK_DEFAULTS.backoff, dialTimeoutMs = LINK_DEFAULTS.dialTimeoutMs } = options;
    this.name = plan.name;
    this.#options = options;
    this.#url = url;
    this.#events = new Stream((error) => console.error(error));
    const onFailure = (error: unknown) => {
      if (this.#events.hasListeners) this.#events.emit({ is: "listenerFailed", error });
      else console.error(error);
    };
    this.#any = new Stream(onFailure);
    this.#machine = neuronMachine(plan, { url, backoff, dialTimeoutMs });
    for (const input of this.#machine.inputs.keys()) this.#streams.set(input, new Stream(onFailure));
    this.#driver = new Driver({
      event: (event, ctx) => this.#handle(event, ctx),
      tick: (ctx) => this.#tell(tick(this.#machine, ctx)),
      nextWakeup: () => nextWakeup(this.#machine),
    }, options);
  }

  /** Where the link is in its life. `open`: the registration was sent. */
  get state(): "idle" | "dialing" | "open" | "waiting" {
    return this.#machine.link.state;
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
   * Sends a value: at once, or merged into the latest as soon as the ceiling allows, or as `whileAway` says. Throws a `RefusedError`
   * when it breaks a rule.
   */
  send(parameter: OutputOf<D>, value: number): void {
    const refused = send(this.#machine, { name: parameter, value }, this.#driver.begin());
    if (refused !== undefined) throw new RefusedError(refused);
    this.#driver.settle();
  }

  /** Sends what waits for its time now, ceiling or not. */
  flush(): void {
    flushAll(this.#machine.outputs, this.#driver.begin());
    this.#driver.settle();
  }

  /** Calls the listener with each value that arrives, until what it returns is called. */
  on(parameter: InputOf<D>, listener: Listener<number>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#streamOf(parameter).listen(listener, options.signal);
  }

  /** The values that arrive from now on. A reader that is too slow gets the latest, or the last `keep`. */
  values(parameter: InputOf<D>, options: IterateOptions = {}): ValueIterator<number> {
    return this.#streamOf(parameter).iterate(options);
  }

  /** The last value that arrived; undefined before the first. */
  latest(parameter: InputOf<D>): number | undefined {
    const input = this.#machine.inputs.get(parameter);
    return input?.hasValue === true ? input.value : undefined;
  }

  /** The latest value of each parameter that changed, at most once in `everyMs`: for what is drawn. */
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
      const parameter = name as InputOf<D>; // Why: only declared inputs are told.
      batch.set(parameter, this.latest(parameter) ?? 0);
    }, signal);
    return batches.iterate({ signal });
  }

  /** Calls the listener at each change of the link. */
  onEvent(listener: Listener<NeuronEvent>, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.listen(listener, options.signal);
  }

  /** The changes of the link, from now on. */
  events(options: IterateOptions = {}): ValueIterator<NeuronEvent> {
    return this.#events.iterate({ keep: 64, ...options });
  }

  /** Resolves once the registration has been sent on an open socket; the bus itself confirms nothing. */
  ready(options: WaitOptions = {}): Promise<void> {
    if (this.state === "open") return Promise.resolve();
    if (this.state === "idle") return Promise.reject(new ClosedError(`${this.name} is closed`));
    return waitUntil<void>(this.#driver, options, ({ resolve, reject }) =>
      this.#events.listen((event) => {
        if (event.is === "open") resolve();
        if (event.is === "closed") reject(new ClosedError(`${this.name} was closed`));
      }));
  }

  /** Dials now, instead of at the end of the wait; also opens a closed neuron again. */
  retry(): void {
    this.#tell(start(this.#machine, this.#driver.begin()));
    this.#driver.settle();
  }

  /** How the session's idea of this neuron differs from its declaration. */
  async drift(trevor: Trevor): Promise<Drift> {
    return driftOf(await trevor.call("full_state"), this.#machine.plan);
  }

  /** Adds what the session does not know of this neuron, and returns what differs afterwards. */
  async repair(trevor: Trevor, { signal, timeoutMs = CLOSE_MS }: WaitOptions = {}): Promise<Drift> {
    const { plan } = this.#machine;
    const before = await this.drift(trevor);
    if (!before.isListed || before.missing.length === 0) return before;
    const refused = repair(this.#machine, before.missing, this.#driver.begin());
    if (refused !== undefined) throw new RefusedError(refused);
    this.#driver.settle();
    const after = await trevor.waitFor((state) => driftOf(state, plan).missing.length === 0, { signal, timeoutMs });
    return driftOf(after, plan);
  }

  /** Closes the socket. Parameters and wiring stay in the session, for whoever registers the name again. */
  async close(): Promise<void> {
    this.#tell(stop(this.#machine, this.#driver.begin()));
    this.#driver.settle();
    if (isStopped(this.#machine)) return;
    // Why: an attempt on its way must register before it closes, or its name is lost until the session is reset.
    await waitUntil<void>(this.#driver, {}, ({ resolve }) => {
      this.#onStopped = resolve;
      return this.#driver.later(CLOSE_MS, resolve);
    });
  }

  /**
   * Closes, and takes parameters and wiring out of the session. With a Trevor client the outcome is known: true when the session
   * no longer lists the neuron. Without, the bus answers the same whatever it did.
   */
  async unregister(trevor?: Trevor): Promise<boolean | undefined> {
    await this.close(); // Why first: a neuron that still reconnects would be back a moment later, without its wiring.
    if (trevor !== undefined) return await trevor.unregister(this.name);
    await unregisterByPath(this.#url, this.name, this.#options);
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #handle(event: LinkEvent, ctx: StepContext): void {
    if (event.is !== "received" || !isOpenOn(this.#machine, event.link)) {
      this.#tell(linkStep(this.#machine, event, ctx));
      if (isStopped(this.#machine)) this.#onStopped?.();
      return;
    }
    const input = receive(this.#machine, event.frame);
    if (input === undefined) return;
    const { name } = input.plan;
    this.#streams.get(name)?.emit(input.value);
    if (this.#any.hasListeners) this.#any.emit(name);
  }

  #tell(news: NeuronNews | undefined): void {
    if (news !== undefined) this.#events.emit(news);
  }

  #streamOf(parameter: string): Stream<number> {
    const stream = this.#streams.get(parameter);
    if (stream !== undefined) return stream;
    throw new RefusedError({ rule: "parameter-unknown", reason: `${this.name} declares no input ${parameter}` });
  }
}

const UNREGISTER = linkId("nallely:unregister:1");

/** Takes a neuron out of the session over the bus's own path. Resolves when the bus has closed the socket. */
export function unregisterByPath(url: string, name: string, options: DriverOptions & WaitOptions = {}): Promise<void> {
  let onDropped = () => {};
  const driver = new Driver({
    event: (event) => {
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
