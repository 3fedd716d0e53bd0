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
export interface MatchOptions {
  /** A number from 0 up to, not including, `count`. */
  below(count: number): number;
  /** Repeats without an end go on at least so long. */
  readonly repeatsMin: number;
}

const PARTS_MAX = 256;
const DEPTH_MAX = 16;
/** How often more than the least a repeat without an end is made. */
const REPEATS_MORE = 3;

const DIGITS = characterRange("0", "9");
const WORD_CHARACTERS = [...characterRange("a", "z"), ...characterRange("A", "Z"), ...DIGITS, "_"];
const CHARACTERS_OF_ESCAPE: ReadonlyMap<string, readonly string[]> = new Map([
  ["d", DIGITS],
  ["w", WORD_CHARACTERS],
  ["s", [" "]],
  ["D", printableExcept(DIGITS)],
  ["W", printableExcept(WORD_CHARACTERS)],
  ["S", printableExcept([" "])],
  ["n", ["\n"]],
  ["t", ["\t"]],
  ["r", ["\r"]],
]);

/** Undefined when the pattern holds what this does not know. */
export function sampleMatch(pattern: string, making: MatchOptions): string | undefined {
  const reading: PatternReader = { pattern, position: 0, making, partsLeft: PARTS_MAX };
  const text = sampleAlternatives(reading, 0);
  return reading.position === pattern.length ? text : undefined;
}

interface PatternReader {
  readonly pattern: string;
  position: number;
  readonly making: MatchOptions;
  /** Parts that may still be made: beyond them nothing is repeated. */
  partsLeft: number;
}

/** `a|b|c`: each is made, one is taken. */
function sampleAlternatives(reading: PatternReader, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const made: string[] = [];
  do {
    const text = sampleSequence(reading, depth);
    if (text === undefined) return undefined;
    made.push(text);
  } while (skip(reading, "|"));
  return made[reading.making.below(made.length)];
}

function sampleSequence(reading: PatternReader, depth: number): string | undefined {
  let text = "";
  while (reading.position < reading.pattern.length && !/[|)]/.test(reading.pattern[reading.position] ?? "")) {
    const start = reading.position;
    const part = sampleAtom(reading, depth);
    const times = part === undefined ? undefined : repeatCount(reading);
    if (part === undefined || times === undefined) return undefined;
    const end = reading.position;
    if (times > 0) text += part;
    for (let time = 1; time < times && reading.partsLeft > 0; time++) {
      reading.position = start; // Why read again: each time something else may be made of it.
      text += sampleAtom(reading, depth) ?? "";
    }
    reading.position = end;
  }
  return text;
}

function sampleAtom(reading: PatternReader, depth: number): string | undefined {
  reading.partsLeft--;
  const first = reading.pattern[reading.position++];
  switch (first) {
    case "^":
    case "$":
      return "";
    case "(":
      return sampleGroup(reading, depth);
    case "[":
      return pickCharacter(reading, classCharacters(reading));
    case ".":
      return pickCharacter(reading, WORD_CHARACTERS);
    case "\\":
      return pickCharacter(reading, escapedCharacters(reading));
    case "*":
    case "+":
    case "?":
    case "{":
      return undefined;
    default:
      return pickCharacter(reading, first === undefined ? undefined : [first]);
  }
}

function pickCharacter(reading: PatternReader, characters: readonly string[] | undefined): string | undefined {
  if (characters === undefined || characters.length === 0) return undefined;
  return characters[reading.making.below(characters.length)];
}

function sampleGroup(reading: PatternReader, depth: number): string | undefined {
  const { pattern, position } = reading;
  const [head] = /^\?(?::|<[A-Za-z]\w*>)/.exec(pattern.slice(position, position + 64)) ?? [""];
  if (head === "" && pattern[position] === "?") return undefined;
  reading.position += head.length;
  const text = sampleAlternatives(reading, depth + 1);
  return text !== undefined && skip(reading, ")") ? text : undefined;
}

function escapedCharacters(reading: PatternReader): readonly string[] | undefined {
  const letter = reading.pattern[reading.position++];
  if (letter === undefined) return undefined;
  // Why: any other letter or digit means something, a property, a reference or an edge; other characters mean themselves.
  return CHARACTERS_OF_ESCAPE.get(letter) ?? (/\w/.test(letter) ? undefined : [letter]);
}

/** What a class in brackets lets through, of what can be printed. */
function classCharacters(reading: PatternReader): readonly string[] | undefined {
  const isNegated = skip(reading, "^");
  const found: string[] = [];
  while (!skip(reading, "]")) {
    const low = classMember(reading);
    if (low === undefined) return undefined;
    const [only] = low;
    const { pattern, position } = reading;
    if (low.length === 1 && only !== undefined && pattern[position] === "-" && pattern[position + 1] !== "]") {
      reading.position++;
      const [high] = classMember(reading) ?? [];
      if (high === undefined) return undefined;
      found.push(...characterRange(only, high));
    } else found.push(...low);
  }
  return isNegated ? printableExcept(found) : found;
}

function classMember(reading: PatternReader): readonly string[] | undefined {
  const character = reading.pattern[reading.position++];
  if (character === undefined) return undefined;
  return character === "\\" ? escapedCharacters(reading) : [character];
}

/** How often what stands before is made; undefined for a repeat that makes no sense. */
function repeatCount(reading: PatternReader): number | undefined {
  const { pattern, position, making } = reading;
  const [all, least = "", comma, most = ""] =
    /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(pattern.slice(position, position + 24)) ?? [];
  if (all === undefined) return 1;
  reading.position += all.length;
  if (all.startsWith("{")) {
    const low = Number(least);
    if (comma === "" || most !== "") {
      const high = comma === "" ? low : Number(most);
      return high < low ? undefined : Math.min(low + making.below(Math.min(high - low, REPEATS_MORE) + 1), PARTS_MAX);
    }
    return unboundedCount(low, making);
  }
  return all.startsWith("?") ? making.below(2) : unboundedCount(all.startsWith("+") ? 1 : 0, making);
}

const unboundedCount = (low: number, { below, repeatsMin }: MatchOptions): number =>
  Math.min(Math.max(low, repeatsMin) + below(REPEATS_MORE + 1), PARTS_MAX);

function skip(reading: PatternReader, character: string): boolean {
  if (reading.pattern[reading.position] !== character) return false;
  reading.position++;
  return true;
}

/** At most what can be printed: a class may span all of Unicode. */
function characterRange(low: string, high: string): readonly string[] {
  const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
  const count = Math.max(0, Math.min(to - from + 1, 96));
  return Array.from({ length: count }, (_, at) => String.fromCodePoint(from + at));
}

function printableExcept(characters: readonly string[]): readonly string[] {
  return characterRange(" ", "~").filter((character) => !characters.includes(character));
}
