import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ENVIRONMENT } from "../../../src/cli/compiled-program.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";

const CACHE = "node_modules/.cache/neuro-relay";

interface Finished {
  readonly status: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A copy of the sources with the same packages and its own cache. */
class Copy {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Copy> {
    const copy = new Copy(await mkdtemp(join(tmpdir(), "neuro-relay-start-")));
    const packages = join(copy.folder, "node_modules");
    await mkdir(packages);
    for (const part of ["src", "package.json", "bun.lock"]) {
      await cp(join(ROOT, part), join(copy.folder, part), { recursive: true });
    }
    for (const name of await readdir(join(ROOT, "node_modules"))) {
      if (!name.startsWith(".")) await symlink(join(ROOT, "node_modules", name), join(packages, name));
    }
    return copy;
  }

  start(...words: readonly string[]): Finished {
    return this.startWith([], ...words);
  }

  /** Starts with options of Bun. */
  startWith(options: readonly string[], ...words: readonly string[]): Finished {
    const main = join(this.folder, "src/cli/main.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, [...options, main, ...words], { encoding: "utf8" });
    return { status, out: stdout, errors: stderr };
  }

  programs(): Promise<readonly string[]> {
    return readdir(join(this.folder, CACHE));
  }

  /** Puts a file in the place of the program. */
  async replaceProgram(text: string): Promise<void> {
    const [name = ""] = await this.programs();
    const program = join(this.folder, CACHE, name, "neuro-relay");
    await rm(program);
    await writeFile(program, text, { mode: 0o755 });
  }

  /** True if the program is found without reading the sources. */
  async isStamped(): Promise<boolean> {
    const [program = ""] = await this.programs();
    return (await readdir(join(this.folder, CACHE, program))).includes("stamp");
  }

  async edit(path: string, from: string, to: string): Promise<void> {
    const file = join(this.folder, path);
    const text = await readFile(file, "utf8");
    check.that(text.includes(from));
    await writeFile(file, text.replace(from, to));
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

async function inCopy(run: (copy: Copy) => Promise<void>): Promise<void> {
  const copy = await Copy.make();
  try {
    await run(copy);
  } finally {
    await copy.remove();
  }
}

test("CF35 the program that starts always matches the sources", () =>
  inCopy(async (copy) => {
    const first = copy.start("--version");
    check.equal([first.status, first.errors], [0, ""]);
    check.match(first.out, /\(source, bun /);
    const [made = "", ...more] = await copy.programs();
    check.equal(more, []);
    check.equal(copy.start("--version"), first);
    check.equal(await copy.programs(), [made]);
    const variables = Object.keys(ENVIRONMENT).map((name) => `$${name}`).join(" ");
    await copy.replaceProgram(`#!/bin/sh\necho "the program got $@ and ${variables}"\n`);
    check.equal(
      copy.start("token", "--help").out,
      `the program got token --help and ${Object.values(ENVIRONMENT).join(" ")}\n`,
    );
    check.match(copy.startWith(["--smol"], "token").out, /^nr_/);
    await copy.edit("src/runtimes/tokens/new-token.ts", "return `nr_", "return `changed_");
    check.match(copy.start("token").out, /^changed_/);
    const after = await copy.programs();
    check.that(after.length === 1 && after[0] !== made);
    check.equal(copy.start("chekc").status, 2);
    await copy.replaceProgram("no program");
    check.match(copy.start("token").out, /^changed_/);
  }), { timeoutMs: 120_000 });

test(
  "CF35b a file that changed in the last 3 s is read again, and later one with the same size and time",
  () =>
    inCopy(async (copy) => {
      const file = join(copy.folder, "src/runtimes/tokens/new-token.ts");
      await utimes(file, 1_000, 1_000);
      copy.start("--version");
      check.that(!await copy.isStamped());
      while (!await copy.isStamped()) copy.start("--version");
      await copy.edit("src/runtimes/tokens/new-token.ts", "return `nr_", "return `xx_");
      await utimes(file, 1_000, 1_000);
      check.match(copy.start("token").out, /^xx_/);
    }),
  { timeoutMs: 120_000 },
);

test(
  "CF35 without a writable cache, or if they cannot be compiled, the sources start one by one",
  () =>
    inCopy(async (copy) => {
      await writeFile(join(copy.folder, "node_modules/.cache"), "no folder");
      check.equal(copy.start("token").status, 0);
      await rm(join(copy.folder, "node_modules/.cache"));
      await writeFile(join(copy.folder, "src/runtimes/tokens/new-token.ts"), `import "./nowhere.ts";\n`);
      const broken = copy.start("token");
      check.equal(broken.status, 1);
      check.match(broken.errors, /nowhere\.ts/);
      check.equal(await copy.programs(), []);
    }),
  { timeoutMs: 120_000 },
);

test("CF41 every script installs what it needs first", async () => {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const scripts: Readonly<Record<string, string>> = manifest.scripts;
  const relay = ["start", "build", "build:all", "dev:workers", "deploy"];
  const composed = ["ok", "setup", "prepack"];
  for (const name of Object.keys(scripts)) {
    if (composed.includes(name) || name.slice(3) in scripts) continue;
    const install = relay.includes(name) ? "bun install --production --frozen-lockfile" : "bun run setup";
    check.equal(scripts[`pre${name}`], install, name);
  }
  check.that(relay.every((name) => name in scripts));
  check.equal(scripts["setup"], "bun install --frozen-lockfile && bun install --cwd tests --frozen-lockfile");
});
