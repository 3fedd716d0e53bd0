/** How the relay stops on Bun: by a drain, and by signals. */
import { test } from "#runner";
import { serve } from "../../../src/runtimes/bun/serve.ts";
import { check } from "../../harness/check.ts";
import { Client, testSettings, withRelay } from "./bun-relay.ts";
import { echoService, neverDrainedService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

test("RT17 a drain notifies the services, closes every peer with 1012, accepts no connection, and closes the store last", () =>
  withRelay(testSettings(), async ({ connect, drain, store, urls }) => {
    const [game, brain] = [await connect("neuro"), await connect("brain")];
    const drained = drain();
    check.that(!store.isClosed);
    check.equal(await game.closed, { code: 1012, reason: "relay restarts" });
    check.equal(game.frames, ["draining"]);
    check.equal((await brain.closed).code, 1012);
    await drained;
    check.that(store.isClosed);
    await check.rejects(Client.connect(urls.neuro), /./);
    check.that(drain() === drain(), "a second drain is the first");
  }));

test("RT17 a drain waits for pending writes", () =>
  withRelay(testSettings(), async ({ connect, drain, store }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    const writer = await connect("neuro");
    writer.send("put");
    check.equal(await writer.ask("echo sent"), "sent");
    const before = store.entries.size;
    const drained = drain();
    await writer.closed;
    resolve();
    await drained;
    check.equal(store.entries.size, before + 1);
  }));

test("RT18 a service that never reports that it is drained does not prevent the relay from stopping", async () => {
  const settings = testSettings((change) => (change.shutdown.grace = 0));
  const store = new MemoryStore();
  const services = [echoService("brain"), neverDrainedService("neuro")];
  const served = await serve(settings, { services, store, uploads: memoryUploads(), print: () => {}, log: () => {} });
  await served.drain();
  check.that(store.isClosed);
});

/** The process of `bun-process.ts`, once it is ready. */
async function spawn(...args: string[]) {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/bun-process.ts`, ...args], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = "";
  const until = async (words: string) => {
    while (!text.includes(words)) {
      const { value, done } = await output.next();
      if (done) return;
      text += value;
    }
  };
  await until("Neuro Relay is ready");
  const url = /listening on (ws:\S+)/.exec(text)?.[1] ?? "";
  return { child, until, url, text: () => text };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`RT19 RT19b ${signal} drains and exits with 0; a second signal within a second is ignored`, async () => {
    const { child, until, url, text } = await spawn();
    const game = await Client.connect(url);
    child.kill(signal);
    child.kill(signal);
    check.equal((await game.closed).code, 1012);
    check.equal(await child.exited, 0);
    await until("stopped");
    check.match(text(), /stopped\n$/);
  });
}

test("RT19b a second signal, more than a second later, exits at once with 128 plus its number", async () => {
  const { child } = await spawn("stubborn");
  child.kill("SIGTERM");
  const repeat = setInterval(() => child.kill("SIGTERM"), 100);
  check.equal(await child.exited, 143);
  clearInterval(repeat);
});
