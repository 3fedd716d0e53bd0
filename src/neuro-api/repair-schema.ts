/**
 * Checks each keyword of a schema against the kind of value that JSON Schema defines for it. A value whose meaning is obvious is
 * repaired (`"int"` for `"integer"`, `required: true` in a property, a number as text); the first one whose meaning is not is the
 * problem for which the schema is refused.
 *
 * Invariants: RS1 a correct schema stays the same object; RS2 null stays, because games send it for "nothing",
 * and a profile removes it for backends that do not accept it.
 */
import { assertNever } from "../core/assert.ts";
import {
  canonicalJson,
  isNumber,
  isObject,
  type Json,
  type JsonObject,
  numberOf,
  parseJson,
  truthOf,
} from "../core/json.ts";
import { isRegExp, isSafePattern } from "./safe-pattern.ts";
import { hasNamedParts, targetOf } from "./schema-reference.ts";

export interface SchemaFindings {
  /** Keywords that Neuro may not support. */
  readonly unsupported: Set<string>;
  /** Patterns that the relay does not run. */
  readonly patterns: string[];
  /** Paths of the values that were repaired. */
  readonly repaired: string[];
  /** The path of the first value that cannot be repaired, and its error. */
  problem: string | undefined;
}

/** Keywords that the specification lists as not supported. */
const UNSUPPORTED_KEYWORDS: ReadonlySet<string> = new Set(
  ("$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary additionalProperties allOf anyOf " +
    "contentEncoding contentMediaType contentSchema dependentRequired dependentSchemas deprecated description else if " +
    "maxProperties minProperties multipleOf not oneOf patternProperties readOnly then title unevaluatedItems " +
    "unevaluatedProperties writeOnly uniqueItems").split(" "),
);

type ValueKind =
  | "type" // the name of a type, or several
  | "schema"
  | "items" // a schema, or a list of them in older drafts
  | "schemas" // a list of schemas
  | "schema_table" // schemas by names that are not keywords
  | "number"
  | "positive"
  | "size"
  | "names"
  | "boolean"
  | "text"
  | "pattern"
  | "pattern_table" // schemas by patterns
  | "reference"
  | "options" // the values that are allowed
  | "values"
  | "names_table";

const KINDS: ReadonlyMap<string, ValueKind> = new Map(
  ([
    ["type", "type"],
    ["items", "items"],
    [
      "schema",
      "contains additionalProperties additionalItems propertyNames not if then else contentSchema unevaluatedItems unevaluatedProperties",
    ],
    ["schemas", "allOf anyOf oneOf prefixItems"],
    ["schema_table", "properties $defs definitions dependentSchemas"],
    ["pattern_table", "patternProperties"],
    ["number", "minimum maximum exclusiveMinimum exclusiveMaximum"],
    ["positive", "multipleOf"],
    ["size", "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains"],
    ["names", "required"],
    ["boolean", "uniqueItems deprecated readOnly writeOnly"],
    [
      "text",
      "$anchor $comment $dynamicAnchor $dynamicRef $id $schema contentEncoding contentMediaType description format title",
    ],
    ["pattern", "pattern"],
    ["reference", "$ref"],
    ["options", "enum"],
    ["values", "examples"],
    ["names_table", "dependentRequired"],
  ] satisfies readonly (readonly [ValueKind, string])[]).flatMap(([kind, keywords]) =>
    keywords.split(" ").map((keyword): [string, ValueKind] => [keyword, kind])
  ),
);

/** Spellings of types in other languages, in lower case. */
const TYPE_SPELLINGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    object: "dict dictionary hash map record struct table",
    array: "list sequence set tuple vector",
    string: "char character str text",
    integer: "byte int int16 int32 int64 long short uint uint32 uint64",
    number: "decimal double float float32 float64 num real single",
    boolean: "bool",
    null: "nil none nothing undefined void",
  }).flatMap(([type, spellings]) => [type, ...spellings.split(" ")].map((spelling): [string, string] => [spelling, type])),
);

const TYPE_EXPECTED = "the name of a type, or a list of them";
/** Paths in a hint. */
const REPAIRED_PATHS_MAX = 8;
const PATH_LENGTH_MAX = 160;
/** Characters of a wrong value in a reason. */
const VALUE_LENGTH_MAX = 40;

/** The schema with its keywords repaired. If `findings` has a problem, it is of no use. */
export const repairSchema = (schema: JsonObject, findings: SchemaFindings): JsonObject =>
  new SchemaRepair(schema, findings).node(schema);

class SchemaRepair {
  readonly #root: JsonObject;
  readonly #findings: SchemaFindings;
  readonly #path: string[] = [];
  /** Parts of the schema may have names of their own; undefined until a reference is found that needs one. */
  #isNamed: boolean | undefined;

  constructor(root: JsonObject, findings: SchemaFindings) {
    this.#root = root;
    this.#findings = findings;
  }

  node(schema: JsonObject): JsonObject {
    const repaired = this.#repaired(schema);
    return typeof schema["enum"] === "string" ? this.#withFittingType(repaired) : repaired;
  }

  /** The values of an `enum` that was a text are texts: they become numbers for a numeric type, and no other type stays. */
  #withFittingType(schema: JsonObject): JsonObject {
    const { type, enum: values, ...rest } = schema;
    const types = Array.isArray(type) ? type : [type];
    if (!Array.isArray(values) || type === undefined || types.includes("string")) return schema;
    const numbers = values.map((value: Json) => (typeof value === "string" ? numberIn(value) : value));
    const isNumeric = types.some((name) => name === "number" || name === "integer") && !numbers.includes(undefined);
    return this.#within(
      "enum",
      () => this.#changed(isNumeric ? { ...schema, enum: numbers as Json[] } : { ...rest, enum: values }),
    );
  }

  #repaired(schema: JsonObject): JsonObject {
    return mapValues(this.#modernized(schema), (keyword, value) => {
      const { unsupported } = this.#findings;
      if (UNSUPPORTED_KEYWORDS.has(keyword)) unsupported.add(keyword);
      const kind = KINDS.get(keyword);
      if (kind === undefined || value === undefined || value === null) return value;
      return this.#within(keyword, () => this.#value(kind, value));
    });
  }

  #value(kind: ValueKind, value: Json): Json | undefined {
    switch (kind) {
      case "type":
        return this.#type(value);
      case "schema":
        return this.#subschema(value);
      case "items":
        return Array.isArray(value) && value.length > 0
          ? this.#list(value, (item) => this.#subschema(item))
          : this.#subschema(value);
      case "schemas":
        if (isObject(value)) return [this.#subschema(this.#changed(value))];
        if (Array.isArray(value) && value.length === 0) return this.#changed(undefined);
        return this.#list(value, (item) => this.#subschema(item));
      case "schema_table":
        return this.#table(value, (item) => this.#subschema(item));
      case "number":
        return this.#number(value, () => true, "a number");
      case "positive":
        return this.#number(value, (number) => number > 0, "a number above 0");
      case "size":
        return this.#number(value, (number) => Number.isInteger(number) && number >= 0, "a whole number from 0");
      case "names":
        return this.#names(value);
      case "boolean":
        return this.#boolean(value);
      case "text":
        return this.#text(value);
      case "pattern":
        return this.#pattern(this.#text(value));
      case "pattern_table":
        return this.#patternTable(value);
      case "reference":
        return this.#reference(value);
      case "options":
        return this.#options(this.#values(value));
      case "values":
        return this.#values(value);
      case "names_table":
        return this.#table(value, (item) => this.#names(item));
      default:
        return assertNever(kind);
    }
  }

  #type(value: Json): Json | undefined {
    if (typeof value === "string" && TYPE_SPELLINGS.get(value) === value) return value;
    const given = typeof value === "string" ? value.split(/[|,]/).map((name) => name.trim()) : value;
    if (!Array.isArray(given)) return this.#problem(TYPE_EXPECTED, value);
    if (given.length === 0) return this.#changed(undefined); // Why: an empty table of Lua, which means nothing here.
    const types: string[] = [];
    for (const name of given) {
      if (typeof name === "string" && name.toLowerCase() === "any") return this.#changed(undefined);
      const type = typeof name === "string" ? TYPE_SPELLINGS.get(name.toLowerCase()) : undefined;
      if (type === undefined) return this.#problem(TYPE_EXPECTED, name ?? null);
      if (!types.includes(type)) types.push(type);
    }
    const [only] = types;
    const repaired = types.length === 1 && typeof value === "string" && only !== undefined ? only : types;
    return JSON.stringify(repaired) === JSON.stringify(value) ? value : this.#changed(repaired);
  }

  #subschema(value: Json): Json {
    if (isObject(value)) return this.node(value);
    if (typeof value === "boolean" || value === null) return value;
    if (Array.isArray(value) && value.length === 0) return {}; // Why: an empty table of Lua is sent as an empty list.
    const truth = typeof value === "string" ? truthOf(value) : undefined;
    if (truth !== undefined) return this.#changed(truth);
    const type = typeof value === "string" ? TYPE_SPELLINGS.get(value.toLowerCase()) : undefined;
    return type === undefined ? this.#problem("a schema", value) : this.#changed({ type });
  }

  #list(value: Json, repair: (item: Json) => Json): Json {
    if (!Array.isArray(value)) return this.#problem("a list", value);
    const repaired = value.map((item: Json, at) => this.#within(String(at), () => repair(item)));
    return repaired.some((item, at) => item !== value[at]) ? repaired : value;
  }

  #table(value: Json, repair: (item: Json) => Json): Json {
    if (Array.isArray(value) && value.length === 0) return {};
    if (!isObject(value)) return this.#problem("an object", value);
    return mapValues(value, (name, item) => item === undefined ? item : this.#within(name, () => repair(item)));
  }

  #number(value: Json, isAllowed: (number: number) => boolean, expected: string): Json {
    const given = typeof value === "string" ? numberIn(value) : value;
    const number = numberOf(given);
    if (given === undefined || number === undefined || !isAllowed(number)) return this.#problem(expected, value);
    return given === value ? value : this.#changed(given);
  }

  #text(value: Json): Json {
    if (isNumber(value) || typeof value === "boolean") return this.#changed(String(value));
    return typeof value === "string" ? value : this.#problem("a text", value);
  }

  /** A pattern that is no regular expression is left out. */
  #pattern(value: Json): Json | undefined {
    if (typeof value !== "string") return value;
    if (!isRegExp(value)) return this.#changed(undefined);
    if (!isSafePattern(value)) this.#findings.patterns.push(value.slice(0, 64));
    return value;
  }

  #patternTable(value: Json): Json {
    const table = this.#table(value, (item) => this.#subschema(item));
    if (!isObject(table)) return table;
    return mapValues(table, (pattern, item) => isRegExp(pattern) ? item : this.#changed(undefined));
  }

  #reference(value: Json): Json {
    if (targetOf(value, this.#root) !== undefined) return value;
    const mayBeNamed = typeof value === "string" && !value.startsWith("#/") &&
      (this.#isNamed ??= hasNamedParts(this.#root));
    return mayBeNamed ? value : this.#problem("a reference to a part of the schema, such as #/$defs/place", value);
  }

  /** Each value once; at least one, because nothing else would be valid. */
  #options(values: Json): Json {
    if (!Array.isArray(values)) return values;
    if (values.length === 0) return this.#problem("a list of at least one value", values);
    const unique = [...new Map(values.map((value): [string, Json] => [canonicalJson(value), value])).values()];
    return unique.length === values.length ? values : this.#changed(unique);
  }

  #names(value: Json): Json {
    if (typeof value === "string") return this.#changed([...new Set(listIn(value))]);
    if (isObject(value) && Object.values(value).every((isListed) => typeof isListed === "boolean")) {
      return this.#changed(Object.keys(value).filter((name) => value[name] === true));
    }
    if (!Array.isArray(value)) return this.#problem("a list of names", value);
    const wrong = value.find((name: Json) => typeof name !== "string");
    if (wrong !== undefined) return this.#problem("a list of names", wrong);
    const unique = [...new Set(value)];
    return unique.length === value.length ? value : this.#changed(unique);
  }

  #boolean(value: Json): Json {
    if (typeof value === "boolean") return value;
    const truth = truthOf(value);
    return truth === undefined ? this.#problem("true or false", value) : this.#changed(truth);
  }

  #values(value: Json): Json {
    if (Array.isArray(value)) return value;
    if (typeof value === "string") return this.#changed(listIn(value));
    return isObject(value) ? this.#problem("a list of values", value) : this.#changed([value]);
  }

  /** Rewrites booleans of drafts 3 and 4 in the form of newer drafts. */
  #modernized(schema: JsonObject): JsonObject {
    let modern = this.#withRequiredOf(schema);
    if (truthOf(modern["required"]) !== undefined) {
      const { required: _required, ...rest } = modern;
      this.#within("required", () => this.#changed(undefined));
      modern = rest;
    }
    for (const [flag, bound] of [["exclusiveMinimum", "minimum"], ["exclusiveMaximum", "maximum"]] as const) {
      if (typeof modern[flag] !== "boolean") continue;
      const { [flag]: isExclusive, [bound]: value, ...rest } = modern;
      this.#within(flag, () => this.#changed(undefined));
      modern = value === undefined ? rest : { ...rest, [isExclusive ? flag : bound]: value };
    }
    return modern;
  }

  /** Moves `required: true` of a property into the `required` list of its object. */
  #withRequiredOf(schema: JsonObject): JsonObject {
    const { properties, required } = schema;
    const isMarked = (property: Json | undefined) => isObject(property) && truthOf(property["required"]) !== undefined;
    if (!isObject(properties) || !Object.values(properties).some(isMarked)) return schema;
    const marked = Object.entries(properties).filter(([, property]) => isMarked(property));
    this.#within("properties", () => this.#changed(undefined));
    const names = marked.filter(([, property]) => isObject(property) && truthOf(property["required"]) === true);
    const stripped = Object.fromEntries(marked.map(([name, property]) => {
      const { required: _required, ...rest } = isObject(property) ? property : {};
      return [name, rest];
    }));
    const listed = Array.isArray(required)
      ? required
      : typeof required === "string" && truthOf(required) === undefined
      ? listIn(required)
      : [];
    const all = [...new Set([...listed, ...names.map(([name]) => name)])];
    const { required: _required, ...rest } = schema;
    return { ...rest, properties: { ...properties, ...stripped }, ...(all.length > 0 && { required: all }) };
  }

  #within<Of>(step: string, repair: () => Of): Of {
    this.#path.push(step);
    const repaired = repair();
    this.#path.pop();
    return repaired;
  }

  #changed<Of>(value: Of): Of {
    const { repaired } = this.#findings;
    if (repaired.length < REPAIRED_PATHS_MAX) repaired.push(this.#location());
    return value;
  }

  #problem(expected: string, value: Json): Json {
    const found = JSON.stringify(value).slice(0, VALUE_LENGTH_MAX);
    this.#findings.problem ??= `${this.#location()} has to be ${expected}, not ${found}`;
    return value;
  }

  #location(): string {
    return `/${this.#path.join("/")}`.slice(0, PATH_LENGTH_MAX);
  }
}

/** The number in a text, as it is written there if that is JSON. */
function numberIn(text: string): Json | undefined {
  const number = Number(text);
  return text.trim() === "" || !Number.isFinite(number) ? undefined : parseJson(text, 1) ?? number;
}

/** The items of a list that was written as a text. */
const listIn = (text: string): string[] => text.split(",").map((item) => item.trim());

/** The same object if every value stays the same, else a copy with the new values; undefined removes a key. */
function mapValues(object: JsonObject, next: (key: string, value: Json | undefined) => Json | undefined): JsonObject {
  let changed: Map<string, Json | undefined> | undefined;
  for (const key of Object.keys(object)) {
    const after = next(key, object[key]);
    if (after !== object[key]) (changed ??= new Map()).set(key, after);
  }
  if (changed === undefined) return object; // Why this way: nearly every schema is right, and many are registered at once.
  const entries = Object.entries(object).map(([key, value]) => [key, changed.has(key) ? changed.get(key) : value] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
