/**
 * One writer to a folder.
 *
 * The lock is the operating system's, held through an open SQLite file: it ends with the process that holds it, however that
 * ended, and works between containers, where a process id says nothing. So it is never stale and nobody has to judge whether it is.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { OpenFailure } from "./failure.ts";

export interface Lock {
  release(): void;
}

/** Takes the folder, which is made if need be; throws an `OpenFailure` that names the holder when somebody has it. */
export function lock(folder: string): Lock {
  const holder = join(folder, "holder.json");
  const database = open(folder);
  try {
    database.exec("pragma busy_timeout = 0; begin exclusive");
  } catch (error) {
    database.close();
    // Why by its words: Deno gives no number with them.
    if (!/locked|busy/i.test(messageOf(error))) throw cannotWrite(folder, error);
    const message = `${folder} is in use by ${holderIn(holder)}: only one relay may write there`;
    throw new OpenFailure(message, { cause: error, isInUse: true });
  }
  try {
    writeFileSync(holder, JSON.stringify({ pid, since: new Date().toISOString() }));
  } catch (error) {
    database.close();
    throw cannotWrite(folder, error);
  }
  return {
    release() {
      rmSync(holder, { force: true });
      database.exec("rollback");
      database.close();
    },
  };
}

function open(folder: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true });
    return new DatabaseSync(join(folder, "lock"));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

const cannotWrite = (folder: string, error: unknown): OpenFailure =>
  new OpenFailure(`cannot write to ${folder}: ${messageOf(error)}`, { cause: error });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function holderIn(file: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(file, "utf8"));
    return `process ${pid} since ${since}`;
  } catch {
    return "another process";
  }
}
