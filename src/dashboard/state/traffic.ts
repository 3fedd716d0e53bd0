/** How busy the relay and each integration are, second by second. */
import type { Millis } from "../../core/ids.ts";
import type { IntegrationView } from "../../core/view.ts";
import type { WatchEvent } from "./event-feed.ts";
import { CounterRate, SecondCounts } from "./rates.ts";

/** Seconds of the traffic chart. */
export const CHART_S = 300;
/** Seconds that are one point of the traffic chart. */
export const CHART_POINT_S = 3;
/** Seconds of a sparkline. */
export const SPARKLINE_S = 60;
/** Seconds that are kept beyond those drawn. */
const SPARE_S = 10;

export class Traffic {
  /** All events. */
  readonly events: SecondCounts = new SecondCounts(CHART_S + SPARE_S);
  readonly #actions = new CounterRate(CHART_S + SPARE_S);
  readonly #integrations = new Map<string, CounterRate>();
  /** From then on the relay's counters say how many actions there were: of a busy relay not every event arrives. */
  #countedFrom: Millis = Infinity;

  /** The actions among the events. */
  get actions(): SecondCounts {
    return this.#actions.perSecond;
  }

  /** Actions, contexts and forces of one integration. */
  integration(id: string): SecondCounts | undefined {
    return this.#integrations.get(id)?.perSecond;
  }

  recordEvent(event: WatchEvent, at: Millis): void {
    this.events.add(at, event.event === "gap" && typeof event.missed === "number" ? event.missed : 1);
    if (event.event === "action_sent" && at < this.#countedFrom) this.actions.add(at);
  }

  recordCounters(integrations: readonly IntegrationView[], now: Millis): void {
    this.#countedFrom = Math.min(this.#countedFrom, now);
    this.#actions.record(integrations.reduce((sum, { counts }) => sum + counts.actions, 0), now);
    const known = new Set(integrations.map(({ id }) => id));
    for (const id of this.#integrations.keys()) if (!known.has(id)) this.#integrations.delete(id);
    for (const { id, counts } of integrations) {
      const rate = this.#integrations.get(id) ?? new CounterRate(SPARKLINE_S + SPARE_S);
      this.#integrations.set(id, rate);
      rate.record(counts.actions + counts.contexts + counts.forces, now);
    }
  }

  clear(): void {
    this.events.clear();
    this.#actions.clear();
    this.#integrations.clear();
    this.#countedFrom = Infinity;
  }
}
