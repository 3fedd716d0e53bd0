/**
 * The relay as this page sees it: live events come in by themselves, the rest is asked for about once a second while something
 * happens and somebody looks, and more seldom while nothing does.
 */
import { useLayoutEffect } from "hono/jsx/dom";
import { ApiClient, ApiError, inPath } from "../../clients/api.ts";
import type { JsonObject } from "../../core/json.ts";
import type {
  AuditView,
  DeadLetterView,
  IntegrationDetail,
  IntegrationView,
  Overview,
  Page,
  QueueView,
} from "../../core/view.ts";
import { EventFeed, type WatchEvent } from "./event-feed.ts";
import { CounterRate, SecondCounts } from "./rates.ts";
import { LiveEvents, type LiveState } from "./live-events.ts";
import { relayAddress } from "../lib/address.ts";
import { type DashboardState, type PanelName, store, useStore } from "./store.ts";
import { forgetToken, storeToken } from "./token-storage.ts";

const EVERY_MS = 1_000;
const IDLE_MS = 5_000;
const SOON_MS = 120;
const DETAILS_MAX = 20;
/** Seconds of the charts. */
export const CHART_S = 300;
/** Seconds of the small ones. */
export const SPARK_S = 60;
const NOTICE_MS = 6_000;

/** The feed of this page. */
export const feed: EventFeed = new EventFeed();
/** How often things happen: all events, and the actions among them. */
export const events: SecondCounts = new SecondCounts(CHART_S + 10);
const actionCounter = new CounterRate(CHART_S + 10);
export const actions: SecondCounts = actionCounter.perSecond;
/** How busy each integration is, by its id. */
export const activityRates: Map<string, CounterRate> = new Map();

let api: ApiClient | undefined;
let live: LiveEvents | undefined;
/** How far the relay's clock is ahead of this one's. */
let ahead = 0;
let isDirty = true;
let isAsking = false;
let askedAt = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;
/** From then on the relay's own counters say how many actions there were: of a busy one not every event comes. */
let countedFrom = Infinity;
let failures = 0;
let notices = 0;

/** The relay's clock. */
export const relayNow = (): number => Date.now() + ahead;

/** Tries a token; what is wrong with it is shown with the form. */
export function signIn(token: string): void {
  live?.stop();
  feed.clear();
  events.clear();
  actionCounter.clear();
  countedFrom = Infinity;
  activityRates.clear();
  texts.clear();
  storeToken(token);
  api = new ApiClient({ url: relayAddress("").href, token });
  const panel = store.state.panel;
  store.reset({ session: "trying", panel });
  live = new LiveEvents(token, { state: liveState, event: handleEvent });
  live.connect();
  failures = 0;
  scheduleRefresh();
}

export function signOut(refusal?: string): void {
  live?.stop();
  live = undefined;
  api = undefined;
  clearTimeout(timer);
  forgetToken();
  store.reset({ session: "out", refusal });
}

function liveState(is: LiveState, why?: string): void {
  if (is === "refused") return signOut(`The relay says: ${why ?? "invalid auth token"}.`);
  const { lostAt } = store.state;
  store.set({ live: is, lostAt: is === "open" ? undefined : is === "lost" ? lostAt ?? Date.now() : lostAt });
  if (is === "open") scheduleRefresh();
}

function handleEvent(event: WatchEvent): void {
  const at = event.at ?? relayNow();
  feed.push(event, at);
  events.add(at, event.event === "gap" && typeof event.missed === "number" ? event.missed : 1);
  if (event.event === "action_sent" && at < countedFrom) actions.add(at);
  if (isDirty) return;
  isDirty = true;
  reschedule();
}

/** Asks again at once: a person has done something. */
export function scheduleRefresh(): void {
  isDirty = true;
  askedAt = -Infinity;
  clearTimeout(timer);
  timer = undefined;
  plan();
}

function plan(): void {
  if (timer !== undefined || api === undefined) return;
  const wait = Math.max(SOON_MS, askedAt + (isDirty ? EVERY_MS : IDLE_MS) - performance.now());
  timer = setTimeout(() => void ask(), wait);
}

/** Why so: while nothing happens the next look is far away, and an event must bring it nearer. */
function reschedule(): void {
  clearTimeout(timer);
  timer = undefined;
  plan();
}

async function ask(): Promise<void> {
  timer = undefined;
  const current = api;
  if (current === undefined || isAsking) return;
  if (document.hidden) return;
  isAsking = true;
  isDirty = false;
  askedAt = performance.now();
  try {
    await refresh(current);
    if (api === current) succeed();
  } catch (error) {
    if (api === current) fail(error);
  } finally {
    isAsking = false;
    reschedule(); // Why also for another token: who signed in meanwhile waited for this to end.
  }
}

function succeed(): void {
  failures = 0;
  if (store.state.requestError !== undefined || store.state.session !== "in") {
    store.set({ requestError: undefined, session: "in" });
  }
}

function fail(error: unknown): void {
  const { status, message } = error instanceof ApiError ? error : new ApiError(String(error), { status: -1 });
  if (status === 401 || status === 403) {
    return signOut(`The relay says: ${message}.`);
  }
  if (status === 0 && ++failures >= 2 && store.state.live === "open") live?.verify();
  store.set({ requestError: message });
}

async function refresh(current: ApiClient): Promise<void> {
  const overview = await current.ask<Overview>("GET", "overview");
  // Why in this order: a room that is not there has nothing to be asked for.
  const integrations = overview.services.neuro === undefined
    ? []
    : await Array.fromAsync(current.list<IntegrationView>("integrations"));
  if (api !== current) return;
  ahead = overview.now - Date.now();
  countedFrom = Math.min(countedFrom, overview.now);
  actionCounter.record(integrations.reduce((sum, { counts }) => sum + counts.actions, 0), overview.now);
  const known = new Set(integrations.map(({ id }) => id));
  for (const id of activityRates.keys()) if (!known.has(id)) activityRates.delete(id);
  for (const { id, counts } of integrations) {
    const counter = activityRates.get(id) ?? new CounterRate(SPARK_S + 10);
    activityRates.set(id, counter);
    counter.record(counts.actions + counts.contexts + counts.forces, overview.now);
  }
  store.set({ ...changedOnly({ overview, integrations }), now: relayNow() });
  await lookCloser(current);
}

/** What is asked for only while it is to be seen. */
async function lookCloser(current: ApiClient): Promise<void> {
  const found = await Promise.all([...wanted.keys()].slice(0, DETAILS_MAX).map((id) => detail(current, id)));
  const details = new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])));
  const change = await panelChange(current, store.state);
  if (api === current) store.set(changedOnly({ details, ...change }));
}

/** Who looks at the details of an integration, by its id. */
const wanted: Map<string, number> = new Map();

/** An integration with everything that it offers, as long as somebody looks. */
export function useDetail(id: string): IntegrationDetail | undefined {
  useLayoutEffect(() => {
    wanted.set(id, (wanted.get(id) ?? 0) + 1);
    scheduleRefresh();
    return () => {
      const left = (wanted.get(id) ?? 1) - 1;
      if (left > 0) wanted.set(id, left);
      else wanted.delete(id);
    };
  }, [id]);
  return useStore(({ details }) => details.get(id));
}

async function detail(current: ApiClient, id: string): Promise<IntegrationDetail | undefined> {
  try {
    return await current.ask<IntegrationDetail>("GET", `integrations/${inPath(id)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

async function panelChange(current: ApiClient, { panel, overview }: DashboardState): Promise<Partial<DashboardState>> {
  if (overview?.services["intermediary"] === undefined) return { queue: [], deadLetters: [], audit: [] };
  switch (panel) {
    case "queue": {
      const [queue, dead] = await Promise.all([
        current.ask<Page<QueueView>>("GET", "queue?limit=500"),
        current.ask<Page<DeadLetterView>>("GET", "dead-letters?limit=500"),
      ]);
      return { queue: queue.items, deadLetters: dead.items };
    }
    case "audit": {
      const { items } = await current.ask<Page<AuditView>>("GET", "audit?limit=200");
      return { audit: items };
    }
    default:
      return {};
  }
}

const texts = new Map<string, string>();

/** Why: what is the same as before is not drawn again. */
function changedOnly(change: Partial<DashboardState>): Partial<DashboardState> {
  const entries = Object.entries(change).filter(([name, value]) => {
    const text = JSON.stringify(value instanceof Map ? [...value] : value);
    const isOld = texts.get(name) === text && store.state[name as keyof DashboardState] !== undefined;
    texts.set(name, text);
    return !isOld;
  });
  return Object.fromEntries(entries);
}

/** Another panel; what it shows is asked for at once. */
export function openPanel(panel: PanelName): void {
  if (panel === store.state.panel) return;
  store.set({ panel });
  scheduleRefresh();
}

/** Opens the details of an integration, or closes them. */
export function toggleIntegration(id: string): void {
  const expanded = new Set(store.state.expanded);
  if (!expanded.delete(id)) expanded.add(id);
  store.set({ expanded });
}

/** Does something on the relay. The failure is shown, and returned; what changed is asked for at once. */
export async function sendCommand<Body>(
  method: "POST" | "PATCH" | "DELETE",
  path: string,
  body?: JsonObject,
): Promise<{ readonly body: Body } | { readonly error: string }> {
  const current = api;
  if (current === undefined) return { error: "nobody is signed in" };
  try {
    return { body: await current.ask<Body>(method, path, body) };
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    showToast("bad", message);
    return { error: message };
  } finally {
    scheduleRefresh();
  }
}

/** Reads something once. */
export async function read<Body>(path: string): Promise<Body | undefined> {
  try {
    return await api?.ask<Body>("GET", path);
  } catch (error) {
    showToast("bad", error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Says something in passing. */
export function showToast(tone: "good" | "bad", text: string): void {
  const id = ++notices;
  store.set({ toasts: [...store.state.toasts.slice(-3), { id, tone, text }] });
  setTimeout(() => dismissToast(id), NOTICE_MS);
}

export function dismissToast(id: number): void {
  store.set({ toasts: store.state.toasts.filter((notice) => notice.id !== id) });
}

/** The clock of the page, and the asking that goes with it. */
export function start(): void {
  setInterval(() => {
    if (document.hidden || store.state.session === "out") return;
    store.set({ now: relayNow() });
  }, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) scheduleRefresh();
  });
}
