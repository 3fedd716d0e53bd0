/**
 * Keeps a running relay in step with its file, as far as settings can change while it runs.
 *
 * The text is compared, not a time stamp: so nothing that was saved since the file was first read is missed, and it does not matter
 * how an editor saves. It counts only when two looks in a row find the same: half a file must not be taken for a whole one.
 */
import { readFile } from "node:fs/promises";
import { reloaded } from "../config/reload.ts";
import type { Settings } from "../core/settings.ts";
import type { Configuration } from "./configuration.ts";

export interface Following {
  /** Reads the configuration anew; rejects when it is wrong. */
  read(): Promise<Configuration>;
  /** Puts settings in force. */
  apply(settings: Settings): void;
  /** Says what became of a change. */
  note(line: string): void;
}

const LOOK_MS = 1_000;

/** Starts to look; returns the way to stop. */
export function follow({ file, settings }: Configuration, { read, apply, note }: Following): () => void {
  if (file === undefined) return () => {};
  const { name } = file;
  let current = settings;
  let [taken, seen] = [file.text, file.text];

  const look = async (): Promise<void> => {
    const text = await readFile(name, "utf8").catch(() => taken); // Why: between two saves there may be no file.
    const isSettled = text === seen;
    seen = text;
    if (text === taken || !isSettled) return;
    taken = text;
    try {
      const { settings: next, waiting } = reloaded(current, (await read()).settings);
      apply(next);
      current = next;
      note(`${name}: the changes are in force`);
      if (waiting.length > 0) note(`${name}: needs a restart: ${waiting.join(", ")}`);
    } catch (error) {
      note(`${name}: the old settings stay: ${error instanceof Error ? error.message : error}`);
    }
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookLater = (): void => {
    timer = setTimeout(() => void look().then(() => timer !== undefined && lookLater()), LOOK_MS);
  };
  lookLater();
  return () => {
    clearTimeout(timer);
    timer = undefined;
  };
}
