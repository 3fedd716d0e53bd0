/**
 * `bun run bench rest [--reps 5]`: what a relay takes at rest, beside two floors: a server that only accepts WebSockets, and a program with
 * the libraries of the relay and nothing of the relay. All are compiled in the same way. The programs alternate; a figure is a median.
 *
 * File pages are those of Bun's program, its libraries and the bytecode; all Bun programs of a machine share those of the same file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "../../src/cli/compile-program.ts";
import { Load } from "./load.ts";
import { relayOn } from "./relay-command.ts";
import { RunningRelay, type Subject } from "./subject.ts";
import { median } from "./measuring.ts";

const { values: options } = parseArgs({ options: { reps: { type: "string", default: "5" } } });
const root = join(import.meta.dirname, "../..");
/** Longer than the last steps of a start. */
const REST_MS = 1_000;
const folder = mkdtempSync(join(tmpdir(), "neuro-relay-rest-"));

function floor(name: string, file: string, words: (port: number) => readonly string[]): Subject {
  const program = join(folder, file);
  const failure = compile(program, { entry: `tests/bench/${file}.ts` });
  if (failure !== undefined) throw new Error(failure.errors);
  return { name, command: ({ game }) => [program, ...words(game)] };
}

try {
  const subjects: readonly Subject[] = [
    floor("a server that accepts WebSockets", "bare-server", (port) => [`${port}`]),
    floor("the libraries of the relay", "library-server", (port) => ["--port", `${port}`]),
    { ...relayOn("binary"), name: "relay, binary" },
    { ...relayOn("bun"), name: "relay, from the sources" },
  ];
  const rows = new Map<string, number[][]>(subjects.map(({ name }) => [name, []]));
  for (let rep = 0; rep < Number(options.reps); rep++) {
    for (const subject of subjects) {
      const load = new Load();
      const running = await RunningRelay.start(subject, load.backendPort, root);
      await Bun.sleep(REST_MS);
      const { anonymous, file } = running.pagesMb();
      rows.get(subject.name)?.push([anonymous + file, anonymous, file, running.startCpuMs]);
      load.stop();
      await running.stop();
    }
  }
  console.log("| nobody connected | MB | anonymous | of files | CPU ms to the first connection |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const [name, figures] of rows) {
    const medians = [0, 1, 2, 3].map((at) => median(figures.map((figure) => figure[at] ?? NaN)).toFixed(1));
    console.log(`| ${name} | ${medians.join(" | ")} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
