/**
 * `bun run bench gateway [--phases trips,contexts,idle] [--rate 2000] [--games 10] [--seconds 0.5] [--reps 9] [--warm-up 4] [--on Bun|Deno]`: what it costs that games are at another node
 * than the owner of their relay.
 *
 * Four subjects get the same load in turn, while the others are idle: a single process, a single process behind one that only copies bytes
 * (`copy-process.ts`), one behind the least that a gateway does (`minimal-gateway.ts`), and a cluster of two nodes. The second is what any process
 * in between costs at least, the third what any gateway does. The load is trips, each an action and its result, and contexts. A figure is the
 * processor's time of all processes of the subject.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { RUNNERS } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { TestCluster } from "../cluster/fixture.ts";
import { Load, until } from "./load.ts";
import { median } from "./measuring.ts";
import { flushPending } from "./raw-websocket.ts";
import { latency } from "./scenarios.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "2000" },
    games: { type: "string", default: "10" },
    seconds: { type: "string", default: "0.5" },
    reps: { type: "string", default: "9" },
    "warm-up": { type: "string", default: "4" },
    phases: { type: "string", default: "trips,contexts,idle" },
    on: { type: "string", default: "Bun" },
  },
});
/** Frames a second from or to games: a trip has two, a context has one. */
const RATE = Number(options.rate);
const MS = Number(options.seconds) * 1_000;
/**
 * Each phase runs for this long at each subject first, at a multiple of the rate: until then their engines compile. Why immediately before the
 * measurement: engines discard code that was not used for a minute.
 */
const WARM_UP_MS = Number(options["warm-up"]) * 1_000;
const WARM_UP_RATE = 4 * RATE;
const UNLIMITED = [
  "nakurity-client.context_rate=0",
  "limits.messages_per_second=0",
  "limits.bytes_per_second=0",
  "limits.requests_per_second=100000",
  "cluster.rebalance=false",
  "log.level=error",
];

interface Subject {
  readonly title: string;
  readonly load: Load;
  /** Process ids, by what each does. */
  readonly processes: Readonly<Record<string, number>>;
  /** Where games connect. */
  readonly port: number;
  stop(): Promise<void>;
}

const portOf = ({ urls }: RelayProcess): number => Number(new URL(urls.neuro).port);

async function single(folder: string, title: string): Promise<Subject> {
  const load = new Load();
  const sets = [`nakurity-client.url=ws://127.0.0.1:${load.backendPort}`, "queue.backend=memory", ...UNLIMITED];
  const relay = await RelayProcess.start(folder, sets, RUNNERS[options.on]);
  const stop = async (): Promise<void> => {
    load.stop();
    await relay.stop("SIGKILL");
  };
  return { title, load, processes: { relay: relay.pid }, port: portOf(relay), stop };
}

/** A single process behind a process of another script, which takes the port of the relay and prints its own. */
async function behind(
  name: "copy" | "minimal gateway",
  { folder, script }: { readonly folder: string; readonly script: string },
): Promise<Subject> {
  const subject = await single(folder, `behind a ${name}`);
  const path = new URL(script, import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [path, String(subject.port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await once(child.stdout ?? child, "data");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await subject.stop();
  };
  const processes = { [name]: child.pid ?? 0, ...subject.processes };
  return { ...subject, processes, port: Number(String(output)), stop };
}

async function throughGateway(folder: string): Promise<Subject> {
  const load = new Load();
  const sets = [`nakurity-client.url=ws://127.0.0.1:${load.backendPort}`, ...UNLIMITED];
  const on = options.on as keyof typeof RUNNERS;
  const cluster = await TestCluster.start(folder, [on, on], { sets });
  await cluster.isWhole();
  const owner = await cluster.owner();
  const gateway = cluster.nodes.find((node) => node !== owner) ?? owner;
  const stop = async (): Promise<void> => {
    load.stop();
    await cluster.stop();
  };
  const processes = { gateway: gateway.process.pid, owner: owner.process.pid };
  return { title: "through a gateway", load, processes, port: portOf(gateway.process), stop };
}

/** The processor's time of each thread that was seen, in nanoseconds: compilers end their threads, and what those took still counts. */
const threads = new Map<string, number>();

/** The processor's time of a process in milliseconds. */
function cpuMs(pid: number): number {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${task}`;
    threads.set(path, Number(readFileSync(`${path}/schedstat`, "utf8").split(" ")[0]));
  }
  const own = [...threads].filter(([path]) => path.startsWith(`/proc/${pid}/`));
  return own.reduce((sum, [, ns]) => sum + ns, 0) / 1_000_000;
}

/** Contexts at a fixed rate, one of each game at a time, until all have arrived. */
async function contexts(load: Load, ms: number, rate: number): Promise<void> {
  const before = load.contexts;
  let sent = 0;
  const from = performance.now();
  while (performance.now() < from + ms) {
    while (sent < (performance.now() - from) * rate / 1_000) sent += load.sendContexts(1);
    flushPending();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(() => load.contexts - before >= sent, 10_000, `${sent} contexts`);
}

interface Phase {
  readonly title: string;
  run(load: Load, ms: number, rate: number): Promise<unknown>;
}

const PHASES: Readonly<Record<string, Phase>> = {
  trips: { title: `CPU ms/s, ${RATE} frames/s of trips`, run: (load, ms, rate) => latency(load, { rate: rate / 2, ms }) },
  contexts: { title: `CPU ms/s, ${RATE} contexts/s`, run: contexts },
  idle: { title: "CPU ms/s, idle", run: (_load, ms) => Bun.sleep(ms) },
};

/** The values of each row and column of the table. */
const figures = new Map<string, Map<string, number[]>>();

function add(row: string, column: string, value: number): void {
  const columns = figures.getOrInsertComputed(row, () => new Map<string, number[]>());
  columns.getOrInsertComputed(column, () => []).push(value);
}

async function measure({ title, load, processes }: Subject, phase: Phase): Promise<void> {
  const before = Object.values(processes).map(cpuMs);
  const from = performance.now();
  const result = await phase.run(load, MS, RATE);
  const seconds = (performance.now() - from) / 1_000;
  const used = Object.entries(processes).map(([name, pid], index) =>
    [name, (cpuMs(pid) - (before[index] ?? 0)) / seconds] as const
  );
  add(phase.title, title, used.reduce((sum, [, ms]) => sum + ms, 0));
  if (used.length > 1) { for (const [name, ms] of used) add(phase.title, `${title}: ${name}`, ms); }
  if (typeof result !== "object" || result === null || !("p50" in result)) return;
  const { p50, p99 } = result as { readonly p50: number; readonly p99: number };
  add("trip p50, ms", title, p50 / 1_000);
  add("trip p99, ms", title, p99 / 1_000);
}

function print(titles: readonly string[]): void {
  console.log(`| figure (${options.on}) | ${titles.join(" | ")} |\n|${" --- |".repeat(titles.length + 1)}`);
  for (const [row, columns] of figures) {
    const one = median(columns.get(titles[0] ?? "") ?? []);
    const cells = titles.map((title, index) => {
      const value = median(columns.get(title) ?? []);
      const parts = [...columns].filter(([column]) => column.startsWith(`${title}: `));
      const detail = parts.map(([column, values]) => `${column.slice(title.length + 2)} ${median(values).toFixed(1)}`).join(
        ", ",
      );
      return `${value.toFixed(2)}${index > 0 ? ` (${(value / one).toFixed(2)}×)` : ""}${
        detail === "" ? "" : `: ${detail}`
      }`;
    });
    console.log(`| ${row} | ${cells.join(" | ")} |`);
  }
}

const phases = options.phases.split(",").map((name) => {
  const phase = PHASES[name];
  if (phase === undefined) throw new Error(`no such phase: ${name}; the phases are ${Object.keys(PHASES).join(", ")}`);
  return phase;
});
await inFolder(async (folder) => {
  const subjects = [
    await single(folder, "single process"),
    await behind("copy", { folder, script: "copy-process.ts" }),
    await behind("minimal gateway", { folder, script: "minimal-gateway.ts" }),
    await throughGateway(folder),
  ];
  try {
    for (const { load, port } of subjects) {
      await load.connect(Number(options.games), port);
      for (const phase of phases) if (phase !== PHASES.idle) await phase.run(load, WARM_UP_MS, WARM_UP_RATE);
    }
    for (let rep = 0; rep < Number(options.reps); rep++) {
      for (const phase of phases) for (const subject of subjects) await measure(subject, phase);
    }
    for (const { title, load: { errors: { misrouted, unexpected } } } of subjects) {
      if (misrouted + unexpected > 0) throw new Error(`${title}: ${misrouted} misrouted, ${unexpected} unexpected`);
    }
    print(subjects.map(({ title }) => title));
  } finally {
    for (const subject of subjects) await subject.stop();
  }
});
process.exit(0);
