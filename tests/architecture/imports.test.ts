/** The import law holds: who knows whom, by which door, and who may name a runtime or a package. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { moduleOf, readSources } from "../harness/source.ts";
import { cycle, importBreaches, runtimeBreaches, sizeBreaches, typeCycle } from "./violations.ts";
import { LAW, PURE, ROOMS } from "./rules.ts";

const sources = readSources(ROOT, "src/**/*.ts", "src/**/*.tsx");

test("every folder of src is in the law, and imports only what the law lets it", () => {
  check.equal([...new Set(sources.map(({ path }) => moduleOf(path)))].filter((room) => LAW[room] === undefined), []);
  check.equal(importBreaches(sources), []);
});

test("the law itself has an order: nobody may import whoever may import them", () => {
  const reaches = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
    for (const next of LAW[from]?.may ?? []) if (!seen.has(next)) reaches(next, seen.add(next));
    return seen;
  };
  for (const room of Object.keys(LAW)) check.that(!reaches(room).has(room), `${room} may come back to itself`);
});

test("the rooms know nothing but the foundation, and the pure zone nothing outside itself", () => {
  for (const room of ROOMS) {
    check.equal(LAW[room]?.may.filter((name) => !["core", "queue", "inference"].includes(name)), []);
  }
  for (const zone of PURE) check.equal(LAW[zone]?.may.filter((room) => !PURE.includes(room)), []);
});

test("no file needs itself to be loaded first", () => {
  check.equal(cycle(sources), undefined);
});

test("outside core no file imports itself through others, not even by types", () => {
  check.equal(typeCycle(sources), undefined);
});

test("only the runtimes, and what is made for one, name a runtime", () => {
  check.equal(runtimeBreaches(sources), []);
});

test("no file and no folder is too large", () => {
  check.equal(sizeBreaches([...sources, ...readSources(ROOT, "tests/**/*.ts", "mod.ts")]), []);
});

test("NB60 only core/text.ts normalises text, because it checks the length before", () => {
  const callers = sources.filter(({ text }) => text.includes(".normalize(")).map(({ path }) => path);
  check.equal(callers, ["src/core/text.ts"]);
});
