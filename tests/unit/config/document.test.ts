import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { settingsReference } from "../../../src/config/document.ts";
import { fields, sections, variableOf } from "../../../src/config/fields.ts";
import { load } from "../../../src/config/load.ts";
import { nearest } from "../../../src/config/nearest.ts";
import { UNBUILT, unbuiltIn } from "../../../src/config/unbuilt.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { services } from "../../../src/relay/services.ts";
import { check } from "../../harness/check.ts";

const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");

test("CF24 the reference is what the schema says; run `bun run docs` when this fails", async () => {
  check.that(await read("config/README.md") === settingsReference(), "config/README.md is stale: run `bun run docs`");
});

test("CF24 every setting has a place in the reference, a meaning and a variable of its own", () => {
  const text = settingsReference();
  for (const { path, variable, says } of fields) {
    check.that(text.includes(`\`${path.at(-1)}\`<br>\`${variable}\``), variable);
    check.match(says, /^[A-Z`].*[.]$/s);
  }
  check.equal(new Set(fields.map(({ variable }) => variable)).size, fields.length);
  for (const { path } of sections) check.that(path.length === 0 || text.includes(`## ${path.join(".")}\n`), path.join("."));
  check.equal(variableOf(["nakurity-client", "url"]), "NEURO_RELAY_NAKURITY_CLIENT__URL");
});

test("CF24 every default of the machines is a setting that can be set", () => {
  const known = new Set(fields.map(({ path }) => path.join(".")));
  const walk = (value: unknown, path: readonly string[]): void => {
    if (known.has(path.join("."))) return;
    check.that(typeof value === "object" && value !== null && !Array.isArray(value), `no setting: ${path.join(".")}`);
    for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
  };
  walk(DEFAULTS, []);
});

test("CF25 what can be configured but is not built is said, and only that", () => {
  const hosted = services({ ...DEFAULTS, nallely: { ...DEFAULTS.nallely, enabled: true } }).map(({ name }) => name);
  for (const room of ["brain", "nallely"] as const) check.equal(UNBUILT.includes(room), !hosted.includes(room), room);
  const said = settingsReference().split("\n").filter((line) => line.includes("Not part of this build yet"));
  check.equal(said.length, UNBUILT.length);
  check.equal(unbuiltIn(DEFAULTS), []);
  const on = { ...DEFAULTS, cluster: { ...DEFAULTS.cluster, enabled: true } };
  check.equal(unbuiltIn(on), UNBUILT.filter((path) => path === "cluster"));
});

test("CF26 the configuration that comes with the relay says nothing but the defaults", async () => {
  const loaded = load({ file: { name: "config/relay.yaml", text: await read("config/relay.yaml") } });
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  check.equal(JSON.parse(JSON.stringify(loaded.settings)), JSON.parse(JSON.stringify(DEFAULTS)));
});

test("CF26 its commented example is right, too", async () => {
  const text = (await read("config/relay.yaml")).replaceAll(/^# (nakurity-client:| {2}\w+: .*)$/gm, "$1");
  const loaded = load({ file: { name: "config/relay.yaml", text } });
  check.that(loaded.ok && loaded.settings["nakurity-clients"].length === 1, "the example does not load");
});

test("CF7 the nearest word is the one with the fewest letters to change", () => {
  check.equal(nearest("prot", ["host", "port", "path"]), "port");
  check.equal(nearest("", ["a"]), "a");
  check.equal(nearest("x", []), undefined);
});
