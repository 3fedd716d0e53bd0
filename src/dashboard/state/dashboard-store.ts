/**
 * The state of the page and all that changes it. A test can create one with its own clock and transport, step it and discard it.
 *
 * Live events arrive by themselves, and so does the news that something else may have changed. That is then asked for, at most once a
 * second and while the page is visible. The list of integrations is asked for every three seconds while only its counters change.
 *
 * Invariants: D1 the state is replaced, never changed; D2 everything that was learned with a token is discarded with it; D3 after
 * `stop` nothing runs any more.
 */
import { ApiError, type ApiMethod } from "../../clients/api-client.ts";
import type { Millis } from "../../core/ids.ts";
import { isObject, type JsonObject, parseJson } from "../../core/json.ts";
import { errorText } from "../../core/text.ts";
import type { IntegrationView, Overview } from "../../core/view.ts";
import { TEXTS } from "../texts.ts";
import { sanitize } from "../lib/sanitize.ts";
import { formatRoute, type PageRoute, parseRoute } from "../lib/route.ts";
import {
  type DashboardState,
  type DialogName,
  initialState,
  pendingOf,
  type SavedView,
  type Toast,
  type TokenRefusal,
} from "./dashboard-state.ts";
import { EventFeed, filterOf, type WatchEvent } from "./event-feed.ts";
import type { DashboardPorts, Undo } from "./ports.ts";
import { RelaySession, type SessionOwner } from "./relay-session.ts";
import { RecentResults } from "./recent-results.ts";
import { nextTheme, themeOf } from "./theme.ts";
import { Traffic } from "./traffic.ts";
import { ValueHistory } from "./value-history.ts";

const TICK_MS: Millis = 1_000;
const TOAST_MS: Millis = 6_000;
const TOASTS_MAX = 4;
/** Attempts at a change while others make some, too. */
const CHANGE_ATTEMPTS = 3;

const VIEWS_MAX = 20;

/** The saved views of a stored text, which anything may have written. */
function savedViewsOf(text: string | undefined): readonly SavedView[] {
  const value = text === undefined ? undefined : parseJson(text, 8);
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).flatMap(({ name, fragment }) =>
    typeof name === "string" && typeof fragment === "string" ? [{ name, fragment: formatRoute(parseRoute(fragment)) }] : []
  ).slice(-VIEWS_MAX);
}

/** The result of a request that a person made. */
export type RequestOutcome<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly error: string };

export class DashboardStore {
  readonly feed: EventFeed = new EventFeed();
  readonly traffic: Traffic = new Traffic();
  readonly results: RecentResults = new RecentResults();
  /** Inputs and outputs of Nallely, named `in <parameter>` and `out <parameter>`. */
  readonly nallelyValues: ValueHistory = new ValueHistory();
  readonly #ports: DashboardPorts;
  readonly #listeners = new Set<() => void>();
  /** How many components show a resource, by its path. */
  readonly #viewers = new Map<string, number>();
  readonly #timers = new Set<Undo>();
  #state: DashboardState;
  #session: RelaySession | undefined;
  #cancelTick: Undo = () => {};
  #toastCount = 0;
  readonly #unsubscribe: Undo;

  constructor(ports: DashboardPorts) {
    this.#ports = ports;
    this.#state = initialState({
      theme: themeOf(ports.preferences.read("theme")),
      hasSound: ports.preferences.read("sound") === "on",
      savedViews: savedViewsOf(ports.preferences.read("views")),
      route: parseRoute(ports.address.read()),
      now: ports.clock.wallTime(),
    });
    this.feed.setFilter(filterOf(this.#state.route.params));
    const undo = [
      ports.visibility.onReturn(() => this.refreshNow()),
      ports.address.onChange(() => this.#show(parseRoute(ports.address.read()))),
    ];
    this.#unsubscribe = () => undo.forEach((run) => run());
  }

  /** Starts the clock of the page, and signs in with `token` or with the one of this tab. */
  start(token: string | undefined = this.#ports.tokens.read()): void {
    this.#tick();
    if (token !== undefined) this.signIn(token);
  }

  get state(): DashboardState {
    return this.#state;
  }

  /** Calls `listener` after each change of the state. */
  subscribe(listener: () => void): Undo {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  update(change: Partial<DashboardState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** Ends all that runs. */
  stop(): void {
    this.#session?.stop();
    this.#session = undefined;
    this.#unsubscribe();
    this.#cancelTick();
    for (const cancel of this.#timers) cancel();
    this.#listeners.clear();
  }

  /** Tries a token. If the relay refuses it, the state says so. */
  signIn(token: string): void {
    this.#ports.tokens.write(token);
    this.#reset({ session: { is: "signing_in" } });
    this.#session = new RelaySession(token, this.#ports, this.#sessionOwner());
    this.#session.start();
  }

  signOut(refusal?: TokenRefusal): void {
    this.#ports.tokens.clear();
    this.#reset({ session: { is: "signed_out", refusal } });
  }

  #reset(change: Partial<DashboardState>): void {
    this.#session?.stop();
    this.#session = undefined;
    this.feed.clear();
    this.traffic.clear();
    this.results.clear();
    this.nallelyValues.clear();
    this.update({ ...initialState({ ...this.#state, now: this.#ports.clock.wallTime() }), ...change });
  }

  #sessionOwner(): SessionOwner {
    return {
      state: () => this.#state,
      resourcePaths: () => this.#viewers.keys(),
      update: (change) => this.update(change),
      learned: (overview, integrations) => this.#learned(overview, integrations),
      event: (event, at) => this.#event(event, at),
      refused: (refusal) => this.signOut(refusal),
    };
  }

  #learned(overview: Overview | undefined, integrations: readonly IntegrationView[] | undefined): void {
    if (integrations !== undefined) this.traffic.recordCounters(integrations, this.relayNow());
    const { outputs, inputs } = (overview?.services["nallely"] ?? {}) as JsonObject;
    for (const [side, values] of [["out", outputs], ["in", inputs]] as const) {
      if (!isObject(values)) continue;
      for (const [name, value] of Object.entries(values)) {
        if (typeof value === "number") this.nallelyValues.record(`${side} ${name}`, value);
      }
    }
  }

  #event(event: WatchEvent, at: Millis): void {
    if (event.event === "action_expired") this.#tellExpired(event);
    this.feed.push(event, at);
    this.traffic.recordEvent(event, at);
    const { event: name, from_id: id, success, message } = event;
    if (name === "action_result" && typeof id === "string") {
      this.results.record(id, success === true, typeof message === "string" ? message : "", at);
    }
  }

  /** Why kept until somebody has seen it: a decision that nobody made has to be noticed. */
  #tellExpired({ action_id: id, name }: WatchEvent): void {
    const pending = pendingOf(this.#state).find((one) => one.id === id && one.is === "approval");
    if (pending === undefined) return;
    this.showToast(
      "bad",
      TEXTS.now.notApproved(sanitize(String(name), 64), sanitize(pending.names.join(", "), 80)),
      "kept",
    );
  }

  /** The relay's clock. */
  relayNow(): Millis {
    return this.#session?.now() ?? this.#ports.clock.wallTime();
  }

  /** Asks the relay again at once. */
  refreshNow(): void {
    this.#session?.refreshNow();
  }

  /** Makes a request that changes something, and refreshes. A failure is also shown as a toast. */
  async send<Body>(method: ApiMethod, path: string, body?: JsonObject): Promise<RequestOutcome<Body>> {
    const session = this.#session;
    if (session === undefined) return { ok: false, error: TEXTS.signedOut };
    try {
      return { ok: true, body: await session.api.request<Body>(method, path, body) };
    } catch (error) {
      return this.#failed(error);
    } finally {
      session.refreshNow();
    }
  }

  /** Changes what is at a path, on the basis of what is there: once more, if somebody else has changed it meanwhile. */
  async change<Body>(path: string, changeOf: (body: Body) => JsonObject): Promise<RequestOutcome<unknown>> {
    const session = this.#session;
    if (session === undefined) return { ok: false, error: TEXTS.signedOut };
    for (let left = CHANGE_ATTEMPTS;; left--) {
      try {
        const { body, etag } = await session.api.read<Body>(path);
        return { ok: true, body: await session.api.request("PATCH", path, changeOf(body), etag) };
      } catch (error) {
        if (left <= 1 || !(error instanceof ApiError) || error.fault !== "outdated") return this.#failed(error);
      } finally {
        session.refreshNow();
      }
    }
  }

  /** Reads something once. A failure is also shown as a toast. */
  async read<Body>(path: string): Promise<RequestOutcome<Body>> {
    const session = this.#session;
    if (session === undefined) return { ok: false, error: TEXTS.signedOut };
    try {
      return { ok: true, body: await session.api.request<Body>("GET", path) };
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): { readonly ok: false; readonly error: string } {
    const text = errorText(error);
    this.showToast("bad", text);
    return { ok: false, error: text };
  }

  /** Keeps the resource at a path of the API up to date in `resources` until the returned function is called. */
  viewResource(path: string): Undo {
    this.#viewers.set(path, (this.#viewers.get(path) ?? 0) + 1);
    this.#session?.readShown();
    return () => {
      const left = (this.#viewers.get(path) ?? 1) - 1;
      if (left > 0) this.#viewers.set(path, left);
      else this.#viewers.delete(path);
    };
  }

  /** Opens a panel, or one item of it. The browser's button goes back. */
  openPanel(panel: string, item = ""): void {
    const { route } = this.#state;
    if (panel !== route.panel || item !== route.item) this.#go({ ...route, panel, item }, "push");
  }

  /** Changes filters or the order. */
  setParams(params: PageRoute["params"]): void {
    const { route } = this.#state;
    this.#go({ ...route, params: { ...route.params, ...params } }, "replace");
  }

  #go(route: PageRoute, how: "push" | "replace"): void {
    this.#ports.address.write(formatRoute(route), how);
    this.#show(route);
  }

  #show(route: PageRoute): void {
    const { params } = this.#state.route;
    this.update({ route });
    if (JSON.stringify(params) !== JSON.stringify(route.params)) this.feed.setFilter(filterOf(route.params));
  }

  /** Expands the row of an integration, or collapses it. */
  toggleIntegration(id: string): void {
    const expanded = new Set(this.#state.expanded);
    if (!expanded.delete(id)) expanded.add(id);
    this.update({ expanded });
  }

  /** Opens a dialog in place of an open one, or closes it. */
  openDialog(dialog: DialogName | undefined): void {
    if (dialog !== this.#state.dialog) this.update({ dialog });
  }

  switchTheme(): void {
    const theme = nextTheme(this.#state.theme);
    this.#ports.preferences.write("theme", theme);
    this.update({ theme });
  }

  /** Saves what is shown now under a name, in place of an earlier view of that name. */
  saveView(name: string): void {
    const others = this.#state.savedViews.filter((view) => view.name !== name);
    this.#keepViews([...others, { name, fragment: formatRoute(this.#state.route) }].slice(-VIEWS_MAX));
  }

  removeView(name: string): void {
    this.#keepViews(this.#state.savedViews.filter((view) => view.name !== name));
  }

  #keepViews(savedViews: readonly SavedView[]): void {
    this.#ports.preferences.write("views", JSON.stringify(savedViews));
    this.update({ savedViews });
  }

  switchSound(): void {
    const hasSound = !this.#state.hasSound;
    this.#ports.preferences.write("sound", hasSound ? "on" : "off");
    this.update({ hasSound });
  }

  /** Shows a message for some seconds, or until it is dismissed. */
  showToast(tone: Toast["tone"], text: string, lasts: "briefly" | "kept" = "briefly"): void {
    const id = ++this.#toastCount;
    this.update({ toasts: [...this.#state.toasts, { id, tone, text }].slice(-TOASTS_MAX) });
    if (lasts === "kept") return;
    const cancel = this.#ports.clock.later(TOAST_MS, () => {
      this.#timers.delete(cancel);
      this.dismissToast(id);
    });
    this.#timers.add(cancel);
  }

  dismissToast(id: number): void {
    this.update({ toasts: this.#state.toasts.filter((toast) => toast.id !== id) });
  }

  #tick(): void {
    this.#cancelTick = this.#ports.clock.later(TICK_MS, () => {
      this.#tick();
      if (this.#state.session.is === "signed_out" || !this.#ports.visibility.isVisible()) return;
      this.update({ now: this.relayNow() });
    });
  }
}
