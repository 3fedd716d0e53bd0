/**
 * From a text to 64 numbers: 0 fills up, 1 is any word that is not in the vocabulary, word n of the vocabulary is n + 2.
 *
 * Invariants: W1 only the six ASCII white-space characters separate words; W2 nothing is trimmed, folded or normalised unless the
 * artifact says so; W3 a text that could not be written as UTF-8 is refused.
 */
import { VOCABULARY_MAX } from "../core/limits.ts";

/** The kinds of text that a model reads, each with a vocabulary of its own. */
export const CHANNELS = ["english", "math", "physics"] as const;
export type Channel = (typeof CHANNELS)[number];
export type PerChannel<Value> = Readonly<Record<Channel, Value>>;

/** Makes one value for each channel. */
export const perChannel = <Value>(make: (channel: Channel) => Value): PerChannel<Value> => ({
  english: make("english"),
  math: make("math"),
  physics: make("physics"),
});

export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  /** How texts are prepared: as they are, or in lower case with punctuation set apart. */
  readonly standardize: Standardize;
}

export type Standardize = "none" | "lower_pad_punctuation";

export interface TokenIds {
  /** Always 64, or none at all for a channel that was not used. */
  readonly ids: readonly number[];
  /** How many of them are words. */
  readonly length: number;
}

export const TOKENS = 64;
export const PAD = 0;
export const UNKNOWN = 1;
export const FIRST = 2;
const UNKNOWN_LINE = "[UNK]";
const WORD = /[^ \t\n\v\f\r]+/g;
const PUNCTUATION = /[.,!?;:(){}[\]"']/g;

/** A channel that was not used. */
export const NO_TOKENS: TokenIds = { ids: [], length: 0 };

/** The vocabulary in a file, one word a line, or in words what is wrong with it. */
export function readVocabulary(text: string, standardize: Standardize): Vocabulary | string {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  // Why: files written by the original begin with the two numbers that are no words.
  const words = lines[0] === "" && lines[1] === UNKNOWN_LINE ? lines.slice(2) : lines;
  if (words.length === 0) return "it has no words";
  if (words.length > VOCABULARY_MAX) return `it has more than ${VOCABULARY_MAX} words`;
  const ids = new Map<string, number>();
  for (const [at, word] of words.entries()) {
    if (word === "") return `line ${at + 1 + lines.length - words.length} is empty`;
    if (ids.has(word)) return `the word ${JSON.stringify(word)} is in it twice`;
    ids.set(word, at + FIRST);
  }
  return { ids, standardize };
}

/** The file of some words; the inverse of `readVocabulary`. */
export const writeVocabulary = (words: readonly string[]): string => ["", UNKNOWN_LINE, ...words].join("\n") + "\n";

/** The words of a text. */
export const wordsOf = (text: string, standardize: Standardize): Iterable<string> => words(prepared(text, standardize));

function* words(text: string): Generator<string> {
  for (const [word] of text.matchAll(WORD)) yield word;
}

function prepared(text: string, standardize: Standardize): string {
  if (standardize === "none") return text;
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(PUNCTUATION, " $& ");
}

/** The tokens of a text, or in words why it has none. */
export function tokenize({ ids, standardize }: Vocabulary, text: string): TokenIds | string {
  if (!text.isWellFormed()) return "surrogates not allowed: the text is not Unicode";
  const found: number[] = [];
  for (const word of wordsOf(text, standardize)) {
    if (found.push(ids.get(word) ?? UNKNOWN) === TOKENS) break;
  }
  const { length } = found;
  while (found.length < TOKENS) found.push(PAD);
  return { ids: found, length };
}
