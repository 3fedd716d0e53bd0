/** The client for watchers, against a real relay: subscriptions, resumption, gaps and commands. */
import { test } from "#runner";
import fc from "fast-check";
import { IntegrationClient } from "../../../src/clients/integration.ts";
import { isGap, RelayError, type WatchedEvent, WatcherClient } from "../../../src/clients/watcher.ts";
import { check } from "../../harness/check.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { until } from "../runtimes/bun-relay.ts";
import { freePort } from "../storage/backends.ts";
import { cuttable, QUICK, TOKEN, withIntermediary } from "./intermediary-fixture.ts";

const OPTIONS = { ...QUICK, name: "overlay", token: TOKEN };

const payloadOf = (event: WatchedEvent): number =>
  Number(isGap(event) ? 0 : (event["payload"] as { readonly payload: number }).payload);

test("CL15 a watcher gets the events that it wants, as an iterator and as a listener", () =>
  withIntermediary(async ({ urls }) => {
    using watcher = new WatcherClient(urls.intermediary, { ...OPTIONS, events: ["integration_connected", "add_context"] });
    await watcher.ready();
    const seen: string[] = [];
    watcher.onEvent((event) => seen.push(event.event));
    const events = watcher.events();
    using integration = new IntegrationClient(urls.intermediary, { ...OPTIONS, name: "jukebox" });
    integration.context("hello");
    const [first, second] = [(await events.next()).value, (await events.next()).value];
    check.that(first !== undefined && !isGap(first) && second !== undefined && !isGap(second));
    check.equal([first.event, first["name"], second["message"], watcher.cursor], [
      "integration_connected",
      "jukebox",
      "hello",
      second.id,
    ]);
    check.equal(await watcher.subscribe({ events: ["integration_message"], rate: 2 }), ["integration_message"]);
    for (let n = 1; n <= 5; n++) integration.send("count", n);
    const counted = [];
    for await (const event of events) {
      counted.push(isGap(event) ? `gap ${event.missed}` : payloadOf(event));
      if (isGap(event)) break;
    }
    check.equal(counted, [1, 2, "gap 3"]);
    check.equal(seen, ["integration_connected", "add_context", "integration_message", "integration_message", "gap"]);
  }));

test("CL16 commands, choices and questions have typed replies, and a refusal is an error with the relay's code", () =>
  withIntermediary(async ({ urls }) => {
    using watcher = new WatcherClient(urls.intermediary, OPTIONS);
    const commands: unknown[] = [];
    using integration = new IntegrationClient(urls.intermediary, {
      ...OPTIONS,
      name: "jukebox",
      command: ({ cmd }) => void commands.push(cmd),
    });
    integration.action("wave", { description: "Wave.", handler: () => "waved" });
    await integration.ready();
    check.equal(await watcher.command("jukebox", { skip: true }), { status: "sent" });
    check.equal(await watcher.command("*", 1), { status: "sent", count: 1 });
    await until(() => commands.length === 2);
    check.equal(commands, [{ skip: true }, 1]);
    const result = watcher.events();
    await watcher.choose("wave");
    for await (const event of result) if (event.event === "action_result") break;
    check.equal(await watcher.registeredActions(), { "jukebox.wave": {} });
    check.equal((await watcher.peers()).map(({ name, type }) => [name, type]), [["jukebox", "integration"], [
      "overlay",
      "neuro-os",
    ]]);
    integration.close();
    await until(() => integration.phase === "closed");
    for await (const event of result) if (event.event === "integration_disconnected") break;
    check.equal(await watcher.command("jukebox", "later"), { status: "queued" });
    const codes = [];
    for (const call of [watcher.command("nobody", 1), watcher.sendToNeuro("x"), watcher.choose("nothing")]) {
      codes.push(await call.then(() => "done", (error: unknown) => error instanceof RelayError ? error.code : error));
    }
    check.equal([codes[0], codes[1]], ["notFound", "notAllowed"]);
    check.that(codes[2] !== "done", String(codes[2]));
  }));

test("CL17 over lost connections a watcher gets every event once and in order", () =>
  withIntermediary(async ({ urls }) => {
    using integration = new IntegrationClient(urls.intermediary, { ...OPTIONS, name: "jukebox" });
    await integration.ready();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("event", "event", "cut", "pause", "command"), { maxLength: 30 }),
        async (steps) => {
          const { openSocket, cut } = cuttable();
          using watcher = new WatcherClient(urls.intermediary, { ...OPTIONS, openSocket, events: ["integration_message"] });
          const seen: number[] = [];
          const gaps: WatchedEvent[] = [];
          watcher.onEvent((event) => void (isGap(event) ? gaps.push(event) : seen.push(payloadOf(event))));
          await watcher.ready();
          const sent: number[] = [];
          const calls: Promise<string>[] = [];
          for (const step of steps) {
            if (step === "cut") cut();
            if (step === "pause") await Bun.sleep(3);
            if (step === "command") {
              calls.push(watcher.command("nobody", 1).then(() => "done", ({ code }: RelayError) => String(code)));
            }
            if (step !== "event") continue;
            sent.push(++count);
            integration.send("count", count);
          }
          for (const code of await Promise.all(calls)) check.that(code === "notFound" || code === "Lost", code);
          while (seen.length < sent.length) await Bun.sleep(1);
          await Bun.sleep(5);
          check.equal([seen, gaps], [sent, []]);
        },
      ),
      { numRuns: 40 },
    );
  }), { timeoutMs: 60_000 });

test("CL17b a later client resumes after the cursor of an earlier one", () =>
  withIntermediary(async ({ urls }) => {
    using integration = new IntegrationClient(urls.intermediary, { ...OPTIONS, name: "jukebox" });
    await integration.ready();
    const first = new WatcherClient(urls.intermediary, { ...OPTIONS, events: ["integration_message"] });
    await first.ready();
    const after = first.cursor ?? "";
    first.close();
    integration.send("count", 7);
    using second = new WatcherClient(urls.intermediary, { ...OPTIONS, events: ["integration_message"], after });
    const { value } = await second.events().next();
    check.equal(value && payloadOf(value), 7);
  }));

test(
  "CL17c after a restart of the relay a watcher gets a gap, and the choice that is open then",
  () =>
    inFolder(async (folder) => {
      const port = await freePort();
      const sets = [`intermediary.port=${port}`, `intermediary.auth_token=${TOKEN}`, "queue.backend=memory"];
      let relay = await RelayProcess.start(folder, sets);
      try {
        using watcher = new WatcherClient(relay.urls.intermediary, { ...OPTIONS, events: ["choose_action"] });
        await watcher.ready();
        const events = watcher.events();
        await relay.stop("SIGKILL");
        await until(() => watcher.phase === "connecting");
        relay = await RelayProcess.start(folder, sets);
        using integration = new IntegrationClient(relay.urls.intermediary, { ...OPTIONS, name: "jukebox" });
        integration.action("wave", { description: "Wave.", handler: () => "waved" });
        integration.force({ query: "Wave?", actions: ["wave"] });
        const { value: gap } = await events.next();
        check.equal(gap, { event: "gap", missed: null });
        const { value } = await events.next();
        check.equal(value?.event, "choose_action");
      } finally {
        await relay.stop();
      }
    }),
  { timeoutMs: 30_000 },
);

test("CL18 a refused watcher is told why, and does not dial again; requests end at their deadline, and at the close", () =>
  withIntermediary(async ({ urls }) => {
    const { openSocket, dials } = cuttable();
    using refused = new WatcherClient(urls.intermediary, { ...OPTIONS, token: "wrong", openSocket });
    const codes = await Promise.all(
      [refused.ready(), refused.peers()].map((promise) => promise.then(() => "", ({ code }: RelayError) => code)),
    );
    check.equal(codes, ["badToken", "Closed"]);
    await Bun.sleep(30);
    check.equal(dials(), 1);
    const offline = new WatcherClient("ws://127.0.0.1:9", { ...OPTIONS, timeoutMs: 20 });
    check.equal(await offline.peers().catch(({ code }: RelayError) => code), "TimedOut");
    const open = offline.peers().catch(({ code }: RelayError) => code);
    offline.close();
    check.equal(await open, "Closed");
  }));
