/**
 * Makes a form from a JSON Schema.
 *
 * A schema is untrusted input. Parts that the form understands become fields; every other part becomes a field in which JSON is typed. The
 * form is a convenience: its data is checked against the whole schema before it is sent, and by the relay again.
 *
 * Invariants: M1 a form has at most `FIELDS_MAX` fields and at most `DEPTH_MAX` levels, whatever the schema; M2 nothing here throws; M3
 * names of properties are never used as keys of a lookup table.
 */
import { targetOf } from "../../neuro-api/schema-reference.ts";
import { isObject, type Json, type JsonObject, numberOf } from "../../core/json.ts";

const FIELDS_MAX = 80;
const DEPTH_MAX = 5;
const OPTIONS_MAX = 200;
/** References that are followed from one place. */
const REFERENCES_MAX = 8;

interface FieldBase {
  readonly label: string;
  readonly description: string;
  readonly defaultValue: Json | undefined;
}

export interface TextField extends FieldBase {
  readonly is: "text";
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: string | undefined;
}

/** An end of a range. */
export interface Bound {
  readonly value: number;
  /** The value itself is not allowed. */
  readonly isExclusive: boolean;
}

export interface NumberField extends FieldBase {
  readonly is: "number";
  readonly isInteger: boolean;
  readonly min: Bound | undefined;
  readonly max: Bound | undefined;
  readonly step: number | undefined;
}

export interface ChoiceField extends FieldBase {
  readonly is: "choice";
  readonly options: readonly Json[];
}

export interface ListField extends FieldBase {
  readonly is: "list";
  readonly item: FormField;
  readonly minItems: number;
  readonly maxItems: number;
}

export interface GroupField extends FieldBase {
  readonly is: "group";
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly name: string;
  readonly isRequired: boolean;
  readonly field: FormField;
}

export type FormField =
  | TextField
  | NumberField
  | ChoiceField
  | ListField
  | GroupField
  | (FieldBase & { readonly is: "boolean" })
  | (FieldBase & { readonly is: "constant"; readonly value: Json })
  /** JSON is typed in. */
  | (FieldBase & { readonly is: "json" });

/** The form of a schema. */
export function formFromSchema(schema: Json): FormField {
  return new FormBuilder(schema).field(schema, "", 0);
}

class FormBuilder {
  #fieldsLeft = FIELDS_MAX;
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  field(given: Json | undefined, label: string, depth: number): FormField {
    const schema = this.#resolve(given);
    const base = baseOf(schema, label);
    if (schema === undefined || depth > DEPTH_MAX || --this.#fieldsLeft < 0) return { is: "json", ...base };
    if (schema["const"] !== undefined) return { is: "constant", value: schema["const"], ...base };
    const options = optionsOf(schema);
    if (options !== undefined) return { is: "choice", options, ...base };
    switch (typeOf(schema)) {
      case "string":
        return textField(schema, base);
      case "number":
      case "integer":
        return numberField(schema, base);
      case "boolean":
        return { is: "boolean", ...base };
      case "array":
        return this.#list(schema, base, depth);
      case "object":
        return this.#group(schema, base, depth);
      default: // Why not `assertNever`: the type is any text that a peer sent.
        return { is: "json", ...base };
    }
  }

  #list(schema: JsonObject, base: FieldBase, depth: number): FormField {
    const { items } = schema;
    if (!isObject(items) || schema["prefixItems"] !== undefined) return { is: "json", ...base };
    const item = this.field(items, "", depth + 1);
    const [minItems, maxItems] = [lengthOf(schema["minItems"], 0), lengthOf(schema["maxItems"], Infinity)];
    return { is: "list", item, minItems, maxItems, ...base };
  }

  #group(schema: JsonObject, base: FieldBase, depth: number): FormField {
    const { properties, required, additionalProperties } = schema;
    if (!isObject(properties)) {
      return additionalProperties === false ? { is: "group", members: [], ...base } : { is: "json", ...base };
    }
    const requiredNames = new Set(Array.isArray(required) ? required : []);
    const entries = Object.entries(properties);
    if (entries.length > this.#fieldsLeft) return { is: "json", ...base };
    const members = entries.map(([name, member]) => ({
      name,
      isRequired: requiredNames.has(name),
      field: this.field(member, name, depth + 1),
    }));
    return { is: "group", members, ...base };
  }

  /** Replaces a schema that stands for another one: a `$ref`, the only member of `allOf`, or "something or null". */
  #resolve(given: Json | undefined): JsonObject | undefined {
    let schema = given;
    for (let hops = 0; hops < REFERENCES_MAX; hops++) {
      if (!isObject(schema)) return undefined;
      const { $ref: reference, allOf, ...rest } = schema;
      const onlyMember: Json | undefined = Array.isArray(allOf) && allOf.length === 1 ? allOf[0] : undefined;
      const target = typeof reference === "string" ? targetOf(reference, this.#root) : onlyMember;
      if (target !== undefined) {
        schema = isObject(target) ? merged(target, rest) : target;
        continue;
      }
      const nonNull = nonNullBranch(schema);
      if (nonNull === undefined) return reference === undefined && allOf === undefined ? schema : undefined;
      schema = nonNull;
    }
    return undefined;
  }
}

/** Why by entries: assigning `__proto__` would set the prototype. */
const merged = (first: JsonObject, second: JsonObject): JsonObject =>
  Object.fromEntries([...Object.entries(first), ...Object.entries(second)]);

/** The schema in `anyOf: [<schema>, {type: "null"}]`. */
function nonNullBranch({ anyOf, oneOf, ...rest }: JsonObject): JsonObject | undefined {
  const branches = anyOf ?? oneOf;
  if (!Array.isArray(branches) || branches.length > 2) return undefined;
  const others = branches.filter((branch: Json) => !isObject(branch) || branch["type"] !== "null");
  const only: Json | undefined = others.length === 1 ? others[0] : undefined;
  return isObject(only) ? merged(only, rest) : undefined;
}

function baseOf(schema: JsonObject | undefined, label: string): FieldBase {
  const { title, description, default: defaultValue } = schema ?? {};
  return {
    label: label === "" && typeof title === "string" ? title : label,
    description: typeof description === "string" ? description : "",
    defaultValue,
  };
}

/** The values of an `enum`, or of a `oneOf` or `anyOf` of constants. */
function optionsOf(schema: JsonObject): readonly Json[] | undefined {
  const { enum: listed, anyOf, oneOf } = schema;
  if (Array.isArray(listed)) return listed.length > 0 && listed.length <= OPTIONS_MAX ? listed : undefined;
  const branches = oneOf ?? anyOf;
  if (!Array.isArray(branches) || branches.length === 0 || branches.length > OPTIONS_MAX) return undefined;
  const values = branches.map((branch: Json) => (isObject(branch) ? branch["const"] : undefined));
  return values.includes(undefined) ? undefined : values as Json[];
}

/** The one type beside null. A schema without a type gets the one that its keywords imply. */
function typeOf(schema: JsonObject): string | undefined {
  const { type } = schema;
  if (typeof type === "string") return isBranched(schema) ? undefined : type;
  if (Array.isArray(type)) {
    const types = type.filter((one: Json) => one !== "null");
    return types.length === 1 && typeof types[0] === "string" ? types[0] : undefined;
  }
  if (isBranched(schema)) return undefined;
  if (schema["properties"] !== undefined) return "object";
  return schema["items"] === undefined ? undefined : "array";
}

const isBranched = ({ anyOf, oneOf, allOf, if: condition }: JsonObject): boolean =>
  [anyOf, oneOf, allOf, condition].some((branch) => branch !== undefined);

function lengthOf(value: Json | undefined, fallback: number): number {
  const length = numberOf(value);
  return length !== undefined && length >= 0 ? Math.floor(length) : fallback;
}

function textField(schema: JsonObject, base: FieldBase): TextField {
  const { minLength, maxLength, pattern } = schema;
  return {
    is: "text",
    minLength: lengthOf(minLength, 0),
    maxLength: lengthOf(maxLength, Infinity),
    pattern: typeof pattern === "string" ? pattern : undefined,
    ...base,
  };
}

function numberField(schema: JsonObject, base: FieldBase): NumberField {
  const { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema;
  return {
    is: "number",
    isInteger: type === "integer" || (Array.isArray(type) && type.includes("integer")),
    min: tighter(boundOf(minimum, false), boundOf(exclusiveMinimum, true), (one, other) => one > other),
    max: tighter(boundOf(maximum, false), boundOf(exclusiveMaximum, true), (one, other) => one < other),
    step: numberOf(multipleOf),
    ...base,
  };
}

function boundOf(given: Json | undefined, isExclusive: boolean): Bound | undefined {
  const value = numberOf(given);
  return value === undefined ? undefined : { value, isExclusive };
}

/** Of two bounds the one that allows less. */
function tighter(
  inclusive: Bound | undefined,
  exclusive: Bound | undefined,
  isTighter: (one: number, other: number) => boolean,
): Bound | undefined {
  if (inclusive === undefined || exclusive === undefined) return inclusive ?? exclusive;
  return isTighter(inclusive.value, exclusive.value) ? inclusive : exclusive;
}
