/**
 * Stopping by signal: the first SIGINT or SIGTERM drains, a later one exits at once.
 *
 * Signals within a second of the first count as the same request, because a terminal's Ctrl-C reaches a program twice when it runs
 * below a script runner.
 */
import process from "node:process";
import type { Stoppable } from "./serve-options.ts";

const SAME_REQUEST_MS = 1_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves when a signal has come and the relay has stopped in order. The caller then exits with 0. */
export function untilStopped(relay: Stoppable): Promise<void> {
  return new Promise((resolve, reject) => {
    let stoppingSince: number | undefined;
    const onSignal = (status: number) => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        relay.drain("signal").then(resolve, reject);
      } else if (performance.now() - stoppingSince > SAME_REQUEST_MS) process.exit(status);
    };
    for (const [signal, status] of Object.entries(SIGNALS)) process.on(signal, () => onSignal(status));
  });
}
