/**
 * Counters, gauges and histograms, and their text formats: that of Prometheus, and OpenMetrics.
 *
 * Why not a library: see "Why no metrics library" in this folder's README.
 *
 * Invariant: a family has at most `SERIES_MAX` series and one more, `other`, that counts all further label values together. So a
 * scrape stays small whatever peers call themselves.
 */

import { type MetricFormat, OPENMETRICS_END } from "./metric-format.ts";

export const SERIES_MAX = 1_000;

/** Characters of a label value. */
const LABEL_CHARS_MAX = 80;

type MetricKind = "counter" | "gauge" | "histogram";

/** A number that only grows. */
export class Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

/** A number that also falls. */
export class Gauge extends Counter {
  set(value: number): void {
    this.value = value;
  }
}

/** For each bound: the number of values that did not exceed it. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? Infinity)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Adds the values of another one, which has the same bounds. */
  add({ counts, sum }: Histogram): void {
    counts.forEach((count, at) => (this.counts[at] = (this.counts[at] ?? 0) + count));
    this.sum += sum;
  }
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** One series of a family: its labels in the text format, and its number. */
export interface Series<Of> {
  readonly labels: string;
  readonly metric: Of;
}

/** All series of one name, distinguished by the values of their labels. */
export class MetricFamily<Of> {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  readonly #series = new Map<string, Series<Of>>();
  readonly #create: () => Of;
  /** The series that was used last. Why: a peer that sends the same again and again uses the same series. */
  #last: { readonly values: readonly string[]; readonly metric: Of } | undefined;

  constructor(kind: MetricKind, { name, help, labels = [] }: MetricOptions, create: () => Of) {
    this.kind = kind;
    this.name = name;
    this.help = help;
    this.labelNames = labels;
    this.#create = create;
  }

  /** The metric with these label values, in the order of `labelNames`. Callers on a hot path keep it. */
  labels(...values: readonly string[]): Of {
    const last = this.#last;
    if (last !== undefined && areEqual(last.values, values)) return last.metric;
    const key = values.join("\n");
    const { metric } = this.#series.get(key) ?? this.#add(key, values);
    this.#last = { values, metric };
    return metric;
  }

  /** Removes all series, for families that are filled by each scrape. */
  clear(): void {
    this.#series.clear();
    this.#last = undefined;
  }

  all(): Iterable<Series<Of>> {
    return this.#series.values();
  }

  #add(key: string, values: readonly string[]): Series<Of> {
    if (this.#series.size >= SERIES_MAX) {
      const others = values.map(() => "other");
      [key, values] = [others.join("\n"), others];
    }
    const labels = this.labelNames.map((label, at) => `${label}="${escaped(values[at] ?? "")}"`).join(",");
    const added = this.#series.get(key) ?? { labels, metric: this.#create() };
    this.#series.set(key, added);
    return added;
  }
}

function areEqual(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}

export class MetricRegistry {
  readonly #families: MetricFamily<Counter | Histogram>[] = [];

  counter(options: MetricOptions): MetricFamily<Counter> {
    return this.#add(new MetricFamily("counter", options, () => new Counter()));
  }

  gauge(options: MetricOptions): MetricFamily<Gauge> {
    return this.#add(new MetricFamily("gauge", options, () => new Gauge()));
  }

  histogram(options: MetricOptions, bounds: readonly number[]): MetricFamily<Histogram> {
    return this.#add(new MetricFamily("histogram", options, () => new Histogram(bounds)));
  }

  /** Every family, without its numbers. */
  describe(): readonly Pick<MetricFamily<Counter>, "name" | "kind" | "labelNames" | "help">[] {
    return this.#families;
  }

  /** Everything in a text format. */
  text(format: MetricFormat = "prometheus"): string {
    const text = this.#families.map((family) => textOf(family, format)).join("");
    return format === "openmetrics" ? text + OPENMETRICS_END : text;
  }

  #add<Of extends Counter | Histogram>(family: MetricFamily<Of>): MetricFamily<Of> {
    this.#families.push(family);
    return family;
  }
}

function textOf(family: MetricFamily<Counter | Histogram>, format: MetricFormat): string {
  const { name, help, kind } = family;
  // Why: a counter of OpenMetrics is named without the end that its samples have.
  const described = format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name;
  const lines = [`# HELP ${described} ${help}`, `# TYPE ${described} ${kind}`];
  for (const { labels, metric } of family.all()) {
    if (metric instanceof Histogram) lines.push(...bucketLines(name, labels, metric));
    else lines.push(`${name}${labels && `{${labels}}`} ${metric.value}`);
  }
  return `${lines.join("\n")}\n`;
}

function bucketLines(name: string, labels: string, { bounds, counts, sum }: Histogram): string[] {
  const before = labels && `${labels},`;
  const lines: string[] = [];
  let below = 0;
  counts.forEach((count, at) => {
    below += count;
    lines.push(`${name}_bucket{${before}le="${bounds[at] ?? "+Inf"}"} ${below}`);
  });
  const braced = labels && `{${labels}}`;
  return [...lines, `${name}_sum${braced} ${sum}`, `${name}_count${braced} ${below}`];
}

/** A label value on one line, safe within quotes, cut to `LABEL_CHARS_MAX`. */
const escaped = (value: string): string =>
  value.slice(0, LABEL_CHARS_MAX).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
