/**
 * `bun run bench duties [--games 10,100] [--windows 256,16] [--reps 1] [--ms 400] [--each] [--without-sockets] [--only "raw,patterns,raw in engine,relay"] [--beside raw] [--json FILE]`: what the
 * duties of the relay cost. The raw relay gets one duty after the other, each as tight as the author could write it (`duties/`), until it has
 * all of them; with `--each` all of them without one. Then come the first and the last of these as services in the relay's engine and sockets, and
 * the relay itself, and the minimal relay on the runtime's WebSocket client. CPU time is that of all threads, for one trip and one context;
 * in brackets, its ratio to that of `--beside`.
 *
 * `--without-sockets` measures each in a process of its own that only handles messages, as `bun run bench machine` does.
 *
 * With `--json`, the figures of earlier runs in that file count, too: a run of all of them takes minutes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DUTIES } from "./duties/options.ts";
import { Load } from "./load.ts";
import { median, WARM_UP_MS, warmUp, yardstick } from "./measuring.ts";
import { relayOn } from "./relay-command.ts";
import { fanIn, roundTrips } from "./scenarios.ts";
import { RunningRelay, type Subject } from "./subject.ts";

const { values: options } = parseArgs({
  options: {
    games: { type: "string", default: "10,100" },
    windows: { type: "string", default: "256,16" },
    reps: { type: "string", default: "1" },
    ms: { type: "string", default: "400" },
    each: { type: "boolean", default: false },
    "without-sockets": { type: "boolean", default: false },
    only: { type: "string", default: "" },
    beside: { type: "string", default: "raw" },
    json: { type: "string" },
  },
});
const GAMES = options.games.split(",").map(Number);
const WINDOWS = options.windows.split(",").map(Number);
const ms = Number(options.ms);
const root = join(import.meta.dirname, "../..");

/** Name -> the duties that it has. */
const added: readonly (readonly [string, readonly string[]])[] = [
  ["no duty", []],
  ...DUTIES.map((duty, at) => [`+ ${duty}`, DUTIES.slice(0, at + 1)] as const),
];
const without = [
  ["all", DUTIES] as const,
  ...DUTIES.map((duty) => [`all but ${duty}`, DUTIES.filter((other) => other !== duty)] as const),
];
const only = options.only.split(",").filter((name) => name !== "");
const isWanted = (name: string): boolean =>
  only.length === 0 || only.includes(name) || only.includes(name.replace("+ ", ""));
const floors = [...(options.each ? without : added), ["patterns", [...DUTIES, "patterns"]] as const]
  .filter(([name]) => isWanted(name));
const subjects: readonly Subject[] = [
  yardstick("raw", "raw-relay.ts"),
  ...floors.map(([name, duties]) => yardstick(name, "duties-relay.ts", ["--with", duties.join(",")])),
  yardstick("raw in engine", "engine-relay.ts", ["--with", ""]),
  yardstick("patterns in engine", "engine-relay.ts", ["--with", [...DUTIES, "patterns"].join(",")]),
  relayOn("bun"),
  yardstick("minimal", "minimal-relay.ts"),
].filter(({ name }) => isWanted(name));

/** Name of the figure -> subject -> values. */
type Figures = Record<string, Record<string, number[]>>;
const figures: Figures = options.json !== undefined && existsSync(options.json)
  ? JSON.parse(readFileSync(options.json, "utf8"))
  : {};

function record(figure: string, name: string, value: number): void {
  ((figures[figure] ??= {})[name] ??= []).push(value);
}

async function measure(subject: Subject, games: number): Promise<void> {
  const load = new Load();
  const running = await RunningRelay.start(subject, load.backendPort, root);
  try {
    await load.connect(games, running.gamePort);
    await warmUp(() => roundTrips(load, running, { window: 256, ms: WARM_UP_MS }));
    for (const window of WINDOWS) {
      const { cpuMicros } = await roundTrips(load, running, { window, ms });
      record(`trip, ${games} games, window ${window}`, subject.name, cpuMicros);
    }
    await warmUp(() => fanIn(load, running, { ms: WARM_UP_MS }));
    const { cpuMicros, perSecond } = await fanIn(load, running, { ms });
    record(`context, ${games} games`, subject.name, cpuMicros);
    record(`contexts/s, ${games} games`, subject.name, perSecond);
    const { misrouted, unexpected } = load.errors;
    if (misrouted + unexpected > 0) throw new Error(`${subject.name}: ${misrouted} misrouted, ${unexpected} unexpected`);
  } finally {
    load.stop();
    await running.stop();
  }
}

/** The cost of the messages alone, as a file of this folder prints it. */
function ownCost(file: string, ...args: readonly string[]) {
  const { stdout } = Bun.spawnSync([process.execPath, join(import.meta.dirname, file), ...args], { stderr: "inherit" });
  return JSON.parse(String(stdout));
}

function measureWithoutSockets(): void {
  const note = (name: string, trip: number, context: number): void => {
    record("trip, without sockets", name, trip);
    record("context, without sockets", name, context);
  };
  const { trip, context } = ownCost("machine.ts", "--json", "--reps", "3");
  note("raw", trip.least, context.least);
  for (const [name, duties] of floors) {
    const own = ownCost("duties/without-sockets.ts", duties.join(","));
    note(name, own.trip, own.context);
  }
  const inEngine = ownCost("machine.ts", "--json", "--reps", "3", "--floor");
  note("patterns in engine", inEngine.trip.relay, inEngine.context.relay);
  note("relay", trip.relay, context.relay);
}

function print(): void {
  const names = [...new Set(Object.values(figures).flatMap((row) => Object.keys(row)))];
  const columns = Object.keys(figures);
  console.log(`\n| CPU us | ${columns.join(" | ")} |\n| --- |${" --- |".repeat(columns.length)}`);
  for (const name of names) {
    const cells = columns.map((column) => {
      const values = figures[column]?.[name] ?? [];
      const base = median(figures[column]?.[options.beside] ?? []);
      if (values.length === 0) return "";
      const value = median(values);
      return `${value >= 1_000 ? value.toFixed(0) : value.toFixed(2)} (${(value / base).toFixed(2)})`;
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

for (let rep = 0; rep < Number(options.reps); rep++) {
  if (options["without-sockets"]) measureWithoutSockets();
  else for (const games of GAMES) for (const subject of subjects) await measure(subject, games);
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures, null, 2));
print();
