/** The figures that are to be read from across the room. */
import { actions, events, relayNow } from "../data/relay.ts";
import { useStore } from "../data/store.ts";
import { count, counted, rate } from "../model/figures.ts";
import { Chart } from "./chart.tsx";

export function Pulse() {
  return (
    <section class="pulse" aria-label="Vital signs">
      <Here />
      <Owed />
      <Waiting />
      <div class="card traffic">
        <Rates />
        <Chart />
      </div>
    </section>
  );
}

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly more: string;
  readonly tone?: string;
  readonly name: string;
}

function Figure({ label, value, more, tone = "plain", name }: FigureProps) {
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
    <Figure
      name="figure-here"
      label="Integrations"
      value={count(present)}
      more={away > 0 ? `${count(away)} more away` : present > 0 ? "all of them here" : "none yet"}
    />
  );
}

function Owed() {
  const upstreams = useStore((state) => state.overview?.services.neuro?.upstreams) ?? [];
  const pending = upstreams.flatMap((upstream) => upstream.pending);
  const unapproved = pending.filter(({ is }) => is === "approval").length;
  const forces = upstreams.reduce((sum, { force, waiting }) => sum + waiting.length + (force === null ? 0 : 1), 0);
  return (
    <Figure
      name="figure-pending"
      label="In flight"
      value={count(pending.length)}
      more={unapproved > 0 ? `${unapproved} to approve` : forces > 0 ? counted(forces, "force") : "no force"}
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
    <Figure
      name="figure-queue"
      label="Queued"
      value={count(entries)}
      more={dead > 0 ? counted(dead, "dead letter") : "no dead letters"}
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
        <span class="rate-value" data-name="actions-rate">{rate(actions.rate(now))}</span>
        <span class="rate-label">actions/s</span>
      </p>
      <p class="rate-line events" title="Events a second, mean of the last five">
        <span class="rate-value" data-name="events-rate">{rate(events.rate(now))}</span>
        <span class="rate-label">events/s</span>
      </p>
    </div>
  );
}
