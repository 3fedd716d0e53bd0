/** Which services a path of the API shows: the page reads it again when one of them reports a change. */
import type { ServiceName } from "../../core/service.ts";

const SERVICES_OF: ReadonlyMap<string, readonly ServiceName[]> = new Map<string, readonly ServiceName[]>([
  ["integrations", ["neuro"]],
  ["diagnostics", ["neuro"]],
  ["macros", ["neuro"]],
  ["transcript", ["neuro"]],
  // Why both: each keeps the traces of its own messages.
  ["traces", ["neuro", "intermediary"]],
  ["queue", ["intermediary"]],
  ["dead-letters", ["intermediary"]],
  ["audit", ["intermediary"]],
  ["uploads", ["intermediary"]],
  ["peers", ["intermediary"]],
  ["brain", ["brain"]],
]);

/** The services of a path, which is the part after `/api/`. Undefined: no service reports its changes, such as those of tokens. */
export const servicesOf = (path: string): readonly ServiceName[] | undefined =>
  SERVICES_OF.get(/^[^/?]*/.exec(path)?.[0] ?? "");
