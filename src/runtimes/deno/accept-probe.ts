/**
 * Finds a listener that accepts nothing any more, by connecting to it while nobody else does.
 *
 * Why: when the process runs out of descriptors, Deno stops accepting for good and reports nothing.
 */
import { type AddressInfo, connect, type Server } from "node:net";

const PROBE_MS = 2_000;

/** Resolves with the reason when the listener has ended. Ends one that accepts nothing; its open connections stay. */
export function untilEnded(server: Server): Promise<string> {
  const { address, port } = server.address() as AddressInfo;
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  let state: "accepted" | "quiet" | "probed" = "accepted";
  server.on("connection", () => (state = "accepted"));
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setInterval(() => {
    if (state === "accepted") state = "quiet";
    else if (state === "quiet") {
      state = "probed";
      const probe = connect(port, host, () => void probe.destroy());
      probe.on("error", () => {}); // Why nothing: the next interval sees that nothing was accepted.
    } else {
      server.close();
      end("it accepts no connections");
    }
  }, PROBE_MS);
  timer.unref();
  const end = (reason: string): void => {
    clearInterval(timer);
    resolve(reason);
  };
  server.on("error", (error) => end(error.message));
  server.on("close", () => end("it was closed"));
  return promise;
}
