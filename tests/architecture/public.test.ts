/** Every public name is listed, and has a comment that documents it. */
import { test } from "#runner";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { readSources, type Source } from "../harness/source.ts";

const PUBLIC = [
  "mod.ts",
  "src/testing/mod.ts",
  ...["brain", "game", "integration", "nallely", "watcher"].map((name) => `src/clients/${name}.ts`),
];
const sources = new Map(readSources(ROOT, "mod.ts", "src/**/*.ts").map((source) => [source.path, source]));

const REEXPORT = /^export\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"([^"]+)"/gm;

interface Exported {
  readonly name: string;
  readonly from: string;
}

/** The names that a file passes on from others. */
function reexports({ path, text }: Source): readonly Exported[] {
  return [...text.matchAll(REEXPORT)].flatMap(([, names = "", specifier = ""]) =>
    names.split(",").map((name) => name.trim().replace(/^type /, "").split(/ as /)[0] ?? "").filter((name) => name !== "")
      .map((name) => ({ name, from: posix.join(posix.dirname(path), specifier) }))
  );
}

/** Why a public name is not documented, or undefined when it is. */
function gap({ name, from }: Exported): string | undefined {
  const source = sources.get(from);
  if (source === undefined) return `${name}: ${from} is not there`;
  const further = reexports(source).find((exported) => exported.name === name);
  if (further !== undefined) return gap(further);
  const declaration = new RegExp(
    `(\\*/\\n)?export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\\*?|class|interface|type) ${name}\\b`,
  ).exec(source.text);
  if (declaration === null) return `${name}: not declared in ${from}`;
  return declaration[1] === undefined ? `${name} of ${from} has no docstring` : undefined;
}

for (const path of PUBLIC) {
  test(`all that ${path} exports is named there and documented where it is declared`, () => {
    check.that(existsSync(join(ROOT, path)), `${path} is missing`);
    const source = sources.get(path);
    check.that(source !== undefined);
    check.that(!/^export \*/m.test(source.code), "export * hides what is public");
    const exported = reexports(source);
    check.that(exported.length > 0, "nothing is public");
    check.equal(exported.map(gap).filter((missing) => missing !== undefined), []);
  });
}
