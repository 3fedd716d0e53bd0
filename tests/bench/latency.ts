/**
 * `bun run bench latency [--games 10,100] [--rate 2000] [--slices 20] [--ms 120] [--before DIR]`: the median time of a trip at a fixed rate, and the
 * CPU time of the relay for it, beside the minimal relays and the relays that have nothing but its duties (`bun run bench duties`).
 *
 * All relays run at once and are measured in turn, a slice of `ms` each, because the time of one relay differs by half between runs and by a
 * hundredth between slices. A ratio or a difference is the median of those of all slices. The generator has a processor of its own.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DUTIES } from "./duties/options.ts";
import { Load } from "./load.ts";
import { median, WARM_UP_MS, warmUp, yardstick } from "./measuring.ts";
import { relayOn } from "./relay-command.ts";
import { latency, roundTrips } from "./scenarios.ts";
import { RunningRelay, type Subject } from "./subject.ts";

const { values: options } = parseArgs({
  options: {
    games: { type: "string", default: "10,100" },
    rate: { type: "string", default: "2000" },
    slices: { type: "string", default: "20" },
    ms: { type: "string", default: "120" },
    before: { type: "string" },
  },
});
const [rate, slices, ms] = [
  Number(options.rate),
  Number(options.slices),
  Number(options.ms),
];
const root = join(import.meta.dirname, "../..");
const floor = (name: string, ...techniques: readonly string[]): Subject =>
  yardstick(name, "duties-relay.ts", [
    "--with",
    [...DUTIES, ...techniques].join(","),
  ]);
/** The others are compared with the first. */
const subjects: readonly Subject[] = [
  yardstick("minimal", "minimal-relay.ts"),
  yardstick("raw", "raw-relay.ts"),
  floor("raw, all duties"),
  floor("raw, all duties, patterns", "patterns"),
  ...(options.before === undefined ? [] : [{ ...relayOn("bun"), name: "before", checkout: options.before }]),
  relayOn("bun"),
];

/** A relay that runs while the others do. */
interface Running {
  readonly name: string;
  readonly load: Load;
  readonly relay: RunningRelay;
  /** Of each slice, in microseconds. */
  readonly p50: number[];
  readonly cpu: number[];
}

async function start(subject: Subject, games: number): Promise<Running> {
  const load = new Load();
  const relay = await RunningRelay.start(
    subject,
    load.backendPort,
    subject.checkout ?? root,
  );
  await load.connect(games, relay.gamePort);
  await warmUp(() => roundTrips(load, relay, { window: 256, ms: WARM_UP_MS }));
  await latency(load, { rate, ms: WARM_UP_MS });
  return { name: subject.name, load, relay, p50: [], cpu: [] };
}

async function measure({ load, relay, p50, cpu }: Running): Promise<void> {
  const before = relay.cpuMicros();
  p50.push((await latency(load, { rate, ms })).p50);
  cpu.push((relay.cpuMicros() - before) / (rate * ms / 1_000));
}

function print(games: number, running: readonly Running[]): void {
  console.log(
    `\n| ${games} games, ${rate} a second | p50 us | ratio | difference | CPU us |\n| --- | --- | --- | --- | --- |`,
  );
  const [first] = running;
  for (const { name, p50, cpu } of running) {
    const firsts = first?.p50 ?? [];
    const ratio = median(p50.map((value, at) => value / (firsts[at] ?? NaN)));
    const difference = median(
      p50.map((value, at) => value - (firsts[at] ?? NaN)),
    );
    console.log(
      `| ${name} | ${median(p50).toFixed(1)} | ${ratio.toFixed(2)} | ${difference.toFixed(1)} | ${
        median(cpu).toFixed(1)
      } |`,
    );
  }
}

if (navigator.hardwareConcurrency > 1 && Bun.which("taskset") !== null) {
  Bun.spawnSync(["taskset", "-acp", "1", String(process.pid)]); // Why: the relays are on processor 0 (`subject.ts`).
}
for (const games of options.games.split(",").map(Number)) {
  const running: Running[] = [];
  for (const subject of subjects) running.push(await start(subject, games));
  for (let slice = 0; slice < slices; slice++) {
    for (const each of slice % 2 === 0 ? running : running.toReversed()) {
      await measure(each);
    }
  }
  print(games, running);
  for (const { name, load, relay } of running) {
    const { misrouted, unexpected } = load.errors;
    load.stop();
    await relay.stop();
    if (misrouted + unexpected > 0) {
      throw new Error(
        `${name}: ${misrouted} misrouted, ${unexpected} unexpected`,
      );
    }
  }
}
