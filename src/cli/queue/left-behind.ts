/** Messages that wait in the queue of a backend that is not configured any more. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { QueueSettings } from "../../core/settings.ts";
import { openStore, StoreOpenError } from "../../storage/open-store.ts";
import { OfflineQueue } from "./offline.ts";

/** Backends that keep their messages in the queue's folder, each with what shows that it was used. */
const TRACES: Readonly<Partial<Record<QueueSettings["backend"], string>>> = { fs: "entries", sqlite: "entries.sqlite" };

/** A note for each backend that still holds messages. */
export async function leftBehind(queue: QueueSettings): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const [name, trace] of Object.entries(TRACES)) {
    const backend = name as QueueSettings["backend"]; // Why the cast: keys of objects are texts to the compiler.
    if (backend === queue.backend || !existsSync(join(queue.path, trace))) continue;
    const count = await countIn({ ...queue, backend });
    if (count === 0) continue;
    const command = `neuro-relay queue export --set queue.backend=${backend} > messages.jsonl`;
    notes.push(
      `queue.backend is ${queue.backend}, but ${backend} in ${queue.path} still holds ${count} messages; ` +
        `\`${command}\`, then \`neuro-relay queue import messages.jsonl\`, moves them`,
    );
  }
  return notes;
}

/** Why 0 for a store that cannot be opened: the start reports that if it concerns the configured backend. */
async function countIn(queue: QueueSettings): Promise<number> {
  try {
    const store = new OfflineQueue(await openStore(queue, { onQuarantine() {} }), queue);
    const { length } = await store.list();
    await store.close();
    return length;
  } catch (error) {
    if (error instanceof StoreOpenError) return 0;
    throw error;
  }
}
