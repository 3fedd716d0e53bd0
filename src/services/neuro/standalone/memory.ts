/**
 * What a language model remembers in the place of Neuro: contexts, the queries and states of forces that are not ephemeral, its own
 * actions and their results.
 *
 * Invariant: MM1 it has at most `openai.memory_entries` texts with `openai.memory_bytes`, and the oldest ones go first; it is charged to an
 * account of the service.
 */
import { type RetainedBytes, retainedBytes } from "../../../core/retained-bytes.ts";
import type { BackendSettings } from "../../../core/settings.ts";
import { shorten } from "../../../core/text.ts";

/** UTF-16 units of one text. */
const TEXT_LENGTH_MAX = 2_048;

type MemoryLimits = Pick<BackendSettings["openai"], "memory_entries" | "memory_bytes">;

export class Memory {
  readonly #texts: string[] = [];
  readonly #retained: RetainedBytes;

  constructor(retained: RetainedBytes) {
    this.#retained = retained;
  }

  /** The oldest is first. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  add(given: string, limits: MemoryLimits): void {
    const text = shorten(given, TEXT_LENGTH_MAX);
    this.#texts.push(text);
    this.#retained.charge(retainedBytes(text));
    this.trim(limits);
  }

  /** Forgets the oldest texts until the limits hold. */
  trim({ memory_entries, memory_bytes }: MemoryLimits): void {
    while (this.#texts.length > memory_entries || this.#retained.bytes > memory_bytes) {
      const text = this.#texts.shift();
      if (text === undefined) return;
      this.#retained.release(retainedBytes(text));
    }
  }

  clear(): void {
    this.#texts.length = 0;
    this.#retained.release(this.#retained.bytes);
  }
}
