/** Opens a node of a cluster: checks its settings, connects to Redis, and finds out where other nodes reach it. */
import { hostname } from "node:os";
import { isLoopback } from "../../core/access.ts";
import type { Settings } from "../../core/settings.ts";
import type { ProcessParts } from "../process-relay.ts";
import { StartError } from "../serve-options.ts";
import { ClusterNode } from "./cluster-node.ts";
import { openClusterStorage } from "./cluster-storage.ts";

const SECRET_LENGTH_MIN = 32;

export async function openClusterNode(settings: Settings, parts: ProcessParts): Promise<ClusterNode> {
  const { cluster } = settings;
  if (cluster.secret.length < SECRET_LENGTH_MIN) {
    throw new StartError(
      `cluster.secret: has ${cluster.secret.length} characters, and needs ${SECRET_LENGTH_MIN}; \`neuro-relay token\` makes one`,
    );
  }
  if (settings.web.enabled && settings.web.token === "") {
    throw new StartError("web.token: set the same token at all nodes of the cluster; `neuro-relay token` makes one");
  }
  if (settings.record.file !== "") {
    throw new StartError("record.file: a node of a cluster does not record, because its relays move; leave it empty");
  }
  // Why: sessions are `<node>.<unique part>`, and a space separates the parts of a record.
  const node = (cluster.node === "" ? hostname() : cluster.node).replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 64);
  const storage = await openClusterStorage(cluster.url, cluster.prefix, (text) => parts.print(`warning: ${text}`));
  const address = isLoopback(cluster.host) ? cluster.host : storage.localAddress;
  const placeAt = (port: number): string => cluster.advertise !== "" ? cluster.advertise : `${address}:${port}`;
  return new ClusterNode({ ...settings, cluster: { ...cluster, node } }, parts, storage, placeAt);
}
