/**
 * The rows of the feed: only those in sight exist, the newest on top, drawn at most once a frame.
 *
 * Why not as everything else is drawn: several hundred rows a second would have to be compared with those before.
 */
import type { EventFeed, FeedRow } from "../state/event-feed.ts";
import { formatTime } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";

/** Rows above and below those in sight. */
const MORE = 6;

interface RowElements {
  readonly element: HTMLDivElement;
  readonly time: HTMLSpanElement;
  readonly what: HTMLSpanElement;
  readonly who: HTMLElement;
  readonly text: HTMLElement;
  seq: number;
}

export interface FeedListListener {
  /** Another row was chosen. */
  selected(row: FeedRow): void;
  /** The view was left its top, or is at it again. */
  scrolled(isAtTop: boolean): void;
}

export class FeedList {
  readonly #place: HTMLElement;
  readonly #feed: EventFeed;
  readonly #watcher: FeedListListener;
  readonly #lines: RowElements[] = [];
  readonly #space = document.createElement("div");
  readonly #resize: ResizeObserver;
  #rowHeight = 28;
  #frame = 0;
  #version = -1;
  #chosen: number | undefined;
  #isAtTop = true;
  #isStale = true;

  constructor(place: HTMLElement, feed: EventFeed, watcher: FeedListListener) {
    this.#place = place;
    this.#feed = feed;
    this.#watcher = watcher;
    this.#space.className = "feed-space";
    place.append(this.#space);
    place.addEventListener("scroll", this.#scroll, { passive: true });
    this.#space.addEventListener("click", this.#click);
    this.#resize = new ResizeObserver(() => {
      this.#rowHeight = Number.parseFloat(getComputedStyle(place).getPropertyValue("--feed-row")) || 28;
      this.#isStale = true;
    });
    this.#resize.observe(place);
    this.#frame = requestAnimationFrame(this.#draw);
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    this.#resize.disconnect();
    this.#place.removeEventListener("scroll", this.#scroll);
    this.#space.remove();
  }

  toTop(): void {
    this.#place.scrollTop = 0;
    this.#isStale = true;
  }

  /** The row after or before the chosen one. */
  step(by: number): void {
    const { rows } = this.#feed;
    const at = rows.findIndex(({ seq }) => seq === this.#chosen);
    const next = at < 0 ? rows.length - 1 : Math.min(rows.length - 1, Math.max(0, at - by));
    const row = rows[next];
    if (row === undefined) return;
    const top = (rows.length - 1 - next) * this.#rowHeight;
    const { scrollTop, clientHeight } = this.#place;
    if (top < scrollTop) this.#place.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight) this.#place.scrollTop = top + this.#rowHeight - clientHeight;
    this.choose(row);
  }

  choose(row: FeedRow | undefined): void {
    this.#chosen = row?.seq;
    this.#isStale = true;
    if (row !== undefined) this.#watcher.selected(row);
  }

  readonly #scroll = (): void => {
    this.#isStale = true;
    const isAtTop = this.#place.scrollTop < this.#rowHeight / 2;
    if (isAtTop === this.#isAtTop) return;
    this.#isAtTop = isAtTop;
    this.#watcher.scrolled(isAtTop);
  };

  readonly #click = ({ target }: Event): void => {
    const element = target instanceof Element ? target.closest<HTMLElement>(".feed-row") : null;
    const seq = Number(element?.dataset["seq"]);
    const row = this.#feed.rows.find((one) => one.seq === seq);
    if (row !== undefined) this.choose(row);
  };

  readonly #draw = (): void => {
    this.#frame = requestAnimationFrame(this.#draw);
    if (this.#feed.version === this.#version && !this.#isStale) return;
    this.#version = this.#feed.version;
    this.#isStale = false;
    const { rows } = this.#feed;
    const height = this.#rowHeight;
    this.#space.style.height = `${rows.length * height}px`;
    const first = Math.max(0, Math.floor(this.#place.scrollTop / height) - MORE);
    const last = Math.min(rows.length, Math.ceil((this.#place.scrollTop + this.#place.clientHeight) / height) + MORE);
    for (let at = first; at < last; at++) {
      const row = rows[rows.length - 1 - at];
      if (row !== undefined) this.#fill(this.#line(at - first), row, at * height);
    }
    for (let at = Math.max(0, last - first); at < this.#lines.length; at++) this.#lines[at]?.element.remove();
    this.#lines.length = Math.max(0, last - first);
  };

  #line(at: number): RowElements {
    const found = this.#lines[at];
    if (found !== undefined) return found;
    const part = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name: string): HTMLElementTagNameMap[Tag] => {
      const element = document.createElement(tag);
      element.className = name;
      return element;
    };
    const line: RowElements = {
      element: part("div", "feed-row"),
      time: part("span", "feed-time num"),
      what: part("span", "feed-what"),
      who: part("bdi", "feed-who"),
      text: part("bdi", "feed-text"),
      seq: -1,
    };
    line.element.append(line.time, line.what, line.who, line.text);
    this.#space.append(line.element);
    this.#lines[at] = line;
    return line;
  }

  #fill(line: RowElements, row: FeedRow, top: number): void {
    const { element, time, what, who, text } = line;
    element.style.transform = `translateY(${top}px)`;
    element.classList.toggle("is-chosen", row.seq === this.#chosen);
    if (line.seq === row.seq) return;
    line.seq = row.seq;
    const { tone, label: word, names, text: said } = row.summary;
    element.dataset["seq"] = String(row.seq);
    element.dataset["event"] = row.event.event;
    time.textContent = formatTime(row.at);
    what.textContent = word;
    what.className = `feed-what ${tone}`;
    who.textContent = sanitize(names.join(", "), 80);
    text.textContent = said;
  }
}
