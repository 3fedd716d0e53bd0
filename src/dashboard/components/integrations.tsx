/** Who is connected, how busy each is, and what a person may do about it. */
import { useState } from "hono/jsx/dom";
import type { IntegrationControls, IntegrationView } from "../../core/view.ts";
import { inPath } from "../../clients/api.ts";
import { relaySocketAddress } from "../lib/address.ts";
import { activityRates, relayNow, sendCommand, SPARK_S, toggleIntegration } from "../state/relay.ts";
import { useMissingScope, useStore } from "../state/store.ts";
import { formatAge, formatCount, formatLatency, formatQuantity, formatRate } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { IntegrationDetails } from "./integration-detail.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { Button, Chip, CopyableText, EmptyState, Name, Sparkline } from "./primitives.tsx";

const SHOWN_FIRST = 200;

export function Integrations() {
  const integrations = useStore((state) => state.integrations);
  const [wanted, want] = useState("");
  const fits = (integration: IntegrationView): boolean =>
    wanted === "" || `${integration.name} ${integration.id}`.toLowerCase().includes(wanted.toLowerCase());
  const sorted = [...integrations ?? []].filter(fits).sort(byPresence);
  return (
    <section class="card integrations" aria-labelledby="integrations-title">
      <div class="card-head">
        <h2 id="integrations-title" class="card-title">Integrations</h2>
        <label class={(integrations?.length ?? 0) > 8 ? "find" : "find none"}>
          <Icon name="search" size={14} />
          <input
            type="search"
            placeholder="Find"
            aria-label="Find an integration"
            value={wanted}
            onInput={(event: Event) => want((event.target as HTMLInputElement).value)}
          />
        </label>
      </div>
      <div>
        {integrations === undefined
          ? <p key="wait" class="faint pad">asking the relay…</p>
          : integrations.length === 0
          ? <NoIntegrations key="nobody" />
          : (
            <div key="some">
              <p class="row-head" aria-hidden="true">
                <span>Name</span>
                <span>Activity</span>
                <span class="end">Actions</span>
                <span class="end">Failed</span>
                <span class="end">Mean</span>
                <span class="end">Controls</span>
              </p>
              <ul class="rows">
                {sorted.slice(0, SHOWN_FIRST).map((integration) => (
                  <IntegrationRow key={integration.id} integration={integration} />
                ))}
              </ul>
              <p class={sorted.length > SHOWN_FIRST ? "faint pad" : "none"}>
                {`${sorted.length - SHOWN_FIRST} more: find them by name`}
              </p>
            </div>
          )}
      </div>
    </section>
  );
}

const byPresence = (left: IntegrationView, right: IntegrationView): number =>
  Number(right.present) - Number(left.present) || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0);

function NoIntegrations() {
  return (
    <EmptyState title="No integration yet">
      <p>Point a game at this relay, as it would be pointed at Neuro:</p>
      <CopyableText text={`NEURO_SDK_WS_URL=${relaySocketAddress("neuro").href}`} />
      <p>A program that is no game greets the Intermediary:</p>
      <CopyableText text={relaySocketAddress("intermediary").href} />
    </EmptyState>
  );
}

function IntegrationRow({ integration }: { readonly integration: IntegrationView }) {
  const { id, name, present, counts, actions } = integration;
  const isOpened = useStore(({ expanded }) => expanded.has(id));
  const mean = counts.actions === 0 ? "–" : formatLatency(counts.result_ms / counts.actions);
  return (
    <li class={present ? "row" : "row is-away"} data-name="integration" data-id={id}>
      <div class="row-main" onClick={() => toggleIntegration(id)}>
        <button
          type="button"
          class="row-name"
          aria-expanded={isOpened ? "true" : "false"}
          data-name="integration-head"
          onClick={(event: Event) => {
            event.stopPropagation();
            toggleIntegration(id);
          }}
        >
          <span class={isOpened ? "chevron is-open" : "chevron"}>
            <Icon name="chevron" size={12} />
          </span>
          <span class={`dot ${present ? "good" : "off"}`} aria-hidden="true" />
          <span class="row-title">
            <Name text={name} max={64} />
            <span class="row-more faint small">
              <Since integration={integration} /> · {formatQuantity(actions, "action")}
            </span>
          </span>
          <Marks integration={integration} />
        </button>
        <Activity id={id} now={counts.actions + counts.contexts + counts.forces} />
        <span
          class="cell end num"
          title={`${counts.actions} actions, ${counts.contexts} contexts, ${counts.forces} forces`}
        >
          <span class="cell-label">actions</span>
          {formatCount(counts.actions)}
        </span>
        <span class={counts.failures > 0 ? "cell end num bad-text" : "cell end num faint"}>
          <span class="cell-label">failed</span>
          {formatCount(counts.failures)}
        </span>
        <span class="cell end num">
          <span class="cell-label">mean</span>
          {mean}
        </span>
        <Controls integration={integration} />
      </div>
      <div class={isOpened ? "row-detail" : "row-detail none"}>
        {isOpened ? <IntegrationDetails key="detail" id={id} /> : null}
      </div>
    </li>
  );
}

function Since({ integration: { present, since } }: { readonly integration: IntegrationView }) {
  const age = useStore(({ now }) => formatAge(now - since));
  return <span>{present ? `here for ${age}` : `away for ${age}`}</span>;
}

/** What is not as usual. */
function Marks({ integration }: { readonly integration: IntegrationView }) {
  const { listener, paused, muted, solo, approval, off_air: isOffAir, shown: isShown, present, pending } = integration;
  const isHidden = present && !isShown && !paused && !isOffAir;
  return (
    <span class="marks">
      {pending > 0 ? <Chip key="p" tone="accent">{pending} in flight</Chip> : null}
      {paused ? <Chip key="x" tone="warn">paused</Chip> : null}
      {muted ? <Chip key="m" tone="warn">muted</Chip> : null}
      {solo ? <Chip key="o" tone="accent">solo</Chip> : null}
      {approval ? <Chip key="a" tone="warn">approval</Chip> : null}
      {isOffAir ? <Chip key="c" title="It is for another character than the one who is on">off air</Chip> : null}
      {isHidden ? <Chip key="h" title="Neuro does not see its actions now">hidden</Chip> : null}
      {listener === "intermediary" ? <Chip key="d" title="Connected to the Intermediary">intermediary</Chip> : null}
    </span>
  );
}

function Activity({ id, now: _total }: { readonly id: string; readonly now: number }) {
  useStore((state) => state.now);
  const counter = activityRates.get(id)?.perSecond;
  const now = relayNow();
  const perSecond = counter?.rate(now) ?? 0;
  return (
    <span class="activity">
      <Sparkline values={counter?.series(now, SPARK_S) ?? []} label={`${formatRate(perSecond)} a second`} />
      <span class="num activity-rate">
        {formatRate(perSecond)}
        <span class="faint">/s</span>
      </span>
    </span>
  );
}

interface Control {
  readonly name: string;
  readonly key: keyof IntegrationControls;
  readonly icon: IconName;
  readonly on: string;
  readonly off: string;
}

const CONTROLS: readonly Control[] = [
  {
    name: "pause",
    key: "paused",
    icon: "pause",
    off: "Pause: Neuro does not see its actions; forces and contexts are held",
    on: "Go on",
  },
  { name: "mute", key: "muted", icon: "mute", off: "Mute: drop its contexts", on: "Unmute" },
  { name: "solo", key: "solo", icon: "solo", off: "Solo: all others are as if paused", on: "End solo" },
  {
    name: "approve",
    key: "approval",
    icon: "shield",
    off: "Let each of its actions wait for approval",
    on: "Let its actions go without approval",
  },
];

function Controls({ integration }: { readonly integration: IntegrationView }) {
  const { id, name } = integration;
  const why = useMissingScope("admin");
  return (
    <span class="controls" role="group" aria-label={`Controls of ${sanitize(name, 40)}`}>
      {CONTROLS.map(({ name: control, key, icon, on, off }) => (
        <Button
          key={control}
          kind="quiet"
          icon={icon}
          label={integration[key] ? on : off}
          pressed={integration[key]}
          disabledReason={why}
          name={control}
          onPress={() => sendCommand("PATCH", `integrations/${inPath(id)}`, { [key]: !integration[key] })}
        />
      ))}
    </span>
  );
}
