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
import { isSafePattern, PATTERN_TEXT_MAX } from "./pattern.ts";

/** Parts of a schema, with its references filled in. */
const NODES_MAX = 2_000;
/** Parts of a schema times characters of the data, beyond which the data is not checked. */
const WORK_MAX = 4_000_000;
/** Characters of data in which patterns, and that items are unique, are still checked. */
const COSTLY_TEXT_MAX = 8_192;

/** An action's schema, made ready once. */
export interface CheckedSchema {
  /** What samples are made from. */
  readonly ready: JsonObject;
  readonly parts: number;
  readonly strict: Validator;
  /** Without what takes more than time in proportion to the data. */
  readonly loose: Validator;
}

/** Makes a schema ready. */
export function checkedSchema(schema: JsonObject): CheckedSchema {
  const strict = new Making(schema, true);
  const ready = strict.schema();
  const loose = new Making(schema, false).schema();
  return { ready, parts: strict.parts, strict: validator(ready), loose: validator(loose) };
}

/**
 * Reads data as text, checks it, and returns what to send: undefined where the action takes nothing.
 *
 * The failure says what is wrong, for whoever chose.
 */
export function checkData(schema: CheckedSchema | undefined, data: string): Result<string | undefined> {
  if (schema === undefined) return ok(undefined);
  const text = data.trim() === "" ? "{}" : data;
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  if (value === undefined) return failed("badMessage", "`data` is not JSON, or is nested too deeply");
  const wrong = mismatch(schema, value, text);
  return wrong === undefined ? ok(text) : failed("badMessage", wrong);
}

/** What is wrong with the value, or undefined. */
export function mismatch(schema: CheckedSchema, value: Json, text: string = JSON.stringify(value)): string | undefined {
  if (schema.parts * text.length > WORK_MAX || !isShallow(text, SCHEMA_DEPTH_MAX)) return undefined;
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

type Reader = (value: Json, making: Making, depth: number) => Json | undefined;

const one: Reader = (value, making, depth) => making.part(value, depth);
const list: Reader = (value, making, depth) =>
  Array.isArray(value) && value.length > 0 ? value.map((item: Json) => making.part(item, depth)) : undefined;
const table: Reader = (value, making, depth) =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, making.part(part ?? null, depth)]))
    : undefined;
const patterns: Reader = (value, making, depth) =>
  making.isStrict && isObject(value)
    ? table(Object.fromEntries(Object.entries(value).filter(([pattern]) => isSafePattern(pattern))), making, depth)
    : undefined;
const number: Reader = (value) => (typeof value === "number" ? value : undefined);
const size: Reader = (value) => (typeof value === "number" && value >= 0 ? value : undefined);
const positive: Reader = (value) => (typeof value === "number" && value > 0 ? value : undefined);
const names: Reader = (value) =>
  Array.isArray(value) && value.every((name: Json) => typeof name === "string") ? value : undefined;
const asIs: Reader = (value) => value;

const TYPES: readonly Json[] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** The keywords that are understood, and how each is read. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
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
class Making {
  readonly isStrict: boolean;
  readonly #root: JsonObject;
  parts = 0;

  constructor(root: JsonObject, isStrict: boolean) {
    this.#root = root;
    this.isStrict = isStrict;
  }

  schema(): JsonObject {
    const ready = this.part(this.#root, 0);
    return isObject(ready) ? ready : {};
  }

  /** A part of the schema made ready; anything goes where a bound is reached. */
  part(given: Json, depth: number): Json {
    if (typeof given === "boolean") return given;
    if (!isObject(given) || depth > SCHEMA_DEPTH_MAX || ++this.parts > NODES_MAX) return {};
    const entries: [string, Json][] = [];
    for (const [keyword, value] of Object.entries(withModernItems(given))) {
      const read = value === undefined ? undefined : READERS.get(keyword)?.(value, this, depth + 1);
      if (read !== undefined) entries.push([keyword, read]);
    }
    const ready = Object.fromEntries(entries);
    const target = this.#target(given["$ref"]);
    if (target === undefined) return ready;
    const referred = this.part(target, depth + 1);
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
function withModernItems(given: JsonObject): JsonObject {
  if (!Array.isArray(given["items"])) return given;
  const { items, additionalItems, ...rest } = given;
  return { ...rest, prefixItems: items, ...(additionalItems !== undefined && { items: additionalItems }) };
}
