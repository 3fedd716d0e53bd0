/** Opens a node of a cluster: checks its settings, connects to Redis, and finds out where other nodes reach it. */
import { isLoopback } from "../../core/access.ts";
import type { Settings } from "../../core/settings.ts";
import type { ProcessParts } from "../process-relay.ts";
import { StartError } from "../serve-options.ts";
import { ClusterNode } from "./cluster-node.ts";
import { openClusterStorage } from "./cluster-storage.ts";
import { nodeName, nodeProblem } from "./node-settings.ts";

export async function openClusterNode(settings: Settings, parts: ProcessParts): Promise<ClusterNode> {
  const { cluster } = settings;
  const problem = nodeProblem(settings);
  if (problem !== undefined) throw new StartError(problem);
  const storage = await openClusterStorage(cluster, (text) => parts.print(`warning: ${text}`));
  const address = isLoopback(cluster.host) ? cluster.host : storage.localAddress;
  const placeAt = (port: number): string => cluster.advertise !== "" ? cluster.advertise : `${address}:${port}`;
  return new ClusterNode({ ...settings, cluster: { ...cluster, node: nodeName(cluster) } }, parts, storage, placeAt);
}
