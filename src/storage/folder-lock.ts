/**
 * Allows one process to write to a folder.
 *
 * The lock is the operating system's, held through an open SQLite file. It ends with its process, however that ends, and works
 * between containers, where a process id has no meaning. So a lock is never stale.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "../core/text.ts";
import { StoreOpenError } from "./open-error.ts";

const LOCK = "lock";

export interface FolderLock {
  /** To be called before a write. Throws if somebody deleted the lock file and another process has locked the folder since. */
  verify(): void;
  release(): void;
}

/** Locks the folder, which is created if necessary. Throws a `StoreOpenError` that names the holder when it is locked. */
export function lockFolder(folder: string): FolderLock {
  let lock = lockFile(folder);
  return {
    verify() {
      if (fileId(folder) === lock.fileId) return;
      const next = lockFile(folder);
      lock.close();
      lock = next;
    },
    release: () => lock.release(),
  };
}

interface FileLock {
  /** Which file is locked; another one of the same name has another id. */
  readonly fileId: number | undefined;
  /** Ends the lock of a file that nobody can find any more. */
  close(): void;
  release(): void;
}

function lockFile(folder: string): FileLock {
  const holder = join(folder, "holder.json");
  const database = open(folder);
  try {
    database.exec("pragma busy_timeout = 0; begin exclusive");
  } catch (error) {
    database.close();
    // Why by its text: Deno's errors have no code.
    if (!/locked|busy/i.test(errorText(error))) throw cannotWrite(folder, error);
    const message = `${folder} is in use by ${holderIn(holder)}: only one relay may write there`;
    throw new StoreOpenError(message, { cause: error, isInUse: true });
  }
  try {
    writeFileSync(holder, JSON.stringify({ pid, since: new Date().toISOString() }));
  } catch (error) {
    database.close();
    throw cannotWrite(folder, error);
  }
  return {
    fileId: fileId(folder),
    close: () => database.close(),
    release() {
      rmSync(holder, { force: true });
      database.exec("rollback");
      database.close();
    },
  };
}

/** The id of the lock file; undefined if there is none. */
const fileId = (folder: string): number | undefined => statSync(join(folder, LOCK), { throwIfNoEntry: false })?.ino;

function open(folder: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true });
    return new DatabaseSync(join(folder, LOCK));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

const cannotWrite = (folder: string, error: unknown): StoreOpenError =>
  new StoreOpenError(`cannot write to ${folder}: ${errorText(error)}`, { cause: error });

function holderIn(file: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(file, "utf8"));
    return `process ${pid} since ${since}`;
  } catch {
    return "another process";
  }
}
