/**
 * `bun run bench idle-relays [--relays 3000] [--nodes 3] [--on Bun|Deno] [--upstream]`: the resident memory of a relay that nobody uses, on the nodes of a
 * cluster. With `--upstream` each has an open connection to a Neuro.
 */
import { parseArgs } from "node:util";
import { inFolder } from "../harness/relay.ts";
import { TestCluster, until, WEB_TOKEN } from "../cluster/fixture.ts";

const { values: options } = parseArgs({
  options: {
    relays: { type: "string", default: "3000" },
    nodes: { type: "string", default: "3" },
    on: { type: "string", default: "Bun" },
    upstream: { type: "boolean", default: false },
  },
});
const COUNT = Number(options.relays);
const HEADERS = { authorization: `Bearer ${WEB_TOKEN}` };
/** Requests at the same time. */
const WORKERS = 8;
/** Memory that a start has used is given back within this time. */
const SETTLE_MS = 15_000;

await inFolder(async (folder) => {
  const sets = [
    'relays.names=["default","m-*"]',
    "relays.running=10000",
    "relays.idle=24h",
    "cluster.rebalance=false",
    "cluster.lease=20s",
    "limits.requests_per_second=100000",
    "log.level=error",
    ...(options.upstream ? [] : ["nakurity-client.relays=[default]"]),
  ];
  const cluster = await TestCluster.start(folder, Array(Number(options.nodes)).fill(options.on), { sets });
  const resident = (): number => cluster.nodes.reduce((sum, { process }) => sum + process.residentMb, 0);
  const start = async (from: number, to: number): Promise<void> => {
    let next = from;
    const work = async (): Promise<void> => {
      for (let at = next++; at < to; at = next++) {
        const node = cluster.nodes[at % cluster.nodes.length];
        await until(
          async () => {
            const response = await fetch(`${node?.web}/r/m-${at}/health`, { headers: HEADERS });
            await response.body?.cancel();
            return response.status === 200;
          },
          `the relay m-${at}`,
          60_000,
        );
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
  };
  try {
    await cluster.isWhole();
    const settled = async (): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return resident();
    };
    // Why some before: what the first ones cause, such as compiled code, is not the cost of a relay.
    const first = COUNT / 10;
    await start(0, first);
    const before = await settled();
    const began = performance.now();
    await start(first, first + COUNT);
    const seconds = (performance.now() - began) / 1_000;
    const after = await settled();
    const each = (after - before) * 1_024 / COUNT;
    console.log(
      `${COUNT} relays on ${options.nodes} nodes (${options.on}${options.upstream ? ", each with an upstream" : ""})`,
    );
    console.log(
      `resident before: ${before.toFixed(0)} MB; after: ${after.toFixed(0)} MB; each relay: ${each.toFixed(1)} KiB`,
    );
    console.log(`started in ${seconds.toFixed(1)} s, ${(seconds * 1_000 / COUNT).toFixed(2)} ms each`);
  } finally {
    await cluster.stop();
  }
});
process.exit(0);
