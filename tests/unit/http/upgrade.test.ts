/** Who may open a socket, where. */
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { check } from "../../harness/check.ts";
import { AppFixture } from "./app-fixture.ts";

const FOREIGN = { headers: { origin: "https://evil.example" } };
const SOCKET_PORTS = ["intermediary", "neuro", "brain"] as const;

test("SE1 a page of a foreign origin opens no socket, and the log names security.allowed_origins", async () => {
  const app = new AppFixture();
  for (const port of SOCKET_PORTS) check.equal(await app.upgradeStatus(port, "/", FOREIGN), 403);
  check.equal(await app.upgradeStatus("web", "/neuro", FOREIGN), 403);
  check.equal(app.refusals().length, 4);
  for (const reason of app.refusals()) check.match(reason, /"https:\/\/evil\.example".*security\.allowed_origins/);
  check.equal(app.upgrades, []);
});

test("SE1b a listed origin is accepted, in any letter case", async () => {
  const app = new AppFixture({ security: { allowed_origins: ["https://Evil.example"] } });
  for (const port of SOCKET_PORTS) check.equal(await app.upgradeStatus(port, "/", FOREIGN), 101);
});

test("SE1b clients without an origin, and loopback pages, are accepted on the socket ports", async () => {
  const app = new AppFixture();
  for (const port of SOCKET_PORTS) {
    check.equal(await app.upgradeStatus(port, "/"), 101);
    for (const origin of ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:80"]) {
      check.equal(await app.upgradeStatus(port, "/", { headers: { origin } }), 101, `${port} ${origin}`);
    }
  }
});

test("SE2 the origin `null`, and origins that only resemble loopback, are foreign unless listed", async () => {
  const app = new AppFixture();
  for (const origin of ["null", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "file://", "x"]) {
    check.equal(await app.upgradeStatus("neuro", "/", { headers: { origin } }), 403, origin);
  }
  const lenient = new AppFixture({ security: { allowed_origins: ["file://"] } });
  check.equal(await lenient.upgradeStatus("neuro", "/", { headers: { origin: "file://" } }), 101);
});

test("SE2b a page whose origin `null` is listed is never local: each listener accepts it only with a token of its own", async () => {
  const security = { allowed_origins: ["null"] };
  const headers = { origin: "null" };
  const published = new AppFixture({ security });
  const own = new AppFixture({
    security,
    intermediary: { auth_token: "own" },
    "nakurity-backend": { token: "own" },
    brain: { token: "own" },
  });
  const open = new AppFixture({ security, "nakurity-backend": { open: true } });
  for (const port of SOCKET_PORTS) {
    check.equal(await published.upgradeStatus(port, "/", { headers }), 403, port);
    check.equal(await own.upgradeStatus(port, "/?token=own", { headers }), 101, port);
    check.equal(await own.upgradeStatus("web", `/${port}?token=own`, { headers }), 101, port);
  }
  const proxied = new AppFixture({ security, "intercept-proxy": { enabled: true } }, ["proxy"]);
  check.equal(await proxied.upgradeStatus("proxy", "/"), 101);
  check.equal(await proxied.upgradeStatus("proxy", "/", { headers }), 403);
  check.equal(await open.upgradeStatus("neuro", "/", { headers }), 101);
});

test("SE3b a socket port does not trust a page because its origin equals the host", async () => {
  const app = new AppFixture();
  const rebound = { headers: { host: "evil.example:8000", origin: "http://evil.example:8000" } };
  check.equal(await app.upgradeStatus("neuro", "/", rebound), 403);
});

test("SE5 a token comes in the query or before the path, and the service sees the path without it", async () => {
  const app = new AppFixture({ "nakurity-backend": { token: "s3cret/+" } });
  const encoded = encodeURIComponent("s3cret/+");
  check.equal(await app.upgradeStatus("neuro", `/game/Chess?token=${encoded}&x=1`), 101);
  check.equal(await app.upgradeStatus("neuro", `/t/${encoded}/game/Chess`), 101);
  check.equal(await app.upgradeStatus("neuro", `/t/${encoded}`), 101);
  check.equal(await app.upgradeStatus("web", `/neuro/t/${encoded}/game/Chess`), 101);
  check.equal(await app.upgradeStatus("web", `/t/${encoded}/neuro/game/Chess`), 101);
  const paths = app.upgrades.map(({ connection }) => connection.path);
  check.equal(paths, ["/game/Chess", "/game/Chess", "/", "/game/Chess", "/game/Chess"]);
});

test("SE5b a missing or wrong token is refused with 401, and no token is logged", async () => {
  for (const [listener, block] of [["neuro", "nakurity-backend"], ["brain", "brain"]] as const) {
    const app = new AppFixture({ [block]: { token: "s3cret", open: true } });
    check.equal(await app.upgradeStatus(listener, "/"), 401);
    check.equal(await app.upgradeStatus(listener, "/t/wr0ng/x"), 401);
    check.equal(await app.upgradeStatus(listener, "/?token=wr0ng"), 401);
    check.equal(await app.upgradeStatus("web", `/${listener}?token=wr0ng`), 401);
    check.equal(await app.upgradeStatus(listener, "/?token=s3cret"), 101);
    check.that(!JSON.stringify(app.observations).includes("wr0ng"));
    check.equal(
      app.observations.map((observation) => (observation.is === "greeting_refused" ? observation.fault : "")),
      Array(4).fill("badToken"),
    );
  }
});

test("SE9 a listener without a token, or with the published one, accepts this machine only", async () => {
  const elsewhere = { address: "192.168.1.20" };
  const app = new AppFixture();
  for (const port of SOCKET_PORTS) {
    check.equal(await app.upgradeStatus(port, "/", elsewhere), 403, port);
    check.equal(await app.upgradeStatus("web", `/${port}`, elsewhere), 403, port);
    check.equal(await app.upgradeStatus(port, "/", { address: "::ffff:127.0.0.1" }), 101, port);
  }
  check.match(app.refusals().join("\n"), /intermediary\.auth_token[^]*nakurity-backend\.token[^]*brain\.token/);
  const open = new AppFixture({
    "nakurity-backend": { open: true },
    brain: { open: true },
    intermediary: { auth_token: "a strong one" },
  });
  for (const port of SOCKET_PORTS) check.equal(await open.upgradeStatus(port, "/", elsewhere), 101, port);
  const half = new AppFixture({
    intermediary: { auth_token: "a strong one" },
    "dependency-authentication": { "neuro-os": { auth_token: PUBLISHED_TOKEN } },
  });
  check.equal(await half.upgradeStatus("intermediary", "/", elsewhere), 403);
});

test("SE13 the intercept proxy accepts this machine only, on its own port", async () => {
  const app = new AppFixture({ "intercept-proxy": { enabled: true } }, ["neuro", "proxy"]);
  check.equal(await app.upgradeStatus("proxy", "/game/x/voice"), 101);
  check.equal(app.upgrades.map(({ entrance }) => entrance), ["proxy"]);
  check.equal(await app.upgradeStatus("proxy", "/", { address: "192.168.1.20" }), 403);
  check.equal(await app.upgradeStatus("web", "/proxy"), 404);
});

test("SE10 behind a trusted proxy the forwarded address counts, on the web port only", async () => {
  const forwarded = (list: string) => ({ headers: { "x-forwarded-for": list } });
  const app = new AppFixture({ web: { trusted_proxies: ["127.0.0.1", "10.0.0.1"] } });
  check.equal(await app.upgradeStatus("web", "/neuro", forwarded("127.0.0.9, 203.0.113.7, 10.0.0.1")), 403);
  check.equal(await app.upgradeStatus("web", "/neuro", { ...forwarded("127.0.0.9"), address: "203.0.113.7" }), 403);
  check.equal(app.observations.map((observation) => (observation.is === "greeting_refused" ? observation.address : "")), [
    "203.0.113.7",
    "203.0.113.7",
  ]);
  check.equal(await app.upgradeStatus("neuro", "/", { ...forwarded("127.0.0.9"), address: "203.0.113.7" }), 403);
});

test("SE10d a caller from loopback is not local if a proxy that is not listed forwards it, or if it names a foreign host", async () => {
  const app = new AppFixture({ web: { hosts: ["relay.example"] } });
  const foreign: Readonly<Record<string, string>>[] = [
    ...["127.0.0.1", "203.0.113.7", ""].map((address) => ({ "x-forwarded-for": address })),
    { "x-forwarded-host": "127.0.0.1" },
    { "x-forwarded-proto": "https" },
    { "x-real-ip": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
    { via: "1.1 proxy" },
    { host: "relay.example" },
    { host: "203.0.113.7:8000" },
  ];
  for (const headers of foreign) {
    for (const [port, path] of [["neuro", "/"], ["brain", "/"], ["intermediary", "/"], ["web", "/neuro"]] as const) {
      check.equal(await app.upgradeStatus(port, path, { headers }), 403, `${port} ${JSON.stringify(headers)}`);
    }
  }
  const addresses = app.observations.map((
    observation,
  ) => (observation.is === "greeting_refused" ? observation.address : ""));
  check.equal([...new Set(addresses)], ["unknown"]);
  for (const host of ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "game.localhost"]) {
    check.equal(await app.upgradeStatus("neuro", "/", { headers: { host } }), 101, host);
  }
});

test("SE10b behind a trusted proxy a client that the proxy does not name is not local", async () => {
  const app = new AppFixture({ web: { trusted_proxies: ["127.0.0.1", "10.0.0.1"], neuro_os_page: true } });
  app.replyBody = { items: [], next: null };
  for (const list of [undefined, "", " , ", "127.0.0.1", "10.0.0.1, 127.0.0.1", "::ffff:127.0.0.1"]) {
    const headers = list === undefined ? {} : { "x-forwarded-for": list };
    check.equal(await app.upgradeStatus("web", "/neuro", { headers }), 403, String(list));
    check.equal((await app.fetch("web", "/api/relay/stats", { headers })).status, 401, String(list));
  }
  const named = new AppFixture({ web: { trusted_proxies: ["10.0.0.1"] } });
  const local = { address: "10.0.0.1", headers: { "x-forwarded-for": "127.0.0.1" } };
  check.equal(await named.upgradeStatus("web", "/neuro", local), 101, "local, because the proxy says so");
});

test("SE10c behind a trusted proxy both host names must be accepted", async () => {
  const app = new AppFixture({ web: { trusted_proxies: ["127.0.0.1"], hosts: ["relay.example"] } });
  const status = async (host: string, forwarded: string) =>
    (await app.fetch("web", "/health", { headers: { host, "x-forwarded-host": forwarded } })).status;
  check.equal(await status("127.0.0.1:8766", "relay.example"), 200);
  check.equal(await status("evil.example:8766", "127.0.0.1:8766"), 421);
  check.equal(await status("127.0.0.1:8766", "evil.example"), 421);
});

test("RT10 the game port accepts every path and any letter case of the upgrade header", async () => {
  const app = new AppFixture();
  for (const path of ["/", "//", "/ws/v1?x=1&y", "/%zz", "/health", "/t", "/t/"]) {
    check.equal(await app.upgradeStatus("neuro", path), 101, path);
  }
  check.equal(await app.upgradeStatus("neuro", "/", { headers: { upgrade: "WebSocket" } }), 101);
});

test("RT11 a plain request on a socket port gets a one-sentence hint", async () => {
  const app = new AppFixture();
  for (const port of SOCKET_PORTS) {
    const response = await app.fetch(port, "/any/path");
    check.equal(response.status, 426);
    check.equal(response.headers.get("upgrade"), "websocket");
    check.match(await response.text(), /^This is .*WebSocket.*\.\n$/);
  }
  check.equal((await app.fetch("web", "/brain")).status, 426);
});

test("RT12 a game in a browser gets the relay's WebSocket URL from its page's origin, with the token of the request", async () => {
  const app = new AppFixture({ "nakurity-backend": { token: "s3cret" } });
  const named = { headers: { host: "relay.local:8000", origin: "https://game.example" } };
  const plain = await app.fetch("neuro", "/$env/NEURO_SDK_WS_URL", named);
  check.equal(await plain.text(), "ws://relay.local:8000/");
  check.equal(plain.headers.get("access-control-allow-origin"), "*");
  check.match(plain.headers.get("content-type") ?? "", /^text\/plain/);
  const below = await app.fetch("neuro", "/t/s3cret/$env/NEURO_SDK_WS_URL", named);
  check.equal(await below.text(), "ws://relay.local:8000/t/s3cret/");
  const odd = await app.fetch("neuro", "/$env/NEURO_SDK_WS_URL", { headers: { host: "a<b>" } });
  check.equal(await odd.text(), "ws://127.0.0.1:9999/");
  check.equal((await app.fetch("neuro", "/$env/NEURO_SDK_WS_URL", { ...named, method: "OPTIONS" })).status, 204);
});

test("RT13 the voice channel of a game reaches no service", async () => {
  const app = new AppFixture();
  await app.upgradeStatus("neuro", "/game/My%20Game/voice");
  await app.upgradeStatus("web", "/neuro/game/Chess/voice");
  await app.upgradeStatus("neuro", "/game/voice");
  check.equal(app.upgrades.map(({ entrance }) => entrance), ["voice", "voice", "neuro"]);
});

test("RT14 during shutdown upgrades are refused with Retry-After", async () => {
  const app = new AppFixture();
  app.isDraining = true;
  const response = await app.fetch("neuro", "/", { upgrade: true });
  check.equal([response.status, response.headers.get("retry-after")], [503, "5"]);
});
