/**
 * Applies changes of the configuration file, and of files that contain secrets, to a running relay.
 *
 * It compares contents, not time stamps. So it misses nothing that was saved since the first read, and does not depend on how an editor
 * saves. A change counts only if two polls in a row read the same content, because a file can be read while it is half written. A reload
 * on request (SIGHUP) does not wait for that.
 */
import { readFile } from "node:fs/promises";
import { mergeReloaded } from "../config/reload.ts";
import type { ConfigFile } from "../config/yaml-file.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { Configuration } from "./configuration.ts";

export interface ConfigWatcherHooks {
  /** Reads the configuration again; rejects if it is wrong. */
  read(): Promise<Configuration>;
  /** Applies the settings to the relay. */
  apply(settings: Settings): void;
  /** Reports the result of a reload. */
  note(line: string): void;
}

const POLL_MS = 1_000;

/** Polls the files from its construction until `stop`. */
export class ConfigWatcher {
  readonly #hooks: ConfigWatcherHooks;
  /** The configuration's name in messages. */
  readonly #name: string;
  #current: Settings;
  /** The contents that are applied, or that failed validation. */
  #handled: readonly ConfigFile[];
  /** The contents at the last poll. */
  #polled: readonly ConfigFile[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #reloading: Promise<void> = Promise.resolve();

  constructor(configuration: Configuration, hooks: ConfigWatcherHooks) {
    this.#hooks = hooks;
    this.#name = configuration.file?.name ?? "the configuration";
    this.#current = configuration.settings;
    this.#handled = this.#polled = filesOf(configuration);
    this.#schedulePoll();
  }

  /** Reads everything now, whether it changed or not. */
  reload(): Promise<void> {
    return this.#reloading = this.#reloading.then(() => this.#readAndApply());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedulePoll(): void {
    if (this.#isStopped || this.#handled.length === 0) return;
    this.#timer = setTimeout(() => void this.#poll().then(() => this.#schedulePoll()), POLL_MS);
  }

  async #poll(): Promise<void> {
    const handled = this.#handled;
    const found = await Promise.all(handled.map(readAgain));
    const isSettled = haveSameTexts(found, this.#polled);
    this.#polled = found;
    if (handled !== this.#handled || haveSameTexts(found, handled) || !isSettled) return;
    this.#handled = found;
    await this.reload();
  }

  async #readAndApply(): Promise<void> {
    const { read, apply, note } = this.#hooks;
    try {
      const configuration = await read();
      const { settings, needsRestart } = mergeReloaded(this.#current, configuration.settings);
      apply(settings);
      this.#current = settings;
      this.#handled = this.#polled = filesOf(configuration);
      note(`${this.#name}: reloaded`);
      if (needsRestart.length > 0) note(`${this.#name}: needs a restart: ${needsRestart.join(", ")}`);
    } catch (error) {
      note(`${this.#name}: not reloaded, the old settings stay: ${errorText(error)}`);
    }
  }
}

const filesOf = ({ file, secretFiles }: Configuration): readonly ConfigFile[] => [
  ...(file === undefined ? [] : [file]),
  ...secretFiles,
];

/** Why the old content for a missing file: some editors delete the file before they write it again. */
const readAgain = async ({ name, text }: ConfigFile): Promise<ConfigFile> => ({
  name,
  text: await readFile(name, "utf8").catch(() => text),
});

const haveSameTexts = (some: readonly ConfigFile[], others: readonly ConfigFile[]): boolean =>
  some.length === others.length && some.every(({ text }, at) => text === others[at]?.text);
