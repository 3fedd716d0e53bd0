/** The transcript: what Neuro was sent, and her actions, newest first. */
import { memo } from "hono/jsx/dom";
import type { TranscriptView } from "../../core/traces/trace.ts";
import type { Page } from "../../core/view.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import { Chip, EmptyState, Name, SearchInput } from "../components/primitives.tsx";
import { formatTime } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import type { SortColumn } from "../lib/sort-list.ts";
import { sanitize, sanitizeLines } from "../lib/sanitize.ts";
import { store, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.transcript;
const ITEMS_MAX = 200;

const { columns: TITLES } = TEXTS;
const COLUMNS: readonly SortColumn<TranscriptView>[] = [
  { key: "time", title: TITLES.time, valueOf: ({ at }) => at },
  { key: "kind", title: TITLES.kind, isText: true, valueOf: ({ is }) => is },
  { key: "from", title: TITLES.from, isText: true, valueOf: ({ from }) => from },
];

export function Transcript() {
  const search = useStore(({ route }) => route.params.said ?? "");
  const query = new URLSearchParams({ limit: String(ITEMS_MAX) });
  if (search.trim() !== "") query.set("search", search.trim());
  const page = useResource<Page<TranscriptView>>(`transcript?${query}`);
  const items = page === null ? [] : page?.items;
  return (
    <div class="scrolls">
      <div class="panel-head">
        <h2 class="panel-title">{TEXT.title}</h2>
        <SearchInput label={TEXT.search} value={search} onText={(text) => store.setParams({ said: text })} />
      </div>
      <div>
        {items === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : items.length === 0
          ? <EmptyState key="none" title={TEXT.none}>{TEXT.noneMeans}</EmptyState>
          : (
            <SortedList
              key="some"
              param="by_said"
              columns={COLUMNS}
              items={items}
              keyOf={({ id }) => id}
              row={(item) => <ItemRow item={item} />}
            />
          )}
      </div>
    </div>
  );
}

const ItemRow = memo(({ item }: { readonly item: TranscriptView }) => {
  const { at, is, from, trace, actions, text, state, success } = item;
  return (
    <div class="entry" data-name="transcript-item">
      <div class="entry-head">
        <span class="num faint small" title={new Date(at).toISOString()}>{formatTime(at)}</span>
        <Chip tone={success === false ? "bad" : is === "action" ? "accent" : "plain"}>
          {TEXT.kinds[success === false ? "failed" : is]}
        </Chip>
        <Name text={from} />
        <span class="faint small">{sanitize(actions.join(", "), 120)}</span>
        {trace === null ? null : <a key="trace" class="small" href={linkTo("traces", trace)}>{TEXTS.traces.follow}</a>}
      </div>
      <p class={state === null ? "hidden" : "faint action-text pad"} dir="auto">{sanitizeLines(state ?? "", 4_000)}</p>
      <p class={text === "" ? "hidden" : "soft action-text pad"} dir="auto">{sanitizeLines(text, 4_000)}</p>
    </div>
  );
});
