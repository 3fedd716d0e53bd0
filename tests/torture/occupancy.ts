/**
 * `bun tests/torture/occupancy.ts [Bun Deno]`: measures what one peer, one address and many addresses can occupy of each listener, with
 * default limits. `SECURITY.md` has the table. On Linux only: memory, descriptors and processor time come from `/proc`.
 */
import { join } from "node:path";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { argv, execPath, exit } from "node:process";
import { RUNNERS } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { COLLECTING, residentWithoutGarbage, sizeOf } from "./memory.ts";
import type { Occupation, OccupiedListener } from "./occupier.ts";

const OCCUPY_MS = 4_000;
const SAMPLE_MS = 50;
const MIB = 1_048_576;
const TICKS_PER_SECOND = 100;
const OCCUPIER = join(import.meta.dirname, "occupier.ts");
const LISTENERS: readonly OccupiedListener[] = ["intermediary", "neuro", "brain", "proxy", "web"];

type Crowd = Pick<Occupation, "addresses" | "peers" | "silent">;

const addresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `127.0.${1 + Math.floor(at / 200)}.${1 + at % 200}`);
const CROWDS: Readonly<Record<string, Crowd>> = {
  "one peer": { addresses: addresses(1), peers: 1, silent: 0 },
  "one address": { addresses: addresses(1), peers: 40, silent: 1_200 },
  "100 addresses": { addresses: addresses(100), peers: 100, silent: 1_200 },
};

interface Occupied {
  readonly descriptors: number;
  readonly peakMb: number;
  /** After the peers left, and without the garbage where it can be collected. */
  readonly keptMb: number;
  readonly diskMb: number;
  /** The share of one processor. */
  readonly load: number;
  /** The longest time in which `/health` was answered, without the time in which the machine had no processor for the relay. */
  readonly healthMs: number;
}

function occupy(runtime: string, listener: OccupiedListener, crowd: Crowd): Promise<Occupied> {
  return inFolder(async (folder) => {
    const sets = ["brain.enabled=true", "brain.port=0", "web.enabled=true", "web.port=0", "web.token=known-to-nobody"];
    const proxy = [
      "intercept-proxy.enabled=true",
      "intercept-proxy.port=0",
      "intercept-proxy.upstream_url=ws://127.0.0.1:9",
    ];
    const runner = runtime === "Bun" ? COLLECTING : RUNNERS[runtime];
    const relay = await RelayProcess.start(folder, [...sets, ...proxy], runner);
    try {
      const isolated = { ...crowd, listener, port: Number(new URL(relay.urls[listener]).port), ms: OCCUPY_MS };
      const idle = usageOf(relay);
      let [peakMb, descriptors, healthMs] = [0, 0, 0];
      const sampling = setInterval(() => {
        peakMb = Math.max(peakMb, relay.residentMb);
        descriptors = Math.max(descriptors, usageOf(relay).descriptors);
      }, SAMPLE_MS);
      const from = performance.now();
      let isOver = false;
      const occupying = run(isolated).then(() => (isOver = true));
      while (!isOver) {
        const [asked, waited] = [performance.now(), relay.waitedMs];
        await fetch(new URL("/health", relay.urls.web)).then((response) => response.text());
        healthMs = Math.max(healthMs, performance.now() - asked - (relay.waitedMs - waited));
        await pause(SAMPLE_MS);
      }
      await occupying;
      clearInterval(sampling);
      const load = (usageOf(relay).seconds - idle.seconds) / ((performance.now() - from) / 1_000);
      await pause(1_000);
      const keptMb = runtime === "Bun" ? await residentWithoutGarbage(relay) : relay.residentMb;
      const diskMb = await sizeOf(folder) / MIB;
      return { descriptors: descriptors - idle.descriptors, peakMb, keptMb, diskMb, load, healthMs };
    } finally {
      await relay.stop("SIGKILL");
    }
  });
}

function run(occupation: Occupation): Promise<void> {
  const child = spawn(execPath, [OCCUPIER, JSON.stringify(occupation)], { stdio: "inherit" });
  return new Promise((resolve) => child.on("close", () => resolve()));
}

function usageOf({ pid }: RelayProcess): { readonly descriptors: number; readonly seconds: number } {
  const [user = 0, system = 0] =
    readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13).map(Number) ??
      [];
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, seconds: (user + system) / TICKS_PER_SECOND };
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const wanted = Object.keys(RUNNERS).filter((name) => argv.length < 3 || argv.includes(name));
console.log("| runtime | listener | who | descriptors | MB, peak | MB, kept | MB on disk | processors | `/health`, ms |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const runtime of wanted) {
  for (const listener of LISTENERS) {
    for (const [who, crowd] of Object.entries(CROWDS)) {
      const { descriptors, peakMb, keptMb, diskMb, load, healthMs } = await occupy(runtime, listener, crowd);
      const figures = [descriptors, peakMb, keptMb, diskMb].map((figure) => figure.toFixed(0));
      console.log(`| ${[runtime, listener, who, ...figures, load.toFixed(1), healthMs.toFixed(0)].join(" | ")} |`);
    }
  }
}
exit(0);
