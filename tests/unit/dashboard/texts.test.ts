/** The texts of the page: in one file, and without identifiers of the code or the API. */
import { test } from "#runner";
import * as texts from "../../../src/dashboard/texts.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { readSources } from "../../harness/source.ts";

/** `notNow`, `SlowGame`, `slow_game`. */
const IDENTIFIER = /[a-z][A-Z]|[A-Za-z]_[a-z]/;
/** Names of things outside, which are written like this. */
const PROPER_NAMES = /TypeScript|JavaScript|WebSocket/g;

/** Every text in a table, with texts made of sample arguments. Why three: no text takes more. */
function* textsIn(value: unknown, path: string): Generator<readonly [path: string, text: string]> {
  if (typeof value === "string") yield [path, value];
  else if (typeof value === "function") yield* textsIn(value(SAMPLE, SAMPLE, SAMPLE), `${path}()`);
  else if (value instanceof Map) { for (const [key, entry] of value) yield* textsIn(entry, `${path}.${key}`); }
  else if (typeof value === "object" && value !== null) {
    for (const [key, entry] of Object.entries(value)) yield* textsIn(entry, `${path}.${key}`);
  }
}

/** An argument for a text that takes a name, a number or a list. */
const SAMPLE = Object.assign([2], { toFixed: () => "2" });

const TABLES = {
  TEXTS: texts.TEXTS,
  EVENT_TEXTS: texts.EVENT_TEXTS,
  EVENT_CATEGORIES: texts.EVENT_CATEGORIES,
  NODE_LEASES: texts.NODE_LEASES,
  UPSTREAM_STATES: texts.UPSTREAM_STATES,
  FORCE_ENDS: texts.FORCE_ENDS,
  RESULT_ORIGINS: texts.RESULT_ORIGINS,
  OUTCOMES: texts.OUTCOMES,
};

test("DB27 no text of the page contains an identifier, except as code", () => {
  const all = [...textsIn(TABLES, "")];
  check.that(all.length > 300, `${all.length} texts`);
  const withoutCode = all.map(([path, text]) => [path, text.replace(/`[^`]*`/g, "").replace(PROPER_NAMES, "")] as const);
  check.equal(withoutCode.filter(([, text]) => IDENTIFIER.test(text)), []);
});

test("DB27 a value that has no text of its own is written in words", () => {
  check.equal(["notNow", "slow_game", "standalone"].map(texts.humanize), ["not now", "slow game", "standalone"]);
  check.equal(texts.outcomeText("somethingNew"), "something new");
  check.equal(texts.deadLetterReason("__proto__"), "  proto  ");
});

test("DB27 components contain no text of their own", () => {
  const sources = readSources(ROOT, "src/dashboard/**/*.tsx");
  check.that(sources.length > 15);
  const found = sources.flatMap(({ path, text: source }) => {
    const code = source.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    const children = code.matchAll(/>([^<>{}=;]*[A-Za-z]{2}[^<>{}=;]*)<\//g);
    const attributes = code.matchAll(/\b(?:title|label|placeholder|aria-label|confirmText|submitText)="([^"]*)"/g);
    return [...children, ...attributes].map(([, text = ""]) => `${path}: ${text.trim()}`);
  });
  check.equal(found, []);
});
