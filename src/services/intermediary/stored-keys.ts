/** The owner of each key that the Intermediary stores: the second segment of the key names it. */
import { assert } from "../../core/assert.ts";
import type { Entry } from "../../core/event.ts";
import type { Key } from "../../core/ids.ts";
import { segmentAt } from "../../core/key.ts";

/** `queue` and `dead` belong to the queue, `directory` to the directory of names. */
const OWNERS = ["audit", "directory", "upload", "queue", "dead"] as const;

export type KeyOwner = typeof OWNERS[number];

/** The keys whose values are read before a restore. */
export const RESIDENT_PREFIXES: readonly string[] = [
  "intermediary/audit/",
  "intermediary/directory/",
  "intermediary/upload/",
];

export function ownerOf(key: Key): KeyOwner {
  const owner = findOwner(key);
  assert(owner !== undefined, `a key without an owner: ${key}`);
  return owner;
}

/** The entries by their owners. Keys of no owner are left out: another version may have written them. */
export function entriesByOwner(entries: readonly Entry[]): Readonly<Record<KeyOwner, readonly Entry[]>> {
  const byOwner: Record<KeyOwner, Entry[]> = { audit: [], directory: [], upload: [], queue: [], dead: [] };
  for (const entry of entries) {
    const owner = findOwner(entry.key);
    if (owner !== undefined) byOwner[owner].push(entry);
  }
  return byOwner;
}

const findOwner = (key: Key): KeyOwner | undefined => {
  const name = segmentAt(key, 1);
  return OWNERS.find((owner) => owner === name);
};
