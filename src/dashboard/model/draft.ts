/**
 * What a person has put into a form so far, what is wrong with it, and the JSON that it makes.
 *
 * Invariant: D1 the JSON is written as text, member by member: a property called `__proto__` is one like any other.
 */
import { isObject, type Json, parseJson } from "../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
import { isSafePattern, PATTERN_TEXT_MAX } from "../../services/neuro/codec/pattern.ts";
import type { Field, GroupField, ListField, NumberField, TextField } from "./form.ts";

/** The state of one field. */
export interface Draft {
  /** Texts, numbers and JSON as typed; the index of a choice. */
  readonly text: string;
  /** Goes into the JSON at all: false for an optional one that is left out. */
  readonly isGiven: boolean;
  /** Of a list its items, of a group its members, in the order of the field's own. */
  readonly parts: readonly Draft[];
}

/** Something that is wrong: where, as the indexes of parts, and what. */
export interface Flaw {
  readonly at: string;
  readonly why: string;
}

/** What came of a draft: its JSON, or its flaws. */
export type Written = { readonly text: string; readonly flaws: readonly [] } | {
  readonly text: undefined;
  readonly flaws: readonly Flaw[];
};

/** A draft that holds a value as far as it fits, or what the schema says when there is none. */
export function draftOf(field: Field, value: Json | undefined = field.preset, isGiven = true): Draft {
  const draft = (text: string, parts: readonly Draft[] = []): Draft => ({ text, isGiven, parts });
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
      const missing = Math.max(0, Math.min(field.least, 20) - items.length);
      const blank = Array.from({ length: missing }, () => draftOf(field.item));
      return draft("", [...items.slice(0, 100).map((item) => draftOf(field.item, item)), ...blank]);
    }
    case "group":
      return draft("", field.members.map((member) => memberDraft(member, value)));
    case "raw":
      return draft(value === undefined ? "" : JSON.stringify(value, null, 2));
  }
}

function memberDraft({ name, isRequired, field }: GroupField["members"][number], value: Json | undefined): Draft {
  const given = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return draftOf(field, given === undefined ? field.preset : given, isRequired || given !== undefined);
}

/** The JSON of a draft. */
export function write(field: Field, draft: Draft): Written {
  const flaws: Flaw[] = [];
  const text = written(field, draft, { at: "", flaws });
  return flaws.length === 0 && text !== undefined ? { text, flaws: [] } : { text: undefined, flaws };
}

interface Place {
  readonly at: string;
  readonly flaws: Flaw[];
}

const within = ({ at, flaws }: Place, index: number): Place => ({
  at: at === "" ? String(index) : `${at}.${index}`,
  flaws,
});

function written(field: Field, draft: Draft, place: Place): string | undefined {
  const wrong = (why: string): undefined => void place.flaws.push({ at: place.at, why });
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

type Wrong = (why: string) => undefined;

function checkText({ least, most, pattern }: TextField, text: string, wrong: Wrong): void {
  const { length } = [...text];
  if (length < least) wrong(least === 1 ? "must not be empty" : `at least ${least} characters`);
  if (length > most) wrong(`at most ${most} characters`);
  // Why: a pattern of a stranger can keep a matcher busy for ever; the relay does not run such a one either.
  if (pattern === undefined || text.length > PATTERN_TEXT_MAX || !isSafePattern(pattern)) return;
  if (!new RegExp(pattern, "u").test(text)) wrong(`must match ${pattern}`);
}

function numberText(field: NumberField, text: string, wrong: Wrong): string | undefined {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) return wrong("must be a number");
  const { isWhole, least, most, isAbove, isBelow, step } = field;
  if (isWhole && !Number.isInteger(value)) return wrong("must be a whole number");
  if (least !== undefined && (isAbove ? value <= least : value < least)) {
    return wrong(isAbove ? `must be more than ${least}` : `at least ${least}`);
  }
  if (most !== undefined && (isBelow ? value >= most : value > most)) {
    return wrong(isBelow ? `must be less than ${most}` : `at most ${most}`);
  }
  if (step !== undefined && step > 0 && !isMultiple(value, step)) return wrong(`must be a multiple of ${step}`);
  return JSON.stringify(value);
}

/** Why not the remainder: 0.3 is a multiple of 0.1. */
const isMultiple = (value: number, step: number): boolean => Math.abs(value / step - Math.round(value / step)) < 1e-9;

function listText({ item, least, most }: ListField, { parts }: Draft, place: Place): string | undefined {
  const texts = parts.map((part, at) => written(item, part, within(place, at)));
  const why = parts.length < least
    ? `at least ${least} of them`
    : parts.length > most
    ? `at most ${most} of them`
    : undefined;
  if (why !== undefined) return void place.flaws.push({ at: place.at, why });
  return texts.includes(undefined) ? undefined : `[${texts.join(",")}]`;
}

function groupText({ members }: GroupField, { parts }: Draft, place: Place): string | undefined {
  const texts: string[] = [];
  for (const [at, { name, field }] of members.entries()) {
    const part = parts[at];
    if (part?.isGiven !== true) continue;
    const text = written(field, part, within(place, at));
    if (text !== undefined) texts.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${texts.join(",")}}`;
}

function rawText(text: string, wrong: Wrong): string | undefined {
  if (text.trim() === "") return wrong("JSON, please");
  const value = parseJson(text, SCHEMA_DEPTH_MAX);
  return value === undefined ? wrong("this is not JSON, or is nested too deeply") : JSON.stringify(value);
}

/** A draft with one of its parts changed, by its place. */
export function changed(draft: Draft, at: readonly number[], change: (part: Draft) => Draft): Draft {
  const [first, ...rest] = at;
  if (first === undefined) return change(draft);
  return { ...draft, parts: draft.parts.map((part, index) => (index === first ? changed(part, rest, change) : part)) };
}
