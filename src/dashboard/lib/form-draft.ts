/**
 * The present values of a form, its errors, and its JSON.
 *
 * Invariant: D1 the JSON is written as text, member by member, so a property called `__proto__` is a property like any other.
 */
import { assertNever } from "../../core/assert.ts";
import { isNumber, isObject, type Json, parseJson } from "../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
import { isSafePattern, PATTERN_TEXT_MAX } from "../../neuro-api/safe-pattern.ts";
import { TEXTS } from "../texts.ts";
import { jsonErrorIn } from "./json-error.ts";
import type { FormField, GroupField, ListField, NumberField, TextField } from "./schema-form.ts";

/** The value of one field. */
export interface FormDraft {
  /** Text, numbers and JSON as typed; of a choice the index of the option. */
  readonly text: string;
  /** False for an optional field that is left out of the JSON. */
  readonly isIncluded: boolean;
  /** The items of a list; the members of a group, in the order of the field's members. */
  readonly children: readonly FormDraft[];
}

export interface FieldError {
  /** Indexes of children from the root, joined by dots. */
  readonly path: string;
  readonly message: string;
  /** Where in the text of the field it is. */
  readonly index?: number;
}

export type SerializedDraft =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Items of a list with `minItems` that a new draft contains at most. */
const NEW_ITEMS_MAX = 20;
/** Items of a value that a draft takes over. */
const ITEMS_MAX = 100;

const { errors: ERRORS } = TEXTS.form;

/** A draft that contains `value` as far as it fits the field. */
export function createDraft(field: FormField, value: Json | undefined = field.defaultValue, isIncluded = true): FormDraft {
  const draft = (text: string, children: readonly FormDraft[] = []): FormDraft => ({ text, isIncluded, children });
  switch (field.is) {
    case "text":
      return draft(typeof value === "string" ? value : "");
    case "number":
      return draft(isNumber(value) ? String(value) : "");
    case "boolean":
      return draft(value === true ? "true" : "false");
    case "choice": {
      const json = JSON.stringify(value);
      const index = field.options.findIndex((option) => JSON.stringify(option) === json);
      return draft(String(index >= 0 ? index : field.options.length === 1 ? 0 : -1));
    }
    case "constant":
      return draft("");
    case "list": {
      const items: readonly Json[] = Array.isArray(value) ? value : [];
      const missing = Math.max(0, Math.min(field.minItems, NEW_ITEMS_MAX) - items.length);
      const empty = Array.from({ length: missing }, () => createDraft(field.item));
      return draft("", [...items.slice(0, ITEMS_MAX).map((item) => createDraft(field.item, item)), ...empty]);
    }
    case "group":
      return draft("", field.members.map((member) => memberDraft(member, value)));
    case "json":
      return draft(value === undefined ? "" : JSON.stringify(value, null, 2));
    default:
      return assertNever(field);
  }
}

function memberDraft({ name, isRequired, field }: GroupField["members"][number], value: Json | undefined): FormDraft {
  const given = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return createDraft(field, given === undefined ? field.defaultValue : given, isRequired || given !== undefined);
}

/** The JSON of a draft, or its errors. */
export function serializeDraft(field: FormField, draft: FormDraft): SerializedDraft {
  const errors: FieldError[] = [];
  const json = new DraftSerializer(errors).field(field, draft, "");
  return errors.length === 0 && json !== undefined ? { ok: true, json } : { ok: false, errors };
}

/** Reports an error of the field that is being serialized; returns undefined in place of its JSON. */
type Reject = (message: string, index?: number) => undefined;

class DraftSerializer {
  readonly #errors: FieldError[];

  constructor(errors: FieldError[]) {
    this.#errors = errors;
  }

  field(field: FormField, draft: FormDraft, path: string): string | undefined {
    const reject: Reject = (message, index) =>
      void this.#errors.push({ path, message, ...(index !== undefined && { index }) });
    switch (field.is) {
      case "text":
        checkText(field, draft.text, reject);
        return JSON.stringify(draft.text);
      case "number":
        return numberJson(field, draft.text, reject);
      case "boolean":
        return draft.text;
      case "choice": {
        const option = field.options[Number(draft.text)];
        return option === undefined ? reject(ERRORS.choose) : JSON.stringify(option);
      }
      case "constant":
        return JSON.stringify(field.value);
      case "list":
        return this.#list(field, draft, path, reject);
      case "group":
        return this.#group(field, draft, path);
      case "json":
        return typedJson(draft.text, reject);
      default:
        return assertNever(field);
    }
  }

  #list(
    { item, minItems, maxItems }: ListField,
    { children }: FormDraft,
    path: string,
    reject: Reject,
  ): string | undefined {
    const texts = children.map((child, index) => this.field(item, child, childPath(path, index)));
    if (children.length < minItems) return reject(ERRORS.tooFewItems(minItems));
    if (children.length > maxItems) return reject(ERRORS.tooManyItems(maxItems));
    return texts.includes(undefined) ? undefined : `[${texts.join(",")}]`;
  }

  #group({ members }: GroupField, { children }: FormDraft, path: string): string {
    const texts: string[] = [];
    for (const [index, { name, field }] of members.entries()) {
      const child = children[index];
      if (child?.isIncluded !== true) continue;
      const json = this.field(field, child, childPath(path, index));
      if (json !== undefined) texts.push(`${JSON.stringify(name)}:${json}`);
    }
    return `{${texts.join(",")}}`;
  }
}

const childPath = (path: string, index: number): string => (path === "" ? String(index) : `${path}.${index}`);

function checkText({ minLength, maxLength, pattern }: TextField, text: string, reject: Reject): void {
  const { length } = [...text];
  if (length < minLength) reject(minLength === 1 ? ERRORS.empty : ERRORS.tooShort(minLength));
  if (length > maxLength) reject(ERRORS.tooLong(maxLength));
  // Why: a malicious pattern can keep the matcher busy without end. The relay does not run such a pattern either.
  if (pattern === undefined || text.length > PATTERN_TEXT_MAX || !isSafePattern(pattern)) return;
  if (!new RegExp(pattern, "u").test(text)) reject(ERRORS.pattern(pattern));
}

function numberJson({ isInteger, min, max, step }: NumberField, text: string, reject: Reject): string | undefined {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) return reject(ERRORS.number);
  if (isInteger && !Number.isInteger(value)) return reject(ERRORS.integer);
  if (min !== undefined && (min.isExclusive ? value <= min.value : value < min.value)) {
    return reject(min.isExclusive ? ERRORS.moreThan(min.value) : ERRORS.atLeast(min.value));
  }
  if (max !== undefined && (max.isExclusive ? value >= max.value : value > max.value)) {
    return reject(max.isExclusive ? ERRORS.lessThan(max.value) : ERRORS.atMost(max.value));
  }
  if (step !== undefined && step > 0 && !isMultiple(value, step)) return reject(ERRORS.multiple(step));
  return JSON.stringify(parseJson(text, 1) ?? value); // Why parsed: a number keeps the text that was typed.
}

/** Why not by the remainder: 0.3 is a multiple of 0.1. */
const isMultiple = (value: number, step: number): boolean => Math.abs(value / step - Math.round(value / step)) < 1e-9;

function typedJson(text: string, reject: Reject): string | undefined {
  if (text.trim() === "") return reject(ERRORS.json);
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  if (value !== undefined) return JSON.stringify(value);
  const error = jsonErrorIn(text);
  return error === undefined
    ? reject(ERRORS.jsonTooDeep)
    : reject(ERRORS.jsonInvalid(error.line, error.column), error.index);
}

/** The draft with one of its children replaced. `path`: indexes from the root. */
export function updateDraft(
  draft: FormDraft,
  path: readonly number[],
  change: (child: FormDraft) => FormDraft,
): FormDraft {
  const [first, ...rest] = path;
  if (first === undefined) return change(draft);
  const children = draft.children.map((child, index) => (index === first ? updateDraft(child, rest, change) : child));
  return { ...draft, children };
}
