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
import type { LiveState } from "./live.ts";

/** Which of the panels is open; on a wide screen the first two are always there. */
export type Panel = "now" | "integrations" | "feed" | "queue" | "brain" | "nallely" | "audit" | "tools";

export interface Notice {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: string;
}

export interface State {
  /** `out`: nobody has signed in; `trying`: the token is being tried. */
  readonly session: "out" | "trying" | "in";
  /** Why the sign-in form is there again. */
  readonly refusal: string | undefined;
  readonly live: LiveState;
  readonly lostAt: number | undefined;
  /** The last request that failed, where the last one did. */
  readonly trouble: string | undefined;
  readonly overview: Overview | undefined;
  readonly integrations: readonly IntegrationView[] | undefined;
  readonly details: ReadonlyMap<string, IntegrationDetail>;
  readonly queue: readonly QueueView[] | undefined;
  readonly dead: readonly DeadLetterView[] | undefined;
  readonly audit: readonly AuditView[] | undefined;
  readonly panel: Panel;
  readonly opened: ReadonlySet<string>;
  readonly notices: readonly Notice[];
  readonly help: boolean;
  readonly theme: Theme;
  /** The relay's clock, to the second. */
  readonly now: number;
}

const BLANK: State = {
  session: "out",
  refusal: undefined,
  live: "connecting",
  lostAt: undefined,
  trouble: undefined,
  overview: undefined,
  integrations: undefined,
  details: new Map(),
  queue: undefined,
  dead: undefined,
  audit: undefined,
  panel: "feed",
  opened: new Set(),
  notices: [],
  help: false,
  theme: theme(),
  now: Date.now(),
};

export class Store {
  #state: State = BLANK;
  readonly #watchers = new Set<() => void>();

  get state(): State {
    return this.#state;
  }

  set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const look of this.#watchers) look();
  }

  /** Everything that was learned with a token goes with it. */
  reset(change: Partial<State>): void {
    this.set({ ...BLANK, theme: theme(), ...change });
  }

  watch(look: () => void): () => void {
    this.#watchers.add(look);
    return () => void this.#watchers.delete(look);
  }
}

/** The one store of the page. */
export const store: Store = new Store();

/** A piece of the state; the component is drawn again when it becomes another. */
export function useStore<Piece>(pick: (state: State) => Piece): Piece {
  const [, draw] = useState(0);
  const piece = pick(store.state);
  const drawn = useRef({ pick, piece });
  // Why each time: what is picked may depend on what the component was given last.
  drawn.current = { pick, piece };
  useLayoutEffect(() =>
    store.watch(() => {
      const { pick: again, piece: before } = drawn.current;
      if (!Object.is(again(store.state), before)) draw((times) => times + 1);
    }), []);
  return piece;
}

/** The relay has no Intermediary, by which live events come. */
export const isDeaf = (overview: Overview | undefined): boolean =>
  overview !== undefined && overview.services["intermediary"] === undefined;

/** The relay was here and is not; without live events that shows by its answers only. */
export function isAway({ live, lostAt, trouble, overview }: State): boolean {
  if (isDeaf(overview)) return trouble !== undefined;
  return live !== "open" && lostAt !== undefined;
}

/** Why the token does not allow what needs one of these scopes; undefined when it does. */
export function useRefusal(...scopes: readonly string[]): string | undefined {
  const given = useStore(({ overview }) => overview?.scopes);
  if (given?.some((scope) => scopes.includes(scope)) === true) return undefined;
  return `Your token lacks the scope ${scopes.map((scope) => `“${scope}”`).join(" or ")}.`;
}
