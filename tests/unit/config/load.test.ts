import { test } from "#runner";
import { valueAt } from "../../../src/config/config-tree.ts";
import { fields } from "../../../src/config/fields.ts";
import { type ConfigResult, load, type SettingSources } from "../../../src/config/load.ts";
import { DEFAULTS, PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { check } from "../../harness/check.ts";

const NAME = "config/relay.yaml";
const from = (text: string, more: Omit<SettingSources, "file"> = {}): ConfigResult =>
  load({ file: { name: NAME, text }, ...more });

function settingsOf(loaded: ConfigResult): Settings {
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  return loaded.settings;
}
const errorsOf = (loaded: ConfigResult): readonly string[] => (loaded.ok ? [] : loaded.errors);
const warningsOf = (loaded: ConfigResult): readonly string[] => (loaded.ok ? loaded.warnings : []);

/** The configuration of the original relay, as it was published. */
const ORIGINAL = `
intermediary:
  host: "127.0.0.1"
  port: 8765
  auth_token: "super-secret-token"
  relay_queue: "relay_message_queue.pkl"

nakurity-backend:
  host: "127.0.0.1"
  port: 8001

nakurity-client:
  host: "127.0.0.1"
  port: 8000

dependency-authentication:
  neuro-os:
    auth_token: "super-secret-token"

intercept-proxy:
  enabled: false
  host: "127.0.0.1"
  port: 8767
  upstream_url: "ws://127.0.0.1:8000"
  match_commands: ["startup"]
  integration_name: "intercept-proxy"
`;

test("CF1 without a file every setting has its default", () => {
  check.equal(JSON.stringify(settingsOf(load({}))), JSON.stringify(settingsOf(from(""))));
  check.equal(JSON.parse(JSON.stringify(settingsOf(load({})))), JSON.parse(JSON.stringify(DEFAULTS)));
});

test("CF1 a setting has the same default whether its block is given or not", () => {
  for (const { path, defaultValue } of fields()) {
    if (path[0] !== "nakurity-client") check.equal(valueAt({ ...DEFAULTS }, path), defaultValue, path.join("."));
  }
});

test("CF2 the configuration of the original relay loads unchanged", () => {
  const loaded = from(ORIGINAL);
  const settings = settingsOf(loaded);
  check.equal(settings["nakurity-backend"].port, 8001);
  check.equal(settings["nakurity-clients"].map(({ url, name }) => [url, name]), [[
    "ws://127.0.0.1:8000",
    "Relay Integration",
  ]]);
  check.equal(settings["dependency-authentication"]["neuro-os"].auth_token, PUBLISHED_TOKEN);
  check.equal(settings.queue.path, "relay_message_queue");
  check.equal(warningsOf(loaded).filter((line) => line.includes("pickle")), [
    "intermediary.relay_queue: a pickle file is never read; the queue is kept in relay_message_queue/",
  ]);
});

test("CF2b `intermediary.relay_queue` names the queue's folder unless `queue.path` does", () => {
  const at = (text: string) => settingsOf(from(text)).queue.path;
  check.equal(at("intermediary: {relay_queue: waiting.pkl}"), "waiting");
  check.equal(at("intermediary: {relay_queue: /var/lib/waiting}"), "/var/lib/waiting");
  check.equal(at("intermediary: {relay_queue: waiting.pkl}\nqueue: {path: kept}"), "kept");
});

test("CF3 an upstream is given by URL or by host and port; there can be none, one or several", () => {
  const urls = (text: string) => settingsOf(from(text))["nakurity-clients"].map(({ url }) => url);
  check.equal(urls("nakurity-client:"), []);
  check.equal(urls("nakurity-client: {url: wss://neuro.example/ws}"), ["wss://neuro.example/ws"]);
  check.equal(urls("nakurity-client: {host: neuro.lan}"), ["ws://neuro.lan:8000"]);
  check.equal(urls("nakurity-client: {port: 9001}"), ["ws://127.0.0.1:9001"]);
  check.equal(urls("nakurity-client: {host: '::1', port: 9001}"), ["ws://[::1]:9001"]);
  check.equal(urls("nakurity-clients: [{url: ws://a:1}, {id: evil, url: ws://b:1}]"), ["ws://a:1", "ws://b:1"]);
});

test("CF3b an upstream that is incomplete, duplicated or unknown is an error", () => {
  const error = (text: string) => errorsOf(from(text));
  check.equal(error("nakurity-client: {url: ws://a:1}\nnakurity-clients: [{url: ws://b:1}]"), [
    `${NAME}:1:1 nakurity-client: expected nakurity-client or nakurity-clients, not both`,
  ]);
  check.equal(error("nakurity-client: {url: ws://a:1, port: 3}"), [
    `${NAME}:1:19 nakurity-client.url: expected either url, or host and port`,
  ]);
  check.match(
    error("nakurity-client:\n  name: x")[0] ?? "",
    /^config\/relay\.yaml:1:1 nakurity-client\.url: expected a URL such as ws:/,
  );
  check.match(error("nakurity-client: {url: 'http://a:1'}")[0] ?? "", /expected a URL/);
  check.match(
    error("nakurity-clients: [{url: ws://a:1}, {url: ws://b:1}]")[0] ?? "",
    /nakurity-clients\.1\.id: expected a unique id; neuro is already used/,
  );
  check.match(
    error("integrations: [{match: '*', upstream: evil}]")[0] ?? "",
    /integrations\.0\.upstream: no upstream has the id evil/,
  );
});

test("CF4 environment variables override the file, and flags override both", () => {
  const environment = { NEURO_RELAY_INTERMEDIARY__PORT: "2", NEURO_RELAY_WEB__PORT: "3", OTHER: "x" };
  const { intermediary, web, "nakurity-backend": backend } = settingsOf(
    from("intermediary: {port: 1}\nnakurity-backend: {port: 9}", { environment, sets: ["web.port=4"] }),
  );
  check.equal([intermediary.port, web.port, backend.port], [2, 4, 9]);
});

test("CF5 every setting has a variable; values are YAML, text is taken literally", () => {
  const environment = {
    NEURO_RELAY_INTERMEDIARY__AUTH_TOKEN: "12345",
    NEURO_RELAY_DEPENDENCY_AUTHENTICATION__NEURO_OS__AUTH_TOKEN: "a: b # c",
    NEURO_RELAY_WEB__TOKEN: "'quoted'",
    NEURO_RELAY_SECURITY__ALLOWED_ORIGINS: "[https://a.example, 'null']",
    NEURO_RELAY_QUEUE__TTL__COMMAND: "2h",
    NEURO_RELAY_LIMITS__MESSAGE_BYTES: "2MiB",
    NEURO_RELAY_NAKURITY_BACKEND__ENABLED: "false",
    NEURO_RELAY_NAKURITY_CLIENT__URL: "ws://neuro:8000",
    NEURO_RELAY_INTEGRATIONS: "[{match: 'chess*', shutdown: true}]",
    NEURO_RELAY_CONFIG: "elsewhere.yaml",
  };
  const settings = settingsOf(load({ environment }));
  check.equal(settings.intermediary.auth_token, "12345");
  check.equal(settings["dependency-authentication"]["neuro-os"].auth_token, "a: b # c");
  check.equal(settings.web.token, "quoted");
  check.equal(settings.security.allowed_origins, ["https://a.example", "null"]);
  check.equal(settings.queue.ttl.command, 7_200_000);
  check.equal(settings.limits.message_bytes, 2_097_152);
  check.equal(settings["nakurity-backend"].enabled, false);
  check.equal(settings["nakurity-clients"].map(({ url }) => url), ["ws://neuro:8000"]);
  check.equal(settings.integrations.map(({ match, shutdown }) => [match, shutdown]), [["chess*", true]]);
});

test("CF6 a wrong value is one line with its place, its name, what was expected and what was given", () => {
  const text =
    "intermediary:\n  port: eight\n  enabled: maybe\nqueue:\n  backend: floppy\n  retry: soon\n  total: 1.5\nweb: 3\n";
  check.equal(errorsOf(from(text)), [
    `${NAME}:3:3 intermediary.enabled: expected true or false, got "maybe"`,
    `${NAME}:2:3 intermediary.port: expected a port from 0 to 65535, got "eight"`,
    `${NAME}:5:3 queue.backend: expected one of fs, sqlite, redis, deno-kv, durable-object, memory, got "floppy"`,
    `${NAME}:6:3 queue.retry: expected a duration such as 10s, 5m or 250ms, at least 10ms, got "soon"`,
    `${NAME}:7:3 queue.total: expected a whole number, at least 1, got 1.5`,
    `${NAME}:8:1 web: expected settings below it, each on its own line as \`name: value\``,
  ]);
  check.equal(errorsOf(load({ environment: { NEURO_RELAY_WEB__PORT: "70000" } })), [
    "NEURO_RELAY_WEB__PORT: expected a port from 0 to 65535, got 70000",
  ]);
  check.equal(errorsOf(load({ sets: ["web.port=x"] })), ['--set web.port: expected a port from 0 to 65535, got "x"']);
  check.equal(errorsOf(load({ sets: ["web.port"] })), [
    "--set web.port: expected a setting and its value, such as --set intermediary.port=9765",
  ]);
  check.equal(errorsOf(load({ environment: { NEURO_RELAY_INTEGRATIONS: "[{match: 3}]" } })), [
    "NEURO_RELAY_INTEGRATIONS 0.match: expected text, in quotes if it looks like a number",
  ]);
});

test("CF6b `yes`, `no`, `on` and `off` are true and false, as in the YAML of the original relay", () => {
  for (const [text, enabled] of [["yes", true], ["No", false], ["ON", true], ["off", false], ["'true'", true]] as const) {
    const loaded = load({ file: { name: NAME, text: `web: {enabled: ${text}}` } });
    check.equal(loaded.ok && loaded.settings.web.enabled, enabled, text);
    const flag = load({ sets: [`web.enabled=${text.replaceAll("'", "")}`] });
    check.equal(flag.ok && flag.settings.web.enabled, enabled, `--set ${text}`);
  }
});

test("CF7 an unknown setting is an error that suggests the closest known name", () => {
  check.equal(errorsOf(from("intermediary:\n  prot: 1\nintegrations:\n  - match: a\n    prio_max: low\nqeue: {}\n")), [
    `${NAME}:2:3 intermediary.prot: unknown setting; did you mean port?`,
    `${NAME}:5:5 integrations.0.prio_max: unknown setting; did you mean priority_max?`,
    `${NAME}:6:1 qeue: unknown setting; did you mean queue?`,
  ]);
  check.equal(errorsOf(load({ environment: { NEURO_RELAY_INTERMEDIARY_PORT: "1" } })), [
    "NEURO_RELAY_INTERMEDIARY_PORT: unknown setting; did you mean NEURO_RELAY_INTERMEDIARY__PORT?",
  ]);
  check.equal(errorsOf(load({ sets: ["intermediary.prot=1", "__proto__.x=1"] })).length, 2);
  check.equal(errorsOf(from("nakurity-client: {url: ws://a:1, nmae: x}")), [
    `${NAME}:1:34 nakurity-client.nmae: unknown setting; did you mean name?`,
  ]);
  check.that(errorsOf(from("__proto__: {port: 1}")).length > 0);
});

test("CF8 a file that is not YAML, has a duplicate name or is an alias bomb is an error with its place", () => {
  for (const text of ["web: [", "web: {port: 1}\nweb: {port: 2}", "a\nb: 1", "- a", "text", "a: &x [*x]"]) {
    const errors = errorsOf(from(text));
    check.that(errors.length > 0, text);
    for (const error of errors) check.match(error, /^config\/relay\.yaml:\d+:\d+ [^\n]+$/);
  }
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (const [name, below] of [["b", "a"], ["c", "b"], ["d", "c"], ["e", "d"]]) {
    bomb.push(`${name}: &${name} [${`*${below}, `.repeat(9)}*${below}]`);
  }
  check.match(errorsOf(from(bomb.join("\n")))[0] ?? "", /alias/i);
});

test("CF9 a name without a value has its default", () => {
  check.equal(settingsOf(from("intermediary:\nweb:\n  port:\nlimits: ~\n")), settingsOf(from("")));
});

test("CF10 durations and sizes are read in every unit", () => {
  const grace = (value: string) => settingsOf(from(`actions: {grace: ${value}}`)).actions.grace;
  check.equal(["250ms", "10s", "5m", "2h", "1d", "1500", "0", "1.5s", "10 s"].map(grace), [
    250,
    10_000,
    300_000,
    7_200_000,
    86_400_000,
    1_500,
    0,
    1_500,
    10_000,
  ]);
  const total = (value: string) => settingsOf(from(`uploads: {total_bytes: ${value}}`)).uploads.total_bytes;
  check.equal(["16MiB", "1GiB", "16777216", "10240KiB", "16mib"].map(total), [
    16_777_216,
    1_073_741_824,
    16_777_216,
    10_485_760,
    16_777_216,
  ]);
  for (const value of ["-1", "1w", "''", "[]", "1e400", "10sec", ".inf", ".nan"]) {
    check.that(errorsOf(from(`actions: {grace: ${value}}`)).length === 1, value);
  }
});

test("CF11 a value above a hard ceiling is lowered to it, with a warning", () => {
  const loaded = from("limits: {peers: 1000000, message_bytes: 1GiB, greeting: 1h}");
  const { limits } = settingsOf(loaded);
  check.equal([limits.peers, limits.message_bytes, limits.greeting], [100_000, 16 * 1_024 * 1_024, 60_000]);
  check.equal(warningsOf(loaded).filter((line) => line.includes("lowered")), [
    "limits.peers is lowered from 1000000 to the maximum, 100000",
    "limits.greeting is lowered from 1h to the maximum, 1m",
    "limits.message_bytes is lowered from 1GiB to the maximum, 16MiB",
  ]);
});

test("CF12 relative paths start from the folder of the named file; absolute ones stay", () => {
  const { queue, uploads, brain, log } = settingsOf(
    from("uploads: {path: /srv/files}\nlog: {file: a.log}", { folder: "/etc/relay" }),
  );
  check.equal([queue.path, uploads.path, brain.artifacts_root, log.file], [
    "/etc/relay/relay_message_queue",
    "/srv/files",
    "/etc/relay/artifacts/runs",
    "/etc/relay/a.log",
  ]);
  check.equal(settingsOf(from("queue: {path: 'C:\\queue'}", { folder: "/etc" })).queue.path, "C:\\queue");
  check.equal(settingsOf(from("")).log.file, "");
});

test("CF12b without its path the queue is in the folder for data, and without theirs the uploads are beside the queue", () => {
  const paths = (text: string): readonly string[] => {
    const { queue, uploads } = settingsOf(
      from(text, { folder: "/etc/relay", dataFolder: "/home/me/.local/state/neuro-relay" }),
    );
    return [queue.path, uploads.path];
  };
  const data = "/home/me/.local/state/neuro-relay";
  check.equal(paths(""), [`${data}/relay_message_queue`, `${data}/uploads`]);
  check.equal(paths("queue: {backend: sqlite}\nuploads:"), [`${data}/relay_message_queue`, `${data}/uploads`]);
  check.equal(paths("queue: {path: here}"), ["/etc/relay/here", "/etc/relay/uploads"]);
  check.equal(paths("queue: {path: /srv/relay/queue/}"), ["/srv/relay/queue/", "/srv/relay/uploads"]);
  check.equal(paths("intermediary: {relay_queue: old.pkl}"), ["/etc/relay/old", "/etc/relay/uploads"]);
});

test("CF13 the variables of the original Brain keep their meaning; NEURO_RELAY_BRAIN__* overrides them", () => {
  const brain = (environment: Record<string, string>, text = "") => settingsOf(from(text, { environment })).brain;
  const all = brain({
    RELAY_HOST: "localhost",
    RELAY_PORT: "9100",
    RELAY_TOKEN: "t",
    RELAY_COVENANT: "enforce",
    RELAY_TEST_MODE: "True",
    RELAY_LOG_JSON: "yes",
    ARTIFACT_RUN_ID: "run",
    ARTIFACTS_ROOT: "/runs",
  }, "brain: {port: 1, log_json: true}");
  check.equal(
    [all.host, all.port, all.token, all.covenant, all.test_mode, all.log_json, all.artifact, all.artifacts_root],
    ["localhost", 9100, "t", "enforce", true, false, "run", "/runs"],
  );
  check.equal(brain({ RELAY_PORT: "9100", NEURO_RELAY_BRAIN__PORT: "9200" }).port, 9200);
  check.equal(brain({ RELAY_TEST_MODE: "TRUE" }).test_mode, false);
  check.equal(errorsOf(load({ environment: { RELAY_PORT: "" } })), ['RELAY_PORT: expected a port from 0 to 65535, got ""']);
});

test("CF14 PORT sets brain.port only in test mode, or if the Brain is the only service", () => {
  const port = (environment: Record<string, string>, text = "") => settingsOf(from(text, { environment })).brain.port;
  const alone = "intermediary: {enabled: false}\nnakurity-backend: {enabled: false}\nweb: {enabled: false}";
  check.equal(port({ PORT: "9300" }), 9000);
  check.equal(port({ PORT: "9300", RELAY_TEST_MODE: "1" }), 9300);
  check.equal(port({ PORT: "9300" }, alone), 9300);
  check.equal(port({ PORT: "9300", RELAY_PORT: "9400" }, alone), 9400);
});
