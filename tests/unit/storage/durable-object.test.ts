/** The contract of the store on a Durable Object in workerd. */
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { askWorkerd } from "../../harness/workerd.ts";

const OBJECT = JSON.stringify(join(ROOT, "tests/unit/storage/contract-object.ts"));

const answer = await askWorkerd(
  `export { ContractObject } from ${OBJECT};
  export default { fetch: (request, { OBJECT }) => OBJECT.get(OBJECT.idFromName("x")).fetch(request) };`,
  "ContractObject",
);
const results: readonly { readonly name: string; readonly error?: string }[] = JSON.parse(answer);

for (const { name, error } of results) test(`${name} (durable-object)`, () => check.equal(error, undefined));

test("ST1 the contract holds in workerd", () => check.that(results.length > 8, `${results.length} cases`));
