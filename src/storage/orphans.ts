/**
 * Uploads that a kill left without a record: nobody can ask for them, so nobody would ever delete them.
 *
 * Done before the rooms run, when no file is being saved. One that is younger than files are kept stays: its record may be in another
 * queue, which the relay is started with again.
 */
import { key } from "../core/key.ts";
import type { Millis } from "../core/ids.ts";
import type { Store, Uploads } from "../engine/ports.ts";
import { type StoredFile, UPLOAD_FILE } from "./upload.ts";

/** Where uploads are, as far as they can be listed. */
export interface Listed extends Uploads {
  list?(): Promise<readonly StoredFile[]>;
}

/** Discards them; returns how many there were. */
export async function discardOrphans(store: Store, uploads: Listed, kept: { ttl: Millis; now: Millis }): Promise<number> {
  const files = await uploads.list?.() ?? [];
  if (files.length === 0) return 0;
  const records = new Set<string>(await store.keys(key("intermediary", "upload")));
  let count = 0;
  for (const { file, at } of files) {
    const id = UPLOAD_FILE.exec(file)?.[1];
    if (id === undefined || at + kept.ttl > kept.now || records.has(key("intermediary", "upload", id))) continue;
    await uploads.delete(file);
    count++;
  }
  return count;
}
