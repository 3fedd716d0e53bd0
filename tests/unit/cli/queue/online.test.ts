/** The `queue` commands while a relay runs: they use its API. */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { JsonClient } from "../../../harness/json-client.ts";
import { CliFolder, exitStatus, untilOutput } from "../cli-process.ts";

const CONFIGURATION = (port: string, backend: string) =>
  `intermediary: {port: 0, auth_token: own}
nakurity-backend: {port: 0}
brain: {enabled: false}
web: {port: ${port}, token: ${backend === "memory" ? "set-by-hand" : '""'}}
queue: {backend: ${backend}}
log: {level: error}
`;

interface Running {
  readonly place: CliFolder;
  readonly listener: string;
  stop(): Promise<void>;
}

/** Starts a relay on free ports, and writes a configuration with its web port. */
async function started(backend: string): Promise<Running> {
  const place = await CliFolder.make({ "my.yaml": CONFIGURATION("0", backend) });
  const relay = place.start(["--config", "my.yaml"]);
  const said = await untilOutput(relay, "stdout", /is ready/);
  const port = (label: string) =>
    new RegExp(`\\[${label}\\] listening on \\w+://127\\.0\\.0\\.1:(\\d+)`).exec(said)?.[1] ?? "";
  await place.write("asking.yaml", CONFIGURATION(port("Web"), backend));
  const stop = async () => {
    relay.kill("SIGTERM");
    await exitStatus(relay);
    await place.remove();
  };
  return { place, listener: `ws://127.0.0.1:${port("Intermediary")}`, stop };
}

/** Queues a message for an integration that has left, and a dead letter for `lamp`, which is connected. */
async function fill(listener: string, gone: string): Promise<{ readonly lamp: JsonClient; readonly watcher: JsonClient }> {
  const lamp = await JsonClient.open(listener);
  lamp.send({ type: "integration", name: "lamp", auth_token: "own", ack: true });
  await lamp.next(({ event }) => event === "registered");
  const client = await JsonClient.open(listener);
  client.send({ type: "integration", name: gone, auth_token: "own", ack: true });
  await client.next(({ event }) => event === "registered");
  client.close();
  await client.closed;
  const watcher = await JsonClient.open(listener);
  watcher.send({ type: "neuro-os", name: "os", auth_token: "own" });
  watcher.send({ target: gone, cmd: { n: 1 }, request_id: 1 });
  check.equal((await watcher.next(({ request_id }) => request_id === 1)).status, "queued");
  watcher.send({ target: "lamp", cmd: { n: 2 } });
  lamp.send({ term: (await lamp.next(({ cmd }) => cmd?.n === 2)).id });
  await watcher.next(({ event }) => event === "message_dead");
  return { lamp, watcher };
}

for (const [backend, gone] of [["fs", "gone & far"], ["memory", ".."]] as const) {
  test(`CF38 queue uses the API of a running relay (${backend})`, async () => {
    const { place, listener, stop } = await started(backend);
    try {
      const begun = Date.now();
      const { lamp, watcher } = await fill(listener, gone);
      const run = (...words: readonly string[]) => place.run(["queue", ...words, "--config", "asking.yaml"]);
      const { out, errors, status } = await run("list");
      check.equal([status, errors], [0, ""]);
      check.match(
        out,
        /command {2}\d+ B {2}to "(?:gone & far|\.\.)" {2}queued since \S+, expires \S+\n[^\n]*to "lamp" {2}dead since \S+ \(terminated\)\n1 queued, 1 dead\n$/,
      );
      const [waiting, dead] = JSON.parse((await run("list", "--json")).out);
      check.equal([waiting.to, dead.to], [gone, "lamp"]);
      check.equal(Object.keys(waiting), ["id", "to", "service", "state", "kind", "bytes", "created_at", "expires_at"]);
      check.equal(Object.keys(dead), ["id", "to", "service", "state", "reason", "kind", "bytes", "dead_at"]);
      const shown = JSON.parse((await run("show", dead.id)).out);
      check.that(begun <= Date.parse(shown.created_at) && Date.parse(shown.created_at) <= Date.parse(dead.dead_at));
      check.equal(JSON.parse((await run("show", waiting.id)).out), {
        ...waiting,
        body: { from_watcher: "os", cmd: { n: 1 } },
      });
      const lines = (await run("export")).out.trimEnd().split("\n").map((line) => JSON.parse(line));
      check.equal(lines.map(({ id, body }) => [id, body.cmd]), [[waiting.id, { n: 1 }], [dead.id, { n: 2 }]]);
      check.equal((await run("show", "1700000000000-0000000009")).status, 1);
      check.match((await run("retry", dead.id)).out, /^1 put back/);
      lamp.send({ ack: (await lamp.next(({ cmd }) => cmd?.n === 2)).id });
      await watcher.next(({ event }) => event === "message_delivered");
      check.match((await run("drop", waiting.id)).out, /^1 deleted/);
      check.match((await run("list")).out, /^0 queued, 0 dead/);
      for (const client of [lamp, watcher]) client.close();
    } finally {
      await stop();
    }
  }, { timeoutMs: 90_000 });
}

test("CF38 queue reports that the relay refuses the configuration's token", async () => {
  const { place, stop } = await started("fs");
  try {
    const { status, errors } = await place.run(["queue", "list", "--config", "asking.yaml", "--set", "web.token=another"]);
    check.equal(status, 2);
    check.match(errors, /^the relay at http:\/\/127\.0\.0\.1:\d+ refuses access to its queue: .*token/);
  } finally {
    await stop();
  }
}, { timeoutMs: 60_000 });
