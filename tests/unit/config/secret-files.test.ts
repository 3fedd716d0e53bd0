import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { hashText } from "../../../src/core/hash.ts";
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

test("SE100 SE108 every token can be given as its hash, and a wrong hash or time is an error with its place", () => {
  const digest = "0123456789abcdef".repeat(4);
  const hash = `{sha256: ${digest}}`;
  const loaded = from(
    `intermediary:
  auth_token: ${hash}
  tokens: [{name: a, token: ${hash}, scopes: [watch], expires: 2027-01-31T12:00:00+01:00}]
nakurity-backend: {token: ${hash}, tokens: [{name: b, token: ${hash}, names: [Chess]}]}
brain: {token: ${hash}, tokens: [{name: c, token: plain, expires: 2027-01-31}]}
dependency-authentication: {neuro-os: {auth_token: ${hash}}}
`,
    { environment: { NEURO_RELAY_WEB__TOKEN: `{sha256: ${digest.toUpperCase()}}` } },
  );
  check.equal(errorsOf(loaded), "");
  check.that(loaded.ok);
  const { intermediary, web, brain, "nakurity-backend": backend } = loaded.settings;
  const tokens = [
    intermediary.auth_token,
    intermediary.tokens[0]?.token,
    web.token,
    backend.token,
    backend.tokens[0]?.token,
  ];
  check.equal([...tokens, brain.token], Array(6).fill(`sha256:${digest}`));
  check.equal(intermediary.tokens[0]?.expires, Date.parse("2027-01-31T11:00:00Z"));
  check.equal(brain.tokens[0]?.expires, Date.parse("2027-01-31T00:00:00Z"));
  check.that(!JSON.stringify(redacted(loaded.settings)).includes(digest));
  const wrong = `intermediary:
  auth_token: {sha256: abc}
  tokens: [{name: a, token: t, scopes: [watch]}]
nakurity-backend: {token: {sha256: ${digest}, file: x}}
`;
  check.equal(
    errorsOf(from(wrong)),
    "relay.yaml:2:3 intermediary.auth_token: expected 64 hexadecimal digits; " +
      "`neuro-relay token --hash` prints them",
  );
  const times = ["tomorrow", "2027", "2027-13-01", "2027-01-31 12:00", "true"];
  for (const time of times) {
    check.match(
      errorsOf(from(`brain: {tokens: [{name: a, token: t, expires: ${time}}]}`)),
      /expires: expected a time such as/,
    );
  }
  check.match(errorsOf(from("brain: {tokens: [{name: a, token: super-secret-token}]}")), /tokens\.0\.token: refused/);
  const hashed = hashText(PUBLISHED_TOKEN);
  check.match(errorsOf(from(`intermediary: {host: 0.0.0.0, auth_token: {sha256: ${hashed}}}`)), /auth_token: refused/);
  const open = `nakurity-backend: {host: 0.0.0.0, tokens: [{name: a, token: ${hash}}]}`;
  check.equal(errorsOf(from(open)), "", "a listener with several tokens is closed to others");
});
