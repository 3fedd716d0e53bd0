/** Each of the four checks of the pure zone rejects a violation and accepts the clean tree. */
import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { check } from "../harness/check.ts";
import { denoPath, ROOT, toolPath } from "../harness/machine.ts";
import { readSources } from "../harness/source.ts";
import { cycle, importViolations, runtimeViolations, sizeViolations, typeCycle } from "./violations.ts";

/** Runs a tool and returns its output, or "" if it finds no errors. */
function run(cwd: string, command: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

/** A small tree of its own, with the tools' settings of this one. */
function inTree<T>(files: Readonly<Record<string, string>>, use: (root: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), "checks-"));
  try {
    for (
      const kept of [
        "deno.json",
        "package.json",
        "src/tsconfig.json",
        "src/core/platform.d.ts",
        "tests/harness/lint.ts",
        "tests/harness/retired-words.ts",
      ]
    ) {
      mkdirSync(dirname(join(root, kept)), { recursive: true });
      cpSync(join(ROOT, kept), join(root, kept));
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const types = (root: string): string => run(root, toolPath("tsc"), "-p", "src");
const lint = (root: string): string => run(root, denoPath(), "lint", "src");
const read = (root: string) => readSources(root, "src/**/*.ts");

const CLEAN = "/** Nothing wrong. */\nexport const one = (n: number): number => n + 1;\n";

test("a clean tree passes every check", () => {
  inTree({ "src/core/clean.ts": CLEAN }, (root) => {
    check.equal([types(root), lint(root)], ["", ""]);
    check.equal([...importViolations(read(root)), ...runtimeViolations(read(root)), ...sizeViolations(read(root))], []);
  });
});

for (
  const [what, code] of [
    ["a timer", "export const late = (): unknown => setTimeout(() => {}, 1);"],
    ["the network", 'export const asked: unknown = fetch("x");'],
    ["a file", 'import { readFileSync } from "node:fs";\nexport const text: unknown = readFileSync("x");'],
    ["a runtime", "export const where: unknown = Deno.cwd();"],
    ["an unchecked index", "export const first = (list: readonly string[]): string => list[0];"],
    ["a type left to guess", "export const guess = (n: number) => [n];"],
    ["an enum", "export enum Colour { Red }"],
  ] as const
) {
  test(`types: ${what} cannot be named in the pure zone`, () => {
    inTree({ "src/services/neuro/broken.ts": `${code}\n` }, (root) => check.match(types(root), /broken\.ts.*error TS/));
  });
}

for (
  const [rule, what, code] of [
    ["project/pure", "the clock", "export const now = (): number => Date.now();"],
    ["project/pure", "chance", "export const luck = (): number => Math.random();"],
    [
      "project/pure",
      "inexact arithmetic",
      "export const power = (n: number): number => Math.pow(n, 0.5) + Math.exp(n) + Math.log(n);",
    ],
    ["project/pure", "async", "export async function later(): Promise<number> { return await Promise.resolve(1); }"],
    ["project/pure", "an async arrow", "export const later = async () => { await one(); };"],
    ["project/pure", "a locale", 'export const order = (a: string): number => a.localeCompare("b");'],
    ["project/pure", "Intl", "export const form = new Intl.NumberFormat();"],
    ["project/pure", "a microtask", "export const soon = (): void => queueMicrotask(() => {});"],
    ["project/pure", "a dynamic import", 'export const load = (): unknown => import("./x.ts");'],
    ["project/size", "a long function", `export function long(): void {\n${"  one();\n".repeat(120)}}`],
    [
      "project/size",
      "many parameters",
      "export const many = (a: number, b: number, c: number, d: number, e: number, f: number, g: number): number => a + b + c + d + e + f + g;",
    ],
    ["project/named-exports", "a default export", "export default 1;"],
    [
      "project/closed-switch",
      "an open switch",
      "export function f(x: 1 | 2): void {\n  switch (x) {\n    case 1:\n    case 2:\n  }\n}",
    ],
    ["project/retired-words", "a retired name", "export const roomCount = 1;"],
    ["project/retired-words", "a retired phrase", "/** Not to be " + "had. */\nexport const x = 1;"],
    ["project/no-enum", "an enum", "export enum Colour { Red }"],
    ["no-explicit-any", "any", "export const loose = (x: any): any => x;"],
    ["no-non-null-assertion", "a non-null assertion", "export const sure = (x?: string): string => x!;"],
  ] as const
) {
  test(`lint: ${what} is refused by ${rule}`, () => {
    inTree(
      { "src/services/brain/broken.ts": `${code}\n` },
      (root) => check.match(lint(root), new RegExp(`error\\[${rule}\\]`)),
    );
  });
}

test("lint: a property with the name of a banned global is accepted, and so is any code outside the pure zone", () => {
  const harmless = "export const at = (x: { Date: number; fetch: number }): number => x.Date + x.fetch;\n";
  const outside = "export const now = async (): Promise<number> => await Promise.resolve(Date.now());\n";
  inTree({ "src/core/clean.ts": harmless, "src/http/clean.ts": outside }, (root) => check.equal(lint(root), ""));
});

test("lint: a file with a name that does not describe its content is refused", () => {
  for (const path of ["src/core/utils.ts", "src/http/helpers.ts", "src/core/types.ts", "src/services/brain/CamelCase.ts"]) {
    inTree({ [path]: CLEAN }, (root) => check.match(lint(root), /error\[project\/file-name\]/));
  }
});

for (
  const [what, files] of [
    ["one service from another", {
      "src/services/neuro/a.ts": 'import { b } from "../services/brain/mod.ts";',
      "src/services/brain/mod.ts": "",
    }],
    ["a service through another file than its mod.ts", {
      "src/relay/a.ts": 'import type { B } from "../services/brain/inner.ts";',
      "src/services/brain/inner.ts": "",
    }],
    ["the engine from a service", {
      "src/services/neuro/a.ts": 'export { b } from "../engine/mod.ts";',
      "src/engine/mod.ts": "",
    }],
    ["a package from the foundation", { "src/core/a.ts": 'import { z } from "zod";' }],
    ["the hash package outside its file", { "src/core/a.ts": 'import { sha256 } from "@noble/hashes/sha2.js";' }],
    ["a service dynamically", {
      "src/services/neuro/a.ts": 'const b = await import("../services/brain/mod.ts");',
      "src/services/brain/mod.ts": "",
    }],
    ["a path without an extension", { "src/services/neuro/a.ts": 'import { b } from "./b";' }],
    ["from a folder without a rule", { "src/shed/a.ts": 'import { b } from "../core/b.ts";' }],
  ] as const
) {
  test(`import rules: a violation is importing ${what}`, () => {
    inTree(files, (root) => check.equal(importViolations(read(root)).length, 1));
  });
}

test("import rules: a cycle of values is found, a cycle of types is accepted, and comments and strings are not imports", () => {
  const round = { "src/core/a.ts": 'import { b } from "./b.ts";', "src/core/b.ts": 'export { a } from "./a.ts";' };
  inTree(round, (root) => check.equal(cycle(read(root)), ["src/core/a.ts", "src/core/b.ts", "src/core/a.ts"]));
  inTree(
    { ...round, "src/core/b.ts": 'import type { a } from "./a.ts";' },
    (root) => check.equal(cycle(read(root)), undefined),
  );
  const talk =
    '// import { b } from "../services/brain/mod.ts";\nexport const text = `\nimport { b } from "../services/brain/mod.ts";`;\n';
  inTree({ "src/services/neuro/a.ts": talk.split("\n")[0] ?? "" }, (root) => check.equal(importViolations(read(root)), []));
});

test("import rules: a cycle of types is found outside core and accepted inside", () => {
  const types = (folder: string) => ({
    [`${folder}/a.ts`]: 'import type { B } from "./b.ts";',
    [`${folder}/b.ts`]: 'import { type A } from "./a.ts";',
  });
  inTree(types("src/core"), (root) => check.equal(typeCycle(read(root)), undefined));
  inTree(
    types("src/http"),
    (root) => check.equal(typeCycle(read(root)), ["src/http/a.ts", "src/http/b.ts", "src/http/a.ts"]),
  );
});

test("import rules: a runtime is found where code uses its name, and not in comments and strings", () => {
  const named = {
    "src/http/a.ts": "Bun.serve({});",
    "src/http/b.ts": 'import { DurableObject } from "cloudflare:workers";',
  };
  inTree(named, (root) => check.equal(runtimeViolations(read(root)).length, 2));
  const mentioned = {
    "src/http/a.ts": '// Deno.serve is slower\nexport const name = "Bun.serve";',
    "src/runtimes/b.ts": "Bun.serve();",
  };
  inTree(mentioned, (root) => check.equal(runtimeViolations(read(root)), []));
});

test("size: a file of 701 lines, and a folder of 31 files, are one too many", () => {
  const lines = (count: number): string => "const a = 1;\n".repeat(count);
  const folder = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`src/http/f${n}.ts`, CLEAN]));
  inTree({ "src/http/a.ts": lines(700), ...folder(29) }, (root) => check.equal(sizeViolations(read(root)), []));
  inTree({ "src/http/a.ts": lines(701), ...folder(30) }, (root) => check.equal(sizeViolations(read(root)).length, 2));
});
