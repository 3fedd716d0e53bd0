/** Listeners that the runtime ends, and that are opened again. */
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "#runner";
import { type OpenListener, openMonitored } from "../../../src/runtimes/monitored-listener.ts";
import { AppFixture, bearer, WEB_TOKEN } from "../http/app-fixture.ts";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";
import { inFolder } from "../../harness/relay.ts";
import { Client } from "./bun-relay.ts";

/** Opens listeners that the test can end, on the ports that it was asked for. */
function fakeListeners() {
  const ports: (number | undefined)[] = [];
  const closed: number[] = [];
  const ends: ((reason: string) => void)[] = [];
  const open = (port?: number): OpenListener => {
    if (ports.push(port) === 2) throw new Error("no descriptors yet");
    const { promise, resolve } = Promise.withResolvers<string>();
    ends.push(resolve);
    return { port: 8_000, stopAccepting() {}, close: () => Promise.resolve(void closed.push(port ?? 0)), ended: promise };
  };
  return { ports, closed, open, end: (reason: string) => ends.at(-1)?.(reason) };
}

test("RT1c a listener that the runtime ends is opened again at its port until that succeeds", async () => {
  const { ports, closed, open, end } = fakeListeners();
  const { promise: restored, resolve } = Promise.withResolvers<void>();
  const lost: string[] = [];
  const listener = await openMonitored(open, { lost: (reason) => lost.push(reason), restored: resolve });
  end("too many open files");
  await restored;
  check.equal([ports, lost], [[undefined, 8_000, 8_000], ["too many open files"]]);
  await listener.close();
  check.equal(closed, [8_000]);
  end("shutdown");
  await new Promise((resolve) => setTimeout(resolve, 10));
  check.equal(lost.length, 1, "its own end is no loss");
});

test("RT1d /ready names the listener that is not open", async () => {
  const app = new AppFixture();
  check.equal((await app.fetch("web", "/ready")).status, 200);
  app.lostListeners = ["neuro"];
  const response = await app.fetch("web", "/ready", bearer(WEB_TOKEN));
  check.equal(response.status, 503);
  const { reasons }: { reasons?: unknown } = JSON.parse(await response.text());
  check.equal(reasons, ["the listener neuro is not open"]);
});

/** Opens this many connections to a port, and closes them 2 s later. */
async function exhaust(port: number, count: number): Promise<void> {
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at++) sockets.push(connect({ port, host: "127.0.0.1" }).on("error", () => {}));
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  for (const socket of sockets) socket.destroy();
}

/** The limit of descriptors: more than the relay needs, less than the number of connections of the test. */
const DESCRIPTORS = 60;

for (const [name, runner] of Object.entries(RUNNERS)) {
  test(`RT1c a relay that ran out of descriptors accepts connections again (${name})`, () =>
    inFolder(async (folder) => {
      const sets = [
        "intermediary.port=0",
        "nakurity-backend.enabled=false",
        "brain.enabled=false",
        "web.enabled=false",
        "limits.greeting=60s",
      ];
      const words = [...sets, "queue.backend=memory"].flatMap((set) => ["--set", set]);
      const script = ["-c", `ulimit -n ${DESCRIPTORS}; exec "$@"`, "sh", ...runner, join(ROOT, "src/cli/main.ts")];
      const relay = spawn("sh", [...script, "serve", ...words], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
      try {
        const url = await new Promise<string>((resolve) => {
          let text = "";
          relay.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
            if (text.includes("is ready")) resolve(/\[Intermediary\] listening on (\S+)/.exec(text)?.[1] ?? "");
          });
        });
        const early = await Client.connect(url);
        await exhaust(Number(new URL(url).port), 2 * DESCRIPTORS);
        for (let attempt = 0;; attempt++) {
          const client = await Client.connect(url).catch(() => undefined);
          if (client !== undefined) break;
          check.that(attempt < 10, "it stays closed");
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
        check.equal(early.socket.readyState, WebSocket.OPEN, "a socket that was open stays open");
      } finally {
        relay.kill("SIGKILL");
      }
    }), { timeoutMs: 40_000 });
}
