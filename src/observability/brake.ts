/**
 * Facts that anybody can cause without end: so many lines of a kind in a while, then one that says how many more there were.
 *
 * Invariant: a kind has at most its bound of lines and a sum in each window, however often it happens; all of them are counted.
 */
import type { Millis } from "../core/ids.ts";

export const WINDOW_MS: Millis = 10_000;

export interface BrakeClock {
  now(): Millis;
  /** Runs something so much later, unless the process ends before. */
  later(ms: Millis, run: () => void): void;
}

/** One kind, since its first line. */
interface Window {
  readonly endsAt: Millis;
  lines: number;
  leftOut: number;
  readonly sum: (leftOut: number) => void;
}

export class Brake {
  readonly #clock: BrakeClock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: BrakeClock) {
    this.#clock = clock;
  }

  /** Whether one more line of this kind may be written, of so many. `sum` is told how many were not, when the window ends. */
  passes(kind: string, linesMax: number, sum: (leftOut: number) => void): boolean {
    const now = this.#clock.now();
    const window = this.#windowOf(kind, now) ?? this.#open(kind, { endsAt: now + WINDOW_MS, lines: 0, leftOut: 0, sum });
    if (window.lines < linesMax) {
      window.lines++;
      return true;
    }
    if (window.leftOut++ === 0) this.#clock.later(window.endsAt - now, () => this.#end(kind, window));
    return false;
  }

  /** Says now what would be said later. */
  close(): void {
    for (const [kind, window] of [...this.#windows]) this.#end(kind, window);
  }

  #windowOf(kind: string, now: Millis): Window | undefined {
    const window = this.#windows.get(kind);
    if (window === undefined || window.endsAt > now) return window;
    this.#end(kind, window); // Why here too: the timer may be late.
    return undefined;
  }

  #open(kind: string, window: Window): Window {
    this.#windows.set(kind, window);
    return window;
  }

  #end(kind: string, window: Window): void {
    if (this.#windows.get(kind) !== window) return;
    this.#windows.delete(kind);
    if (window.leftOut > 0) window.sum(window.leftOut);
  }
}
