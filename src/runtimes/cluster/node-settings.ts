/** What the settings of a node must be, apart from their form. */
import { hostname } from "node:os";
import type { ClusterSettings, Settings } from "../../core/settings.ts";

const SECRET_LENGTH_MIN = 32;

/** The name of this node. Why these characters: sessions are `<node>.<unique part>`, and a space separates the parts of a record. */
export const nodeName = ({ node }: ClusterSettings): string =>
  (node === "" ? hostname() : node).replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 64);

/** Why a process with these settings cannot be a node; undefined if it can. */
export function nodeProblem({ cluster: { secret }, web, record }: Settings): string | undefined {
  if (secret.length < SECRET_LENGTH_MIN) {
    return `cluster.secret: has ${secret.length} characters, and needs ${SECRET_LENGTH_MIN}; \`neuro-relay token\` makes one`;
  }
  if (web.enabled && web.token === "") {
    return "web.token: set the same token at all nodes of the cluster; `neuro-relay token` makes one";
  }
  if (record.file !== "") {
    return "record.file: a node of a cluster does not record, because its relays move; leave it empty";
  }
  return undefined;
}
