/** The commands of the queue while a relay runs: it is asked, by its web port. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { Talk } from "../../harness/socket.ts";
import { end, Place, until } from "./command.ts";

const CONFIGURATION = (port: string, backend: string) =>
  `intermediary: {port: 0, auth_token: own}
nakurity-backend: {port: 0}
brain: {enabled: false}
web: {port: ${port}, token: ${backend === "memory" ? "set-by-hand" : '""'}}
queue: {backend: ${backend}}
log: {level: error}
`;

interface Running {
  readonly place: Place;
  readonly listener: string;
  stop(): Promise<void>;
}

/** Starts a relay on ports of its own, and leaves its web port in its file. */
async function started(backend: string): Promise<Running> {
  const place = await Place.make({ "my.yaml": CONFIGURATION("0", backend) });
  const relay = place.start(["--config", "my.yaml"]);
  const said = await until(relay, "stdout", /is ready/);
  const port = (label: string) =>
    new RegExp(`\\[${label}\\] listening on \\w+://127\\.0\\.0\\.1:(\\d+)`).exec(said)?.[1] ?? "";
  await place.write("asking.yaml", CONFIGURATION(port("Web"), backend));
  const stop = async () => {
    relay.kill("SIGTERM");
    await end(relay);
    await place.remove();
  };
  return { place, listener: `ws://127.0.0.1:${port("Intermediary")}`, stop };
}

/** Leaves a message that waits for one who is gone, and a dead letter for `lamp`, who is here. */
async function fill(listener: string, gone: string): Promise<{ readonly lamp: Talk; readonly watcher: Talk }> {
  const lamp = await Talk.open(listener);
  lamp.send({ type: "integration", name: "lamp", auth_token: "own", ack: true });
  await lamp.next(({ event }) => event === "registered");
  const talk = await Talk.open(listener);
  talk.send({ type: "integration", name: gone, auth_token: "own", ack: true });
  await talk.next(({ event }) => event === "registered");
  talk.close();
  await talk.closed;
  const watcher = await Talk.open(listener);
  watcher.send({ type: "neuro-os", name: "os", auth_token: "own" });
  watcher.send({ target: gone, cmd: { n: 1 }, request_id: 1 });
  check.equal((await watcher.next(({ request_id }) => request_id === 1)).status, "queued");
  watcher.send({ target: "lamp", cmd: { n: 2 } });
  lamp.send({ term: (await lamp.next(({ cmd }) => cmd?.n === 2)).id });
  await watcher.next(({ event }) => event === "message_dead");
  return { lamp, watcher };
}

for (const [backend, gone] of [["fs", "gone & far"], ["memory", ".."]] as const) {
  test(`CF38 queue asks the relay that runs (${backend})`, async () => {
    const { place, listener, stop } = await started(backend);
    try {
      const begun = Date.now();
      const { lamp, watcher } = await fill(listener, gone);
      const run = (...words: readonly string[]) => place.run(["queue", ...words, "--config", "asking.yaml"]);
      const { out, errors, status } = await run("list");
      check.equal([status, errors], [0, ""]);
      check.match(
        out,
        /command {2}\d+ B {2}to "(?:gone & far|\.\.)" {2}waits since \S+ until \S+\n[^\n]*to "lamp" {2}dead since \S+ \(terminated\)\n1 waiting, 1 dead\n$/,
      );
      const [waiting, dead] = JSON.parse((await run("list", "--json")).out);
      check.equal([waiting.to, dead.to], [gone, "lamp"]);
      check.equal(Object.keys(waiting), ["id", "to", "room", "state", "kind", "bytes", "at", "expires"]);
      check.equal(Object.keys(dead), ["id", "to", "room", "state", "why", "kind", "bytes", "died"]);
      const buried = JSON.parse((await run("show", dead.id)).out);
      check.that(begun <= Date.parse(buried.at) && Date.parse(buried.at) <= Date.parse(dead.died));
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
      check.match((await run("drop", waiting.id)).out, /^1 dropped/);
      check.match((await run("list")).out, /^0 waiting, 0 dead/);
      for (const talk of [lamp, watcher]) talk.close();
    } finally {
      await stop();
    }
  }, { timeoutMs: 90_000 });
}

test("CF38 a relay that does not take the token of the configuration says so", async () => {
  const { place, stop } = await started("fs");
  try {
    const { status, errors } = await place.run(["queue", "list", "--config", "asking.yaml", "--set", "web.token=another"]);
    check.equal(status, 2);
    check.match(errors, /^the relay at http:\/\/127\.0\.0\.1:\d+ does not let this command look at its queue: .*token/);
  } finally {
    await stop();
  }
}, { timeoutMs: 60_000 });
