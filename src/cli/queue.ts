/**
 * `queue`: looks at what waits and at dead letters, tries them again, drops them.
 *
 * It opens the store itself, which it can only while no relay has it.
 */
import { Command } from "commander";
import { existsSync } from "node:fs";
import type { QueueSettings } from "../core/settings.ts";
import type { Store } from "../engine/ports.ts";
import { OpenFailure, openStore } from "../storage/open.ts";
import { Complaint } from "./complaint.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { detailOf, listStored, retry, type Stored, summaryOf } from "./stored-queue.ts";

interface QueueOptions extends ConfigurationOptions {
  readonly json?: true;
  readonly dead?: true;
  readonly all?: true;
}

/** The status for an entry that is not there. */
const NOT_FOUND = 1;

export function queueCommand(): Command {
  const make = (name: string, says: string) => withConfiguration(new Command(name)).description(says);
  const queue = new Command("queue").description("look after the queue while no relay runs");
  queue.addCommand(
    make("list", "what waits, and dead letters").option("--dead", "dead letters only").option("--json", "print JSON")
      .action(list),
  );
  queue.addCommand(make("show", "one message with its body, as JSON").argument("<id>").action(show));
  queue.addCommand(
    make("retry", "put dead letters back into the queue").argument("[id...]").option("--all", "every dead letter").action(
      retryLetters,
    ),
  );
  queue.addCommand(
    make("drop", "delete messages for good").argument("[id...]").option("--all", "every dead letter").action(drop),
  );
  queue.addCommand(make("export", "everything with bodies, one JSON object a line").action(exportAll));
  return queue;
}

async function list({ dead, json, ...options }: QueueOptions): Promise<void> {
  await withStore(options, async (store) => {
    const entries = (await listStored(store)).filter(({ isDead }) => isDead || !dead);
    if (json) return console.log(JSON.stringify(entries.map(summaryOf), null, 2));
    for (const entry of entries) console.log(lineOf(entry));
    const letters = entries.filter(({ isDead }) => isDead).length;
    console.log(`${entries.length - letters} waiting, ${letters} dead`);
  });
}

function lineOf({ head, to, isDead, at }: Stored): string {
  const state = isDead ? `dead (${head.why})` : `waits until ${new Date(head.exp).toISOString()}`;
  return `${head.id}  ${new Date(at).toISOString()}  ${head.kind}  ${head.bytes} B  to ${JSON.stringify(to)}  ${state}`;
}

async function show(id: string, options: QueueOptions): Promise<void> {
  await withStore(options, async (store) => {
    for (const entry of await chosen(store, [id])) {
      const detail = await detailOf(store, entry);
      if (detail === undefined) throw new Complaint([`${id}: cannot be read`], NOT_FOUND);
      console.log(JSON.stringify(detail, null, 2));
    }
  });
}

async function retryLetters(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withStore(options, async (store, settings) => {
    const letters = (await chosen(store, all ? undefined : ids)).filter(({ isDead }) => isDead);
    let count = 0;
    for (const letter of letters) if (await retry(store, letter, { settings, now: Date.now() })) count++;
    console.log(`${count} put back into the queue`);
    if (count < letters.length) throw new Complaint([`${letters.length - count} could not be read`], NOT_FOUND);
  });
}

async function drop(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withStore(options, async (store) => {
    const entries = await chosen(store, all ? undefined : ids);
    for (const { key } of entries) await store.delete(key);
    console.log(`${entries.length} dropped`);
  });
}

async function exportAll(options: QueueOptions): Promise<void> {
  await withStore(options, async (store) => {
    for (const entry of await listStored(store)) {
      const detail = await detailOf(store, entry);
      if (detail !== undefined) console.log(JSON.stringify(detail));
    }
  });
}

/** The entries of these ids, or every dead letter. */
async function chosen(store: Store, ids: readonly string[] | undefined): Promise<readonly Stored[]> {
  if (ids?.length === 0) throw new Complaint(["expected ids, or --all for every dead letter"]);
  const stored = await listStored(store);
  if (ids === undefined) return stored.filter(({ isDead }) => isDead);
  const missing = ids.filter((id) => !stored.some(({ head }) => head.id === id));
  if (missing.length > 0) throw new Complaint(missing.map((id) => `${id}: not in the queue`), NOT_FOUND);
  return stored.filter(({ head }) => ids.includes(head.id));
}

async function withStore(
  options: ConfigurationOptions,
  use: (store: Store, settings: QueueSettings) => Promise<void>,
): Promise<void> {
  const { settings: { queue } } = await readConfiguration(options);
  if (queue.backend === "memory") {
    throw new Complaint(["queue.backend is memory: nothing is kept outside the running relay"]);
  }
  if (queue.backend !== "redis" && !existsSync(queue.path)) {
    throw new Complaint([`${queue.path}: there is no queue`], NOT_FOUND);
  }
  const store = await opened(queue);
  try {
    await use(store, queue);
  } finally {
    await store.close();
  }
}

async function opened(queue: QueueSettings): Promise<Store> {
  try {
    return await openStore(queue, { onQuarantine: (key, why) => console.error(`note: ${key} was put aside: ${why}`) });
  } catch (error) {
    if (!(error instanceof OpenFailure)) throw error;
    const hint = error.isInUse ? ["a relay that runs keeps its queue to itself: stop it for this command"] : [];
    throw new Complaint([error.message, ...hint]);
  }
}
