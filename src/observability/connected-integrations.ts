/**
 * Since when each integration is connected.
 *
 * Invariant: holds exactly the connected integrations. The reader decides how many it shows one by one.
 */
import type { Millis } from "../core/ids.ts";

export type IntegrationListener = "intermediary" | "neuro";

export const INTEGRATION_LISTENERS: readonly IntegrationListener[] = ["intermediary", "neuro"];

export interface ConnectedIntegration {
  readonly listener: IntegrationListener;
  readonly name: string;
  readonly since: Millis;
}

export class ConnectedIntegrations {
  readonly #since: Readonly<Record<IntegrationListener, Map<string, Millis>>> = {
    intermediary: new Map(),
    neuro: new Map(),
  };

  add(listener: IntegrationListener, name: string, since: Millis): void {
    this.#since[listener].set(name, since);
  }

  remove(listener: IntegrationListener, name: string): void {
    this.#since[listener].delete(name);
  }

  /** The longest connected first. */
  all(): Iterable<ConnectedIntegration> {
    return INTEGRATION_LISTENERS
      .flatMap((listener) => [...this.#since[listener]].map(([name, since]) => ({ listener, name, since })))
      .sort((one, other) => one.since - other.since);
  }

  count(listener: IntegrationListener): number {
    return this.#since[listener].size;
  }
}
