/**
 * Normalises units: `kg m / s^2` and `m⋅kg/s²` both become `kg m s^-2`.
 *
 * Every part after a slash is a divisor, up to the next slash (`m / s kg` is `kg^-1 m s^-1`). Numbers are atoms like units, and
 * prefixes are not separated (`km` stays `km`). The rules are the original's, with two errors corrected:
 * - it converted superscripts to digits without a caret, so `m²` became a unit named `m2`;
 * - it accepted a power that is given twice (`m^2^3`) or is not a whole number as the name of a unit. Both are refused.
 */

/** The base units of the SI units with special names. */
const DERIVED: ReadonlyMap<string, string> = new Map([
  ["N", "kg m s^-2"],
  ["J", "kg m^2 s^-2"],
  ["W", "kg m^2 s^-3"],
  ["Pa", "kg m^-1 s^-2"],
  ["Hz", "s^-1"],
  ["C", "A s"],
  ["V", "kg m^2 s^-3 A^-1"],
  ["F", "kg^-1 m^-2 s^4 A^2"],
  ["Ω", "kg m^2 s^-3 A^-2"],
  ["S", "kg^-1 m^-2 s^3 A^2"],
  ["T", "kg s^-2 A^-1"],
  ["H", "kg m^2 s^-2 A^-2"],
  ["eV", "kg m^2 s^-2"],
]);

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const RAISED = /[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g;
const PRODUCT = /[⋅*·×\s]+/;
const ATOM = /^([^^]+)(?:\^([+-]?\d{1,3}))?$/;

/** The normal form of an expression, or undefined if it is not one. `expand` replaces derived units by base units. */
export function normalizeUnits(text: string, { expand = false }: { readonly expand?: boolean } = {}): string | undefined {
  const powers = new Map<string, number>();
  for (const [at, part] of text.replace(RAISED, lowered).split("/").entries()) {
    for (const atom of part.split(PRODUCT)) {
      if (atom !== "" && !add(powers, atom, { sign: at === 0 ? 1 : -1, expand })) return undefined;
    }
  }
  const atoms = [...powers].filter(([, power]) => power !== 0).sort(([left], [right]) => compare(left, right));
  return atoms.map(([name, power]) => (power === 1 ? name : `${name}^${power}`)).join(" ");
}

function add(powers: Map<string, number>, atom: string, how: { readonly sign: number; readonly expand: boolean }): boolean {
  const [, name, power = "1"] = ATOM.exec(atom) ?? [];
  if (name === undefined) return false;
  const total = how.sign * Number(power);
  const parts = how.expand ? DERIVED.get(name) : undefined;
  if (parts === undefined) powers.set(name, (powers.get(name) ?? 0) + total);
  else for (const part of parts.split(" ")) add(powers, part, { sign: total, expand: false });
  return true;
}

/** `⁻²` as `^-2`. */
function lowered(raised: string): string {
  const digits = [...raised].map((each) => (each === "⁻" ? "-" : each === "⁺" ? "" : String(SUPERSCRIPTS.indexOf(each))));
  return `^${digits.join("")}`;
}

/** By code point. */
const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
