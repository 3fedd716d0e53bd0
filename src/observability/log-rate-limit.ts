/**
 * Limits the log lines of observations that can happen any number of times: a number of lines of each kind in a window, then one line
 * with the number of suppressed ones.
 *
 * Invariant: a kind writes at most its `lines` and one summary in each window, however often it happens. Metrics still count all.
 */
import type { Millis } from "../core/ids.ts";

const WINDOW_MS: Millis = 10_000;
const RETRY_WINDOW_MS: Millis = 60_000;

/** How often a kind of observation may be logged. */
export interface RateLimit {
  /** Names many of them in the summary line. */
  readonly plural: string;
  /** Lines in each window. */
  readonly lines: number;
  readonly windowMs: Millis;
}

/** For lines that strangers and errors cause. */
export const floodLimit = (plural: string): RateLimit => ({ plural, lines: 20, windowMs: WINDOW_MS });
/** For the work of integrations and operators, who want to see each line unless a program runs wild. */
export const workLimit = (plural: string): RateLimit => ({ plural, lines: 200, windowMs: WINDOW_MS });
/** For attempts that are repeated until they succeed, which may be never. */
export const retryLimit = (plural: string): RateLimit => ({ plural, lines: 5, windowMs: RETRY_WINDOW_MS });

export interface LogClock {
  now(): Millis;
  /** Runs something after a delay, unless the process ends first. */
  after(ms: Millis, run: () => void): void;
}

interface Window {
  readonly endsAt: Millis;
  lines: number;
  suppressed: number;
  readonly summarize: (suppressed: number) => void;
}

export class LogRateLimiter {
  readonly #clock: LogClock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: LogClock) {
    this.#clock = clock;
  }

  /** Whether one more line of this kind may be written. `summarize` gets the number of suppressed ones when the window ends. */
  allows(kind: string, { lines, windowMs }: RateLimit, summarize: (suppressed: number) => void): boolean {
    const now = this.#clock.now();
    const window = this.#current(kind, now) ?? this.#open(kind, now + windowMs, summarize);
    if (window.lines < lines) {
      window.lines++;
      return true;
    }
    if (window.suppressed++ === 0) this.#clock.after(window.endsAt - now, () => this.#end(kind, window));
    return false;
  }

  /** Ends all windows now, with their summaries. */
  close(): void {
    for (const [kind, window] of [...this.#windows]) this.#end(kind, window);
  }

  #current(kind: string, now: Millis): Window | undefined {
    const window = this.#windows.get(kind);
    if (window === undefined || window.endsAt > now) return window;
    this.#end(kind, window); // Why here too: the timer may be late.
    return undefined;
  }

  #open(kind: string, endsAt: Millis, summarize: (suppressed: number) => void): Window {
    const window = { endsAt, lines: 0, suppressed: 0, summarize };
    this.#windows.set(kind, window);
    return window;
  }

  #end(kind: string, window: Window): void {
    if (this.#windows.get(kind) !== window) return;
    this.#windows.delete(kind);
    if (window.suppressed > 0) window.summarize(window.suppressed);
  }
}
