/** What only a Durable Object does, except hibernation (`tests/hibernation`): it is one of many, and its timer is an alarm. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "#runner";
import { type Alarm, ObjectClock } from "../../../src/runtimes/workers/object-clock.ts";
import { isServed, splitPath } from "../../../src/runtimes/relay-path.ts";
import { JsonSocket, until } from "../../conformance/json-socket.ts";
import { variablesOf } from "../../conformance/platform.ts";
import { integrate, watch } from "../../conformance/clients.ts";
import { withWorker } from "../../conformance/test-worker.ts";
import { bundle } from "../../conformance/workers.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { Client } from "./bun-relay.ts";

test("RT62 each name is a separate relay; names that are not served are answered with 404", () =>
  withWorker(
    "src/runtimes/workers/worker.ts",
    { ...variablesOf({}), RELAY_NAMES: "default,test,show-*" },
    async ({ relay, origin }) => {
      const status = async (path: string) => (await fetch(origin + path)).status;
      check.equal(
        await Promise.all(
          ["/health", "/r/test/health", "/r/show-1/health", "/r/other/health", "/r/a%2fb/health"].map(status),
        ),
        [200, 200, 200, 404, 404],
      );
      await integrate(relay, "jukebox");
      const there = { ...relay, urls: { ...relay.urls, intermediary: relay.urls.intermediary.replace("/r/test/", "/") } };
      const client = await watch(there, "desk");
      client.send({ target: "jukebox", cmd: {} });
      check.equal((await client.next(({ error }) => error !== undefined, "a refusal")).error, "invalid target/cmd");
      const url = await (await fetch(`${relay.web}/neuro/t/game-token/$env/NEURO_SDK_WS_URL`)).text();
      check.equal(url, `${relay.urls.neuro}/t/game-token/`);
    },
  ));

test("SE59 a Worker on a developer's machine answers under a loopback name only; its tokens are those of one run", async () => {
  const statuses = async (variables: Record<string, string>): Promise<readonly number[]> => {
    const found: number[] = [];
    await withWorker("src/runtimes/workers/worker.ts", { ...variablesOf({}), ...variables }, async ({ origin }) => {
      const { port } = new URL(origin);
      for (const host of [`evil.example:${port}`, `localhost:${port}`, `127.0.0.1:${port}`]) {
        found.push((await fetch(`${origin}/health`, { headers: { host } })).status);
      }
    });
    return found;
  };
  check.equal(await statuses({ RELAY_CHECKS_HOST: "true" }), [421, 200, 200]);
  check.equal(await statuses({}), [200, 200, 200]);
  const script = readFileSync(join(ROOT, "tests/harness/dev-workers.ts"), "utf8");
  check.that(/RELAY_CHECKS_HOST:true/.test(script) && /crypto\.randomUUID/.test(script));
});

test("RT63 OB24 without tokens of its own, with record.file, or with an unknown setting, a Worker answers 503 and logs why", async () => {
  for (
    const [variables, words] of [
      [{}, "intermediary.auth_token"],
      [{ ...variablesOf({}), NEURO_RELAY_INTERMEDIARY__PROT: "1" }, "NEURO_RELAY_INTERMEDIARY__PROT: unknown setting"],
      [{ ...variablesOf({}), NEURO_RELAY_CONFIG: "web:\n  metrics: 5\n" }, "NEURO_RELAY_CONFIG:2:3 web.metrics"],
      [{ ...variablesOf({}), NEURO_RELAY_RECORD__FILE: "x.jsonl" }, "record.file: a Worker has no files"],
    ] as const
  ) {
    await withWorker("src/runtimes/workers/worker.ts", variables, async ({ origin, log }) => {
      check.equal((await fetch(`${origin}/health`)).status, 503);
      await until(() => log().includes(words), words);
    });
  }
});

test("RT64 the Worker is one module of less than 1 MiB compressed, without modules of Node", async () => {
  const script = await bundle("src/runtimes/workers/worker.ts");
  check.that(Bun.gzipSync(script).length < 1_048_576);
  await check.rejects(bundle("src/runtimes/open-ports.ts"), /./);
});

test("RT15 in workerd: an internal error closes its peer, and the object continues; everything sent before a close arrives", () =>
  withWorker("tests/unit/runtimes/echo-worker.ts", { ...variablesOf({}), RELAY_NAMES: "test" }, async ({ relay, log }) => {
    const url = `${relay.urls.neuro}/?token=game-token`;
    const [unlucky, other] = [await Client.connect(url), await Client.connect(url)];
    unlucky.send("panic");
    check.equal((await unlucky.closed).code, 1011);
    check.equal(await other.ask("echo alive"), "alive");
    other.send(new Uint8Array([0, 255, 7]));
    for (let at = 0; at < 100; at++) other.send(`echo ${at}`);
    other.send("put");
    await other.next((frame) => frame === "stored");
    other.send("close");
    check.equal(await other.closed, { code: 4401, reason: "invalid auth token" });
    check.match(log(), /internal error in neuro/);
  }));

test("RT65 a deadline within 60 s has a timer and a later alarm; any other one has the alarm, which is only moved earlier", async () => {
  let ticks = 0;
  const alarms: number[] = [];
  const alarm: Alarm = {
    getAlarm: () => Promise.resolve(null),
    setAlarm: (at) => Promise.resolve(void alarms.push(at)),
  };
  const clock = await ObjectClock.open(alarm, () => ticks++);
  const now = Date.now();
  clock.wake(now + 600_000);
  clock.wake(now + 700_000);
  check.equal(alarms, [now + 600_000]);
  clock.wake(now + 300_000);
  check.equal(alarms, [now + 600_000, now + 300_000]);
  clock.wake(now - 5);
  check.equal(alarms.length, 3);
  check.that((alarms[2] ?? 0) <= Date.now() + 60_000);
  clock.wake(Date.now() + 1);
  await until(() => ticks === 1, "the timer");
  check.equal(alarms.length, 3);
  clock.alarmFired();
  clock.ensureReturn();
  check.equal(alarms.length, 4);
  clock.wake(undefined);
});

test("RT62 a path is split, and a name is matched by patterns", () => {
  check.equal(splitPath("/r/show/neuro/x"), { name: "show", base: "/r/show", path: "/neuro/x" });
  check.equal(splitPath("/r/show"), { name: "show", base: "/r/show", path: "/" });
  for (const path of ["/neuro", "/", "/r", "/rx/y"]) check.equal(splitPath(path), { name: "default", base: "", path });
  for (const name of ["", "a b", "a%20b", "..", "a.b", "caf\u00e9", "x".repeat(65)]) {
    check.equal(splitPath(`/r/${name}/`), undefined, name);
  }
  check.equal([isServed("x", ["default"]), isServed("x", ["*"]), isServed("x", [])], [false, true, false]);
  check.equal(["show-1", "show-", "xshow-1"].map((name) => isServed(name, ["a", "show-*"])), [true, true, false]);
  check.equal(["abc", "a1b2c", "ac", "acb"].map((name) => isServed(name, ["a*b*c"])), [true, true, false, false]);
});

test("BR70 BR80 a Worker predicts with the built-in artifact", () =>
  withWorker("src/runtimes/workers/worker.ts", { ...variablesOf({}), RELAY_NAMES: "test" }, async ({ relay }) => {
    const line = await JsonSocket.open(`${relay.urls.brain}/?token=brain-token`);
    line.send({ cmd: "Infer", payload: { math: "6 / 3" } });
    check.equal((await line.next()).prediction, { value: 1.108852744102478 });
  }));

test("RT66 a socket that its peer closes is closed at once, and its name is free", () =>
  withWorker("src/runtimes/workers/worker.ts", { ...variablesOf({}), RELAY_NAMES: "test" }, async ({ relay }) => {
    const line = await JsonSocket.open(relay.urls.intermediary);
    const began = performance.now();
    check.equal((await line.close()).code, 1000);
    check.that(performance.now() - began < 5_000, "without waiting for a timeout");
  }));
