/**
 * The relays that run besides the one at the root, by name. Each starts when it is first used, and stops when it has been idle.
 *
 * Invariants: G1 at most one relay of a name exists, and the next one starts when it has stopped; G2 at most `relays.running` run, except while one
 * replaces another; G3 a relay that somebody uses is never stopped, except by `close`.
 * Knows nothing of: paths, settings, sockets.
 */
import type { Millis } from "../core/ids.ts";
import type { Observation } from "../core/observation.ts";
import { errorText } from "../core/text.ts";

/** A relay, as its registry sees it. */
export interface RegisteredRelay {
  /** True if nobody uses it, and nothing is due for this long. */
  isIdle(forMs: Millis): boolean;
  /** Finishes pending work and closes everything. */
  stop(): Promise<void>;
}

export interface RegistryLimits {
  /** `relays.running`, which counts the relay at the root as well. */
  readonly running: number;
  readonly idleMs: Millis;
}

export interface RegistryPorts<R extends RegisteredRelay> {
  /** Creates the relay of that name. Rejects when it cannot be started. */
  start(name: string): Promise<R>;
  limits(): RegistryLimits;
  now(): Millis;
  observe(observation: Observation): void;
  /** This relay stops now. */
  stopping(name: string, relay: R): void;
}

type RelayState<R> =
  | { readonly is: "starting"; readonly relay: Promise<R> }
  | { readonly is: "running"; readonly relay: R; usedAt: Millis }
  | { readonly is: "stopping"; readonly stopped: Promise<void> };

/** Why a relay is not available. */
export interface RefusedRelay {
  readonly refused: string;
}

export class RelayRegistry<R extends RegisteredRelay> {
  readonly #ports: RegistryPorts<R>;
  readonly #states = new Map<string, RelayState<R>>();
  #isClosed = false;

  constructor(ports: RegistryPorts<R>) {
    this.#ports = ports;
  }

  /** The relays that run now. */
  *running(): Generator<readonly [name: string, relay: R]> {
    for (const [name, state] of this.#states) if (state.is === "running") yield [name, state.relay];
  }

  /** The relay of that name, which is in use now. It is started if it does not run. */
  async use(name: string): Promise<R | RefusedRelay> {
    for (;;) {
      if (this.#isClosed) return { refused: "the process is stopping" };
      const state = this.#states.get(name);
      if (state === undefined) return await this.#start(name);
      if (state.is === "stopping") await state.stopped;
      else if (state.is === "starting") return await state.relay.catch(refusal);
      else {
        state.usedAt = this.#ports.now();
        return state.relay;
      }
    }
  }

  /** True unless the relay of that name runs, or starts or stops. */
  isStopped(name: string): boolean {
    return !this.#states.has(name);
  }

  /** Stops what has been idle for long enough. Call it from time to time. */
  sweep(): void {
    const { idleMs } = this.#ports.limits();
    const now = this.#ports.now();
    for (const [name, state] of this.#states) {
      if (state.is !== "running") continue;
      if (!state.relay.isIdle(idleMs)) state.usedAt = now;
      else if (now - state.usedAt >= idleMs) void this.#stop(name, state.relay);
    }
  }

  /** Stops all relays. No other one starts. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#states].map(async ([name, state]) => {
      if (state.is === "starting") await state.relay.catch(refusal);
      const current = this.#states.get(name);
      if (current?.is === "running") await this.#stop(name, current.relay);
      else if (current?.is === "stopping") await current.stopped;
    }));
  }

  async #start(name: string): Promise<R | RefusedRelay> {
    const { running } = this.#ports.limits();
    const isFull = this.#states.size + 1 >= running;
    const replaced = isFull ? this.#longestIdle() : undefined;
    if (isFull && replaced === undefined) {
      const refused =
        `${this.#states.size} relays run besides default, and relays.running, which is ${running}, allows no more; none of them is idle`;
      this.#ports.observe({ is: "relay_refused", name, reason: refused });
      return { refused };
    }
    const relay = this.#open(name, replaced);
    this.#states.set(name, { is: "starting", relay });
    return await relay.catch(refusal);
  }

  async #open(name: string, replaced: readonly [string, R] | undefined): Promise<R> {
    const { start, now, observe } = this.#ports;
    try {
      if (replaced !== undefined) await this.#stop(...replaced);
      const relay = await start(name);
      this.#states.set(name, { is: "running", relay, usedAt: now() });
      observe({ is: "relay_started", name });
      return relay;
    } catch (error) {
      this.#states.delete(name);
      observe({ is: "relay_refused", name, reason: errorText(error) });
      throw error;
    }
  }

  #stop(name: string, relay: R): Promise<void> {
    this.#ports.stopping(name, relay);
    const stopped = relay.stop().catch(() => {}).then(() => {
      this.#states.delete(name);
      this.#ports.observe({ is: "relay_stopped", name });
    });
    this.#states.set(name, { is: "stopping", stopped });
    return stopped;
  }

  #longestIdle(): readonly [string, R] | undefined {
    let found: readonly [string, R] | undefined;
    let foundAt = Infinity;
    for (const [name, state] of this.#states) {
      if (state.is !== "running" || state.usedAt >= foundAt || !state.relay.isIdle(0)) continue;
      found = [name, state.relay];
      foundAt = state.usedAt;
    }
    return found;
  }
}

const refusal = (error: unknown): RefusedRelay => ({ refused: errorText(error) });
