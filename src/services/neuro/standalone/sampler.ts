/**
 * Data that fits a schema, made by chance that can be repeated: the same seed makes the same data.
 *
 * It knows the usual keywords: `const`, `enum`, types, ranges, lengths, arrays, nested objects, the first branch of `anyOf` and
 * `oneOf`, all of `allOf`, and ordinary patterns. `not` is passed over. Required properties are always there; optional ones sometimes,
 * or never when the sample shall be plain.
 *
 * Invariant: it ends, and what it makes has at most a few thousand values, whatever the schema asks for.
 */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { sampleMatch } from "./pattern-sampler.ts";

/** Chance as plain data: a state that moves on with each use. */
export interface Chance {
  state: number;
}

export const chance = (seed: number): Chance => ({ state: seed >>> 0 });

/** The next number from 0 up to, not including, 1 (the generator known as mulberry32). */
export function draw(from: Chance): number {
  from.state = (from.state + 0x6d2b79f5) >>> 0;
  let mixed = from.state;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

/** One of a list that is not empty. */
export const pick = <Item>(items: readonly Item[], from: Chance): Item => items[below(items.length, from)] as Item;

const below = (count: number, from: Chance): number => Math.floor(draw(from) * count);

const VALUES_MAX = 2_000;
const TEXT_MAX = 2_048;
const ITEMS_MAX = 256;
/** Deeper than this only what is required is made. */
const OPTIONAL_DEPTH_MAX = 4;

/** Data for a schema that was made ready (see `schema.ts`): references filled in, keywords well-formed. */
export function sampleData(ready: JsonObject, from: Chance, style: "plain" | "varied"): Json {
  return sampleValue(ready, { from, isPlain: style === "plain", valuesLeft: VALUES_MAX }, 0);
}

interface SampleRun {
  readonly from: Chance;
  readonly isPlain: boolean;
  /** Values that may still be made. */
  valuesLeft: number;
}

function sampleValue(given: Json | undefined, sampling: SampleRun, depth: number): Json {
  if (!isObject(given)) return null;
  if (--sampling.valuesLeft < 0) return null;
  const schema = withBranches(given);
  const fixed = schema["const"];
  if (fixed !== undefined) return fixed;
  const choices = schema["enum"];
  if (Array.isArray(choices)) return sampling.isPlain ? choices[0] : pick<Json>(choices, sampling.from);
  const preset = schema["default"];
  if (preset !== undefined && sampling.isPlain) return preset;
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, sampling, depth);
    case "array":
      return sampleList(schema, sampling, depth);
    case "integer":
    case "number":
      return sampleNumber(schema, sampling);
    case "boolean":
      return draw(sampling.from) < 0.5;
    case "null":
      return null;
    default:
      return sampleText(schema, sampling);
  }
}

function typeOf(schema: JsonObject): Json {
  const { type } = schema;
  if (typeof type === "string") return type;
  // Why: an optional value is often declared as itself or null, and null says little.
  if (Array.isArray(type)) return type.find((name: Json) => name !== "null") ?? "null";
  const has = (...keywords: readonly string[]) => keywords.some((keyword) => schema[keyword] !== undefined);
  if (has("properties", "required", "minProperties")) return "object";
  if (has("items", "prefixItems", "minItems")) return "array";
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) return "number";
  return "string";
}

/** The schema and what it has to fulfil besides, as one. */
function withBranches(schema: JsonObject): JsonObject {
  const besides: Json[] = [];
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    const branches = schema[keyword];
    if (Array.isArray(branches)) besides.push(...(keyword === "allOf" ? branches : branches.slice(0, 1)));
  }
  if (besides.length === 0) return schema;
  const { allOf: _all, anyOf: _any, oneOf: _one, ...rest } = schema;
  return besides.reduce<JsonObject>(
    (joined, part) => (isObject(part) ? mergeSchemas(joined, withBranches(part)) : joined),
    rest,
  );
}

function mergeSchemas(left: JsonObject, right: JsonObject): JsonObject {
  const properties = { ...asObject(left["properties"]), ...asObject(right["properties"]) };
  const required = [...asList(left["required"]), ...asList(right["required"])];
  return { ...left, ...right, ...(Object.keys(properties).length > 0 && { properties }), required };
}

const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const asList = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

function sampleObject(schema: JsonObject, sampling: SampleRun, depth: number): JsonObject {
  const properties = asObject(schema["properties"]);
  const required = new Set(asList(schema["required"]).map(String));
  const wanted = Object.keys(properties).filter((name) => required.has(name) || isIncluded(sampling, depth));
  const names = new Set([...wanted, ...required]);
  const other = schema["additionalProperties"];
  return Object.fromEntries(
    [...names].map((
      name,
    ) => [name, sampleValue(Object.hasOwn(properties, name) ? properties[name] : other, sampling, depth + 1)]),
  );
}

const isIncluded = (sampling: SampleRun, depth: number): boolean =>
  !sampling.isPlain && depth < OPTIONAL_DEPTH_MAX && draw(sampling.from) < 0.5;

function sampleList(schema: JsonObject, sampling: SampleRun, depth: number): readonly Json[] {
  const prefix = asList(schema["prefixItems"]);
  const least = Math.min(sizeLimit(schema, "minItems") ?? 0, ITEMS_MAX);
  const most = Math.max(least, Math.min(sizeLimit(schema, "maxItems") ?? least + 3, ITEMS_MAX));
  const isShort = sampling.isPlain || depth >= OPTIONAL_DEPTH_MAX;
  const count = isShort ? least : least + below(Math.min(most - least, 3) + 1, sampling.from);
  const items: Json[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < count; at++) {
    let item = sampleValue(prefix[at] ?? schema["items"], sampling, depth + 1);
    for (let again = 0; again < 8 && schema["uniqueItems"] === true && seen.has(JSON.stringify(item)); again++) {
      item = sampleValue(prefix[at] ?? schema["items"], { ...sampling, isPlain: false }, depth + 1);
    }
    // Why: rather a shorter list than one with the same item twice, where more are not needed.
    if (schema["uniqueItems"] === true && seen.has(JSON.stringify(item)) && items.length >= least) break;
    seen.add(JSON.stringify(item));
    items.push(item);
  }
  return items;
}

const sizeLimit = (schema: JsonObject, keyword: string): number | undefined => {
  const value = schema[keyword];
  return typeof value === "number" ? Math.max(0, Math.ceil(value)) : undefined;
};

function sampleNumber(schema: JsonObject, sampling: SampleRun): number {
  const step = typeof schema["multipleOf"] === "number" ? schema["multipleOf"] : undefined;
  const isWhole = typeOf(schema) === "integer";
  const grain = step ?? (isWhole ? 1 : undefined);
  const [low, high] = numberRange(schema, grain);
  if (grain === undefined) {
    const value = low + draw(sampling.from) * (high - low);
    const rounded = Math.round(value * 100) / 100;
    return rounded >= low && rounded <= high ? rounded : value;
  }
  const first = Math.ceil(low / grain);
  const last = Math.floor(high / grain);
  if (last < first) return low;
  return (sampling.isPlain ? first : first + below(last - first + 1, sampling.from)) * grain;
}

/** The least and the greatest number allowed; a hundred wide where one side is open. */
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

/** The next allowed number beyond an edge that itself is not. */
function nextAllowed(edge: number, grain: number | undefined, margin: number): number {
  if (grain === undefined) return edge + margin;
  const steps = margin > 0 ? Math.floor(edge / grain) + 1 : Math.ceil(edge / grain) - 1;
  return steps * grain;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

function sampleText(schema: JsonObject, sampling: SampleRun): string {
  const repeatsMin = Math.min(sizeLimit(schema, "minLength") ?? 0, TEXT_MAX);
  const most = Math.floor(typeof schema["maxLength"] === "number" ? schema["maxLength"] : Math.max(repeatsMin, 8));
  const { pattern } = schema;
  const fitting = typeof pattern === "string"
    ? sampleMatch(pattern, { below: (count) => below(count, sampling.from), repeatsMin })
    : undefined;
  if (fitting !== undefined) return fitting;
  const length = Math.max(repeatsMin, Math.min(most, 4 + below(5, sampling.from)));
  let text = "";
  while (text.length < length) text += LETTERS[below(LETTERS.length, sampling.from)];
  return text;
}
