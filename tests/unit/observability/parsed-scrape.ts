/** A scrape, read by an independent parser. */
import parsePrometheus from "parse-prometheus-text-format";
import { check } from "../../harness/check.ts";

export type Labels = Readonly<Record<string, string>>;

export class ParsedScrape {
  readonly text: string;
  readonly #families: ReturnType<typeof parsePrometheus>;

  constructor(text: string) {
    this.text = text;
    this.#families = parsePrometheus(text);
  }

  static async of(web: string, token: string): Promise<ParsedScrape> {
    const response = await fetch(`${web}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    check.equal([response.status, response.headers.get("content-type")], [
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    return new ParsedScrape(await response.text());
  }

  get families(): ReturnType<typeof parsePrometheus> {
    return this.#families;
  }

  /** The sum of all samples of a metric with these labels; undefined without one. For a histogram, its count. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.whole(`neuro_relay_${name}`, labels);
  }

  /** The same for a metric whose name does not begin with that of the relay. */
  whole(name: string, labels: Labels = {}): number | undefined {
    const family = this.#families.find((one) => one.name === name);
    const fitting = (family?.metrics ?? []).filter(({ labels: has = {} }) =>
      Object.entries(labels).every(([label, value]) => has[label] === value)
    );
    if (fitting.length === 0) return undefined;
    return fitting.reduce((sum, { value, count }) => sum + Number(value ?? count), 0);
  }
}
