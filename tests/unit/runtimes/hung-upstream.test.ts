/** An upstream that accepts connections and never answers, neither TLS nor HTTP. */
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";

/** Descriptors that the relay may open: fewer than the attempts of the test. */
const DESCRIPTORS = 100;
const ATTEMPTS = 150;

/** Lets a relay dial such an upstream more often than it has descriptors. */
const dialInVain = (runner: readonly string[], scheme: string): Promise<void> =>
  inFolder(async (folder) => {
    const open = new Set<Socket>();
    let attempts = 0;
    const server = createServer((socket) => {
      attempts++;
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket)).resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const sets = [`nakurity-client.url=${scheme}://127.0.0.1:${port}`, "nakurity-client.dial_timeout=20ms"];
    const backoff = ["nakurity-client.backoff.base=1ms", "nakurity-client.backoff.cap=2ms"];
    const limited = ["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$@"`, "sh", ...runner];
    const relay = await RelayProcess.start(folder, [...sets, ...backoff], limited);
    try {
      for (const end = performance.now() + 40_000; attempts < ATTEMPTS;) {
        check.that(performance.now() < end, `${attempts} attempts`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      check.that(open.size < 20, `${open.size} connections are open`);
      check.that(readdirSync(`/proc/${relay.pid}/fd`).length < DESCRIPTORS / 2, "descriptors");
    } finally {
      await relay.stop("SIGKILL");
      for (const socket of open) socket.destroy();
      server.close();
    }
  });

for (const [runtime, runner] of Object.entries(RUNNERS)) {
  test(`RT29c dials that never complete hold no descriptor, with and without TLS (${runtime})`, async () => {
    await Promise.all(["ws", "wss"].map((scheme) => dialInVain(runner, scheme)));
  }, { timeoutMs: 60_000 });
}
