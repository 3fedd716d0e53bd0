/**
 * `bun run bench [--quick] [--games 1,10,100] [--reps N] [--json FILE] [--on bun|deno|binary]`: compares the relay with two minimal relays, alternating in
 * one run: one on the runtime's WebSocket client, one on a raw socket. `--only trips,latency,contexts,idle` and `--windows 256,16,1` measure a
 * part of it; `--before DIR` also measures the relay of another checkout, such as one without a change. `bun run bench storage` (or `machine`, `peers`, `registrations`, `brain`, `nallely`, `watching`, `retained`, `links`, `idle-relays`, `rest`, `gateway`, `page`, `duties`, `latency`) runs the benchmark in that file.
 *
 * Only ratios can be compared between machines. A ratio is the median of the ratios of all repetitions. CPU time comes first, because
 * other load on the machine changes it least.
 */
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { median, round, WARM_UP_MS, warmUp, yardstick } from "./measuring.ts";
import { fanIn, latency, roundTrips } from "./scenarios.ts";
import { relayOn } from "./relay-command.ts";
import { RunningRelay, type Subject } from "./subject.ts";

const OTHERS = [
  "storage",
  "machine",
  "peers",
  "registrations",
  "brain",
  "nallely",
  "watching",
  "retained",
  "links",
  "idle-relays",
  "rest",
  "gateway",
  "page",
  "duties",
  "latency",
];
const [wanted = ""] = process.argv.slice(2);
if (OTHERS.includes(wanted)) {
  process.argv.splice(2, 1);
  await import(`./${wanted}.ts`);
  process.exit(0);
}

const { values: options } = parseArgs({
  options: {
    games: { type: "string", default: "1,10,100" },
    quick: { type: "boolean", default: false },
    reps: { type: "string", default: "3" },
    json: { type: "string" },
    on: { type: "string", default: "bun" },
    only: { type: "string", default: "trips,latency,contexts,idle" },
    windows: { type: "string", default: "256,16,1" },
    before: { type: "string" },
  },
});
const root = join(import.meta.dirname, "../..");
const ms = options.quick ? 300 : 1_000;

const relay = relayOn(options.on);

const yardsticks = [yardstick("minimal", "minimal-relay.ts"), yardstick("raw", "raw-relay.ts")];
const before = options.before === undefined ? [] : [{ ...relay, name: "before", checkout: options.before }];
const others: readonly Subject[] = [...yardsticks, ...before];
const subjects: readonly Subject[] = [...others, relay];
const scenarios = options.only.split(",");

/** Name of the figure -> values of each subject, one per repetition. */
type Figures = Map<string, Record<string, number[]>>;
const figures: Figures = new Map();
const GAMES = options.quick ? [10] : options.games.split(",").map(Number);
const WINDOWS = options.windows.split(",").map(Number);
const contextFigure = (games: number): string => `CPU us per context, ${games} games`;
for (const window of WINDOWS) for (const games of GAMES) figures.set(cpuFigure(games, window), {});
for (const games of GAMES) figures.set(contextFigure(games), {});

function cpuFigure(games: number, window: number): string {
  return `CPU us per trip, ${games} games, window ${window}`;
}

function record(subject: Subject, figure: string, value: number): void {
  const row = figures.get(figure) ?? {};
  (row[subject.name] ??= []).push(value);
  figures.set(figure, row);
}

async function measure(subject: Subject, games: number): Promise<void> {
  const load = new Load();
  const running = await RunningRelay.start(subject, load.backendPort, subject.checkout ?? root);
  try {
    await load.connect(games, running.gamePort);
    await warmUp(() => roundTrips(load, running, { window: 256, ms: WARM_UP_MS }));
    if (scenarios.includes("trips")) await measureTrips(subject, load, running);
    if (scenarios.includes("latency")) {
      const { p50, p99 } = await latency(load, { rate: 2_000, ms });
      record(subject, `p50 us at 2,000/s, ${games} games`, p50);
      record(subject, `p99 us at 2,000/s, ${games} games`, p99);
    }
    if (scenarios.includes("contexts")) {
      await warmUp(() => fanIn(load, running, { ms: WARM_UP_MS }));
      const contexts = await fanIn(load, running, { ms });
      record(subject, contextFigure(games), contexts.cpuMicros);
      record(subject, `contexts/s, ${games} games`, contexts.perSecond);
    }
    const { misrouted, unexpected } = load.errors;
    if (misrouted + unexpected > 0) throw new Error(`${subject.name}: ${misrouted} misrouted, ${unexpected} unexpected`);
  } finally {
    load.stop();
    await running.stop();
  }
}

async function measureTrips(subject: Subject, load: Load, running: RunningRelay): Promise<void> {
  const games = load.games.length;
  for (const window of WINDOWS) {
    const trips = await roundTrips(load, running, { window, ms });
    record(subject, cpuFigure(games, window), trips.cpuMicros);
    record(subject, `round trips/s, ${games} games, window ${window}`, trips.perSecond);
  }
}

async function measureIdle(subject: Subject, games: number): Promise<void> {
  const load = new Load();
  const running = await RunningRelay.start(subject, load.backendPort, subject.checkout ?? root);
  try {
    record(subject, "CPU ms to the first connection, one processor", running.startCpuMs);
    record(subject, "start-up to first connection, ms", running.startMs);
    await Bun.sleep(1_000);
    record(subject, "resident MB, nobody connected", running.residentMb());
    const [from, cpuFrom] = [performance.now(), running.cpuMicros()];
    await load.connect(games, running.gamePort);
    record(subject, `CPU ms to connect and register ${games} games`, (running.cpuMicros() - cpuFrom) / 1_000);
    record(subject, `connect and register ${games} games, ms`, performance.now() - from);
    await Bun.sleep(1_000);
    record(subject, `resident MB, ${games} idle games`, running.residentMb());
  } finally {
    load.stop();
    await running.stop();
  }
}

function print(): void {
  const titles = others.map(({ name }) => `${name} | ratio`).join(" | ");
  console.log(`\n| figure | relay | ${titles} |\n| --- | --- |${" --- | --- |".repeat(others.length)}`);
  for (const [figure, values] of figures) {
    const ours = values[relay.name] ?? [];
    if (ours.length === 0) continue;
    const beside = others.map(({ name }) => {
      const floor = values[name] ?? [];
      const ratio = median(ours.map((value, at) => value / (floor[at] ?? NaN)));
      return `${round(median(floor))} | ${ratio.toFixed(2)}`;
    });
    console.log(`| ${figure} | ${round(median(ours))} | ${beside.join(" | ")} |`);
  }
}

// Why a process of its own: memory left by one measurement slows the next.
if (scenarios.includes("idle")) {
  Bun.spawnSync([process.execPath, join(import.meta.dirname, "machine.ts")], { stdio: ["ignore", "inherit", "inherit"] });
}
for (let rep = 0; rep < Number(options.reps); rep++) {
  if (scenarios.some((name) => name !== "idle")) {
    for (const games of GAMES) for (const subject of subjects) await measure(subject, games);
  }
  if (!scenarios.includes("idle")) continue;
  for (const subject of subjects) await measureIdle(subject, options.quick ? 1_000 : 10_000);
}
print();
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(Object.fromEntries(figures), null, 2));
