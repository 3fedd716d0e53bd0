import { test } from "#runner";
import { type ConfigResult, load, type SettingSources } from "../../../src/config/load.ts";
import { redacted } from "../../../src/config/redacted.ts";
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

const from = (text: string, more: SettingSources = {}): ConfigResult =>
  load({ file: { name: "relay.yaml", text }, readSecret, ...more });

const errorsOf = (loaded: ConfigResult): string => (loaded.ok ? "" : loaded.errors.join("\n"));

test("CF33 every token and URL can be read from a file, also in lists", () => {
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
  const shown = JSON.stringify(redacted(loaded.settings));
  for (const secret of ["s3cret", "another-one", "beside"]) check.that(!shown.includes(secret), secret);
});

test("CF33 a variable with _FILE names the file and overrides the configuration", () => {
  const environment = { NEURO_RELAY_INTERMEDIARY__AUTH_TOKEN_FILE: "/run/relay", NEURO_RELAY_QUEUE__URL_FILE: "/run/url" };
  const loaded = from("intermediary: {auth_token: plain}", { environment });
  check.that(loaded.ok);
  check.equal(loaded.settings.intermediary.auth_token, "s3cret-of-a-file");
  check.equal(loaded.settings.queue.url, "redis://:s3cret-of-a-file@host:6379");
  const missing = from("", { environment: { NEURO_RELAY_BRAIN__TOKEN_FILE: "/run/none" } });
  check.equal(
    errorsOf(missing),
    "NEURO_RELAY_BRAIN__TOKEN_FILE: cannot read /run/none: no such file",
  );
  check.match(errorsOf(from("", { environment: { NEURO_RELAY_LIMITS__PEERS_FILE: "/run/relay" } })), /unknown setting/);
});

test("CF33 `{file: path}` in a variable or a flag means the file", () => {
  const environment = { NEURO_RELAY_BRAIN__TOKEN: "{file: /run/other}" };
  const loaded = from("", { environment, sets: ["web.token={ file: /run/relay }", "nakurity-backend.token={files: 1}"] });
  check.that(loaded.ok);
  const { web, brain, "nakurity-backend": backend } = loaded.settings;
  check.equal([web.token, brain.token, backend.token], ["s3cret-of-a-file", "another-one", "{files: 1}"]);
});

test("CF33b a file that cannot be used is an error with its place and name, without its content", () => {
  const error = (file: string) => errorsOf(from(`web:\n  token: {file: ${file}}`));
  check.equal(error("/run/none"), "relay.yaml:2:3 web.token: cannot read /run/none: no such file");
  check.equal(error("/run/empty"), "relay.yaml:2:3 web.token: /run/empty is empty");
  check.equal(error("/run/lines"), "relay.yaml:2:3 web.token: expected one line of at most 4096 characters in /run/lines");
  check.equal(error("/run/long"), "relay.yaml:2:3 web.token: expected one line of at most 4096 characters in /run/long");
  const refused = errorsOf(from("web: {host: 0.0.0.0, port: x, token: {file: /run/relay}}"));
  check.that(refused !== "" && !refused.includes("s3cret"), refused);
  const onWorkers = load({ file: { name: "c", text: "web: {token: {file: /run/relay}}" } });
  check.match(errorsOf(onWorkers), /web\.token: this platform has no files/);
});

test("CF33c the rules apply to the content of a file, and other settings cannot be read from one", () => {
  const published = load({
    file: { name: "c", text: "intermediary: {host: 0.0.0.0, auth_token: {file: f}}" },
    readSecret: () => "super-secret-token",
  });
  check.match(errorsOf(published), /auth_token: refused because intermediary\.host is 0\.0\.0\.0/);
  check.match(errorsOf(from("web: {host: {file: /run/relay}}")), /web\.host: expected text/);
  check.match(errorsOf(from("web: {token: {file: /run/relay, more: x}}")), /web\.token: expected text/);
  check.match(errorsOf(from("web: {token: {file: 7}}")), /web\.token: expected text/);
});
