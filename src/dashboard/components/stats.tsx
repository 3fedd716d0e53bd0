/** The most important numbers, large enough to be read from a distance. */
import type { Tone } from "../lib/describe-event.ts";
import { formatCount, formatRate } from "../lib/format.ts";
import { countApprovals, countDeadLetters, countQueued, upstreamsOf } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { TrafficChart } from "./traffic-chart.tsx";

const TEXT = TEXTS.stats;

export function Stats() {
  return (
    <section class="stats" aria-label={TEXT.title}>
      <ConnectedIntegrations />
      <RunningActions />
      <QueuedMessages />
      <div class="card traffic">
        <Rates />
        <TrafficChart />
      </div>
    </section>
  );
}

interface StatCardProps {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  readonly details: string;
  readonly tone: Tone;
}

function StatCard({ name, label, value, details, tone }: StatCardProps) {
  return (
    <div class={`card stat ${tone}`} data-name={name}>
      <p class="stat-label">{label}</p>
      <p class="stat-value">{formatCount(value)}</p>
      <p class="stat-details">{details}</p>
    </div>
  );
}

function ConnectedIntegrations() {
  const integrations = useStore((state) => state.integrations) ?? [];
  const connected = integrations.filter(({ connected: present }) => present).length;
  const offline = integrations.length - connected;
  const details = offline > 0 ? TEXT.offline(offline) : connected > 0 ? TEXT.allConnected : TEXT.noneYet;
  return <StatCard name="stat-integrations" label={TEXT.integrations} value={connected} details={details} tone="plain" />;
}

function RunningActions() {
  const upstreams = useStore(upstreamsOf);
  const unapproved = useStore(countApprovals);
  const running = upstreams.reduce((sum, { pending }) => sum + pending.length, 0);
  const questions = upstreams.reduce((sum, { force, waiting }) => sum + waiting.length + (force === null ? 0 : 1), 0);
  const details = unapproved > 0 ? TEXT.toApprove(unapproved) : questions > 0 ? TEXT.questions(questions) : TEXT.noQuestion;
  return (
    <StatCard
      name="stat-running"
      label={TEXT.running}
      value={running}
      details={details}
      tone={unapproved > 0 ? "warn" : "plain"}
    />
  );
}

function QueuedMessages() {
  const queued = useStore(countQueued);
  const dead = useStore(countDeadLetters);
  return (
    <StatCard
      name="stat-queued"
      label={TEXT.queued}
      value={queued}
      details={dead > 0 ? TEXT.deadLetters(dead) : TEXT.noDeadLetters}
      tone={dead > 0 ? "bad" : "plain"}
    />
  );
}

function Rates() {
  useStore((state) => state.now);
  const now = store.relayNow();
  const { actions, events } = store.traffic;
  return (
    <div class="rates">
      <p class="rate-line actions" title={TEXT.actionsPerSecond}>
        <span class="rate-value" data-name="actions-rate">{formatRate(actions.rate(now))}</span>
        <span class="rate-label">{TEXT.actionsUnit}</span>
      </p>
      <p class="rate-line events" title={TEXT.eventsPerSecond}>
        <span class="rate-value" data-name="events-rate">{formatRate(events.rate(now))}</span>
        <span class="rate-label">{TEXT.eventsUnit}</span>
      </p>
    </div>
  );
}
