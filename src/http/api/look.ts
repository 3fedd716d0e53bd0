/** Operations that show the relay as a whole. */
import { plain } from "../../core/json.ts";
import type { Overview } from "../../core/view.ts";
import type { WebPorts } from "../ports.ts";
import { waitsOf } from "../web.ts";
import { type Operation, operation } from "./operation.ts";
import { byId, part } from "./parameters.ts";
import { acts, overview, peers, uploads } from "./schemas.ts";

/** What there is to see. */
export const LOOKING: readonly Operation[] = [
  operation({
    id: "getOverview",
    method: "GET",
    path: "/api/overview",
    tag: "Overview",
    says: "One look at the whole relay.",
    scopes: ["watch"],
    answer: overview,
    ask: ({ principal }) => async (deps) => ({ body: plain(await overviewOf(deps, principal)) }),
  }),
  operation({
    id: "listPeers",
    method: "GET",
    path: "/api/peers",
    tag: "Overview",
    says: "Who is here, and who is known and away.",
    scopes: ["watch"],
    service: "intermediary",
    answer: peers,
    ask: () => ({ of: "intermediary", get: "peers" }),
  }),
  operation({
    id: "listUploads",
    method: "GET",
    path: "/api/uploads",
    tag: "Overview",
    says: "Files that integrations sent, and that are still kept.",
    scopes: ["watch"],
    service: "intermediary",
    answer: uploads,
    ask: () => ({ of: "intermediary", get: "uploads" }),
  }),
  operation({
    id: "listActs",
    method: "GET",
    path: "/api/audit",
    tag: "Overview",
    says: "What people did by this API, the newest first.",
    scopes: ["watch"],
    service: "intermediary",
    query: byId,
    answer: acts,
    ask: ({ query }) => ({ of: "intermediary", get: "audit", ...part(query) }),
  }),
];

async function overviewOf(
  deps: WebPorts,
  as: { readonly by: string; readonly scopes: Overview["scopes"] },
): Promise<Overview> {
  const asker = { by: as.by, scopes: ["watch"] as const };
  const [waits, ...rooms] = await Promise.all([
    waitsOf(deps),
    ...deps.services.map(async (service) => [service, await deps.request({ of: service, get: "status" }, asker)] as const),
  ]);
  return {
    version: deps.version,
    now: Date.now(),
    uptime_ms: deps.uptimeMs(),
    draining: deps.isDraining(),
    scopes: as.scopes,
    waits,
    // Why the cast: each room answers with what its view says; the question does not carry its type.
    services: Object.fromEntries(
      rooms.flatMap(([service, answer]) => ("body" in answer ? [[service, answer.body]] : [])),
    ) as Overview["services"],
  };
}
