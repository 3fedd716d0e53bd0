#!/usr/bin/env bun
/**
 * `bun run start`: the command line, read and parsed beforehand.
 *
 * To find and parse three hundred files takes longer than all else in a start. So they are made one file with its bytecode when
 * they are first run as they are now. Its folder is named by the content of all that it was made of, so one that is no longer
 * right is never taken. Where none can be made, the sources run as they are.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execPath, pid } from "node:process";

const root = join(import.meta.dirname, "../../..");
const entry = join(root, "src/cli/main.ts");
const cache = join(root, "node_modules/.cache/neuro-relay");

/** What the program is made of. Packages count by the lock file, which is made sure of before every start. */
function contentHash(): string {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(".")
  );
  const hash = new Bun.CryptoHasher("sha256");
  for (const path of ["package.json", "bun.lock", ...sources.map((source) => `src/${source}`).sort()]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length} `).update(content);
  }
  return hash.update(`${Bun.version} ${Bun.revision}`).digest("hex").slice(0, 32);
}

/** The program as one file; undefined where it cannot be made. */
function bundle(): string | undefined {
  try {
    const folder = join(cache, contentHash());
    const file = join(folder, "main.js");
    if (!existsSync(file)) build(folder);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined; // Why: a folder that cannot be written to must not keep the relay from starting.
  }
}

/** Why by way of another folder: a start in the meantime must not find half of it. */
function build(folder: string): void {
  mkdirSync(cache, { recursive: true });
  const outdated = readdirSync(cache);
  const draft = `${folder}.${pid}`;
  const how = ["--target=bun", "--format=cjs", "--bytecode", "--sourcemap=linked"];
  const { status } = spawnSync(execPath, ["build", entry, ...how, "--outdir", draft], { cwd: root, stdio: "ignore" });
  if (status !== 0) return rmSync(draft, { recursive: true, force: true });
  if (!existsSync(folder)) renameSync(draft, folder);
  for (const name of outdated) rmSync(join(cache, name), { recursive: true, force: true });
}

await import(bundle() ?? entry);
