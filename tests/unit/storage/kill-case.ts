/** A writing process is killed repeatedly: every entry that it reported as stored must exist. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { key } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import type { BackendFixture, Quarantined } from "./backends.ts";
import type { Case } from "./contract.ts";

const KILLS = 5;
const WRITER = fileURLToPath(new URL("./endless-writer.ts", import.meta.url));

export const killCase: Case = {
  name: "ST12 ST13 a killed writer holds no lock, and no stored entry is lost",
  needs: ({ isDurable }) => isDurable,
  async run(fixture, { name }) {
    const acked: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const more = await writeUntilKilled(fixture, { run: kill, acks: 40 + 60 * kill });
      check.that(more.length > 0, `${name}: nothing was acknowledged before kill ${kill}`);
      acked.push(...more);
      await checkAll(fixture, acked);
    }
  },
};

async function checkAll(fixture: BackendFixture, acked: readonly string[]): Promise<void> {
  const quarantined: Quarantined = [];
  const store = await fixture.open(quarantined);
  const read = await store.read(await store.keys(key("neuro")));
  const found = new Set(read.map((entry) => entry.key as string));
  check.equal(acked.filter((name) => !found.has(name)), [], "acknowledged and lost");
  for (const { key: name, value } of read) {
    check.that(JSON.stringify(value).includes(`"name":"${name}"`), `mixed up: ${name}`);
  }
  check.equal(quarantined.filter(([name]) => acked.includes(name)), []);
  await store.close();
}

/** Runs a writer, kills it after `acks` acknowledged entries, and returns their keys. */
function writeUntilKilled(
  { settings }: BackendFixture,
  { run, acks }: { run: number; acks: number },
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const isDeno = "Deno" in globalThis;
    const words = isDeno ? ["run", "-A", "--unstable-kv", "--node-modules-dir=manual", WRITER] : [WRITER];
    const writer = spawn(process.execPath, [...words, JSON.stringify(settings), String(run)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    let isKilled = false;
    writer.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (!isKilled && said.split("\n").length > acks) isKilled = writer.kill("SIGKILL");
    });
    writer.on("error", reject);
    // Why without the last one: it is incomplete.
    writer.on(
      "close",
      () => isKilled ? resolve(said.split("\n").slice(0, -1)) : reject(new Error("the writer ended by itself")),
    );
  });
}
