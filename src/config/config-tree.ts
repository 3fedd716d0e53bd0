/** A configuration before it is validated: nested maps of anything, in which several sources are laid over each other. */
export type ConfigTree = { [name: string]: unknown };

/** True for a map; false for lists, null and scalars. */
export const isTree = (value: unknown): value is ConfigTree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function valueAt(tree: ConfigTree, path: readonly PropertyKey[]): unknown {
  let at: unknown = tree;
  for (const name of path) at = isTree(at) || Array.isArray(at) ? Reflect.get(at, name) : undefined;
  return at;
}

/** Sets a value, creating the maps on the way and replacing whatever is not a map. Every name must be one of the schema. */
export function putAt(tree: ConfigTree, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const next = isTree(tree[name]) ? tree[name] : (tree[name] = {});
  putAt(next as ConfigTree, rest, value); // Why: an assignment is not narrowed.
}

/** The same value without names that have none: `port:` with nothing after it counts as absent. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, withoutNulls(inner)]),
  );
}
