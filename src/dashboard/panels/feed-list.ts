/**
 * The rows of the feed, newest first. Only the visible rows exist as elements, and they are drawn at most once per frame.
 *
 * Why not as a component: several hundred rows a second would have to be compared with those before.
 */
import { formatTime } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { EventFeed, FeedRow } from "../state/event-feed.ts";

/** Rows that are drawn above and below the visible ones. */
const OVERSCAN = 6;
const DEFAULT_ROW_HEIGHT = 28;

interface RowElements {
  readonly root: HTMLDivElement;
  readonly time: HTMLSpanElement;
  readonly label: HTMLSpanElement;
  readonly names: HTMLElement;
  readonly text: HTMLElement;
  /** `seq` of the row that they show. */
  seq: number;
}

export class FeedList {
  readonly #place: HTMLElement;
  readonly #feed: EventFeed;
  readonly #onSelect: (row: FeedRow | undefined) => void;
  /** The rows that are drawn, by `seq`. Why: when rows are added, those that stay in sight keep their elements and only move. */
  readonly #drawn = new Map<number, RowElements>();
  /** As high as all rows together, so that the scroll bar is right. */
  readonly #space = document.createElement("div");
  readonly #resizeObserver: ResizeObserver;
  readonly #unsubscribe: () => void;
  readonly #unsubscribeRows: () => void;
  #rowHeight = DEFAULT_ROW_HEIGHT;
  /** Why kept: reading them from the element would make the browser lay out the page in each frame. */
  #height = 0;
  #scrollTop = 0;
  #frame = 0;
  #drawnVersion = -1;
  #selectedSeq: number | undefined;
  #isStale = true;

  constructor(place: HTMLElement, feed: EventFeed, onSelect: (row: FeedRow | undefined) => void) {
    this.#place = place;
    this.#feed = feed;
    this.#onSelect = onSelect;
    this.#space.className = "feed-space";
    place.append(this.#space);
    place.addEventListener("scroll", this.#onScroll, { passive: true });
    this.#space.addEventListener("click", this.#onClick);
    this.#resizeObserver = new ResizeObserver(() => {
      const height = getComputedStyle(place).getPropertyValue("--feed-row");
      this.#rowHeight = Number.parseFloat(height) || DEFAULT_ROW_HEIGHT;
      this.#height = place.clientHeight;
      this.#redraw();
    });
    this.#resizeObserver.observe(place);
    let wasPaused = feed.view.is === "paused";
    this.#unsubscribe = feed.subscribe(() => {
      const isPaused = feed.view.is === "paused";
      if (wasPaused && !isPaused) this.#scrollToTop();
      wasPaused = isPaused;
    });
    this.#unsubscribeRows = feed.subscribeRows(() => this.#schedule());
    this.#redraw();
  }

  /** Why only when something changed: a page that draws nothing costs nothing. */
  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#draw);
  }

  #redraw(): void {
    this.#isStale = true;
    this.#schedule();
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    this.#resizeObserver.disconnect();
    this.#unsubscribe();
    this.#unsubscribeRows();
    this.#place.removeEventListener("scroll", this.#onScroll);
    this.#space.remove();
  }

  /** Selects the row that is `step` rows below the selected one, and scrolls to it. */
  selectNext(step: number): void {
    const { rows } = this.#feed;
    const current = rows.findIndex(({ seq }) => seq === this.#selectedSeq);
    const next = current < 0 ? rows.length - 1 : Math.min(rows.length - 1, Math.max(0, current - step));
    const row = rows[next];
    if (row === undefined) return;
    const top = (rows.length - 1 - next) * this.#rowHeight;
    const { scrollTop, clientHeight } = this.#place;
    if (top < scrollTop) this.#place.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight) this.#place.scrollTop = top + this.#rowHeight - clientHeight;
    this.select(row);
  }

  select(row: FeedRow | undefined): void {
    this.#selectedSeq = row?.seq;
    this.#redraw();
    this.#onSelect(row);
  }

  #scrollToTop(): void {
    this.#place.scrollTop = 0;
    this.#scrollTop = 0;
    this.#redraw();
  }

  readonly #onScroll = (): void => {
    this.#scrollTop = this.#place.scrollTop;
    this.#redraw();
    const isAtTop = this.#scrollTop < this.#rowHeight / 2;
    // Why: the visible rows must not move while a person reads them.
    if (!isAtTop && this.#feed.view.is === "running") this.#feed.pause();
  };

  readonly #onClick = ({ target }: Event): void => {
    const element = target instanceof Element ? target.closest<HTMLElement>(".feed-row") : null;
    const seq = Number(element?.dataset["seq"]);
    const row = this.#feed.rows.find((one) => one.seq === seq);
    if (row !== undefined) this.select(row);
  };

  readonly #draw = (): void => {
    this.#frame = 0;
    const { rows, version } = this.#feed;
    if (version === this.#drawnVersion && !this.#isStale) return;
    this.#drawnVersion = version;
    this.#isStale = false;
    const height = this.#rowHeight;
    const [scrollTop, clientHeight] = [this.#scrollTop, this.#height];
    this.#space.style.height = `${rows.length * height}px`;
    const first = Math.max(0, Math.floor(scrollTop / height) - OVERSCAN);
    const last = Math.min(rows.length, Math.ceil((scrollTop + clientHeight) / height) + OVERSCAN);
    const wanted = rows.slice(rows.length - last, rows.length - first).reverse();
    const spare = this.#spare(new Set(wanted.map(({ seq }) => seq)));
    let next = this.#space.firstChild;
    for (const [at, row] of wanted.entries()) {
      const elements = this.#drawn.get(row.seq) ?? spare.pop() ?? this.#newElements();
      if (elements.root === next) next = next.nextSibling;
      else this.#space.insertBefore(elements.root, next);
      this.#fill(elements, row, (first + at) * height);
    }
    for (const { root } of spare) root.remove();
  };

  /** The elements of rows that are not in sight any more, the topmost last. */
  #spare(wanted: ReadonlySet<number>): RowElements[] {
    const spare = [...this.#drawn.values()].filter(({ seq }) => !wanted.has(seq));
    for (const { seq } of spare) this.#drawn.delete(seq);
    return spare;
  }

  #newElements(): RowElements {
    const elements: RowElements = {
      root: element("div", "feed-row"),
      time: element("span", "feed-time num"),
      label: element("span", "feed-label"),
      names: element("bdi", "feed-names"),
      text: element("bdi", "feed-text"),
      seq: -1,
    };
    elements.root.append(elements.time, elements.label, elements.names, elements.text);
    return elements;
  }

  #fill(elements: RowElements, row: FeedRow, top: number): void {
    const { root, time, label, names, text } = elements;
    root.style.transform = `translateY(${top}px)`;
    root.classList.toggle("is-selected", row.seq === this.#selectedSeq);
    if (elements.seq === row.seq) return;
    elements.seq = row.seq;
    this.#drawn.set(row.seq, elements);
    const { summary } = row;
    root.dataset["seq"] = String(row.seq);
    root.dataset["event"] = row.event.event;
    time.textContent = formatTime(row.at);
    label.textContent = summary.label;
    label.className = `feed-label ${summary.tone}`;
    names.textContent = sanitize(summary.names.join(", "), 80);
    text.textContent = summary.text;
  }
}

function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className: string): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.className = className;
  return created;
}
