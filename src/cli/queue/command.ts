/**
 * `queue`: inspects and edits queued messages and dead letters.
 *
 * A running relay has exclusive access to its queue, so the commands use its API. The store is opened only if no relay runs.
 */
import { Command } from "commander";
import { existsSync } from "node:fs";
import type { QueueSettings, Settings } from "../../core/settings.ts";
import type { Store } from "../../engine/ports.ts";
import { openStore, StoreOpenError } from "../../storage/open-store.ts";
import { DEFAULT_RELAY } from "../../runtimes/relay-path.ts";
import { settingsOfRelay } from "../../runtimes/relay-settings.ts";
import { CliError } from "../cli-error.ts";
import { readConfiguration, type RelayOptions, withRelay } from "../configuration.ts";
import { lineOf, type QueueAdmin, type QueuedMessage, summaryOf } from "./admin.ts";
import { importMessages, readLines } from "./import.ts";
import { OfflineQueue } from "./offline.ts";
import { connectToRelay } from "./online.ts";

interface QueueOptions extends RelayOptions {
  readonly json?: true;
  readonly dead?: true;
  readonly all?: true;
}

/** The exit status for a message that does not exist or cannot be read. */
const NOT_FOUND = 1;

export function queueCommand(): Command {
  const subcommand = (name: string, description: string) => withRelay(new Command(name)).description(description);
  const queue = new Command("queue").description("inspect and edit the queue of a running relay, or of a queue folder");
  queue.addCommand(
    subcommand("list", "list queued messages and dead letters")
      .option("--dead", "dead letters only")
      .option("--json", "print JSON")
      .action(list),
  );
  queue.addCommand(subcommand("show", "print one message with its body, as JSON").argument("<id>").action(show));
  queue.addCommand(
    subcommand("retry", "put dead letters back into the queue")
      .argument("[id...]")
      .option("--all", "every dead letter")
      .action(retry),
  );
  queue.addCommand(
    subcommand("drop", "delete messages").argument("[id...]").option("--all", "every dead letter").action(drop),
  );
  queue.addCommand(
    subcommand("export", "print every message with its body, one JSON object per line").action(exportAll),
  );
  queue.addCommand(
    subcommand("import", "add messages that `queue export` printed, while no relay runs")
      .argument("[file]", "- for standard input", "-")
      .action(importFrom),
  );
  return queue;
}

/** Why only without a relay: a running relay has exclusive access to its queue, and reads it at its start. */
async function importFrom(file: string, { relay, ...options }: RelayOptions): Promise<void> {
  const { queue } = settingsOfRelay((await readConfiguration(options)).settings, relay ?? DEFAULT_RELAY);
  if (queue.backend === "memory") throw new CliError(["queue.backend is memory, which keeps nothing"]);
  const lines = await readLines(file);
  const store = await openOffline(queue, relay);
  try {
    console.log(`${await importMessages(store, lines, queue)} of ${lines.length} imported`);
  } finally {
    await store.close();
  }
}

/** The queue's store; a `CliError` if a relay uses it. */
async function openOffline(queue: QueueSettings, relay: string | undefined): Promise<Store> {
  try {
    return await openStore(queue, { onQuarantine: reportQuarantine }, relay);
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    throw new CliError([error.message, ...(error.isInUse ? ["stop it to use this command"] : [])]);
  }
}

const reportQuarantine = (key: string, reason: string): void => console.error(`note: ${key} was quarantined: ${reason}`);

async function list({ dead, json, ...options }: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    const messages = (await queue.list()).filter(({ isDead }) => isDead || !dead);
    if (json) return console.log(JSON.stringify(messages.map(summaryOf), null, 2));
    for (const message of messages) console.log(lineOf(message));
    const letters = messages.filter(({ isDead }) => isDead).length;
    console.log(`${messages.length - letters} queued, ${letters} dead`);
  });
}

async function show(id: string, options: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    for (const message of await select(queue, [id])) {
      const detail = await queue.detail(message);
      if (detail === undefined) throw new CliError([`${id}: cannot be read`], NOT_FOUND);
      console.log(JSON.stringify(detail, null, 2));
    }
  });
}

async function retry(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    const letters = (await select(queue, all ? undefined : ids)).filter(({ isDead }) => isDead);
    let count = 0;
    for (const letter of letters) if (await queue.retry(letter)) count++;
    console.log(`${count} put back into the queue`);
    if (count < letters.length) throw new CliError([`${letters.length - count} could not be read`], NOT_FOUND);
  });
}

async function drop(ids: readonly string[], { all, ...options }: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    const messages = await select(queue, all ? undefined : ids);
    for (const message of messages) await queue.drop(message);
    console.log(`${messages.length} deleted`);
  });
}

async function exportAll(options: QueueOptions): Promise<void> {
  await withQueue(options, async (queue) => {
    for (const message of await queue.list()) {
      const detail = await queue.detail(message);
      if (detail !== undefined) console.log(JSON.stringify(detail));
    }
  });
}

/** The messages with these ids; without ids every dead letter. */
async function select(queue: QueueAdmin, ids: readonly string[] | undefined): Promise<readonly QueuedMessage[]> {
  if (ids?.length === 0) throw new CliError(["expected ids, or --all for every dead letter"]);
  const messages = await queue.list();
  if (ids === undefined) return messages.filter(({ isDead }) => isDead);
  const missing = ids.filter((id) => !messages.some((message) => message.id === id));
  if (missing.length > 0) throw new CliError(missing.map((id) => `${id}: not in the queue`), NOT_FOUND);
  return messages.filter(({ id }) => ids.includes(id));
}

async function withQueue(
  { relay, ...options }: RelayOptions,
  use: (queue: QueueAdmin) => Promise<void>,
): Promise<void> {
  const queue = await openQueue((await readConfiguration(options)).settings, relay);
  try {
    await use(queue);
  } finally {
    await queue.close();
  }
}

/** Why in this order: with `fs` and `sqlite` a lock shows whether a relay runs; with other backends only the relay itself can. */
async function openQueue(settings: Settings, relay: string | undefined): Promise<QueueAdmin> {
  const { queue } = settingsOfRelay(settings, relay ?? DEFAULT_RELAY);
  const hasLock = queue.backend === "fs" || queue.backend === "sqlite";
  const online = hasLock ? undefined : await connectToRelay(settings, relay);
  if (online !== undefined) return online;
  if (queue.backend === "memory") {
    throw new CliError(["queue.backend is memory, so only a running relay has the queue, and no relay answers"]);
  }
  if (queue.backend !== "redis" && !existsSync(queue.path)) {
    throw new CliError([`${queue.path}: no such queue folder`], NOT_FOUND);
  }
  try {
    return new OfflineQueue(await openStore(queue, { onQuarantine: reportQuarantine }, relay), queue);
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    const running = error.isInUse ? await connectToRelay(settings, relay) : undefined;
    if (running !== undefined) return running;
    const hint = error.isInUse
      ? ["it does not answer on the web port of this configuration; stop it to use this command"]
      : [];
    throw new CliError([error.message, ...hint]);
  }
}
