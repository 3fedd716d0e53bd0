/**
 * The socket of a Brain client, kept open: it dials, and dials again with full jitter whenever the connection is lost.
 *
 * Invariant: K1 what an abandoned socket still says reaches nobody.
 */
import { type Backoff, backoffMs } from "../core/backoff.ts";

/** What is used of a WebSocket; the global one of every runtime fits. */
export interface BrainSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export interface KeptOptions {
  readonly url: string;
  readonly open: (url: string) => BrainSocket;
  readonly backoff: Backoff;
  opened(): void;
  received(frame: unknown): void;
  lost(): void;
}

export class KeptSocket {
  readonly #options: KeptOptions;
  #socket: BrainSocket | undefined;
  #isOpen = false;
  #isClosed = false;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: KeptOptions) {
    this.#options = options;
    this.#dial();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = undefined;
    this.#isOpen = false;
  }

  #dial(): void {
    let socket: BrainSocket;
    try {
      socket = this.#options.open(this.#options.url);
    } catch {
      return this.#wait();
    }
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    socket.onopen = () => {
      if (!isCurrent()) return;
      this.#isOpen = true;
      this.#attempt = 0;
      this.#options.opened();
    };
    socket.onmessage = (event: { readonly data: unknown }) => isCurrent() && this.#options.received(event.data);
    socket.onerror = () => {}; // Why: `close` follows.
    socket.onclose = () => {
      if (!isCurrent()) return;
      this.#socket = undefined;
      const wasOpen = this.#isOpen;
      this.#isOpen = false;
      if (wasOpen) this.#options.lost();
      this.#wait();
    };
  }

  #wait(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#dial(), backoffMs(this.#options.backoff, this.#attempt++, Math.random()));
  }
}
