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
