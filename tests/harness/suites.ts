/**
 * The suites of the test run, in the order in which they run. A suite is a folder of `tests/` or of `tests/unit/`.
 *
 * A folder with tests that is not listed here runs after the others, with the default budget.
 */

/** A program that not every machine has. */
export type Need =
  | "redis-server"
  | "chromium"
  | "nginx"
  | "caddy"
  | "promtool"
  | "systemd-analyze"
  | "openssl"
  | "python3"
  | "dotnet";

export interface Suite {
  /** Its folder below `tests/`. */
  readonly name: string;
  /** The suite fails after this time; enough for a slow, busy machine. */
  readonly minutes: number;
  /** Uses no API of a runtime, so it also runs under `deno test` and in workerd. */
  readonly isPure?: boolean;
  /** Reads files, which workerd cannot. */
  readonly hasFiles?: boolean;
  /** Waits nearly all the time, so it runs beside the others. */
  readonly waits?: boolean;
  /** The whole suite is skipped without these. A test that alone needs a program checks for it itself. */
  readonly needs?: readonly Need[];
}

const DEFAULT_MINUTES = 3;

const LISTED: readonly Suite[] = [
  { name: "hibernation", minutes: 8, waits: true },
  { name: "cluster", minutes: 8, waits: true, needs: ["redis-server"] },
  { name: "unit/core", minutes: 2, isPure: true },
  { name: "unit/queue", minutes: 2, isPure: true },
  { name: "unit/services", minutes: 4, isPure: true },
  { name: "unit/inference", minutes: 2, isPure: true },
  { name: "unit/neuro-api", minutes: 2, isPure: true },
  { name: "unit/relay", minutes: 2, isPure: true },
  { name: "unit/engine", minutes: 2, isPure: true },
  { name: "unit/recording", minutes: 2, isPure: true },
  { name: "unit/storage", minutes: 4 },
  { name: "unit/cluster", minutes: 2 },
  { name: "unit/config", minutes: 2 },
  { name: "unit/jobs", minutes: 2 },
  { name: "unit/observability", minutes: 2 },
  { name: "unit/dashboard", minutes: 2, isPure: true, hasFiles: true },
  { name: "unit/http", minutes: 3 },
  { name: "unit/clients", minutes: 3 },
  { name: "unit/cli", minutes: 4 },
  { name: "unit/runtimes", minutes: 6 },
  { name: "durability", minutes: 4 },
  { name: "torture", minutes: 4 },
  { name: "conformance", minutes: 8 },
  { name: "dashboard", minutes: 6, needs: ["chromium"] },
  { name: "simulation", minutes: 5, isPure: true },
  { name: "fuzz", minutes: 4 },
  { name: "floods", minutes: 5 },
  { name: "architecture", minutes: 3, isPure: true, hasFiles: true },
  { name: "examples", minutes: 4 },
  { name: "package", minutes: 4 },
  { name: "deploy", minutes: 2, needs: ["nginx", "caddy", "promtool", "systemd-analyze"] },
];

/** All suites, given the folders of `tests/` that contain tests. */
export function suitesOf(folders: readonly string[]): readonly Suite[] {
  const listed = LISTED.filter(({ name }) => folders.includes(name));
  const names = new Set(listed.map(({ name }) => name));
  const others = folders.filter((name) => !names.has(name)).sort().map((name) => ({ name, minutes: DEFAULT_MINUTES }));
  return [...listed, ...others];
}
