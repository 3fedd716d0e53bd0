/**
 * Detects the kind of a text: `english`, `math` or `physics`.
 *
 * The order of the checks is the original's. Three of its errors are corrected:
 * - its list of constants contained a bare `R` without word boundaries, so every text with an r was physics;
 * - it recognised a number only as plain digits with one point, so `12.V` and `1e5 Pa` were english;
 * - `×`, `÷` and the minus sign U+2212 were not operators, so `2 × 3` was english.
 */
import type { Channel } from "./tokenizer.ts";

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const UNITS = String.raw`m\/s(?:\^2|²)?|kg|mol|eV|Hz|Pa|Gy|Sv|[NJWVKTΩ]`;

const EXPRESSION = /^[\p{Nd}\s.,+\-*/^=%()[\]{}×÷⋅·−]+$/u;
const OPERATION = /[+\-*/^=%×÷⋅·−]/;
const DIGIT = /\p{Nd}/u;
/** Symbols that occur only in mathematics. */
const SIGNS = /[=^∑∏∫√∂]/;
const LATEX = /\\[A-Za-z]+/;
const FUNCTIONS = /\bd\/dx\b|\b(?:sin|cos|tan|log|ln|exp|sqrt|lim)\b/i;
const QUANTITY = new RegExp(String.raw`(?<![\w.])${NUMBER}\s*(?:${UNITS})(?!\w)`, "i");
const KEYWORDS: ReadonlySet<string> = new Set(
  ("force mass velocity acceleration energy momentum gravity gravitational joule joules newton newtons watt watts volt volts " +
    "ampere amperes ohm ohms pascal kelvin hertz quantum photon electron proton neutron relativity thermodynamics entropy " +
    "wavelength frequency voltage resistance capacitance inductance friction torque inertia kinetic planck boltzmann avogadro")
    .split(" "),
);
/** Physical constants are case-sensitive and stand alone. */
const CONSTANTS = /(?:^|[^\p{L}\p{N}_])(?:ħ|ε0|ε₀|μ0|μ₀|k_B|N_A|m_e|m_p)(?![\p{L}\p{N}_])/u;
const LETTER_WORD = /[A-Za-z]+/g;

/** The kind of a text. A value that is not a string is english, as in the original model. */
export function detectDomain(text: unknown): Channel {
  if (typeof text !== "string") return "english";
  if (DIGIT.test(text) && OPERATION.test(text) && EXPRESSION.test(text)) return "math";
  if (QUANTITY.test(text) || hasKeyword(text) || CONSTANTS.test(text)) return "physics";
  if (SIGNS.test(text) || LATEX.test(text) || FUNCTIONS.test(text)) return "math";
  return "english";
}

function hasKeyword(text: string): boolean {
  for (const [word] of text.matchAll(LETTER_WORD)) if (KEYWORDS.has(word.toLowerCase())) return true;
  return false;
}
