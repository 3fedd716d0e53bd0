/** Which relay a path is for, whether there is one of that name, and what the path is to it. */
import { matches } from "../../core/name-pattern.ts";

export interface SplitPath {
  readonly name: string;
  /** `/r/<name>`, or empty for the relay at the root. */
  readonly base: string;
  /** What is left; begins with a slash. */
  readonly path: string;
}

const DEFAULT = "default";

/** Cuts the name of a relay off a path; without one the path is for the relay at the root. */
export function splitPath(path: string): SplitPath {
  const [base, name] = /^\/r\/([A-Za-z0-9_-]{1,64})(?=\/|$)/.exec(path) ?? [];
  if (base === undefined || name === undefined) return { name: DEFAULT, base: "", path };
  return { name, base, path: path.slice(base.length) || "/" };
}

/** True for the name of a relay that this deployment serves: else anyone could make as many as they like. */
export function isServed(name: string, { RELAY_NAMES = DEFAULT }: { readonly RELAY_NAMES?: string }): boolean {
  return RELAY_NAMES.split(",").some((pattern) => matches(pattern.trim(), name));
}
