/** The order of the table of integrations. */
import { assertNever } from "../../core/assert.ts";
import type { Millis } from "../../core/ids.ts";
import type { IntegrationView } from "../../core/view.ts";
import type { RecentResults } from "../state/recent-results.ts";
import type { Traffic } from "../state/traffic.ts";
import { parseOrder } from "./sort-list.ts";

export const ORDERS = ["trouble", "name", "activity", "actions", "failed", "mean"] as const;
export type Order = (typeof ORDERS)[number];

/** The order that a parameter of the address names, which may be a reversed one. */
export const orderOf = (value = ""): Order => ORDERS.find((order) => order === parseOrder(value).key) ?? "trouble";

/** What the order depends on beyond the integrations. */
export interface OrderSources {
  readonly results: RecentResults;
  readonly traffic: Traffic;
  readonly now: Millis;
}

/** Connected integrations in the wanted order; those that are equal by name. */
export function sortIntegrations(
  integrations: readonly IntegrationView[],
  order: Order,
  sources: OrderSources,
): readonly IntegrationView[] {
  // Why once for each: a comparison is made many times.
  const values = new Map(integrations.map((one) => [one, valueOf(one, order, sources)]));
  return [...integrations].sort((left, right) => (values.get(right) ?? 0) - (values.get(left) ?? 0) || byName(left, right));
}

/** Why numeric: "Game 10" follows "Game 9". */
const COLLATOR = new Intl.Collator("en", { numeric: true });

const byName = (left: IntegrationView, right: IntegrationView): number => COLLATOR.compare(left.name, right.name);

function valueOf(integration: IntegrationView, order: Order, { results, traffic, now }: OrderSources): number {
  const { id, counts, pending, paused, muted, solo } = integration;
  switch (order) {
    case "trouble":
      return results.failing(id, now) !== undefined ? 3 : solo || paused || muted ? 2 : pending > 0 ? 1 : 0;
    case "name":
      return 0;
    case "activity":
      return traffic.integration(id)?.rate(now) ?? 0;
    case "actions":
      return counts.actions;
    case "failed":
      return counts.failures;
    case "mean":
      return counts.actions === 0 ? 0 : counts.result_ms / counts.actions;
    default:
      return assertNever(order);
  }
}
