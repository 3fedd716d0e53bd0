/** Wrong settings: each is refused with one line that names the place, the key and what was expected. And the examples of the documents. */
import { test } from "#runner";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { policySettings } from "../../../src/config/fields.ts";
import { load } from "../../../src/config/load.ts";
import { seededRandom } from "../../../src/core/random.ts";
import { permissionFor, PolicyTable, templateFor } from "../../../src/services/neuro/policy.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";

function errorsOf(text: string): readonly string[] {
  const loaded = load({ file: { name: "relay.yaml", text } });
  return loaded.ok ? [] : loaded.errors;
}

/** A configuration of one line, the column and the key of the error, and what it says. */
const WRONG: readonly (readonly [text: string, column: number, key: string, says: RegExp])[] = [
  ["queue: {backend: redis, url: 'http://x'}", 25, "queue.url", /^expected a URL such as redis:\/\/127\.0\.0\.1:6379$/],
  ["queue: {url: localhost}", 9, "queue.url", /expected a URL such as redis:/],
  ["nallely: {url: 'http://x'}", 11, "nallely.url", /expected a URL such as ws:\/\/127\.0\.0\.1:6789/],
  [
    "nallely: {trevor_url: x}",
    11,
    "nallely.trevor_url",
    /expected a URL such as ws:\/\/127\.0\.0\.1:6788, or an empty text/,
  ],
  ["nallely: {name: a_b}", 11, "nallely.name", /expected a name without _, \/, \? and #, got "a_b"/],
  [
    "nallely: {inputs: [{parameter: x, range: [2, 1]}]}",
    35,
    "nallely.inputs.0.range",
    /expected two numbers, the lower one first/,
  ],
  [
    "nallely: {actions: [{name: a, description: b, parameter: x, range: [2, 1]}]}",
    61,
    "nallely.actions.0.range",
    /lower one first/,
  ],
  ["web: {trusted_proxies: [nope]}", 25, "web.trusted_proxies.0", /expected an address such as 127\.0\.0\.1, got "nope"/],
  ["web: {trusted_proxies: [10.0.0.0/8]}", 25, "web.trusted_proxies.0", /expected an address/],
  [
    "web: {hosts: ['https://relay.example']}",
    15,
    "web.hosts.0",
    /expected an address or a host name without a port, got "https:/,
  ],
  ["web: {hosts: ['relay.example:443']}", 15, "web.hosts.0", /without a port/],
  [
    "security: {allowed_origins: [example.com]}",
    30,
    "security.allowed_origins.0",
    /expected an origin such as https:\/\/overlay\.example, or null, got "example\.com"/,
  ],
  ["security: {allowed_origins: ['https://a.example/path']}", 30, "security.allowed_origins.0", /expected an origin/],
  ["security: {allowed_origins: ['https://a.example/']}", 30, "security.allowed_origins.0", /expected an origin/],
  ["intercept-proxy: {upstream_url: localhost}", 19, "intercept-proxy.upstream_url", /expected a URL such as ws:/],
  ["intermediary: {tokens: [{token: x, scopes: [watch]}]}", 25, "intermediary.tokens.0.name", /^missing: expected text$/],
  ["integrations: [{upstream: a}]", 16, "integrations.0.match", /^missing: expected text$/],
  ["integrations: [{match: a, allow: move}]", 27, "integrations.0.allow", /^expected a list of patterns$/],
  ["integrations: [{match: a, deny: [1]}]", 34, "integrations.0.deny.0", /^expected text/],
  ["integrations: [{match: a, hide: ['']}]", 34, "integrations.0.hide.0", /^expected a pattern with 1 to 256 characters/],
  [`integrations: [{match: a, hide: [${"a,".repeat(257)}]}]`, 27, "integrations.0.hide", /at most 256 patterns, got 257/],
  ["integrations: [{match: a, actions_max: many}]", 27, "integrations.0.actions_max", /^expected a whole number/],
  ["integrations: [{match: a, contexts_per_minute: 0}]", 27, "integrations.0.contexts_per_minute", /at least 1, got 0/],
  ["integrations: [{match: a, context_length: 3}]", 27, "integrations.0.context_length", /at least 16, got 3/],
  [
    "integrations: [{match: a, context_template: x}]",
    27,
    "integrations.0.context_template",
    /^expected a text with {message} once/,
  ],
  [
    "integrations: [{match: a, context_template: '{message}{message}'}]",
    27,
    "integrations.0.context_template",
    /^expected a text with {message} once/,
  ],
  ["integrations: [{match: a, coalesce: ['{key}{key}']}]", 38, "integrations.0.coalesce.0", /at most one {key}/],
  ["integrations: [{match: a, coalesce_interval: soon}]", 27, "integrations.0.coalesce_interval", /^expected a duration/],
  ["integrations: [{match: a, shutdown: 3}]", 27, "integrations.0.shutdown", /^expected true or false, got 3/],
  ["integrations: [{match: a, result_deadline: 5ms}]", 27, "integrations.0.result_deadline", /at least 100ms/],
  ["integrations: [{match: a, parked: 0}]", 27, "integrations.0.parked", /at least 1s/],
  [
    "integrations: [{match: a, behaviour: rude}]",
    27,
    "integrations.0.behaviour",
    /^expected one of polite, lively, clumsy/,
  ],
  ["nakurity-backend: {behaviour: {preset: rude}}", 32, "nakurity-backend.behaviour.preset", /^expected one of polite/],
  ["nakurity-backend: {behaviour: {voluntary: 7}}", 32, "nakurity-backend.behaviour.voluntary", /^expected one of never/],
  ["nakurity-backend: {behaviour: {interval: 5ms}}", 32, "nakurity-backend.behaviour.interval", /at least 100ms/],
  ["nakurity-backend: {behaviour: {answer_jitter: soon}}", 32, "nakurity-backend.behaviour.answer_jitter", /a duration/],
  [
    "nakurity-backend: {behaviour: {percent: {no_answer: -1}}}",
    42,
    "nakurity-backend.behaviour.percent.no_answer",
    /^expected a whole number, got -1/,
  ],
  [
    "nakurity-backend: {faults: {percent: {drop: half}}}",
    39,
    "nakurity-backend.faults.percent.drop",
    /^expected a whole number, got "half"/,
  ],
  ["nakurity-backend: {faults: {delay: [1]}}", 29, "nakurity-backend.faults.delay", /^expected a duration/],
  ["nakurity-backend: {faults: 5}", 20, "nakurity-backend.faults", /^expected settings below it/],
  [
    `nakurity-backend: {display_name: ${"x".repeat(1_025)}}`,
    20,
    "nakurity-backend.display_name",
    /^expected at most 1024 characters/,
  ],
  [
    "nakurity-backend: {openai: {memory_entries: 1.5}}",
    29,
    "nakurity-backend.openai.memory_entries",
    /^expected a whole number, got 1.5/,
  ],
  ["a: &a [*a]", 1, "", /^a value contains itself$/],
];

test("CF53 a wrong value is refused with its place, its key and what was expected", () => {
  for (const [text, column, key, says] of WRONG) {
    const errors = errorsOf(text);
    check.equal(errors.length, 1, `${text}: ${errors.join("; ")}`);
    const [place = "", ...rest] = (errors[0] ?? "").split(" ");
    check.equal(place, `relay.yaml:1:${column}`, text);
    const [, found = "", message = ""] = /^(?:([\w.-]+): )?(.*)$/.exec(rest.join(" ")) ?? [];
    check.equal(found, key, errors[0]);
    check.match(message, says);
  }
});

test("CF53c an arbitrary policy is refused with its place, or it can be applied to every name", () => {
  const random = seededRandom(5);
  const values = [
    ...[
      "",
      "a*",
      "*",
      "{key}",
      "{message}",
      "[{game}] {message}",
      "5s",
      "critical",
      "approval",
      "suffix",
      "failures-only",
      "no",
    ],
    ...[0, 1, -1, 1.5, 1e9, null, true, {}, [], [1], ["*"], ["a*", "*b*{key}*"], [[]], ["x".repeat(300)]],
  ];
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const names = policySettings().map(({ path }) => path.at(-1) ?? "").filter((name) =>
    name !== "match" && name !== "upstream"
  );
  let accepted = 0;
  for (let round = 0; round < 600; round++) {
    const policy = Object.fromEntries([["match", "a*"], [pick(names), pick(values)]]);
    const loaded = load({ sets: [`integrations=${JSON.stringify([policy])}`] });
    if (!loaded.ok) {
      for (const error of loaded.errors) check.match(error, /^--set integrations 0\.\w+(?:\.\d+)*: \S/);
      continue;
    }
    accepted++;
    const resolved = new PolicyTable(loaded.settings).of("abc");
    check.that(templateFor(resolved, loaded.settings, "abc") !== undefined);
    for (const name of ["", "a", "abc{key}", "x".repeat(300)]) check.that(permissionFor(resolved, name) !== undefined);
  }
  check.that(accepted > 50 && accepted < 550, `${accepted}`);
});

test("CF53b URLs, addresses and origins of every useful kind are accepted", () => {
  for (
    const text of [
      "queue: {url: 'rediss://user:secret@redis.example:6380/1'}",
      "queue: {url: '/run/redis.sock'}",
      "queue: {url: 'unix:///run/redis.sock'}",
      "nallely: {url: 'wss://nallely.example', trevor_url: ''}",
      "web: {trusted_proxies: [127.0.0.1, '::1', 'fd00::1']}",
      "web: {hosts: [localhost, a.localhost]}",
      "security: {allowed_origins: ['https://overlay.example:8443', 'file://', 'http://absolute', 'chrome-extension://abc']}",
    ]
  ) check.equal(errorsOf(text), [], text);
});

test("CF54 an error about several settings has the place of the one that is written", () => {
  const web = errorsOf("# comment\nweb: {hosts: [relay.example]}");
  check.equal(web.map((line) => line.split(":").slice(0, 3).join(":").split(" ")[0]), Array(3).fill("relay.yaml:2:7"));
  check.match(web[0] ?? "", /^relay\.yaml:2:7 intermediary\.auth_token: refused because web\.hosts lists/);
  check.match(
    errorsOf('security: {allowed_origins: ["null"]}')[0] ?? "",
    /^relay\.yaml:1:12 intermediary\.auth_token: refused/,
  );
  const [model] = errorsOf("nakurity-backend: {decider: openai, openai: {url: 'http://x'}}");
  check.match(model ?? "", /^relay\.yaml:1:20 nakurity-backend\.openai\.model: expected the name/);
  const flag = load({ sets: ["web.hosts=[relay.example]", "nakurity-backend.open=true", "brain.open=true"] });
  check.match(flag.ok ? "" : flag.errors.join("\n"), /^--set web\.hosts intermediary\.auth_token: refused because/);
});

test("CF55 each configuration in the documents is valid", () => {
  const documents = globSync("{*,{config,deploy,examples}/*,src/**/*}.md", { cwd: ROOT });
  const blocks = documents.flatMap((path) =>
    [...readFileSync(join(ROOT, path), "utf8").matchAll(/^( *)```yaml\n([^]*?)\n\1```/gm)].map((
      [, indent = "", text = ""],
    ) => [path, text.replaceAll(new RegExp(`^${indent}`, "gm"), "")] as const)
  );
  // Others are files of other programs.
  const configurations = blocks.filter(([, text]) =>
    [...text.matchAll(/^([\w-]+):/gm)].some(([, name = ""]) => name in DEFAULTS)
  );
  check.that(configurations.length >= 4, `${configurations.length} configurations`);
  for (const [path, text] of configurations) {
    const loaded = load({ file: { name: path, text }, sets: OWN_TOKENS, readSecret: () => "a token in a file" });
    check.equal(loaded.ok ? [] : loaded.errors, [], text);
  }
});

/** The documents show only the settings that they are about. */
const OWN_TOKENS = ["intermediary.auth_token=own", "nakurity-backend.token=own", "brain.token=own"];
