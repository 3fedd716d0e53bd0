/**
 * Numbers for the validator, which calculates with numbers of JavaScript: `1183749237498237443` and `1183749237498237444` are the same one
 * there, although only one of them is a value of an enum.
 *
 * A number that JavaScript cannot represent gets a stand-in: the next number that no other number of the schema has.
 *
 * Invariant: CN1 a number of data equals one of the schema for the validator exactly if both have the same decimal value; except among
 * numbers that are infinite in JavaScript, or of which more than `TRIES_MAX` in one schema are almost the same.
 */
import { ExactNumber, isObject, type Json, type JsonObject } from "../../../core/json.ts";

const EXPONENT_DIGITS_MAX = 15;
/** Numbers that are tried for a stand-in. */
const TRIES_MAX = 64;

export class ComparableNumbers {
  /** Numbers of the schema that JavaScript represents. */
  readonly #plain = new Set<number>();
  /** Stand-ins of the others, by their decimal value. */
  readonly #standIns = new Map<string, number>();
  readonly #taken = new Set<number>();

  constructor(schema: JsonObject) {
    const inexact: (number | ExactNumber)[] = [];
    mapNumbers(schema, (number) => {
      if (isRepresented(number)) this.#plain.add(Number(number));
      else inexact.push(number);
      return number;
    });
    for (const number of inexact) {
      const decimal = decimalOf(String(number));
      if (this.#standIns.has(decimal)) continue;
      const standIn = this.#free(Number(number));
      this.#standIns.set(decimal, standIn);
      this.#taken.add(standIn);
    }
  }

  /** The value as the validator gets it; the same value, if there is nothing to replace. */
  of(value: Json): Json {
    return mapNumbers(value, (number) => {
      if (!isRepresented(number)) return this.#standIns.get(decimalOf(String(number))) ?? this.#free(Number(number));
      const plain = Number(number);
      return this.#taken.has(plain) ? this.#free(plain) : plain;
    });
  }

  #free(number: number): number {
    let next = number;
    for (let tries = 0; tries < TRIES_MAX && (this.#plain.has(next) || this.#taken.has(next)); tries++) {
      next += Math.max(Math.abs(next) * Number.EPSILON, Number.MIN_VALUE);
    }
    return next;
  }
}

/** A value with other numbers; the same value, if all stay the same. */
function mapNumbers(value: Json, next: (number: number | ExactNumber) => number | ExactNumber): Json {
  if (typeof value === "number" || value instanceof ExactNumber) return next(value);
  if (Array.isArray(value)) return mapItems(value, next);
  if (!isObject(value)) return value;
  let changes: [string, Json][] | undefined;
  for (const key in value) {
    const member = value[key] ?? null;
    const after = mapNumbers(member, next);
    if (after !== member) (changes ??= []).push([key, after]);
  }
  return changes === undefined ? value : { ...value, ...Object.fromEntries(changes) };
}

function mapItems(list: readonly Json[], next: (number: number | ExactNumber) => number | ExactNumber): readonly Json[] {
  let copy: Json[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const item = list[at] ?? null;
    const after = mapNumbers(item, next);
    if (after !== item) (copy ??= [...list])[at] = after;
  }
  return copy ?? list;
}

const isRepresented = (number: number | ExactNumber): boolean =>
  typeof number === "number" || decimalOf(String(number)) === decimalOf(String(number.valueOf()));

/** The decimal value of a number: `1.10`, `11e-1` and `1.1` have the same one. An exponent that nobody means stays as it is written. */
function decimalOf(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (exponent.length > EXPONENT_DIGITS_MAX) return text;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  let end = digits.length;
  while (digits[end - 1] === "0") end--; // Why not a pattern: it would take quadratic time.
  return end === 0 ? "0" : `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
