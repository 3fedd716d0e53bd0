/** Whatever a game gives as a schema: if its action is registered, an independent validator accepts the schema that Neuro gets. */
import { test } from "#runner";
import { Ajv } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { decodeSchema } from "../../src/neuro-api/decode-schema.ts";
import { check } from "../harness/check.ts";

const RUNS = 2_000;

const KEYWORDS = (
  "type items anyOf allOf oneOf prefixItems contains not if then else properties patternProperties propertyNames required " +
  "dependentRequired dependentSchemas additionalProperties enum const examples minimum maximum exclusiveMinimum exclusiveMaximum " +
  "multipleOf minLength maxLength minItems maxItems minProperties maxProperties minContains uniqueItems pattern format title $ref " +
  "$defs definitions description deprecated default"
).split(" ");

const leaf = fc.oneof(
  fc.constantFrom<Json[]>("int", "Object", "a,b", "5", "true", "", null, [], {}, ["a"], ["a", "a"], [1, 2, 1], [{}, {}], {
    a: true,
  }),
  fc.constantFrom<Json[]>(
    "[",
    "(?i)x",
    "^a$",
    "[\\w-.]",
    "(?P<a>x)",
    "a{2,1}",
    "#",
    "#/$defs/a",
    "#/$defs/b%20c",
    "other.json",
    "#here",
  ),
  fc.constantFrom<Json[]>(["string", "int"], ["object", "null"], { "[": {} }, { "^a": {} }, [{
    name: "a",
    type: "string",
  }]),
  fc.integer({ min: -3, max: 9 }),
  fc.constantFrom(0.5, 2.5),
  fc.boolean(),
);

const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => {
  const value: fc.Arbitrary<Json> = fc.oneof(
    { maxDepth: 4, depthIdentifier: "schema" },
    { arbitrary: leaf, weight: 4 },
    tie("schema"),
    fc.array(tie("schema"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b c", "[", "__proto__"), tie("schema"), { maxKeys: 2 }),
  );
  return { schema: fc.dictionary(fc.constantFrom(...KEYWORDS), value, { maxKeys: 4 }) as fc.Arbitrary<JsonObject> };
});

/** As a backend gets it that accepts no null. Values of `enum`, `const`, `examples` and `default` are data. */
function withoutNulls(given: Json): Json {
  if (Array.isArray(given)) return given.map((item: Json) => withoutNulls(item));
  if (!isObject(given)) return given;
  const data = ["enum", "const", "examples", "default"];
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]): [string, Json] => [key, data.includes(key) ? value ?? null : withoutNulls(value ?? null)]),
  );
}

/** The error of the last validator, if each of them refuses the schema. */
function refusalOf(sent: JsonObject): string | undefined {
  let refusal = "";
  for (const Validator of [Ajv2020, Ajv2019, Ajv]) {
    for (const unicodeRegExp of [true, false]) {
      try {
        new Validator({ strict: false, validateFormats: false, unicodeRegExp }).compile(sent);
        return undefined;
      } catch (error) {
        refusal = String(error);
      }
    }
  }
  return refusal;
}

test("NB106g whatever schema is given, one that passes is accepted by a validator", () => {
  let passed = 0;
  fc.assert(
    fc.property(schema, (given) => {
      const decoded = decodeSchema(given, { repairs: [], bytesMax: 65_536, where: "a" });
      if (!decoded.ok || decoded.value === undefined) return;
      passed++;
      check.equal(refusalOf(withoutNulls(decoded.value) as JsonObject), undefined, JSON.stringify(decoded.value));
    }),
    { numRuns: RUNS },
  );
  check.that(passed > RUNS / 20, `only ${passed} of ${RUNS} passed`);
}, { timeoutMs: 60_000 });
