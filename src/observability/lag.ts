/** How late the event loop is: a timer that should ring ten times a second, and how much later it did. */

const EVERY_MS = 100;

export class Lag {
  #longestMs = 0;
  #dueAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begins to look, if it does not yet. Why not from the start: nobody has to be woken for what nobody reads. */
  watch(): void {
    if (this.#timer !== undefined) return;
    this.#dueAt = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => this.#rang(), EVERY_MS);
    if (typeof this.#timer === "object" && "unref" in this.#timer) this.#timer.unref();
  }

  /** The longest delay since this was last asked, and now, in seconds. */
  async take(): Promise<number> {
    const asked = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const longest = Math.max(this.#longestMs, performance.now() - asked, performance.now() - this.#dueOr(asked));
    this.#longestMs = 0;
    return longest / 1_000;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #rang(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#dueAt);
    this.#dueAt = now + EVERY_MS;
  }

  #dueOr(otherwise: number): number {
    return this.#timer === undefined ? otherwise : this.#dueAt;
  }
}
