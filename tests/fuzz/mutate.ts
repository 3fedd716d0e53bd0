/** Inputs by seed: mutated messages, mutated texts, random bytes, and the corpus. */
import { ExactNumber, type Frame, isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { SPELLINGS } from "../harness/spelled-json.ts";
import type { Random } from "../../src/testing/random.ts";
import { CORPUS } from "./corpus.ts";
import { HEARD } from "./valid-messages.ts";

/** Placeholder for `__proto__`, which would set the prototype in a literal. */
const PROTO = "@proto";

const VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e-308,
  2 ** 53,
  ...SPELLINGS.map((text) => new ExactNumber(text)),
  "",
  " ",
  "0",
  "*",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "one",
  "move",
  "\u0000",
  "\ud800",
  "\u202eevil",
  "e\u0301",
  "\u{1f600}".repeat(70),
  "x".repeat(5_000),
  "../../x",
  "a/b:c",
  "^(a+)+$",
  "1700000000000-1000000001",
  [],
  {},
  [[]],
  [null, 1, "x", {}],
  { [PROTO]: { a: 1 } },
  { $ref: "#" },
  { type: "object", properties: { [PROTO]: {} } },
  Array.from({ length: 300 }, (_, at) => at),
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, at])),
];
const KEYS = [
  PROTO,
  "",
  "id",
  "name",
  "data",
  "command",
  "payload",
  "schema",
  "type",
  "cmd",
  "toString",
  "constructor",
] as const;
const PIECES = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\\",
  "\\u00",
  "\ufeff",
  "\ud800",
  "\u0000",
  "1e999",
  "null",
  "-",
] as const;
const BENDS_MAX = 3;

/** Returns one input. */
export function mutatedFrame(random: Random, { phrases, heard }: Vocabulary): Frame {
  const lot = random.fraction();
  if (lot < 0.05) return random.oneOf(CORPUS)?.frame ?? "";
  if (lot < 0.1) return Uint8Array.from({ length: random.between(0, 200) }, () => random.between(0, 255));
  let message: Json = random.oneOf(phrases) ?? {};
  for (let bends = random.chance(0.4) ? 0 : random.between(1, BENDS_MAX); bends > 0; bends--) {
    message = bend(message, random);
  }
  const text = JSON.stringify(message).replaceAll(PROTO, "__proto__").replaceAll(HEARD, () => random.oneOf(heard) ?? "x");
  if (lot < 0.2) return bendText(text, random);
  return lot < 0.25 ? new TextEncoder().encode(text) : text;
}

export interface Vocabulary {
  readonly phrases: readonly JsonObject[];
  /** Ids and names that the relay has sent, as in JSON strings. */
  readonly heard: readonly string[];
}

/** The same value with one change somewhere in it. */
function bend(value: Json, random: Random): Json {
  if (typeof value !== "object" || value === null || random.chance(0.05)) return random.oneOf(VALUES) ?? null;
  if (isList(value)) {
    if (value.length === 0 || random.chance(0.2)) return [...value, random.oneOf(VALUES) ?? null];
    const at = random.between(0, value.length - 1);
    return value.map((item, index) => (index === at ? bend(item, random) : item));
  }
  if (!isObject(value)) return random.oneOf(VALUES) ?? null;
  const keys = Object.keys(value);
  const key = random.oneOf(keys);
  if (key === undefined || random.chance(0.15)) return { ...value, [random.pick(...KEYS)]: random.oneOf(VALUES) ?? null };
  if (random.chance(0.1)) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key]: bend(value[key] ?? null, random) };
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function bendText(text: string, random: Random): string {
  const at = random.between(0, text.length);
  switch (random.between(0, 3)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.pick(...PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick(...PIECES) + text.slice(at + 1);
    default:
      return text + text.slice(at);
  }
}
