/** The commands that start the relay for a measurement, on each runtime. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { buildBinary } from "../harness/binary.ts";
import { denoPath } from "../harness/machine.ts";
import type { Subject } from "./subject.ts";

/** Settings without rate limits for the peers of a benchmark. */
export const settingsFor = (gamePort: number, upstreamUrl: string): readonly string[] => [
  "nakurity-backend.port=" + gamePort,
  `nakurity-client.url=${upstreamUrl}`,
  "nakurity-client.context_rate=0",
  "intermediary.port=0",
  "web.port=0",
  "brain.port=0",
  "queue.backend=memory",
  "limits.messages_per_second=0",
  "limits.bytes_per_second=0",
  "limits.peers=20000",
  "limits.peers_per_address=20000",
  "limits.actions=20000",
];

/** The usual command of each runtime. */
const PROGRAMS: Readonly<Record<string, () => readonly string[]>> = {
  bun: () => [process.execPath, "src/cli/main.ts"],
  deno: () => [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual", "src/cli/main.ts"],
  binary: () => [built()],
};

let binary: string | undefined;

/** Builds the program once. Why not an existing one: it may be outdated. */
function built(): string {
  if (binary === undefined) {
    binary = join(mkdtempSync(join(tmpdir(), "neuro-relay-bench-")), "neuro-relay");
    buildBinary(binary);
  }
  return binary;
}

/** The relay on one runtime; `more` are settings as for `--set`. */
export function relayOn(on: string, more: readonly string[] = []): Subject {
  const programOf = PROGRAMS[on];
  if (programOf === undefined) throw new Error(`--on ${on}: expected one of ${Object.keys(PROGRAMS).join(", ")}`);
  const program = programOf();
  return {
    name: "relay",
    command: ({ game, upstream }) => {
      const settings = [...settingsFor(game, `ws://127.0.0.1:${upstream}`), ...more];
      return [...program, ...settings.flatMap((set) => ["--set", set])];
    },
  };
}
