/**
 * The keys under which the Brain stores its entries: `brain/<kind>/...`. The kind names the part of the Brain that owns the entry.
 */
import type { Key } from "../../core/ids.ts";
import { key, segmentAt } from "../../core/key.ts";

/**
 * `log` and `snapshot`: `<session>/<first>-<last>-<time>-<length>-<id>`, a segment of a session's log, see `log/segment.ts`.
 * `tombstone`: `<session>/<id>`, a session that has ended. `last_use`: `<session>/<time>-<id>`, when a session was last used.
 * `prediction`: `<trace>/<id>`, the last prediction under a trace id.
 */
const KEY_KINDS = ["log", "snapshot", "tombstone", "last_use", "prediction"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** The key of an entry of one kind. */
export const brainKey = (kind: KeyKind, ...segments: readonly string[]): Key => key("brain", kind, ...segments);

/** The kind of a key, or undefined for a key that this version does not know. */
export function kindOfKey(of: Key): KeyKind | undefined {
  const kind = segmentAt(of, 1);
  return KEY_KINDS.find((each) => each === kind);
}

/** The session that a key of kind `log`, `snapshot`, `tombstone` or `last_use` belongs to. */
export const sessionOfKey = (of: Key): string => segmentAt(of, 2);
