/**
 * The parts that a schema of the configuration is made of: a setting, a list, and a block of named parts.
 *
 * Why not a schema library: building two hundred settings with one took a sixth of the CPU time of a start, and an eighth of its memory.
 */
import { suggest } from "./suggest.ts";

/** Reads one part of the configuration. */
export interface Schema<out T> {
  /** The value of the part; `raw` is undefined if no source gives one. The result counts only if nothing was reported. */
  read(raw: unknown, report: Report): T;
  /** Of a single setting. */
  readonly setting?: SettingInfo;
  /** Of a block: the parts by name. */
  readonly shape?: Shape;
  /** Of a block. */
  readonly description?: string;
  /** Undefined for a part without a default. */
  readonly default?: unknown;
}

export type Shape = Readonly<Record<string, Schema<unknown>>>;

/** Reports what is wrong with a value, or with one below it. */
export type Report = (message: string, path?: readonly PropertyKey[]) => void;

export type SettingKind = "duration" | "size" | "number" | "port" | "text" | "flag" | "choice" | "list";

/** The metadata of one setting, for the reference, for redaction and for reloads. */
export interface SettingInfo {
  readonly kind: SettingKind;
  /** The meaning, in one or two sentences. */
  readonly description: string;
  /** The accepted forms, for the reference: `10s`, `a | b`. */
  readonly type: string;
  /** Takes effect only after a restart. */
  readonly restart: boolean;
  /** Never printed. */
  readonly secret: boolean;
  /** The hard ceiling. A larger value is lowered to it. */
  readonly max: number | undefined;
}

/** The schema of each part of a block with these settings. */
export type ShapeOf<T> = { readonly [Name in keyof T]: Schema<T[Name]> };

/** A part that has this value if no source gives one. */
export function withDefault<T, Default>(part: Schema<T>, value: Default): Schema<T | Default> {
  return { ...part, read: (raw, report) => raw === undefined ? value : part.read(raw, report) };
}

/** A part whose value is made of another one. Why not after a report: what is made of a wrong value would be wrong as well. */
export function mapped<From, To>(part: Schema<From>, map: (value: From, report: Report) => To): Schema<To> {
  return {
    ...part,
    read(raw, report) {
      let isRight = true;
      const value = part.read(raw, (...wrong) => {
        isRight = false;
        report(...wrong);
      });
      return isRight ? map(value, report) : value as unknown as To; // Why: the result does not count.
    },
  };
}

/** Several values of the same kind. */
export function listOf<T>(item: Schema<T>, expected: string): Schema<readonly T[]> {
  return {
    read(raw, report) {
      if (Array.isArray(raw)) return raw.map((value, at) => item.read(value, below(report, at)));
      report(expected);
      return [];
    },
  };
}

const BLOCK = "expected settings below it, each on its own line as `name: value`";

/** Named parts. An unknown name is reported with the most similar one that is known. */
export function blockOf<T>(shape: ShapeOf<T>): Schema<T> {
  const parts = Object.entries<Schema<unknown>>(shape);
  const known = Object.keys(shape);
  return {
    shape: Object.fromEntries(parts),
    read(raw, report) {
      if (!isNamed(raw)) {
        report(BLOCK);
        return {} as T; // Why: the result does not count.
      }
      const read = parts.map(([name, part]) => [name, part.read(raw[name], below(report, name))]);
      for (const name of Object.keys(raw).filter((name) => !known.includes(name))) {
        report(`unknown setting; did you mean ${suggest(name, known)}?`, [name]);
      }
      return Object.fromEntries(read) as T; // Why: each name has the value of its part.
    },
  };
}

const isNamed = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw);

const below = (report: Report, name: PropertyKey): Report => (message, path = []) => report(message, [name, ...path]);
