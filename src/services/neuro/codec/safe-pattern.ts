/**
 * Which patterns of a schema are run at all.
 *
 * A pattern comes from a peer, and a backtracking matcher can be kept busy for ever by one of a few characters. So a pattern is
 * run only on short texts, and only when it is short, repeats no group, and cannot branch more often than is quickly tried.
 * Any other pattern is advice to Neuro.
 */

/** Longer patterns are not run. */
const PATTERN_LENGTH_MAX = 128;
/** On longer texts no pattern is run. */
export const PATTERN_TEXT_MAX = 128;
/** Steps of a matcher that may be spent on one text. */
const STEPS_MAX = 100_000;

/** True when the pattern is valid and cannot take long on a text of up to `PATTERN_TEXT_MAX`. */
export function isSafePattern(pattern: string): boolean {
  if (pattern.length > PATTERN_LENGTH_MAX || !isRegExp(pattern)) return false;
  const bones = structureOf(pattern);
  if (/\)(?:[*+?]|\{\d)/.test(bones)) return false;
  const count = (part: RegExp): number => bones.match(part)?.length ?? 0;
  const repeats = count(/[*+]|\{\d+,\d*\}/g);
  const optionals = count(/[^*+?}(]\?/g);
  const branches = count(/\|/g) + 1;
  const groups = Math.max(1, count(/\(/g));
  // Why: without an anchor a match may begin at every place of the text.
  const starts = bones.startsWith("^") && branches === 1 ? 0 : 1;
  return branches ** groups * 2 ** optionals * PATTERN_TEXT_MAX ** (repeats + starts) <= STEPS_MAX;
}

/** The structure alone: classes and escaped characters become one plain letter each. */
const structureOf = (pattern: string): string =>
  pattern.replace(/\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\[\s\S]/g, "x").replace(/\[[^\]]*\]/g, "x");

function isRegExp(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
