/**
 * Reads the schema of an action: its size is checked, obvious mistakes are repaired, and a schema that no validator would accept is refused
 * with the path and the reason. A correct schema is passed on as it was given; keywords that Neuro may not support are only named to the
 * developer.
 *
 * Invariants: DS1 a schema that passes has at most `limits.schema_bytes` bytes and `SCHEMA_DEPTH_MAX` levels; DS2 each keyword that JSON
 * Schema defines has a value of the kind that it defines, or null; DS3 a type is added only to a schema whose values are all objects.
 */
import { isObject, isShallow, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../core/limits.ts";
import { failed, ok, type Result } from "../core/result.ts";
import { fitsBytes, utf8Length } from "../core/text.ts";
import { addRepair, type Repair, type RepairKind } from "./repair.ts";
import { repairSchema, type SchemaFindings } from "./repair-schema.ts";
import { targetOf } from "./schema-reference.ts";

export interface SchemaReading {
  readonly repairs: Repair[];
  readonly bytesMax: number;
  /** The action of the schema, for hints. */
  readonly where: string;
}

/** The schema to register, or undefined when the action takes no data. */
export function decodeSchema(given: Json | undefined, reading: SchemaReading): Result<JsonObject | undefined> {
  const { repairs, bytesMax, where } = reading;
  if (given === undefined) return ok(undefined);
  const schema = typeof given === "string" ? parseText(given, reading) : given;
  if (!isObject(schema)) {
    addRepair(repairs, isEmpty(schema) ? "schema_empty" : "schema_not_object", where);
    return ok(undefined);
  }
  const text = JSON.stringify(schema);
  if (text === "{}") return ok(undefined);
  if (!fitsBytes(text, bytesMax)) {
    return failed("tooBig", `the schema has ${utf8Length(text)} bytes; \`limits.schema_bytes\` allows ${bytesMax}`);
  }
  if (!isShallow(text, SCHEMA_DEPTH_MAX)) {
    return failed("badMessage", `the schema is nested deeper than ${SCHEMA_DEPTH_MAX} levels`);
  }
  const findings: SchemaFindings = { unsupported: new Set(), patterns: [], repaired: [], problem: undefined };
  const repaired = repairSchema(schema, findings);
  if (findings.problem !== undefined) return failed("badMessage", `schema: ${findings.problem}`);
  const report = (what: RepairKind, details: readonly string[], separator: string): void => {
    if (details.length > 0) addRepair(repairs, what, `${where}: ${details.join(separator)}`);
  };
  report("schema_value", findings.repaired, ", ");
  report("schema_keywords", [...findings.unsupported].sort(), ", ");
  report("schema_pattern", findings.patterns, " ");
  return ok(withObjectType(repaired, reading));
}

/** The schema in a text, which some clients send instead of an object. */
function parseText(text: string, { repairs, where }: SchemaReading): Json {
  const parsed = parseJson(text, SCHEMA_DEPTH_MAX);
  if (!isObject(parsed)) return text;
  addRepair(repairs, "schema_text", where);
  return parsed;
}

const isEmpty = (value: Json): boolean => value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** Neuro takes objects only. A missing type is added; one client's generator writes `null` for an action without data. */
function withObjectType(schema: JsonObject, { repairs, where }: SchemaReading): JsonObject | undefined {
  const { type } = schema;
  if (type === "object") return schema;
  if (type === "null") {
    addRepair(repairs, "schema_empty", where);
    return undefined;
  }
  if ((type === undefined || type === null) && takesObjects(schema, schema, 0)) {
    addRepair(repairs, "schema_type_missing", where);
    return { ...schema, type: "object" };
  }
  addRepair(repairs, "schema_type_unsupported", where);
  return schema;
}

/** True unless a value that the schema lists, or a branch that has to match, is of another type. */
function takesObjects(schema: Json | undefined, root: JsonObject, depth: number): boolean {
  if (!isObject(schema) || depth > SCHEMA_DEPTH_MAX) return schema !== false;
  const { type, enum: values, allOf, anyOf, oneOf, $ref } = schema;
  if (type !== undefined && type !== null && type !== "object" && !(Array.isArray(type) && type.includes("object"))) {
    return false;
  }
  if (Array.isArray(values) && !values.every(isObject)) return false;
  if (schema["const"] !== undefined && !isObject(schema["const"])) return false;
  const accepts = (branch: Json | undefined): boolean => takesObjects(branch, root, depth + 1);
  if (Array.isArray(allOf) && !allOf.every(accepts)) return false;
  if ([anyOf, oneOf].some((branches) => Array.isArray(branches) && branches.length > 0 && !branches.some(accepts))) {
    return false;
  }
  const target = targetOf($ref, root);
  return target === undefined || accepts(target);
}
