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
  readonly cpuSeconds: number;
  readonly counts: Counts;
  readonly remark?: string;
  /** What failed, also in tests that passed when they ran again. */
  readonly failures?: readonly Failure[];
}

/** A test of `bun test` that failed. */
export interface Failure {
  /** Path from the root. */
  readonly file: string;
  readonly name: string;
  /** What was printed since the test before it, at most `FAILURE_LINES` lines. */
  readonly text: string;
}

const FAILURE_LINES = 40;

/** The counts in the summary of `bun test`; undefined if there is none. */
export function countBun(output: string): Counts | undefined {
  const passed = lastNumber(output, /^ *(\d+) pass$/gm);
  const failed = lastNumber(output, /^ *(\d+) fail$/gm);
  if (passed === undefined || failed === undefined) return undefined;
  const skipped = (lastNumber(output, /^ *(\d+) skip$/gm) ?? 0) +
    (lastNumber(output, /^ *(\d+) todo$/gm) ?? 0);
  const errors = lastNumber(output, /^ *(\d+) errors?$/gm) ?? 0;
  return { passed, failed: failed + errors, skipped };
}

/** The counts in the summary of `deno test`; undefined if there is none. */
export function countDeno(output: string): Counts | undefined {
  const summary = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*$/gm)]
    .at(-1);
  if (summary === undefined) return undefined;
  const number = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(summary[0])?.[1] ?? 0);
  return {
    passed: number("passed"),
    failed: number("failed"),
    skipped: number("ignored"),
  };
}

/** The tests that failed according to the output of `bun test`. */
export function bunFailures(output: string): readonly Failure[] {
  const failures: Failure[] = [];
  let file = "";
  let text: string[] = [];
  for (const line of output.split("\n")) {
    const [, header] = /^(tests\/\S+\.test\.ts):$/.exec(line) ?? [];
    const [, result, name = ""] = /^\((pass|fail|skip|todo)\) (.*?)(?: \[[\d.]+ms\])?$/.exec(line) ?? [];
    if (result === "fail") {
      failures.push({
        file,
        name,
        text: text.slice(-FAILURE_LINES).join("\n"),
      });
    }
    if (header !== undefined) file = header;
    if (header === undefined && result === undefined) text.push(line);
    else text = [];
  }
  return failures;
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** Each failure with its suite and its text. */
export function failureReport(outcomes: readonly SuiteOutcome[]): string {
  return outcomes
    .flatMap(({ name, runner, failures = [] }) =>
      failures.map(({ file, name: test, text }) => `--- failed: ${name} (${runner}), ${file}\n${text}\n(fail) ${test}\n`)
    )
    .join("\n");
}

/** One line per outcome, with the remarks. */
export function table(outcomes: readonly SuiteOutcome[]): string {
  const rows = outcomes.map(({ name, runner, seconds, cpuSeconds, counts, remark }) => [
    name,
    runner,
    String(counts.passed),
    String(counts.failed),
    String(counts.skipped),
    `${seconds.toFixed(1)} s`,
    `${cpuSeconds.toFixed(1)} s`,
    remark ?? "",
  ]);
  const all = [
    ["suite", "runner", "passed", "failed", "skipped", "time", "CPU", ""],
    ...rows,
  ];
  const widths = all.reduce<number[]>(
    (max, row) => row.map((cell, at) => Math.max(max[at] ?? 0, cell.length)),
    [],
  );
  const isNumber = (column: number): boolean => column >= 2 && column <= 6;
  return all
    .map((row) =>
      row.map((
        cell,
        at,
      ) => (isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
    )
    .map((row) => row.join("  ").trimEnd())
    .join("\n");
}
