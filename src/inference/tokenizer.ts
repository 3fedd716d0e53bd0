/**
 * Converts a text to 64 token ids: 0 is padding, 1 is a word that is not in the vocabulary, word n of the vocabulary is n + 2.
 *
 * Invariants: W1 only the six ASCII white-space characters separate words; W2 nothing is trimmed, folded or normalised unless the
 * artifact says so; W3 a text with a lone surrogate, which UTF-8 cannot encode, is refused.
 */
import { VOCABULARY_MAX } from "../core/limits.ts";

/** The kinds of text that a model reads. Each has its own vocabulary. */
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
  /** How texts are prepared: unchanged, or in lower case with spaces around punctuation. */
  readonly standardize: Standardize;
}

export type Standardize = "none" | "lower_pad_punctuation";

export interface TokenIds {
  /** 64 ids, or none for a channel that was not used. */
  readonly ids: readonly number[];
  /** The number of ids that are not padding. */
  readonly length: number;
}

export const TOKENS = 64;
export const PAD = 0;
export const UNKNOWN = 1;
export const FIRST = 2;
const UNKNOWN_LINE = "[UNK]";
const WORD = /[^ \t\n\v\f\r]+/g;
const PUNCTUATION = /[.,!?;:(){}[\]"']/g;

/** The tokens of a channel that was not used. */
export const NO_TOKENS: TokenIds = { ids: [], length: 0 };

/** The vocabulary in a file with one word per line, or the reason why it cannot be read. */
export function readVocabulary(text: string, standardize: Standardize): Vocabulary | string {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  // Why: the original's files begin with two lines for the ids 0 and 1, which are not words.
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

/** The text of a vocabulary file; the inverse of `readVocabulary`. */
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

/** The tokens of a text, or the reason why it has none. */
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
