/**
 * One relay, whatever the runtime: the services, the engine and the web app around them, created in order and closed in reverse.
 *
 * The runtime provides the ports. Knows nothing of files, processes and listeners.
 */
import type { Event, ResumedPeer } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import { type Json, plain } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import { type Secrets, secretsOf } from "../core/secrets.ts";
import type { ServiceName } from "../core/service.ts";
import type { Scope, Settings } from "../core/settings.ts";
import type { NeuroView } from "../core/view.ts";
import { errorText } from "../core/text.ts";
import { type Clock, Engine, type Jobs, type Sockets, type Store } from "../engine/mod.ts";
import {
  AccessControl,
  type App,
  createApp,
  type MetricsText,
  notReadyReasons,
  parseRequest,
  type PortName,
  type RequestContext,
  type Surroundings,
  type WebPorts,
} from "../http/app.ts";
import {
  createMetrics,
  createObserver,
  EventLoopLag,
  formatFor,
  type Log,
  METRIC_TYPES,
  type Observer,
  predictionLine,
  type ProcessStats,
  type RelayMetrics,
  scrape,
} from "../observability/mod.ts";
import { Relay, type SupervisedService } from "../relay/mod.ts";
import { type IntegrationView, PAGE_LENGTH_MAX, type PageRequest } from "../core/view.ts";
import type { Principal } from "../core/request.ts";
import type { LinkView } from "../core/view.ts";
import { measuredStore } from "../storage/measured-store.ts";
import { deleteOrphanedUploads } from "../storage/orphaned-uploads.ts";
import type { UploadStore } from "../storage/upload-store.ts";
import { Tokens } from "./tokens/tokens.ts";
import manifest from "../../package.json" with { type: "json" };

export interface HostOptions {
  readonly settings: Settings;
  readonly services: readonly SupervisedService[];
  readonly log: Log;
  /** Used if `web.token` is empty. If this is empty as well, the web port has no token of its own. */
  readonly webToken: string;
  readonly jobs: Jobs;
  /** True for a process that runs until it is stopped: it may run a timer for its own metrics. */
  readonly isResident?: boolean;
  /** What the process uses. */
  processStats?(): ProcessStats;
  /** Takes lines for standard output. */
  print(line: string): void;
  /** The relays and nodes around this one; none if they are not known. */
  readonly surroundings?: Surroundings;
  /** Why other relays of this process are not ready. */
  otherReasons?(): Promise<readonly string[]>;
}

/** The ports that the runtime provides when the host starts. */
export interface HostPorts {
  readonly sockets: Sockets;
  readonly store: Store;
  readonly uploads: UploadStore;
  clock(tick: () => void): Clock;
  /** Runs something at the end of this turn of the event loop; at once on runtimes where another write costs nothing. */
  afterTurn(run: () => void): void;
  /** The programs that are linked. */
  links(): readonly LinkView[];
  /** Peers that were connected before this host was created. */
  readonly resumed?: readonly ResumedPeer[];
  /** False if events of those peers may be lost. */
  readonly hasSlept?: boolean;
}

/** The effective settings: they contain the web port's token, generated or configured. */
const withWebToken = (settings: Settings, webToken: string): Settings =>
  settings.web.token === "" ? { ...settings, web: { ...settings.web, token: webToken } } : settings;

/** A drain ends this long after `shutdown.grace` even if a service never reports that it is done. */
const DRAIN_MARGIN_MS = 2_000;

export class Host {
  readonly version: string = manifest.version;
  readonly app: App;
  readonly metrics: RelayMetrics = createMetrics();
  readonly services: readonly ServiceName[];
  readonly webToken: string;
  readonly observe: (observation: Observation) => void;
  readonly #options: HostOptions;
  readonly #relay: Relay;
  readonly #ports: WebPorts;
  #clock: Clock | undefined;
  #links: HostPorts["links"] = () => [];
  readonly #startedAt = performance.now();
  #settings: Settings;
  #accessControl: AccessControl;
  readonly #tokens: Tokens;
  readonly #onTokensChanged: ((accessControl: AccessControl) => void)[] = [];
  #engine: Engine | undefined;
  /** Events that came before `start`. */
  #early: Event[] = [];
  #store: Store | undefined;
  #uploads: UploadStore | undefined;
  readonly #lag = new EventLoopLag((ms) => this.metrics.loopDelay.observe(ms / 1_000));
  readonly #observer: Observer;
  #isDraining = false;
  /** Listeners that the runtime has ended, and how many of their addresses. */
  readonly #lostListeners = new Map<PortName, number>();

  constructor(options: HostOptions) {
    const { services, log, print } = options;
    const settings = withWebToken(options.settings, options.webToken);
    this.#options = options;
    this.webToken = settings.web.token;
    this.#tokens = new Tokens(settings, {
      hasTimer: options.isResident === true,
      now: () => this.#clock?.now() ?? Date.now(),
      changed: () => this.#apply(),
      failed: (reason) => this.observe({ is: "store_failed", key: "tokens", reason }),
      learnSecret: (token) => this.secrets.learn([token]),
    });
    this.#settings = this.#tokens.valid();
    this.#accessControl = this.#newAccessControl();
    this.services = services.map(({ name }) => name);
    log.secrets.learn(secretsOf(settings));
    const observer = createObserver(log, this.metrics, { now: Date.now, after });
    this.#observer = observer;
    this.#relay = new Relay(services, this.#settings, observer);
    this.observe = (observation) => {
      if (observation.is === "token_used") this.#tokens.use(observation.digest, observation.address);
      this.#observer.observe(observation);
      if (observation.is !== "inferred") return;
      const { log_json, test_mode } = this.#settings.brain;
      if (log_json || test_mode) print(predictionLine(observation));
    };
    this.#ports = {
      version: manifest.version,
      uptimeMs: () => performance.now() - this.#startedAt,
      services: this.services,
      settings: () => this.#settings,
      accessControl: () => {
        this.#tokens.expire();
        return this.#accessControl;
      },
      observe: this.observe,
      isDraining: () => this.#isDraining,
      lostListeners: () => [...this.#lostListeners.keys()],
      request: (request, principal) =>
        this.#engine?.request(request, principal) ?? Promise.resolve({ fault: "restarting" }),
      tokens: () => this.#tokens.list(),
      revokeToken: (id) => this.#tokens.revoke(id),
      issueToken: (request, principal) => this.#tokens.issue(request, principal),
      rotateToken: (id, overlap, principal) => this.#tokens.rotate(id, overlap, principal),
      links: () => this.#links(),
      relays: () => options.surroundings?.relays() ?? Promise.resolve([]),
      nodes: () => options.surroundings?.nodes() ?? Promise.resolve([]),
      otherReasons: () => options.otherReasons?.() ?? Promise.resolve([]),
      frames: () => this.#frames(),
      metrics: (accept) => this.#scrape(accept),
      readUpload: (file) => this.#uploads?.read(file) ?? Promise.resolve(undefined),
    };
    this.app = createApp(this.#ports);
  }

  /** Hands an event to the engine; before `start` it is kept. */
  readonly push = (event: Event): void => {
    if (this.#engine === undefined) this.#early.push(event);
    else this.#engine.push(event);
  };

  /** Restores the services from the store, and starts the engine. */
  async start(
    { sockets, store: given, uploads, clock, afterTurn, links, resumed = [], hasSlept = true }: HostPorts,
  ): Promise<void> {
    const { storeDuration, storeErrors } = this.metrics;
    const store = measuredStore(given, (operation, seconds, isFailed) => {
      storeDuration.labels(operation).observe(seconds);
      if (isFailed) storeErrors.labels(operation).add();
    });
    this.#links = links;
    this.#store = store;
    this.#uploads = uploads;
    const { jobs } = this.#options;
    const ports = { sockets, store, uploads, clock: clock(() => this.tick()), jobs, afterTurn, observe: this.observe };
    this.#clock = ports.clock;
    await this.#deleteOrphans(store, uploads, ports.clock.now());
    const known = this.#settings;
    await this.#tokens.load(store);
    this.#engine = await Engine.start(this.#relay, { settings: this.#settings, ports, resumed, hasSlept });
    if (this.#settings !== known) this.#engine.configure(this.#settings); // Why: the services were created before it was known what is revoked.
    for (const event of this.#early) this.#engine.push(event);
    this.#early = [];
  }

  /** Why errors are only reported: a relay starts without its uploads as well. */
  async #deleteOrphans(store: Store, uploads: UploadStore, now: Millis): Promise<void> {
    const { ttl } = this.#settings.uploads;
    await deleteOrphanedUploads(store, uploads, { ttl, now }).catch((error: unknown) =>
      this.observe({ is: "store_failed", key: "uploads", reason: errorText(error) })
    );
  }

  /** Secrets that must not be written to logs, metrics and recordings. */
  get secrets(): Secrets {
    return this.#options.log.secrets;
  }

  get settings(): Settings {
    return this.#settings;
  }

  get accessControl(): AccessControl {
    return this.#accessControl;
  }

  /** What the token of a request allows, for a request that the app does not answer. */
  scopesOf(request: Request, context: RequestContext): readonly Scope[] {
    const { token, connection } = parseRequest(request, context, this.#settings);
    return this.#accessControl.grantOf(token, connection.address).scopes;
  }

  /** The runtime ended a listener at one of its addresses: the relay is not ready until it is open again. */
  listenerLost(listener: PortName, reason: string): void {
    this.#lostListeners.set(listener, (this.#lostListeners.get(listener) ?? 0) + 1);
    this.observe({ is: "listener_lost", listener, reason });
  }

  listenerRestored(listener: PortName): void {
    const left = (this.#lostListeners.get(listener) ?? 1) - 1;
    if (left > 0) this.#lostListeners.set(listener, left);
    else this.#lostListeners.delete(listener);
    this.observe({ is: "listener_restored", listener });
  }

  /** True if nobody uses the relay, and nothing is due for this long. */
  isIdle(forMs: Millis): boolean {
    return this.#engine?.isIdle((this.#clock?.now() ?? 0) + forMs) === true;
  }

  /** When something is due next; undefined if nothing is. */
  nextDeadline(): Millis | undefined {
    return this.#engine?.nextDeadline();
  }

  /** Why this relay is not ready; empty if it is. */
  notReadyReasons(): Promise<readonly string[]> {
    return notReadyReasons(this.#ports);
  }

  hasWaitingReply(peer: PeerId): boolean {
    return this.#engine?.hasWaitingReply(peer) === true;
  }

  /** True unless an action or a force is pending. */
  async isQuiet(): Promise<boolean> {
    const reply = await this.#engine?.request({ of: "neuro", get: "status" }, { by: "relay", scopes: ["watch"] });
    if (reply === undefined || !("body" in reply)) return true;
    // Why the cast: this is what the service of this name replies.
    const { upstreams } = reply.body as unknown as NeuroView;
    return upstreams.every(({ pending, force }) => pending.length === 0 && force === null);
  }

  /** Stops between two events, with everything stored and every reply sent. */
  async quiesce(): Promise<void> {
    await this.#engine?.quiesce();
  }

  /** Call this when the timer of the clock fires. */
  tick(): void {
    this.#tokens.expire();
    this.#engine?.tick();
  }

  configure(changed: Settings): void {
    const settings = withWebToken(changed, this.#options.webToken);
    this.#tokens.configure(settings);
    this.secrets.learn(secretsOf(settings));
    this.#options.log.configure(settings.log);
    this.#apply();
  }

  /** Calls this whenever the valid tokens may have changed, so that peers without one are closed. */
  onTokensChanged(run: (accessControl: AccessControl) => void): void {
    this.#onTokensChanged.push(run);
  }

  /** Applies the settings with the tokens that are valid now, and closes the peers of the others. */
  #apply(): void {
    this.#settings = this.#tokens.valid();
    this.#accessControl = this.#newAccessControl();
    this.#engine?.configure(this.#settings);
    for (const run of this.#onTokensChanged) run(this.#accessControl);
  }

  #newAccessControl(): AccessControl {
    return new AccessControl(this.#settings, (digest, address) => this.#tokens.use(digest, address));
  }

  /** Accepts nothing new; resolves when the services are done and everything is stored. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#settings.shutdown.grace + DRAIN_MARGIN_MS);
    await Promise.race([this.#engine?.drain(), timeout]);
    clearTimeout(timer);
  }

  /** Closes the store and the log. */
  async close(): Promise<void> {
    this.#lag.stop();
    await this.#tokens.close();
    await this.#store?.close();
    this.#observer.close();
    await this.#options.log.close();
  }

  #frames(): number {
    let sum = 0;
    for (const { metric } of this.metrics.frames.all()) sum += metric.value;
    return sum;
  }

  /** Every integration that the Neuro service knows. */
  async #integrations(): Promise<readonly IntegrationView[]> {
    const all: IntegrationView[] = [];
    if (this.#engine === undefined || !this.services.includes("neuro")) return all;
    const principal: Principal = { by: "relay", scopes: ["watch"] };
    for (let after: string | null = ""; after !== null;) {
      const page: PageRequest = { limit: PAGE_LENGTH_MAX, ...(after !== "" && { after }) };
      const reply = await this.#engine.request({ of: "neuro", get: "integrations", ...page }, principal);
      // Why the check: tests and programs can replace a service by one that answers something else.
      if ("fault" in reply || !Array.isArray(reply.body.items)) return all;
      all.push(...reply.body.items);
      after = reply.body.next ?? null;
    }
    return all;
  }

  async #scrape(accept: string | undefined): Promise<MetricsText> {
    const format = formatFor(accept);
    if (this.#options.isResident === true) this.#lag.start();
    const lagSeconds = await this.#lag.take();
    const statuses = new Map<ServiceName, Json>();
    for (const service of this.services) {
      const reply = await this.#engine?.request({ of: service, get: "status" }, { by: "relay", scopes: ["watch"] });
      if (reply !== undefined && "body" in reply) statuses.set(service, plain(reply.body));
    }
    for (const [name, count] of this.#relay.takeUnread()) this.metrics.observations.labels(name).add(count);
    const text = scrape(this.metrics, {
      now: Date.now(),
      version: this.version,
      uptimeMs: performance.now() - this.#startedAt,
      lagSeconds,
      statuses,
      messages: this.#relay.messages,
      integrationsMax: this.#settings.limits.metric_integrations,
      hide: (text) => this.secrets.redact(text),
      integrations: await this.#integrations(),
      process: this.#options.processStats?.(),
    }, format);
    return { text, type: METRIC_TYPES[format] };
  }
}

/** Why unreferenced: the timer must not keep the process alive; `close` writes the remaining data. */
function after(ms: number, run: () => void): void {
  const timer = setTimeout(run, ms);
  if (typeof timer === "object" && "unref" in timer) timer.unref();
}
