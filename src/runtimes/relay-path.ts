/** Which relay a path addresses, whether it is served here, and the path within it. */
import { matchesPattern } from "../core/text.ts";

/** The relay at the root. */
export const DEFAULT_RELAY = "default";

export interface RelayPath {
  readonly name: string;
  /** `/r/<name>`, or empty for the relay at the root. */
  readonly base: string;
  /** The rest of the path; begins with a slash. */
  readonly path: string;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Splits the name of a relay off a path. A path without one addresses the relay at the root. Undefined if the name is malformed. */
export function splitPath(path: string): RelayPath | undefined {
  if (!path.startsWith("/r/")) return { name: DEFAULT_RELAY, base: "", path };
  const [name = ""] = path.slice(3).split("/", 1);
  const base = `/r/${name}`;
  return NAME.test(name) ? { name, base, path: path.slice(base.length) || "/" } : undefined;
}

/** True for the name of a relay that is served here. Otherwise any client could create an unlimited number of relays. */
export const isServed = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesPattern(pattern, name));

/** The same request, as the relay sees it: without the name. */
export function requestWithin(request: Request, { base, path }: RelayPath): Request {
  if (base === "") return request;
  const url = new URL(request.url);
  url.pathname = path;
  return new Request(String(url), request);
}
