/** The path of the page: which of its views it means, and where the relay is. */

/** What the page shows: everything, or one of the pages for OBS. */
export type PageView = "dashboard" | "overlay" | "dock";

/** Why not after `/r`: a relay may have such a name. */
const LAST_SEGMENT = /(?<!\/r)\/(overlay|dock)\/*$/;

/** The view that a path of the page means. */
export const viewAt = (pathname: string): PageView =>
  (LAST_SEGMENT.exec(pathname)?.[1] as PageView | undefined) ?? "dashboard";

/** The path of the relay's root, with a slash at the end, for a path of the page. */
export const rootOf = (pathname: string): string => pathname.replace(LAST_SEGMENT, "").replace(/\/*$/, "/");

const NAMED = /\/r\/([^/]+)\/$/;

/** The name of the relay of a path of the page. */
export const relayNameOf = (pathname: string): string => NAMED.exec(rootOf(pathname))?.[1] ?? "default";

/** The path of the page of another relay. */
export const relayPath = (pathname: string, name: string): string =>
  rootOf(pathname).replace(NAMED, "/") + (name === "default" ? "" : `r/${name}/`);
