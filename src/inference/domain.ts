/**
 * Which kind of text is this: `english`, `math` or `physics`?
 *
 * The order of the questions is the original's. Its mistakes are mended:
 * - its list of constants held a bare `R` without word boundaries, so that every text with an r in it was physics;
 * - a number was seen only with plain digits and one point: `12.V` and `1e5 Pa` were english;
 * - `×`, `÷` and the real minus sign were no operators, so `2 × 3` was english.
 */
import type { Channel } from "./tokenizer.ts";

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const UNITS = String.raw`m\/s(?:\^2|²)?|kg|mol|eV|Hz|Pa|Gy|Sv|[NJWVKTΩ]`;

const EXPRESSION = /^[\p{Nd}\s.,+\-*/^=%()[\]{}×÷⋅·−]+$/u;
const OPERATION = /[+\-*/^=%×÷⋅·−]/;
const DIGIT = /\p{Nd}/u;
/** Signs that only mathematics uses. */
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
/** Constants of nature are told by their case and stand alone. */
const CONSTANTS = /(?:^|[^\p{L}\p{N}_])(?:ħ|ε0|ε₀|μ0|μ₀|k_B|N_A|m_e|m_p)(?![\p{L}\p{N}_])/u;
const LETTER_WORD = /[A-Za-z]+/g;

/** The kind of a text; anything that is no text is english, as it was. */
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
