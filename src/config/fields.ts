/**
 * The schema as a list: every setting with its path, its environment variable and its default.
 *
 * A list of blocks (`integrations`, `nakurity-clients`) is one setting: its value is given as a whole.
 */
import { z } from "zod";
import { shape } from "./schema.ts";
import { policyShape } from "./schema/neuro.ts";
import { type SettingInfo, settingInfo } from "./setting.ts";

export interface Field extends SettingInfo {
  readonly path: readonly string[];
  /** The environment variable: `NEURO_RELAY_` and the path. */
  readonly variable: string;
  /** Undefined for a setting without a default. */
  readonly defaultValue: unknown;
}

/** A block of settings and its meaning. */
export interface Section {
  readonly path: readonly string[];
  readonly description: string;
  readonly fields: readonly Field[];
}

export const PREFIX = "NEURO_RELAY_";

/** `nakurity-backend.port` is `NEURO_RELAY_NAKURITY_BACKEND__PORT`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.map((name) => name.replaceAll("-", "_").toUpperCase()).join("__");
}

/** The blocks in the order of the schema. A nested block follows the block that contains it. */
export const sections: readonly Section[] = sectionsBelow(shape, [], "");

/** Every setting. */
export const fields: readonly Field[] = sections.flatMap((section) => section.fields);

/** The settings of one policy in `integrations`. */
export const policySettings: readonly Field[] = sectionsBelow(policyShape, ["integrations"], "")
  .flatMap((section) => section.fields);

const byPath: ReadonlyMap<string, Field> = new Map(fields.map((field) => [field.path.join("."), field]));

/** The setting with that path, or undefined. */
export const fieldAt = (path: readonly string[]): Field | undefined => byPath.get(path.join("."));

/** The names that are known below a path. The path can go through entries of lists. */
export function namesAt(path: readonly PropertyKey[]): readonly string[] {
  let at: z.ZodObject | undefined = shape;
  for (const name of path) {
    if (typeof name === "number") continue; // Why: the step to the list already went to its entries.
    at = objectIn(at?.shape[String(name)]);
  }
  return Object.keys(at?.shape ?? {});
}

function sectionsBelow(object: z.ZodObject, path: readonly string[], description: string): Section[] {
  const own: Field[] = [];
  const nested: Section[] = [];
  // Why the cast: zod's own shapes are untyped.
  for (const [name, schema] of Object.entries(object.shape as Record<string, z.ZodType>)) {
    const below = [...path, name];
    const info = settingInfo(schema);
    if (info !== undefined) {
      own.push({ ...info, path: below, variable: variableOf(below), defaultValue: defaultOf(schema) });
      continue;
    }
    const inner = objectIn(schema);
    if (inner !== undefined) nested.push(...sectionsBelow(inner, below, String(schema.meta()?.description ?? "")));
  }
  return own.length > 0 || nested.length === 0 ? [{ path, description, fields: own }, ...nested] : nested;
}

/** The object schema of a block, or of each entry of a list, without zod's wrappers. */
function objectIn(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodArray) return objectIn(schema.element);
  if (schema instanceof z.ZodPipe) return objectIn(schema.in);
  const isWrapper = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly;
  return isWrapper ? objectIn(schema.unwrap()) : undefined;
}

function defaultOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}
