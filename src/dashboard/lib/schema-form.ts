/**
 * A form made from a JSON Schema.
 *
 * A schema comes from a stranger. What the form knows becomes fields; anything else becomes a field in which JSON is typed. The
 * form is advice: what it makes is checked against the whole schema before it is sent, and by the relay again.
 *
 * Invariants: M1 a form has at most `FIELDS_MAX` fields and is at most `DEPTH_MAX` deep, whatever the schema; M2 nothing here
 * throws; M3 names of properties are never keys of a table of ours.
 */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";

const FIELDS_MAX = 80;
const DEPTH_MAX = 5;
const OPTIONS_MAX = 200;

interface FieldBase {
  readonly label: string;
  readonly description: string;
  /** What the schema says it is when nobody says otherwise. */
  readonly defaultValue: Json | undefined;
}

/** A text, with what it has to fulfil. */
export interface TextField extends FieldBase {
  readonly is: "text";
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: string | undefined;
}

/** A number, with what it has to fulfil. */
export interface NumberField extends FieldBase {
  readonly is: "number";
  readonly isInteger: boolean;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** The bounds themselves are out. */
  readonly isMinExclusive: boolean;
  readonly isMaxExclusive: boolean;
  readonly step: number | undefined;
}

/** One of several values. */
export interface ChoiceField extends FieldBase {
  readonly is: "choice";
  readonly options: readonly Json[];
}

/** Several of one kind. */
export interface ListField extends FieldBase {
  readonly is: "list";
  readonly item: FormField;
  readonly minItems: number;
  readonly maxItems: number;
}

/** Named fields together. */
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
  | (FieldBase & { readonly is: "yes or no" })
  | (FieldBase & { readonly is: "fixed"; readonly value: Json })
  /** JSON is typed in. */
  | (FieldBase & { readonly is: "raw" });

/** The form of a schema. */
export function formFromSchema(schema: Json): FormField {
  return new FormBuilder(schema).field(schema, "", 0);
}

/** One form being made. */
class FormBuilder {
  #left = FIELDS_MAX;
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  field(given: Json | undefined, label: string, depth: number): FormField {
    const schema = this.#plain(given);
    const common = commonOf(schema, label);
    if (schema === undefined || depth > DEPTH_MAX || --this.#left < 0) return { is: "raw", ...common };
    if (schema["const"] !== undefined) return { is: "fixed", value: schema["const"], ...common };
    const options = optionsOf(schema);
    if (options !== undefined) return { is: "choice", options, ...common };
    switch (kindOf(schema)) {
      case "string":
        return textField(schema, common);
      case "number":
      case "integer":
        return numberField(schema, common);
      case "boolean":
        return { is: "yes or no", ...common };
      case "array":
        return this.#list(schema, common, depth);
      case "object":
        return this.#group(schema, common, depth);
      default:
        return { is: "raw", ...common };
    }
  }

  #list(schema: JsonObject, common: FieldBase, depth: number): FormField {
    const { items } = schema;
    if (!isObject(items) || schema["prefixItems"] !== undefined) return { is: "raw", ...common };
    const item = this.field(items, "", depth + 1);
    return {
      is: "list",
      item,
      minItems: whole(schema["minItems"], 0),
      maxItems: whole(schema["maxItems"], Infinity),
      ...common,
    };
  }

  #group(schema: JsonObject, common: FieldBase, depth: number): FormField {
    const { properties, required } = schema;
    if (!isObject(properties)) return isClosed(schema) ? { is: "group", members: [], ...common } : { is: "raw", ...common };
    const names = new Set(Array.isArray(required) ? required : []);
    const all = Object.entries(properties);
    if (all.length > this.#left) return { is: "raw", ...common };
    const members = all.map(([name, part]) => ({
      name,
      isRequired: names.has(name),
      field: this.field(part, name, depth + 1),
    }));
    return { is: "group", members, ...common };
  }

  /** The schema itself where it is one that stands for another: a reference, the only part of all, something or null. */
  #plain(given: Json | undefined): JsonObject | undefined {
    let schema = given;
    for (let hops = 0; hops < 8; hops++) {
      if (!isObject(schema)) return undefined;
      const { $ref: reference, allOf, ...rest } = schema;
      const only: Json | undefined = Array.isArray(allOf) && allOf.length === 1 ? allOf[0] : undefined;
      const target = typeof reference === "string" ? this.#target(reference) : only;
      if (target !== undefined) {
        schema = isObject(target) ? joined(target, rest) : target;
        continue;
      }
      const some = thingOrNull(schema);
      if (some === undefined) return reference === undefined && allOf === undefined ? schema : undefined;
      schema = some;
    }
    return undefined;
  }

  #target(reference: string): Json | undefined {
    if (!reference.startsWith("#")) return undefined;
    let target: Json | undefined = this.#root;
    for (const token of reference.slice(1).split("/").slice(1)) {
      const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (!isObject(target) || !Object.hasOwn(target, name)) return undefined;
      target = target[name];
    }
    return target;
  }
}

/** Why by entries: assigning `__proto__` would set the prototype. */
const joined = (first: JsonObject, second: JsonObject): JsonObject =>
  Object.fromEntries([...Object.entries(first), ...Object.entries(second)]);

/** `anyOf: [<something>, {type: "null"}]`: the something. */
function thingOrNull({ anyOf, oneOf, ...rest }: JsonObject): JsonObject | undefined {
  const branches = anyOf ?? oneOf;
  if (!Array.isArray(branches) || branches.length > 2) return undefined;
  const others = branches.filter((branch: Json) => !isObject(branch) || branch["type"] !== "null");
  const only: Json | undefined = others.length === 1 ? others[0] : undefined;
  return isObject(only) ? joined(only, rest) : undefined;
}

function commonOf(schema: JsonObject | undefined, label: string): FieldBase {
  const { title, description, default: defaultValue } = schema ?? {};
  return {
    label: label === "" && typeof title === "string" ? title : label,
    description: typeof description === "string" ? description : "",
    defaultValue,
  };
}

/** The values there are to choose from, where they are listed one way or the other. */
function optionsOf(schema: JsonObject): readonly Json[] | undefined {
  const { enum: listed, anyOf, oneOf } = schema;
  if (Array.isArray(listed)) return listed.length > 0 && listed.length <= OPTIONS_MAX ? listed : undefined;
  const branches = oneOf ?? anyOf;
  if (!Array.isArray(branches) || branches.length === 0 || branches.length > OPTIONS_MAX) return undefined;
  const values = branches.map((branch: Json) => (isObject(branch) ? branch["const"] : undefined));
  return values.includes(undefined) ? undefined : values as Json[];
}

/** The one type it has beside null; guessed where the schema forgot to say. */
function kindOf(schema: JsonObject): string | undefined {
  const { type } = schema;
  if (typeof type === "string") return isBranched(schema) ? undefined : type;
  if (Array.isArray(type)) {
    const kinds = type.filter((kind: Json) => kind !== "null");
    return kinds.length === 1 && typeof kinds[0] === "string" ? kinds[0] : undefined;
  }
  if (isBranched(schema)) return undefined;
  if (schema["properties"] !== undefined) return "object";
  return schema["items"] === undefined ? undefined : "array";
}

const isBranched = ({ anyOf, oneOf, allOf, if: condition }: JsonObject): boolean =>
  [anyOf, oneOf, allOf, condition].some((branch) => branch !== undefined);

const isClosed = (schema: JsonObject): boolean => schema["additionalProperties"] === false;

const whole = (value: Json | undefined, otherwise: number): number =>
  typeof value === "number" && value >= 0 ? Math.floor(value) : otherwise;

function textField(schema: JsonObject, common: FieldBase): TextField {
  const { minLength, maxLength, pattern } = schema;
  return {
    is: "text",
    minLength: whole(minLength, 0),
    maxLength: whole(maxLength, Infinity),
    pattern: typeof pattern === "string" ? pattern : undefined,
    ...common,
  };
}

function numberField(schema: JsonObject, common: FieldBase): NumberField {
  const [minimum, above] = [numberOf(schema["minimum"]), numberOf(schema["exclusiveMinimum"])];
  const [maximum, below] = [numberOf(schema["maximum"]), numberOf(schema["exclusiveMaximum"])];
  const isMinExclusive = above !== undefined && (minimum === undefined || above >= minimum);
  const isMaxExclusive = below !== undefined && (maximum === undefined || below <= maximum);
  return {
    is: "number",
    isInteger: schema["type"] === "integer" || (Array.isArray(schema["type"]) && schema["type"].includes("integer")),
    min: isMinExclusive ? above : minimum,
    max: isMaxExclusive ? below : maximum,
    isMinExclusive,
    isMaxExclusive,
    step: numberOf(schema["multipleOf"]),
    ...common,
  };
}

const numberOf = (value: Json | undefined): number | undefined => (typeof value === "number" ? value : undefined);
