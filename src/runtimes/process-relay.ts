/** One relay of a process: its host, the peers and links of its services, and its recording. The listeners belong to the process. */
import { processStats } from "./process-stats.ts";
import { Panic } from "../core/assert.ts";
import type { CredentialDigest } from "../core/access.ts";
import type { ConnectionInfo, ListenerName } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { Store } from "../engine/mod.ts";
import { type Log, namedLog } from "../observability/mod.ts";
import type { LinkTarget, Surroundings } from "../http/app.ts";
import { services } from "../relay/services.ts";
import { type ConnectionHandler, createSockets, PeerConnections } from "./connections.ts";
import { Host } from "./host.ts";
import { LinkHub } from "./link/hub.ts";
import { Links } from "./links.ts";
import { lazyJobs, openRecording, openStorage } from "./open-ports.ts";
import { createClock, unixTime } from "./process-clock.ts";
import type { RecordingTap } from "./recording-tap.ts";
import { DEFAULT_RELAY } from "./relay-path.ts";
import type { RegisteredRelay } from "./relay-registry.ts";
import { settingsOfRelay } from "./relay-settings.ts";
import { type ServeOptions, StartError } from "./serve-options.ts";
import type { ServerRuntime } from "./server-runtime.ts";

/** What all relays of a process share. */
export interface ProcessParts {
  readonly runtime: ServerRuntime;
  readonly log: Log;
  readonly webToken: string;
  /** Replacements for parts of the relay at the root. */
  readonly options: ServeOptions;
  print(line: string): void;
  readonly surroundings: Surroundings;
  /** Why other relays of this process are not ready. */
  otherReasons(): Promise<readonly string[]>;
}

/** Peers that the relay closed have this long to disconnect before their sockets are terminated. */
const DISCONNECT_MS = 1_000;
const DISCONNECT_POLL_MS = 10;

export class ProcessRelay implements RegisteredRelay {
  readonly name: string;
  readonly host: Host;
  readonly #options: ServeOptions;
  readonly #runtime: ServerRuntime;
  readonly #peers: PeerConnections;
  readonly #hub: LinkHub;
  readonly #links: Links;
  readonly #tap: RecordingTap | undefined;
  #store: Store | undefined;

  private constructor(name: string, host: Host, tap: RecordingTap | undefined, { runtime, options }: ProcessParts) {
    this.name = name;
    this.host = host;
    this.#options = name === DEFAULT_RELAY ? options : { ...(options.jobs !== undefined && { jobs: options.jobs }) };
    this.#tap = tap;
    const push = tap?.push ?? host.push;
    const connectionsHost = {
      metrics: host.metrics,
      observe: host.observe,
      afterTurn: runtime.afterTurn,
      push,
      get settings() {
        return host.settings;
      },
    };
    this.#runtime = runtime;
    this.#peers = new PeerConnections(connectionsHost);
    this.#hub = new LinkHub({
      now: unixTime,
      afterTurn: (run) => runtime.afterTurn(run),
      observe: host.observe,
    });
    this.#links = new Links(push, this.#hub.dialer(runtime.dial));
    host.onTokensChanged((accessControl) => {
      this.#peers.closeRevoked(accessControl);
      this.#hub.closeRevoked(accessControl);
    });
  }

  /** Creates the relay. Its peers can connect from now on; their events wait until it is started. */
  static async create(name: string, shared: Settings, parts: ProcessParts): Promise<ProcessRelay> {
    const { options, log, webToken, print, surroundings, otherReasons } = parts;
    const settings = settingsOfRelay(shared, name);
    const isDefault = name === DEFAULT_RELAY;
    const host = new Host({
      settings,
      services: (isDefault ? options.services : undefined) ?? services(settings),
      log: isDefault ? log : namedLog(log, name),
      webToken,
      jobs: options.jobs ?? lazyJobs,
      isResident: true,
      processStats,
      print,
      surroundings,
      ...(isDefault && { otherReasons }),
    });
    return new ProcessRelay(name, host, await openRecording(settings, host), parts);
  }

  /** Opens the store and starts the engine. Throws a `StartError`, and leaves nothing open, when it cannot. */
  async start(): Promise<void> {
    const { host, name } = this;
    const sockets = createSockets(this.#peers, this.#links);
    const relay = name === DEFAULT_RELAY ? undefined : name;
    const storage = await openStorage(host.settings, this.#options, host.observe, relay);
    this.#store = storage.store;
    const ports = { ...storage, sockets: this.#tap?.sockets(sockets) ?? sockets, clock: createClock };
    const { afterTurn } = this.#runtime;
    await host.start({ ...ports, afterTurn, links: () => this.#hub.views() })
      .catch(unusableStore);
  }

  /** The store of a relay that was started. */
  get store(): Store {
    if (this.#store === undefined) throw new Panic("the relay was not started");
    return this.#store;
  }

  admit(target: ListenerName | LinkTarget, connection: ConnectionInfo, credential: CredentialDigest): ConnectionHandler {
    return typeof target === "string"
      ? this.#peers.admit(target, connection)
      : this.#hub.admit(target.link, connection, credential);
  }

  isIdle(forMs: Millis): boolean {
    const isLinked = this.#links.size > this.#hub.waiting || this.#hub.views().length > 0;
    return this.#peers.size === 0 && !isLinked && this.host.isIdle(forMs);
  }

  configure(shared: Settings): void {
    this.host.configure(settingsOfRelay(shared, this.name));
  }

  /** Finishes pending work, and gives the peers time to disconnect. */
  async drain(): Promise<void> {
    await this.host.drain();
    for (let waited = 0; this.#peers.size > 0 && waited < DISCONNECT_MS; waited += DISCONNECT_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, DISCONNECT_POLL_MS));
    }
  }

  /** Closes everything that is open. Peers lose their connections with the listeners. */
  async close(): Promise<void> {
    this.#links.close();
    this.#tap?.stop();
    await this.host.close();
  }

  async stop(): Promise<void> {
    await this.drain();
    await this.close();
  }
}

/** Reports a store that opened but does not work. Internal errors stay internal errors. */
function unusableStore(error: unknown): never {
  if (error instanceof Panic || error instanceof StartError) throw error;
  throw new StartError(`queue: the stored entries cannot be used: ${errorText(error)}`, { cause: error });
}
