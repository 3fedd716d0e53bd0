/**
 * The schema as a list: every setting with its path, its name in the environment and its default.
 *
 * A list of blocks (`integrations`, `nakurity-clients`) is one setting: its value is given as a whole.
 */
import { z } from "zod";
import { type About, aboutOf } from "./setting.ts";
import { shape } from "./schema.ts";

export interface Field extends About {
  readonly path: readonly string[];
  /** `NEURO_RELAY_` and the path. */
  readonly variable: string;
  /** Undefined where there is none. */
  readonly fallback: unknown;
}

/** A block of settings and its meaning. */
export interface Section {
  readonly path: readonly string[];
  readonly says: string;
  readonly fields: readonly Field[];
}

export const PREFIX = "NEURO_RELAY_";

/** `nakurity-backend.port` is `NEURO_RELAY_NAKURITY_BACKEND__PORT`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.map((name) => name.replaceAll("-", "_").toUpperCase()).join("__");
}

/** The blocks in the order of the schema, nested ones after the one that holds them. */
export const sections: readonly Section[] = sectionsBelow(shape, [], "");

/** Every setting. */
export const fields: readonly Field[] = sections.flatMap((section) => section.fields);

const byPath: ReadonlyMap<string, Field> = new Map(fields.map((field) => [field.path.join("."), field]));

/** The setting of that path, or undefined when there is none. */
export const fieldAt = (path: readonly string[]): Field | undefined => byPath.get(path.join("."));

/** The names that are known below a path, which may go through entries of lists. */
export function namesAt(path: readonly PropertyKey[]): readonly string[] {
  let at: z.ZodObject | undefined = shape;
  for (const name of path) {
    if (typeof name === "number") continue; // Why: the list before it has led to its entries already.
    at = objectIn(at?.shape[String(name)]);
  }
  return Object.keys(at?.shape ?? {});
}

function sectionsBelow(of: z.ZodObject, path: readonly string[], says: string): Section[] {
  const own: Field[] = [];
  const nested: Section[] = [];
  for (const [name, schema] of Object.entries(of.shape as Record<string, z.ZodType>)) { // Why: zod's own shapes are untyped.
    const at = [...path, name];
    const about = aboutOf(schema);
    if (about !== undefined) own.push({ ...about, path: at, variable: variableOf(at), fallback: fallbackOf(schema) });
    const inner = about === undefined ? objectIn(schema) : undefined;
    if (inner !== undefined) nested.push(...sectionsBelow(inner, at, String(schema.meta()?.says ?? "")));
  }
  return own.length > 0 || nested.length === 0 ? [{ path, says, fields: own }, ...nested] : nested;
}

/** The object that a block, or each entry of a list, is: under what zod has wrapped around it. */
function objectIn(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodArray) return objectIn(schema.element);
  if (schema instanceof z.ZodPipe) return objectIn(schema.in);
  const isWrapped = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly;
  return isWrapped ? objectIn(schema.unwrap()) : undefined;
}

function fallbackOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}
