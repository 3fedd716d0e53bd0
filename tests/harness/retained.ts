/** Measures what a state keeps, without its own accounts. */

/** Bytes of the texts that can be reached from a value, two for each UTF-16 unit. A text that is kept twice counts once. */
export function textBytesIn(root: unknown): number {
  const seen = new Set<unknown>();
  const open: unknown[] = [root];
  let bytes = 0;
  for (let value = open.pop(); open.length > 0 || value !== undefined; value = open.pop()) {
    if (value === null || value === undefined || seen.has(value)) continue;
    if (typeof value === "string") bytes += 2 * value.length;
    else if (typeof value !== "object") continue;
    seen.add(value);
    if (typeof value === "object") open.push(...membersOf(value));
  }
  return bytes;
}

/** Why by their methods: maps of our own keep their entries in private fields. */
function* membersOf(value: object): Iterable<unknown> {
  const { keys, values } = value as Partial<Map<unknown, unknown>>;
  if (typeof keys === "function" && typeof values === "function") {
    yield* keys.call(value);
    yield* values.call(value);
  }
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield member ?? null;
  }
}
