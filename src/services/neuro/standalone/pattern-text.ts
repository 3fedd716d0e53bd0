/**
 * A text that a pattern matches, made by chance.
 *
 * It knows what patterns of schemas are made of: characters, classes, `\d` `\w` `\s`, groups, alternatives and repeats. Of the
 * rest (look-around, references, properties of Unicode) it makes nothing; whoever uses the text checks it.
 *
 * Invariant: it ends, and what is repeated is so at most `PARTS_MAX` times in all, whatever the pattern asks for.
 * Knows nothing of: schemas.
 */

/** How the text is made. */
export interface Making {
  /** A number from 0 up to, not including, `count`. */
  below(count: number): number;
  /** Repeats without an end go on at least so long. */
  readonly least: number;
}

const PARTS_MAX = 256;
const DEPTH_MAX = 16;
/** How often more than the least a repeat without an end is made. */
const REPEATS_MORE = 3;

const DIGITS = rangeOf("0", "9");
const WORD = [...rangeOf("a", "z"), ...rangeOf("A", "Z"), ...DIGITS, "_"];
const ESCAPED: ReadonlyMap<string, readonly string[]> = new Map([
  ["d", DIGITS],
  ["w", WORD],
  ["s", [" "]],
  ["D", without(DIGITS)],
  ["W", without(WORD)],
  ["S", without([" "])],
  ["n", ["\n"]],
  ["t", ["\t"]],
  ["r", ["\r"]],
]);

/** Undefined when the pattern holds what this does not know. */
export function textFor(pattern: string, making: Making): string | undefined {
  const reading: Reading = { pattern, at: 0, making, left: PARTS_MAX };
  const text = alternatives(reading, 0);
  return reading.at === pattern.length ? text : undefined;
}

interface Reading {
  readonly pattern: string;
  at: number;
  readonly making: Making;
  /** Parts that may still be made: beyond them nothing is repeated. */
  left: number;
}

/** `a|b|c`: each is made, one is taken. */
function alternatives(reading: Reading, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const made: string[] = [];
  do {
    const text = sequence(reading, depth);
    if (text === undefined) return undefined;
    made.push(text);
  } while (take(reading, "|"));
  return made[reading.making.below(made.length)];
}

function sequence(reading: Reading, depth: number): string | undefined {
  let text = "";
  while (reading.at < reading.pattern.length && !/[|)]/.test(reading.pattern[reading.at] ?? "")) {
    const start = reading.at;
    const part = atom(reading, depth);
    const times = part === undefined ? undefined : repeats(reading);
    if (part === undefined || times === undefined) return undefined;
    const end = reading.at;
    if (times > 0) text += part;
    for (let time = 1; time < times && reading.left > 0; time++) {
      reading.at = start; // Why read again: each time something else may be made of it.
      text += atom(reading, depth) ?? "";
    }
    reading.at = end;
  }
  return text;
}

function atom(reading: Reading, depth: number): string | undefined {
  reading.left--;
  const first = reading.pattern[reading.at++];
  switch (first) {
    case "^":
    case "$":
      return "";
    case "(":
      return group(reading, depth);
    case "[":
      return one(reading, classOf(reading));
    case ".":
      return one(reading, WORD);
    case "\\":
      return one(reading, escaped(reading));
    case "*":
    case "+":
    case "?":
    case "{":
      return undefined;
    default:
      return one(reading, first === undefined ? undefined : [first]);
  }
}

function one(reading: Reading, characters: readonly string[] | undefined): string | undefined {
  if (characters === undefined || characters.length === 0) return undefined;
  return characters[reading.making.below(characters.length)];
}

function group(reading: Reading, depth: number): string | undefined {
  const { pattern, at } = reading;
  const [head] = /^\?(?::|<[A-Za-z]\w*>)/.exec(pattern.slice(at, at + 64)) ?? [""];
  if (head === "" && pattern[at] === "?") return undefined;
  reading.at += head.length;
  const text = alternatives(reading, depth + 1);
  return text !== undefined && take(reading, ")") ? text : undefined;
}

function escaped(reading: Reading): readonly string[] | undefined {
  const letter = reading.pattern[reading.at++];
  if (letter === undefined) return undefined;
  // Why: any other letter or digit means something, a property, a reference or an edge; other characters mean themselves.
  return ESCAPED.get(letter) ?? (/\w/.test(letter) ? undefined : [letter]);
}

/** What a class in brackets lets through, of what can be printed. */
function classOf(reading: Reading): readonly string[] | undefined {
  const isNegated = take(reading, "^");
  const found: string[] = [];
  while (!take(reading, "]")) {
    const low = member(reading);
    if (low === undefined) return undefined;
    const [only] = low;
    const { pattern, at } = reading;
    if (low.length === 1 && only !== undefined && pattern[at] === "-" && pattern[at + 1] !== "]") {
      reading.at++;
      const [high] = member(reading) ?? [];
      if (high === undefined) return undefined;
      found.push(...rangeOf(only, high));
    } else found.push(...low);
  }
  return isNegated ? without(found) : found;
}

function member(reading: Reading): readonly string[] | undefined {
  const character = reading.pattern[reading.at++];
  if (character === undefined) return undefined;
  return character === "\\" ? escaped(reading) : [character];
}

/** How often what stands before is made; undefined for a repeat that makes no sense. */
function repeats(reading: Reading): number | undefined {
  const { pattern, at, making } = reading;
  const [all, least = "", comma, most = ""] = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(pattern.slice(at, at + 24)) ?? [];
  if (all === undefined) return 1;
  reading.at += all.length;
  if (all.startsWith("{")) {
    const low = Number(least);
    if (comma === "" || most !== "") {
      const high = comma === "" ? low : Number(most);
      return high < low ? undefined : Math.min(low + making.below(Math.min(high - low, REPEATS_MORE) + 1), PARTS_MAX);
    }
    return endless(low, making);
  }
  return all.startsWith("?") ? making.below(2) : endless(all.startsWith("+") ? 1 : 0, making);
}

const endless = (low: number, { below, least }: Making): number =>
  Math.min(Math.max(low, least) + below(REPEATS_MORE + 1), PARTS_MAX);

function take(reading: Reading, character: string): boolean {
  if (reading.pattern[reading.at] !== character) return false;
  reading.at++;
  return true;
}

/** At most what can be printed: a class may span all of Unicode. */
function rangeOf(low: string, high: string): readonly string[] {
  const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
  const count = Math.max(0, Math.min(to - from + 1, 96));
  return Array.from({ length: count }, (_, at) => String.fromCodePoint(from + at));
}

function without(characters: readonly string[]): readonly string[] {
  return rangeOf(" ", "~").filter((character) => !characters.includes(character));
}
