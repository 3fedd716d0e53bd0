/** The transcript: what Neuro was sent, and her actions, newest first. */
import { memo, useState } from "hono/jsx/dom";
import type { TranscriptView } from "../../core/traces/trace.ts";
import type { Page } from "../../core/view.ts";
import { LazyRow } from "../components/lazy-row.tsx";
import { Chip, EmptyState, Name, SearchInput } from "../components/primitives.tsx";
import { formatTime } from "../lib/format.ts";
import { sanitize, sanitizeLines } from "../lib/sanitize.ts";
import { useResource } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.transcript;
const ITEMS_MAX = 200;

export function Transcript() {
  const [search, setSearch] = useState("");
  const query = new URLSearchParams({ limit: String(ITEMS_MAX) });
  if (search.trim() !== "") query.set("search", search.trim());
  const page = useResource<Page<TranscriptView>>(`transcript?${query}`);
  const items = page === null ? [] : page?.items;
  return (
    <div class="scrolls">
      <div class="panel-head">
        <h2 class="panel-title">{TEXT.title}</h2>
        <SearchInput label={TEXT.search} value={search} onText={setSearch} />
      </div>
      <div>
        {items === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : items.length === 0
          ? <EmptyState key="none" title={TEXT.none}>{TEXT.noneMeans}</EmptyState>
          : (
            <ul key="some" class="plain-list">
              {items.map((item, at) => (
                <LazyRow key={item.id} at={at}>
                  <ItemRow item={item} />
                </LazyRow>
              ))}
            </ul>
          )}
      </div>
    </div>
  );
}

const ItemRow = memo(({ item }: { readonly item: TranscriptView }) => {
  const { at, is, from, actions, text, state, success } = item;
  return (
    <div class="entry" data-name="transcript-item">
      <div class="entry-head">
        <span class="num faint small" title={new Date(at).toISOString()}>{formatTime(at)}</span>
        <Chip tone={success === false ? "bad" : is === "action" ? "accent" : "plain"}>
          {TEXT.kinds[success === false ? "failed" : is]}
        </Chip>
        <Name text={from} />
        <span class="faint small">{sanitize(actions.join(", "), 120)}</span>
      </div>
      <p class={state === null ? "hidden" : "faint action-text pad"} dir="auto">{sanitizeLines(state ?? "", 4_000)}</p>
      <p class={text === "" ? "hidden" : "soft action-text pad"} dir="auto">{sanitizeLines(text, 4_000)}</p>
    </div>
  );
});
