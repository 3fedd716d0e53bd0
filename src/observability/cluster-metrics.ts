/** The metrics of a node of a cluster. `GET /metrics` of a node returns them after those of the relay at the root, if the node owns it. */
import { type Counter, type Gauge, type MetricFamily, MetricRegistry } from "./metric-registry.ts";

export interface ClusterMetrics {
  readonly registry: MetricRegistry;
  readonly holding: Gauge;
  readonly members: Gauge;
  readonly relays: Gauge;
  readonly peers: Gauge;
  readonly waitingBytes: Gauge;
  readonly claims: MetricFamily<Counter>;
  readonly losses: MetricFamily<Counter>;
  readonly suspensions: Counter;
  readonly unconfirmed: MetricFamily<Counter>;
}

export function createClusterMetrics(): ClusterMetrics {
  const registry = new MetricRegistry();
  const options = (name: string, help: string, labels: readonly string[] = []) => ({
    name: `neuro_relay_cluster_${name}`,
    help,
    labels,
  });
  const gauge = (name: string, help: string): Gauge => registry.gauge(options(name, help)).labels();
  return {
    registry,
    holding: gauge("lease_holding", "1 while the lease of this node holds, else 0."),
    members: gauge("members", "Members of the cluster that this node sees, with itself."),
    relays: gauge("relays_owned", "Relays that this node owns."),
    peers: gauge("gateway_peers", "Clients that are connected to this node, of any relay."),
    waitingBytes: gauge("gateway_waiting_bytes", "Frames of clients that no owner has confirmed."),
    claims: registry.counter(options("relays_claimed_total", "Relays that this node took over, by how.", ["how"])),
    losses: registry.counter(options("relays_left_total", "Relays that this node gave up, by how.", ["how"])),
    suspensions: registry.counter(options("suspensions_total", "How often the lease of this node was in doubt.")).labels(),
    unconfirmed: registry.counter(
      options("unconfirmed_peers_total", "Clients with frames that a lost owner had not confirmed, by what was done.", [
        "done",
      ]),
    ),
  };
}
