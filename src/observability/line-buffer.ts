/**
 * Writes lines without ever blocking: one write for each turn of the event loop, and one at a time.
 *
 * Invariant: at most `BUFFER_CHARS_MAX` characters wait for a reader that does not read. Further lines are dropped and counted.
 */
import type { Millis } from "../core/ids.ts";

/** Beyond this the buffer is written before the turn ends. */
const WRITE_CHARS = 65_536;
const BUFFER_CHARS_MAX = 1_048_576;

export interface LineBufferOptions {
  /** Writes one or more lines, with the final line break. A rejection drops them. */
  write(text: string): Promise<void>;
  /** Runs something at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
  /** Called when lines were dropped, as soon as the reader reads again. */
  dropped?(lines: number): void;
}

export class LineBuffer {
  readonly #options: LineBufferOptions;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;
  /** The write in progress. */
  #writing: Promise<void> | undefined;

  constructor(options: LineBufferOptions) {
    this.#options = options;
  }

  add(line: string): void {
    if (this.#chars + line.length > BUFFER_CHARS_MAX) {
      this.#dropped++;
      return;
    }
    this.#chars += line.length;
    if (this.#lines.push(line) === 1) this.#options.afterTurn(() => this.#flush());
    if (this.#chars > WRITE_CHARS) this.#flush();
  }

  /** Lines that are not being written yet; they are not written any more. For a process that exits. */
  take(): string {
    const text = this.#lines.map((line) => `${line}\n`).join("");
    this.#lines = [];
    this.#chars = 0;
    return text;
  }

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Resolves when everything is written, or after `timeoutMs`. */
  async close(timeoutMs: Millis): Promise<void> {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([this.#drain(), timeout]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    this.#flush();
    while (this.#writing !== undefined) await this.#writing;
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#lines.length === 0) return;
    const text = this.take();
    this.#writing = this.#options.write(text).catch(() => undefined).then(() => {
      this.#writing = undefined;
      const dropped = this.#dropped;
      this.#dropped = 0;
      if (dropped > 0) this.#options.dropped?.(dropped);
      this.#flush();
    });
  }
}
