/**
 * The results of an integration's actions, kept while the relay may still need them: a result that was sent just before a connection was
 * lost may not have arrived. The relay counts a result once, so it is sent again.
 *
 * Invariants: R1 an action is begun once; R2 results are kept for `KEPT_MS`, and at most `RESULTS_MAX` of them.
 */

/** Neuro's deadline of an action. A later result is ignored. */
const KEPT_MS = 20_000;
const RESULTS_MAX = 1_000;

interface KeptResult {
  readonly text: string;
  readonly at: number;
}

export class ResultBox {
  readonly #now: () => number;
  readonly #running = new Set<string>();
  readonly #results = new Map<string, KeptResult>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins an action. Returns its result if it has ended, or `running`, if it arrived before. */
  begin(id: string): "new" | "running" | KeptResult {
    if (this.#running.has(id)) return "running";
    const kept = this.#results.get(id);
    if (kept !== undefined) return kept;
    this.#running.add(id);
    return "new";
  }

  complete(id: string, text: string): void {
    this.#running.delete(id);
    this.#prune();
    this.#results.set(id, { text, at: this.#now() });
  }

  /** The frames of the results that may not have arrived. */
  recent(): readonly string[] {
    this.#prune();
    return [...this.#results.values()].map(({ text }) => text);
  }

  #prune(): void {
    for (const [id, { at }] of this.#results) {
      if (at + KEPT_MS > this.#now() && this.#results.size < RESULTS_MAX) return;
      this.#results.delete(id);
    }
  }
}
