import { test } from "#runner";
import { load } from "../../../src/config/load.ts";
import { mergeReloaded } from "../../../src/config/reload.ts";
import { isLoopback } from "../../../src/core/access.ts";
import { check } from "../../harness/check.ts";

const NAME = "relay.yaml";

function errorsOf(text: string): readonly string[] {
  const loaded = load({ file: { name: NAME, text } });
  return loaded.ok ? [] : loaded.errors;
}

const only = (text: string, pattern: RegExp): void => {
  const errors = errorsOf(text);
  check.equal(errors.length, 1, `${text}: ${errors.join("; ")}`);
  check.match(errors[0] ?? "", pattern);
};
const fine = (text: string): void => check.equal(errorsOf(text), [], text);

test("CF15 loopback addresses and names are those that only this machine can reach", () => {
  for (
    const host of ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "a.localhost", "::1", "[::1]", "::ffff:127.0.0.1"]
  ) check.that(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "", "127.0.0.1.example", "10.0.0.1", "localhost.example", "127.0.0"]) {
    check.that(!isLoopback(host), host);
  }
});

test("CF15 the published token, or an empty one, is refused on a listener that other machines can reach", () => {
  only(
    "intermediary: {host: 0.0.0.0}",
    /^relay\.yaml:1:16 intermediary\.auth_token: refused because intermediary\.host is 0\.0\.0\.0/,
  );
  only("intermediary: {host: 0.0.0.0, auth_token: ''}", /^relay\.yaml:1:31 intermediary\.auth_token: refused/);
  only(
    "intermediary: {host: '::', auth_token: own}\ndependency-authentication: {neuro-os: {auth_token: super-secret-token}}",
    /neuro-os\.auth_token: refused/,
  );
  only("intermediary: {tokens: [{name: a, token: super-secret-token, scopes: [watch]}]}", /tokens\.0\.token: refused/);
  only("web: {host: 0.0.0.0, token: super-secret-token}", /web\.token: refused/);
  fine("intermediary: {host: 0.0.0.0, auth_token: own}");
  fine("intermediary: {host: 0.0.0.0, enabled: false}");
  fine("web: {host: 0.0.0.0}");
});

test("CF15b on loopback the published token, or an empty one, is a warning", () => {
  for (const [text, what] of [["", "the published one"], ["intermediary: {auth_token: ''}", "empty"]] as const) {
    const loaded = load({ file: { name: NAME, text } });
    check.that(
      loaded.ok &&
        loaded.warnings.includes(`intermediary.auth_token is ${what}: every program on this machine can connect`),
    );
  }
  const own = load({ file: { name: NAME, text: "intermediary: {auth_token: own}" } });
  check.that(own.ok && own.warnings.length === 0);
});

test("NB276 faults of the network are refused with an upstream, unless that is wanted, and warned about", () => {
  const faults = (more = ""): string => `nakurity-backend: {faults: {enabled: true${more}}}`;
  const upstream = "nakurity-client: {url: ws://10.0.0.1:8000}";
  only(`${upstream}\n${faults()}`, /^relay\.yaml:2:\d+ nakurity-backend\.faults\.enabled: refused, because Neuro/);
  fine(`${upstream}\n${faults(", with_upstream: true")}`);
  fine(faults());
  fine(`${upstream}\nnakurity-backend: {faults: {delay: 1s}}`);
  for (const [text, count] of [[faults(), 1], ["nakurity-backend: {faults: {delay: 1s}}", 0]] as const) {
    const loaded = load({ file: { name: NAME, text } });
    check.that(loaded.ok);
    const found = loaded.warnings.filter((line) => line.startsWith("nakurity-backend.faults.enabled is true: messages"));
    check.equal(found.length, count);
  }
});

test("CF16 the game port and the Brain listen to other machines only with a token or `open: true`", () => {
  for (const block of ["nakurity-backend", "brain"]) {
    only(
      `${block}: {host: 0.0.0.0}`,
      new RegExp(
        `${block}\\.token: ${block}\\.host is 0\\.0\\.0\\.0, so anyone could connect; set ${block}\\.token, or ${block}\\.open: true`,
      ),
    );
    only(`${block}: {host: 0.0.0.0, token: super-secret-token}`, /could connect/);
    fine(`${block}: {host: 0.0.0.0, token: own}`);
    fine(`${block}: {host: 0.0.0.0, enabled: false}`);
    const open = load({ file: { name: NAME, text: `${block}: {host: 0.0.0.0, open: true}` } });
    check.that(open.ok && open.warnings.some((line) => line.startsWith(`${block}.open is true: anyone`)));
  }
});

test("CF16b with a foreign name in web.hosts, every listener of the web port needs a token of its own", () => {
  const tokens = "intermediary: {auth_token: own}\nnakurity-backend: {token: own}\nbrain: {token: own}\n";
  const web = "web: {hosts: [localhost, relay.example]}";
  fine(tokens + web);
  fine("web: {hosts: [localhost, 127.0.0.1, a.localhost]}");
  fine("web: {hosts: [relay.example], enabled: false}");
  only(
    tokens.replace(/^intermediary.*\n/, "") + web,
    /intermediary\.auth_token: refused because web\.hosts lists relay\.example/,
  );
  for (const block of ["nakurity-backend", "brain"]) {
    const without = tokens.replace(new RegExp(`^${block}.*\\n`, "m"), "");
    only(without + web, new RegExp(`${block}\\.token: web\\.hosts lists relay\\.example, so anyone could connect`));
    fine(`${without}${block}: {enabled: false}\n${web}`);
  }
});

test("CF16c with `null` in security.allowed_origins, the Intermediary and the web port need tokens of their own", () => {
  const security = 'security: {allowed_origins: ["https://a.example", "null"]}\n';
  const refused =
    /intermediary\.auth_token: refused because any web page can have the origin null, which security\.allowed_origins lists/;
  only(security, refused);
  only(`${security}intermediary: {auth_token: ""}`, refused);
  fine(`${security}intermediary: {auth_token: own}`);
  fine(`${security}intermediary: {enabled: false}`);
  fine('security: {allowed_origins: ["file://", "https://a.example"]}');
  only(
    `${security}intermediary: {auth_token: own}\nweb: {token: super-secret-token}`,
    /web\.token: refused because any web page/,
  );
});

test("CF66 a listener has a certificate and its key, or neither; their paths start from the folder of the file", () => {
  only(
    "web: {tls: {cert: a.pem}}",
    /^relay\.yaml:1:13 web\.tls\.key: missing, because web\.tls\.cert is given: TLS needs both/,
  );
  only("brain: {tls: {key: a.pem}}", /^relay\.yaml:1:15 brain\.tls\.cert: missing, because brain\.tls\.key is given/);
  const text = "nakurity-backend: {tls: {cert: tls/a.crt, key: /tls/a.key}}";
  const loaded = load({ file: { name: NAME, text }, folder: "/etc/relay" });
  check.equal(loaded.ok && loaded.settings["nakurity-backend"].tls, { cert: "/etc/relay/tls/a.crt", key: "/tls/a.key" });
});

test("SE13 the intercept proxy refuses a host that is not loopback", () => {
  only(
    "intercept-proxy: {enabled: true, host: 0.0.0.0}",
    /intercept-proxy\.host: 0\.0\.0\.0 is reachable from other machines/,
  );
  fine("intercept-proxy: {host: 0.0.0.0}");
});

test("CF17 an upstream that is one of the relay's own listeners is refused", () => {
  const loop =
    /nakurity-client\.url: .* is this relay's own nakurity-backend listener; change the URL, or nakurity-backend\.port/;
  for (const url of ["ws://127.0.0.1:8000", "ws://localhost:8000/neuro", "ws://[::1]:8000"]) {
    only(`nakurity-client: {url: '${url}'}`, loop);
  }
  only("nakurity-backend: {host: 0.0.0.0, open: true}\nnakurity-client: {url: 'ws://127.0.0.1:8000'}", loop);
  only("nakurity-client: {url: 'ws://127.0.0.1:8765'}", /own intermediary/);
  only("intercept-proxy: {enabled: true, upstream_url: 'ws://127.0.0.1:8767'}", /is the proxy itself/);
  fine("nakurity-client: {url: 'ws://127.0.0.1:8001'}");
  fine("nakurity-client: {url: 'ws://10.0.0.1:8000'}");
  fine("nakurity-backend: {enabled: false}\nnakurity-client: {url: 'ws://127.0.0.1:8000'}");
  only("intercept-proxy: {enabled: true, upstream_url: neuro}", /upstream_url: expected a URL such as ws:/);
  fine("intercept-proxy: {enabled: true}");
});

test("CF18 two listeners on one port are refused", () => {
  only("web: {port: 8765}", /^relay\.yaml:1:7 web\.port: port 8765 is already used by intermediary; choose another one/);
  only("web: {port: 8765, host: localhost}", /already/);
  only("web: {port: 8765, host: 0.0.0.0, token: own}", /already/);
  fine("web: {port: 8765, host: 10.0.0.1}");
  fine("web: {port: 8765, enabled: false}");
  fine("web: {port: 0}\nbrain: {port: 0}");
});

test("CF19 limits that contradict each other are refused", () => {
  only(
    "limits: {backlog_soft_bytes: 16MiB}",
    /limits\.backlog_soft_bytes: 16777216 exceeds limits\.backlog_hard_bytes, which is 8388608/,
  );
  only("queue: {retry: 2m}", /queue\.retry: .*exceeds queue\.retry_cap/);
  only("nakurity-client: {url: ws://a:1, backoff: {base: 1m}}", /nakurity-client\.backoff\.base: .*exceeds backoff\.cap/);
});

test("CF20 a queue on Cloudflare KV is refused with the reason and the alternative", () => {
  for (const name of ["cloudflare-kv", "cloudflare-kv-binding"]) {
    only(`queue: {backend: ${name}}`, /Cloudflare KV accepts one write per second .*use durable-object/);
  }
});

test("CF48 the host of a listener is an address or a name without a port", () => {
  for (
    const host of ["127.0.0.1", "::1", "'[::1]'", "localhost", "relay.example", "'::'", "0.0.0.0", "my-pc", "fe80::1%eth0"]
  ) {
    const loaded = load({ file: { name: NAME, text: `intermediary: {auth_token: own, host: ${host}}` } });
    check.that(loaded.ok, host);
  }
  for (const host of ["127.0.0.1:99", "localhost:80", "'[::1]:80'", "http://localhost", "'a b'", "''", "a/b", "-x"]) {
    only(
      `intermediary: {auth_token: own, host: ${host}}`,
      /intermediary\.host: expected an address or a host name without a port, got "/,
    );
  }
});

test("CF56 a queue.url that no Redis can have is refused, because the client would try it forever or use another database", () => {
  const block = (url: string) => `queue: {backend: redis, url: '${url}'}`;
  for (
    const url of [
      "http://127.0.0.1:6379",
      "127.0.0.1:6379",
      "localhost:6379/1",
      "redis://",
      "redis://h/abc",
      "redis://h/1/2",
      "",
    ]
  ) {
    only(block(url), /queue\.url: expected a URL such as redis:\/\//);
  }
  for (const url of ["redis://h", "redis://h/", "redis://:p@h:1/15", "rediss://u:p@h/0", "/run/redis.sock"]) {
    fine(block(url));
  }
});

test("CF49 the decider openai needs the URL of an API and a model", () => {
  const block = (openai: string) => `nakurity-backend: {decider: openai, openai: ${openai}}`;
  only(block("{model: m}"), /nakurity-backend\.openai\.url: expected a URL such as http/);
  only(block("{model: m, url: localhost:11434}"), /openai\.url: expected a URL/);
  only(block("{url: 'http://127.0.0.1:11434/v1'}"), /nakurity-backend\.openai\.model: expected the name of a model/);
  fine(block("{url: 'https://api.openai.com/v1', model: m}"));
});

test("CF50 a backend that the runtime lacks is refused; `kv` is the runtime's own; on Workers another backend is a warning", () => {
  const loaded = (backend: string, platform: "bun" | "deno" | "workers") =>
    load({ file: { name: NAME, text: `intermediary: {auth_token: own}\nqueue: {backend: ${backend}}` }, platform });
  const outcome = (backend: string, platform: "bun" | "deno" | "workers"): string => {
    const result = loaded(backend, platform);
    return result.ok ? [result.settings.queue.backend, ...result.warnings].join("; ") : result.errors.join("\n");
  };
  check.equal([outcome("kv", "deno"), outcome("kv", "workers"), outcome("deno-kv", "deno")], [
    "deno-kv",
    "durable-object",
    "deno-kv",
  ]);
  check.match(outcome("kv", "bun"), /:2:9 queue\.backend: kv is Deno's key-value store on Deno, .* on Bun use fs/);
  check.match(
    outcome("deno-kv", "bun"),
    /queue\.backend: deno-kv exists on Deno only, and this is Bun; use fs, sqlite or redis/,
  );
  check.match(outcome("durable-object", "deno"), /durable-object exists on Cloudflare Workers only, and this is Deno/);
  check.match(
    outcome("fs", "workers"),
    /queue\.backend is fs, but on Workers the queue is in the storage of the Durable Object/,
  );
  for (const backend of ["memory", "durable-object", "kv"]) check.that(!outcome(backend, "workers").includes(";"), backend);
});

test("CF52 a warning names each upstream to which several relays connect; a change of its `relays` needs a restart", () => {
  const loaded = (text: string) => {
    const result = load({ file: { name: NAME, text: `intermediary: {auth_token: own}\n${text}` } });
    if (!result.ok) throw new Error(result.errors.join("\n"));
    return result;
  };
  const upstream = (relays: string) => `nakurity-client: {url: 'ws://127.0.0.1:1', name: Show${relays}}`;
  const names = "relays: {names: [default, show-1]}";
  check.equal(loaded(`${upstream("")}`).warnings, []);
  check.equal(loaded(`${names}\n${upstream(", relays: [show-1]")}`).warnings, []);
  check.equal(loaded(names).warnings, []);
  check.equal(loaded(`${names}\n${upstream("")}`).warnings, [
    'relays.names allows several relays, and each of them connects to the upstream neuro as "Show"; list those that should in its ' +
    "setting `relays`",
  ]);
  const reloaded = mergeReloaded(loaded(upstream("")).settings, loaded(upstream(", relays: [default]")).settings);
  check.equal(reloaded.needsRestart, ["nakurity-clients"]);
  check.equal(reloaded.settings["nakurity-clients"][0]?.relays, ["*"]);
});
