import { test } from "#runner";
import { stringify } from "../../../src/config/yaml.ts";
import { fields } from "../../../src/config/fields.ts";
import { load } from "../../../src/config/load.ts";
import { humanReadable, redacted } from "../../../src/config/redacted.ts";
import { mergeReloaded } from "../../../src/config/reload.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { check } from "../../harness/check.ts";

function settingsOf(text: string): Settings {
  const loaded = load({ file: { name: "relay.yaml", text } });
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  return loaded.settings;
}

const SECRET = "hunter2hunter2";

test("CF21 redacted settings contain no secret", () => {
  const secrets = fields().filter(({ secret }) => secret);
  check.that(secrets.length >= 5);
  const sets = secrets.map(({ path }) => `${path.join(".")}=${SECRET}`);
  const urls = [
    `queue.url=redis://user:${SECRET}@host:6379`,
    `nakurity-client.url=ws://host:1/t/${SECRET}/x?a=1&token=${SECRET}`,
  ];
  const loaded = load({ sets: [...sets, ...urls, `intermediary.tokens=[{name: a, token: ${SECRET}, scopes: [watch]}]`] });
  check.that(loaded.ok);
  check.that(JSON.stringify(loaded.settings).split(SECRET).length > secrets.length + 3);
  const shown = JSON.stringify(redacted(loaded.settings));
  check.that(!shown.includes(SECRET), shown);
  check.match(shown, /redis:\/\/\*\*\*@host:6379/);
  check.match(shown, /ws:\/\/host:1\/t\/\*\*\*\/x\?a=1&token=\*\*\*/);
});

test("CF22 printed settings are a valid configuration", () => {
  const settings = settingsOf(
    "queue: {retry: 1500, total_bytes: 3MiB}\nnakurity-client: {url: ws://a:1}\nintegrations: [{match: x}]\nlog: {levels: {neuro: debug}}",
  );
  const text = stringify(humanReadable(settings));
  check.match(text, /retry: 1500ms/);
  check.match(text, /total_bytes: 3MiB/);
  check.equal(JSON.stringify(settingsOf(text)), JSON.stringify(settings));
});

test("CF23 a reload applies live settings and names those that need a restart", () => {
  const before = settingsOf("nakurity-client: {url: ws://a:1}");
  const after = settingsOf(
    "nakurity-client: {url: ws://b:1}\nintermediary: {port: 1, auth_token: own}\nqueue: {backend: memory, retry: 7s}",
  );
  const { settings, needsRestart } = mergeReloaded(before, after);
  check.equal(needsRestart, ["intermediary.port", "queue.backend"]);
  check.equal([settings.intermediary.port, settings.queue.backend], [8765, "fs"]);
  check.equal([settings.intermediary.auth_token, settings.queue.retry], ["own", 7_000]);
  check.equal(settings["nakurity-clients"].map(({ url }) => url), ["ws://b:1"]);
  check.equal(mergeReloaded(before, before), { settings: before, needsRestart: [] });
});

test("CF23 adding, removing or renaming an upstream needs a restart", () => {
  const one = settingsOf("nakurity-client: {url: ws://a:1}");
  const { settings, needsRestart } = mergeReloaded(settingsOf(""), one);
  check.equal([settings["nakurity-clients"], needsRestart], [[], ["nakurity-clients"]]);
  check.equal(mergeReloaded(one, settingsOf("nakurity-client: {url: ws://a:1, name: Other}")).needsRestart, [
    "nakurity-clients",
  ]);
});
