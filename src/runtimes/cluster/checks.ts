/** What `doctor` checks of a node of a cluster: its settings, Redis, its clock, its name, and whether it reaches the other nodes. */
import type { ObservedMember } from "../../cluster/membership.ts";
import { nodeOf } from "../../cluster/placement.ts";
import { errorText, redactUrl } from "../../core/text.ts";
import type { Settings } from "../../core/settings.ts";
import { type ClusterStorage, openClusterStorage } from "./cluster-storage.ts";
import { SECRET_HEADER } from "./node-connections.ts";
import { nodeName, nodeProblem } from "./node-settings.ts";

const CONNECT_MS = 3_000;
/** Deadlines and alarms of a relay are shifted by the difference when it moves. */
const CLOCK_DIFFERENCE_MAX = 1_000;

export interface ClusterCheck {
  readonly name: string;
  /** What is wrong and what to do, or undefined. */
  run(): Promise<string | undefined>;
}

/** The checks of the cluster, and what closes the connection that they share. */
export async function clusterChecks(
  settings: Settings,
  isRunning: boolean,
): Promise<{ readonly checks: readonly ClusterCheck[]; close(): Promise<void> }> {
  const { cluster } = settings;
  const warnings: string[] = [];
  let storage: ClusterStorage | undefined;
  const failure = await openClusterStorage(cluster, (text) => void warnings.push(text)).then((opened) => {
    storage = opened;
    return warnings[0];
  }, errorText);
  const members = await storage?.directory.members() ?? [];
  const name = nodeName(cluster);
  const own = members.filter(({ session }) => nodeOf(session) === name);
  const place = cluster.sentinels.length > 0 ? cluster.sentinels.join(", ") : redactUrl(cluster.url);
  const checks: ClusterCheck[] = [
    { name: "settings of a node", run: () => Promise.resolve(nodeProblem(settings)) },
    { name: `Redis of the cluster (${place})`, run: () => Promise.resolve(failure) },
    { name: "clock against that of Redis", run: () => clockProblem(storage) },
    ...(isRunning ? [] : [{ name: `node name ${name}`, run: () => nameProblem(storage, own, cluster.lease) }]),
    ...members.filter((member) => isRunning || !own.includes(member)).map((member) => ({
      name: `node ${nodeOf(member.session)} at ${member.place}`,
      run: () => nodeUnreachable(member, cluster.secret),
    })),
  ];
  return { checks, close: async () => await storage?.close() };
}

async function clockProblem(storage: ClusterStorage | undefined): Promise<string | undefined> {
  const difference = await storage?.clockDifference() ?? 0;
  if (Math.abs(difference) <= CLOCK_DIFFERENCE_MAX) return undefined;
  const seconds = (Math.abs(difference) / 1_000).toFixed(1);
  return `it is ${seconds} s ${
    difference > 0 ? "behind" : "ahead"
  }; synchronise the clocks of all machines, for example with chrony`;
}

/** A session of this name is alive if it beats. A process that was killed is a member until its lease is over. */
async function nameProblem(
  storage: ClusterStorage | undefined,
  own: readonly ObservedMember[],
  leaseMs: number,
): Promise<string | undefined> {
  if (own.length === 0) return undefined;
  await new Promise((resolve) => setTimeout(resolve, leaseMs / 2));
  const later = await storage?.directory.members() ?? [];
  const alive = own.find(({ session, count }) => later.some((one) => one.session === session && one.count !== count));
  return alive && `a node at ${alive.place} has this name; set cluster.node to another one at each node`;
}

/** Why this path: without an upgrade it answers 426 to a node, and 401 to anybody else. */
async function nodeUnreachable({ place }: ObservedMember, secret: string): Promise<string | undefined> {
  const request = { headers: { [SECRET_HEADER]: secret }, signal: AbortSignal.timeout(CONNECT_MS) };
  try {
    const { status } = await fetch(`http://${place}/node`, request);
    if (status === 426) return undefined;
    return status === 401
      ? "it has another cluster.secret; set the same one at all nodes"
      : `it answers ${status}, so it is no node; check its cluster.advertise`;
  } catch (error) {
    return `no answer: ${errorText(error)}; open cluster.port between the nodes, and check its cluster.advertise`;
  }
}
