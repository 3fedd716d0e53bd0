/** Schemas are checked once, and kept once by all actions that have them. */
import { test } from "#runner";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { checkSchema } from "../../../src/neuro-api/check-schema.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { check } from "../../harness/check.ts";

const numbered = (at: number): JsonObject => ({ type: "object", properties: { [`n${at}`]: { type: "string" } } });

function register(schema: Json, limits: Partial<typeof DEFAULTS.limits> = {}) {
  const actions = [{ name: "jump", description: "Jump", schema }];
  const frame = JSON.stringify({ command: "actions/register", game: "Chess", data: { actions } });
  return decodeGame(frame, { ...DEFAULTS.limits, ...limits });
}

function schemaOf(read: ReturnType<typeof register>): JsonObject | undefined {
  check.that(read.ok && read.message.command === "actions/register");
  return read.message.actions[0]?.schema;
}

test("equal schemas of several games are one object, and others stay as they are", () => {
  const first = schemaOf(register(numbered(1)));
  check.equal(first, numbered(1));
  check.that(schemaOf(register(numbered(1))) === first);
  check.equal(schemaOf(register(numbered(2))), numbered(2));
  const reordered = { properties: { n1: { type: "string" } }, type: "object" };
  check.equal(JSON.stringify(schemaOf(register(reordered))), JSON.stringify(reordered));
});

test("a schema that was checked before has the same repairs and refusals, with the name of its action", () => {
  for (
    const schema of [{ properties: { a: { type: "int" } }, title: "T" }, { type: "null" }, { type: "object", minimum: {} }]
  ) {
    check.equal(register(schema), register(schema));
  }
  const repaired = register({ properties: { a: { type: "int" } } });
  check.that(repaired.ok && schemaOf(repaired) === schemaOf(register({ properties: { a: { type: "int" } } })));
  check.equal(repaired.repairs.map(({ what }) => what), ["schema_value", "schema_type_missing"]);
  check.that(register(numbered(3)).ok && !register(numbered(3), { schema_bytes: 20 }).ok, "the limit always counts");
});

test("at most 256 results are kept, of schemas of at most 2,048 characters", () => {
  const first = numbered(1_000);
  check.that(checkSchema(first).schema === first);
  for (let at = 1; at < 256; at++) checkSchema(numbered(1_000 + at));
  check.that(checkSchema(numbered(1_000)).schema === first);
  checkSchema(numbered(1_256));
  check.that(checkSchema(numbered(1_000)).schema !== first, "the first result is not kept any more");
  const long = (): JsonObject => ({ type: "object", description: "x".repeat(2_048) });
  check.that(checkSchema(long()).schema !== checkSchema(long()).schema);
});
