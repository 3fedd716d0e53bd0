/**
 * One signed-in session: everything that the page learns with one token. It is discarded with the token, so nothing that was asked
 * with an old token reaches the state of a new one.
 *
 * Invariants: S1 after `stop` the owner hears nothing; S2 a value that did not change keeps its identity in the state, so that nothing
 * is drawn again.
 */
import { ApiError } from "../../clients/api-client.ts";
import type { Millis } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { IntegrationView, Overview } from "../../core/view.ts";
import type { DashboardState, TokenRefusal } from "./dashboard-state.ts";
import type { WatchEvent } from "./event-feed.ts";
import { LiveEvents } from "./live-events.ts";
import type { DashboardApi, DashboardPorts } from "./ports.ts";
import { RefreshSchedule } from "./refresh-schedule.ts";
import { readIntegrations, readOverview, readResources } from "./relay-queries.ts";

/** The store, as its session sees it. */
export interface SessionOwner {
  state(): DashboardState;
  /** Paths of the resources that visible components show. */
  resourcePaths(): Iterable<string>;
  update(change: Partial<DashboardState>): void;
  /** All counters of the relay, at one instant; `integrations` if they were read, too. */
  learned(overview: Overview, integrations: readonly IntegrationView[] | undefined): void;
  event(event: WatchEvent, at: Millis): void;
  refused(refusal: TokenRefusal): void;
}

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

/** After this many requests in a row without an answer, the live connection is checked, too. */
const FAILURES_MAX = 2;

export class RelaySession {
  readonly api: DashboardApi;
  readonly #clock: DashboardPorts["clock"];
  readonly #owner: SessionOwner;
  readonly #live: LiveEvents;
  readonly #schedule: RefreshSchedule;
  /** The JSON of what is in the state: of the overview by name, of resources by path. */
  readonly #json = new Map<string, string>();
  #isStopped = false;
  /** When the list of integrations was read, and whether it may have changed since beyond its counters. */
  #listedAt: Millis = -Infinity;
  #isListStale = true;
  #failures = 0;
  /** How far the relay's clock is ahead of the page's. */
  #offset: Millis = 0;

  constructor(token: string, ports: DashboardPorts, owner: SessionOwner) {
    this.api = ports.openApi(token);
    this.#clock = ports.clock;
    this.#owner = owner;
    this.#schedule = new RefreshSchedule(ports, () => this.#refresh());
    this.#live = new LiveEvents(token, ports, {
      connecting: () => this.#connecting(),
      open: () => this.#connected(),
      lost: () => this.#lost(),
      refused: (refusal) => owner.refused(refusal),
      event: (event) => this.#event(event),
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

  /** Refreshes at once: a person did something. */
  refreshNow(): void {
    this.#isListStale = true;
    this.#schedule.refreshNow();
  }

  /** Refreshes, but not more often than when the relay reports changes. */
  refreshSoon(): void {
    this.#schedule.scheduleRefresh();
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
    if (!COUNTED.has(event.event)) this.#isListStale = true;
    this.#schedule.scheduleRefresh();
  }

  async #refresh(): Promise<void> {
    try {
      const overview = await readOverview(this.api);
      const integrations = await this.#readList(overview);
      if (this.#isStopped) return;
      this.#offset = overview.now - this.#clock.wallTime();
      this.#owner.learned(overview, integrations);
      this.#owner.update({
        ...this.#changedOnly({ overview }),
        ...(integrations !== undefined && this.#changedList(integrations)),
        now: this.now(),
      });
      const resources = await readResources(this.api, this.#owner.resourcePaths());
      if (this.#isStopped) return;
      this.#failures = 0;
      const { session, requestError } = this.#owner.state();
      this.#owner.update({
        ...this.#changedResources(resources),
        ...(requestError !== undefined && { requestError: undefined }),
        ...(session.is !== "signed_in" && { session: { is: "signed_in" } }),
      });
    } catch (error) {
      if (!this.#isStopped) this.#failed(error);
    }
  }

  /** Undefined if the list that is known is recent enough. Why: it is by far the largest reply of a relay with many integrations. */
  async #readList(overview: Overview): Promise<readonly IntegrationView[] | undefined> {
    const now = this.#clock.now();
    if (!this.#isListStale && now - this.#listedAt < LIST_INTERVAL_MS) return undefined;
    this.#isListStale = false;
    this.#listedAt = now;
    try {
      return await readIntegrations(this.api, overview);
    } catch (error) {
      this.#isListStale = true;
      throw error;
    }
  }

  /** Why each by itself: only the rows of integrations that changed are drawn again. */
  #changedList(read: readonly IntegrationView[]): Partial<DashboardState> {
    const before = new Map((this.#owner.state().integrations ?? []).map((one) => [one.id, one]));
    const integrations = read.map((one) => {
      const known = before.get(one.id);
      return known !== undefined && JSON.stringify(known) === JSON.stringify(one) ? known : one;
    });
    const isSame = this.#owner.state().integrations?.length === read.length &&
      integrations.every((one, index) => one === this.#owner.state().integrations?.[index]);
    return isSame ? {} : { integrations };
  }

  #failed(error: unknown): void {
    const { status, message } = error instanceof ApiError ? error : new ApiError(String(error), { status: -1 });
    if (status === 401) return this.#owner.refused("invalid");
    if (status === 403) return this.#owner.refused("not_allowed");
    if (status === 0 && ++this.#failures >= FAILURES_MAX && this.#owner.state().events.is === "open") this.#live.verify();
    this.#owner.update({ requestError: message });
  }

  /** Why each by itself: a component is drawn again only if its own resource changed. */
  #changedResources(read: ReadonlyMap<string, Json>): Partial<DashboardState> {
    const before = this.#owner.state().resources;
    const texts = new Map([...read].map(([path, value]) => [path, JSON.stringify(value)]));
    const isSame = (path: string): boolean => before.has(path) && this.#json.get(path) === texts.get(path);
    const paths = [...read.keys()];
    const isUnchanged = before.size === read.size && paths.every(isSame);
    const resources = new Map([...read].map(([path, value]) => [path, isSame(path) ? before.get(path) ?? null : value]));
    for (const path of before.keys()) this.#json.delete(path);
    for (const [path, text] of texts) this.#json.set(path, text);
    return isUnchanged ? {} : { resources };
  }

  #changedOnly(change: Partial<DashboardState>): Partial<DashboardState> {
    const entries = Object.entries(change).filter(([name, value]) => {
      const json = JSON.stringify(value);
      const isUnchanged = this.#json.get(name) === json;
      this.#json.set(name, json);
      return !isUnchanged;
    });
    return Object.fromEntries(entries);
  }
}
