/** Operations about the relay as a whole. */
import type { Principal } from "../../core/request.ts";
import { type Overview, pageOf } from "../../core/view.ts";
import type { WebPorts } from "../ports.ts";
import { notReadyReasons } from "../routes.ts";
import { type ApiOperation, composedOperation, operation } from "./operation.ts";
import { byId, byPlace, given, ofAudit, pageRequest } from "./parameters.ts";
import { auditEntries, links, nodes, overview, peers, relays, uploads } from "./schemas.ts";

const tag = "Overview";

export const OVERVIEW_OPERATIONS: readonly ApiOperation[] = [
  composedOperation({
    id: "getOverview",
    method: "GET",
    path: "/api/overview",
    tag,
    summary: "Returns the state of the whole relay.",
    description: "The `ETag` does not depend on `now` and `uptime_ms`, so it changes only if anything else does.",
    scopes: ["watch"],
    clockFields: ["now", "uptime_ms"],
    reply: overview,
    run: async ({ principal }, ports) => ({ body: await overviewOf(ports, principal) }),
  }),
  operation({
    id: "listPeers",
    method: "GET",
    path: "/api/peers",
    tag,
    summary: "Lists integrations, watchers and games, connected ones and known ones that are offline.",
    scopes: ["watch"],
    service: "intermediary",
    reply: peers,
    request: () => ({ of: "intermediary", get: "peers" }),
  }),
  composedOperation({
    id: "listLinks",
    method: "GET",
    path: "/api/links",
    tag,
    summary: "Lists the programs that connect Neuro to this relay: `neuro-relay link`.",
    scopes: ["watch"],
    reply: links,
    run: (_, ports) => Promise.resolve({ body: { items: ports.links(), next: null } }),
  }),
  composedOperation({
    id: "listRelays",
    method: "GET",
    path: "/api/relays",
    tag,
    summary: "Lists the relays of this process, or of the cluster: those that run, and stopped ones whose names are known.",
    scopes: ["watch"],
    query: byPlace,
    reply: relays,
    run: async ({ query }, ports) => ({
      body: pageOf(await ports.relays(), pageRequest(query), { id: ({ name }) => name }),
    }),
  }),
  composedOperation({
    id: "listNodes",
    method: "GET",
    path: "/api/nodes",
    tag,
    summary: "Lists the nodes of the cluster, as the one that owns this relay sees them. Without a cluster there are none.",
    scopes: ["watch"],
    query: byPlace,
    reply: nodes,
    run: async ({ query }, ports) => ({
      body: pageOf(await ports.nodes(), pageRequest(query), { id: ({ name }) => name }),
    }),
  }),
  operation({
    id: "listUploads",
    method: "GET",
    path: "/api/uploads",
    tag,
    summary: "Lists uploaded files.",
    scopes: ["watch"],
    service: "intermediary",
    reply: uploads,
    request: () => ({ of: "intermediary", get: "uploads" }),
  }),
  operation({
    id: "listAuditEntries",
    method: "GET",
    path: "/api/audit",
    tag,
    summary: "Lists operator actions, newest first.",
    scopes: ["watch"],
    service: "intermediary",
    query: { ...ofAudit, ...byId },
    reply: auditEntries,
    request: ({ query }) => ({ of: "intermediary", get: "audit", ...given(query) }),
  }),
];

async function overviewOf(ports: WebPorts, { by, scopes }: Principal): Promise<Overview> {
  const principal: Principal = { by, scopes: ["watch"] };
  const hasNeuro = ports.services.includes("neuro");
  const [not_ready, neuro, ...others] = await Promise.all([
    notReadyReasons(ports),
    hasNeuro ? ports.request({ of: "neuro", get: "status" }, principal) : undefined,
    ...ports.services.filter((service) => service !== "neuro")
      .map(async (of) => [of, await ports.request({ of, get: "status" }, principal)] as const),
  ]);
  return {
    version: ports.version,
    now: Date.now(),
    uptime_ms: ports.uptimeMs(),
    draining: ports.isDraining(),
    scopes,
    not_ready,
    services: {
      ...Object.fromEntries(others.flatMap(([of, result]) => ("body" in result ? [[of, result.body]] : []))),
      ...(neuro !== undefined && "body" in neuro && { neuro: neuro.body }),
    },
  };
}
