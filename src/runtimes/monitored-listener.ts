/**
 * A listener that is opened again when the runtime ends it, as Deno does when the process runs out of descriptors, and one that is opened
 * once another program no longer uses its port.
 *
 * Invariant: between a loss and its recovery an attempt is pending, until `stopAccepting` or `close`.
 */
import type { Millis } from "../core/ids.ts";

export interface OpenListener {
  readonly port: number;
  /** Accepts no new connections; open ones stay. */
  stopAccepting(): void;
  close(): Promise<void>;
  /** Resolves with the reason when the runtime ends the listener; absent where the runtime never does. */
  readonly ended?: Promise<string>;
}

export interface ListenerHooks {
  lost(reason: string): void;
  restored(): void;
}

const RETRY_MS: Millis = 1_000;

type Open = (port?: number) => OpenListener | Promise<OpenListener>;

/** Opens a listener and monitors it. `open` gets the port of the first attempt when it is called again. */
export async function openMonitored(open: Open, hooks: ListenerHooks): Promise<OpenListener> {
  const first = await open();
  return new MonitoredListener({ port: first.port, first }, open, hooks);
}

/** A listener that cannot be opened now: it is lost from the start, and is opened as soon as it can be. */
export function openLater(port: number, reason: string, open: Open, hooks: ListenerHooks): OpenListener {
  hooks.lost(reason);
  return new MonitoredListener({ port }, open, hooks);
}

class MonitoredListener implements OpenListener {
  readonly port: number;
  readonly #open: Open;
  readonly #hooks: ListenerHooks;
  #current: OpenListener | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isStopping = false;

  constructor({ port, first }: { readonly port: number; readonly first?: OpenListener }, open: Open, hooks: ListenerHooks) {
    this.port = port;
    this.#open = open;
    this.#hooks = hooks;
    if (first === undefined) this.#retryLater();
    else this.#watch(first);
  }

  stopAccepting(): void {
    this.#stop();
    this.#current?.stopAccepting();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#current?.close();
  }

  #stop(): void {
    this.#isStopping = true;
    clearTimeout(this.#retry);
  }

  #watch(listener: OpenListener): void {
    this.#current = listener;
    void listener.ended?.then((reason) => {
      if (this.#isStopping) return;
      this.#current = undefined;
      this.#hooks.lost(reason);
      this.#retryLater();
    });
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => void this.#reopen(), RETRY_MS);
  }

  async #reopen(): Promise<void> {
    try {
      const listener = await this.#open(this.port);
      if (this.#isStopping) return void await listener.close();
      this.#watch(listener);
      this.#hooks.restored();
    } catch {
      if (!this.#isStopping) this.#retryLater(); // Why not logged: the loss was, and the recovery will be.
    }
  }
}
