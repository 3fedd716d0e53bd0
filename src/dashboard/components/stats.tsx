/** The figures that are to be read from across the room. */
import { actions, events, relayNow } from "../state/relay.ts";
import { useStore } from "../state/store.ts";
import { formatCount, formatQuantity, formatRate } from "../lib/format.ts";
import { TrafficChart } from "./traffic-chart.tsx";

export function Stats() {
  return (
    <section class="pulse" aria-label="Vital signs">
      <Here />
      <Owed />
      <Waiting />
      <div class="card traffic">
        <Rates />
        <TrafficChart />
      </div>
    </section>
  );
}

interface StatCardProps {
  readonly label: string;
  readonly value: string;
  readonly more: string;
  readonly tone?: string;
  readonly name: string;
}

function StatCard({ label, value, more, tone = "plain", name }: StatCardProps) {
  return (
    <div class={`card figure ${tone}`} data-name={name}>
      <p class="figure-label">{label}</p>
      <p class="figure-value">{value}</p>
      <p class="figure-more">{more}</p>
    </div>
  );
}

function Here() {
  const integrations = useStore((state) => state.integrations) ?? [];
  const present = integrations.filter((integration) => integration.present).length;
  const away = integrations.length - present;
  return (
    <StatCard
      name="figure-here"
      label="Integrations"
      value={formatCount(present)}
      more={away > 0 ? `${formatCount(away)} more away` : present > 0 ? "all of them here" : "none yet"}
    />
  );
}

function Owed() {
  const upstreams = useStore((state) => state.overview?.services.neuro?.upstreams) ?? [];
  const pending = upstreams.flatMap((upstream) => upstream.pending);
  const unapproved = pending.filter(({ is }) => is === "approval").length;
  const forces = upstreams.reduce((sum, { force, waiting }) => sum + waiting.length + (force === null ? 0 : 1), 0);
  return (
    <StatCard
      name="figure-pending"
      label="In flight"
      value={formatCount(pending.length)}
      more={unapproved > 0 ? `${unapproved} to approve` : forces > 0 ? formatQuantity(forces, "force") : "no force"}
      tone={unapproved > 0 ? "warn" : "plain"}
    />
  );
}

function Waiting() {
  const room = useStore((state) => state.overview?.services["intermediary"]) as
    | { queue?: { entries?: number; dead?: number } }
    | undefined;
  const { entries = 0, dead = 0 } = room?.queue ?? {};
  return (
    <StatCard
      name="figure-queue"
      label="Queued"
      value={formatCount(entries)}
      more={dead > 0 ? formatQuantity(dead, "dead letter") : "no dead letters"}
      tone={dead > 0 ? "bad" : "plain"}
    />
  );
}

function Rates() {
  useStore((state) => state.now);
  const now = relayNow();
  return (
    <div class="rates">
      <p class="rate-line actions" title="Actions a second, mean of the last five">
        <span class="rate-value" data-name="actions-rate">{formatRate(actions.rate(now))}</span>
        <span class="rate-label">actions/s</span>
      </p>
      <p class="rate-line events" title="Events a second, mean of the last five">
        <span class="rate-value" data-name="events-rate">{formatRate(events.rate(now))}</span>
        <span class="rate-label">events/s</span>
      </p>
    </div>
  );
}
