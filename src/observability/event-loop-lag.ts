/** Measures how late the event loop runs: a timer is due every 100 ms, and its longest delay is kept. */

const PERIOD_MS = 100;

export class EventLoopLag {
  readonly #measured: (delayMs: number) => void;
  #longestMs = 0;
  #dueAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `measured` is called with the delay of each timer. */
  constructor(measured: (delayMs: number) => void) {
    this.#measured = measured;
  }

  /**
   * Starts measuring, unless it already runs. Why not from the start: without a reader of the value, the timer would wake the process in
   * vain.
   */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#dueAt = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
    if (typeof this.#timer === "object" && "unref" in this.#timer) this.#timer.unref();
  }

  /** The longest delay in seconds since the last call, including the present one. */
  async take(): Promise<number> {
    const calledAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const dueAt = this.#timer === undefined ? calledAt : this.#dueAt;
    const longest = Math.max(this.#longestMs, performance.now() - calledAt, performance.now() - dueAt);
    this.#longestMs = 0;
    return longest / 1_000;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#dueAt);
    this.#measured(Math.max(0, now - this.#dueAt));
    this.#dueAt = now + PERIOD_MS;
  }
}
