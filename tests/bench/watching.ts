/**
 * `bun run bench watching [--reps N] [--rate 2000]`: measures the cost for the relay of a dashboard page, and of a watcher of all events:
 * with as many round trips as it can make, or with `--rate` of them a second. Each relay is measured without its spectator, and then with
 * it, because two processes of the same program differ by a few percent.
 *
 * The page is a separate process that sends the requests of the dashboard and subscribes as it does, but renders nothing.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { relayOn } from "./relay-command.ts";
import { latency, roundTrips } from "./scenarios.ts";
import { freePort, RunningRelay } from "./subject.ts";
import { median, WARM_UP_MS, warmUp } from "./measuring.ts";

const { values: options } = parseArgs({ options: { reps: { type: "string", default: "5" }, rate: { type: "string" } } });
const root = join(import.meta.dirname, "../..");
const TOKEN = "a token for the bench";
const GAMES = 10;
const LOAD = { window: 256, ms: 1_500 };
const rate = options.rate === undefined ? undefined : Number(options.rate);
const MODERATE_MS = 3_000;

/** `none`: how much two measurements of one relay differ. */
type Spectator = "none" | "page" | "watcher";
const SPECTATORS: readonly Spectator[] = ["none", "page", "watcher"];

interface Figures {
  /** Round trips a second, or the median latency in microseconds. */
  readonly pace: number;
  readonly cpuMicros: number;
}

interface Comparison {
  readonly alone: Figures;
  readonly watched: Figures;
}

async function compare(spectator: Spectator): Promise<Comparison> {
  const web = freePort();
  const load = new Load();
  const running = await RunningRelay.start(
    relayOn("bun", [`web.port=${web}`, `web.token=${TOKEN}`]),
    load.backendPort,
    root,
  );
  let spectating: Bun.Subprocess | undefined;
  try {
    await load.connect(GAMES, running.gamePort);
    const warmUpLoad = () => roundTrips(load, running, { ...LOAD, ms: WARM_UP_MS });
    await warmUp(warmUpLoad);
    const alone = await measure(load, running);
    if (spectator !== "none") spectating = await spectate(spectator, web);
    await warmUp(warmUpLoad);
    return { alone, watched: await measure(load, running) };
  } finally {
    spectating?.kill("SIGKILL");
    load.stop();
    await running.stop();
  }
}

async function measure(load: Load, running: RunningRelay): Promise<Figures> {
  if (rate === undefined) {
    const { perSecond, cpuMicros } = await roundTrips(load, running, LOAD);
    return { pace: perSecond, cpuMicros };
  }
  const cpu = running.cpuMicros();
  const { p50 } = await latency(load, { rate, ms: MODERATE_MS });
  return { pace: p50, cpuMicros: (running.cpuMicros() - cpu) / (rate * MODERATE_MS / 1_000) };
}

/** Starts a spectator, and waits until it has subscribed. */
async function spectate(as: Exclude<Spectator, "none">, web: number): Promise<Bun.Subprocess> {
  const { promise: subscribed, resolve } = Promise.withResolvers<void>();
  const script = `${import.meta.dirname}/spectator.ts`;
  const spectating = Bun.spawn(["nice", process.execPath, script, as, String(web), TOKEN], { ipc: () => resolve() });
  await subscribed;
  return spectating;
}

const compared: Record<Spectator, Comparison[]> = { none: [], page: [], watcher: [] };
for (let rep = 0; rep < Number(options.reps); rep++) {
  for (const spectator of SPECTATORS) compared[spectator].push(await compare(spectator));
}
const pace = rate === undefined ? "round trips/s" : "p50 us";
console.log(`| spectator | ${pace} | ratio | CPU us per trip | ratio |\n| --- | --- | --- | --- | --- |`);
for (const spectator of SPECTATORS) {
  const middle = (of: keyof Figures) => median(compared[spectator].map(({ watched }) => watched[of]));
  const ratio = (of: keyof Figures) => median(compared[spectator].map(({ alone, watched }) => watched[of] / alone[of]));
  const [own, cpu] = [middle("pace").toFixed(0), middle("cpuMicros").toFixed(2)];
  console.log(`| ${spectator} | ${own} | ${ratio("pace").toFixed(3)} | ${cpu} | ${ratio("cpuMicros").toFixed(3)} |`);
}
