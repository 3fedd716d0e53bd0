/** A configuration before it is checked: maps of anything, from several sources laid over each other. */
export type Tree = { [name: string]: unknown };

/** True for a map; false for lists, nothing and plain values. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function valueAt(tree: Tree, path: readonly PropertyKey[]): unknown {
  let at: unknown = tree;
  for (const name of path) at = isTree(at) || Array.isArray(at) ? Reflect.get(at, name) : undefined;
  return at;
}

/** Puts a value, making the maps on the way; replaces what is in the way. Every name has to be one of the schema. */
export function putAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const next = isTree(tree[name]) ? tree[name] : (tree[name] = {});
  putAt(next as Tree, rest, value); // Why: an assignment is not narrowed.
}

/** Names without a value (`port:` and nothing behind it) count as absent. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, withoutNulls(inner)]),
  );
}
