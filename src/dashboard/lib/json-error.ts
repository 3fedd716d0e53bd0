/** Where a text stops being JSON. Why not the message of `JSON.parse`: only some browsers name the place, each in its own words. */

/** A place in a text. Lines and columns count from 1. */
export interface JsonError {
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

const SPACE = /[ \t\r\n]*/y;
const TEXT = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const KEY = new RegExp(TEXT, "y");
/** A whole value that contains no other. */
const SCALAR = new RegExp(`(?:${TEXT}|${NUMBER}|true|false|null)`, "y");

/** What may come next: a value, the first member or its end, a member, or what follows a value. */
type Expected = "value" | "first_item" | "first_member" | "member" | "end";

/** The first place at which the text cannot be continued as JSON; undefined if it is JSON. */
export function jsonErrorIn(text: string): JsonError | undefined {
  const open: ("[" | "{")[] = [];
  let expected: Expected = "value";
  let index = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = index;
    const isThere = pattern.test(text);
    if (isThere) index = pattern.lastIndex;
    return isThere;
  };
  const take = (character: string): boolean => {
    if (text[index] !== character) return false;
    index++;
    return true;
  };
  for (;;) {
    skip(SPACE);
    const container = open.at(-1);
    if (expected === "end") {
      if (container === undefined) return index === text.length ? undefined : placeOf(text, index);
      if (take(",")) expected = container === "{" ? "member" : "value";
      else if (take(container === "{" ? "}" : "]")) open.pop();
      else return placeOf(text, index);
    } else if ((expected === "first_item" && take("]")) || (expected === "first_member" && take("}"))) {
      open.pop();
      expected = "end";
    } else if (expected === "member" || expected === "first_member") {
      if (!skip(KEY)) return placeOf(text, index);
      skip(SPACE);
      if (!take(":")) return placeOf(text, index);
      expected = "value";
    } else if (take("[")) {
      open.push("[");
      expected = "first_item";
    } else if (take("{")) {
      open.push("{");
      expected = "first_member";
    } else if (skip(SCALAR)) expected = "end";
    else return placeOf(text, index);
  }
}

function placeOf(text: string, index: number): JsonError {
  const before = text.slice(0, index).split("\n");
  return { index, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
