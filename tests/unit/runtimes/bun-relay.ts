/** A relay on Bun with echo services on free ports, and clients that wait for the frames they expect. */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import type { Settings, UpstreamSettings } from "../../../src/core/settings.ts";
import { type RelayHandle, serve, type ServeOptions } from "../../../src/runtimes/bun/serve.ts";
import { echoService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

export const WEB_TOKEN = "web-token-of-the-tests";

/** Settings for tests: free ports, nothing on disk. */
export function testSettings(change: (settings: Mutable) => void = () => {}): Settings {
  const settings = structuredClone(DEFAULTS) as Mutable;
  settings.intermediary.port = 0;
  settings["nakurity-backend"].port = 0;
  settings.brain.port = 0;
  settings.web.port = 0;
  settings.web.token = WEB_TOKEN;
  settings.queue.backend = "memory";
  settings.shutdown.grace = 500;
  change(settings);
  return settings;
}

/** Settings of an upstream at this URL, with a backoff that is short enough for tests. */
export const upstreamAt = (url: string): UpstreamSettings => ({
  ...UPSTREAM_DEFAULTS,
  url,
  name: "Relay",
  backoff: { base: 10, cap: 50 },
  dial_timeout: 1_000,
});

/** Waits until the condition holds; only the test's own timeout ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** The settings without `readonly`, so that a test can change some. */
export type Mutable = { -readonly [Name in keyof Settings]: Open<Settings[Name]> };
type Open<T> = T extends readonly (infer Item)[] ? Item[]
  : T extends object ? { -readonly [Name in keyof T]: Open<T[Name]> }
  : T;

export interface Running extends RelayHandle {
  readonly urls: Readonly<Record<"intermediary" | "neuro" | "brain" | "web", string>>;
  readonly log: string[];
  readonly lines: string[];
  readonly store: MemoryStore;
  connect(listener: "intermediary" | "neuro" | "brain", options?: ConnectOptions): Promise<Client>;
}

/** Starts a relay, runs the test with it, and stops it in any case. */
export async function withRelay(
  settings: Settings,
  run: (relay: Running) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  const log: string[] = [];
  const lines: string[] = [];
  const store = new MemoryStore();
  const served = await serve(settings, {
    services: [echoService("intermediary"), echoService("neuro"), echoService("brain")],
    store,
    uploads: memoryUploads(),
    log: (line) => log.push(line),
    print: (line) => lines.push(line),
    ...options,
  });
  const urls = served.urls as Running["urls"];
  const relay: Running = {
    ...served,
    urls,
    log,
    lines,
    store,
    connect: (listener, { path = "/", ...how } = {}) => Client.connect(urls[listener] + path, how),
  };
  try {
    await run(relay);
  } finally {
    await relay.drain();
  }
}

export interface ConnectOptions {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

/** A WebSocket client that keeps received frames until a test waits for them. */
export class Client {
  readonly socket: WebSocket;
  readonly frames: (string | ArrayBuffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.frames.push(data);
      this.#wake();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
  }

  static connect(url: string, { headers = {}, protocols = [] }: ConnectOptions = {}): Promise<Client> {
    const socket = new WebSocket(url, { headers, protocols });
    const client = new Client(socket);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(client);
      socket.onerror = (event) => reject(new Error("message" in event ? String(event.message) : "failed"));
    });
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(frame);
  }

  /** Takes the next text frame that passes, and drops those before it. */
  async next(passes: (frame: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const at = this.frames.findIndex((frame) => typeof frame === "string" && passes(frame));
      if (at >= 0) return String(this.frames.splice(0, at + 1).at(-1));
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(frame: string): Promise<string> {
    this.send(frame);
    return await this.next();
  }
}
