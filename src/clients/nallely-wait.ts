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
export async function waitUntil<T>(
  driver: Driver,
  { signal, timeoutMs }: WaitOptions,
  begin: (settle: Settle<T>) => () => void,
): Promise<T> {
  if (signal?.aborted === true) throw signal.reason;
  const ends: (() => void)[] = [];
  try {
    return await new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      ends.push(() => signal?.removeEventListener("abort", abort));
      if (timeoutMs !== undefined) {
        ends.push(driver.later(timeoutMs, () => reject(new LateError(`nothing within ${timeoutMs} ms`))));
      }
      ends.push(begin({ resolve, reject }));
    });
  } finally {
    for (const end of ends) end();
  }
}
