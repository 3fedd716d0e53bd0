/**
 * A stream of values with several listeners, and async iterators that never delay the sender.
 *
 * An iterator that is read too slowly drops the oldest values; by default it keeps only the latest.
 */

/** Called with each value. If it throws, the other listeners are called nevertheless. */
export type ValueListener<T> = (value: T) => void;

/** Called with the errors of listeners. */
export type OnFailure = (error: unknown) => void;

export class Stream<T> {
  readonly #listeners = new Set<ValueListener<T>>();
  readonly #onFailure: OnFailure;

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Adds a listener until the signal aborts. Returns a function that removes it. */
  listen(listener: ValueListener<T>, signal?: AbortSignal): () => void {
    if (signal?.aborted === true) return () => {};
    const entry: ValueListener<T> = (value) => listener(value); // Why: the same function may be added twice.
    const end = () => {
      this.#listeners.delete(entry);
      signal?.removeEventListener("abort", end);
    };
    this.#listeners.add(entry);
    signal?.addEventListener("abort", end, { once: true });
    return end;
  }

  emit(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }

  /** The values from now on, as an iterator. */
  iterate(options: IterateOptions = {}): ValueIterator<T> {
    return new ValueIterator<T>(this, options);
  }
}

/** The buffer size for a slow reader, and the signal that ends the iteration. */
export interface IterateOptions {
  /** Values that are kept for the reader; the oldest are dropped first. Default: 1, the latest. */
  readonly keep?: number | undefined;
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

/** An iterator that keeps a bounded number of values. `lost` counts the values that were dropped. */
export class ValueIterator<T> implements AsyncIterableIterator<T> {
  lost = 0;
  readonly #kept: T[] = [];
  readonly #keep: number;
  readonly #readers: ((result: IteratorResult<T, undefined>) => void)[] = [];
  readonly #stop: () => void;
  #isDone = false;

  constructor(stream: Stream<T>, { keep = 1, signal }: IterateOptions) {
    this.#keep = Math.max(1, keep);
    this.#stop = stream.listen((value) => this.#take(value), signal);
    if (signal?.aborted === true) this.#isDone = true;
    signal?.addEventListener("abort", () => void this.return(), { once: true });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#kept.length > 0) return Promise.resolve({ done: false, value: this.#kept.shift() as T }); // Why: it has one.
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#isDone = true;
    this.#stop();
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(value: T): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader({ done: false, value });
    this.#kept.push(value);
    if (this.#kept.length <= this.#keep) return;
    this.#kept.shift();
    this.lost++;
  }
}
