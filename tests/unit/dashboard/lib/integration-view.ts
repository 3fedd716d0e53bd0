/** An integration as the API shows it: connected and idle. */
import type { IntegrationView } from "../../../../src/core/view.ts";

export const integration = (id: string, more: Partial<IntegrationView> = {}): IntegrationView => ({
  id,
  name: id,
  listener: "neuro",
  upstream: "neuro",
  connected: true,
  since: 0,
  visible: true,
  admission: "known",
  off_air: false,
  actions: 1,
  pending: 0,
  counts: { actions: 0, failures: 0, contexts: 0, forces: 0, result_ms: 0 },
  paused: false,
  muted: false,
  solo: false,
  approval: false,
  behaviour: null,
  ...more,
});
