/** Waiting for an event of a state machine, with a timeout and a signal. */
import type { ClientClock } from "../websocket-client/socket-driver.ts";

/** A wait exceeded its `timeoutMs`. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
}

/** The timeout and the signal of a wait. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Rejects with a `WaitTimeoutError` after this time. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise that is settled by `begin`, the signal or the timeout. `begin` returns a function that ends its listening. */
export async function waitUntil<T>(
  clock: Pick<ClientClock, "later">,
  { signal, timeoutMs }: WaitOptions,
  begin: (settle: Settle<T>) => () => void,
): Promise<T> {
  if (signal?.aborted === true) throw signal.reason;
  const cleanups: (() => void)[] = [];
  try {
    return await new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      cleanups.push(() => signal?.removeEventListener("abort", abort));
      if (timeoutMs !== undefined) {
        cleanups.push(clock.later(timeoutMs, () => reject(new WaitTimeoutError(`timed out after ${timeoutMs} ms`))));
      }
      cleanups.push(begin({ resolve, reject }));
    });
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}
