/**
 * Data of an action against the schema of the action, without code made from text and and within bounds of time and depth.
 *
 * A schema comes from a peer. It is first made ready: only keywords that are understood and well-formed are kept, references
 * within the schema are filled in, patterns that could take for ever are left out. What cannot be checked within bounds passes:
 * the integration checks its own data anyway, and a schema too odd for us is no reason to stop it.
 *
 * Invariants: S1 nothing here throws; S2 a ready schema has at most `NODES_MAX` parts, is at most `SCHEMA_DEPTH_MAX` deep and
 * refers to nothing.
 */
import { type Schema, Validator } from "@cfworker/json-schema";
import { isObject, isShallow, type Json, type JsonObject, parseJson } from "../../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { isSafePattern, PATTERN_TEXT_MAX } from "./safe-pattern.ts";

/** Parts of a schema, with its references filled in. */
const NODES_MAX = 2_000;
/** Parts of a schema times characters of the data, beyond which the data is not checked. */
const WORK_MAX = 4_000_000;
/** Characters of data in which patterns, and that items are unique, are still checked. */
const COSTLY_TEXT_MAX = 8_192;

/** An action's schema, made ready once. */
export interface CompiledSchema {
  /** What samples are made from. */
  readonly normalized: JsonObject;
  readonly size: number;
  readonly strict: Validator;
  /** Without what takes more than time in proportion to the data. */
  readonly loose: Validator;
}

/** Makes a schema ready. */
export function compileSchema(schema: JsonObject): CompiledSchema {
  const strict = new SchemaCompiler(schema, true);
  const normalized = strict.compileRoot();
  const loose = new SchemaCompiler(schema, false).compileRoot();
  return { normalized, size: strict.parts, strict: validator(normalized), loose: validator(loose) };
}

/**
 * Reads data as text, checks it, and returns what to send: undefined where the action takes nothing.
 *
 * The failure says what is wrong, for whoever chose.
 */
export function checkData(schema: CompiledSchema | undefined, data: string): Result<string | undefined> {
  if (schema === undefined) return ok(undefined);
  const text = data.trim() === "" ? "{}" : data;
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  if (value === undefined) return failed("badMessage", "`data` is not JSON, or is nested too deeply");
  const wrong = validationError(schema, value, text);
  return wrong === undefined ? ok(text) : failed("badMessage", wrong);
}

/** What is wrong with the value, or undefined. */
export function validationError(
  schema: CompiledSchema,
  value: Json,
  text: string = JSON.stringify(value),
): string | undefined {
  if (schema.size * text.length > WORK_MAX || !isShallow(text, SCHEMA_DEPTH_MAX)) return undefined;
  const isCheap = text.length <= COSTLY_TEXT_MAX && !hasLongText(value);
  try {
    const { valid, errors } = (isCheap ? schema.strict : schema.loose).validate(value);
    if (valid) return undefined;
    // Why the last: the first ones only say that something inside is wrong.
    const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: "#", error: "does not match the schema" };
    return `${instanceLocation}: ${error}`.slice(0, 500);
  } catch {
    return undefined;
  }
}

function hasLongText(value: Json): boolean {
  if (typeof value === "string") return value.length > PATTERN_TEXT_MAX;
  if (Array.isArray(value)) return value.some(hasLongText);
  return isObject(value) && Object.entries(value).some(([key, item]) => hasLongText(key) || hasLongText(item ?? null));
}

// Why the cast: the package's type has an index of `any`, and only what it knows is in a ready schema.
const validator = (ready: JsonObject): Validator => new Validator(ready as Schema, "2020-12", true);

type KeywordReader = (value: Json, making: SchemaCompiler, depth: number) => Json | undefined;

const one: KeywordReader = (value, making, depth) => making.compile(value, depth);
const list: KeywordReader = (value, making, depth) =>
  Array.isArray(value) && value.length > 0 ? value.map((item: Json) => making.compile(item, depth)) : undefined;
const table: KeywordReader = (value, making, depth) =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, making.compile(part ?? null, depth)]))
    : undefined;
const patterns: KeywordReader = (value, making, depth) =>
  making.isStrict && isObject(value)
    ? table(Object.fromEntries(Object.entries(value).filter(([pattern]) => isSafePattern(pattern))), making, depth)
    : undefined;
const number: KeywordReader = (value) => (typeof value === "number" ? value : undefined);
const size: KeywordReader = (value) => (typeof value === "number" && value >= 0 ? value : undefined);
const positive: KeywordReader = (value) => (typeof value === "number" && value > 0 ? value : undefined);
const names: KeywordReader = (value) =>
  Array.isArray(value) && value.every((name: Json) => typeof name === "string") ? value : undefined;
const asIs: KeywordReader = (value) => value;

const TYPES: readonly Json[] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** The keywords that are understood, and how each is read. */
const KEYWORD_READERS: ReadonlyMap<string, KeywordReader> = new Map<string, KeywordReader>([
  [
    "type",
    (value) => {
      if (!Array.isArray(value)) return TYPES.includes(value) ? value : undefined;
      return value.length > 0 && value.every((type: Json) => TYPES.includes(type)) ? value : undefined;
    },
  ],
  ["enum", (value) => (Array.isArray(value) && value.length > 0 ? value : undefined)],
  ["const", asIs],
  ["default", asIs],
  ["required", names],
  ["properties", table],
  ["patternProperties", patterns],
  ["additionalProperties", one],
  ["propertyNames", one],
  ["dependentSchemas", table],
  ["items", one],
  ["prefixItems", list],
  ["contains", one],
  ["allOf", list],
  ["anyOf", list],
  ["oneOf", list],
  ["not", one],
  ["if", one],
  ["then", one],
  ["else", one],
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
    (value, making) => (making.isStrict && typeof value === "string" && isSafePattern(value) ? value : undefined),
  ],
  ["uniqueItems", (value, making) => (making.isStrict && value === true ? true : undefined)],
]);

/** One schema being made ready. */
class SchemaCompiler {
  readonly isStrict: boolean;
  readonly #root: JsonObject;
  parts = 0;

  constructor(root: JsonObject, isStrict: boolean) {
    this.#root = root;
    this.isStrict = isStrict;
  }

  compileRoot(): JsonObject {
    const ready = this.compile(this.#root, 0);
    return isObject(ready) ? ready : {};
  }

  /** A part of the schema made ready; anything goes where a bound is reached. */
  compile(given: Json, depth: number): Json {
    if (typeof given === "boolean") return given;
    if (!isObject(given) || depth > SCHEMA_DEPTH_MAX || ++this.parts > NODES_MAX) return {};
    const entries: [string, Json][] = [];
    for (const [keyword, value] of Object.entries(withPrefixItems(given))) {
      const read = value === undefined ? undefined : KEYWORD_READERS.get(keyword)?.(value, this, depth + 1);
      if (read !== undefined) entries.push([keyword, read]);
    }
    const ready = Object.fromEntries(entries);
    const target = this.#target(given["$ref"]);
    if (target === undefined) return ready;
    const referred = this.compile(target, depth + 1);
    return Object.keys(ready).length === 0 ? referred : { allOf: [ready, referred] };
  }

  /** What a reference within the schema names. */
  #target(reference: Json | undefined): Json | undefined {
    if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
    let target: Json | undefined = this.#root;
    for (const token of reference.slice(1).split("/").slice(1)) {
      const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (Array.isArray(target)) target = target[Number(name)];
      else if (isObject(target) && Object.hasOwn(target, name)) target = target[name];
      else return undefined;
    }
    return target;
  }
}

/** Older drafts give a list of items where newer ones say `prefixItems`. */
function withPrefixItems(given: JsonObject): JsonObject {
  if (!Array.isArray(given["items"])) return given;
  const { items, additionalItems, ...rest } = given;
  return { ...rest, prefixItems: items, ...(additionalItems !== undefined && { items: additionalItems }) };
}
