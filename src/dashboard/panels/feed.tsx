/** The live feed: everything that watchers see, as it happens. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import { feed } from "../state/relay.ts";
import { useStore } from "../state/store.ts";
import { type FeedFilter, type FeedRow, NO_FILTER } from "../state/event-feed.ts";
import { EVENT_CATEGORIES, type EventCategory } from "../lib/describe-event.ts";
import { formatCount, formatTime } from "../lib/format.ts";
import { sanitize, sanitizeJson } from "../lib/sanitize.ts";
import { Icon } from "../components/icons.tsx";
import { Button } from "../components/primitives.tsx";
import { FeedList } from "./feed-list.ts";

let list: FeedList | undefined;
const changed = (): boolean => dispatchEvent(new Event("feed"));

/** Holds the feed, or lets it go on. */
export function toggleFeed(): void {
  if (feed.isPaused) {
    feed.resume();
    list?.toTop();
  } else feed.pause();
  changed();
}

function changeFilter(change: Partial<FeedFilter>): void {
  feed.setFilter({ ...feed.filter, ...change });
  changed();
}

/** Drawn again when the feed is held, let go or filtered, and now and then while it runs. */
function useFeed(): void {
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    const again = (): void => draw((times) => times + 1);
    addEventListener("feed", again);
    return () => removeEventListener("feed", again);
  }, []);
  useStore((state) => state.now);
}

export function FeedPanel() {
  const place = useRef<HTMLDivElement | null>(null);
  const [chosen, choose] = useState<FeedRow | undefined>(undefined);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return;
    list = new FeedList(current, feed, {
      selected: (row) => choose(row),
      scrolled: (isAtTop) => {
        // Why: what somebody reads must not move away.
        if (!isAtTop && !feed.isPaused) feed.pause();
        changed();
      },
    });
    return () => {
      list?.remove();
      list = undefined;
    };
  }, []);
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    if (!feed.isPaused) toggleFeed();
    list?.step(by);
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
        aria-label="Live events, the newest first; arrow keys choose one"
        data-name="feed-rows"
        onKeyDown={key}
      />
      <FeedEmpty />
      <FeedMissed />
      <div class={chosen === undefined ? "feed-chosen none" : "feed-chosen"}>
        {chosen === undefined ? null : (
          <div key="chosen" class="feed-chosen-body">
            <p class="feed-chosen-head">
              <strong>{sanitize(chosen.event.event, 60)}</strong>
              <span class="faint num">{formatTime(chosen.at, true)}</span>
              <Button
                kind="quiet"
                icon="close"
                label="Close"
                onPress={() => {
                  choose(undefined);
                  list?.choose(undefined);
                }}
              />
            </p>
            <pre>{sanitizeJson(chosen.event)}</pre>
          </div>
        )}
      </div>
    </div>
  );
}

function FeedTools() {
  useFeed();
  const integrations = useStore((state) => state.integrations) ?? [];
  const { categories, integration, text } = feed.filter;
  const names = [...new Set([...integrations.map(({ name }) => name), ...(integration === "" ? [] : [integration])])]
    .sort();
  const flip = (family: EventCategory): void => {
    const next = new Set(categories);
    if (!next.delete(family)) next.add(family);
    changeFilter({ categories: next });
  };
  const isFiltered = categories.size > 0 || integration !== "" || text !== "";
  return (
    <div class="feed-tools">
      <div class="feed-line">
        <label class="find grows">
          <Icon name="search" size={14} />
          <input
            type="search"
            placeholder="Search events"
            aria-label="Search the feed"
            data-name="feed-text"
            value={text}
            onInput={(event: Event) => changeFilter({ text: (event.target as HTMLInputElement).value })}
          />
        </label>
        <select
          class="feed-who-select"
          aria-label="Events of one integration"
          data-name="feed-who"
          value={integration}
          onChange={(event: Event) => changeFilter({ integration: (event.target as HTMLSelectElement).value })}
        >
          <option value="">everybody</option>
          {names.map((name) => <option key={name} value={name}>{sanitize(name, 40)}</option>)}
        </select>
        <Button
          icon={feed.isPaused ? "play" : "pause"}
          name="feed-hold"
          pressed={feed.isPaused}
          label={feed.isPaused ? "Let the feed go on" : "Hold the feed"}
          onPress={toggleFeed}
        >
          {feed.isPaused ? "Go on" : "Hold"}
        </Button>
      </div>
      <div class="families" role="group" aria-label="Kinds of events">
        {EVENT_CATEGORIES.map(([family, label]) => (
          <button
            key={family}
            type="button"
            class="family"
            aria-pressed={categories.has(family) ? "true" : "false"}
            data-name={`family-${family}`}
            onClick={() => flip(family)}
          >
            {label}
          </button>
        ))}
        <button
          key="all"
          type="button"
          class={isFiltered ? "family clear" : "family clear none"}
          onClick={() => changeFilter(NO_FILTER)}
        >
          Show all
        </button>
      </div>
    </div>
  );
}

function FeedEmpty() {
  useFeed();
  if (feed.rows.length > 0) return <p class="none" />;
  return (
    <p class="feed-empty faint">
      {feed.total === 0
        ? "Nothing has happened yet. Every event of the relay is here as it happens."
        : "No event fits the filter."}
    </p>
  );
}

function FeedMissed() {
  useFeed();
  return (
    <p class={feed.isPaused ? "feed-missed" : "feed-missed none"} role="status">
      <span>Held{feed.missed === 0 ? "" : ` · ${formatCount(feed.missed)} new`}</span>
      <Button kind="main" name="feed-go-on" onPress={toggleFeed}>Go on</Button>
    </p>
  );
}
