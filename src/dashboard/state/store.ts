/** What the page knows: one state, replaced piece by piece, and those who look at a piece of it. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import type {
  AuditView,
  DeadLetterView,
  IntegrationDetail,
  IntegrationView,
  Overview,
  QueueView,
} from "../../core/view.ts";
import { type Theme, theme } from "./theme.ts";
import type { LiveState } from "./live-events.ts";

/** Which of the panels is open; on a wide screen the first two are always there. */
export type PanelName = "now" | "integrations" | "feed" | "queue" | "brain" | "nallely" | "audit" | "tools";

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: string;
}

export interface DashboardState {
  /** `out`: nobody has signed in; `trying`: the token is being tried. */
  readonly session: "out" | "trying" | "in";
  /** Why the sign-in form is there again. */
  readonly refusal: string | undefined;
  readonly live: LiveState;
  readonly lostAt: number | undefined;
  /** The last request that failed, where the last one did. */
  readonly requestError: string | undefined;
  readonly overview: Overview | undefined;
  readonly integrations: readonly IntegrationView[] | undefined;
  readonly details: ReadonlyMap<string, IntegrationDetail>;
  readonly queue: readonly QueueView[] | undefined;
  readonly deadLetters: readonly DeadLetterView[] | undefined;
  readonly audit: readonly AuditView[] | undefined;
  readonly panel: PanelName;
  readonly expanded: ReadonlySet<string>;
  readonly toasts: readonly Toast[];
  readonly isHelpOpen: boolean;
  readonly theme: Theme;
  /** The relay's clock, to the second. */
  readonly now: number;
}

const BLANK: DashboardState = {
  session: "out",
  refusal: undefined,
  live: "connecting",
  lostAt: undefined,
  requestError: undefined,
  overview: undefined,
  integrations: undefined,
  details: new Map(),
  queue: undefined,
  deadLetters: undefined,
  audit: undefined,
  panel: "feed",
  expanded: new Set(),
  toasts: [],
  isHelpOpen: false,
  theme: theme(),
  now: Date.now(),
};

export class Store {
  #state: DashboardState = BLANK;
  readonly #watchers = new Set<() => void>();

  get state(): DashboardState {
    return this.#state;
  }

  set(change: Partial<DashboardState>): void {
    this.#state = { ...this.#state, ...change };
    for (const look of this.#watchers) look();
  }

  /** Everything that was learned with a token goes with it. */
  reset(change: Partial<DashboardState>): void {
    this.set({ ...BLANK, theme: theme(), ...change });
  }

  subscribe(look: () => void): () => void {
    this.#watchers.add(look);
    return () => void this.#watchers.delete(look);
  }
}

/** The one store of the page. */
export const store: Store = new Store();

/** A piece of the state; the component is drawn again when it becomes another. */
export function useStore<Piece>(pick: (state: DashboardState) => Piece): Piece {
  const [, draw] = useState(0);
  const piece = pick(store.state);
  const drawn = useRef({ pick, piece });
  // Why each time: what is picked may depend on what the component was given last.
  drawn.current = { pick, piece };
  useLayoutEffect(() =>
    store.subscribe(() => {
      const { pick: again, piece: before } = drawn.current;
      if (!Object.is(again(store.state), before)) draw((times) => times + 1);
    }), []);
  return piece;
}

/** The relay has no Intermediary, by which live events come. */
export const isWithoutEvents = (overview: Overview | undefined): boolean =>
  overview !== undefined && overview.services["intermediary"] === undefined;

/** The relay was here and is not; without live events that shows by its answers only. */
export function isDisconnected({ live, lostAt, requestError, overview }: DashboardState): boolean {
  if (isWithoutEvents(overview)) return requestError !== undefined;
  return live !== "open" && lostAt !== undefined;
}

/** Why the token does not allow what needs one of these scopes; undefined when it does. */
export function useMissingScope(...scopes: readonly string[]): string | undefined {
  const given = useStore(({ overview }) => overview?.scopes);
  if (given?.some((scope) => scopes.includes(scope)) === true) return undefined;
  return `Your token lacks the scope ${scopes.map((scope) => `“${scope}”`).join(" or ")}.`;
}
