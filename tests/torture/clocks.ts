/** Runs a relay whose clock a test can set. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { RelayProcess } from "../harness/relay.ts";

/** The command that runs a relay with a settable clock. */
export const WRONG_CLOCK: readonly string[] = [
  process.execPath,
  "--preload",
  join(import.meta.dirname, "wrong-clock.ts"),
];

/** Sets the clock of the next relay in this folder, and of the running one. */
export function setClock(folder: string, offsetMs: number, relay?: RelayProcess): void {
  writeFileSync(join(folder, "clock-offset"), String(offsetMs));
  relay?.signal("SIGUSR2");
}
