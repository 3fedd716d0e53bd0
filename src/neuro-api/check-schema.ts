/**
 * Checks and repairs a schema, whatever action has it. Results are kept, because many games are copies of one program or use the same
 * helper: an equal schema is checked once, and kept once by all its actions.
 *
 * Invariant: CS1 at most `KEPT_MAX` results are kept, each of a schema of at most `KEPT_LENGTH_MAX` characters. They are charged to nobody,
 * because they are the same for all relays of a process and need at most 6 MB.
 */
import { isObject, isShallow, type Json, type JsonObject } from "../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../core/limits.ts";
import type { RepairKind } from "./repair.ts";
import { repairSchema, type SchemaFindings } from "./repair-schema.ts";
import { targetOf } from "./schema-reference.ts";

/** The result of a check. */
export interface CheckedSchema {
  /** With its repairs; undefined if it means that an action takes no data. */
  readonly schema: JsonObject | undefined;
  readonly findings: readonly SchemaFinding[];
  /** Why it is refused; undefined if it is not. */
  readonly problem: string | undefined;
}

interface SchemaFinding {
  readonly what: RepairKind;
  /** Undefined: the schema as a whole. */
  readonly detail: string | undefined;
}

const KEPT_MAX = 256;
const KEPT_LENGTH_MAX = 2_048;

/** By their text, the one that was kept first at the front. */
const kept = new Map<string, CheckedSchema>();

/** Checks a schema. Equal are those with the same `text`, their JSON, so the order of keys stays as it is. */
export function checkSchema(schema: JsonObject, text: string = JSON.stringify(schema)): CheckedSchema {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const checked = checkNew(schema, text);
  if (text.length > KEPT_LENGTH_MAX) return checked;
  const [first] = kept.keys();
  if (kept.size >= KEPT_MAX && first !== undefined) kept.delete(first);
  kept.set(text, checked);
  return checked;
}

function checkNew(given: JsonObject, text: string): CheckedSchema {
  if (!isShallow(text, SCHEMA_DEPTH_MAX)) return refused(`the schema is nested deeper than ${SCHEMA_DEPTH_MAX} levels`);
  const found: SchemaFindings = { unsupported: new Set(), patterns: [], repaired: [], problem: undefined };
  const repaired = repairSchema(given, found);
  if (found.problem !== undefined) return refused(`schema: ${found.problem}`);
  const findings: SchemaFinding[] = [];
  const add = (what: RepairKind, details: readonly string[], separator: string): void => {
    if (details.length > 0) findings.push({ what, detail: details.join(separator) });
  };
  add("schema_value", found.repaired, ", ");
  add("schema_keywords", [...found.unsupported].sort(), ", ");
  add("schema_pattern", found.patterns, " ");
  const { schema, what } = withObjectType(repaired);
  if (what !== undefined) findings.push({ what, detail: undefined });
  return { schema, findings, problem: undefined };
}

const refused = (problem: string): CheckedSchema => ({ schema: undefined, findings: [], problem });

/** Neuro takes objects only. A missing type is added; one client's generator writes `null` for an action without data. */
function withObjectType(schema: JsonObject): { readonly schema: JsonObject | undefined; readonly what?: RepairKind } {
  const { type } = schema;
  if (type === "object") return { schema };
  if (type === "null") return { schema: undefined, what: "schema_empty" };
  if ((type === undefined || type === null) && takesObjects(schema, schema, 0)) {
    return { schema: { ...schema, type: "object" }, what: "schema_type_missing" };
  }
  return { schema, what: "schema_type_unsupported" };
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
