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
    const message = `${folder} is in use by ${holderIn(holder)}: only one relay may write there`;
    throw new OpenFailure(message, { cause: error, isInUse: true });
  }
  writeFileSync(holder, JSON.stringify({ pid, since: new Date().toISOString() }));
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
    throw new OpenFailure(`cannot write to ${folder}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function holderIn(file: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(file, "utf8"));
    return `process ${pid} since ${since}`;
  } catch {
    return "another process";
  }
}
