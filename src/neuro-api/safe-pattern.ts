/**
 * Decides which patterns of a schema the relay runs.
 *
 * A pattern comes from a peer, and a few characters can keep a backtracking matcher busy for hours. So a pattern is run only on short
 * texts, and only if it is short, repeats no group, and has few branches. Any other pattern is a hint for Neuro only.
 */

/** Longer patterns are not run. */
const PATTERN_LENGTH_MAX = 128;
/** On longer texts no pattern is run. */
export const PATTERN_TEXT_MAX = 128;
/** Steps that a matcher may need for one text. */
const STEPS_MAX = 100_000;

/** True when the pattern is valid and needs at most `STEPS_MAX` steps for a text of `PATTERN_TEXT_MAX` characters. */
export function isSafePattern(pattern: string): boolean {
  if (pattern.length > PATTERN_LENGTH_MAX || !isRegExpWith("u", pattern)) return false;
  const bones = structureOf(pattern);
  if (/\)(?:[*+?]|\{\d)/.test(bones)) return false;
  const count = (part: RegExp): number => bones.match(part)?.length ?? 0;
  const repeats = count(/[*+]|\{\d+,\d*\}/g);
  const optionals = count(/[^*+?}(]\?/g);
  const branches = count(/\|/g) + 1;
  const groups = Math.max(1, count(/\(/g));
  // Why: without an anchor a match may begin at every position of the text.
  const starts = bones.startsWith("^") && branches === 1 ? 0 : 1;
  return branches ** groups * 2 ** optionals * PATTERN_TEXT_MAX ** (repeats + starts) <= STEPS_MAX;
}

/** The structure alone: each class and each escaped character becomes one plain letter. */
const structureOf = (pattern: string): string =>
  pattern.replace(/\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\[\s\S]/g, "x").replace(/\[[^\]]*\]/g, "x");

/** True for a regular expression of JavaScript, with or without Unicode mode: JSON Schema has these. */
export const isRegExp = (pattern: string): boolean => isRegExpWith("u", pattern) || isRegExpWith("", pattern);

function isRegExpWith(flags: string, pattern: string): boolean {
  try {
    new RegExp(pattern, flags);
    return true;
  } catch {
    return false;
  }
}
