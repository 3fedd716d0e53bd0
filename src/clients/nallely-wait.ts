/** Waiting for something that a machine will say, with an end. */
import { LateError } from "./nallely-error.ts";
import type { Driver } from "./nallely-driver.ts";

/** What ends a wait early. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Rejects with a `LateError` after it. */
  readonly timeoutMs?: number | undefined;
}

export interface Settle<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise that `begin` settles, or a signal, or a deadline. `begin` returns what ends its listening. */
export function waitUntil<T>(
  driver: Driver,
  { signal, timeoutMs }: WaitOptions,
  begin: (settle: Settle<T>) => () => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  if (signal?.aborted === true) {
    reject(signal.reason);
    return promise;
  }
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const cancel = timeoutMs === undefined
    ? undefined
    : driver.later(timeoutMs, () => reject(new LateError(`nothing within ${timeoutMs} ms`)));
  const end = begin({ resolve, reject });
  const clear = () => {
    end();
    cancel?.();
    signal?.removeEventListener("abort", abort);
  };
  promise.then(clear, clear);
  return promise;
}
