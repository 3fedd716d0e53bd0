/**
 * Reads the `changes` of `ST`: an object, or any value that Python's `dict.update` accepts as a list of pairs.
 *
 * A pair is a list of two values, a text of two characters, or an object with two keys.
 */
import { isObject, type Json } from "../../../core/json.ts";
import { typeName, unhashableError } from "../codec/python-repr.ts";
import { invalid, valid, type Validated } from "../codec/request-error.ts";

export type KeyValuePair = readonly [string, Json | undefined];

/** The pairs in some changes, in order. */
export function pairsOf(changes: Json): Validated<readonly KeyValuePair[]> {
  if (isObject(changes)) return valid(Object.entries(changes));
  const elements = elementsOf(changes);
  if (elements === undefined) {
    return invalid({ message: `changes must be an object: '${typeName(changes)}' object is not iterable` });
  }
  const pairs: KeyValuePair[] = [];
  for (const [at, element] of elements.entries()) {
    const pair = pairOf(element, at);
    if (!pair.ok) return pair;
    pairs.push(pair.value);
  }
  return valid(pairs);
}

function pairOf(element: Json, at: number): Validated<KeyValuePair> {
  const parts = isObject(element) ? Object.keys(element) : elementsOf(element);
  if (parts === undefined) {
    return invalid({ message: `cannot convert dictionary update sequence element #${at} to a sequence` });
  }
  if (parts.length !== 2) {
    return invalid({ message: `dictionary update sequence element #${at} has length ${parts.length}; 2 is required` });
  }
  const [name = null, value = null] = parts;
  const reason = unhashableError(name);
  return reason === undefined ? valid([keyText(name), value]) : invalid({ message: `a key must be a name: ${reason}` });
}

/** The items of a list, or the characters of a text. */
function elementsOf(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value;
  return typeof value === "string" ? [...value] : undefined;
}

/** A key as the original serialized it: null is "null", 5 is "5". */
const keyText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
