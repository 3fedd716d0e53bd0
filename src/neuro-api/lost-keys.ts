/**
 * What JavaScript does not keep of a JSON text: of a repeated key only the last value, and the order of keys that are whole numbers.
 *
 * The text must be JSON. The scan is linear, and is made only where objects of a peer are passed on to others.
 */
import { endOfString } from "../core/json.ts";

export interface LostKeys {
  /** A key that is given twice in one object. */
  readonly repeated?: string;
  /** A whole number as a key that comes before keys which were written before it. */
  readonly reordered?: string;
}

interface OpenObject {
  readonly keys: Set<string>;
  /** The largest whole number among the keys; Infinity after any other key. */
  last: number;
}

const QUOTE = 34;
const COLON = 58;
const WHOLE = /^(?:0|[1-9]\d{0,9})$/;
/** Larger numbers are keys like any other. */
const INDEX_MAX = 2 ** 32 - 2;

const NOTHING: LostKeys = {};

export function lostKeysIn(text: string): LostKeys {
  /** The objects and lists around the current position; undefined for a list. */
  const around: (OpenObject | undefined)[] = [];
  let [repeated, reordered]: (string | undefined)[] = [];
  for (let at = 0; at < text.length && (repeated === undefined || reordered === undefined); at++) {
    const code = text.charCodeAt(at);
    if (code === 123) around.push({ keys: new Set(), last: -1 });
    else if (code === 91) around.push(undefined);
    else if (code === 125 || code === 93) around.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, at);
      const object = around.at(-1);
      if (object !== undefined && isFollowedByColon(text, end)) {
        const key = keyOf(text.slice(at, end + 1));
        if (object.keys.has(key)) repeated ??= key;
        else if (isMoved(object, key)) reordered ??= key;
        object.keys.add(key);
      }
      at = end;
    }
  }
  if (repeated === undefined && reordered === undefined) return NOTHING;
  return { ...(repeated !== undefined && { repeated }), ...(reordered !== undefined && { reordered }) };
}

const keyOf = (quoted: string): string => quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1;
  while (text.charCodeAt(at) <= 32) at++;
  return text.charCodeAt(at) === COLON;
}

/** JavaScript puts whole numbers first, in ascending order. */
function isMoved(object: OpenObject, key: string): boolean {
  const index = WHOLE.test(key) ? Number(key) : Infinity;
  const isIndex = index <= INDEX_MAX;
  const isMovedKey = isIndex && index < object.last;
  object.last = isIndex ? Math.max(object.last, index) : Infinity;
  return isMovedKey;
}
