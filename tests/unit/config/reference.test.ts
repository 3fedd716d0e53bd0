import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { settingsReference } from "../../../src/config/reference.ts";
import { fields, sections, variableOf } from "../../../src/config/fields.ts";
import { load } from "../../../src/config/load.ts";
import { suggest } from "../../../src/config/suggest.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { services } from "../../../src/relay/services.ts";
import { check } from "../../harness/check.ts";

const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");

test("CF24 config/README.md matches the schema; run `bun run docs` if this fails", async () => {
  check.that(await read("config/README.md") === settingsReference(), "config/README.md is stale: run `bun run docs`");
});

test("CF24 the reference lists every setting with a description and a unique variable", () => {
  const text = settingsReference();
  for (const { path, variable, description } of fields()) {
    check.that(text.includes(`\`${path.at(-1)}\`<br>\`${variable}\``), variable);
    check.match(description, /^[A-Z`].*[.]$/s);
  }
  check.equal(new Set(fields().map(({ variable }) => variable)).size, fields().length);
  for (const { path } of sections()) {
    check.that(path.length === 0 || text.includes(`## ${path.join(".")}\n`), path.join("."));
  }
  check.equal(variableOf(["nakurity-client", "url"]), "NEURO_RELAY_NAKURITY_CLIENT__URL");
});

test("CF24 every default is a setting that can be configured", () => {
  const known = new Set(fields().map(({ path }) => path.join(".")));
  const walk = (value: unknown, path: readonly string[]): void => {
    if (known.has(path.join("."))) return;
    check.that(typeof value === "object" && value !== null && !Array.isArray(value), `no setting: ${path.join(".")}`);
    for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
  };
  walk(DEFAULTS, []);
});

test("CF25 a setting of a feature that does not exist is unknown, and every service that can be enabled is supervised", () => {
  const unknown = load({ sets: ["federation.enabled=true"] });
  check.that(!unknown.ok && /^--set federation\.enabled: unknown setting/.test(unknown.errors[0] ?? ""));
  const inFile = load({ file: { name: "relay.yaml", text: "federation: {enabled: true}" } });
  check.that(!inFile.ok && /^relay\.yaml:1:1 federation: unknown setting/.test(inFile.errors[0] ?? ""));
  const supervised = services({ ...DEFAULTS, nallely: { ...DEFAULTS.nallely, enabled: true } }).map(({ name }) => name);
  for (const name of ["brain", "nallely"] as const) check.that(supervised.includes(name), name);
  check.equal(settingsReference().includes("Not part of this build"), false);
});

test("CF26 the included configuration sets nothing but defaults", async () => {
  const loaded = load({ file: { name: "config/relay.yaml", text: await read("config/relay.yaml") } });
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  check.equal(JSON.parse(JSON.stringify(loaded.settings)), JSON.parse(JSON.stringify(DEFAULTS)));
});

test("CF26 the commented example in the included configuration loads", async () => {
  const text = (await read("config/relay.yaml")).replaceAll(/^# (nakurity-client:| {2}\w+: .*)$/gm, "$1");
  const loaded = load({ file: { name: "config/relay.yaml", text } });
  check.that(loaded.ok && loaded.settings["nakurity-clients"].length === 1, "the example does not load");
});

test("CF7 the suggested name is the one with the smallest edit distance", () => {
  check.equal(suggest("prot", ["host", "port", "path"]), "port");
  check.equal(suggest("", ["a"]), "a");
  check.equal(suggest("x", []), undefined);
});
