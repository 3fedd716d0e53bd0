/** Traces: the paths of the last forces, actions, contexts and commands. A row opens into its timeline. */
import { memo, useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import { TRACE_KINDS, type TraceStep, type TraceView } from "../../core/traces/trace.ts";
import type { Page } from "../../core/view.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { Button, Chip, EmptyState, IntegrationLink, Name, SearchInput } from "../components/primitives.tsx";
import { formatDuration, formatTime } from "../lib/format.ts";
import { sanitize, sanitizeLines } from "../lib/sanitize.ts";
import { linkTo } from "../lib/route.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { store, useResource, useStore } from "../state/hooks.ts";
import { humanize, TEXTS } from "../texts.ts";

const TEXT = TEXTS.traces;
const TRACES_MAX = 100;

export function Traces() {
  const id = useStore(({ route }) => (route.panel === "traces" ? route.item : ""));
  return id === "" ? <TraceList key="all" /> : <OneTrace key={id} id={id} />;
}

/** The trace that a link names. */
function OneTrace({ id }: { readonly id: string }) {
  const trace = useResource<TraceView>(`traces/${pathSegment(id)}`);
  return (
    <div class="scrolls" data-name="one-trace">
      <p class="page-back pad">
        <a href={linkTo("traces")}>{TEXT.back}</a>
      </p>
      {trace === undefined
        ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
        : trace === null
        ? <EmptyState key="gone" title={TEXT.gone}>{TEXT.goneMeans}</EmptyState>
        : (
          <ul key="trace" class="plain-list">
            <li>
              <TraceRow trace={trace} isOpenAtFirst />
            </li>
          </ul>
        )}
    </div>
  );
}

const { columns: TITLES } = TEXTS;
const COLUMNS: readonly SortColumn<TraceView>[] = [
  { key: "time", title: TITLES.time, valueOf: ({ received_at }) => received_at },
  { key: "result", title: TITLES.result, isText: true, valueOf: ({ outcome }) => outcome },
  { key: "kind", title: TITLES.kind, isText: true, valueOf: ({ kind }) => kind },
  { key: "integration", title: TITLES.integration, isText: true, valueOf: ({ names }) => names.join(", ") },
  { key: "took", title: TITLES.took, valueOf: ({ ms }) => ms },
];

function TraceList() {
  const { trace_kind: kind = "", trace_of: integration = "" } = useStore(({ route }) => route.params);
  const query = new URLSearchParams({ limit: String(TRACES_MAX) });
  if (kind !== "") query.set("kind", kind);
  if (integration.trim() !== "") query.set("integration", integration.trim());
  const page = useResource<Page<TraceView>>(`traces?${query}`);
  const traces = page === null ? [] : page?.items;
  return (
    <div class="scrolls">
      <div class="panel-head">
        <h2 class="panel-title">{TEXT.title}</h2>
        <SearchInput label={TEXT.integration} value={integration} onText={(text) => store.setParams({ trace_of: text })} />
        <select
          aria-label={TEXT.kind}
          value={kind}
          onChange={(event: Event) => store.setParams({ trace_kind: (event.target as HTMLSelectElement).value })}
        >
          <option value="">{TEXT.allKinds}</option>
          {TRACE_KINDS.map((each) => <option key={each} value={each}>{TEXT.kinds[each]}</option>)}
        </select>
      </div>
      <div>
        {traces === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : traces.length === 0
          ? <EmptyState key="none" title={TEXT.none}>{TEXT.noneMeans}</EmptyState>
          : (
            <SortedList
              key="some"
              param="by_trace"
              columns={COLUMNS}
              items={traces}
              keyOf={({ id }) => id}
              row={(trace) => <TraceRow trace={trace} />}
            />
          )}
      </div>
    </div>
  );
}

const GOOD: ReadonlySet<string> = new Set(["succeeded", "completed", "sent", "acknowledged", "delivered"]);

const toneOf = (outcome: string | null): string =>
  outcome === null ? "accent" : GOOD.has(outcome) ? "good" : outcome === "failed" ? "bad" : "warn";

interface TraceRowProps {
  readonly trace: TraceView;
  readonly isOpenAtFirst?: boolean;
}

const TraceRow = memo(({ trace, isOpenAtFirst = false }: TraceRowProps) => {
  const { id, kind, outcome, integrations, names, actions, texts, received_at, ms, steps } = trace;
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const summary = actions.length > 0 ? actions.slice(0, 3).join(", ") : Object.values(texts)[0] ?? "";
  return (
    <div class="entry" data-name="trace">
      <div class="trace-head">
        <span class="num faint small" title={new Date(received_at).toISOString()}>{formatTime(received_at)}</span>
        <span>
          <Chip tone={toneOf(outcome)}>{outcome === null ? TEXT.open : humanize(outcome)}</Chip>
        </span>
        <span class="small">{TEXT.kinds[kind]}</span>
        <span class="trace-about">
          {names.map((name, index) => (
            <span key={`${index}`} title={sanitize(name, 300)}>
              {index > 0 ? ", " : ""}
              {
                // Why no stop of the Tab key: that of the row opens it. Without an id the name is that of a watcher.
                integrations[index] === undefined
                  ? <Name text={name} />
                  : <IntegrationLink id={integrations[index]} name={name} tabindex={-1} />
              }
            </span>
          ))} <bdi class="faint small">{sanitize(summary, 160)}</bdi>
        </span>
        <span class="faint small num">{formatDuration(ms)}</span>
        <Button kind="quiet" pressed={isOpen} onPress={() => setOpen(!isOpen)}>{isOpen ? TEXT.hide : TEXT.show}</Button>
      </div>
      <div class={isOpen ? "pad" : "hidden"}>
        {isOpen
          ? (
            <div key="open">
              <p class="faint small num">{id}</p>
              {Object.entries(texts).map(([name, text]) => (
                <p key={name} class="soft action-text" dir="auto">
                  <span class="faint small">{humanize(name)}</span> {sanitizeLines(text, 4_000)}
                </p>
              ))}
              <ol class="plain-list inner">
                {steps.map((step, at) => <StepRow key={`${at}`} step={step} since={received_at} />)}
              </ol>
            </div>
          )
          : null}
      </div>
    </div>
  );
});

function StepRow({ step: { at, is, who, what }, since }: { readonly step: TraceStep; readonly since: number }) {
  return (
    <li class="small" data-name="trace-step">
      <span class="num faint">{TEXT.after(formatDuration(at - since))}</span> {humanize(is)}{" "}
      <bdi>{sanitize(who ?? "", 80)}</bdi> <span class="faint">{sanitize(what ?? "", 200)}</span>
    </li>
  );
}
