/** Collects lines so that each turn of the event loop writes once, however many lines it produced. */

/** Beyond this the buffer is written before the turn ends. */
const BUFFER_CHARS_MAX = 65_536;

export class LineBuffer {
  readonly #write: (text: string) => void;
  readonly #afterTurn: (run: () => void) => void;
  #lines: string[] = [];
  #chars = 0;

  /** `write` takes one or more lines, without the final line break. */
  constructor(write: (text: string) => void, afterTurn: (run: () => void) => void) {
    this.#write = write;
    this.#afterTurn = afterTurn;
  }

  add(line: string): void {
    if (this.#lines.push(line) === 1) this.#afterTurn(() => this.flush());
    this.#chars += line.length;
    if (this.#chars > BUFFER_CHARS_MAX) this.flush();
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n");
    this.#lines = [];
    this.#chars = 0;
    this.#write(text);
  }
}
