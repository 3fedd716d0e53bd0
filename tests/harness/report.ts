/** Reads the summaries that the runners print, and formats the table of all suites. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The result of one suite under one runner. */
export interface SuiteOutcome {
  readonly name: string;
  readonly runner: string;
  readonly seconds: number;
  readonly counts: Counts;
  readonly remark?: string;
}

/** The counts in the summary of `bun test`; undefined if there is none. */
export function countBun(output: string): Counts | undefined {
  const passed = lastNumber(output, /^ *(\d+) pass$/gm);
  const failed = lastNumber(output, /^ *(\d+) fail$/gm);
  if (passed === undefined || failed === undefined) return undefined;
  const skipped = (lastNumber(output, /^ *(\d+) skip$/gm) ?? 0) + (lastNumber(output, /^ *(\d+) todo$/gm) ?? 0);
  const errors = lastNumber(output, /^ *(\d+) errors?$/gm) ?? 0;
  return { passed, failed: failed + errors, skipped };
}

/** The counts in the summary of `deno test`; undefined if there is none. */
export function countDeno(output: string): Counts | undefined {
  const summary = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*$/gm)].at(-1);
  if (summary === undefined) return undefined;
  const number = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(summary[0])?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("ignored") };
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** One line per outcome, with the remarks. */
export function table(outcomes: readonly SuiteOutcome[]): string {
  const rows = outcomes.map(({ name, runner, seconds, counts, remark }) => [
    name,
    runner,
    String(counts.passed),
    String(counts.failed),
    String(counts.skipped),
    `${seconds.toFixed(1)} s`,
    remark ?? "",
  ]);
  const all = [["suite", "runner", "passed", "failed", "skipped", "time", ""], ...rows];
  const widths = all.reduce<number[]>((max, row) => row.map((cell, at) => Math.max(max[at] ?? 0, cell.length)), []);
  const isNumber = (column: number): boolean => column >= 2 && column <= 5;
  return all
    .map((row) => row.map((cell, at) => (isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))))
    .map((row) => row.join("  ").trimEnd())
    .join("\n");
}
