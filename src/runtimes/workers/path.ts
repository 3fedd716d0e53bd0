/** Which relay a path is for, and what the path is to that relay. */

export interface SplitPath {
  readonly name: string;
  /** `/r/<name>`, or empty for the relay at the root. */
  readonly base: string;
  /** What is left; begins with a slash. */
  readonly path: string;
}

const DEFAULT = "default";

export function splitPath(path: string): SplitPath {
  const [base, name] = /^\/r\/([A-Za-z0-9_-]{1,64})(?=\/|$)/.exec(path) ?? [];
  if (base === undefined || name === undefined) return { name: DEFAULT, base: "", path };
  return { name, base, path: path.slice(base.length) || "/" };
}
