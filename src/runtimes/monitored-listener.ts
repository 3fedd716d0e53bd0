/**
 * A listener that is opened again when the runtime ends it, as Deno does when the process runs out of descriptors, and one that is opened
 * once another program no longer uses its port.
 *
 * Invariant: between a loss and its recovery an attempt is pending, until `stopAccepting` or `close`.
 */
import type { Millis } from "../core/ids.ts";
import { errorText } from "../core/text.ts";

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

/** A listener that can be opened again at once, with what has changed. */
export interface RenewableListener extends OpenListener {
  /** Open connections stay. For a moment nothing is accepted, because the port has to be free. */
  renew(): Promise<void>;
}

type Open = (port?: number) => OpenListener | Promise<OpenListener>;

/** Opens a listener and monitors it. `open` gets the port of the first attempt when it is called again. */
export async function openMonitored(open: Open, hooks: ListenerHooks): Promise<RenewableListener> {
  const first = await open();
  return new MonitoredListener({ port: first.port, first }, open, hooks);
}

/** A listener that cannot be opened now: it is lost from the start, and is opened as soon as it can be. */
export function openLater(port: number, reason: string, open: Open, hooks: ListenerHooks): RenewableListener {
  hooks.lost(reason);
  return new MonitoredListener({ port }, open, hooks);
}

class MonitoredListener implements RenewableListener {
  readonly port: number;
  readonly #open: Open;
  readonly #hooks: ListenerHooks;
  #current: OpenListener | undefined;
  /** Those before it, which may still have connections. */
  readonly #previous: OpenListener[] = [];
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
    await Promise.all([this.#current, ...this.#previous].map((listener) => listener?.close()));
  }

  async renew(): Promise<void> {
    const previous = this.#current;
    if (previous === undefined || this.#isStopping) return; // Why: it is opened with what has changed anyway.
    this.#current = undefined;
    this.#previous.push(previous);
    previous.stopAccepting();
    try {
      this.#watch(await this.#open(this.port));
    } catch (error) {
      this.#hooks.lost(errorText(error));
      this.#retryLater();
    }
  }

  #stop(): void {
    this.#isStopping = true;
    clearTimeout(this.#retry);
  }

  #watch(listener: OpenListener): void {
    this.#current = listener;
    void listener.ended?.then((reason) => {
      if (this.#isStopping || this.#current !== listener) return;
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
