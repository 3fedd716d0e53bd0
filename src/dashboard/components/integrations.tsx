/** The table of integrations: which are connected, how busy each is, and the switches of each. */
import type { IntegrationView } from "../../core/view.ts";
import { formatAge, formatCount, formatLatency, formatRate } from "../lib/format.ts";
import { orderOf, sortIntegrations } from "../lib/sort-integrations.ts";
import { parseOrder } from "../lib/sort-list.ts";
import { memo, useRef } from "hono/jsx/dom";
import { store, useSight, useStore } from "../state/hooks.ts";
import { SPARKLINE_S } from "../state/traffic.ts";
import { TEXTS } from "../texts.ts";
import { Icon } from "./icons.tsx";
import { Controls, Marks } from "./integration-controls.tsx";
import { IntegrationDetails } from "./integration-detail.tsx";
import { Button, EmptyState, Name, SearchInput, Sparkline } from "./primitives.tsx";
import { moveInRows } from "./row-keys.ts";
import { SortHead, useOrder } from "../lists/sort-head.tsx";

const TEXT = TEXTS.integrations;
/** Rows that are drawn; the others are found by name. */
const ROWS_MAX = 200;
/** Steps in which the age of a connection is shown. */
const AGE_STEP_MS = 5_000;
/** Longer names are in smaller type on a phone. */
const LONG_NAME = 24;
/** From this many integrations on there is a search field. */
const SEARCH_MIN = 9;

export function Integrations() {
  const integrations = useStore((state) => state.integrations);
  const find = useStore(({ route }) => route.params.find ?? "");
  const matches = ({ name, id }: IntegrationView): boolean =>
    find === "" || `${name} ${id}`.toLowerCase().includes(find.toLowerCase());
  const found = (integrations ?? []).filter(matches);
  return (
    <section id="integrations" class="card integrations" aria-labelledby="integrations-title" tabindex={-1}>
      <div class="card-head">
        <h2 id="integrations-title" class="card-title">{TEXT.title}</h2>
        <label class={(integrations?.length ?? 0) >= SEARCH_MIN || find !== "" ? "search" : "search hidden"}>
          <Icon name="search" size={14} />
          <SearchInput
            label={TEXT.findLabel}
            placeholder={TEXT.find}
            value={find}
            onText={(text) => store.setParams({ find: text })}
          />
        </label>
      </div>
      <div>
        {integrations === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : integrations.length === 0
          ? <NoIntegrations key="none" />
          : <Table key="some" found={found} />}
      </div>
    </section>
  );
}

function NoIntegrations() {
  return (
    <EmptyState title={TEXT.none}>
      <p>{TEXT.noneMeans}</p>
      <Button kind="main" name="connect-first" onPress={() => store.openDialog("connect")}>{TEXT.connect}</Button>
    </EmptyState>
  );
}

function Table({ found }: { readonly found: readonly IntegrationView[] }) {
  const by = useOrder("sort");
  const order = orderOf(by);
  // Why: the order by activity changes although no integration does.
  useStore(({ now }) => (order === "activity" || order === "trouble" ? now : 0));
  const sources = { results: store.results, traffic: store.traffic, now: store.relayNow() };
  const sorted = sortIntegrations(found.filter((one) => one.connected), order, sources);
  const connected = parseOrder(by).isReversed ? sorted.toReversed() : sorted;
  const offline = sortIntegrations(found.filter((one) => !one.connected), "name", sources);
  const isFound = useStore(({ route }) => (route.params.find ?? "") !== "");
  const hidden = connected.length - ROWS_MAX;
  return (
    <div>
      <SortHead param="sort" columns={COLUMNS} className="row-head">
        <span class="end">{TEXT.columns.controls}</span>
      </SortHead>
      <ul class="rows" onKeyDown={moveInRows}>
        {connected.slice(0, ROWS_MAX).map(itemOf)}
      </ul>
      <p class={hidden > 0 ? "faint pad" : "hidden"}>{TEXT.more(hidden)}</p>
      <details
        class={offline.length === 0 ? "hidden" : "offline"}
        data-name="offline"
        open={isFound || connected.length === 0}
      >
        <summary>{TEXT.offline(offline.length)}</summary>
        <ul class="rows" onKeyDown={moveInRows}>
          {offline.slice(0, ROWS_MAX).map(itemOf)}
        </ul>
      </details>
    </div>
  );
}

const COLUMNS = [
  { key: "name", title: TEXT.columns.name, isText: true },
  { key: "activity", title: TEXT.columns.activity },
  { key: "actions", title: TEXT.columns.actions, isAtEnd: true },
  { key: "failed", title: TEXT.columns.failed, isAtEnd: true },
  { key: "mean", title: TEXT.columns.mean, isAtEnd: true },
];

interface RowProps {
  readonly integration: IntegrationView;
}

/**
 * Why the key is not on the memorized row: the renderer puts a row that draws itself again before the next one, which it does not update
 * for those that it skips. So the row would return to its former place.
 */
const itemOf = (integration: IntegrationView) => (
  <li
    key={integration.id}
    class={integration.connected ? "row" : "row is-offline"}
    data-name="integration"
    data-id={integration.id}
  >
    <IntegrationRow integration={integration} />
  </li>
);

/** A row that is not drawn again while it is out of sight. */
const IntegrationRow = memo(({ integration }: RowProps) => {
  const element = useRef<HTMLElement | null>(null);
  const sight = useSight(element);
  const isVisible = useStore(() => sight.current);
  const drawn = useRef(integration);
  if (isVisible) drawn.current = integration;
  return (
    <div ref={element}>
      <RowContent integration={drawn.current ?? integration} sight={sight} />
    </div>
  );
});

interface ContentProps extends RowProps {
  readonly sight: { readonly current: boolean };
}

/** Why memorized: of a hundred integrations only some change in a second. */
const RowContent = memo(({ integration, sight }: ContentProps) => {
  const { id, name, connected, counts, actions } = integration;
  const isExpanded = useStore(({ expanded }) => expanded.has(id));
  const mean = counts.actions === 0 ? TEXT.details.unknown : formatLatency(counts.result_ms / counts.actions);
  return (
    <div>
      <div class="row-main" data-row onClick={() => store.toggleIntegration(id)}>
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
          <span class={name.length > LONG_NAME ? "row-title is-long" : "row-title"}>
            <Name text={name} max={64} />
            <span class="row-second">
              <Marks integration={integration} />
              <span class="row-more faint small">
                <Since integration={integration} /> · {TEXT.actions(actions)}
              </span>
            </span>
          </span>
        </button>
        <Activity id={id} sight={sight} />
        <span class="cell count end num" title={TEXT.counts(counts.actions, counts.contexts, counts.forces)}>
          <span class="cell-label">{TEXT.columns.actions}</span>
          {formatCount(counts.actions)}
        </span>
        <span class={counts.failures > 0 ? "cell end num bad-text" : "cell end num faint"}>
          <span class="cell-label">{TEXT.columns.failed}</span>
          {formatCount(counts.failures)}
        </span>
        <span class="cell mean end num">
          <span class="cell-label">{TEXT.columns.mean}</span>
          {mean}
        </span>
        <Controls integration={integration} />
      </div>
      <div class={isExpanded ? "row-detail" : "row-detail hidden"}>
        <div class="narrow-only">{isExpanded ? <Controls key="controls" integration={integration} isWordy /> : null}</div>
        {isExpanded ? <IntegrationDetails key="detail" id={id} /> : null}
      </div>
    </div>
  );
});

function Since({ integration: { connected, since } }: RowProps) {
  const age = useStore(({ now }) => formatAge(Math.floor((now - since) / AGE_STEP_MS) * AGE_STEP_MS));
  return <span>{connected ? TEXT.connectedFor(age) : TEXT.offlineFor(age)}</span>;
}

function Activity({ id, sight }: Pick<ContentProps, "sight"> & { readonly id: string }) {
  const counts = store.traffic.integration(id);
  const isVisible = useStore(() => sight.current);
  // Why: a chart without traffic is the same in each second.
  useStore((state) => (isVisible && counts?.isQuiet(state.now) === false ? state.now : 0));
  const now = store.relayNow();
  const rate = formatRate(counts?.rate(now) ?? 0);
  return (
    <span class="activity">
      <Sparkline values={isVisible ? counts?.series(now, SPARKLINE_S) ?? [] : []} label={TEXT.perSecond(rate)} />
      <span class="num activity-rate">
        {rate}
        <span class="faint">{TEXT.perSecondUnit}</span>
      </span>
    </span>
  );
}
