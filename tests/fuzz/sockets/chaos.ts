/** Attacks a relay on all its listeners over real sockets, next to well-behaved clients, and returns what was measured. */
import { join } from "node:path";
import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { freePort } from "../../unit/storage/backends.ts";
import type { Attack, AttackedPorts, InputKind } from "./attacker.ts";
import { HonestClients, type TripKind } from "./honest-clients.ts";

export interface ChaosOptions {
  readonly inputs: number;
  readonly seed: number;
  /** A key of `RUNNERS`. */
  readonly runtime: string;
}

export interface ChaosResult {
  readonly counts: Readonly<Record<InputKind, number>>;
  readonly trips: Readonly<Record<TripKind, number>>;
  readonly worstMs: Readonly<Record<TripKind, number>>;
  /** The peak of the resident memory; 0 if the system does not say. */
  readonly residentMb: number;
  readonly violations: readonly string[];
}

/** A well-behaved client waits at most this long, and the relay needs at most this much memory. */
export const WORST_MS = 250;
export const RESIDENT_MB = 200;

export const RUNTIMES: readonly string[] = Object.keys(RUNNERS);

const ATTACKER = join(import.meta.dirname, "attacker.ts");
const SAMPLE_MS = 50;

/** Attacks a relay on one runtime. */
export function chaos({ inputs, seed, runtime }: ChaosOptions): Promise<ChaosResult> {
  return inFolder(async (folder) => {
    const honest = new HonestClients();
    const neuroPort = await freePort();
    const relay = await RelayProcess.start(folder, settingsFor(honest.neuro.url, neuroPort), RUNNERS[runtime]);
    let residentMb = 0;
    const sampling = setInterval(() => (residentMb = Math.max(residentMb, relay.residentMb)), SAMPLE_MS);
    try {
      const measuring = honest.run(relay);
      const counts = await attack({ ports: portsOf(relay), neuroPort, inputs, seed });
      honest.stop();
      await measuring;
      const { trips, worstMs, neuro } = honest;
      const result = { counts, trips, worstMs, residentMb };
      return { ...result, violations: [...honest.violations, ...neuro.violations, ...violationsIn(result, relay)] };
    } finally {
      clearInterval(sampling);
      honest.neuro.close();
      await relay.stop("SIGKILL");
    }
  });
}

const settingsFor = (neuro: string, hostilePort: number): readonly string[] => [
  "brain.enabled=true",
  "brain.port=0",
  "web.enabled=true",
  "web.port=0",
  "web.token=known-to-nobody",
  "intercept-proxy.enabled=true",
  "intercept-proxy.port=0",
  `intercept-proxy.upstream_url=ws://127.0.0.1:${hostilePort}`,
  `nakurity-clients=[{"id":"honest","url":"${neuro}"},{"id":"hostile","url":"ws://127.0.0.1:${hostilePort}"}]`,
];

function portsOf({ urls }: RelayProcess): AttackedPorts {
  const port = (url: string): number => Number(new URL(url).port);
  const { intermediary, neuro, brain, proxy, web } = urls;
  return { intermediary: port(intermediary), neuro: port(neuro), brain: port(brain), proxy: port(proxy), web: port(web) };
}

function attack(plan: Attack): Promise<ChaosResult["counts"]> {
  const child = spawn(execPath, [ATTACKER, JSON.stringify(plan)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on(
      "close",
      (code) => code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`the attacker exited with ${code}`)),
    );
  });
}

function violationsIn({ worstMs, residentMb }: Omit<ChaosResult, "violations">, relay: RelayProcess): readonly string[] {
  const slow = Object.entries(worstMs).filter(([, ms]) => ms > WORST_MS);
  const panics = relay.output.match(/internal error.*/g) ?? [];
  return [
    ...slow.map(([kind, ms]) => `a round trip (${kind}) took ${ms.toFixed(0)} ms`),
    ...(residentMb > RESIDENT_MB ? [`${residentMb.toFixed(0)} MB were resident`] : []),
    ...panics.slice(0, 5),
    ...(relay.hasExited ? ["the relay exited"] : []),
  ];
}
