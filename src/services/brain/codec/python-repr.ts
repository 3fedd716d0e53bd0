/**
 * Python's names, texts and truth of values. The original relay was written in Python and its clients read these texts.
 *
 * Contains only the parts that are visible on the wire.
 */
import { isNumber, isObject, type Json, numberOf } from "../../../core/json.ts";

/** A longer text is truncated in an error message. */
const REPR_LENGTH_MAX = 100;

/** The Python name of a value's type: `NoneType`, `list`, ... */
export function typeName(value: Json | undefined): string {
  if (value === null || value === undefined) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (isObject(value)) return "dict";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  return /^-?\d+$/.test(String(value)) ? "int" : "float";
}

/** `repr(value)` of a key or name: `'nope'`, `"it's"`, `None`, `5`, `True`. */
export function repr(value: Json | undefined): string {
  return typeof value === "string" ? quote(value) : str(value);
}

/** `str(value)` of a key or name: `nope`, `None`, `True`. */
export function str(value: Json | undefined): string {
  if (typeof value === "string") return truncate(value);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  return isNumber(value) ? truncate(String(value)) : typeName(value);
}

/** The reason why a value cannot be a key, or undefined if it can. */
export function unhashableError(value: Json | undefined): string | undefined {
  return Array.isArray(value) || isObject(value) ? `unhashable type: '${typeName(value)}'` : undefined;
}

/** `bool(value)`: false for null, false, 0 and everything empty. */
export function isTruthy(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(numberOf(value) ?? value);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([["\\", "\\\\"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = truncate(text).replace(/[\\\n\r\t]/g, (character) => ESCAPES.get(character) ?? character);
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

function truncate(text: string): string {
  if (text.length <= REPR_LENGTH_MAX) return text;
  return `${[...text.slice(0, REPR_LENGTH_MAX)].slice(0, REPR_LENGTH_MAX - 1).join("")}…`;
}
