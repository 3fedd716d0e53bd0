/** Addresses of the relay. The page is at its root, and for OBS at `overlay` and `dock` below it. */

/** What the page shows: everything, or one of the pages for OBS. */
export type PageView = "dashboard" | "overlay" | "dock";

/** Why not after `/r`: a relay may have such a name. */
const LAST_SEGMENT = /(?<!\/r)\/(overlay|dock)\/*$/;

/** The view that a path of the page means. */
export const viewAt = (pathname: string): PageView => (LAST_SEGMENT.exec(pathname)?.[1] as PageView | undefined) ?? "dashboard";

/** The path of the relay's root, with a slash at the end, for a path of the page. */
export const rootOf = (pathname: string): string => pathname.replace(LAST_SEGMENT, "").replace(/\/*$/, "/");

/** The address of a path of the relay. */
export function relayAddress(path: string): URL {
  const { origin, pathname } = location;
  return new URL(path, `${origin}${rootOf(pathname)}`);
}

/** The address of a WebSocket of the relay. */
export function relaySocketAddress(path: string): URL {
  const url = relayAddress(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
