/**
 * `bun run test [suite ...]`: runs the suites one after the other and prints a table of the results.
 *
 * The pure suites run three times, under Bun, under Deno and in workerd. A suite that cannot run here is reported with the reason; with
 * `--no-skip`, or `NO_SKIP=1`, that is a failure. What failed is printed again before the table. The last line is `N passed, N failed`.
 */
import { globSync } from "node:fs";
import { argv, env, exit, stdout } from "node:process";
import { assertNever } from "../../src/core/assert.ts";
import { denoPath, find, ROOT } from "./machine.ts";
import { bunFailures, countBun, countDeno, type Counts, failureReport, type SuiteOutcome, table } from "./report.ts";
import { type Suite, suitesOf } from "./suites.ts";

type Runner = "bun" | "deno" | "workerd";

type Print = (text: string) => void;

const toOutput: Print = (text) => void stdout.write(text);
const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };
/** More failures than these are no coincidence, and are not run again. */
const RETRIED_FAILURES = 3;

const COUNT: Readonly<Record<Runner, (output: string) => Counts | undefined>> = {
  bun: countBun,
  deno: countDeno,
  workerd: countBun,
};

// Why all permissions: the architecture tests read the source and start the checks; the others need none.
function commandOf(runner: Runner, { name }: Suite): string[] {
  switch (runner) {
    case "bun":
      return [process.execPath, "test", `./tests/${name}/`];
    case "deno":
      return [
        denoPath(),
        "test",
        "--no-check",
        "--allow-all",
        "--node-modules-dir=manual",
        "--parallel",
        `tests/${name}/`,
      ];
    case "workerd":
      return [process.execPath, "tests/harness/workerd.ts", name];
    default:
      return assertNever(runner);
  }
}

function runnersOf(
  { isPure = false, hasFiles = false }: Suite,
): readonly Runner[] {
  if (!isPure) return ["bun"];
  return hasFiles ? ["bun", "deno"] : ["bun", "deno", "workerd"];
}

/** What a command printed on both streams, and how it ended. */
interface Run {
  readonly output: string;
  readonly code: number;
  /** Of the processes that have ended. */
  readonly cpuSeconds: number;
  readonly isTimedOut: boolean;
}

async function execute(command: string[], minutes: number, print: Print): Promise<Run> {
  const child = Bun.spawn(command, { cwd: ROOT, env: { ...env, NO_COLOR: "1" }, stdout: "pipe", stderr: "pipe" });
  let isTimedOut = false;
  const budget = setTimeout(() => {
    isTimedOut = true;
    child.kill("SIGKILL");
  }, minutes * 60_000);
  const outputs = await Promise.all([relay(child.stdout, print), relay(child.stderr, print)]);
  const code = await child.exited;
  clearTimeout(budget);
  const cpuSeconds = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
  return { output: outputs.join("\n"), code, cpuSeconds, isTimedOut };
}

async function run(suite: Suite, runner: Runner, print: Print): Promise<SuiteOutcome> {
  print(`\n--- ${suite.name} (${runner}) ---\n`);
  const began = performance.now();
  const first = outcomeOf(suite, runner, await execute(commandOf(runner, suite), suite.minutes, print));
  const outcome = await runAgain(suite, first, print);
  return { ...outcome, seconds: (performance.now() - began) / 1_000 };
}

/** Runs a suite under each of its runners, or says why it cannot run here. */
async function runAll(suite: Suite, isStrict: boolean, print: Print): Promise<readonly SuiteOutcome[]> {
  const missing = (suite.needs ?? []).filter((need) => find(need) === undefined);
  if (missing.length > 0) {
    const counts = { passed: 0, failed: isStrict ? 1 : 0, skipped: 1 };
    const remark = `not run: no ${missing.join(", no ")} here`;
    return [{ name: suite.name, runner: "-", seconds: 0, cpuSeconds: 0, counts, remark }];
  }
  const outcomes: SuiteOutcome[] = [];
  for (const runner of runnersOf(suite)) outcomes.push(await run(suite, runner, print));
  return outcomes;
}

/** Runs suites one after the other beside the rest, and prints the output of each in one piece once it has ended. */
async function runBeside(suites: readonly Suite[], isStrict: boolean): Promise<readonly SuiteOutcome[]> {
  const outcomes: SuiteOutcome[] = [];
  for (const suite of suites) {
    const printed: string[] = [];
    outcomes.push(...await runAll(suite, isStrict, (text) => void printed.push(text)));
    toOutput(printed.join(""));
  }
  return outcomes;
}

function outcomeOf(suite: Suite, runner: Runner, { output, code, cpuSeconds, isTimedOut }: Run): SuiteOutcome {
  const counts = COUNT[runner](output) ?? NOTHING;
  const failures = runner === "deno" ? [] : bunFailures(output);
  const row = { name: suite.name, runner, seconds: 0, cpuSeconds, counts, failures };
  const failed = (remark: string): SuiteOutcome => ({ ...row, counts: { ...counts, failed: counts.failed + 1 }, remark });
  if (isTimedOut) return failed(`exceeded its budget of ${suite.minutes} minutes`);
  if (counts === NOTHING) return failed(`exit ${code}, no result`);
  // Why: an error outside any test (a file that does not load) shows in the exit code only.
  return code !== 0 && counts.failed === 0 ? failed(`exit ${code}`) : row;
}

/**
 * The outcome after the files of up to `RETRIED_FAILURES` failures ran once more, if their suite uses real processes and real time, which
 * depend on what else the machine does. The failures stay in the report. A pure suite has no such excuse.
 */
async function runAgain(suite: Suite, outcome: SuiteOutcome, print: Print): Promise<SuiteOutcome> {
  const { counts, failures = [] } = outcome;
  const count = failures.length;
  if (suite.isPure === true || count === 0 || count > RETRIED_FAILURES || count !== counts.failed) return outcome;
  const files = [...new Set(failures.map(({ file }) => `./${file}`))];
  print(`\n--- ${suite.name}, once more: ${files.join(" ")} ---\n`);
  const { code } = await execute([process.execPath, "test", ...files], suite.minutes, print);
  if (code !== 0) return outcome;
  const passed = { ...counts, passed: counts.passed + count, failed: 0 };
  return { ...outcome, counts: passed, remark: `${count} passed only when run again` };
}

/** Prints a stream while it arrives, and returns its whole text. */
async function relay(stream: ReadableStream<Uint8Array>, print: Print): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const part = decoder.decode(chunk, { stream: true });
    print(part);
    text += part;
  }
  return text;
}

/** The suite of a test file: its folder below `tests/`, or below `tests/unit/`. */
function suiteOf(path: string): string {
  const [, folder = "", unit = ""] = path.split(/[/\\]/);
  return folder === "unit" ? `unit/${unit}` : folder;
}

async function main(): Promise<void> {
  const isStrict = argv.includes("--no-skip") || env.NO_SKIP === "1";
  const wanted = argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const files = globSync("tests/*/**/*.test.ts", { cwd: ROOT }).filter((path) => !path.includes("node_modules"));
  const folders = files.map(suiteOf);
  const suites = suitesOf([...new Set(folders)]);
  const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.error(`no such suite: ${unknown.join(", ")}; the suites are ${suites.map(({ name }) => name).join(", ")}`);
    exit(2);
  }
  const chosen = suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const beside = runBeside(chosen.filter(({ waits }) => waits === true), isStrict);
  const outcomes: SuiteOutcome[] = [];
  for (const suite of chosen.filter(({ waits }) => waits !== true)) {
    outcomes.push(...await runAll(suite, isStrict, toOutput));
  }
  outcomes.push(...await beside);
  exit(report(outcomes, isStrict));
}

function report(outcomes: readonly SuiteOutcome[], isStrict: boolean): number {
  let [passed, failed] = [0, 0];
  for (const { counts } of outcomes) {
    passed += counts.passed;
    failed += counts.failed;
    if (isStrict && counts.passed > 0) failed += counts.skipped;
  }
  console.log(
    `\n${failureReport(outcomes)}\n${table(outcomes)}\n\n${passed} passed, ${failed} failed`,
  );
  return failed === 0 && passed > 0 ? 0 : 1;
}

await main();
