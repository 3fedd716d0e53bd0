/**
 * The neurons of one program, by `kind::name`, with shared options. When one of them reconnects, the others dial at once instead of at
 * the end of their own wait.
 */
import type { KeepaliveOptions } from "../core/link.ts";
import {
  createRegistry,
  type Declaration,
  find,
  isViolation,
  type NeuronRegistry,
  register,
  remove,
} from "../services/nallely/mod.ts";
import type { DriverOptions } from "../websocket-client/socket-driver.ts";
import { RefusedError } from "./nallely-error.ts";
import { Neuron, type NeuronMetrics, type NeuronOptions } from "./neuron.ts";

/** Options that all neurons of a group share, unless a neuron sets its own. */
export interface NeuronGroupOptions extends DriverOptions {
  readonly url?: string;
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  readonly dialTimeoutMs?: number;
  readonly keepalive?: KeepaliveOptions | "off";
}

/** The neurons of one program, by `kind::name`. */
export class NeuronGroup implements AsyncDisposable {
  readonly #options: NeuronGroupOptions;
  readonly #registry: NeuronRegistry<Neuron> = createRegistry();

  constructor(options: NeuronGroupOptions = {}) {
    this.#options = options;
  }

  /** The neuron of that kind and name; opens it if it does not exist. Throws a `RefusedError` if another kind has the name. */
  register<const D extends Declaration, const N extends string>(kind: string, options: NeuronOptions<D, N>): Neuron<D> {
    const open = () => {
      const neuron = Neuron.open<D, N>({ ...this.#options, ...options });
      neuron.onEvent((event) => {
        if (event.is === "open") this.#wakeOthers();
      });
      return neuron as unknown as Neuron; // Why: the registry holds neurons of every declaration.
    };
    const neuron = register(this.#registry, { kind, name: options.name }, open);
    if (isViolation(neuron)) throw new RefusedError(neuron);
    return neuron as unknown as Neuron<D>; // Why: under this key it was opened with this declaration.
  }

  get(kind: string, name: string): Neuron | undefined {
    return find(this.#registry, kind, name);
  }

  /** Sends by kind and name; parameter and direction are checked at run time. False if there is no such neuron. */
  send(to: { readonly kind: string; readonly name: string }, parameter: string, value: number): boolean {
    const neuron = this.get(to.kind, to.name);
    neuron?.send(parameter, value);
    return neuron !== undefined;
  }

  /** Closes a neuron and removes it. False if there is no such neuron. */
  async close(kind: string, name: string): Promise<boolean> {
    const neuron = remove(this.#registry, kind, name);
    await neuron?.close();
    return neuron !== undefined;
  }

  /** The metrics of each neuron, by `kind::name`. */
  get metrics(): ReadonlyMap<string, NeuronMetrics> {
    return new Map([...this.#registry.byKey].map(([key, { item }]) => [key, item.metrics]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const neurons = [...this.#registry.byKey.values()];
    this.#registry.byKey.clear();
    this.#registry.keyByName.clear();
    await Promise.all(neurons.map(({ item }) => item.close()));
  }

  #wakeOthers(): void {
    for (const { item } of this.#registry.byKey.values()) if (item.state === "waiting") item.retry();
  }
}
