/**
 * A relay, whatever the runtime: the rooms, the engine and the web app around them, made in order and taken down in reverse.
 * A runtime lends what they need; nothing in here knows of files, processes or listeners.
 */
import type { Event, ResumedPeer } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { type Json, plain } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { type Secrets, secretsOf } from "../core/secrets.ts";
import { type Clock, Engine, type Jobs, type Sockets, type Store } from "../engine/mod.ts";
import { type App, createApp, Tokens } from "../http/app.ts";
import {
  createMeters,
  inferLine,
  Lag,
  type Log,
  type Meters,
  type Observer,
  observer,
  scrape,
} from "../observability/mod.ts";
import { Relay, type SupervisedService } from "../relay/mod.ts";
import { discardOrphans } from "../storage/orphans.ts";
import manifest from "../../package.json" with { type: "json" };
import type { ReadableUploads } from "./served.ts";

/** What a host is made of. */
export interface HostParts {
  readonly settings: Settings;
  readonly services: readonly SupervisedService[];
  readonly log: Log;
  /** The web port's where the settings name none; empty: it has none of its own. */
  readonly webToken: string;
  readonly jobs: Jobs;
  /** It lives until it is told to stop, and may look at itself meanwhile. */
  readonly isResident?: boolean;
  /** Takes lines for standard output. */
  print(line: string): void;
}

/** What the engine needs of the world. */
export interface Lent {
  readonly sockets: Sockets;
  readonly store: Store;
  readonly uploads: ReadableUploads;
  clock(tick: () => void): Clock;
  /** Peers that were connected before this host was made. */
  readonly resumed?: readonly ResumedPeer[];
}

/** The settings as everybody here sees them: the web port's token stands in them, whoever made it. */
const inForce = (settings: Settings, webToken: string): Settings =>
  settings.web.token === "" ? { ...settings, web: { ...settings.web, token: webToken } } : settings;

/** A room that never says it is done must not keep the process from ending. */
const PATIENCE_MS = 2_000;

export class Host {
  readonly version: string = manifest.version;
  readonly app: App;
  readonly meters: Meters = createMeters();
  readonly services: readonly ServiceName[];
  readonly webToken: string;
  readonly observe: (observation: Observation) => void;
  readonly #parts: HostParts;
  readonly #relay: Relay;
  readonly #startedAt = performance.now();
  #settings: Settings;
  #tokens: Tokens;
  #engine: Engine | undefined;
  #early: Event[] = [];
  #store: Store | undefined;
  #uploads: ReadableUploads | undefined;
  readonly #lag = new Lag();
  readonly #observer: Observer;
  #isDraining = false;

  constructor(parts: HostParts) {
    const { services, log, print } = parts;
    const settings = inForce(parts.settings, parts.webToken);
    this.#parts = parts;
    this.#settings = settings;
    this.webToken = settings.web.token;
    this.#tokens = new Tokens(settings);
    this.#relay = new Relay(services, settings);
    this.services = services.map(({ name }) => name);
    log.secrets.learn(secretsOf(settings));
    this.#observer = observer(log, this.meters, { now: Date.now, later });
    this.observe = (observation) => {
      this.#observer.observe(observation);
      if (observation.is !== "inferred") return;
      const { log_json, test_mode } = this.#settings.brain;
      if (log_json || test_mode) print(inferLine(observation));
    };
    this.app = createApp({
      version: manifest.version,
      uptimeMs: () => performance.now() - this.#startedAt,
      services: this.services,
      settings: () => this.#settings,
      tokens: () => this.#tokens,
      observe: this.observe,
      isDraining: () => this.#isDraining,
      request: (request, principal) =>
        this.#engine?.request(request, principal) ?? Promise.resolve({ fault: "restarting" }),
      frames: () => this.#frames(),
      metrics: () => this.#metrics(),
      readUpload: (file) => this.#uploads?.read(file) ?? Promise.resolve(undefined),
    });
  }

  /** Hands in what happened; before `start` it is kept. */
  readonly push = (event: Event): void => {
    if (this.#engine === undefined) this.#early.push(event);
    else this.#engine.push(event);
  };

  /** Restores the rooms and lets them run. */
  async start({ sockets, store, uploads, clock, resumed = [] }: Lent): Promise<void> {
    this.#store = store;
    this.#uploads = uploads;
    const { jobs } = this.#parts;
    const ports = { sockets, store, uploads, clock: clock(() => this.tick()), jobs, observe: this.observe };
    await this.#discardOrphans(ports.clock.now());
    this.#engine = await Engine.start(this.#relay, { settings: this.#settings, ports, resumed });
    for (const event of this.#early) this.#engine.push(event);
    this.#early = [];
  }

  /** Why whatever comes of it: a relay starts without its uploads, too. */
  async #discardOrphans(now: Millis): Promise<void> {
    if (this.#store === undefined || this.#uploads === undefined) return;
    const { ttl } = this.#settings.uploads;
    await discardOrphans(this.#store, this.#uploads, { ttl, now }).catch((error: unknown) =>
      this.observe({ is: "store_failed", key: "uploads", reason: String(error) })
    );
  }

  /** What must not be written down. */
  get secrets(): Secrets {
    return this.#parts.log.secrets;
  }

  /** Which tokens there are now. */
  get tokens(): Tokens {
    return this.#tokens;
  }

  /** The timer rang. */
  tick(): void {
    this.#engine?.tick();
  }

  configure(given: Settings): void {
    const settings = inForce(given, this.#parts.webToken);
    this.#settings = settings;
    this.#tokens = new Tokens(settings);
    this.secrets.learn(secretsOf(settings));
    this.#parts.log.configure(settings.log);
    this.#engine?.configure(settings);
  }

  /** From now on nothing new is accepted; resolves when the rooms are done and all is written. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { promise: lateEnough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#settings.shutdown.grace + PATIENCE_MS);
    await Promise.race([this.#engine?.drain(), lateEnough]);
    clearTimeout(timer);
  }

  /** Closes the store and the log. */
  async close(): Promise<void> {
    this.#lag.stop();
    await this.#store?.close();
    this.#observer.close();
    await this.#parts.log.close();
  }

  #frames(): number {
    let sum = 0;
    for (const { cell } of this.meters.frames.all()) sum += cell.value;
    return sum;
  }

  async #metrics(): Promise<string> {
    if (this.#parts.isResident === true) this.#lag.watch();
    const lagSeconds = await this.#lag.take();
    const statuses = new Map<ServiceName, Json>();
    for (const service of this.services) {
      const answer = await this.#engine?.request({ of: service, get: "status" }, { by: "relay", scopes: ["watch"] });
      if (answer !== undefined && "body" in answer) statuses.set(service, plain(answer.body));
    }
    return scrape(this.meters, {
      now: Date.now(),
      version: this.version,
      uptimeMs: performance.now() - this.#startedAt,
      lagSeconds,
      statuses,
      messages: this.#relay.messages,
      integrationsMax: this.#settings.limits.metric_integrations,
      hide: (text) => this.secrets.redact(text),
    });
  }
}

/** Why nothing waits for it: what is still to be said is said when the host is closed. */
function later(ms: number, run: () => void): void {
  const timer = setTimeout(run, ms);
  if (typeof timer === "object" && "unref" in timer) timer.unref();
}
