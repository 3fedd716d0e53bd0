/** What differs on Deno, over real sockets. */
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { denoPath, ROOT } from "../../harness/machine.ts";
import { Client } from "./bun-relay.ts";

/** Runs `run` with a relay with echo services on Deno; `text` is its output so far. */
async function withDeno(
  run: (relay: { url: string; text(): string; end(): Promise<number> }) => Promise<void>,
): Promise<void> {
  const script = join(ROOT, "tests/unit/runtimes/deno-process.ts");
  const child = Bun.spawn([denoPath(), "run", "-A", "--no-check", "--node-modules-dir=manual", script], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const ready = Promise.withResolvers<void>();
  const drink = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes("Neuro Relay is ready")) ready.resolve();
    }
  };
  void drink(child.stdout);
  void drink(child.stderr);
  void child.exited.then(() => ready.reject(new Error(text)));
  try {
    await ready.promise;
    const url = /\[Nakurity Backend\] listening on (\S+)/.exec(text)?.[1] ?? "";
    const end = () => {
      child.kill("SIGTERM");
      return child.exited;
    };
    await run({ url, text: () => text, end });
  } finally {
    child.kill("SIGKILL");
  }
}

test("RT15 on Deno: an internal error closes its peer; uncaught errors are logged and end nothing", () =>
  withDeno(async ({ url, text }) => {
    const [unlucky, other] = [await Client.connect(url), await Client.connect(url)];
    unlucky.send("panic");
    check.equal((await unlucky.closed).code, 1011);
    for (const words of [/internal error in neuro/, /nobody catches this/, /nor this/]) {
      for (let left = 1_000; !words.test(text()); left--) {
        check.that(left > 0, `${words} in ${text()}`);
        await Bun.sleep(10);
      }
    }
    check.equal(await other.ask("echo alive"), "alive");
  }));

test("RT5 on Deno: everything sent before a close arrives, with code and reason; bytes stay bytes", () =>
  withDeno(async ({ url, end }) => {
    const client = await Client.connect(url, { protocols: ["any", "other"] });
    check.equal(client.socket.protocol, "any");
    client.send(new Uint8Array([0, 255, 7]));
    for (let at = 0; at < 100; at++) client.send(`echo ${at}`);
    client.send("close");
    check.equal(await client.closed, { code: 4401, reason: "invalid auth token" });
    check.equal(client.frames.length, 101);
    const last = await Client.connect(url);
    const status = end();
    check.equal((await last.closed).code, 1012);
    check.equal(await status, 0);
  }));
