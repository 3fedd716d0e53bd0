/** Figures of a cluster without faults, or with one: the cost of a hop, and how fast the relays of a lost node move. */
import { inFolder } from "../harness/relay.ts";
import { TestCluster, type TestNode, until, WEB_TOKEN } from "../cluster/fixture.ts";
import { connectWatcher } from "./clients.ts";

const REQUESTS = 1_000;

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN;

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

/** Starts many relays, kills a node, and returns how many it owned and after how many milliseconds each of them had an owner again. */
export const moveFigures = (count: number): Promise<{ readonly moved: number; readonly allMs: number }> =>
  inFolder(async (folder) => {
    const sets = [
      'relays.names=["*"]',
      `relays.running=${count + 1}`,
      "relays.idle=10m",
      "limits.requests_per_second=100000",
    ];
    const cluster = await TestCluster.start(folder, ["Bun", "Bun", "Bun"], sets);
    try {
      await cluster.isWhole();
      const [first] = cluster.nodes as [TestNode];
      for (let relay = 0; relay < count; relay++) {
        const url = `${first.web}/r/relay-${relay}/api/integrations`;
        const isUp = async () => (await fetch(url, { headers: { authorization: `Bearer ${WEB_TOKEN}` } })).status === 200;
        await until(isUp, `the relay ${relay}`);
      }
      const ownedBy = async (node: TestNode): Promise<number> => (await node.ready()).body.relays.length;
      const lost = cluster.nodes[2] as TestNode;
      const moved = await ownedBy(lost);
      const rest = cluster.nodes.filter((node) => node !== lost);
      await lost.process.stop("SIGKILL");
      const began = performance.now();
      await until(
        async () => (await Promise.all(rest.map(ownedBy))).reduce((sum, owned) => sum + owned) === count + 1,
        "all relays",
        60_000,
      );
      return { moved, allMs: performance.now() - began };
    } finally {
      await cluster.stop();
    }
  });
