/**
 * Words that the project does not use, each with its replacement (`src/GLOSSARY.md`). The linter checks the sources with them, and
 * `tests/architecture/words.test.ts` the documents.
 */

/** Parts of identifiers, in lower case: `isRoomOpen` has the parts `is`, `room` and `open`. */
export const RETIRED_PARTS: ReadonlyMap<string, string> = new Map([
  ["room", "service"],
  ["rooms", "services"],
  ["door", "listener"],
  ["doors", "listeners"],
  ["survivor", "resumed peer"],
  ["survivors", "resumed peers"],
  ["hosted", "supervised"],
  ["guest", "connection"],
  ["seat", "game connection or attachment"],
  ["knock", "upgrade request"],
  ["deed", "act, command or commit"],
  ["deeds", "acts, commands or commits"],
  ["asker", "principal"],
  ["mend", "repair"],
  ["mended", "repaired"],
  ["complaint", "error"],
  ["slot", "current force, or position"],
  ["vitals", "stats"],
  ["stretch", "segment"],
  ["rubbish", "garbage"],
  ["sabotage", "panic injection"],
  ["meddler", "operator"],
  ["troupe", "clients"],
  ["crooked", "mutated"],
  ["bystander", "healthy client"],
  ["happening", "event"],
  ["happenings", "events"],
  ["dialling", "dialing"],
  ["desk", "client or fixture"],
  ["stage", "harness"],
  ["judge", "check"],
]);

/** Phrases of comments, messages and documents. */
export const RETIRED_PHRASES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\brooms? (?:of|is|that|which|has|may|can|panics?|was|are)\b/i, "service"],
  [/\bdoors?\b/i, "listener"],
  [/\bsurvivors?\b/i, "resumed peer"],
  [/\bmend(?:s|ed|ing)?\b/i, "repair"],
  [/\banew\b/i, "again, or rebuilt"],
  [/\bfor ever\b/i, "until it succeeds, or without limit"],
  [/\bmistakes? of ours\b/i, "internal error"],
  [/\bnot to be had\b/i, "unavailable"],
  [/\bwhoever\b/i, "the peer, the client, or the one that"],
  [/\bbut for\b/i, "except"],
  [/\bso many\b/i, "the value or the setting"],
  [/\bcounts for nothing\b/i, "is ignored"],
  [/\bwhat is no\b/i, "everything else"],
  [/\b(?!there\b)\w+ (?:is|are) none\b/i, "there is no"],
  [/\bnever away\b/i, "the fact"],
  [/\blets? go of\b/i, "releases"],
];

/** The parts of an identifier, in lower case. */
export const partsOf = (name: string): readonly string[] =>
  (name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map((part) => part.toLowerCase());

/** The retired words of an identifier, each with its replacement. */
export const retiredPartsOf = (name: string): readonly string[] =>
  partsOf(name).flatMap((part) => RETIRED_PARTS.has(part) ? [`"${part}": say ${RETIRED_PARTS.get(part)}`] : []);

/** The retired phrases of a text, each with its replacement. */
export const retiredPhrasesOf = (text: string): readonly string[] =>
  RETIRED_PHRASES.flatMap(([pattern, replacement]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`"${found[0]}": say ${replacement}`];
  });
