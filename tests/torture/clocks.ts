/** A relay on a machine whose clock somebody sets, forward and back by hours, while it works. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { RelayProcess } from "../harness/relay.ts";

/** What runs a relay whose clock can be set. */
export const WRONG_CLOCK: readonly string[] = [
  process.execPath,
  "--preload",
  new URL("wrong-clock.ts", import.meta.url).pathname,
];

/** The next relay in this folder starts with a clock that is so wrong; one that runs has it from now on. */
export function setClock(folder: string, offsetMs: number, relay?: RelayProcess): void {
  writeFileSync(join(folder, "clock-offset"), String(offsetMs));
  relay?.signal("SIGUSR2");
}
