/**
 * What a person has put into a form so far, what is wrong with it, and the JSON that it makes.
 *
 * Invariant: D1 the JSON is written as text, member by member: a property called `__proto__` is one like any other.
 */
import { isObject, type Json, parseJson } from "../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
import { isSafePattern, PATTERN_TEXT_MAX } from "../../services/neuro/codec/safe-pattern.ts";
import type { FormField, GroupField, ListField, NumberField, TextField } from "./schema-form.ts";

/** The state of one field. */
export interface FormDraft {
  /** Texts, numbers and JSON as typed; the index of a choice. */
  readonly text: string;
  /** Goes into the JSON at all: false for an optional one that is left out. */
  readonly isIncluded: boolean;
  /** Of a list its items, of a group its members, in the order of the field's own. */
  readonly children: readonly FormDraft[];
}

/** Something that is wrong: where, as the indexes of parts, and what. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** What came of a draft: its JSON, or its flaws. */
export type SerializedDraft = { readonly text: string; readonly errors: readonly [] } | {
  readonly text: undefined;
  readonly errors: readonly FieldError[];
};

/** A draft that holds a value as far as it fits, or what the schema says when there is none. */
export function createDraft(field: FormField, value: Json | undefined = field.defaultValue, isIncluded = true): FormDraft {
  const draft = (text: string, children: readonly FormDraft[] = []): FormDraft => ({ text, isIncluded, children });
  switch (field.is) {
    case "text":
      return draft(typeof value === "string" ? value : "");
    case "number":
      return draft(typeof value === "number" ? String(value) : "");
    case "yes or no":
      return draft(value === true ? "true" : "false");
    case "choice": {
      const wanted = JSON.stringify(value);
      const at = field.options.findIndex((option) => JSON.stringify(option) === wanted);
      return draft(String(at >= 0 ? at : field.options.length === 1 ? 0 : -1));
    }
    case "fixed":
      return draft("");
    case "list": {
      const items: readonly Json[] = Array.isArray(value) ? value : [];
      const missing = Math.max(0, Math.min(field.minItems, 20) - items.length);
      const blank = Array.from({ length: missing }, () => createDraft(field.item));
      return draft("", [...items.slice(0, 100).map((item) => createDraft(field.item, item)), ...blank]);
    }
    case "group":
      return draft("", field.members.map((member) => memberDraft(member, value)));
    case "raw":
      return draft(value === undefined ? "" : JSON.stringify(value, null, 2));
  }
}

function memberDraft({ name, isRequired, field }: GroupField["members"][number], value: Json | undefined): FormDraft {
  const given = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return createDraft(field, given === undefined ? field.defaultValue : given, isRequired || given !== undefined);
}

/** The JSON of a draft. */
export function serializeDraft(field: FormField, draft: FormDraft): SerializedDraft {
  const errors: FieldError[] = [];
  const text = serializeField(field, draft, { path: "", errors });
  return errors.length === 0 && text !== undefined ? { text, errors: [] } : { text: undefined, errors };
}

interface DraftPath {
  readonly path: string;
  readonly errors: FieldError[];
}

const childPath = ({ path, errors }: DraftPath, index: number): DraftPath => ({
  path: path === "" ? String(index) : `${path}.${index}`,
  errors,
});

function serializeField(field: FormField, draft: FormDraft, place: DraftPath): string | undefined {
  const wrong = (message: string): undefined => void place.errors.push({ path: place.path, message });
  switch (field.is) {
    case "text":
      checkText(field, draft.text, wrong);
      return JSON.stringify(draft.text);
    case "number":
      return numberText(field, draft.text, wrong);
    case "yes or no":
      return draft.text;
    case "choice": {
      const option = field.options[Number(draft.text)];
      return option === undefined ? wrong("choose one") : JSON.stringify(option);
    }
    case "fixed":
      return JSON.stringify(field.value);
    case "list":
      return listText(field, draft, place);
    case "group":
      return groupText(field, draft, place);
    case "raw":
      return rawText(draft.text, wrong);
  }
}

type Reject = (why: string) => undefined;

function checkText({ minLength, maxLength, pattern }: TextField, text: string, wrong: Reject): void {
  const { length } = [...text];
  if (length < minLength) wrong(minLength === 1 ? "must not be empty" : `at least ${minLength} characters`);
  if (length > maxLength) wrong(`at most ${maxLength} characters`);
  // Why: a pattern of a stranger can keep a matcher busy for ever; the relay does not run such a one either.
  if (pattern === undefined || text.length > PATTERN_TEXT_MAX || !isSafePattern(pattern)) return;
  if (!new RegExp(pattern, "u").test(text)) wrong(`must match ${pattern}`);
}

function numberText(field: NumberField, text: string, wrong: Reject): string | undefined {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) return wrong("must be a number");
  const { isInteger, min, max, isMinExclusive, isMaxExclusive, step } = field;
  if (isInteger && !Number.isInteger(value)) return wrong("must be a whole number");
  if (min !== undefined && (isMinExclusive ? value <= min : value < min)) {
    return wrong(isMinExclusive ? `must be more than ${min}` : `at least ${min}`);
  }
  if (max !== undefined && (isMaxExclusive ? value >= max : value > max)) {
    return wrong(isMaxExclusive ? `must be less than ${max}` : `at most ${max}`);
  }
  if (step !== undefined && step > 0 && !isMultiple(value, step)) return wrong(`must be a multiple of ${step}`);
  return JSON.stringify(value);
}

/** Why not the remainder: 0.3 is a multiple of 0.1. */
const isMultiple = (value: number, step: number): boolean => Math.abs(value / step - Math.round(value / step)) < 1e-9;

function listText({ item, minItems, maxItems }: ListField, { children }: FormDraft, place: DraftPath): string | undefined {
  const texts = children.map((part, at) => serializeField(item, part, childPath(place, at)));
  const message = children.length < minItems
    ? `at least ${minItems} of them`
    : children.length > maxItems
    ? `at most ${maxItems} of them`
    : undefined;
  if (message !== undefined) return void place.errors.push({ path: place.path, message });
  return texts.includes(undefined) ? undefined : `[${texts.join(",")}]`;
}

function groupText({ members }: GroupField, { children }: FormDraft, place: DraftPath): string | undefined {
  const texts: string[] = [];
  for (const [at, { name, field }] of members.entries()) {
    const part = children[at];
    if (part?.isIncluded !== true) continue;
    const text = serializeField(field, part, childPath(place, at));
    if (text !== undefined) texts.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${texts.join(",")}}`;
}

function rawText(text: string, wrong: Reject): string | undefined {
  if (text.trim() === "") return wrong("JSON, please");
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  return value === undefined ? wrong("this is not JSON, or is nested too deeply") : JSON.stringify(value);
}

/** A draft with one of its parts changed, by its place. */
export function updateDraft(draft: FormDraft, at: readonly number[], change: (part: FormDraft) => FormDraft): FormDraft {
  const [first, ...rest] = at;
  if (first === undefined) return change(draft);
  return {
    ...draft,
    children: draft.children.map((part, index) => (index === first ? updateDraft(part, rest, change) : part)),
  };
}
