/**
 * Keeps a running relay in step with its file and with the files that secrets stand in, as far as settings can change while it runs.
 *
 * Texts are compared, not time stamps: so nothing that was saved since the files were first read is missed, and it does not matter
 * how an editor saves. They count only when two looks in a row find the same: half a file must not be taken for a whole one. Who
 * asks for it by hand knows that it is whole.
 */
import { readFile } from "node:fs/promises";
import type { File } from "../config/file.ts";
import { reloaded } from "../config/reload.ts";
import type { Settings } from "../core/settings.ts";
import type { Configuration } from "./configuration.ts";

export interface FollowHooks {
  /** Reads the configuration anew; rejects when it is wrong. */
  read(): Promise<Configuration>;
  /** Puts settings in force. */
  apply(settings: Settings): void;
  /** Says what became of a change. */
  note(line: string): void;
}

const LOOK_MS = 1_000;

/** Looks at the files again and again, from its making on. */
export class Following {
  readonly #hooks: FollowHooks;
  /** What messages call it. */
  readonly #name: string;
  #current: Settings;
  /** What the files say that are in force, or were found wrong; and what they said when they were last looked at. */
  #taken: readonly File[];
  #seen: readonly File[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(configuration: Configuration, hooks: FollowHooks) {
    this.#hooks = hooks;
    this.#name = configuration.file?.name ?? "the configuration";
    this.#current = configuration.settings;
    this.#taken = this.#seen = filesOf(configuration);
    this.#lookLater();
  }

  /** Reads everything now, whether it seems to have changed or not. */
  again(): Promise<void> {
    return this.#reading = this.#reading.then(() => this.#read());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #lookLater(): void {
    if (this.#isStopped || this.#taken.length === 0) return;
    this.#timer = setTimeout(() => void this.#look().then(() => this.#lookLater()), LOOK_MS);
  }

  async #look(): Promise<void> {
    const taken = this.#taken;
    const found = await Promise.all(taken.map(readAgain));
    const isSettled = areSame(found, this.#seen);
    this.#seen = found;
    if (taken !== this.#taken || areSame(found, taken) || !isSettled) return;
    this.#taken = found;
    await this.again();
  }

  async #read(): Promise<void> {
    const { read, apply, note } = this.#hooks;
    try {
      const configuration = await read();
      const { settings, waiting } = reloaded(this.#current, configuration.settings);
      apply(settings);
      this.#current = settings;
      this.#taken = this.#seen = filesOf(configuration);
      note(`${this.#name}: the changes are in force`);
      if (waiting.length > 0) note(`${this.#name}: needs a restart: ${waiting.join(", ")}`);
    } catch (error) {
      note(`${this.#name}: the old settings stay: ${error instanceof Error ? error.message : error}`);
    }
  }
}

const filesOf = ({ file, secretFiles }: Configuration): readonly File[] => [
  ...(file === undefined ? [] : [file]),
  ...secretFiles,
];

/** Why what it was when there is none: between two saves there may be no file. */
const readAgain = async ({ name, text }: File): Promise<File> => ({
  name,
  text: await readFile(name, "utf8").catch(() => text),
});

const areSame = (some: readonly File[], others: readonly File[]): boolean =>
  some.length === others.length && some.every(({ text }, at) => text === others[at]?.text);
