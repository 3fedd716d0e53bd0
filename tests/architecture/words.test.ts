/** The words of the documents: no retired word, and a glossary whose terms are all in use. */
import { test } from "#runner";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { retiredPhrasesOf } from "../harness/retired-words.ts";
import { readSources } from "../harness/source.ts";

const TERMS_MAX = 40;
const DOCUMENTS = [
  "*.md",
  "src/**/*.md",
  "tests/**/*.md",
  "config/*.md",
  "config/*.yaml",
  "deploy/*.md",
  "docs/*.md",
  "examples/*.md",
];

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const documents = DOCUMENTS.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter((path) =>
  !path.includes("node_modules")
).sort();
const terms = [...read("src/GLOSSARY.md").matchAll(/^\| (?!term |---)([^|]+?) \|/gm)].map(([, term = ""]) => term);

test("no document contains a retired word", () => {
  const found = documents.filter((path) => !path.endsWith("GLOSSARY.md")).flatMap((path) =>
    read(path).split("\n").flatMap((line, at) => retiredPhrasesOf(line).map((word) => `${path}:${at + 1}: ${word}`))
  );
  check.equal(found, []);
});

test(`the glossary has at most ${TERMS_MAX} terms, sorted and each once`, () => {
  check.that(terms.length > 0 && terms.length <= TERMS_MAX, `${terms.length} terms`);
  check.equal(terms, [...new Set(terms)].sort());
});

test("every term of the glossary is used in the sources", () => {
  const text = readSources(ROOT, "src/**/*.ts", "src/**/*.tsx").map(({ text }) => text).join("\n").toLowerCase();
  check.equal(terms.filter((term) => !text.includes(term.toLowerCase())), []);
});
