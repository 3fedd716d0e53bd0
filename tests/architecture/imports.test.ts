/** The import rules: which folder may import which, through which files, and who may name a runtime or a package. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { moduleOf, readSources } from "../harness/source.ts";
import { cycle, importViolations, runtimeViolations, sizeQuestions, sizeViolations, typeCycle } from "./violations.ts";
import { IMPORT_RULES, PURE, SERVICES } from "./rules.ts";

const sources = readSources(ROOT, "src/**/*.ts", "src/**/*.tsx");

test("every folder of src has an import rule and follows it", () => {
  check.equal(
    [...new Set(sources.map(({ path }) => moduleOf(path)))].filter((module) => IMPORT_RULES[module] === undefined),
    [],
  );
  check.equal(importViolations(sources), []);
});

test("the import rules have no cycle", () => {
  const reaches = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
    for (const next of IMPORT_RULES[from]?.may ?? []) if (!seen.has(next)) reaches(next, seen.add(next));
    return seen;
  };
  for (const module of Object.keys(IMPORT_RULES)) {
    check.that(!reaches(module).has(module), `${module} can import itself through others`);
  }
});

test("services import only core, queue, inference and neuro-api, and the pure zone nothing outside itself", () => {
  for (const module of SERVICES) {
    check.equal(
      IMPORT_RULES[module]?.may.filter((name) => !["core", "queue", "inference", "neuro-api"].includes(name)),
      [],
    );
  }
  for (const zone of PURE) check.equal(IMPORT_RULES[zone]?.may.filter((module) => !PURE.includes(module)), []);
});

test("there is no import cycle of values", () => {
  check.equal(cycle(sources), undefined);
});

test("outside core there is no import cycle of types", () => {
  check.equal(typeCycle(sources), undefined);
});

test("only runtimes and their drivers name a runtime", () => {
  check.equal(runtimeViolations(sources), []);
});

test("no file, folder, function or parameter list is over the maximum size; the largest are questions", () => {
  const all = [...sources, ...readSources(ROOT, "tests/**/*.ts", "mod.ts")];
  for (const question of sizeQuestions(all)) console.warn(`still one idea? ${question}`);
  check.equal(sizeViolations(all), []);
});

test("no type name is declared twice in src", () => {
  const declared = Map.groupBy(
    sources.flatMap(({ path, code }) =>
      [...code.matchAll(/^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm)].map(([, name = ""]) => ({
        name,
        path,
      }))
    ),
    ({ name }) => name,
  );
  const twice = [...declared].filter(([, places]) => new Set(places.map(({ path }) => path)).size > 1);
  check.equal(twice.map(([name, places]) => `${name}: ${places.map(({ path }) => path).join(", ")}`), []);
});

test("NB60 only core/text.ts normalises text, because it checks the length before", () => {
  const callers = sources.filter(({ text }) => text.includes(".normalize(")).map(({ path }) => path);
  check.equal(callers, ["src/core/text.ts"]);
});
