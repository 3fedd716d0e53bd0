/**
 * The address of a view: the part of the page's URL after `#`, such as `#/integration/chess` or `#/feed?kinds=actions&text=e4`.
 *
 * Why the fragment: the relay never sees it, and it works below any path.
 */

/** What the page shows, as far as it can be bookmarked. */
export interface PageRoute {
  /** Name of the open panel. */
  readonly panel: string;
  /** Id of the item that the panel shows; empty if it shows all. */
  readonly item: string;
  /** Filters and order, by name; those without a value are absent. They stay when another panel is opened. */
  readonly params: Readonly<Partial<Record<RouteParam, string>>>;
}

/**
 * `kinds`, `integration` and `text` filter the feed, `find` and `sort` the table of integrations, `trace_kind` and `trace_of` the traces, `said`
 * the transcript. Each other one is the order of a list (`lib/sort-list.ts`).
 */
export const ROUTE_PARAMS = [
  "kinds",
  "integration",
  "text",
  "find",
  "sort",
  "trace_kind",
  "trace_of",
  "said",
  "by_trace",
  "by_said",
  "by_act",
  "by_recipient",
  "by_dead",
  "by_relay",
  "by_node",
  "by_token",
  "by_session",
] as const;
export type RouteParam = (typeof ROUTE_PARAMS)[number];

/** The view of an address without a fragment. */
export const START: PageRoute = { panel: "now", item: "", params: {} };

/** Longer values are cut: an address can be written by anybody. */
const VALUE_MAX = 300;
const PANEL = /^[a-z_-]{1,40}$/;

/** The route of a fragment. What it does not understand it leaves out. */
export function parseRoute(fragment: string): PageRoute {
  const match = /^#?\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(fragment);
  if (match === null) return START;
  const [, panel = "", item = "", query = ""] = match;
  const given = new URLSearchParams(query);
  const params = ROUTE_PARAMS.flatMap((name) => {
    const value = given.get(name)?.slice(0, VALUE_MAX) ?? "";
    return value === "" ? [] : [[name, value] as const];
  });
  return {
    panel: PANEL.test(panel) ? panel : START.panel,
    item: decode(item).slice(0, VALUE_MAX),
    params: Object.fromEntries(params),
  };
}

/** The fragment of a route; empty for the view that opens without one. */
export function formatRoute({ panel, item, params }: PageRoute): string {
  const query = new URLSearchParams(
    ROUTE_PARAMS.flatMap((name): [string, string][] => (params[name] ? [[name, params[name]]] : [])),
  ).toString();
  if (panel === START.panel && item === "" && query === "") return "";
  return `#/${panel}${item === "" ? "" : `/${encodeURIComponent(item)}`}${query === "" ? "" : `?${query}`}`;
}

/** The address of an item of a panel, for a link. */
export const linkTo = (panel: string, item = "", params: PageRoute["params"] = {}): string =>
  formatRoute({ panel, item, params }) || "#/now";

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
