/**
 * One signed-in session: everything that the page learns with one token. It is discarded with the token, so nothing that was asked
 * with an old token reaches the state of a new one.
 *
 * The relay says which services may show something else (`LiveEvents.changed`), and only what shows them is read again. What no service
 * reports, such as the use of tokens, is read every `POLL_INTERVAL_MS` while it is shown, and everything while live events are away.
 *
 * Invariants: S1 after `stop` the owner hears nothing; S2 a value that did not change keeps its identity in the state, so that nothing
 * is drawn again; S3 what the page shows is read again after `CHECK_INTERVAL_MS` at the latest, whatever the relay reports.
 */
import { ApiError } from "../../clients/api-client.ts";
import type { Millis } from "../../core/ids.ts";
import { SERVICE_NAMES, type ServiceName } from "../../core/service.ts";
import type { IntegrationView, Overview } from "../../core/view.ts";
import { servicesOf } from "../lib/view-services.ts";
import type { DashboardState, TokenRefusal } from "./dashboard-state.ts";
import type { WatchEvent } from "./event-feed.ts";
import { LiveEvents } from "./live-events.ts";
import type { DashboardApi, DashboardPorts } from "./ports.ts";
import { RefreshSchedule } from "./refresh-schedule.ts";
import { RelayQueries } from "./relay-queries.ts";

/** The store, as its session sees it. */
export interface SessionOwner {
  state(): DashboardState;
  /** Paths of the resources that visible components show. */
  resourcePaths(): Iterable<string>;
  update(change: Partial<DashboardState>): void;
  /** What was read, if it was read and has changed. */
  learned(overview: Overview | undefined, integrations: readonly IntegrationView[] | undefined): void;
  event(event: WatchEvent, at: Millis): void;
  refused(refusal: TokenRefusal): void;
}

/** Between two refreshes of what nobody reports. */
export const POLL_INTERVAL_MS: Millis = 5_000;
/** Between two refreshes of everything. Only what has changed is transferred. */
export const CHECK_INTERVAL_MS: Millis = 30_000;

/** A list of integrations of which only counters can have changed is this old at most. */
export const LIST_INTERVAL_MS: Millis = 3_000;

/** Events that change nothing of an integration but its counters. They are the most frequent ones. */
const COUNTED: ReadonlySet<string> = new Set([
  "add_context",
  "action_sent",
  "action_result",
  "backend_message",
  "choose_action",
  "force_opened",
  "force_ended",
  "integration_message",
  "message_delivered",
  "message_queued",
  "trace_ended",
]);

/** The page's clock is corrected when it differs from the relay's by more than this. */
const CLOCK_ERROR_MS: Millis = 1_500;

/** After this many requests in a row without an answer, the live connection is checked, too. */
const FAILURES_MAX = 2;

export class RelaySession {
  readonly api: DashboardApi;
  readonly #clock: DashboardPorts["clock"];
  readonly #owner: SessionOwner;
  readonly #live: LiveEvents;
  readonly #schedule: RefreshSchedule;
  readonly #queries: RelayQueries;
  #isStopped = false;
  /** The services that have changed since they were read, and when everything was read. */
  #changed = new Set<ServiceName>(SERVICE_NAMES);
  #readAt: Millis = -Infinity;
  /** When the list of integrations was read, and what may have changed since. */
  #listedAt: Millis = -Infinity;
  #list: "current" | "counters" | "stale" = "stale";
  #failures = 0;
  /** How far the relay's clock is ahead of the page's. */
  #offset: Millis = 0;

  constructor(token: string, ports: DashboardPorts, owner: SessionOwner) {
    this.api = ports.openApi(token);
    this.#clock = ports.clock;
    this.#owner = owner;
    this.#queries = new RelayQueries(this.api);
    this.#schedule = new RefreshSchedule(ports, { refresh: () => this.#refresh(), idleMs: () => this.#idleMs() });
    this.#live = new LiveEvents(token, ports, {
      connecting: () => this.#connecting(),
      open: () => this.#connected(),
      lost: () => this.#lost(),
      refused: (refusal) => owner.refused(refusal),
      event: (event) => this.#event(event),
      changed: (services) => this.#changes(services),
    });
  }

  start(): void {
    this.#live.start();
    this.refreshNow();
  }

  stop(): void {
    this.#isStopped = true;
    this.#schedule.stop();
    this.#live.stop();
  }

  /** Reads everything again at once: a person did something. */
  refreshNow(): void {
    this.#readAt = -Infinity;
    this.#list = "stale";
    this.#schedule.refreshNow();
  }

  /** Reads at once what is shown from now on. */
  readShown(): void {
    this.#schedule.refreshNow();
  }

  /** The relay's clock. */
  now(): Millis {
    return this.#clock.wallTime() + this.#offset;
  }

  #connecting(): void {
    const { events } = this.#owner.state();
    this.#owner.update({
      events: events.is === "lost" ? { is: "reconnecting", since: events.since } : { is: "connecting" },
    });
  }

  #connected(): void {
    this.#owner.update({ events: { is: "open" } });
    this.refreshNow();
  }

  #lost(): void {
    const { events } = this.#owner.state();
    const since = events.is === "lost" || events.is === "reconnecting" ? events.since : this.#clock.wallTime();
    this.#owner.update({ events: { is: "lost", since } });
  }

  #event(event: WatchEvent): void {
    this.#owner.event(event, event.at ?? this.now());
    if (!COUNTED.has(event.event)) this.#list = "stale";
  }

  #changes(services: readonly ServiceName[]): void {
    for (const service of services) this.#changed.add(service);
    if (services.length > 0) this.#schedule.scheduleRefresh();
  }

  get #isLive(): boolean {
    return this.#owner.state().events.is === "open";
  }

  /** When something has to be read next although nothing is reported. */
  #idleMs(): Millis {
    const sinceList = this.#clock.now() - this.#listedAt;
    if (this.#isLive && this.#list === "counters") return Math.max(0, LIST_INTERVAL_MS - sinceList);
    // Why: the last refresh failed.
    if (this.#readAt === -Infinity) return POLL_INTERVAL_MS;
    const isReported = [...this.#owner.resourcePaths()].every((path) => servicesOf(path) !== undefined);
    return this.#isLive && isReported ? CHECK_INTERVAL_MS : POLL_INTERVAL_MS;
  }

  async #refresh(): Promise<void> {
    const isCheck = !this.#isLive || this.#clock.now() - this.#readAt >= CHECK_INTERVAL_MS;
    const changed = new Set(isCheck ? SERVICE_NAMES : this.#changed);
    this.#changed.clear();
    if (isCheck) this.#readAt = this.#clock.now();
    if (changed.has("neuro") && this.#list === "current") this.#list = "counters";
    try {
      await this.#readState(changed);
      const isStale = (path: string): boolean =>
        isCheck || servicesOf(path)?.some((service) => changed.has(service)) !== false;
      const resources = await this.#queries.resources(this.#owner.resourcePaths(), isStale);
      if (this.#isStopped) return;
      this.#failures = 0;
      const { session, resources: before } = this.#owner.state();
      this.#update({
        resources: isSame(before, resources) ? before : resources,
        requestError: undefined,
        session: session.is === "signed_in" ? session : { is: "signed_in" },
      });
    } catch (error) {
      this.#readAt = -Infinity;
      if (!this.#isStopped) this.#failed(error);
    }
  }

  /** Reads the overview and the list of integrations, as far as they may have changed. */
  async #readState(changed: ReadonlySet<ServiceName>): Promise<void> {
    if (changed.size === 0 && this.#list === "current") return;
    const { overview: before } = this.#owner.state();
    const overview = changed.size === 0 && before !== undefined ? before : await this.#queries.overview();
    const integrations = await this.#readList(overview);
    if (this.#isStopped) return;
    if (overview !== before) this.#offset = overview.now - this.#clock.wallTime();
    this.#owner.learned(overview === before ? undefined : overview, integrations);
    const { now } = this.#owner.state();
    this.#update({
      overview,
      ...(integrations !== undefined && { integrations }),
      now: Math.abs(this.now() - now) > CLOCK_ERROR_MS ? this.now() : now,
    });
  }

  /** Undefined if the list that is known is recent enough. Why: it is by far the largest reply of a relay with many integrations. */
  async #readList(overview: Overview): Promise<readonly IntegrationView[] | undefined> {
    const now = this.#clock.now();
    if (this.#list === "current" || (this.#list === "counters" && now - this.#listedAt < LIST_INTERVAL_MS)) {
      return undefined;
    }
    this.#list = "current";
    this.#listedAt = now;
    try {
      return await this.#queries.integrations(overview);
    } catch (error) {
      this.#list = "stale";
      throw error;
    }
  }

  /** Changes the state, unless all of this is in it. */
  #update(change: Partial<DashboardState>): void {
    const state = this.#owner.state();
    const isNew = Object.entries(change).some(([name, value]) => state[name as keyof DashboardState] !== value);
    if (isNew) this.#owner.update(change);
  }

  #failed(error: unknown): void {
    const { status, message } = error instanceof ApiError ? error : new ApiError(String(error), { status: -1 });
    if (status === 401) return this.#owner.refused("invalid");
    if (status === 403) return this.#owner.refused("not_allowed");
    if (status === 0 && ++this.#failures >= FAILURES_MAX && this.#owner.state().events.is === "open") this.#live.verify();
    this.#owner.update({ requestError: message });
  }
}

const isSame = (before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): boolean =>
  before.size === now.size && [...now].every(([path, value]) => before.has(path) && before.get(path) === value);
