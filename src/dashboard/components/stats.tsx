/** The most important numbers in one line, with their last minutes. */
import type { Tone } from "../lib/describe-event.ts";
import { formatCount, formatRate } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { countApprovals, countDeadLetters, countQueued, pendingOf, upstreamsOf } from "../state/dashboard-state.ts";
import { store, useStore } from "../state/hooks.ts";
import type { SecondCounts } from "../state/rates.ts";
import { CHART_POINT_S, CHART_S } from "../state/traffic.ts";
import { TEXTS } from "../texts.ts";
import { Sparkline } from "./primitives.tsx";

const TEXT = TEXTS.stats;

export function Stats() {
  return (
    <section class="stats" aria-label={TEXT.title}>
      <ConnectedIntegrations />
      <RunningActions />
      <QueuedMessages />
      <Rates />
    </section>
  );
}

interface StatProps {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  readonly details: string;
  readonly tone: Tone;
  readonly href: string;
}

function Stat({ name, label, value, details, tone, href }: StatProps) {
  return (
    <a class={`stat ${tone}`} data-name={name} href={href}>
      <span class="stat-value">{formatCount(value)}</span>
      <span class="stat-label">{label}</span>
      <span class="stat-details">{details}</span>
    </a>
  );
}

function ConnectedIntegrations() {
  const integrations = useStore((state) => state.integrations) ?? [];
  const connected = integrations.filter(({ connected: present }) => present).length;
  const offline = integrations.length - connected;
  const details = offline > 0 ? TEXT.offline(offline) : connected > 0 ? TEXT.allConnected : TEXT.noneYet;
  return (
    <Stat
      name="stat-integrations"
      label={TEXT.integrations}
      value={connected}
      details={details}
      tone="plain"
      href={linkTo("integrations")}
    />
  );
}

function RunningActions() {
  const upstreams = useStore(upstreamsOf);
  const unapproved = useStore(countApprovals);
  const running = useStore((state) => pendingOf(state).length);
  const questions = upstreams.reduce((sum, { force, waiting }) => sum + waiting.length + (force === null ? 0 : 1), 0);
  const details = unapproved > 0 ? TEXT.toApprove(unapproved) : questions > 0 ? TEXT.questions(questions) : TEXT.noQuestion;
  return (
    <Stat
      name="stat-running"
      label={TEXT.running}
      value={running}
      details={details}
      tone={unapproved > 0 ? "warn" : "plain"}
      href={linkTo("now")}
    />
  );
}

function QueuedMessages() {
  const queued = useStore(countQueued);
  const dead = useStore(countDeadLetters);
  return (
    <Stat
      name="stat-queued"
      label={TEXT.queued}
      value={queued}
      details={dead > 0 ? TEXT.deadLetters(dead) : TEXT.noDeadLetters}
      tone={dead > 0 ? "bad" : "plain"}
      href={linkTo("queue")}
    />
  );
}

/** Why in a component of its own: it is drawn every second, the others only when their number changes. */
function Rates() {
  const { actions, events } = store.traffic;
  useStore(({ now }) => (actions.isQuiet(now) && events.isQuiet(now) ? 0 : now));
  return (
    <div class="rates">
      <Rate name="actions-rate" counts={actions} unit={TEXT.actionsUnit} title={TEXT.actionsPerSecond} />
      <Rate name="events-rate" counts={events} unit={TEXT.eventsUnit} title={TEXT.eventsPerSecond} />
    </div>
  );
}

interface RateProps {
  readonly name: string;
  readonly counts: SecondCounts;
  readonly unit: string;
  readonly title: string;
}

function Rate({ name, counts, unit, title }: RateProps) {
  const now = store.relayNow();
  return (
    <p class={`rate ${name}`} title={title}>
      <span class="rate-value num" data-name={name}>{formatRate(counts.rate(now))}</span>
      <span class="rate-label">{unit}</span>
      <Sparkline values={counts.means(now, CHART_POINT_S, CHART_S / CHART_POINT_S)} label={TEXT.chart(unit)} />
    </p>
  );
}
