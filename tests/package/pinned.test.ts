/** What the scripts, the tasks and the documents fetch has a version. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const tracked = Bun.spawnSync(["git", "ls-files"], { cwd: ROOT }).stdout.toString().trim().split("\n");

test("PK9 deno.lock is frozen and has every dependency at its version", () => {
  const { lock, imports } = JSON.parse(read("deno.json"));
  check.equal(lock, { path: "./deno.lock", frozen: true });
  const { specifiers, npm } = JSON.parse(read("deno.lock"));
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read("package.json"));
  const wanted = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }).map(([name, version]) =>
    `npm:${name}@${version}`
  );
  check.equal(Object.keys(specifiers).sort(), [...new Set([...wanted, ...Object.values<string>(imports)])].sort());
  check.equal(Object.entries<{ integrity?: string }>(npm).filter(([, { integrity }]) => integrity === undefined), []);
});

test("PK10 each package that npx fetches, and each npm: and jsr: specifier, has a version", () => {
  const loose = (paths: RegExp, names: RegExp): readonly string[] =>
    tracked.filter((path) => paths.test(path)).flatMap((path) =>
      [...read(path).matchAll(names)].map(([, name = ""]) => name).filter((name) => !/.@\d+\.\d+\.\d+$/.test(name))
        .map((name) => `${path}: ${name}`)
    );
  check.equal(
    loose(
      /\.(md|jsonc?|ya?ml)$|Dockerfile$|^\.ci\//,
      /\b(?:npx|bunx) (?:(?:--yes|-y) )?(?!(?:@nakurity\/)?neuro-relay\b)([@\w/.-]+)/g,
    ),
    [],
  );
  check.equal(loose(/\.(md|jsonc?|ts|mjs)$/, /["'`]((?:npm|jsr):[@\w/.-]+)["'`]/g), []);
});
