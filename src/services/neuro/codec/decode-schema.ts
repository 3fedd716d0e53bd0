/**
 * Reads the schema of an action: its size is checked, what a client's serialiser spoils is repaired, and keywords that Neuro may not
 * support are named to the developer. Otherwise a schema is passed on as it was given.
 *
 * Invariant: DS1 a schema that passes has at most `SCHEMA_BYTES_MAX` bytes and `SCHEMA_DEPTH_MAX` levels.
 */
import { isObject, isShallow, type Json, type JsonObject } from "../../../core/json.ts";
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { addRepair, type Repair } from "./repair.ts";
import { isSafePattern } from "./safe-pattern.ts";
import { fitsBytes } from "./frame.ts";

/** Keywords that the specification lists as not supported. */
const UNSUPPORTED_KEYWORDS: ReadonlySet<string> = new Set(
  ("$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary additionalProperties allOf anyOf " +
    "contentEncoding contentMediaType contentSchema dependentRequired dependentSchemas deprecated description else if " +
    "maxProperties minProperties multipleOf not oneOf patternProperties readOnly then title unevaluatedItems " +
    "unevaluatedProperties writeOnly uniqueItems").split(" "),
);

/** Keywords whose value is a table of schemas, by names that are not keywords. */
const SCHEMA_TABLE_KEYWORDS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);
/** Keywords whose value is a value, never a schema. */
const VALUE_KEYWORDS: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);

/** The schema to register, or undefined when the action takes no data. */
export function decodeSchema(given: Json | undefined, repairs: Repair[]): Result<JsonObject | undefined> {
  if (given === undefined) return ok(undefined);
  if (!isObject(given)) {
    addRepair(repairs, isEmpty(given) ? "schema_empty" : "schema_not_object");
    return ok(undefined);
  }
  const text = JSON.stringify(given);
  if (text === "{}") return ok(undefined);
  if (!fitsBytes(text, SCHEMA_BYTES_MAX)) return failed("badMessage", `the schema has more than ${SCHEMA_BYTES_MAX} bytes`);
  if (!isShallow(text, SCHEMA_DEPTH_MAX)) {
    return failed("badMessage", `the schema is nested deeper than ${SCHEMA_DEPTH_MAX} levels`);
  }
  const found: SchemaFindings = { keywords: new Set(), patterns: [] };
  const schema = repairSchema(given, found);
  if (found.keywords.size > 0) addRepair(repairs, "schema_keywords", [...found.keywords].sort().join(", "));
  if (found.patterns.length > 0) addRepair(repairs, "schema_pattern", found.patterns.join(" "));
  return ok(withObjectType(schema, repairs));
}

const isEmpty = (value: Json): boolean => value === null || (Array.isArray(value) && value.length === 0);

/** Neuro takes objects only. A missing type is added; one client's generator writes `null` for an action without data. */
function withObjectType(schema: JsonObject, repairs: Repair[]): JsonObject | undefined {
  const type = schema["type"];
  if (type === "object") return schema;
  if (type === "null") {
    addRepair(repairs, "schema_empty");
    return undefined;
  }
  if (type === undefined || type === null) {
    addRepair(repairs, "schema_type_missing");
    return { ...schema, type: "object" };
  }
  addRepair(repairs, "schema_type_unsupported");
  return schema;
}

interface SchemaFindings {
  readonly keywords: Set<string>;
  readonly patterns: string[];
}

/** Walks a schema. An empty table of Lua, which arrives as an empty list, becomes an object where a schema is expected. */
function repairSchema(schema: JsonObject, found: SchemaFindings): JsonObject {
  return mapValues(schema, (keyword, value) => {
    if (UNSUPPORTED_KEYWORDS.has(keyword)) found.keywords.add(keyword);
    if (keyword === "pattern" && typeof value === "string" && !isSafePattern(value)) {
      found.patterns.push(value.slice(0, 64));
    }
    if (VALUE_KEYWORDS.has(keyword)) return value;
    const isEmptyList = Array.isArray(value) && value.length === 0;
    if (SCHEMA_TABLE_KEYWORDS.has(keyword)) {
      if (isEmptyList) return {};
      return isObject(value) ? mapValues(value, (_name, schema) => repairSubschemas(schema, found)) : value;
    }
    return isEmptyList && keyword === "items" ? {} : repairSubschemas(value, found);
  });
}

function repairSubschemas(value: Json | undefined, found: SchemaFindings): Json | undefined {
  if (isObject(value)) return repairSchema(value, found);
  if (!Array.isArray(value)) return value;
  const reviewed = value.map((item: Json) => (isObject(item) ? repairSchema(item, found) : item));
  return reviewed.some((item: Json, at: number) => item !== value[at]) ? reviewed : value;
}

/** The same object if every value stays the same, else a copy with the new values. */
function mapValues(object: JsonObject, next: (key: string, value: Json | undefined) => Json | undefined): JsonObject {
  let isChanged = false;
  const entries = Object.entries(object).map(([key, value]): [string, Json | undefined] => {
    const after = next(key, value);
    isChanged ||= after !== value;
    return [key, after];
  });
  return isChanged ? Object.fromEntries(entries) : object;
}
