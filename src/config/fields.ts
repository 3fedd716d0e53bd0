/**
 * The schema as a list: every setting with its path, its environment variable and its default.
 *
 * A list of blocks (`integrations`, `nakurity-clients`) is one setting: its value is given as a whole.
 */
import { shape } from "./schema.ts";
import type { SettingInfo, Shape } from "./schema-parts.ts";

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

const byPath: ReadonlyMap<string, Field> = new Map(fields.map((field) => [field.path.join("."), field]));

/** The setting with that path, or undefined. */
export const fieldAt = (path: readonly string[]): Field | undefined => byPath.get(path.join("."));

function sectionsBelow(shape: Shape, path: readonly string[], description: string): Section[] {
  const own: Field[] = [];
  const nested: Section[] = [];
  for (const [name, part] of Object.entries(shape)) {
    const below = [...path, name];
    if (part.setting !== undefined) {
      own.push({ ...part.setting, path: below, variable: variableOf(below), defaultValue: part.default });
    } else if (part.shape !== undefined) nested.push(...sectionsBelow(part.shape, below, part.description ?? ""));
  }
  return own.length > 0 || nested.length === 0 ? [{ path, description, fields: own }, ...nested] : nested;
}
