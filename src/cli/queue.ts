/**
 * `queue`: looks at what waits and at dead letters, tries them again, drops them.
 *
 * A relay that runs has its queue to itself, so it is asked; only while none runs the store is opened.
 */
import { Command } from "commander";
import { existsSync } from "node:fs";
import type { Settings } from "../core/settings.ts";
import { OpenFailure, openStore } from "../storage/open.ts";
import { Complaint } from "./complaint.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { lineOf, type Listed, type QueueDesk, summaryOf } from "./listed.ts";
import { reachRelay } from "./running-queue.ts";
import { StoredQueue } from "./stored-queue.ts";

interface QueueOptions extends ConfigurationOptions {
  readonly json?: true;
  readonly dead?: true;
  readonly all?: true;
}

/** The status for an entry that is not there. */
const NOT_FOUND = 1;

/** The command with its five parts. */
export function queueCommand(): Command {
  const make = (name: string, says: string) => withConfiguration(new Command(name)).description(says);
  const queue = new Command("queue").description("look after the queue, of a relay that runs or as it is stored");
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
  await withQueue(options, async (queue) => {
    const entries = (await queue.list()).filter(({ isDead }) => isDead || !dead);
    if (json) return console.log(JSON.stringify(entries.map(summaryOf), null, 2));
    for (const entry of entries) console.log(lineOf(entry));
    const letters = entries.filter(({ isDead }) => isDead).length;
    console.log(`${entries.length - letters} waiting, ${letters} dead`);
  });
}

async function show(id: string, options: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    for (const entry of await chosen(queue, [id])) {
      const detail = await queue.detail(entry);
      if (detail === undefined) throw new Complaint([`${id}: cannot be read`], NOT_FOUND);
      console.log(JSON.stringify(detail, null, 2));
    }
  });
}

async function retryLetters(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    const letters = (await chosen(queue, all ? undefined : ids)).filter(({ isDead }) => isDead);
    let count = 0;
    for (const letter of letters) if (await queue.retry(letter)) count++;
    console.log(`${count} put back into the queue`);
    if (count < letters.length) throw new Complaint([`${letters.length - count} could not be read`], NOT_FOUND);
  });
}

async function drop(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    const entries = await chosen(queue, all ? undefined : ids);
    for (const entry of entries) await queue.drop(entry);
    console.log(`${entries.length} dropped`);
  });
}

async function exportAll(options: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    for (const entry of await queue.list()) {
      const detail = await queue.detail(entry);
      if (detail !== undefined) console.log(JSON.stringify(detail));
    }
  });
}

/** The entries of these ids, or every dead letter. */
async function chosen(queue: QueueDesk, ids: readonly string[] | undefined): Promise<readonly Listed[]> {
  if (ids?.length === 0) throw new Complaint(["expected ids, or --all for every dead letter"]);
  const listed = await queue.list();
  if (ids === undefined) return listed.filter(({ isDead }) => isDead);
  const missing = ids.filter((id) => !listed.some((entry) => entry.id === id));
  if (missing.length > 0) throw new Complaint(missing.map((id) => `${id}: not in the queue`), NOT_FOUND);
  return listed.filter(({ id }) => ids.includes(id));
}

async function withQueue(options: ConfigurationOptions, use: (queue: QueueDesk) => Promise<void>): Promise<void> {
  const queue = await opened((await readConfiguration(options)).settings);
  try {
    await use(queue);
  } finally {
    await queue.close();
  }
}

/** Why in this order: where a lock tells whether a relay runs nobody has to be asked, elsewhere the relay has to say it itself. */
async function opened(settings: Settings): Promise<QueueDesk> {
  const { queue } = settings;
  const hasLock = queue.backend === "fs" || queue.backend === "sqlite";
  const running = hasLock ? undefined : await reachRelay(settings);
  if (running !== undefined) return running;
  if (queue.backend === "memory") {
    throw new Complaint(["queue.backend is memory: nothing is kept outside the running relay, and none answers"]);
  }
  if (queue.backend !== "redis" && !existsSync(queue.path)) {
    throw new Complaint([`${queue.path}: there is no queue`], NOT_FOUND);
  }
  try {
    const onQuarantine = (key: string, why: string): void => console.error(`note: ${key} was put aside: ${why}`);
    return new StoredQueue(await openStore(queue, { onQuarantine }), queue);
  } catch (error) {
    if (!(error instanceof OpenFailure)) throw error;
    const relay = error.isInUse ? await reachRelay(settings) : undefined;
    if (relay !== undefined) return relay;
    const hint = error.isInUse
      ? ["it does not answer on the web port of this configuration: stop it for this command"]
      : [];
    throw new Complaint([error.message, ...hint]);
  }
}
