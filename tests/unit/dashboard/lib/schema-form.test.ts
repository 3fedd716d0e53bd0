/** From a schema to fields, and from fields to JSON. */
import { test } from "#runner";
import fc from "fast-check";
import { type Json, parseJson } from "../../../../src/core/json.ts";
import {
  createDraft,
  type FieldError,
  type FormDraft,
  serializeDraft,
  updateDraft,
} from "../../../../src/dashboard/lib/form-draft.ts";
import { type FormField, formFromSchema } from "../../../../src/dashboard/lib/schema-form.ts";
import { sanitizeData } from "../../../../src/dashboard/lib/sanitize.ts";
import { check } from "../../../harness/check.ts";

/** The kinds of the fields of an object, in order. */
const kinds = (schema: Json): readonly string[] => {
  const form = formFromSchema(schema);
  return form.is === "group" ? form.members.map(({ field }) => field.is) : [form.is];
};
/** The JSON of a draft; undefined if it has errors. */
function json(form: FormField, draft: FormDraft): string | undefined {
  const written = serializeDraft(form, draft);
  return written.ok ? written.json : undefined;
}

/** The errors of a draft. */
function errors(form: FormField, draft: FormDraft): readonly FieldError[] {
  const written = serializeDraft(form, draft);
  return written.ok ? [] : written.errors;
}

const object = (properties: Json, required: Json = []): Json => ({ type: "object", properties, required });

/** The JSON of a form with one field, or its error. */
function typed(schema: Json, text: string): string | undefined {
  const form = formFromSchema(schema);
  const written = serializeDraft(form, { ...createDraft(form), text });
  return written.ok ? written.json : written.errors[0]?.message;
}

test("DB19 each kind of schema has its field, and a schema that the form does not support is typed as JSON", () => {
  check.equal(
    kinds(object({
      a: { type: "string" },
      b: { type: "integer" },
      c: { type: ["number", "null"] },
      d: { type: "boolean" },
      e: { enum: ["x", 1, null] },
      f: { const: 7 },
      g: { type: "array", items: { type: "string" } },
      h: object({}),
      i: { oneOf: [{ const: 1 }, { const: 2 }] },
      j: { anyOf: [{ type: "string" }, { type: "null" }] },
      k: { oneOf: [{ type: "string" }, { type: "number" }] },
      l: true,
      m: { allOf: [{ type: "string" }] },
      n: { type: "array", prefixItems: [{}] },
    })),
    [
      "text",
      "number",
      "number",
      "boolean",
      "choice",
      "constant",
      "list",
      "group",
      "choice",
      "text",
      "json",
      "json",
      "text",
      "json",
    ],
  );
  check.equal(kinds({ $defs: { a: { type: "integer" } }, type: "object", properties: { a: { $ref: "#/$defs/a" } } }), [
    "number",
  ]);
  check.equal(kinds(null), ["json"]);
  check.equal(kinds({ type: "object" }), ["json"]);
});

test("DB19 each field reports the errors of its text", () => {
  for (
    const [schema, text, made] of [
      [{ type: "string", minLength: 1 }, "", "must not be empty"],
      [{ type: "string", maxLength: 2 }, "äöü", "at most 2 characters"],
      [{ type: "string", maxLength: 2 }, "😀😀", `"😀😀"`],
      [{ type: "string", pattern: "^b" }, "a", "must match ^b"],
      [{ type: "string", pattern: "^(a+)+$" }, `${"a".repeat(100)}!`, `"${"a".repeat(100)}!"`],
      [{ type: "string", pattern: "(" }, "a", `"a"`],
      [{ type: "number" }, "", "must be a number"],
      [{ type: "number" }, "1e999", "must be a number"],
      [{ type: "number" }, " 0x10 ", "16"],
      [{ type: "integer" }, "1.5", "must be a whole number"],
      [{ type: "integer", minimum: 1 }, "0", "must be at least 1"],
      [{ type: "integer", minimum: 1 }, "1", "1"],
      [{ type: "number", exclusiveMaximum: 1 }, "1", "must be less than 1"],
      [{ type: "number", multipleOf: 0.1 }, "0.3", "0.3"],
      [{ type: "number", multipleOf: 0.1 }, "0.35", "must be a multiple of 0.1"],
      [{ enum: ["a", "b"] }, "-1", "choose one"],
      [{ enum: ["a", "b"] }, "1", `"b"`],
      [{}, "{", "Not valid JSON: line 1, column 2"],
      [{}, "", "Enter valid JSON"],
      [{}, `{"a":[1]}`, `{"a":[1]}`],
    ] as const
  ) check.equal(typed(schema, text), made, JSON.stringify([schema, text]));
});

test("DB19 an optional field is left out until it is included, a default is the first value, a list has its bounds", () => {
  const form = formFromSchema(object({
    a: { type: "string", default: "x" },
    b: { type: "integer" },
    c: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 },
  }, ["a", "c"]));
  const draft = createDraft(form);
  check.equal(json(form, draft), `{"a":"x","c":[false,false]}`);
  const given = updateDraft(draft, [1], (child) => ({ ...child, isIncluded: true, text: "5" }));
  check.equal(json(form, given), `{"a":"x","b":5,"c":[false,false]}`);
  const short = updateDraft(given, [2], (child) => ({ ...child, children: child.children.slice(1) }));
  check.equal(errors(form, short), [{ path: "2", message: "Add at least 2" }]);
  const wrong = updateDraft(given, [1], (child) => ({ ...child, text: "five" }));
  check.equal(errors(form, wrong), [{ path: "1", message: "must be a number" }]);
});

const schemas = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(
      { type: "string" },
      { type: "integer" },
      { type: "boolean" },
      { enum: [1, "a"] },
      { const: null },
      {},
    ),
    fc.record({ type: fc.constant("array"), items: tie("schema") }) as fc.Arbitrary<Json>,
    fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("schema"), { maxKeys: 4 }).map(
      (properties): Json => ({ type: "object", properties, required: Object.keys(properties) }),
    ),
  ),
})).schema;

/** A draft with a fitting value in every field. */
function filled(field: FormField, draft: FormDraft): FormDraft {
  const text = { text: "a", number: "1", choice: "0", json: "null" }[field.is as string] ?? draft.text;
  const children = draft.children.map((part, at) => {
    const of = field.is === "group" ? field.members[at]?.field : field.is === "list" ? field.item : undefined;
    return of === undefined ? part : filled(of, part);
  });
  return { ...draft, text, children };
}

test("DB19 any schema gives a form of bounded size, and its JSON can be edited by the form again", () => {
  fc.assert(
    fc.property(fc.oneof(schemas, fc.jsonValue() as fc.Arbitrary<Json>), (schema) => {
      const form = formFromSchema(schema);
      check.that(JSON.stringify(form).length < 60_000);
      const text = json(form, filled(form, createDraft(form)));
      if (text === undefined) return; // No draft fits this schema, e.g. a pattern that "a" does not match.
      const again = json(form, createDraft(form, JSON.parse(text)));
      if (form.is !== "json") check.equal(again, text);
    }),
    { numRuns: 300 },
  );
});

test("EX17 a form sends a number with the text that was typed or listed, and reads bounds however they are spelled", () => {
  const schema = parseJson(
    '{"type":"object","properties":{"id":{"enum":[1183749237498237443,1.10]},"n":{"type":"number","maximum":2.0,"default":1.0}}}',
    64,
  );
  const form = formFromSchema(schema ?? null);
  check.equal(
    json(form, createDraft(form, parseJson('{"id":1183749237498237443,"n":1.50}', 8))),
    '{"id":1183749237498237443,"n":1.50}',
  );
  check.equal(typed({ type: "integer" }, "1183749237498237443"), "1183749237498237443");
  check.match(typed(parseJson('{"type":"number","maximum":2.0}', 8) ?? null, "2.5") ?? "", /2/);
  check.equal(sanitizeData('{"id":1183749237498237443}'), '{\n  "id": 1183749237498237443\n}');
});
