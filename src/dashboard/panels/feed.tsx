/** The live feed: everything that watchers see, as it happens. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import { feed } from "../data/relay.ts";
import { useStore } from "../data/store.ts";
import { EVERYTHING, type Filter, type Row } from "../model/feed.ts";
import { FAMILIES, type Family } from "../model/describe.ts";
import { clockTime, count } from "../model/figures.ts";
import { shown, shownJson } from "../model/shown.ts";
import { Icon } from "../parts/icons.tsx";
import { Button } from "../parts/pieces.tsx";
import { FeedList } from "./feed-list.ts";

let list: FeedList | undefined;
const changed = (): boolean => dispatchEvent(new Event("feed"));

/** Holds the feed, or lets it go on. */
export function flipFeed(): void {
  if (feed.isHeld) {
    feed.release();
    list?.toTop();
  } else feed.hold();
  changed();
}

function sift(change: Partial<Filter>): void {
  feed.sift({ ...feed.filter, ...change });
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
  const [chosen, choose] = useState<Row | undefined>(undefined);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return;
    list = new FeedList(current, feed, {
      chose: (row) => choose(row),
      scrolled: (isAtTop) => {
        // Why: what somebody reads must not move away.
        if (!isAtTop && !feed.isHeld) feed.hold();
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
    if (!feed.isHeld) flipFeed();
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
              <strong>{shown(chosen.event.event, 60)}</strong>
              <span class="faint num">{clockTime(chosen.at, true)}</span>
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
            <pre>{shownJson(chosen.event)}</pre>
          </div>
        )}
      </div>
    </div>
  );
}

function FeedTools() {
  useFeed();
  const integrations = useStore((state) => state.integrations) ?? [];
  const { families, who, text } = feed.filter;
  const names = [...new Set([...integrations.map(({ name }) => name), ...(who === "" ? [] : [who])])].sort();
  const flip = (family: Family): void => {
    const next = new Set(families);
    if (!next.delete(family)) next.add(family);
    sift({ families: next });
  };
  const isFiltered = families.size > 0 || who !== "" || text !== "";
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
            onInput={(event: Event) => sift({ text: (event.target as HTMLInputElement).value })}
          />
        </label>
        <select
          class="feed-who-select"
          aria-label="Events of one integration"
          data-name="feed-who"
          value={who}
          onChange={(event: Event) => sift({ who: (event.target as HTMLSelectElement).value })}
        >
          <option value="">everybody</option>
          {names.map((name) => <option key={name} value={name}>{shown(name, 40)}</option>)}
        </select>
        <Button
          icon={feed.isHeld ? "play" : "pause"}
          name="feed-hold"
          pressed={feed.isHeld}
          label={feed.isHeld ? "Let the feed go on" : "Hold the feed"}
          onPress={flipFeed}
        >
          {feed.isHeld ? "Go on" : "Hold"}
        </Button>
      </div>
      <div class="families" role="group" aria-label="Kinds of events">
        {FAMILIES.map(([family, label]) => (
          <button
            key={family}
            type="button"
            class="family"
            aria-pressed={families.has(family) ? "true" : "false"}
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
          onClick={() => sift(EVERYTHING)}
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
    <p class={feed.isHeld ? "feed-missed" : "feed-missed none"} role="status">
      <span>Held{feed.missed === 0 ? "" : ` · ${count(feed.missed)} new`}</span>
      <Button kind="main" name="feed-go-on" onPress={flipFeed}>Go on</Button>
    </p>
  );
}
