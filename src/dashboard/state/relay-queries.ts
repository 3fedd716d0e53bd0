/** The requests of the page to the HTTP API. Knows nothing of when they are sent. */
import { ApiError } from "../../clients/api-client.ts";
import type { Json } from "../../core/json.ts";
import type { IntegrationView, Overview } from "../../core/view.ts";
import type { DashboardApi } from "./ports.ts";

/** Resources that are read in one refresh. */
const RESOURCES_MAX = 24;

export const readOverview = (api: DashboardApi): Promise<Overview> => api.request<Overview>("GET", "overview");

/** All integrations. Why not always asked for: a service that is off cannot list anything. */
export const readIntegrations = (api: DashboardApi, { services }: Overview): Promise<readonly IntegrationView[]> =>
  services.neuro === undefined ? Promise.resolve([]) : Array.fromAsync(api.list<IntegrationView>("integrations"));

/** The resources at the given paths of the API, by path; null for one that the relay does not have. */
export async function readResources(api: DashboardApi, paths: Iterable<string>): Promise<ReadonlyMap<string, Json>> {
  const wanted = [...paths].slice(0, RESOURCES_MAX);
  return new Map(await Promise.all(wanted.map(async (path) => [path, await readResource(api, path)] as const)));
}

async function readResource(api: DashboardApi, path: string): Promise<Json> {
  try {
    return await api.request<Json>("GET", path);
  } catch (error) {
    // Why not for a refused token: that concerns the whole session.
    if (error instanceof ApiError && error.status !== 401 && error.status >= 400 && error.status < 500) return null;
    throw error;
  }
}
