/**
 * `bun run bench registrations [--games 10000] [--reps 3]`: what the duties of a registration cost. The minimal relay gets one duty after the
 * other (`registrations-relay.ts`), until it has all of them; the relay comes last. CPU time is that of all threads, from the first game to
 * the last; memory is what the idle games add.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { median, yardstick } from "./measuring.ts";
import { relayOn } from "./relay-command.ts";
import { RunningRelay, type Subject } from "./subject.ts";

const { values: options } = parseArgs({
  options: { games: { type: "string", default: "10000" }, reps: { type: "string", default: "3" } },
});
const GAMES = Number(options.games);
const root = join(import.meta.dirname, "../..");
const DUTIES = ["checks", "reader", "tables", "entries", "log"];

interface Figures {
  readonly cpuMs: number[];
  readonly ms: number[];
  readonly mb: number[];
}

const withDuties = (count: number): readonly string[] => ["--with", DUTIES.slice(0, count).join(",")];
const subjects: readonly Subject[] = [
  yardstick("minimal", "minimal-relay.ts"),
  ...DUTIES.map((duty, at) => yardstick(`+ ${duty}`, "registrations-relay.ts", withDuties(at + 1))),
  relayOn("bun"),
];

async function measure(subject: Subject, { cpuMs, ms, mb }: Figures): Promise<void> {
  const load = new Load();
  const running = await RunningRelay.start(subject, load.backendPort, root);
  try {
    await Bun.sleep(700);
    const [bare, cpu, from] = [running.residentMb(), running.cpuMicros(), performance.now()];
    await load.connect(GAMES, running.gamePort);
    cpuMs.push((running.cpuMicros() - cpu) / 1_000);
    ms.push(performance.now() - from);
    await Bun.sleep(1_200);
    mb.push(running.residentMb() - bare);
  } finally {
    load.stop();
    await running.stop();
  }
}

const measured = subjects.map((subject) => ({ subject, figures: { cpuMs: [], ms: [], mb: [] } satisfies Figures }));
for (let rep = 0; rep < Number(options.reps); rep++) {
  for (const { subject, figures } of measured) await measure(subject, figures);
}
console.log(`| ${GAMES} games | CPU time, ms | ms | MB |\n| --- | --- | --- | --- |`);
for (const { subject: { name }, figures: { cpuMs, ms, mb } } of measured) {
  console.log(`| ${name} | ${median(cpuMs).toFixed(0)} | ${median(ms).toFixed(0)} | ${median(mb).toFixed(1)} |`);
}
