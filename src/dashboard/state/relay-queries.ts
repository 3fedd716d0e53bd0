/** The requests of the page to the HTTP API. Knows nothing of when they are sent. */
import { ApiError, pathSegment } from "../../clients/api-client.ts";
import { assertNever } from "../../core/assert.ts";
import type {
  AuditView,
  DeadLetterView,
  IntegrationDetail,
  IntegrationView,
  Overview,
  Page,
  QueueView,
} from "../../core/view.ts";
import type { DashboardState, PanelName } from "./dashboard-state.ts";
import { hasNoEvents } from "./dashboard-state.ts";
import type { DashboardApi } from "./ports.ts";

/** Entries of the queue and dead letters that the page shows. */
export const QUEUE_ITEMS_MAX = 500;
const AUDIT_ITEMS_MAX = 200;
/** Integrations whose details are read in one refresh. */
const DETAILS_MAX = 20;

export async function readOverview(
  api: DashboardApi,
): Promise<{ readonly overview: Overview; readonly integrations: readonly IntegrationView[] }> {
  const overview = await api.request<Overview>("GET", "overview");
  // Why only then: a service that is off cannot list anything.
  const integrations = overview.services.neuro === undefined
    ? []
    : await Array.fromAsync(api.list<IntegrationView>("integrations"));
  return { overview, integrations };
}

/** The details of the given integrations, without those that have left. */
export async function readDetails(
  api: DashboardApi,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, IntegrationDetail>> {
  const details = await Promise.all([...ids].slice(0, DETAILS_MAX).map((id) => readDetail(api, id)));
  return new Map(details.flatMap((detail) => (detail === undefined ? [] : [[detail.id, detail] as const])));
}

async function readDetail(api: DashboardApi, id: string): Promise<IntegrationDetail | undefined> {
  try {
    return await api.request<IntegrationDetail>("GET", `integrations/${pathSegment(id)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

type PanelData = Pick<Partial<DashboardState>, "queue" | "deadLetters" | "audit">;

/** The data that only the open panel shows. */
export async function readPanel(api: DashboardApi, panel: PanelName, overview: Overview): Promise<PanelData> {
  if (hasNoEvents(overview)) return { queue: [], deadLetters: [], audit: [] }; // Why: all three belong to the Intermediary.
  switch (panel) {
    case "queue": {
      const [queue, deadLetters] = await Promise.all([
        api.request<Page<QueueView>>("GET", `queue?limit=${QUEUE_ITEMS_MAX}`),
        api.request<Page<DeadLetterView>>("GET", `dead-letters?limit=${QUEUE_ITEMS_MAX}`),
      ]);
      return { queue: queue.items, deadLetters: deadLetters.items };
    }
    case "audit": {
      const { items } = await api.request<Page<AuditView>>("GET", `audit?limit=${AUDIT_ITEMS_MAX}`);
      return { audit: items };
    }
    case "now":
    case "integrations":
    case "feed":
    case "brain":
    case "nallely":
    case "tools":
      return {};
    default:
      return assertNever(panel);
  }
}
