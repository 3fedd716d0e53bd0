/** Messages that wait in the queue of a backend that is not configured any more. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { QueueBackend, QueueSettings } from "../../core/settings.ts";
import { openStore } from "../../storage/open-store.ts";
import { QUEUE_SERVICES } from "./admin.ts";
import { OfflineQueue } from "./offline.ts";

/** A note if another backend in the queue's folder still holds messages. */
export async function leftBehind(queue: QueueSettings): Promise<readonly string[]> {
  const notes: string[] = [];
  if (queue.backend !== "fs" && hasFiles(join(queue.path, "entries"))) notes.push(noteOf(queue, "fs"));
  if (queue.backend !== "sqlite" && await hasRows(queue)) notes.push(noteOf(queue, "sqlite"));
  return notes;
}

const noteOf = ({ backend, path }: QueueSettings, earlier: QueueBackend): string =>
  `queue.backend is ${backend}, but ${earlier} in ${path} still holds messages; ` +
  `\`neuro-relay queue export --set queue.backend=${earlier} > messages.jsonl\`, then ` +
  "`neuro-relay queue import messages.jsonl`, moves them";

/** Why only these folders: a queue can hold very many files, and the folder of a recipient without messages is removed. */
function hasFiles(entries: string): boolean {
  const folders = QUEUE_SERVICES.flatMap((service) => ["queue", "dead"].map((kind) => join(entries, service, kind)));
  try {
    return folders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
  } catch {
    return false; // Why: a folder that cannot be read must not keep the relay from starting.
  }
}

/** Why false for a database that cannot be opened: it is not the configured one. */
async function hasRows(queue: QueueSettings): Promise<boolean> {
  if (!existsSync(join(queue.path, "entries.sqlite"))) return false;
  try {
    const store = new OfflineQueue(await openStore({ ...queue, backend: "sqlite" }, { onQuarantine() {} }), queue);
    const { length } = await store.list();
    await store.close();
    return length > 0;
  } catch {
    return false;
  }
}
