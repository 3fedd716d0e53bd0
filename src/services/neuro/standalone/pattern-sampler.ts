/**
 * Generates a text that a pattern matches.
 *
 * It supports what patterns of schemas usually consist of: characters, classes, `\d` `\w` `\s`, groups, alternatives and repeats. For
 * look-around, back references and Unicode properties it generates nothing. The caller validates the text, except with `isExact`.
 *
 * Invariant: PT1 it ends, and repeats at most `PARTS_MAX` parts in total, whatever the pattern asks for.
 * Knows nothing of: schemas.
 */

export interface MatchOptions {
  /** A number from 0 up to, not including, `count`. */
  below(count: number): number;
  /** An unbounded repeat is repeated at least this often. */
  readonly repeatsMin: number;
  /** The caller does not validate the text, so it has to match: other patterns are not supported. */
  readonly isExact?: boolean;
}

const PARTS_MAX = 256;
const DEPTH_MAX = 16;
/** Maximum number of repetitions of an unbounded repeat beyond its minimum. */
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

/** Undefined for a pattern that is not supported. */
export function sampleMatch(pattern: string, options: MatchOptions): string | undefined {
  const reader: PatternReader = { pattern, position: 0, options, partsLeft: PARTS_MAX };
  const text = sampleAlternatives(reader, 0);
  const isShort = options.isExact === true && reader.partsLeft <= 0;
  return reader.position === pattern.length && !isShort ? text : undefined;
}

interface PatternReader {
  readonly pattern: string;
  position: number;
  readonly options: MatchOptions;
  /** Parts that may still be generated; after them nothing is repeated. */
  partsLeft: number;
}

/** `a|b|c`: each alternative is generated, and one is picked. */
function sampleAlternatives(reader: PatternReader, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const made: string[] = [];
  do {
    const text = sampleSequence(reader, depth);
    if (text === undefined) return undefined;
    made.push(text);
  } while (skip(reader, "|"));
  return made[reader.options.below(made.length)];
}

function sampleSequence(reader: PatternReader, depth: number): string | undefined {
  let text = "";
  while (reader.position < reader.pattern.length && !/[|)]/.test(reader.pattern[reader.position] ?? "")) {
    const start = reader.position;
    const part = sampleAtom(reader, depth);
    const times = part === undefined ? undefined : repeatCount(reader);
    if (part === undefined || times === undefined) return undefined;
    const end = reader.position;
    if (times > 0) text += part;
    for (let time = 1; time < times && reader.partsLeft > 0; time++) {
      reader.position = start; // Why: each repetition may generate another text.
      text += sampleAtom(reader, depth) ?? "";
    }
    reader.position = end;
  }
  return text;
}

function sampleAtom(reader: PatternReader, depth: number): string | undefined {
  reader.partsLeft--;
  const first = reader.pattern[reader.position++];
  switch (first) {
    case "^":
      return reader.options.isExact !== true || reader.position === 1 ? "" : undefined;
    case "$":
      return reader.options.isExact !== true || reader.position === reader.pattern.length ? "" : undefined;
    case "(":
      return sampleGroup(reader, depth);
    case "[":
      return pickCharacter(reader, classCharacters(reader));
    case ".":
      return pickCharacter(reader, WORD_CHARACTERS);
    case "\\":
      return pickCharacter(reader, escapedCharacters(reader));
    case "*":
    case "+":
    case "?":
    case "{":
      return undefined;
    default:
      // Why not `assertNever`: any other character stands for itself.
      return pickCharacter(reader, first === undefined ? undefined : [first]);
  }
}

function pickCharacter(reader: PatternReader, characters: readonly string[] | undefined): string | undefined {
  if (characters === undefined || characters.length === 0) return undefined;
  return characters[reader.options.below(characters.length)];
}

function sampleGroup(reader: PatternReader, depth: number): string | undefined {
  const { pattern, position } = reader;
  const [head] = /^\?(?::|<[A-Za-z]\w*>)/.exec(pattern.slice(position, position + 64)) ?? [""];
  if (head === "" && pattern[position] === "?") return undefined;
  reader.position += head.length;
  const text = sampleAlternatives(reader, depth + 1);
  return text !== undefined && skip(reader, ")") ? text : undefined;
}

function escapedCharacters(reader: PatternReader): readonly string[] | undefined {
  const letter = reader.pattern[reader.position++];
  if (letter === undefined) return undefined;
  // Why: every other letter or digit has a meaning (a property, a reference, a boundary); other characters stand for themselves.
  return CHARACTERS_OF_ESCAPE.get(letter) ?? (/\w/.test(letter) ? undefined : [letter]);
}

/** The printable characters that a class in brackets matches. */
function classCharacters(reader: PatternReader): readonly string[] | undefined {
  const isNegated = skip(reader, "^");
  const found: string[] = [];
  while (!skip(reader, "]")) {
    const low = classMember(reader);
    if (low === undefined) return undefined;
    const [only] = low;
    const { pattern, position } = reader;
    if (low.length === 1 && only !== undefined && pattern[position] === "-" && pattern[position + 1] !== "]") {
      reader.position++;
      const [high] = classMember(reader) ?? [];
      if (high === undefined) return undefined;
      found.push(...characterRange(only, high));
    } else found.push(...low);
  }
  return isNegated ? printableExcept(found) : found;
}

function classMember(reader: PatternReader): readonly string[] | undefined {
  const character = reader.pattern[reader.position++];
  if (character === undefined) return undefined;
  return character === "\\" ? escapedCharacters(reader) : [character];
}

/** The number of repetitions of the preceding part; undefined for an invalid repeat. */
function repeatCount(reader: PatternReader): number | undefined {
  const { pattern, position, options } = reader;
  const [all, least = "", comma, most = ""] =
    /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(pattern.slice(position, position + 24)) ?? [];
  if (all === undefined) return 1;
  reader.position += all.length;
  if (all.startsWith("{")) {
    const low = Number(least);
    if (comma === "" || most !== "") {
      const high = comma === "" ? low : Number(most);
      return high < low ? undefined : Math.min(low + options.below(Math.min(high - low, REPEATS_MORE) + 1), PARTS_MAX);
    }
    return unboundedCount(low, options);
  }
  return all.startsWith("?") ? options.below(2) : unboundedCount(all.startsWith("+") ? 1 : 0, options);
}

const unboundedCount = (low: number, { below, repeatsMin }: MatchOptions): number =>
  Math.min(Math.max(low, repeatsMin) + below(REPEATS_MORE + 1), PARTS_MAX);

function skip(reader: PatternReader, character: string): boolean {
  if (reader.pattern[reader.position] !== character) return false;
  reader.position++;
  return true;
}

/** At most 96 characters, because a class may span all of Unicode. */
function characterRange(low: string, high: string): readonly string[] {
  const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
  const count = Math.max(0, Math.min(to - from + 1, 96));
  return Array.from({ length: count }, (_, at) => String.fromCodePoint(from + at));
}

function printableExcept(characters: readonly string[]): readonly string[] {
  return characterRange(" ", "~").filter((character) => !characters.includes(character));
}
