/** Which relay a path addresses, whether this deployment serves it, and the path within it. */
import { matchesPattern } from "../../core/text.ts";

export interface RelayPath {
  readonly name: string;
  /** `/r/<name>`, or empty for the relay at the root. */
  readonly base: string;
  /** The rest of the path; begins with a slash. */
  readonly path: string;
}

const DEFAULT = "default";

/** Splits the name of a relay off a path. A path without one addresses the relay at the root. */
export function splitPath(path: string): RelayPath {
  const [base, name] = /^\/r\/([A-Za-z0-9_-]{1,64})(?=\/|$)/.exec(path) ?? [];
  if (base === undefined || name === undefined) return { name: DEFAULT, base: "", path };
  return { name, base, path: path.slice(base.length) || "/" };
}

/** True for the name of a relay that this deployment serves. Otherwise any client could create an unlimited number of relays. */
export function isServed(name: string, { RELAY_NAMES = DEFAULT }: { readonly RELAY_NAMES?: string }): boolean {
  return RELAY_NAMES.split(",").some((pattern) => matchesPattern(pattern.trim(), name));
}
