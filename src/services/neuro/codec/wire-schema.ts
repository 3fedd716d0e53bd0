/**
 * Schemas of actions as they arrive: bounded, mended where a client's serialiser spoils them, and checked for what Neuro may not
 * support. A schema is passed on as it was given; what is said about it is a hint.
 *
 * Invariant: what passes is at most `SCHEMA_BYTES_MAX` long and `SCHEMA_DEPTH_MAX` deep.
 */
import { isObject, isShallow, type Json, type JsonObject } from "../../../core/json.ts";
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { type Mend, mend } from "./mend.ts";
import { isSafePattern } from "./pattern.ts";
import { fits } from "./wire-frame.ts";

/** What the specification lists as not supported. */
const UNSUPPORTED: ReadonlySet<string> = new Set(
  ("$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary additionalProperties allOf anyOf " +
    "contentEncoding contentMediaType contentSchema dependentRequired dependentSchemas deprecated description else if " +
    "maxProperties minProperties multipleOf not oneOf patternProperties readOnly then title unevaluatedItems " +
    "unevaluatedProperties writeOnly uniqueItems").split(" "),
);

/** Keywords whose value is a table of schemas, by names that are no keywords. */
const TABLES: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);
/** Keywords whose value is a value, never a schema. */
const VALUES: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);

/** The schema to register, or undefined when the action takes nothing. */
export function readSchema(given: Json | undefined, mended: Mend[]): Result<JsonObject | undefined> {
  if (given === undefined) return ok(undefined);
  if (!isObject(given)) {
    mend(mended, isEmpty(given) ? "schema empty" : "schema is no object");
    return ok(undefined);
  }
  const text = JSON.stringify(given);
  if (text === "{}") return ok(undefined);
  if (!fits(text, SCHEMA_BYTES_MAX)) return failed("badMessage", `a schema has at most ${SCHEMA_BYTES_MAX} bytes`);
  if (!isShallow(text, SCHEMA_DEPTH_MAX)) return failed("badMessage", `a schema is at most ${SCHEMA_DEPTH_MAX} deep`);
  const found: Found = { keywords: new Set(), patterns: [] };
  const schema = review(given, found);
  if (found.keywords.size > 0) mend(mended, "schema keywords", [...found.keywords].sort().join(", "));
  if (found.patterns.length > 0) mend(mended, "schema pattern", found.patterns.join(" "));
  return ok(typed(schema, mended));
}

const isEmpty = (value: Json): boolean => value === null || (Array.isArray(value) && value.length === 0);

/** Neuro takes objects only. A missing type is added; `null` stands for "takes nothing" in one client's generator. */
function typed(schema: JsonObject, mended: Mend[]): JsonObject | undefined {
  const type = schema["type"];
  if (type === "object") return schema;
  if (type === "null") {
    mend(mended, "schema empty");
    return undefined;
  }
  if (type === undefined || type === null) {
    mend(mended, "schema without type");
    return { ...schema, type: "object" };
  }
  mend(mended, "schema of another type");
  return schema;
}

interface Found {
  readonly keywords: Set<string>;
  readonly patterns: string[];
}

/** Walks a schema; copies only where an empty table of Lua, which arrives as an empty list, makes it wrong. */
function review(schema: JsonObject, found: Found): JsonObject {
  return changed(schema, (keyword, value) => {
    if (UNSUPPORTED.has(keyword)) found.keywords.add(keyword);
    if (keyword === "pattern" && typeof value === "string" && !isSafePattern(value)) {
      found.patterns.push(value.slice(0, 64));
    }
    if (VALUES.has(keyword)) return value;
    const isEmptyList = Array.isArray(value) && value.length === 0;
    if (TABLES.has(keyword)) {
      if (isEmptyList) return {};
      return isObject(value) ? changed(value, (_name, schema) => reviewValue(schema, found)) : value;
    }
    return isEmptyList && keyword === "items" ? {} : reviewValue(value, found);
  });
}

function reviewValue(value: Json | undefined, found: Found): Json | undefined {
  if (isObject(value)) return review(value, found);
  if (!Array.isArray(value)) return value;
  const reviewed = value.map((item: Json) => (isObject(item) ? review(item, found) : item));
  return reviewed.some((item: Json, at: number) => item !== value[at]) ? reviewed : value;
}

/** The same object when every value stays the same, else a copy with the new ones. */
function changed(object: JsonObject, next: (key: string, value: Json | undefined) => Json | undefined): JsonObject {
  let isChanged = false;
  const entries = Object.entries(object).map(([key, value]): [string, Json | undefined] => {
    const after = next(key, value);
    isChanged ||= after !== value;
    return [key, after];
  });
  return isChanged ? Object.fromEntries(entries) : object;
}
