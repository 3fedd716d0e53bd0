/** From a schema to fields, from fields to JSON. */
import { test } from "#runner";
import fc from "fast-check";
import type { Json } from "../../../src/core/json.ts";
import { createDraft, type FormDraft, serializeDraft, updateDraft } from "../../../src/dashboard/lib/form-draft.ts";
import { type FormField, formFromSchema } from "../../../src/dashboard/lib/schema-form.ts";
import { check } from "../../harness/check.ts";

/** The kinds of the fields of an object, in order. */
const kinds = (schema: Json): readonly string[] => {
  const form = formFromSchema(schema);
  return form.is === "group" ? form.members.map(({ field }) => field.is) : [form.is];
};
const object = (properties: Json, required: Json = []): Json => ({ type: "object", properties, required });

/** What a form with one field makes of what was typed: its JSON, or its flaw. */
function typed(schema: Json, text: string): string | undefined {
  const form = formFromSchema(schema);
  const written = serializeDraft(form, { ...createDraft(form), text });
  return written.text ?? written.errors[0]?.message;
}

test("DB19 each kind of schema has its field, and what the form does not know is typed as JSON", () => {
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
      "yes or no",
      "choice",
      "fixed",
      "list",
      "group",
      "choice",
      "text",
      "raw",
      "raw",
      "text",
      "raw",
    ],
  );
  check.equal(kinds({ $defs: { a: { type: "integer" } }, type: "object", properties: { a: { $ref: "#/$defs/a" } } }), [
    "number",
  ]);
  check.equal(kinds(null), ["raw"]);
  check.equal(kinds({ type: "object" }), ["raw"]);
});

test("DB19 each field says what is wrong with what was typed", () => {
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
      [{ type: "integer", minimum: 1 }, "0", "at least 1"],
      [{ type: "integer", minimum: 1 }, "1", "1"],
      [{ type: "number", exclusiveMaximum: 1 }, "1", "must be less than 1"],
      [{ type: "number", multipleOf: 0.1 }, "0.3", "0.3"],
      [{ type: "number", multipleOf: 0.1 }, "0.35", "must be a multiple of 0.1"],
      [{ enum: ["a", "b"] }, "-1", "choose one"],
      [{ enum: ["a", "b"] }, "1", `"b"`],
      [{}, "{", "this is not JSON, or is nested too deeply"],
      [{}, "", "JSON, please"],
      [{}, `{"a":[1]}`, `{"a":[1]}`],
    ] as const
  ) check.equal(typed(schema, text), made, JSON.stringify([schema, text]));
});

test("DB19 what is optional is left out until it is given, what has a default begins with it, lists have their bounds", () => {
  const form = formFromSchema(object({
    a: { type: "string", default: "x" },
    b: { type: "integer" },
    c: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 },
  }, ["a", "c"]));
  const draft = createDraft(form);
  check.equal(serializeDraft(form, draft).text, `{"a":"x","c":[false,false]}`);
  const given = updateDraft(draft, [1], (part) => ({ ...part, isIncluded: true, text: "5" }));
  check.equal(serializeDraft(form, given).text, `{"a":"x","b":5,"c":[false,false]}`);
  const short = updateDraft(given, [2], (part) => ({ ...part, children: part.children.slice(1) }));
  check.equal(serializeDraft(form, short).errors, [{ path: "2", message: "at least 2 of them" }]);
  const wrong = updateDraft(given, [1], (part) => ({ ...part, text: "five" }));
  check.equal(serializeDraft(form, wrong).errors, [{ path: "1", message: "must be a number" }]);
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

/** Puts something that fits into every field. */
function filled(field: FormField, draft: FormDraft): FormDraft {
  const text = { text: "a", number: "1", choice: "0", raw: "null" }[field.is as string] ?? draft.text;
  const children = draft.children.map((part, at) => {
    const of = field.is === "group" ? field.members[at]?.field : field.is === "list" ? field.item : undefined;
    return of === undefined ? part : filled(of, part);
  });
  return { ...draft, text, children };
}

test("DB19 any schema gives a form of bounded size, and what it makes is JSON that a form can hold again", () => {
  fc.assert(
    fc.property(fc.oneof(schemas, fc.jsonValue() as fc.Arbitrary<Json>), (schema) => {
      const form = formFromSchema(schema);
      check.that(JSON.stringify(form).length < 60_000);
      const { text } = serializeDraft(form, filled(form, createDraft(form)));
      if (text === undefined) return; // A schema that nothing fits, e.g. a pattern that "a" does not match.
      const again = serializeDraft(form, createDraft(form, JSON.parse(text)));
      if (form.is !== "raw") check.equal(again.text, text);
    }),
    { numRuns: 300 },
  );
});
