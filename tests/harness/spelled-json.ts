/** JSON texts with numbers in all spellings that JSON allows, for properties about values that have to keep their text. */
import fc from "fast-check";

/** Spellings that have been changed by programs on the way. */
export const SPELLINGS: readonly string[] = (
  "1183749237498237443 18446744073709551615 9007199254740993 9007199254740992 1.10 1.0 0.50 -0 -0.0 1e2 1E400 -1e-400 1e+2 1.5e0 " +
  "0.1000000000000000055 123456789012345678901234567890 1e21 1E-7"
).split(" ");

/** The text of a number. */
export const spelledNumber: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...SPELLINGS),
  fc.stringMatching(/^-?[1-9][0-9]{14,24}$/),
  fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,3})\.[0-9]{1,18}$/),
  fc.stringMatching(/^-?[1-9](?:\.[0-9]{1,3})?[eE][+-]?[0-9]{1,3}$/),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

/** Why not only digits: JavaScript moves such keys to the front. */
const name: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("id", "channel_id", "__proto__", "constructor", "toJSON", "rawJSON", ""),
  fc.string({ unit: "binary", maxLength: 6 }).filter((text) => !/^\d+$/.test(text)),
);

const { value } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    spelledNumber,
    fc.oneof(
      fc.constantFrom("null", "true", "false", '"\\ud800"', '"\\u0000"'),
      fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)),
    ),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
  object: fc.uniqueArray(fc.tuple(name, tie("value")), { maxLength: 4, selector: ([key]) => key })
    .map((members) => `{${members.map(([key, member]) => `${JSON.stringify(key)}:${member}`).join(",")}}`),
}));

/** The text of any JSON value, without white space. */
export const spelledJson: fc.Arbitrary<string> = value;
