/**
 * Reads the schema of an action: its size is checked, obvious mistakes are repaired, and a schema that no validator would accept is refused
 * with the path and the reason. A correct schema is passed on as it was given; keywords that Neuro may not support are only named to the
 * developer.
 *
 * Invariants: DS1 a schema that passes has at most `limits.schema_bytes` bytes and `SCHEMA_DEPTH_MAX` levels; DS2 each keyword that JSON
 * Schema defines has a value of the kind that it defines, or null; DS3 a type is added only to a schema whose values are all objects.
 */
import { isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../core/limits.ts";
import { failed, ok, type Result } from "../core/result.ts";
import { fitsBytes, utf8Length } from "../core/text.ts";
import { checkSchema } from "./check-schema.ts";
import { addRepair, type Repair } from "./repair.ts";

export interface SchemaReading {
  readonly repairs: Repair[];
  readonly bytesMax: number;
  /** The action of the schema, for hints. */
  readonly where: string;
}

/** The schema to register, or undefined when the action takes no data. Equal schemas are the same object, see `checkSchema`. */
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
  const checked = checkSchema(schema, text);
  if (checked.problem !== undefined) return failed("badMessage", checked.problem);
  for (const { what, detail } of checked.findings) {
    addRepair(repairs, what, detail === undefined ? where : `${where}: ${detail}`);
  }
  return ok(checked.schema);
}

/** The schema in a text, which some clients send instead of an object. */
function parseText(text: string, { repairs, where }: SchemaReading): Json {
  const parsed = parseJson(text, SCHEMA_DEPTH_MAX);
  if (!isObject(parsed)) return text;
  addRepair(repairs, "schema_text", where);
  return parsed;
}

const isEmpty = (value: Json): boolean => value === null || value === "" || (Array.isArray(value) && value.length === 0);
