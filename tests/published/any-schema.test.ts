/** Whatever the schema of an action, the built-in Neuro sends data that an independent validator accepts, or does not use the action. */
import { test } from "#runner";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { check } from "../harness/check.ts";
import { Play } from "../unit/services/neuro/standalone/decider-fixture.ts";

const ROUNDS = 3;

const scalar = fc.constantFrom<Json[]>(null, true, 0, 3, -2.5, "a", "b", "long text", {}, { a: 1 }, [1]);
const size = fc.nat(4);
const number = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(0.5, 2.5, -7.25, 1_000_000));
const PATTERNS = [
  "^[a-z]{2,5}$",
  "^(red|blue)-[0-9]+$",
  "[A-Z][a-z]{2,9}( (I|II|III))?",
  "^(\\d{3}-)+x$",
  "^a(?=b)",
  "^\\S+@\\S+$",
  "b$",
];
const FORMATS = [
  "date-time",
  "date",
  "time",
  "email",
  "uuid",
  "ipv4",
  "uri",
  "hostname",
  "duration",
  "uri-template",
  "byte",
];
const NAMES = ["a", "b", "c", "d"];

/** Some of the keywords, each with a value of its kind. */
const someOf = (keywords: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<JsonObject> =>
  fc.record(keywords, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;

const typed = (type: Json, keywords: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> =>
  keywords.map((rest) => ({ type, ...rest }));

const FRACTIONS = [0.1, 0.01, 0.3, 1e-3, 0.7];

const { schema } = fc.letrec<{ schema: JsonObject; table: JsonObject; list: JsonObject; branches: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthIdentifier: "schema", withCrossShrink: true },
    typed("string", someOf({ minLength: size, maxLength: fc.integer({ min: 3, max: 30 }) })),
    typed("string", someOf({ pattern: fc.constantFrom(...PATTERNS), maxLength: fc.integer({ min: 3, max: 30 }) })),
    typed("string", someOf({ format: fc.constantFrom(...FORMATS), minLength: size })),
    typed("integer", someOf({ minimum: number, maximum: number, multipleOf: fc.constantFrom(1, 2, 0.5, 7) })),
    typed("number", someOf({ exclusiveMinimum: number, maximum: number, multipleOf: fc.constantFrom(0.25, 3) })),
    typed(["number", "null"], someOf({ exclusiveMaximum: number })),
    fc.array(scalar, { minLength: 1, maxLength: 4 }).map((values): JsonObject => ({ enum: values })),
    fc.tuple(fc.array(number, { minLength: 1, maxLength: 4 }), number).map(([values, minimum]) => ({
      enum: values,
      minimum,
    })),
    scalar.map((value): JsonObject => ({ const: value })),
    tie("table"),
    tie("list"),
    tie("branches"),
  ),
  table: typed(
    "object",
    someOf({
      properties: fc.dictionary(fc.constantFrom(...NAMES), tie("schema") as fc.Arbitrary<Json>, { maxKeys: 3 }),
      required: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }),
      additionalProperties: fc.oneof(fc.boolean(), tie("schema") as fc.Arbitrary<Json>),
      minProperties: size,
      maxProperties: size,
      dependentRequired: fc.dictionary(fc.constantFrom(...NAMES), fc.uniqueArray(fc.constantFrom(...NAMES)), {
        maxKeys: 2,
      }),
      dependencies: fc.dictionary(
        fc.constantFrom(...NAMES),
        fc.oneof(
          fc.uniqueArray(fc.constantFrom<Json[]>(...NAMES)) as fc.Arbitrary<Json>,
          tie("table") as fc.Arbitrary<Json>,
        ),
        { maxKeys: 2 },
      ),
      dependentSchemas: fc.dictionary(fc.constantFrom(...NAMES), tie("table") as fc.Arbitrary<Json>, { maxKeys: 1 }),
      patternProperties: fc.dictionary(fc.constantFrom("^a", "[a-z]+", "^(a|b)+$"), tie("schema") as fc.Arbitrary<Json>, {
        maxKeys: 1,
      }),
      propertyNames: fc.constantFrom<Json[]>({ pattern: "^[a-c]$" }, { maxLength: 3 }, { enum: ["a", "b"] }),
      unevaluatedProperties: fc.boolean(),
    }),
  ),
  list: typed(
    "array",
    someOf({
      items: tie("schema") as fc.Arbitrary<Json>,
      prefixItems: fc.array(tie("schema") as fc.Arbitrary<Json>, { minLength: 1, maxLength: 2 }),
      contains: tie("schema") as fc.Arbitrary<Json>,
      minContains: size,
      minItems: size,
      maxItems: size,
      uniqueItems: fc.boolean(),
    }),
  ),
  branches: someOf({
    allOf: fc.array(tie("schema") as fc.Arbitrary<Json>, { minLength: 1, maxLength: 2 }),
    anyOf: fc.array(tie("schema") as fc.Arbitrary<Json>, { minLength: 1, maxLength: 3 }),
    oneOf: fc.array(tie("schema") as fc.Arbitrary<Json>, { minLength: 1, maxLength: 3 }),
    not: tie("schema") as fc.Arbitrary<Json>,
    if: tie("schema") as fc.Arbitrary<Json>,
    then: tie("schema") as fc.Arbitrary<Json>,
    else: tie("schema") as fc.Arbitrary<Json>,
  }),
}));

/** Why true if ajv throws: its own code fails on `unevaluatedProperties` within `dependencies`, so it says nothing about the data. */
function isValid(accepts: (data: Json) => unknown, data: Json): boolean {
  try {
    return accepts(data) === true;
  } catch {
    return true;
  }
}

for (const decider of ["random", "first"] as const) {
  test(`NB142c for any schema, the data that the built-in Neuro sends is valid (${decider})`, () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    let [sent, tried] = [0, 0];
    // Why apart: validators disagree on whether a fraction is a multiple of another, so within `not` or `if` anything may come of it.
    const stepped = fc.record({ multipleOf: fc.constantFrom(...FRACTIONS), minimum: number }, {
      requiredKeys: ["multipleOf"],
    });
    const whole = fc.record({
      schema: fc.oneof({ arbitrary: schema, weight: 9 }, typed("number", stepped as fc.Arbitrary<JsonObject>)),
      seed: fc.nat(99),
    });
    fc.assert(
      fc.property(whole, ({ schema: inner, seed }) => {
        const action = {
          name: "act",
          description: "",
          schema: { type: "object", properties: { it: inner }, required: ["it"] },
        };
        const accepts = ajv.compile(action.schema);
        ajv.removeSchema(action.schema);
        const play = new Play({ decider, seed });
        play.hear({ command: "actions/register", actions: [action] });
        for (let round = 0; round < ROUNDS; round++) {
          tried++;
          play.hear({ command: "actions/force", query: "", ephemeral: false, priority: "low", names: ["act"] });
          for (const message of play.pass(8_000)) {
            check.that(message.command === "action");
            const data = JSON.parse(message.data ?? "{}");
            check.that(isValid(accepts, data), `${message.data}: ${ajv.errorsText(accepts.errors)}`);
            sent++;
            play.result(true);
          }
        }
      }),
      { numRuns: 1_500 },
    );
    check.that(sent > tried * 0.6, `only ${sent} of ${tried} forces were answered`);
  }, { timeoutMs: 60_000 });
}
