/** The state of the page, as one immutable value, and the values derived from it. */
import type { Millis } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { IntegrationView, Overview, PendingView, UpstreamView } from "../../core/view.ts";
import type { PageRoute } from "../lib/route.ts";
import type { Theme } from "./theme.ts";

/** Why the relay did not accept a token. */
export type TokenRefusal = "invalid" | "not_allowed";

export type SignInState =
  | { readonly is: "signed_out"; readonly refusal: TokenRefusal | undefined }
  /** The token has not been confirmed by an answer yet. */
  | { readonly is: "signing_in" }
  | { readonly is: "signed_in" };

/** The connection on which live events arrive. */
export type EventStream =
  | { readonly is: "connecting" }
  | { readonly is: "open" }
  /** Waits before the next attempt. */
  | { readonly is: "lost"; readonly since: Millis }
  | { readonly is: "reconnecting"; readonly since: Millis };

/** A view that a person has saved. `fragment`: its address. */
export interface SavedView {
  readonly name: string;
  readonly fragment: string;
}

/** The dialogs. At most one is open. */
export type DialogName = "help" | "connect" | "watchers";

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: string;
}

export interface DashboardState {
  readonly session: SignInState;
  readonly events: EventStream;
  /** Why the last refresh failed; undefined after one that succeeded. */
  readonly requestError: string | undefined;
  readonly overview: Overview | undefined;
  readonly integrations: readonly IntegrationView[] | undefined;
  /** What visible components show of the API beyond that, by path; null if the relay has nothing there. */
  readonly resources: ReadonlyMap<string, Json>;
  /** What is shown, as in the address of the page. */
  readonly route: PageRoute;
  /** Ids of the integrations whose rows are expanded. */
  readonly expanded: ReadonlySet<string>;
  readonly toasts: readonly Toast[];
  readonly dialog: DialogName | undefined;
  /** New questions and approvals are announced by a sound. */
  readonly hasSound: boolean;
  readonly savedViews: readonly SavedView[];
  readonly theme: Theme;
  /** The relay's clock, updated once a second. */
  readonly now: Millis;
}

/** The state before anybody has signed in. */
export const initialState = (
  { theme, hasSound, savedViews, route, now }: Pick<
    DashboardState,
    "theme" | "hasSound" | "savedViews" | "route" | "now"
  >,
): DashboardState => ({
  session: { is: "signed_out", refusal: undefined },
  events: { is: "connecting" },
  requestError: undefined,
  overview: undefined,
  integrations: undefined,
  resources: new Map(),
  route,
  expanded: new Set(),
  toasts: [],
  dialog: undefined,
  hasSound,
  savedViews,
  theme,
  now,
});

/** True for a relay without an Intermediary: live events need it. */
export const hasNoEvents = (overview: Overview | undefined): boolean =>
  overview !== undefined && overview.services["intermediary"] === undefined;

/** Since when the relay has been unreachable; undefined while it is reachable, or before the first connection. */
export function lostSince({ events, overview }: DashboardState): Millis | undefined {
  if (hasNoEvents(overview)) return undefined;
  return events.is === "lost" || events.is === "reconnecting" ? events.since : undefined;
}

/** True when the relay was connected and no longer answers. Without live events only failing requests show that. */
export function isDisconnected(state: DashboardState): boolean {
  return hasNoEvents(state.overview) ? state.requestError !== undefined : lostSince(state) !== undefined;
}

/** The links to Neuro, or the relay in her place. */
export const upstreamsOf = ({ overview }: DashboardState): readonly UpstreamView[] =>
  overview?.services.neuro?.upstreams ?? NONE;

const NONE: readonly UpstreamView[] = [];

/** The actions without a result. */
export const pendingOf = (state: DashboardState): readonly PendingView[] =>
  upstreamsOf(state).flatMap(({ pending }) => pending);

/** How many actions wait for approval. */
export const countApprovals = (state: DashboardState): number =>
  pendingOf(state).filter(({ is }) => is === "approval").length;

/** True while everything is stopped. */
export const isStopped = ({ overview }: DashboardState): boolean => overview?.services.neuro?.controls.stopped === true;

interface QueueCounts {
  readonly entries?: number;
  readonly dead?: number;
}

/** Why the cast: the status of a service other than Neuro has no declared shape. */
const queueCounts = ({ overview }: DashboardState): QueueCounts =>
  (overview?.services["intermediary"] as { readonly queue?: QueueCounts } | undefined)?.queue ?? {};

/** Messages that wait for their recipients. */
export const countQueued = (state: DashboardState): number => queueCounts(state).entries ?? 0;

export const countDeadLetters = (state: DashboardState): number => queueCounts(state).dead ?? 0;
