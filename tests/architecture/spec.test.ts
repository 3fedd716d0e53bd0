/** The rules of SPEC.md and the tests that prove them: none without the other. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { readSources } from "../harness/source.ts";

const ID = "(?:IM|NB|NC|NL|BR|QU|ST|RT|SE|CL|AP|DB|CF|OB|SI|EX)\\d+[a-z]?";
const RULE = new RegExp(`^\\| *(${ID}) *\\|`, "gm");
/** The ids at the beginning of a string: the name of a test, or of a case in a suite that is data. */
const CITED = new RegExp(`["'\`]((?:${ID}[ ,:]+)+)[^"'\\s]`, "g");

const rules = [...readFileSync(join(ROOT, "tests/SPEC.md"), "utf8").matchAll(RULE)].map(([, id = ""]) => id);
const tests = readSources(ROOT, "tests/**/*.ts").filter(({ path }) => !path.startsWith("tests/architecture/"));
const cited = new Map<string, string>();
for (const { path, text } of tests) {
  for (const [, ids = ""] of text.matchAll(CITED)) for (const id of ids.split(/[ ,:]+/)) if (id !== "") cited.set(id, path);
}

test("every rule is stated once", () => {
  check.equal(rules.filter((id, at) => rules.indexOf(id) !== at), []);
});

test("every rule has a test", () => {
  check.that(rules.length > 0);
  check.equal(rules.filter((id) => !cited.has(id)), []);
});

test("every rule that a test names exists", () => {
  check.equal([...cited].filter(([id]) => !rules.includes(id)).map(([id, path]) => `${id} in ${path}`), []);
});
