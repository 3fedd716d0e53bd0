/**
 * Several neurons of one program, by `kind::name`: one bus, one set of options, and one clock for coming back. When one of them
 * finds the bus again, the others do not wait for the end of their own pause.
 */
import { type Declaration, find, isRefusal, register, type Registry, registry, remove } from "../services/nallely/mod.ts";
import type { DriverOptions } from "./nallely-driver.ts";
import { RefusedError } from "./nallely-error.ts";
import { Neuron, type NeuronMetrics, type NeuronOptions } from "./neuron.ts";

/** What all its neurons share, where one does not say otherwise. */
export interface NeuronsOptions extends DriverOptions {
  readonly url?: string;
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  readonly dialTimeoutMs?: number;
}

/** The neurons of one program, by `kind::name`. */
export class Neurons implements AsyncDisposable {
  readonly #options: NeuronsOptions;
  readonly #registry: Registry<Neuron> = registry();

  constructor(options: NeuronsOptions = {}) {
    this.#options = options;
  }

  /** The neuron of that kind and name; opened when there is none yet. Throws a `RefusedError` when another kind has the name. */
  register<const D extends Declaration, const N extends string>(kind: string, options: NeuronOptions<D, N>): Neuron<D> {
    const open = () => {
      const neuron = Neuron.open<D, N>({ ...this.#options, ...options });
      neuron.onEvent((event) => {
        if (event.is === "open") this.#wakeOthers();
      });
      return neuron as unknown as Neuron; // Why: the table holds neurons of every declaration.
    };
    const neuron = register(this.#registry, { kind, name: options.name }, open);
    if (isRefusal(neuron)) throw new RefusedError(neuron);
    return neuron as unknown as Neuron<D>; // Why: under this key it was opened with this declaration.
  }

  get(kind: string, name: string): Neuron | undefined {
    return find(this.#registry, kind, name);
  }

  /** Sends by kind and name; names and directions are checked when it runs. False when there is no such neuron. */
  send(to: { readonly kind: string; readonly name: string }, parameter: string, value: number): boolean {
    const neuron = this.get(to.kind, to.name);
    neuron?.send(parameter, value);
    return neuron !== undefined;
  }

  /** Closes one and forgets it. False when there is no such neuron. */
  async close(kind: string, name: string): Promise<boolean> {
    const neuron = remove(this.#registry, kind, name);
    await neuron?.close();
    return neuron !== undefined;
  }

  /** The metrics of each, by `kind::name`. */
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
