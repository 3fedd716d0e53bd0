/**
 * Generates data for a schema; the same seed generates the same data.
 *
 * It supports `const`, `enum`, types, ranges, lengths, arrays, nested objects, one branch of `anyOf` and `oneOf`, all of `allOf`, `then` or
 * `else`, dependent schemas, names of properties by pattern, and common patterns. `not` is ignored, so the caller validates the data. Required properties are always present; optional ones
 * sometimes, and never in a plain sample.
 *
 * Invariant: SA1 it ends, and generates at most a few thousand values, whatever the schema asks for.
 */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { UNCHECKED_FORMAT, UNCHECKED_PATTERN } from "../codec/validate-data.ts";
import { FORMAT_SAMPLES } from "./format-samples.ts";
import { sampleMatch } from "./pattern-sampler.ts";

/** One item of a list that is not empty. */
export const pick = <Item>(items: readonly Item[], random: () => number): Item =>
  items[below(items.length, random)] as Item;

const below = (count: number, random: () => number): number => Math.floor(random() * count);

const VALUES_MAX = 2_000;
const TEXT_MAX = 2_048;
const ITEMS_MAX = 256;
/** Deeper than this only required properties are generated. */
const OPTIONAL_DEPTH_MAX = 4;

/** Data for a compiled schema (see `validate-data.ts`): its references are resolved and its keywords well-formed. */
export function sampleData(ready: JsonObject, random: () => number, style: "plain" | "varied"): Json {
  return sampleValue(ready, { random, isPlain: style === "plain", valuesLeft: VALUES_MAX }, 0);
}

interface SampleRun {
  readonly random: () => number;
  readonly isPlain: boolean;
  /** Values that may still be generated. */
  valuesLeft: number;
}

function sampleValue(whole: Json | undefined, run: SampleRun, depth: number): Json {
  if (!isObject(whole)) return null;
  if (--run.valuesLeft < 0) return null;
  const schema = withBranches(whole, run);
  // Why not a given value: the text is made from a pattern or format that is not checked, and the given values are checked.
  const isMade = schema[UNCHECKED_PATTERN] !== undefined || schema[UNCHECKED_FORMAT] !== undefined;
  const given = isMade ? undefined : givenValue(schema, run);
  if (given !== undefined) return given;
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, run, depth);
    case "array":
      return sampleList(schema, run, depth);
    case "integer":
    case "number":
      return sampleNumber(schema, run);
    case "boolean":
      return run.random() < 0.5;
    case "null":
      return null;
    default:
      // Why not `assertNever`: a schema can contain any type.
      return sampleText(schema, run);
  }
}

function givenValue(schema: JsonObject, run: SampleRun): Json | undefined {
  const { const: fixed, enum: choices, default: preset } = schema;
  if (fixed !== undefined) return fixed;
  if (Array.isArray(choices)) return run.isPlain ? choices[0] : pick<Json>(choices, run.random);
  return run.isPlain ? preset : undefined;
}

function typeOf(schema: JsonObject): Json {
  const { type } = schema;
  if (typeof type === "string") return type;
  // Why: an optional value is often declared as a type or null, and null tests nothing.
  if (Array.isArray(type)) return type.find((name: Json) => name !== "null") ?? "null";
  const has = (...keywords: readonly string[]) => keywords.some((keyword) => schema[keyword] !== undefined);
  if (has("properties", "required", "minProperties")) return "object";
  if (has("items", "prefixItems", "minItems")) return "array";
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) return "number";
  return "string";
}

/** The schema merged with all branches of `allOf`, and one of `anyOf`, of `oneOf`, and of `then` and `else`: the first one in a plain sample. */
function withBranches(schema: JsonObject, run: SampleRun): JsonObject {
  const added: Json[] = [];
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    const branches = schema[keyword];
    if (!Array.isArray(branches) || branches.length === 0) continue;
    if (keyword === "allOf") added.push(...branches);
    else added.push(run.isPlain ? branches[0] : pick<Json>(branches, run.random));
  }
  const { if: condition, then: consequence = {}, else: alternative = {} } = schema;
  if (isObject(condition)) added.push(...(run.isPlain || run.random() < 0.5 ? [condition, consequence] : [alternative]));
  if (added.length === 0) return schema;
  const { allOf: _all, anyOf: _any, oneOf: _one, if: _if, ...rest } = schema;
  return added.reduce<JsonObject>(
    (joined, part) => (isObject(part) ? mergeSchemas(joined, withBranches(part, run)) : joined),
    rest,
  );
}

function mergeSchemas(left: JsonObject, right: JsonObject): JsonObject {
  const properties: Record<string, Json | undefined> = { ...asObject(left["properties"]) };
  for (const [name, part = null] of Object.entries(asObject(right["properties"]))) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    properties[name] = isObject(known) && isObject(part) ? mergeSchemas(known, part) : part;
  }
  const required = [...asList(left["required"]), ...asList(right["required"])];
  return {
    ...left,
    ...right,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const asList = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

function sampleObject(schema: JsonObject, run: SampleRun, depth: number): JsonObject {
  const properties = asObject(schema["properties"]);
  const required = new Set(asList(schema["required"]).map(String));
  const wanted = Object.keys(properties).filter((name) => required.has(name) || isIncluded(run, depth));
  const names = new Set([...wanted, ...required]);
  const least = Math.min(sizeLimit(schema, "minProperties") ?? 0, ITEMS_MAX);
  for (const name of Object.keys(properties)) if (names.size < least) names.add(name);
  for (let at = 1; names.size < least && at <= 2 * ITEMS_MAX; at++) names.add(otherName(schema, { at, run, depth }));
  // Why a growing set is iterated: a name that is added may demand others.
  for (const name of names) {
    for (const needed of asList(asObject(schema["dependentRequired"])[name])) names.add(String(needed));
  }
  const dependent = asObject(schema["dependentSchemas"]);
  const due = [...names].find((name) => Object.hasOwn(dependent, name) && isObject(dependent[name]));
  if (due !== undefined) {
    const { [due]: part = null, ...dependentSchemas } = dependent;
    const rest = { ...schema, dependentSchemas, required: [...required, due] };
    return sampleObject(mergeSchemas(rest, withBranches(asObject(part), run)), run, depth);
  }
  return Object.fromEntries([...names].map((name) => [name, sampleValue(propertySchema(schema, name), run, depth + 1)]));
}

/** The name of a property that the schema does not name. */
function otherName(schema: JsonObject, { at, run, depth }: { at: number; run: SampleRun; depth: number }): string {
  const { propertyNames } = schema;
  if (isObject(propertyNames)) return String(sampleValue({ ...propertyNames, type: "string" }, run, depth + 1));
  const [pattern] = schema["additionalProperties"] === false ? Object.keys(asObject(schema["patternProperties"])) : [];
  const fitting = pattern === undefined
    ? undefined
    : sampleMatch(pattern, { below: (count) => below(count, run.random), repeatsMin: at });
  return fitting ?? `property_${at}`;
}

/** The schema of a property, which a name or a pattern gives it. */
function propertySchema(schema: JsonObject, name: string): Json | undefined {
  const properties = asObject(schema["properties"]);
  if (Object.hasOwn(properties, name)) return properties[name];
  // Why not in a try: a compiled schema has only patterns that are safe, so they are valid.
  const byPattern = Object.entries(asObject(schema["patternProperties"])).find(([pattern]) =>
    new RegExp(pattern, "u").test(name)
  );
  return byPattern === undefined ? schema["additionalProperties"] : byPattern[1];
}

const isIncluded = (run: SampleRun, depth: number): boolean =>
  !run.isPlain && depth < OPTIONAL_DEPTH_MAX && run.random() < 0.5;

function sampleList(schema: JsonObject, run: SampleRun, depth: number): readonly Json[] {
  const prefix = asList(schema["prefixItems"]);
  const least = Math.min(sizeLimit(schema, "minItems") ?? 0, ITEMS_MAX);
  const most = Math.max(least, Math.min(sizeLimit(schema, "maxItems") ?? least + 3, ITEMS_MAX));
  const isShort = run.isPlain || depth >= OPTIONAL_DEPTH_MAX;
  const count = isShort ? least : least + below(Math.min(most - least, 3) + 1, run.random);
  const items: Json[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < count; at++) {
    let item = sampleValue(prefix[at] ?? schema["items"], run, depth + 1);
    for (let again = 0; again < 8 && schema["uniqueItems"] === true && seen.has(JSON.stringify(item)); again++) {
      item = sampleValue(prefix[at] ?? schema["items"], { ...run, isPlain: false }, depth + 1);
    }
    // Why: a list that is shorter but long enough is better than one with an item twice.
    if (schema["uniqueItems"] === true && seen.has(JSON.stringify(item)) && items.length >= least) break;
    seen.add(JSON.stringify(item));
    items.push(item);
  }
  const { contains } = schema;
  if (contains === undefined) return items;
  const needed = Math.min(sizeLimit(schema, "minContains") ?? 1, ITEMS_MAX);
  const kept = Math.min(items.length, Math.max(0, (sizeLimit(schema, "maxItems") ?? ITEMS_MAX) - needed));
  const found = Array.from({ length: needed }, (_, at) => {
    // Why the item's own schema last: what only the sample checks (a pattern, a format) is in it.
    const both = [contains, prefix[kept + at] ?? schema["items"] ?? {}];
    return sampleValue({ allOf: both }, run, depth + 1);
  });
  return [...items.slice(0, kept), ...found];
}

const sizeLimit = (schema: JsonObject, keyword: string): number | undefined => {
  const value = schema[keyword];
  return typeof value === "number" ? Math.max(0, Math.ceil(value)) : undefined;
};

function sampleNumber(schema: JsonObject, run: SampleRun): number {
  const step = typeof schema["multipleOf"] === "number" ? schema["multipleOf"] : undefined;
  const isWhole = typeOf(schema) === "integer";
  const grain = step ?? (isWhole ? 1 : undefined);
  const [low, high] = numberRange(schema, grain);
  if (grain === undefined) {
    const value = low + run.random() * (high - low);
    const rounded = Math.round(value * 100) / 100;
    return rounded >= low && rounded <= high ? rounded : value;
  }
  const first = Math.ceil(low / grain);
  const last = Math.floor(high / grain);
  if (last < first) return low;
  const count = last - first + 1;
  const start = run.isPlain ? 0 : below(count, run.random);
  // Why several, from the first again after the last: a fraction times a whole number is often no multiple of it in binary.
  for (let tried = 0; tried < Math.min(count, MULTIPLES_TRIED); tried++) {
    const product = (first + (start + tried) % count) * grain;
    const rounded = Number(product.toPrecision(15));
    if (Number.isInteger(rounded / grain)) return rounded;
  }
  return (first + start) * grain;
}

const MULTIPLES_TRIED = 16;

/** The smallest and the largest allowed number; a range with one open side is 100 wide. */
function numberRange(schema: JsonObject, grain: number | undefined): readonly [number, number] {
  const read = (keyword: string): number | undefined => {
    const value = schema[keyword];
    return typeof value === "number" ? value : undefined;
  };
  const [above, under] = [read("exclusiveMinimum"), read("exclusiveMaximum")];
  const margin = (edge: number): number => grain ?? Math.max(1e-9, Math.abs(edge) * 1e-9);
  const lows = [read("minimum"), above === undefined ? undefined : nextAllowed(above, grain, margin(above))];
  const highs = [read("maximum"), under === undefined ? undefined : nextAllowed(under, grain, -margin(under))];
  const low = Math.max(...lows.filter((edge) => edge !== undefined));
  const high = Math.min(...highs.filter((edge) => edge !== undefined));
  const span = Math.max(100, (grain ?? 0) * 100);
  if (Number.isFinite(low)) return [low, Number.isFinite(high) ? high : low + span];
  return Number.isFinite(high) ? [high - span, high] : [0, span];
}

/** The next allowed number after an exclusive bound. */
function nextAllowed(edge: number, grain: number | undefined, margin: number): number {
  if (grain === undefined) return edge + margin;
  const steps = margin > 0 ? Math.floor(edge / grain) + 1 : Math.ceil(edge / grain) - 1;
  return steps * grain;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

function sampleText(schema: JsonObject, run: SampleRun): string | null {
  const repeatsMin = Math.min(sizeLimit(schema, "minLength") ?? 0, TEXT_MAX);
  const most = Math.floor(typeof schema["maxLength"] === "number" ? schema["maxLength"] : Math.max(repeatsMin, 8));
  const options = { below: (count: number) => below(count, run.random), repeatsMin };
  // Why the unchecked pattern first: the validator does not run it, but refuses a text that violates another keyword.
  const unchecked = schema[UNCHECKED_PATTERN];
  // Why null without a match: the schema either allows it, or it is refused.
  if (typeof unchecked === "string") return sampleMatch(unchecked, { ...options, isExact: true }) ?? null;
  const format = FORMAT_SAMPLES.get(String(schema[UNCHECKED_FORMAT]));
  if (format !== undefined) return format(String(below(10, run.random)));
  const { pattern } = schema;
  const fitting = typeof pattern === "string" ? sampleMatch(pattern, options) : undefined;
  // Why filled up: a pattern without an end may be followed by anything.
  if (fitting !== undefined) return fitting.padEnd(repeatsMin, "a");
  const length = Math.max(repeatsMin, Math.min(most, 4 + below(5, run.random)));
  let text = "";
  while (text.length < length) text += LETTERS[below(LETTERS.length, run.random)];
  return text;
}
