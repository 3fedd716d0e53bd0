/**
 * `bun run bench watching [--reps N]`: measures the cost for the relay of no observer, a dashboard page, and a watcher of all events.
 *
 * The page is a separate process that sends the requests of the dashboard and subscribes as it does, but renders nothing.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { relayOn } from "./relay-command.ts";
import { roundTrips } from "./scenarios.ts";
import { freePort, RunningRelay } from "./subject.ts";
import { median, WARM_UP_MS, warmUp } from "./measuring.ts";

const { values: options } = parseArgs({ options: { reps: { type: "string", default: "5" } } });
const root = join(import.meta.dirname, "../..");
const TOKEN = "a token for the bench";
const GAMES = 10;
const LOAD = { window: 256, ms: 1_500 };

type Spectator = "none" | "page" | "watcher";
const SPECTATORS: readonly Spectator[] = ["none", "page", "watcher"];

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function measure(spectator: Spectator): Promise<Figures> {
  const web = freePort();
  const load = new Load();
  const running = await RunningRelay.start(
    relayOn("bun", [`web.port=${web}`, `web.token=${TOKEN}`]),
    load.backendPort,
    root,
  );
  const spectating = spectator === "none" ? undefined : spectate(spectator, web);
  try {
    await load.connect(GAMES, running.gamePort);
    await spectating?.ready;
    await warmUp(() => roundTrips(load, running, { ...LOAD, ms: WARM_UP_MS }));
    return await roundTrips(load, running, LOAD);
  } finally {
    spectating?.process.kill("SIGKILL");
    load.stop();
    await running.stop();
  }
}

/** Starts a spectator; `ready` resolves when it has subscribed. */
function spectate(as: Spectator, web: number): { readonly process: Bun.Subprocess; readonly ready: Promise<void> } {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const script = `${import.meta.dirname}/spectator.ts`;
  const process = Bun.spawn(["nice", globalThis.process.execPath, script, as, String(web), TOKEN], {
    ipc: () => resolve(),
  });
  return { process, ready };
}

const figures: Record<Spectator, Figures[]> = { none: [], page: [], watcher: [] };
for (let rep = 0; rep < Number(options.reps); rep++) {
  for (const spectator of SPECTATORS) figures[spectator].push(await measure(spectator));
}
console.log(
  "| spectator | round trips/s | ratio to none | CPU us per trip | ratio to none |\n| --- | --- | --- | --- | --- |",
);
for (const spectator of SPECTATORS) {
  const share = (of: keyof Figures) =>
    median(figures[spectator].map((own, at) => own[of] / (figures.none[at]?.[of] ?? NaN)));
  const middle = (of: keyof Figures) => median(figures[spectator].map((own) => own[of]));
  console.log(
    `| ${spectator} | ${middle("perSecond").toFixed(0)} | ${share("perSecond").toFixed(3)} | ${
      middle("cpuMicros").toFixed(2)
    } | ${share("cpuMicros").toFixed(3)} |`,
  );
}
