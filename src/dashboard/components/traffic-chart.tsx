/** The last five minutes as a chart. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import uPlot from "uplot";
import { actions, CHART_S, events, relayNow } from "../state/relay.ts";
import { store } from "../state/store.ts";
import { formatRate, formatTime } from "../lib/format.ts";

const HEIGHT = 84;

export function TrafficChart() {
  const place = useRef<HTMLDivElement | null>(null);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return;
    const chart = new ChartView(current);
    return () => chart.remove();
  }, []);
  return <div ref={place} class="chart" role="img" aria-label="Events and actions a second, over the last five minutes" />;
}

/** One drawing, made new when the colours change and fed once a second. */
class ChartView {
  readonly #place: HTMLElement;
  #plot: uPlot | undefined;
  #seenAt = 0;
  readonly #size: ResizeObserver;
  readonly #unwatch: () => void;
  readonly #colours = matchMedia("(prefers-color-scheme: dark)");

  constructor(place: HTMLElement) {
    this.#place = place;
    // Why not at once: the place is not on the page yet, and has neither a width nor colours.
    this.#size = new ResizeObserver(() => this.#fit());
    this.#size.observe(place);
    this.#unwatch = store.subscribe(() => this.#feed());
    addEventListener("theme", this.#draw);
    this.#colours.addEventListener("change", this.#draw);
  }

  remove(): void {
    this.#size.disconnect();
    this.#unwatch();
    removeEventListener("theme", this.#draw);
    this.#colours.removeEventListener("change", this.#draw);
    this.#plot?.destroy();
  }

  #fit(): void {
    const { clientWidth: width } = this.#place;
    if (width === 0 || width === this.#plot?.width) return;
    if (this.#plot === undefined) this.#draw();
    else this.#plot.setSize({ width, height: HEIGHT });
  }

  readonly #draw = (): void => {
    this.#plot?.destroy();
    this.#plot = new uPlot(optionsFor(this.#place), dataNow(), this.#place);
  };

  #feed(): void {
    const second = Math.floor(store.state.now / 1_000);
    if (second === this.#seenAt || document.hidden) return;
    this.#seenAt = second;
    this.#plot?.setData(dataNow());
  }
}

function dataNow(): uPlot.AlignedData {
  const now = relayNow();
  const last = Math.floor(now / 1_000) - 1;
  const seconds = Array.from({ length: CHART_S }, (_, at) => last - CHART_S + 1 + at);
  return [seconds, events.series(now, CHART_S), actions.series(now, CHART_S)];
}

function optionsFor(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  // Why a probe: the canvas knows neither variables nor the colours that are two in one.
  const resolved = (name: string): string => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const [soft, line, first, second] = ["--faint", "--line", "--series-events", "--series-actions"].map(resolved);
  const axis = {
    stroke: soft ?? "",
    grid: { stroke: line ?? "", width: 1 },
    ticks: { show: false },
    font: `11px ${colour("--sans")}`,
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.15)] } },
    axes: [
      {
        ...axis,
        size: 18,
        gap: 4,
        space: 90,
        values: (_plot, ticks) => ticks.map((tick) => formatTime(tick * 1_000).slice(0, 5)),
      },
      { ...axis, size: 34, gap: 4, space: 26, values: (_plot, ticks) => ticks.map((tick) => formatRate(tick)) },
    ],
    series: [
      {},
      { stroke: first ?? "", width: 1.5, points: { show: false }, fill: translucent(first ?? "") },
      { stroke: second ?? "", width: 1.5, points: { show: false } },
    ],
  };
}

const translucent = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.10)");
