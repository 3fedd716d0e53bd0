/** Lines that are written together: one write per turn of the event loop, however many facts it had. */

/** Above this a write does not wait for the end of the turn. */
const CHARS_MAX = 65_536;

export class Lines {
  readonly #write: (text: string) => void;
  readonly #later: (run: () => void) => void;
  #lines: string[] = [];
  #chars = 0;

  /** `write` takes one or more lines, without the last line's end. */
  constructor(write: (text: string) => void, later: (run: () => void) => void) {
    this.#write = write;
    this.#later = later;
  }

  add(line: string): void {
    if (this.#lines.push(line) === 1) this.#later(() => this.flush());
    this.#chars += line.length;
    if (this.#chars > CHARS_MAX) this.flush();
  }

  /** Writes what is there now. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n");
    this.#lines = [];
    this.#chars = 0;
    this.#write(text);
  }
}
