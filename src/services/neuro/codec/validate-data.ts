/**
 * Validates the data of an action against its schema, without generated code, and within bounds of time and depth.
 *
 * A schema comes from a peer. It is compiled first: keywords that are known and well-formed are kept, references within the schema
 * are replaced by their targets, and patterns that could take too long are left out. Data that cannot be validated within the bounds
 * passes, because the integration checks its own data anyway.
 *
 * Invariants: VD1 nothing here throws; VD2 a compiled schema has at most `NODES_MAX` parts and `SCHEMA_DEPTH_MAX` levels, and no
 * reference.
 */
import { type Schema, Validator } from "@cfworker/json-schema";
import { isNumber, isObject, isShallow, type Json, type JsonObject, numberOf, parseJson } from "../../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { FORMAT_SAMPLES } from "../standalone/format-samples.ts";
import { isSafePattern, PATTERN_TEXT_MAX } from "../../../neuro-api/safe-pattern.ts";
import { targetOf } from "../../../neuro-api/schema-reference.ts";
import { ComparableNumbers } from "./comparable-numbers.ts";

/** Parts of a schema whose references are resolved. */
const NODES_MAX = 2_000;
/**
 * Data is not validated if the parts of the schema, with the values of its enums, times the characters of the data are more than
 * this.
 */
const WORK_MAX = 4_000_000;
/** In longer data, patterns and `uniqueItems` are not checked. */
const COSTLY_TEXT_MAX = 8_192;

/** The schema of an action, compiled once. */
export interface CompiledSchema {
  /** Samples are generated from it: it also has the patterns and formats that are not checked. */
  readonly normalized: JsonObject;
  /** Everything that the schema demands of data is checked, or is a pattern that a sample matches because it is made from it. */
  readonly isComplete: boolean;
  readonly size: number;
  readonly strict: Validator;
  /** Without the keywords whose check takes more than linear time. */
  readonly loose: Validator;
  readonly numbers: ComparableNumbers;
}

export function compileSchema(schema: JsonObject): CompiledSchema {
  const strict = new SchemaCompiler(schema, true);
  const normalized = strict.compileRoot();
  const loose = new SchemaCompiler(schema, false).compileRoot();
  const numbers = new ComparableNumbers(normalized);
  // Why the cast: the type of the package has an index of `any`, and a compiled schema has only keywords that it knows.
  const validator = (part: JsonObject): Validator => new Validator(numbers.of(part) as Schema, "2020-12", true);
  const { size, isComplete } = strict;
  return { normalized, isComplete, size, strict: validator(normalized), loose: validator(loose), numbers };
}

/**
 * Parses and validates data, and returns the text to send: undefined if the action takes no data.
 *
 * The failure describes the error for the peer that chose the action.
 */
export function checkData(schema: CompiledSchema | undefined, data: string): Result<string | undefined> {
  if (schema === undefined) return ok(undefined);
  const text = data.trim() === "" ? "{}" : data;
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  if (value === undefined) {
    return failed("badMessage", `\`data\` is not JSON, or is nested deeper than ${SCHEMA_DEPTH_MAX} levels`);
  }
  const wrong = validationError(schema, value, text);
  return wrong === undefined ? ok(text) : failed("badMessage", wrong);
}

/** The first error in the value; undefined if it is valid, or cannot be validated within the bounds. */
export function validationError(
  schema: CompiledSchema,
  value: Json,
  text: string = JSON.stringify(value),
): string | undefined {
  if (!isCheckable(schema, text)) return undefined;
  try {
    const { valid, errors } = (isCheap(value, text) ? schema.strict : schema.loose).validate(schema.numbers.of(value));
    if (valid) return undefined;
    // Why the last error: the first ones only say that something inside is wrong.
    const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: "#", error: "does not match the schema" };
    return `${instanceLocation}: ${error}`.slice(0, 500);
  } catch {
    return undefined;
  }
}

const isCheckable = (schema: CompiledSchema, text: string): boolean =>
  schema.size * text.length <= WORK_MAX && isShallow(text, SCHEMA_DEPTH_MAX);

const isCheap = (value: Json, text: string): boolean => text.length <= COSTLY_TEXT_MAX && !hasLongText(value);

/** True if the data was sampled from this schema, and everything that the schema demands holds. */
export function isValidSample(schema: CompiledSchema, value: Json): boolean {
  const text = JSON.stringify(value);
  return schema.isComplete && isCheckable(schema, text) && isCheap(value, text) &&
    validationError(schema, value, text) === undefined;
}

function hasLongText(value: Json): boolean {
  if (typeof value === "string") return value.length > PATTERN_TEXT_MAX;
  if (Array.isArray(value)) return value.some(hasLongText);
  return isObject(value) && Object.entries(value).some(([key, item]) => hasLongText(key) || hasLongText(item ?? null));
}

type KeywordReader = (value: Json, compiler: SchemaCompiler, depth: number) => Json | undefined;

const one: KeywordReader = (value, compiler, depth) => compiler.compile(value, depth);
const list: KeywordReader = (value, compiler, depth) =>
  Array.isArray(value) && value.length > 0 ? value.map((item: Json) => compiler.compile(item, depth)) : undefined;
/** Reads schemas from which no sample is generated, or only sometimes. */
const indirect = (read: KeywordReader): KeywordReader => (value, compiler, depth) => {
  compiler.indirect++;
  const compiled = read(value, compiler, depth);
  compiler.indirect--;
  return compiled;
};
const indirectOne = indirect(one);
const indirectList = indirect(list);
const table: KeywordReader = (value, compiler, depth) =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, compiler.compile(part ?? null, depth)]))
    : undefined;
const indirectTable = indirect(table);
const patterns: KeywordReader = (value, compiler, depth) => {
  if (!compiler.isStrict || !isObject(value)) return undefined;
  const safe = Object.entries(value).filter(([pattern]) => isSafePattern(pattern));
  if (safe.length < Object.keys(value).length) compiler.isComplete = false;
  return indirectTable(Object.fromEntries(safe), compiler, depth);
};
const number: KeywordReader = (value) => numberOf(value);
const size: KeywordReader = (value) => numberIf(value, (number) => number >= 0);
const positive: KeywordReader = (value) => numberIf(value, (number) => number > 0 && number < Infinity);
function numberIf(value: Json, isAllowed: (number: number) => boolean): number | undefined {
  const number = numberOf(value);
  return number !== undefined && isAllowed(number) ? number : undefined;
}
const names: KeywordReader = (value, compiler) =>
  Array.isArray(value) && value.every((name: Json) => typeof name === "string") ? compared(value, compiler, 0) : undefined;
/** A value that data is compared with. */
const compared: KeywordReader = (value, compiler) => {
  compiler.countValue(value);
  return value;
};
const asIs: KeywordReader = (value) => value;

const TYPES: readonly Json[] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** Keys for patterns and formats that are not checked. No keyword of JSON Schema, so the validator ignores them. */
export const UNCHECKED_PATTERN = "unchecked pattern";
export const UNCHECKED_FORMAT = "unchecked format";

/** The known keywords, and how the value of each is read. */
const KEYWORD_READERS: ReadonlyMap<string, KeywordReader> = new Map<string, KeywordReader>([
  [
    "type",
    (value) => {
      if (!Array.isArray(value)) return TYPES.includes(value) ? value : undefined;
      return value.length > 0 && value.every((type: Json) => TYPES.includes(type)) ? value : undefined;
    },
  ],
  ["enum", (value, compiler) => (Array.isArray(value) && value.length > 0 ? compared(value, compiler, 0) : undefined)],
  ["const", compared],
  ["default", asIs],
  ["required", names],
  ["properties", table],
  ["patternProperties", patterns],
  ["additionalProperties", indirectOne],
  ["propertyNames", indirectOne],
  ["dependentSchemas", indirectTable],
  [
    "dependentRequired",
    (value, compiler) => {
      if (!isObject(value)) return undefined;
      return Object.fromEntries(
        Object.entries(value).map(([name, list]) => [name, names(list ?? null, compiler, 0) ?? []]),
      );
    },
  ],
  ["unevaluatedProperties", indirectOne],
  ["unevaluatedItems", indirectOne],
  ["items", one],
  ["prefixItems", list],
  ["contains", indirectOne],
  ["allOf", indirectList],
  ["anyOf", indirectList],
  ["oneOf", indirectList],
  ["not", indirectOne],
  ["if", indirectOne],
  ["then", indirectOne],
  ["else", indirectOne],
  ["minimum", number],
  ["maximum", number],
  ["exclusiveMinimum", number],
  ["exclusiveMaximum", number],
  ["multipleOf", positive],
  ["minLength", size],
  ["maxLength", size],
  ["minItems", size],
  ["maxItems", size],
  ["minContains", size],
  ["maxContains", size],
  ["minProperties", size],
  ["maxProperties", size],
  [
    "pattern",
    (value, compiler) => (compiler.isStrict && typeof value === "string" && isSafePattern(value) ? value : undefined),
  ],
  ["uniqueItems", (value, compiler) => (compiler.isStrict && value === true ? true : undefined)],
]);

class SchemaCompiler {
  readonly isStrict: boolean;
  /** False once something that the schema demands was left out. */
  isComplete = true;
  /** The number of enclosing keywords from which no sample is generated. */
  indirect = 0;
  readonly #root: JsonObject;
  #parts = 0;
  #values = 0;

  constructor(root: JsonObject, isStrict: boolean) {
    this.#root = root;
    this.isStrict = isStrict;
  }

  /** Everything that one value of the data may be compared with. */
  get size(): number {
    return this.#parts + this.#values;
  }

  countValue(value: Json): void {
    this.#values++;
    if (typeof value !== "object" || value === null || isNumber(value)) return;
    for (const item of Object.values(value)) this.countValue(item ?? null);
  }

  compileRoot(): JsonObject {
    const normalized = this.compile(this.#root, 0);
    return isObject(normalized) ? normalized : {};
  }

  /** One part of the schema; where a bound is reached it accepts every value. */
  compile(given: Json, depth: number): Json {
    if (typeof given === "boolean") return given;
    if (!isObject(given)) return {};
    if (depth > SCHEMA_DEPTH_MAX || ++this.#parts > NODES_MAX) {
      this.isComplete = false;
      return {};
    }
    const entries: [string, Json][] = [];
    for (const [keyword, value] of Object.entries(modernized(given))) {
      const read = value === undefined ? undefined : KEYWORD_READERS.get(keyword)?.(value, this, depth + 1);
      if (read !== undefined) entries.push([keyword, read]);
    }
    if (this.isStrict) entries.push(...this.#uncheckedOf(given));
    const normalized = Object.fromEntries(entries);
    const target = targetOf(given["$ref"], this.#root);
    if (target === undefined) {
      if (given["$ref"] !== undefined) this.isComplete = false;
      return normalized;
    }
    if (Object.keys(normalized).length === 0) return this.compile(target, depth + 1);
    return { allOf: [normalized, indirectOne(target, this, depth + 1) ?? {}] };
  }

  /** What only a sampler uses. It counts as complete where every sample is made from it. */
  #uncheckedOf({ pattern, format }: JsonObject): readonly [string, Json][] {
    const unchecked: [string, Json][] = [];
    if (typeof pattern === "string" && !isSafePattern(pattern)) unchecked.push([UNCHECKED_PATTERN, pattern]);
    if (typeof format === "string" && FORMAT_SAMPLES.has(format)) unchecked.push([UNCHECKED_FORMAT, format]);
    if (unchecked.length > (this.indirect === 0 ? 1 : 0)) this.isComplete = false;
    return unchecked;
  }
}

const objectOr = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const listOr = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Older drafts have a list of schemas in `items`, and `dependencies` of both kinds. */
function modernized(given: JsonObject): JsonObject {
  const { dependencies } = given;
  if (!Array.isArray(given["items"]) && !isObject(dependencies)) return given;
  const modern: Record<string, Json | undefined> = { ...given };
  if (Array.isArray(given["items"])) {
    modern["prefixItems"] = given["items"];
    modern["items"] = given["additionalItems"];
  }
  if (isObject(dependencies)) {
    const required = new Map(Object.entries(objectOr(given["dependentRequired"])));
    const schemas = new Map(Object.entries(objectOr(given["dependentSchemas"])));
    // Why both: a name may have the older and the newer form, and each of them holds.
    for (const [name, value = true] of Object.entries(dependencies)) {
      if (Array.isArray(value)) required.set(name, [...listOr(required.get(name)), ...listOr(value)]);
      else schemas.set(name, schemas.has(name) ? { allOf: [schemas.get(name) ?? true, value] } : value);
    }
    modern["dependentRequired"] = Object.fromEntries(required);
    modern["dependentSchemas"] = Object.fromEntries(schemas);
  }
  return modern;
}
