import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { denoPath, ROOT } from "../../harness/machine.ts";
import { type BackendKind, denoKv, sqlite } from "./backends.ts";

const PROGRAM = join(ROOT, "tests/unit/storage/two-writes.ts");
const DENO = [denoPath(), "run", "-A", "--unstable-kv", "--node-modules-dir=manual"];

/** The system calls of a process that write to standard output or sync the disk. */
async function trace(words: readonly string[], kind: BackendKind): Promise<readonly string[]> {
  const fixture = await kind.make();
  const file = join(fixture.settings.path, "trace");
  const command = [
    "-f",
    "-e",
    "trace=fsync,fdatasync,write",
    "-o",
    file,
    ...words,
    PROGRAM,
    JSON.stringify(fixture.settings),
  ];
  const { status } = spawnSync("strace", command, { cwd: ROOT });
  const lines = status === 0 ? (await readFile(file, "utf8")).split("\n") : [];
  await fixture.clear();
  return lines.flatMap((line) =>
    /"((?:asked|stored) \w+)/.exec(line)?.[1] ?? (/f(?:data)?sync\(/.test(line) ? "sync" : [])
  );
}

if (spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0) {
  for (const [kind, words] of [[sqlite, [process.execPath]], [sqlite, DENO], [denoKv, DENO]] as const) {
    test(
      `ST19 an entry is synced to the disk before it counts as stored (${kind.name}, ${words === DENO ? "deno" : "bun"})`,
      async () => {
        const said = await trace(words, kind);
        for (const name of ["one", "two"]) {
          const [asked, stored] = [said.indexOf(`asked ${name}`), said.indexOf(`stored ${name}`)];
          check.that(asked >= 0 && stored > asked, `it did not write ${name}`);
          check.that(said.slice(asked, stored).includes("sync"), `${name} was not synced`);
        }
      },
      { timeoutMs: 60_000 },
    );
  }
} else console.log("skipped: what is synced, for nothing can be traced here");
