/** The relays of a process: the one at the root, which always runs, and those at `/r/<name>/`, which run while they are used. */
import type { Key, Millis } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { NodeView, RelayView } from "../core/view.ts";
import { type PortName, problemResponse, type Surroundings } from "../http/app.ts";
import type { Host } from "./host.ts";
import { type ProcessParts, ProcessRelay } from "./process-relay.ts";
import { RelayAlarms } from "./relay-alarms.ts";
import { DEFAULT_RELAY, isServed, requestWithin, splitPath } from "./relay-path.ts";
import { RelayRegistry } from "./relay-registry.ts";
import type { HttpClient } from "./server-runtime.ts";
import { malformedName, tooManyConnections, unknownRelay } from "./upgrade.ts";
import { VoiceChannels } from "./voice-channels.ts";

/** How often relays that are idle are looked for. */
const SWEEP_MS: Millis = 1_000;

/** What a process serves: its relays, or the gateway of a cluster's node. */
export interface RelaySet extends Surroundings {
  /** Knows the services and the web port's token, and observes for the whole process. */
  readonly host: Host;
  /** Begins to serve. Throws a `StartError` when it cannot. */
  start(): Promise<void>;
  /** Answers a request of a client. */
  fetch(request: Request, listener: PortName, client: HttpClient): Response | Promise<Response>;
  /** Why it is not ready, apart from the relay at the root. */
  notReadyReasons(): Promise<readonly string[]>;
  configure(settings: Settings): void;
  /** Finishes pending work, and accepts nothing new. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export class Relays implements RelaySet {
  readonly root: ProcessRelay;
  readonly #registry: RelayRegistry<ProcessRelay>;
  readonly #voiceChannels: VoiceChannels;
  #settings: Settings;
  #alarms: RelayAlarms | undefined;
  #sweeping: ReturnType<typeof setInterval> | undefined;

  private constructor(root: ProcessRelay, settings: Settings, parts: ProcessParts) {
    this.root = root;
    this.#settings = settings;
    this.#voiceChannels = new VoiceChannels({ limits: () => root.host.settings.limits, now: () => Date.now() });
    root.host.onTokensChanged((accessControl) => this.#voiceChannels.closeRevoked(accessControl));
    this.#registry = new RelayRegistry({
      start: (name) => this.#start(name, parts),
      limits: () => ({ running: this.#settings.relays.running, idleMs: this.#settings.relays.idle }),
      now: () => performance.now(),
      observe: root.host.observe,
      stopping: (name, { host }) => this.#alarms?.set(name, host.nextDeadline()),
    });
  }

  static async create(settings: Settings, parts: ProcessParts): Promise<Relays> {
    return new Relays(await ProcessRelay.create(DEFAULT_RELAY, settings, parts), settings, parts);
  }

  get host(): Host {
    return this.root.host;
  }

  async start(): Promise<void> {
    await this.root.start();
    const { observe } = this.root.host;
    const failed = (key: Key, error: unknown) => observe({ is: "store_failed", key, reason: errorText(error) });
    this.#alarms = await RelayAlarms.open({ store: this.root.store, failed });
    if (this.#alarms.size > 0) this.#sweep();
  }

  /** Answers a request with the relay that its path names. The paths of the intercept proxy belong to the backend behind it. */
  fetch(request: Request, listener: PortName, client: HttpClient): Response | Promise<Response> {
    // Why the search: few requests name a relay, and reading the path of the others would be done twice.
    const namesRelay = listener !== "proxy" && request.url.includes("/r/") && URL.canParse(request.url);
    if (!namesRelay) return this.#answer(this.root, request, { listener, basePath: "", client });
    const path = splitPath(new URL(request.url).pathname);
    if (path === undefined) return malformedName();
    const { name, base: basePath } = path;
    if (name === DEFAULT_RELAY) {
      return this.#answer(this.root, requestWithin(request, path), { listener, basePath, client });
    }
    if (!isServed(name, this.#settings.relays.names)) return unknownRelay(name, "relays.names");
    return this.#registry.use(name).then((relay) =>
      relay instanceof ProcessRelay
        ? this.#answer(relay, requestWithin(request, path), { listener, basePath, client })
        : unavailable(relay.refused)
    );
  }

  /** Why relays are not ready, except the one at the root. */
  async notReadyReasons(): Promise<readonly string[]> {
    const found = [...this.#registry.running()].map(async ([name, { host }]) =>
      (await host.notReadyReasons()).map((reason) => `relay ${name}: ${reason}`)
    );
    return (await Promise.all(found)).flat();
  }

  relays(): Promise<readonly RelayView[]> {
    const alarms = this.#alarms?.all() ?? new Map<string, Millis>();
    const running = new Set([DEFAULT_RELAY, ...[...this.#registry.running()].map(([name]) => name)]);
    const views = namesOf(this.#settings, [...running, ...alarms.keys()]).map((name): RelayView =>
      running.has(name)
        ? { name, state: "running", node: null, starts_at: null }
        : { name, state: "stopped", node: null, starts_at: alarms.get(name) ?? null }
    );
    return Promise.resolve(views);
  }

  nodes(): Promise<readonly NodeView[]> {
    return Promise.resolve([]);
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.root.configure(settings);
    for (const [, relay] of this.#registry.running()) relay.configure(settings);
  }

  /** Finishes pending work. No other relay starts. */
  async drain(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all([this.root.drain(), this.#registry.close()]);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#registry.close();
    await this.#alarms?.written(this.#settings.queue.write_timeout);
    await this.root.close();
  }

  async #start(name: string, parts: ProcessParts): Promise<ProcessRelay> {
    const relay = await ProcessRelay.create(name, this.#settings, parts);
    try {
      await relay.start();
    } catch (error) {
      await relay.close();
      throw error;
    }
    this.#alarms?.set(name, Date.now()); // Why: if this process is killed, nobody knows what was due.
    this.#sweep();
    return relay;
  }

  /** Stops relays that are idle, and starts those whose time has come, from now on. */
  #sweep(): void {
    if (this.#sweeping !== undefined) return;
    this.#sweeping = setInterval(() => {
      this.#registry.sweep();
      for (const name of this.#alarms?.due(Date.now()) ?? []) {
        if (this.#registry.isStopped(name) && isServed(name, this.#settings.relays.names)) void this.#registry.use(name);
      }
    }, SWEEP_MS);
    this.#sweeping.unref();
  }

  #answer(relay: ProcessRelay, request: Request, { listener, basePath, client }: Addressed): Response | Promise<Response> {
    const { address, disableTimeout } = client;
    return relay.host.app.fetch(request, {
      listener,
      address,
      basePath,
      ...(disableTimeout !== undefined && { disableTimeout }),
      upgrade: (target, connection, credential) => {
        const handler = target === "voice"
          ? this.#voiceChannels.admit(connection, credential)
          : relay.admit(target, connection, credential);
        return handler === undefined ? tooManyConnections() : client.upgrade(handler);
      },
    });
  }
}

/** The names of all relays, sorted: those that are known, as far as they are served, and those in `relays.names` that are no patterns. */
export function namesOf({ relays: { names } }: Settings, known: Iterable<string>): readonly string[] {
  const served = [...known].filter((name) => isServed(name, names) || name === DEFAULT_RELAY);
  return [...new Set([...served, ...names.filter((name) => !name.includes("*"))])].sort();
}

interface Addressed {
  readonly listener: PortName;
  readonly basePath: string;
  readonly client: HttpClient;
}

const unavailable = (detail: string): Response =>
  problemResponse({
    status: 503,
    title: "Service unavailable",
    fault: "relayAway",
    detail,
    headers: { "retry-after": "5" },
  });
