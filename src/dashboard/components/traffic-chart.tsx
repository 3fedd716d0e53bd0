/** The chart of the last five minutes. */
import { useLayoutEffect, useRef } from "hono/jsx/dom";
import uPlot from "uplot";
import { formatRate, formatTime } from "../lib/format.ts";
import { store } from "../state/hooks.ts";
import { CHART_S } from "../state/traffic.ts";
import { TEXTS } from "../texts.ts";

const HEIGHT = 84;

export function TrafficChart() {
  const place = useRef<HTMLDivElement | null>(null);
  useLayoutEffect(() => {
    const { current } = place;
    if (current === null) return;
    const chart = new ChartView(current);
    return () => chart.remove();
  }, []);
  return <div ref={place} class="chart" role="img" aria-label={TEXTS.stats.chart} />;
}

/** One plot. It is made again when the colours change, and gets its data once a second. */
class ChartView {
  readonly #place: HTMLElement;
  #plot: uPlot | undefined;
  #drawnSecond = 0;
  #theme = store.state.theme;
  readonly #resizeObserver: ResizeObserver;
  readonly #unsubscribe: () => void;
  readonly #systemTheme = matchMedia("(prefers-color-scheme: dark)");

  constructor(place: HTMLElement) {
    this.#place = place;
    // Why not at once: the place is not in the document yet, so it has neither a width nor colours.
    this.#resizeObserver = new ResizeObserver(() => this.#resize());
    this.#resizeObserver.observe(place);
    this.#unsubscribe = store.subscribe(() => this.#update());
    this.#systemTheme.addEventListener("change", this.#draw);
  }

  remove(): void {
    this.#resizeObserver.disconnect();
    this.#unsubscribe();
    this.#systemTheme.removeEventListener("change", this.#draw);
    this.#plot?.destroy();
  }

  #resize(): void {
    const { clientWidth: width } = this.#place;
    if (width === 0 || width === this.#plot?.width) return;
    if (this.#plot === undefined) this.#draw();
    else this.#plot.setSize({ width, height: HEIGHT });
  }

  readonly #draw = (): void => {
    this.#plot?.destroy();
    this.#plot = new uPlot(optionsFor(this.#place), latestData(), this.#place);
  };

  #update(): void {
    const { theme, now } = store.state;
    if (theme !== this.#theme) {
      this.#theme = theme;
      return this.#draw();
    }
    const second = Math.floor(now / 1_000);
    if (second === this.#drawnSecond || document.hidden) return;
    this.#drawnSecond = second;
    this.#plot?.setData(latestData());
  }
}

function latestData(): uPlot.AlignedData {
  const now = store.relayNow();
  const { events, actions } = store.traffic;
  const last = Math.floor(now / 1_000) - 1;
  const seconds = Array.from({ length: CHART_S }, (_, index) => last - CHART_S + 1 + index);
  return [seconds, events.series(now, CHART_S), actions.series(now, CHART_S)];
}

function optionsFor(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  // Why a probe element: a canvas resolves neither variables nor `light-dark()`.
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
