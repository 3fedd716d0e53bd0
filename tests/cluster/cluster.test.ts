/** A cluster of real processes on Bun and Deno, with a real Redis: owners that are killed, paused and stopped under traffic. */
import { test } from "#runner";
import { join } from "node:path";
import process from "node:process";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { rankedFor } from "../../src/cluster/placement.ts";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient, type Message } from "../harness/json-client.ts";
import { LinkProcess } from "../conformance/link-process.ts";
import { SECRET, TestCluster, TestGame, type TestNode, until, WEB_TOKEN } from "./fixture.ts";

const MINUTE_MS = 60_000;
const LINK_TOKEN = "the-token-of-the-link";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const itemsOf = async (response: Response): Promise<number> => ((await response.json()) as Message).items.length;

async function withCluster(run: (cluster: TestCluster) => Promise<void>, sets: readonly string[] = []): Promise<void> {
  await inFolder(async (folder) => {
    const cluster = await TestCluster.start(folder, ["Bun", "Deno", "Bun"], { sets });
    try {
      await cluster.isWhole();
      await run(cluster);
    } catch (error) {
      for (const { name, process } of cluster.nodes) console.log(`${name}:\n${process.output}`);
      throw error;
    } finally {
      await cluster.stop();
    }
  });
}

/** What a command prints with these settings. */
async function outputOf(command: "status" | "doctor", sets: readonly string[]): Promise<string> {
  const words = sets.flatMap((set) => ["--set", set]);
  return await new Response(Bun.spawn([process.execPath, join(ROOT, "src/cli/main.ts"), command, ...words]).stdout).text();
}

async function doctorSays(cluster: TestCluster): Promise<void> {
  const sets = [
    "cluster.enabled=true",
    `cluster.url=${await TestCluster.redisUrl()}`,
    "web.port=0",
    `web.token=${WEB_TOKEN}`,
  ];
  const [good, bad] = await Promise.all([
    outputOf("doctor", [...sets, `cluster.secret=${SECRET}`, "cluster.node=n9"]),
    outputOf("doctor", [...sets, `cluster.secret=${SECRET}, or another one`, "cluster.node=n0"]),
  ]);
  // Why some: a node that gets no processor here can be declared dead, and is no member for a moment.
  check.that(
    cluster.nodes.some(({ name }) => new RegExp(`^ok    node ${name} at 127\\.0\\.0\\.1:\\d+$`, "m").test(good)),
    good,
  );
  for (const what of ["settings of a node", "clock against that of Redis", "node name n9"]) {
    check.match(good, new RegExp(`^ok    ${what}$`, "m"));
  }
  check.match(good, /^FAIL {2}Redis of the cluster .* has appendonly no/m);
  check.match(bad, /^FAIL {2}node name n0: a node at 127\.0\.0\.1:\d+ has this name; set cluster\.node/m);
  check.match(bad, /^FAIL {2}node n1 at .*: it has another cluster\.secret; set the same one at all nodes$/m);
}

/** A game at each node that does not own the relay, and one turn of traffic with each. */
async function gamesBeside(owner: TestNode, cluster: TestCluster): Promise<readonly TestGame[]> {
  const others = cluster.nodes.filter((node) => node !== owner);
  const round = cluster.neuro.connections.length;
  const name = (node: TestNode) => `game_${round}_${node.name}`;
  const games = await Promise.all(others.map((node) => TestGame.connect(name(node), node.process.urls.neuro)));
  await registered(games, cluster);
  await actWith(games, cluster);
  return games;
}

const registered = (games: readonly TestGame[], { neuro }: TestCluster): Promise<void> =>
  until(() => games.every(({ name }) => neuro.current?.names.has(`play_${name}`)), "the actions of all games are at Neuro");

async function actWith(games: readonly TestGame[], { neuro }: TestCluster): Promise<void> {
  for (const { name } of games) {
    const id = neuro.act(`play_${name}`);
    await until(() => neuro.current?.results.get(id) === true, `a result of ${name}`);
  }
}

test(
  "CN22 an owner that is paused sends nothing to Neuro after its successor has begun, and joins again when it wakes",
  () =>
    withCluster(async (cluster) => {
      const { neuro } = cluster;
      const owner = await cluster.owner();
      const games = await gamesBeside(owner, cluster);
      const own = await TestGame.connect("own", owner.process.urls.neuro);
      await registered([...games, own], cluster);
      const before = neuro.connections.length;
      owner.process.signal("SIGSTOP");
      for (let count = 0; count < 100; count++) own.say(`message ${count}`);
      await until(() => neuro.connections.length > before && neuro.current?.firstFrameAt !== undefined, "a successor");
      owner.process.signal("SIGCONT");
      await cluster.isWhole();
      await actWith([...games, own], cluster);
      check.equal([neuro.framesOfFormerOwners, neuro.violations], [0, []]);
      check.equal([...games, own].map(({ closes }) => closes), [0, 0, 0]);
    }),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN27 an owner that is cut off from Redis is silent before its successor begins, and no game is closed",
  () =>
    withCluster(async (cluster) => {
      const { neuro } = cluster;
      const owner = await cluster.owner();
      const games = await gamesBeside(owner, cluster);
      const talking = setInterval(() => games.forEach((game) => game.say("a line")), 5);
      const before = neuro.connections.length;
      owner.redis.freeze();
      await until(() => neuro.connections.length > before && neuro.current?.firstFrameAt !== undefined, "a successor");
      const [former, next] = neuro.connections.slice(-2);
      check.that((former?.lastFrameAt ?? Infinity) < (next?.openedAt ?? 0), "silence between the two");
      owner.redis.thaw();
      await cluster.isWhole();
      clearInterval(talking);
      await actWith(games, cluster);
      check.equal([neuro.framesOfFormerOwners, neuro.violations], [0, []]);
      check.equal(games.map(({ closes }) => closes), games.map(() => 0));
    }),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN28 while Redis hangs for longer than the lease nothing is closed or dialed again, and frames arrive late and in order",
  () =>
    withCluster(async (cluster) => {
      const { neuro, nodes } = cluster;
      const owner = await cluster.owner();
      const games = await gamesBeside(owner, cluster);
      const before = neuro.connections.length;
      for (const { redis } of nodes) redis.freeze();
      await pause(3_000);
      const ids = games.map(({ name }) => neuro.act(`play_${name}`));
      await pause(1_000);
      check.equal(ids.map((id) => neuro.current?.results.get(id)), ids.map(() => undefined), "nothing leaves meanwhile");
      for (const { redis } of nodes) redis.thaw();
      await until(() => ids.every((id) => neuro.current?.results.get(id) === true), "the results");
      await cluster.isWhole();
      check.equal([neuro.connections.length, neuro.violations], [before, []]);
      check.equal(games.map(({ closes }) => closes), games.map(() => 0));
    }),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN34 a node that returns gets its relays back after 15 leases, without closing a socket",
  () =>
    withCluster(async (cluster) => {
      const { neuro, nodes } = cluster;
      const [firstName = ""] = rankedFor("default", nodes.map(({ name }) => `${name}.x`));
      const first = nodes.find(({ name }) => `${name}.x` === firstName) as TestNode;
      const isAtFirst = async () => (await first.ready()).body.relays.includes("default");
      await until(isAtFirst, "the relay at the node that is first for it", 30_000);
      const games = await gamesBeside(first, cluster);
      const before = neuro.connections.length;
      await first.process.stop("SIGKILL");
      await until(() => neuro.connections.length > before, "a successor");
      await registered(games, cluster);
      await first.restart();
      await cluster.isWhole();
      check.that(!await isAtFirst(), "not at once");
      await until(isAtFirst, "the relay at the node that is first for it again", 30_000);
      await until(() => neuro.connections.length > before + 1, "that node dials Neuro");
      await registered(games, cluster);
      await actWith(games, cluster);
      check.equal(games.map(({ closes }) => closes), games.map(() => 0));
      check.equal(neuro.violations, []);
    }, ["cluster.lease=1s"]),
  { timeoutMs: 2 * MINUTE_MS },
);

test(
  "CN23 CN54 an owner that is stopped hands its relay over at once: no socket of a game or watcher is closed, and every request is answered",
  () =>
    withCluster(async (cluster) => {
      const { neuro } = cluster;
      const owner = await cluster.owner();
      const games = await gamesBeside(owner, cluster);
      const other = cluster.nodes.find((node) => node !== owner) ?? owner;
      const own = await TestGame.connect("own", owner.process.urls.neuro); // It keeps the owner from ending at once.
      await registered([own], cluster);
      const watcher = await JsonClient.open(other.process.urls.intermediary);
      watcher.send({ type: "neuro-os", name: "desk", auth_token: PUBLISHED_TOKEN });
      const asked: number[] = [];
      const asking = setInterval(() => watcher.send({ query: "peers", request_id: asked.push(asked.length) }), 10);
      const before = neuro.connections.length;
      const stopped = owner.process.stop("SIGTERM");
      await until(() => neuro.connections.length > before, "Neuro is dialed", 2_500);
      check.that(!owner.process.hasExited, "by a successor that did not wait for the end of the owner");
      await registered(games, cluster);
      await actWith(games, cluster);
      await until(() => asked.length > 10, "requests");
      clearInterval(asking);
      for (const [at] of asked.entries()) await watcher.next(({ request_id }) => request_id === at + 1, 5_000);
      check.equal(watcher.isOpen, true);
      check.equal(games.map(({ closes }) => closes), games.map(() => 0));
      own.close();
      check.equal(await stopped, 0);
      watcher.close();
      check.equal(neuro.violations, []);
    }, ["shutdown.grace=10s"]),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN24 CN29 CN37 CN39 CN50 the API and named relays answer at every node, and only the path of a served name",
  () =>
    withCluster(async (cluster) => {
      const owner = await cluster.owner();
      const games = await gamesBeside(owner, cluster);
      const headers = { authorization: `Bearer ${WEB_TOKEN}` };
      for (const node of cluster.nodes) {
        const response = await fetch(`${node.web}/api/integrations`, { headers });
        check.equal([response.status, await itemsOf(response)], [200, games.length], node.name);
        check.equal((await fetch(`${node.web}/api/integrations`)).status, 401);
        check.equal((await fetch(`${node.web}/r/unserved/api/integrations`, { headers })).status, 404);
        const named = await fetch(`${node.web}/r/show-${node.name}/api/integrations`, { headers });
        check.equal([named.status, await itemsOf(named)], [200, 0], "a relay that nobody has used so far");
        const told: unknown = await (await fetch(`${node.web}/ready`)).json();
        check.equal(Object.keys(told as object), ["status", "version"]);
      }
      for (const node of cluster.nodes) {
        const metrics = await (await fetch(`${node.web}/metrics`, { headers })).text();
        check.match(metrics, /^neuro_relay_cluster_members 3$/m);
        check.match(metrics, /^neuro_relay_cluster_lease_holding 1$/m);
        if (node === owner) check.match(metrics, /^neuro_relay_connections\{listener="neuro"\} 2$/m);
        else check.match(metrics, /^neuro_relay_cluster_gateway_peers 1$/m);
      }
      const lists = await Promise.all(cluster.nodes.map(async ({ web }) => {
        const itemsAt = async (path: string): Promise<readonly Message[]> =>
          (await (await fetch(`${web}/api/${path}`, { headers })).json() as Message).items;
        const nodes = (await itemsAt("nodes")).map(({ name, lease, reachable, answers, last_beat }) =>
          `${name} ${lease} ${reachable} ${answers} ${Math.abs(Date.now() - last_beat) < MINUTE_MS}`
        );
        return [nodes, (await itemsAt("relays")).map(({ name, state, node }) => `${name} ${state} ${node !== null}`)];
      }));
      for (const [nodes, relays] of lists) {
        check.equal(nodes, cluster.nodes.map((node) => `${node.name} holding true ${node === owner} true`));
        check.equal(relays, ["default", "show-n0", "show-n1", "show-n2"].map((name) => `${name} running true`));
      }
      const printed = await outputOf("status", [`web.token=${WEB_TOKEN}`, `web.port=${new URL(owner.web).port}`]);
      for (const { name } of cluster.nodes) {
        check.match(printed, new RegExp(`^node ${name}: holding, last beat \\d+\\.\\d s ago, relays: [0-4]$`, "m"));
      }
      check.match(printed, /^relay show-n1: running at node n\d$/m);
      await doctorSays(cluster);
      const [first, second] = cluster.nodes;
      const visitor = await TestGame.connect("visitor", `${first?.process.urls.neuro}/r/show-1`);
      await until(async () => {
        const response = await fetch(`${second?.web}/r/show-1/api/integrations`, { headers });
        return response.status === 200 && await itemsOf(response) === 1;
      }, "the game of show-1, seen at another node");
      visitor.close();
    }, ['relays.names=["default","show-*"]']),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN35 a link reaches a relay at any node, in both directions, and goes on when the owner is killed and when it stops",
  () =>
    withCluster(async (cluster) => {
      const { neuro } = cluster;
      const first = await cluster.owner();
      const [, last = ""] = rankedFor(
        "default",
        cluster.nodes.filter((node) => node !== first).map(({ name }) => `${name}.x`),
      );
      const beside = cluster.nodes.find(({ name }) => `${name}.x` === last) as TestNode; // It owns the relay in the end.
      const link = new LinkProcess([
        ...["--relay", beside.web, "--neuro", neuro.url, "--token", LINK_TOKEN],
        ...["--listen", "127.0.0.1:0"],
      ]);
      await link.prints("games can connect to");
      const [, port = ""] = /games can connect to ws:\/\/127\.0\.0\.1:(\d+)/.exec(link.output) ??
        [];
      const game = await TestGame.connect("linked", `ws://127.0.0.1:${port}`);
      const playsOn = async (owner: TestNode): Promise<void> => {
        await registered([game], cluster);
        await actWith([game], cluster);
        const headers = { authorization: `Bearer ${WEB_TOKEN}` };
        const { items: [view] } = await (await fetch(`${owner.web}/api/links`, { headers }))
          .json() as Message;
        check.equal([
          view.name,
          view.state,
          Math.abs(Date.now() - view.since) < MINUTE_MS,
        ], ["neuro", "open", true]);
      };
      await playsOn(first);
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        const owner = await cluster.owner();
        if (owner === beside) break; // A busy machine was late, and the second node took over.
        const before = neuro.connections.length;
        void owner.process.stop(signal);
        await until(
          () => neuro.connections.length > before,
          `Neuro is connected again after ${signal}`,
        );
        await playsOn(beside);
      }
      check.equal([game.closes, neuro.violations], [0, []]);
      game.close();
      await link.stop();
    }, [
      "nakurity-client.url=link:neuro",
      `intermediary.tokens=[{name: pc, token: ${LINK_TOKEN}, scopes: [link]}]`,
    ]),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN36 a relay that was stopped is started when a message expires, whichever node owned it",
  () =>
    withCluster(async (cluster) => {
      const [first, second] = cluster.nodes as [TestNode, TestNode];
      const overlay = await JsonClient.open(`${first.process.urls.intermediary}/r/show-1/`);
      overlay.send({ type: "integration", name: "overlay", auth_token: PUBLISHED_TOKEN, ack: true });
      await overlay.next(({ event, type }: Message) => (event ?? type) === "registered");
      overlay.close();
      const headers = { authorization: `Bearer ${WEB_TOKEN}`, "content-type": "application/json" };
      const body = JSON.stringify({ to: "overlay", cmd: { hello: 1 } });
      const sent = await fetch(`${second.web}/r/show-1/api/messages`, { headers, method: "POST", body });
      check.equal((await sent.json() as Message).status, "queued");
      const output = () => cluster.nodes.map(({ process }) => process.output).join("\n");
      await until(() => /no longer owns the relay show-1 \(stopped/.test(output()), "the stop");
      await until(() => /owns the relay show-1 \(claimed, epoch 2\)/.test(output()), "the start without any use");
      await until(() => /show-1: .* is now a dead letter: "expired"/.test(output()), "the expiry");
    }, ['relays.names=["default","show-*"]', "nakurity-client.relays=[default]", "relays.idle=1s", "queue.ttl.command=4s"]),
  { timeoutMs: MINUTE_MS },
);

test(
  "CN25 CN38 a node without the secret is not heard, clients cannot use the node listener, and a second node of a name does not start",
  () =>
    withCluster(async (cluster) => {
      const owner = await cluster.owner();
      const { place } = (await owner.ready()).body;
      for (const headers of [{}, { "x-neuro-relay-cluster": "wrong" }]) {
        for (const path of ["/node", "/relay/api/integrations", "/neuro", "/"]) {
          check.equal((await fetch(`http://${place}${path}`, { headers })).status, 401, path);
        }
      }
      await check.rejects(JsonClient.open(`ws://${place}/node`), /no connection/);
      const namesake = await owner.startAnother().then(() => "started", String);
      check.match(
        namesake,
        new RegExp(`cluster\\.node: ${owner.name}: a node at ${place} has this name; set cluster\\.node`),
      );
    }),
  { timeoutMs: MINUTE_MS },
);

test("CN26 a node does not start without a secret of 32 characters, or with a Redis that deletes entries or has keys of another program", async () => {
  const refusal = (sets: readonly string[]): Promise<string> =>
    inFolder((folder) => RelayProcess.start(folder, ["cluster.enabled=true", ...sets]).then(() => "started", String));
  check.match(await refusal(["cluster.secret=short"]), /cluster\.secret: has 5 characters, and needs 32/);
  const secret = `cluster.secret=${"x".repeat(32)}`;
  check.match(await refusal([secret, "web.enabled=true", "web.port=0"]), /web\.token: set the same token at all nodes/);
  check.match(await refusal([secret, "record.file=x.jsonl"]), /record\.file: a node of a cluster does not record/);
  check.match(
    await refusal([secret, "cluster.url=redis://127.0.0.1:1"]),
    /cluster\.url: no Redis at redis:\/\/127\.0\.0\.1:1/,
  );
  const url = await TestCluster.redisUrl();
  await TestCluster.writeRedis("other:nodes", "of another program");
  check.match(
    await refusal([secret, `cluster.url=${url}`, "cluster.prefix=other"]),
    /cluster\.prefix: .* has a string at the key other:nodes, which is not of a cluster; set another prefix/,
  );
  await TestCluster.configureRedis("maxmemory-policy", "allkeys-lru");
  try {
    check.match(await refusal([secret, `cluster.url=${url}`]), /maxmemory-policy allkeys-lru.*set it to noeviction/);
  } finally {
    await TestCluster.configureRedis("maxmemory-policy", "noeviction");
  }
});
