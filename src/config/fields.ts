/**
 * The schema as a list: every setting with its path, its environment variable and its default.
 *
 * A list of blocks (`integrations`, `nakurity-clients`) is one setting: its value is given as a whole.
 */
import { z } from "zod/mini";
import { type ConfigTree, isTree } from "./config-tree.ts";
import { settingsSchema } from "./schema.ts";
import { policy } from "./schema/neuro.ts";
import { blockDescription, type SettingInfo, settingInfo } from "./setting.ts";

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
export const sections: () => readonly Section[] = once(() => sectionsBelow(settingsSchema, [], ""));

/** Every setting. Why a function: listing them builds the schema of every block, which most starts do not need. */
export const fields: () => readonly Field[] = once(() => sections().flatMap((section) => section.fields));

/** The settings of one policy in `integrations`. */
export const policySettings = (): readonly Field[] =>
  sectionsBelow(policy, ["integrations"], "").flatMap((section) => section.fields);

/** The setting with that path, or undefined. */
export function fieldAt(path: readonly string[]): Field | undefined {
  let at: z.ZodMiniType | undefined = settingsSchema;
  for (const [depth, name] of path.entries()) {
    at = settingsOf(at)?.get(name);
    if (at !== undefined && settingInfo(at) !== undefined) return depth === path.length - 1 ? fieldOf(path, at) : undefined;
  }
  return undefined;
}

/** The settings that a configuration gives. */
export function givenFields(tree: ConfigTree): readonly Field[] {
  const given: Field[] = [];
  const visit = (at: ConfigTree, schema: z.ZodMiniType, path: readonly string[]): void => {
    for (const [name, inner] of settingsOf(schema) ?? []) {
      const value = at[name];
      const below = [...path, name];
      const field = value === undefined ? undefined : fieldOf(below, inner);
      if (field !== undefined) given.push(field);
      else if (isTree(value)) visit(value, inner, below);
    }
  };
  visit(tree, settingsSchema, []);
  return given;
}

/** The names that are known below a path. The path can go through entries of lists. */
export function namesAt(path: readonly PropertyKey[]): readonly string[] {
  let at: z.ZodMiniType | undefined = settingsSchema;
  for (const name of path) {
    if (typeof name === "number") continue; // Why: the step to the list already went to its entries.
    at = settingsOf(at)?.get(String(name));
  }
  return [...settingsOf(at)?.keys() ?? []];
}

function sectionsBelow(block: z.ZodMiniType, path: readonly string[], description: string): Section[] {
  const own: Field[] = [];
  const nested: Section[] = [];
  for (const [name, schema] of settingsOf(block) ?? []) {
    const below = [...path, name];
    const field = fieldOf(below, schema);
    if (field !== undefined) own.push(field);
    else nested.push(...sectionsBelow(schema, below, blockDescription(schema)));
  }
  return own.length > 0 || nested.length === 0 ? [{ path, description, fields: own }, ...nested] : nested;
}

function fieldOf(path: readonly string[], schema: z.ZodMiniType): Field | undefined {
  const info = settingInfo(schema);
  return info && { ...info, path, variable: variableOf(path), defaultValue: defaultOf(schema) };
}

/** The settings of a block, or of each entry of a list, by their names; without zod's wrappers. */
function settingsOf(schema: unknown): ReadonlyMap<string, z.ZodMiniType> | undefined {
  // Why the cast: zod types the members of a shape as schemas of any of its packages.
  if (schema instanceof z.ZodMiniObject) return new Map(Object.entries(schema.def.shape as Record<string, z.ZodMiniType>));
  if (schema instanceof z.ZodMiniArray) return settingsOf(schema.def.element);
  if (schema instanceof z.ZodMiniPipe) return settingsOf(schema.def.in);
  if (schema instanceof z.ZodMiniLazy) return settingsOf(schema._zod.innerType);
  const isWrapper = schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniDefault ||
    schema instanceof z.ZodMiniReadonly;
  return isWrapper ? settingsOf(schema.def.innerType) : undefined;
}

function defaultOf(schema: z.ZodMiniType): unknown {
  return schema instanceof z.ZodMiniDefault ? schema.def.defaultValue : undefined;
}

function once<T>(create: () => T): () => T {
  let created: T | undefined;
  return () => created ??= create();
}
