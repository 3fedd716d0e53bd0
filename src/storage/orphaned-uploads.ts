/**
 * Deletes uploads that have no record, because the relay was killed between file and record. Nothing else would ever delete them.
 *
 * Call this before the services run, when no file is being saved. A file that is younger than `uploads.ttl` stays, because its
 * record may be in another queue that the relay is started with again.
 */
import type { Millis } from "../core/ids.ts";
import { key } from "../core/key.ts";
import type { Store } from "../engine/ports.ts";
import { UPLOAD_FILE, type UploadStore } from "./upload-store.ts";

/** Returns the number of deleted files. */
export async function deleteOrphanedUploads(
  store: Store,
  uploads: Pick<UploadStore, "list" | "delete">,
  { ttl, now }: { readonly ttl: Millis; readonly now: Millis },
): Promise<number> {
  const files = await uploads.list();
  if (files.length === 0) return 0;
  const records = new Set<string>(await store.keys(key("intermediary", "upload")));
  let count = 0;
  for (const { file, at } of files) {
    const id = UPLOAD_FILE.exec(file)?.[1];
    if (id === undefined || at + ttl > now || records.has(key("intermediary", "upload", id))) continue;
    await uploads.delete(file);
    count++;
  }
  return count;
}
