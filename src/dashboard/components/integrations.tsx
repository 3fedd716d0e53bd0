/** The list of integrations: which are connected, how busy each is, and the switches of each. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { IntegrationControls, IntegrationView } from "../../core/view.ts";
import { relaySocketAddress } from "../lib/address.ts";
import { formatAge, formatCount, formatLatency, formatRate } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import { SPARKLINE_S } from "../state/traffic.ts";
import { TEXTS } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";
import { IntegrationDetails } from "./integration-detail.tsx";
import { Button, Chip, CopyableText, EmptyState, Name, Sparkline } from "./primitives.tsx";

const TEXT = TEXTS.integrations;
/** Rows that are drawn; the others are found by name. */
const ROWS_MAX = 200;
/** From this many integrations on there is a search field. */
const SEARCH_MIN = 9;

export function Integrations() {
  const integrations = useStore((state) => state.integrations);
  const [search, setSearch] = useState("");
  const matches = ({ name, id }: IntegrationView): boolean =>
    search === "" || `${name} ${id}`.toLowerCase().includes(search.toLowerCase());
  const sorted = [...integrations ?? []].filter(matches).sort(byPresence);
  return (
    <section class="card integrations" aria-labelledby="integrations-title">
      <div class="card-head">
        <h2 id="integrations-title" class="card-title">{TEXT.title}</h2>
        <label class={(integrations?.length ?? 0) >= SEARCH_MIN ? "search" : "search hidden"}>
          <Icon name="search" size={14} />
          <input
            type="search"
            placeholder={TEXT.find}
            aria-label={TEXT.findLabel}
            value={search}
            onInput={(event: Event) => setSearch((event.target as HTMLInputElement).value)}
          />
        </label>
      </div>
      <div>
        {integrations === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : integrations.length === 0
          ? <NoIntegrations key="none" />
          : (
            <div key="some">
              <p class="row-head" aria-hidden="true">
                <span>{TEXT.columns.name}</span>
                <span>{TEXT.columns.activity}</span>
                <span class="end">{TEXT.columns.actions}</span>
                <span class="end">{TEXT.columns.failed}</span>
                <span class="end">{TEXT.columns.mean}</span>
                <span class="end">{TEXT.columns.controls}</span>
              </p>
              <ul class="rows">
                {sorted.slice(0, ROWS_MAX).map((one) => <IntegrationRow key={one.id} integration={one} />)}
              </ul>
              <p class={sorted.length > ROWS_MAX ? "faint pad" : "hidden"}>{TEXT.more(sorted.length - ROWS_MAX)}</p>
            </div>
          )}
      </div>
    </section>
  );
}

/** Connected ones first, then by name. */
const byPresence = (left: IntegrationView, right: IntegrationView): number =>
  Number(right.connected) - Number(left.connected) || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0);

function NoIntegrations() {
  return (
    <EmptyState title={TEXT.none}>
      <p>{TEXT.connectGame}</p>
      <CopyableText text={`NEURO_SDK_WS_URL=${relaySocketAddress("neuro").href}`} />
      <p>{TEXT.connectOther}</p>
      <CopyableText text={relaySocketAddress("intermediary").href} />
    </EmptyState>
  );
}

interface RowProps {
  readonly integration: IntegrationView;
}

function IntegrationRow({ integration }: RowProps) {
  const { id, name, connected, counts, actions } = integration;
  const isExpanded = useStore(({ expanded }) => expanded.has(id));
  const mean = counts.actions === 0 ? TEXT.details.unknown : formatLatency(counts.result_ms / counts.actions);
  return (
    <li class={connected ? "row" : "row is-offline"} data-name="integration" data-id={id}>
      <div class="row-main" onClick={() => store.toggleIntegration(id)}>
        <button
          type="button"
          class="row-name"
          aria-expanded={isExpanded ? "true" : "false"}
          data-name="integration-head"
          onClick={(event: Event) => {
            event.stopPropagation();
            store.toggleIntegration(id);
          }}
        >
          <span class={isExpanded ? "chevron is-open" : "chevron"}>
            <Icon name="chevron" size={12} />
          </span>
          <span class={`dot ${connected ? "good" : "off"}`} aria-hidden="true" />
          <span class="row-title">
            <Name text={name} max={64} />
            <span class="row-more faint small">
              <Since integration={integration} /> · {TEXT.actions(actions)}
            </span>
          </span>
          <Marks integration={integration} />
        </button>
        <Activity id={id} />
        <span class="cell end num" title={TEXT.counts(counts.actions, counts.contexts, counts.forces)}>
          <span class="cell-label">{TEXT.columns.actions}</span>
          {formatCount(counts.actions)}
        </span>
        <span class={counts.failures > 0 ? "cell end num bad-text" : "cell end num faint"}>
          <span class="cell-label">{TEXT.columns.failed}</span>
          {formatCount(counts.failures)}
        </span>
        <span class="cell end num">
          <span class="cell-label">{TEXT.columns.mean}</span>
          {mean}
        </span>
        <Controls integration={integration} />
      </div>
      <div class={isExpanded ? "row-detail" : "row-detail hidden"}>
        {isExpanded ? <IntegrationDetails key="detail" id={id} /> : null}
      </div>
    </li>
  );
}

function Since({ integration: { connected, since } }: RowProps) {
  const age = useStore(({ now }) => formatAge(now - since));
  return <span>{connected ? TEXT.connectedFor(age) : TEXT.offlineFor(age)}</span>;
}

/** Everything unusual about an integration. */
function Marks({ integration }: RowProps) {
  const { listener, paused, muted, solo, approval, off_air: isOffAir, visible: isShown, connected, pending } = integration;
  const { marks } = TEXT;
  const isHidden = connected && !isShown && !paused && !isOffAir;
  return (
    <span class="marks">
      {pending > 0 ? <Chip key="running" tone="accent">{marks.running(pending)}</Chip> : null}
      {paused ? <Chip key="paused" tone="warn">{marks.paused}</Chip> : null}
      {muted ? <Chip key="muted" tone="warn">{marks.muted}</Chip> : null}
      {solo ? <Chip key="solo" tone="accent">{marks.solo}</Chip> : null}
      {approval ? <Chip key="approval" tone="warn">{marks.approval}</Chip> : null}
      {isOffAir ? <Chip key="off-air" title={marks.offAirMeans}>{marks.offAir}</Chip> : null}
      {isHidden ? <Chip key="hidden" title={marks.hiddenMeans}>{marks.hidden}</Chip> : null}
      {listener === "intermediary"
        ? <Chip key="intermediary" title={marks.intermediaryMeans}>{marks.intermediary}</Chip>
        : null}
    </span>
  );
}

function Activity({ id }: { readonly id: string }) {
  useStore((state) => state.now);
  const counts = store.traffic.integration(id);
  const now = store.relayNow();
  const rate = formatRate(counts?.rate(now) ?? 0);
  return (
    <span class="activity">
      <Sparkline values={counts?.series(now, SPARKLINE_S) ?? []} label={TEXT.perSecond(rate)} />
      <span class="num activity-rate">
        {rate}
        <span class="faint">{TEXT.perSecondUnit}</span>
      </span>
    </span>
  );
}

interface Control {
  readonly name: keyof typeof TEXT.controls;
  readonly key: Exclude<keyof IntegrationControls, "behaviour">;
  readonly icon: IconName;
}

const CONTROLS: readonly Control[] = [
  { name: "pause", key: "paused", icon: "pause" },
  { name: "mute", key: "muted", icon: "mute" },
  { name: "solo", key: "solo", icon: "solo" },
  { name: "approve", key: "approval", icon: "shield" },
];

function Controls({ integration }: RowProps) {
  const { id, name } = integration;
  const missingScope = useMissingScope("admin");
  return (
    <span class="controls" role="group" aria-label={TEXT.controlsOf(sanitize(name, 40))}>
      {CONTROLS.map(({ name: control, key, icon }) => {
        const [turnOn, turnOff] = TEXT.controls[control];
        return (
          <Button
            key={control}
            kind="quiet"
            icon={icon}
            label={integration[key] ? turnOff : turnOn}
            pressed={integration[key]}
            disabledReason={missingScope}
            name={control}
            onPress={() => store.send("PATCH", `integrations/${pathSegment(id)}`, { [key]: !integration[key] })}
          />
        );
      })}
    </span>
  );
}
