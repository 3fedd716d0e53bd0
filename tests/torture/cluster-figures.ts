/** How fast the relays of a lost node move, and what a hop between nodes costs. */
import { rankedFor } from "../../src/cluster/placement.ts";
import { find } from "../harness/machine.ts";
import { inFolder } from "../harness/relay.ts";
import { TestCluster, TestGame, type TestNode, until } from "../cluster/fixture.ts";
import { RedisServer } from "./backends.ts";
import { connectWatcher } from "./clients.ts";
import { type ClusterFigures, loadNow, median } from "./cluster-report.ts";
import { DeliveryLog } from "./delivery-log.ts";

const REQUESTS = 1_000;

/** The median time of a request to the Intermediary, in milliseconds, at the owner and at another node. */
export const hopFigures = (): Promise<{ readonly ownerMs: number; readonly otherMs: number }> =>
  inFolder(async (folder) => {
    const cluster = await TestCluster.start(folder, ["Bun", "Bun"]);
    try {
      await cluster.isWhole();
      const owner = await cluster.owner();
      const other = cluster.nodes.find((node) => node !== owner) as TestNode;
      const watchers = [await connectWatcher(owner.process), await connectWatcher(other.process)];
      const times: number[][] = [[], []];
      for (let request = 0; request < REQUESTS; request++) {
        // Why in turn: the load of the machine changes.
        for (const [at, watcher] of watchers.entries()) {
          const began = performance.now();
          watcher.send({ query: "get_registered_actions", request_id: request });
          await watcher.next(({ request_id }) => request_id === request);
          times[at]?.push(performance.now() - began);
        }
      }
      const [ownerMs = NaN, otherMs = NaN] = times.map(median);
      return { ownerMs, otherMs };
    } finally {
      await cluster.stop();
    }
  });

/** How many relays the lost node has in the whole series, and how long they may take. */
export const LOST_RELAYS = 100;
export const LOST_LIMITS = { redial: { medianMs: 3_000, longestMs: 3_000 }, mayCloseWatchers: false };

/**
 * Kills a node of three that owns this many relays, and measures when each of them has dialed Neuro again and registered its game, which is
 * connected to another node. The other nodes own about as many.
 */
export async function lostNodeFigures(
  count: number,
  { rounds = 1, lease = "2s" }: { readonly rounds?: number; readonly lease?: string } = {},
): Promise<ClusterFigures> {
  const all: ClusterFigures[] = [];
  for (let round = 0; round < rounds; round++) all.push(await inNewCluster(lease, count));
  const sum = (of: (figures: ClusterFigures) => number): number => all.reduce((total, figures) => total + of(figures), 0);
  return {
    ...all[0] as ClusterFigures,
    rounds,
    redialMs: all.flatMap(({ redialMs }) => redialMs),
    registeredMs: all.flatMap(({ registeredMs }) => registeredMs),
    gamesClosed: sum(({ gamesClosed }) => gamesClosed),
    reconnects: sum(({ reconnects }) => reconnects),
    framesOfFormerOwners: sum(({ framesOfFormerOwners }) => framesOfFormerOwners),
    loads: all.flatMap(({ loads }) => loads),
    violations: all.flatMap(({ violations }) => violations),
  };
}

const inNewCluster = (lease: string, count: number): Promise<ClusterFigures> =>
  RedisServer.run(find("redis-server") ?? "", (redis) =>
    inFolder(async (folder) => {
      const sets = [
        'relays.names=["*"]',
        `relays.running=${10 * count + 10}`,
        "relays.idle=10m",
        "cluster.rebalance=false",
        `cluster.lease=${lease}`,
      ];
      const relayOf = (names: ReadonlySet<string>): string | undefined => [...names][0];
      const cluster = await TestCluster.start(folder, ["Bun", "Bun", "Bun"], { sets, redisUrl: redis.url, relayOf });
      try {
        await cluster.isWhole();
        return await loseNode(cluster, count);
      } finally {
        await cluster.stop();
      }
    }));

async function loseNode(cluster: TestCluster, count: number): Promise<ClusterFigures> {
  const { nodes, neuro } = cluster;
  const [left, right, lost] = nodes as [TestNode, TestNode, TestNode];
  const relays = relaysOf(lost, nodes, count);
  const games: TestGame[] = [];
  for (const [at, relay] of relays.all.entries()) {
    const node = at % 2 === 0 ? left : right;
    games.push(await TestGame.connect(relay, `${node.process.urls.neuro}/r/${relay}`));
  }
  const connectionOf = (relay: string) => neuro.connections.findLast(({ names }) => names.has(`play_${relay}`));
  await until(() => relays.all.every((relay) => connectionOf(relay) !== undefined), "all relays at Neuro", 60_000);
  const owned: readonly string[] = (await lost.ready()).body.relays;
  const wrong = relays.lost.filter((relay) => !owned.includes(relay));
  const loads = [loadNow()];
  const before = neuro.connections.length;
  const began = performance.now();
  await lost.process.stop("SIGKILL");
  const successorOf = (relay: string) =>
    neuro.connections.find(({ number, names }) => number > before && names.has(`play_${relay}`));
  await until(() => relays.lost.every((relay) => successorOf(relay) !== undefined), "the relays at other nodes", 60_000);
  loads.push(loadNow());
  const successors = relays.lost.map(successorOf);
  return {
    fault: `node with ${count} of ${relays.all.length} relays: \`kill -9\``,
    rounds: 1,
    redialMs: successors.map((connection) => (connection?.openedAt ?? NaN) - began),
    registeredMs: successors.map((connection) => (connection?.registeredAt ?? NaN) - began),
    deliveries: new DeliveryLog().counts,
    unanswered: 0,
    gamesClosed: games.reduce((sum, { closes }) => sum + closes, 0),
    watchersClosed: 0,
    reconnects:
      neuro.connections.filter(({ number, names }) =>
        number > before && [...names].every((name) => !relays.lost.includes(name.replace("play_", "")))
      ).length,
    framesOfFormerOwners: neuro.framesOfFormerOwners,
    loads,
    violations: [...neuro.violations, ...(wrong.length > 0 ? [`${wrong.length} relays were not at the node`] : [])],
  };
}

/** Names of relays of which this many are placed on a node, and the names of those. */
function relaysOf(lost: TestNode, nodes: readonly TestNode[], count: number) {
  const sessions = nodes.map(({ name }) => `${name}.x`);
  const relays: { readonly all: string[]; readonly lost: string[] } = { all: [], lost: [] };
  for (let number = 0; relays.lost.length < count; number++) {
    const relay = `relay-${number}`;
    relays.all.push(relay);
    if (rankedFor(relay, sessions)[0] === `${lost.name}.x`) relays.lost.push(relay);
  }
  return relays;
}
