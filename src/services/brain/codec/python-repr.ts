/**
 * How the original relay named and judged values: it was written in Python, and its clients read its words.
 *
 * Only what shows on the wire is here.
 */
import { isObject, type Json } from "../../../core/json.ts";

/** Longer texts are cut in a message about them. */
const REPR_LENGTH_MAX = 100;

/** The name of a value's type: `NoneType`, `list`, ... */
export function typeName(value: Json | undefined): string {
  if (value === null || value === undefined) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (isObject(value)) return "dict";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  return Number.isInteger(value) ? "int" : "float";
}

/** A value of a key or name as text in quotes, or as the literal it is: `'nope'`, `"it's"`, `None`, `5`, `True`. */
export function quotedRepr(value: Json | undefined): string {
  if (typeof value === "string") return quote(value);
  return repr(value);
}

/** The same without quotes: `nope`, `None`, `True`. */
export function repr(value: Json | undefined): string {
  if (typeof value === "string") return truncate(value);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  return typeof value === "number" ? String(value) : typeName(value);
}

/** Why a value cannot be a key, or undefined when it can. */
export function unhashableError(value: Json | undefined): string | undefined {
  return Array.isArray(value) || isObject(value) ? `unhashable type: '${typeName(value)}'` : undefined;
}

/** What counts as true: neither null, false, 0 nor anything empty. */
export function isTruthy(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

function quote(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = truncate(text).replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll(
    "\t",
    "\\t",
  );
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

function truncate(text: string): string {
  return text.length <= REPR_LENGTH_MAX
    ? text
    : `${[...text.slice(0, REPR_LENGTH_MAX)].slice(0, REPR_LENGTH_MAX - 1).join("")}…`;
}
