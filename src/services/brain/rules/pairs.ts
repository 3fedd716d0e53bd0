/**
 * What `ST` takes for changes: an object, or anything that the original could read as a list of pairs.
 *
 * A pair is a list of two, a text of two characters, or an object with two keys.
 */
import { isObject, type Json } from "../../../core/json.ts";
import { typeName, unhashable } from "../legacy.ts";
import { fine, type Outcome, wrong } from "../problem.ts";

type Pair = readonly [string, Json | undefined];

/** The pairs in some changes, in order. */
export function pairsOf(changes: Json): Outcome<readonly Pair[]> {
  if (isObject(changes)) return fine(Object.entries(changes));
  const elements = elementsOf(changes);
  if (elements === undefined) {
    return wrong({ error: `changes must be an object: '${typeName(changes)}' object is not iterable` });
  }
  const pairs: Pair[] = [];
  for (const [at, element] of elements.entries()) {
    const pair = pairOf(element, at);
    if (!pair.ok) return pair;
    pairs.push(pair.value);
  }
  return fine(pairs);
}

function pairOf(element: Json, at: number): Outcome<Pair> {
  const parts = isObject(element) ? Object.keys(element) : elementsOf(element);
  if (parts === undefined) {
    return wrong({ error: `cannot convert dictionary update sequence element #${at} to a sequence` });
  }
  const [name, value = null] = parts;
  if (parts.length !== 2) {
    return wrong({ error: `dictionary update sequence element #${at} has length ${parts.length}; 2 is required` });
  }
  const cannot = unhashable(name);
  return cannot === undefined ? fine([nameOf(name ?? null), value]) : wrong({ error: `a key must be a name: ${cannot}` });
}

/** The members of a list, the characters of a text. */
function elementsOf(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value;
  return typeof value === "string" ? [...value] : undefined;
}

/** A key as the original wrote it out: null is "null", 5 is "5". */
const nameOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
