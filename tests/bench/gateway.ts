/**
 * `bun run bench gateway [--rate 2000] [--games 10] [--seconds 5] [--reps 3] [--on Bun|Deno]`: what it costs that games are at another node than the owner of
 * their relay. A single process and a cluster of two nodes get the same load in turn: trips, each an action and its result, and contexts. The processor's
 * time is that of all nodes.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { RUNNERS } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { TestCluster } from "../cluster/fixture.ts";
import { Load, until } from "./load.ts";
import { flushPending } from "./raw-websocket.ts";
import { latency } from "./scenarios.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "2000" },
    games: { type: "string", default: "10" },
    seconds: { type: "string", default: "5" },
    reps: { type: "string", default: "3" },
    on: { type: "string", default: "Bun" },
  },
});
/** Frames a second through the gateway: a trip has two, a context has one. */
const RATE = Number(options.rate);
const MS = Number(options.seconds) * 1_000;
const WARM_UP_MS = 3_000;
const UNLIMITED = [
  "nakurity-client.context_rate=0",
  "limits.messages_per_second=0",
  "limits.bytes_per_second=0",
  "limits.requests_per_second=100000",
  "cluster.rebalance=false",
  "log.level=error",
];

/** The processor's time of these processes in milliseconds. */
function cpuMs(processes: readonly RelayProcess[]): number {
  const tasks = processes.flatMap(({ pid }) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`));
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1_000_000;
}

interface Figures {
  readonly tripCpu: number;
  readonly tripP50: number;
  readonly tripP99: number;
  readonly contextCpu: number;
  readonly idleCpu: number;
}

async function measure(load: Load, processes: readonly RelayProcess[], gamePort: number): Promise<Figures> {
  await load.connect(Number(options.games), gamePort);
  await latency(load, { rate: RATE, ms: WARM_UP_MS });
  await contexts(load, WARM_UP_MS);
  const perSecond = async (run: () => Promise<unknown>): Promise<number> => {
    const [cpu, from] = [cpuMs(processes), performance.now()];
    await run();
    return (cpuMs(processes) - cpu) / ((performance.now() - from) / 1_000);
  };
  const idleCpu = await perSecond(() => Bun.sleep(MS));
  let trips = { p50: 0, p99: 0 };
  const tripCpu = await perSecond(async () => (trips = await latency(load, { rate: RATE / 2, ms: MS })));
  const contextCpu = await perSecond(() => contexts(load, MS));
  const { misrouted, unexpected } = load.errors;
  if (misrouted + unexpected > 0) throw new Error(`${misrouted} misrouted, ${unexpected} unexpected`);
  return { tripCpu, tripP50: trips.p50 / 1_000, tripP99: trips.p99 / 1_000, contextCpu, idleCpu };
}

/** Contexts at the fixed rate, until all have arrived. */
async function contexts(load: Load, ms: number): Promise<void> {
  const before = load.contexts;
  let sent = 0;
  const from = performance.now();
  while (performance.now() < from + ms) {
    while (sent < (performance.now() - from) * RATE / 1_000) sent += load.sendContexts(1);
    flushPending();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(() => load.contexts - before >= sent, 10_000, `${sent} contexts`);
}

async function single(): Promise<Figures> {
  const load = new Load();
  return await inFolder(async (folder) => {
    const sets = [`nakurity-client.url=ws://127.0.0.1:${load.backendPort}`, "queue.backend=memory", ...UNLIMITED];
    const relay = await RelayProcess.start(folder, sets, RUNNERS[options.on as keyof typeof RUNNERS]);
    try {
      return await measure(load, [relay], Number(new URL(relay.urls.neuro).port));
    } finally {
      load.stop();
      await relay.stop("SIGKILL");
    }
  });
}

async function throughGateway(): Promise<Figures> {
  const load = new Load();
  return await inFolder(async (folder) => {
    const sets = [`nakurity-client.url=ws://127.0.0.1:${load.backendPort}`, ...UNLIMITED];
    const on = options.on as keyof typeof RUNNERS;
    const cluster = await TestCluster.start(folder, [on, on], { sets });
    try {
      await cluster.isWhole();
      const owner = await cluster.owner();
      const gateway = cluster.nodes.find((node) => node !== owner);
      const processes = cluster.nodes.map(({ process }) => process);
      return await measure(load, processes, Number(new URL(gateway?.process.urls.neuro ?? "").port));
    } finally {
      load.stop();
      await cluster.stop();
    }
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

const runs: { readonly one: Figures; readonly other: Figures }[] = [];
for (let rep = 0; rep < Number(options.reps); rep++) runs.push({ one: await single(), other: await throughGateway() });
const ROWS: readonly (readonly [title: string, of: (figures: Figures) => number])[] = [
  [`CPU ms/s, ${RATE} frames/s of trips`, ({ tripCpu }) => tripCpu],
  [`CPU ms/s, ${RATE} contexts/s`, ({ contextCpu }) => contextCpu],
  ["CPU ms/s, idle", ({ idleCpu }) => idleCpu],
  ["trip p50, ms", ({ tripP50 }) => tripP50],
  ["trip p99, ms", ({ tripP99 }) => tripP99],
];
console.log(
  `| figure (${options.on}) | single process | through a gateway | ratio | difference |\n| --- | --- | --- | --- | --- |`,
);
for (const [title, of] of ROWS) {
  const [one, other] = [median(runs.map((run) => of(run.one))), median(runs.map((run) => of(run.other)))];
  console.log(`| ${title} | ${[one, other, other / one, other - one].map((value) => value.toFixed(2)).join(" | ")} |`);
}
process.exit(0);
