/**
 * `bun run order`: writes `src/cli/bytecode.order`, the functions that a start and the first game use, which a compiled program keeps together.
 *
 * Functions have hashes of their code as names, so the file stays useful when the sources change.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Load } from "../bench/load.ts";
import { freePort } from "../bench/subject.ts";
import { buildBinary } from "./binary.ts";
import { ROOT } from "./machine.ts";

const load = new Load();
const game = freePort();
/** As `bun run start`, with other ports and no files. */
const SETTINGS = ["intermediary", "web", "brain"]
  .map((block) => `${block}.port=0`)
  .concat(
    `nakurity-backend.port=${game}`,
    `nakurity-client.url=ws://127.0.0.1:${load.backendPort}`,
    "queue.backend=memory",
  );
/** Longer than the last steps of a start. */
const START_MS = 1_000;
/** The version of the format, and the functions. Why not the rest, which is ten times as large: it changes nothing measurable. */
const KEPT = /^(?:v\d|F )/;

const folder = mkdtempSync(join(tmpdir(), "neuro-relay-order-"));
try {
  const [program, recorded] = [join(folder, "neuro-relay"), join(folder, "order")];
  buildBinary(program);
  const relay = Bun.spawn([program, ...SETTINGS.flatMap((set) => ["--set", set])], {
    cwd: ROOT,
    env: { ...process.env, BUN_BYTECODE_ORDER_OUT: recorded },
    stdout: "ignore",
    stderr: "ignore",
  });
  await Bun.sleep(START_MS);
  await load.connect(1, game);
  relay.kill("SIGTERM");
  await relay.exited;
  const lines = readFileSync(recorded, "utf8").split("\n").filter((line) => KEPT.test(line));
  writeFileSync(join(ROOT, "src/cli/bytecode.order"), `${lines.join("\n")}\n`);
} finally {
  load.stop();
  rmSync(folder, { recursive: true });
}
