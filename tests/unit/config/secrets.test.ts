import { test } from "#runner";
import { load, type Loaded, type Sources } from "../../../src/config/load.ts";
import { masked } from "../../../src/config/printed.ts";
import { check } from "../../harness/check.ts";

const FILES: Readonly<Record<string, string>> = {
  "/run/relay": "s3cret-of-a-file\n",
  "/run/other": "  another-one  \r\n",
  "/run/url": "redis://:s3cret-of-a-file@host:6379",
  "conf/token": "beside-the-config",
  "/run/empty": " \n",
  "/run/lines": "one-line\nanother-line",
  "/run/long": "x".repeat(5_000),
};

function readSecret(file: string): string {
  const text = FILES[file];
  if (text === undefined) throw Object.assign(new Error(`ENOENT: ${file}`), { code: "ENOENT" });
  return text;
}

const from = (text: string, more: Sources = {}): Loaded =>
  load({ file: { name: "relay.yaml", text }, readSecret, ...more });

const errorsOf = (loaded: Loaded): string => (loaded.ok ? "" : loaded.errors.join("\n"));

test("CF33 every token and URL may stand in a file, in lists too", () => {
  const loaded = from(
    `intermediary:
  auth_token: {file: /run/relay}
  tokens: [{name: a, token: {file: /run/other}, scopes: [watch]}]
nakurity-backend: {token: {file: token}}
dependency-authentication: {neuro-os: {auth_token: {file: /run/relay}}}
web: {token: {file: /run/relay}}
brain: {token: {file: /run/relay}}
queue: {url: {file: /run/url}}
log: {file: relay.log}
`,
    { folder: "conf" },
  );
  check.equal(errorsOf(loaded), "");
  check.that(loaded.ok);
  const { intermediary, web, brain, queue, log, "nakurity-backend": backend } = loaded.settings;
  check.equal([intermediary.auth_token, web.token, brain.token], Array(3).fill("s3cret-of-a-file"));
  check.equal([intermediary.tokens[0]?.token, backend.token], ["another-one", "beside-the-config"]);
  check.equal([queue.url, log.file], ["redis://:s3cret-of-a-file@host:6379", "conf/relay.log"]);
  const shown = JSON.stringify(masked(loaded.settings));
  for (const secret of ["s3cret", "another-one", "beside"]) check.that(!shown.includes(secret), secret);
});

test("CF33 a variable with _FILE names the file, and wins over the configuration", () => {
  const environment = { NEURO_RELAY_INTERMEDIARY__AUTH_TOKEN_FILE: "/run/relay", NEURO_RELAY_QUEUE__URL_FILE: "/run/url" };
  const loaded = from("intermediary: {auth_token: plain}", { environment });
  check.that(loaded.ok);
  check.equal(loaded.settings.intermediary.auth_token, "s3cret-of-a-file");
  check.equal(loaded.settings.queue.url, "redis://:s3cret-of-a-file@host:6379");
  const missing = from("", { environment: { NEURO_RELAY_BRAIN__TOKEN_FILE: "/run/none" } });
  check.equal(
    errorsOf(missing),
    "NEURO_RELAY_BRAIN__TOKEN_FILE: cannot read /run/none: there is no such file",
  );
  check.match(errorsOf(from("", { environment: { NEURO_RELAY_LIMITS__PEERS_FILE: "/run/relay" } })), /unknown setting/);
});

test("CF33 a variable or a flag that says {file: path} means the file", () => {
  const environment = { NEURO_RELAY_BRAIN__TOKEN: "{file: /run/other}" };
  const loaded = from("", { environment, sets: ["web.token={ file: /run/relay }", "nakurity-backend.token={files: 1}"] });
  check.that(loaded.ok);
  const { web, brain, "nakurity-backend": backend } = loaded.settings;
  check.equal([web.token, brain.token, backend.token], ["s3cret-of-a-file", "another-one", "{files: 1}"]);
});

test("CF33 what cannot be read is said with the place and the file's name, and never what is in it", () => {
  const error = (file: string) => errorsOf(from(`web:\n  token: {file: ${file}}`));
  check.equal(error("/run/none"), "relay.yaml:2:3 web.token: cannot read /run/none: there is no such file");
  check.equal(error("/run/empty"), "relay.yaml:2:3 web.token: /run/empty is empty");
  check.equal(error("/run/lines"), "relay.yaml:2:3 web.token: expected one line of text in /run/lines");
  check.equal(error("/run/long"), "relay.yaml:2:3 web.token: expected one line of text in /run/long");
  const refused = errorsOf(from("web: {host: 0.0.0.0, port: x, token: {file: /run/relay}}"));
  check.that(refused !== "" && !refused.includes("s3cret"), refused);
  const onWorkers = load({ file: { name: "c", text: "web: {token: {file: /run/relay}}" } });
  check.match(errorsOf(onWorkers), /web\.token: there are no files here/);
});

test("CF33 the rules hold for what a file says, and no other setting may stand in one", () => {
  const published = load({
    file: { name: "c", text: "intermediary: {host: 0.0.0.0, auth_token: {file: f}}" },
    readSecret: () => "super-secret-token",
  });
  check.match(errorsOf(published), /auth_token: refused on 0\.0\.0\.0/);
  check.match(errorsOf(from("web: {host: {file: /run/relay}}")), /web\.host: expected text/);
  check.match(errorsOf(from("web: {token: {file: /run/relay, more: x}}")), /web\.token: expected text/);
  check.match(errorsOf(from("web: {token: {file: 7}}")), /web\.token: expected text/);
});
