/**
 * Finds a listener that accepts nothing any more, by connecting to it while nobody else does.
 *
 * Why: when the process runs out of descriptors, Deno stops accepting for good and reports nothing. A process that had no processor for a
 * while accepts late, so an interval that is not as long as it should be proves nothing.
 */
import { type AddressInfo, connect, type Server } from "node:net";

const PROBE_MS = 1_000;
/** Probes without an answer after which the listener has ended. */
const PROBES_MAX = 3;

/** Resolves with the reason when the listener has ended. Ends one that accepts nothing; its open connections stay. */
export function untilEnded(server: Server, probeMs: number = PROBE_MS): Promise<string> {
  const { address, port } = server.address() as AddressInfo;
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  let unanswered = 0;
  let isQuiet = false;
  server.on("connection", () => {
    unanswered = 0;
    isQuiet = false;
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  let last = performance.now();
  const timer = setInterval(() => {
    const elapsed = performance.now() - last;
    last += elapsed;
    if (elapsed < probeMs / 2 || elapsed > probeMs * 1.5) return;
    if (!isQuiet) isQuiet = true;
    else if (unanswered < PROBES_MAX) {
      unanswered++;
      const probe = connect(port, host, () => void probe.destroy());
      probe.on("error", () => {}); // Why nothing: the next interval sees that nothing was accepted.
    } else {
      server.close();
      end("it accepts no connections");
    }
  }, probeMs);
  timer.unref();
  const end = (reason: string): void => {
    clearInterval(timer);
    resolve(reason);
  };
  server.on("error", (error) => end(error.message));
  server.on("close", () => end("it was closed"));
  return promise;
}
