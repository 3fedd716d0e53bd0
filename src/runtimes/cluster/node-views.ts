/** The nodes and relays of a cluster, as one node sees them. */
import type { OwnershipRecord } from "../../cluster/directory.ts";
import type { SeenMember } from "../../cluster/membership.ts";
import { nodeOf } from "../../cluster/placement.ts";
import type { Millis } from "../../core/ids.ts";
import type { NodeView, RelayView } from "../../core/view.ts";

/** What a node says of itself. */
export type NodeStanding = "joining" | "holding" | "suspended" | "stopping";

/** Who owns a relay: its node, or null if that session is no member. */
export function relayView(
  name: string,
  session: string,
  sessions: readonly string[],
  alarm: Millis | undefined,
): RelayView {
  const isRunning = sessions.includes(session);
  const node = isRunning ? nodeOf(session) : null;
  return { name, state: isRunning ? "running" : "stopped", node, starts_at: alarm ?? null };
}

/** The node that answers. `answeredAt` is the monotonic time of its last beat, or `-Infinity`. */
export const ownView = (
  session: string,
  { lease, address, answeredAt, relays }: { lease: NodeView["lease"]; address: string; answeredAt: Millis; relays: number },
): NodeView => ({
  ...{ name: nodeOf(session), address, lease, reachable: true, answers: true },
  ...{ relays, last_beat: unixTimeOf(answeredAt) },
});

/** Another node: it is silent when two of its beats are missing, which is half a lease. */
export const otherView = (
  { session, place, since }: SeenMember,
  { reachable, leaseMs, records }: { reachable: boolean; leaseMs: Millis; records: Iterable<OwnershipRecord> },
): NodeView => ({
  ...{ name: nodeOf(session), address: place, reachable, answers: false },
  lease: performance.now() - since > leaseMs / 2 ? "silent" : "holding",
  ...{ relays: [...records].filter((record) => record.session === session).length, last_beat: unixTimeOf(since) },
});

const unixTimeOf = (at: Millis): Millis | null => at > 0 ? Math.round(performance.timeOrigin + at) : null;
