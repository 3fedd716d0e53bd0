/**
 * Counters, gauges and histograms, and their text for Prometheus.
 *
 * Why our own: adding to a cell is one addition on the path of every message, where a registry that looks its labels up costs
 * more than the message's JSON; and the usual library takes longer to load than the whole relay to start.
 *
 * Invariant: a family has at most `CELLS_MAX` cells beside those of `other`, where all further label values are counted together.
 */

/** Cells of one family: whatever peers call themselves, a scrape stays small. */
export const CELLS_MAX = 1_000;

type Kind = "counter" | "gauge" | "histogram";

/** One number. A counter only grows. */
export class Cell {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** How often values fell below each bound. */
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
}

/** All cells of one name, told apart by the values of their labels. */
export class Family<Of> {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly labels: readonly string[];
  readonly #cells = new Map<string, Labelled<Of>>();
  readonly #create: () => Of;

  constructor(kind: Kind, spec: Spec, create: () => Of) {
    this.kind = kind;
    this.name = spec.name;
    this.help = spec.help;
    this.labels = spec.labels ?? [];
    this.#create = create;
  }

  /** The cell for these values of the labels, in their order. */
  of(...values: readonly string[]): Of {
    const key = values.join("\n");
    return (this.#cells.get(key) ?? this.#add(key, values)).cell;
  }

  /** Forgets all cells, for what is shown anew each time. */
  clear(): void {
    this.#cells.clear();
  }

  /** Every cell with its labels as they are shown. */
  all(): Iterable<Labelled<Of>> {
    return this.#cells.values();
  }

  #add(key: string, values: readonly string[]): Labelled<Of> {
    if (this.#cells.size >= CELLS_MAX) {
      const rest = values.map(() => "other");
      [key, values] = [rest.join("\n"), rest];
    }
    const labels = this.labels.map((label, at) => `${label}="${escaped(values[at] ?? "")}"`).join(",");
    const added = this.#cells.get(key) ?? { labels, cell: this.#create() };
    this.#cells.set(key, added);
    return added;
  }
}

/** A cell, and its labels as the text format has them. */
export interface Labelled<Of> {
  readonly labels: string;
  readonly cell: Of;
}

export interface Spec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** All families of one relay. */
export class Metrics {
  readonly #families: Family<Cell | Histogram>[] = [];

  counter(spec: Spec): Family<Cell> {
    return this.#add(new Family("counter", spec, () => new Cell()));
  }

  gauge(spec: Spec): Family<Cell> {
    return this.#add(new Family("gauge", spec, () => new Cell()));
  }

  histogram(spec: Spec, bounds: readonly number[]): Family<Histogram> {
    return this.#add(new Family("histogram", spec, () => new Histogram(bounds)));
  }

  /** What there is, whatever its numbers. */
  describe(): readonly Pick<Family<Cell>, "name" | "kind" | "labels" | "help">[] {
    return this.#families;
  }

  /** Everything in the text format 0.0.4. */
  text(): string {
    return this.#families.map(textOf).join("");
  }

  #add<Of extends Cell | Histogram>(family: Family<Of>): Family<Of> {
    this.#families.push(family);
    return family;
  }
}

function textOf(family: Family<Cell | Histogram>): string {
  const { name, help, kind } = family;
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
  for (const { labels, cell } of family.all()) {
    if (cell instanceof Cell) lines.push(`${name}${labels && `{${labels}}`} ${cell.value}`);
    else lines.push(...bucketLines(name, labels, cell));
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

/** A label's value on one line, within its quotes, and not without end. */
const escaped = (value: string): string =>
  value.slice(0, 80).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
