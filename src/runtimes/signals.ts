/**
 * Stopping: the first SIGINT or SIGTERM drains, a later one exits at once.
 *
 * Why the second: what comes within a second of the first is the same wish, for a terminal's Ctrl-C reaches a program twice
 * when it runs below a script runner.
 */
import process from "node:process";
import type { Served } from "./served.ts";

const SAME_WISH_MS = 1_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves once a signal came and the relay has stopped in order. The caller then exits with 0. */
export function untilStopped(served: Served): Promise<void> {
  return new Promise((resolve, reject) => {
    let stoppingSince: number | undefined;
    const on = (status: number) => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        served.drain().then(resolve, reject);
      } else if (performance.now() - stoppingSince > SAME_WISH_MS) process.exit(status);
    };
    for (const [signal, status] of Object.entries(SIGNALS)) process.on(signal, () => on(status));
  });
}
