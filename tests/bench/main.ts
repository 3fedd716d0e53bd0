/**
 * `bun run bench [--quick] [--reps N] [--json FILE] [--on bun|deno|binary]`: the relay beside the least a relay can do, in turn
 * within one run.
 *
 * Only the ratios mean anything: the machine is not yours and not mine. A ratio is the median of the ratios of each repetition.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { fanIn, latency, roundTrips } from "./scenarios.ts";
import { buildBinary } from "../harness/binary.ts";
import { denoPath } from "../harness/machine.ts";
import { type Ports, Running, type Subject } from "./subject.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    reps: { type: "string", default: "3" },
    json: { type: "string" },
    on: { type: "string", default: "bun" },
  },
});
const root = new URL("../..", import.meta.url).pathname;
const ms = options.quick ? 300 : 1_000;

/** The rate limits of a benchmark's peers lifted. */
const settings = ({ game, upstream }: Ports): readonly string[] =>
  [
    "nakurity-backend.port=" + game,
    `nakurity-client.url=ws://127.0.0.1:${upstream}`,
    "nakurity-client.context_rate=0",
    "intermediary.port=0",
    "web.port=0",
    "brain.port=0",
    "queue.backend=memory",
    "limits.messages_per_second=0",
    "limits.bytes_per_second=0",
    "limits.peers=20000",
    "limits.peers_per_address=20000",
    "limits.actions=20000",
  ].flatMap((set) => ["--set", set]);

/** The relay as anyone starts it, on each way of running it. */
const WAYS: Readonly<Record<string, () => readonly string[]>> = {
  bun: () => [process.execPath, "src/cli/main.ts"],
  deno: () => [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual", "src/cli/main.ts"],
  binary: () => [built()],
};

let binary: string | undefined;

/** Why built anew: a program that lies about may be an old one. */
function built(): string {
  if (binary === undefined) {
    binary = join(mkdtempSync(join(tmpdir(), "neuro-relay-bench-")), "neuro-relay");
    buildBinary(binary);
  }
  return binary;
}

const way = WAYS[options.on];
if (way === undefined) throw new Error(`--on ${options.on}: expected one of ${Object.keys(WAYS).join(", ")}`);
const program = way();
const relay: Subject = { name: "relay", command: (ports) => [...program, ...settings(ports)] };

const minimal: Subject = {
  name: "minimal",
  command: ({ game, upstream }) => [
    process.execPath,
    "tests/bench/minimal-relay.ts",
    String(game),
    `ws://127.0.0.1:${upstream}`,
  ],
};

/** name of the figure -> figures of each subject, one per repetition. */
type Figures = Map<string, Record<string, number[]>>;
const figures: Figures = new Map();

function record(subject: Subject, figure: string, value: number): void {
  const row = figures.get(figure) ?? {};
  (row[subject.name] ??= []).push(value);
  figures.set(figure, row);
}

async function measure(subject: Subject, games: number): Promise<void> {
  const load = new Load();
  const running = await Running.start(subject, load.backendPort, root);
  try {
    if (games === 1) record(subject, "start-up to first connection, ms", running.startMs);
    await load.connect(games, running.gamePort);
    for (const window of [1, 16, 256]) {
      const trips = await roundTrips(load, running, { window, ms });
      record(subject, `round trips/s, ${games} games, window ${window}`, trips.perSecond);
      if (window === 256) record(subject, `CPU us per trip, ${games} games, window ${window}`, trips.cpuMicros);
    }
    const { p50, p99 } = await latency(load, { rate: 2_000, ms });
    record(subject, `p50 us at 2,000/s, ${games} games`, p50);
    record(subject, `p99 us at 2,000/s, ${games} games`, p99);
    record(subject, `contexts/s, ${games} games`, await fanIn(load, { ms }));
    const { misrouted, unexpected } = load.faults;
    if (misrouted + unexpected > 0) throw new Error(`${subject.name}: ${misrouted} misrouted, ${unexpected} unexpected`);
  } finally {
    load.stop();
    await running.stop();
  }
}

async function measureIdle(subject: Subject, games: number): Promise<void> {
  const load = new Load();
  const running = await Running.start(subject, load.backendPort, root);
  try {
    const from = performance.now();
    await load.connect(games, running.gamePort);
    record(subject, `connect and register ${games} games, ms`, performance.now() - from);
    await Bun.sleep(1_000);
    record(subject, `resident MB, ${games} idle games`, running.residentMb());
  } finally {
    load.stop();
    await running.stop();
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

function print(): void {
  console.log("| figure | relay | minimal | ratio |\n| --- | --- | --- | --- |");
  for (const [figure, { relay: ours = [], minimal: floor = [] }] of figures) {
    const ratio = median(ours.map((value, at) => value / (floor[at] ?? NaN)));
    console.log(`| ${figure} | ${round(median(ours))} | ${round(median(floor))} | ${ratio.toFixed(2)} |`);
  }
}

for (let rep = 0; rep < Number(options.reps); rep++) {
  for (const games of options.quick ? [10] : [1, 10, 100]) {
    for (const subject of [minimal, relay]) await measure(subject, games);
  }
  for (const subject of [minimal, relay]) await measureIdle(subject, 1_000);
}
print();
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(Object.fromEntries(figures), null, 2));
