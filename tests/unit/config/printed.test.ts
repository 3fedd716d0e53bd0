import { test } from "#runner";
import { stringify } from "yaml";
import { fields } from "../../../src/config/fields.ts";
import { load } from "../../../src/config/load.ts";
import { masked, written } from "../../../src/config/printed.ts";
import { reloaded } from "../../../src/config/reload.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { check } from "../../harness/check.ts";

function settingsOf(text: string): Settings {
  const loaded = load({ file: { name: "relay.yaml", text } });
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  return loaded.settings;
}

const SECRET = "hunter2hunter2";

test("CF21 no secret is ever shown", () => {
  const secrets = fields.filter(({ secret }) => secret);
  check.that(secrets.length >= 5);
  const sets = secrets.map(({ path }) => `${path.join(".")}=${SECRET}`);
  const urls = [
    `queue.url=redis://user:${SECRET}@host:6379`,
    `nakurity-client.url=ws://host:1/t/${SECRET}/x?a=1&token=${SECRET}`,
  ];
  const loaded = load({ sets: [...sets, ...urls, `intermediary.tokens=[{name: a, token: ${SECRET}, scopes: [watch]}]`] });
  check.that(loaded.ok);
  check.that(JSON.stringify(loaded.settings).split(SECRET).length > secrets.length + 3);
  const shown = JSON.stringify(masked(loaded.settings));
  check.that(!shown.includes(SECRET), shown);
  check.match(shown, /redis:\/\/\*\*\*@host:6379/);
  check.match(shown, /ws:\/\/host:1\/t\/\*\*\*\/x\?a=1&token=\*\*\*/);
});

test("CF22 what is printed can be read as a configuration again", () => {
  const settings = settingsOf(
    "queue: {retry: 1500, total_bytes: 3MiB}\nnakurity-client: {url: ws://a:1}\nintegrations: [{match: x}]\nlog: {levels: {neuro: debug}}",
  );
  const text = stringify(written(settings));
  check.match(text, /retry: 1500ms/);
  check.match(text, /total_bytes: 3MiB/);
  check.equal(JSON.stringify(settingsOf(text)), JSON.stringify(settings));
});

test("CF23 new settings take effect as far as they can without a restart", () => {
  const before = settingsOf("nakurity-client: {url: ws://a:1}");
  const after = settingsOf(
    "nakurity-client: {url: ws://b:1}\nintermediary: {port: 1, auth_token: own}\nqueue: {backend: memory, retry: 7s}",
  );
  const { settings, waiting } = reloaded(before, after);
  check.equal(waiting, ["intermediary.port", "queue.backend"]);
  check.equal([settings.intermediary.port, settings.queue.backend], [8765, "fs"]);
  check.equal([settings.intermediary.auth_token, settings.queue.retry], ["own", 7_000]);
  check.equal(settings["nakurity-clients"].map(({ url }) => url), ["ws://b:1"]);
  check.equal(reloaded(before, before), { settings: before, waiting: [] });
});

test("CF23 an upstream more or less needs a restart", () => {
  const one = settingsOf("nakurity-client: {url: ws://a:1}");
  const { settings, waiting } = reloaded(settingsOf(""), one);
  check.equal([settings["nakurity-clients"], waiting], [[], ["nakurity-clients"]]);
  check.equal(reloaded(one, settingsOf("nakurity-client: {url: ws://a:1, name: Other}")).waiting, ["nakurity-clients"]);
});
