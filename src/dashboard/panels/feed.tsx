/** The live feed: everything that watchers see, as it happens. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import { Icon } from "../components/icons.tsx";
import { Button, SearchInput } from "../components/primitives.tsx";
import type { EventCategory } from "../lib/describe-event.ts";
import { formatTime } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import type { FeedRow } from "../state/event-feed.ts";
import { store, useFeed, useFeedView, useStore } from "../state/hooks.ts";
import { EVENT_CATEGORIES, TEXTS } from "../texts.ts";
import { FeedList } from "./feed-list.ts";

const TEXT = TEXTS.feed;

export function FeedPanel() {
  const place = useRef<HTMLDivElement | null>(null);
  const list = useRef<FeedList | undefined>(undefined);
  const [selected, select] = useState<FeedRow | undefined>(undefined);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return;
    list.current = new FeedList(current, store.feed, (row) => select(row));
    return () => list.current?.remove();
  }, []);
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (store.feed.view.is === "running") store.feed.pause();
    list.current?.selectNext(step);
  };
  return (
    <div class="feed">
      <FeedTools />
      <div
        ref={place}
        class="feed-rows"
        tabindex={0}
        role="log"
        aria-live="off"
        aria-label={TEXT.rows}
        data-name="feed-rows"
        onKeyDown={onKey}
      />
      <FeedEmpty />
      <FeedPaused />
      <div class={selected === undefined ? "feed-selected hidden" : "feed-selected"}>
        {selected === undefined ? null : (
          <div key="selected" class="feed-selected-body">
            <p class="feed-selected-head">
              <strong>{selected.summary.label}</strong>
              <SubjectLink row={selected} />
              <span class="faint num">{formatTime(selected.at, true)}</span>
              <Button kind="quiet" icon="close" label={TEXTS.close} onPress={() => list.current?.select(undefined)} />
            </p>
            <pre>{sanitizeJson(selected.event)}</pre>
          </div>
        )}
      </div>
    </div>
  );
}

/** To the page of the integration that the event is about, and to the trace of what it is about. */
function SubjectLink({ row: { event } }: { readonly row: FeedRow }) {
  const integration = [event.integration_id, event.from_id].find((value) => typeof value === "string");
  const trace = [event.action_id, event.force_id, event.context_id].find((value) => typeof value === "string");
  return (
    <span class="feed-links">
      {integration === undefined
        ? null
        : <a key="integration" href={linkTo("integration", String(integration))}>{TEXT.openIntegration}</a>}
      {trace === undefined ? null : <a key="trace" href={linkTo("traces", String(trace))}>{TEXTS.traces.follow}</a>}
    </span>
  );
}

/** Why by the address: the filter is a part of it. */
const showAll = (): void => store.setParams({ kinds: "", integration: "", text: "" });

function FeedTools() {
  useFeedView();
  const { view, filter: { categories, integration, text } } = store.feed;
  const isPaused = view.is === "paused";
  const isFiltered = categories.size > 0 || integration !== "" || text !== "";
  return (
    <div class="feed-tools">
      <div class="feed-line">
        <label class="search grows">
          <Icon name="search" size={14} />
          <SearchInput
            label={TEXT.searchLabel}
            placeholder={TEXT.search}
            name="feed-text"
            value={text}
            onText={(typed) => store.setParams({ text: typed })}
          />
        </label>
        <IntegrationSelect selected={integration} />
        <Button
          icon={isPaused ? "play" : "pause"}
          name="feed-pause"
          pressed={isPaused}
          label={isPaused ? TEXT.resumeLabel : TEXT.pause}
          onPress={() => store.feed.toggle()}
        >
          <span class="wide-only">{isPaused ? TEXT.resume : TEXT.pause}</span>
        </Button>
      </div>
      <CategoryFilter categories={categories} isFiltered={isFiltered} />
    </div>
  );
}

function IntegrationSelect({ selected }: { readonly selected: string }) {
  // Why as one text: the names are the same although the integrations change every second.
  const names = useStore(({ integrations }) =>
    JSON.stringify(
      [...new Set([...(integrations ?? []).map(({ name }) => name), selected])].filter((name) => name !== "").sort(),
    )
  );
  return (
    <select
      class="feed-integration-select"
      aria-label={TEXT.integration}
      data-name="feed-integration"
      value={selected}
      onChange={(event: Event) => store.setParams({ integration: (event.target as HTMLSelectElement).value })}
    >
      <option value="">{TEXT.allIntegrations}</option>
      {(JSON.parse(names) as string[]).map((name) => <option key={name} value={name}>{sanitize(name, 40)}</option>)}
    </select>
  );
}

interface CategoryFilterProps {
  readonly categories: ReadonlySet<EventCategory>;
  readonly isFiltered: boolean;
}

function CategoryFilter({ categories, isFiltered }: CategoryFilterProps) {
  const toggle = (category: EventCategory): void => {
    const next = new Set(categories);
    if (!next.delete(category)) next.add(category);
    store.setParams({ kinds: [...next].join(",") });
  };
  return (
    <div class="categories" role="group" aria-label={TEXT.categories}>
      {CATEGORIES.map((category) => (
        <button
          key={category}
          type="button"
          class="category"
          aria-pressed={categories.has(category) ? "true" : "false"}
          data-name={`category-${category}`}
          onClick={() => toggle(category)}
        >
          {EVENT_CATEGORIES[category]}
        </button>
      ))}
      <button
        key="all"
        type="button"
        class={isFiltered ? "category clear" : "category clear hidden"}
        onClick={showAll}
      >
        {TEXT.showAll}
      </button>
    </div>
  );
}

const CATEGORIES = Object.keys(EVENT_CATEGORIES) as EventCategory[];

function FeedEmpty() {
  useFeed();
  const { rows, total } = store.feed;
  if (rows.length > 0) return <p class="hidden" />;
  return <p class="feed-empty faint">{total === 0 ? TEXT.empty : TEXT.noMatch}</p>;
}

function FeedPaused() {
  useFeed();
  const { view } = store.feed;
  const missed = view.is === "paused" ? view.missed : 0;
  return (
    <p class={view.is === "paused" ? "feed-paused" : "feed-paused hidden"} role="status">
      <span>{TEXT.paused}{missed === 0 ? "" : TEXT.missed(missed)}</span>
      <Button kind="main" name="feed-resume" onPress={() => store.feed.resume()}>{TEXT.resume}</Button>
    </p>
  );
}
