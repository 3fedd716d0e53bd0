/** Pages of other origins, names that were bound to this address, and callers without a token: at every listener and every route. */
import { test } from "#runner";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import type { PortName } from "../../../src/http/app.ts";
import { check } from "../../harness/check.ts";
import { AppFixture, type RequestOptions, WEB_TOKEN } from "./app-fixture.ts";

const PORT = 8766;
const SOCKET_PORTS: readonly PortName[] = ["intermediary", "neuro", "brain", "proxy"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** All listeners that can be open, and the routes of the page that asks without a token. */
const CHANGES = { web: { neuro_os_page: true, metrics: "open" }, "intercept-proxy": { enabled: true } } as const;
const SERVICES = ["intermediary", "neuro", "brain", "proxy", "nallely"] as const;

/** Pages that may not use the web port at `127.0.0.1:8766`. */
const FOREIGN_ORIGINS = [
  "https://evil.example",
  "http://evil.example:8766",
  "null",
  "file://",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://abc",
  "http://127.0.0.1",
  "http://127.0.0.1:8765",
  "http://127.0.0.1:8766/page",
  "http://evil.example@127.0.0.1:8766",
  "http://localhost:8766",
  "http://[::1]:8766",
  "http://[::ffff:127.0.0.1]:8766",
  "http://127.0.0.1.evil.example:8766",
  "http://127.0.0.1:8766@evil.example",
  "http://127.0.0.1:8766.evil.example",
  "http://127.0.0.1:8766, http://evil.example",
  "data:text/html,x",
  "about:blank",
  "x",
];

/** Host names that a third party may have bound to this address. */
const FOREIGN_HOSTS = [
  "evil.example",
  "evil.example:8766",
  "localhost.evil.example:8766",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io:8766",
  "evil-localhost:8766",
  "localhost.:8766",
  "localhost@evil.example",
  "evil.example@localhost",
  "evil.example/localhost",
  "localhost\\@evil.example",
  "xn--lcalhost-jqf:8766",
  "[::1].evil.example",
  "[::1]evil.example:8766",
  "127.0.0.1, evil.example",
  "localhost, evil.example",
  "localhost evil.example",
  ":8766",
  "",
];

/** Each path with its methods, with example values for its parameters. */
function routesOf(app: AppFixture): readonly (readonly [path: string, method: string])[] {
  const filled = (path: string) => path.replaceAll(/\{[^}]+\}|:[a-z]+/g, "some-0.bin").replaceAll("*", "relay/stats");
  const own = app.paths.flatMap((path) => METHODS.map((method) => [filled(path), method] as const));
  const operations = OPERATIONS.flatMap(({ path }) => METHODS.map((method) => [filled(path), method] as const));
  const others = ["/", "/nothing", "/api/openapi.json", "/api/relay/inject_message", "/api/relay/messages"];
  return [...own, ...operations, ...others.flatMap((path) => METHODS.map((method) => [path, method] as const))];
}

const listeners = [
  "/intermediary",
  "/neuro",
  "/brain",
  "/neuro/game/Chess/voice",
  "/neuro/t/x/game/y",
  "/intermediary/t/x",
];

function harness(changes = {}): AppFixture {
  // Why no limit of requests: under a foreign host name not even this machine is local.
  const app = new AppFixture({ limits: { requests_per_second: 0 }, ...CHANGES, ...changes }, SERVICES);
  app.files.set("some-0.bin", new TextEncoder().encode("CANARY file"));
  return app;
}

/** With a valid token: the page's origin is refused, not the token. */
const asked = (method: string, headers: Record<string, string>): RequestOptions => ({
  method,
  headers: { host: `127.0.0.1:${PORT}`, authorization: `Bearer ${WEB_TOKEN}`, ...headers },
  ...(/^(?:POST|PUT|PATCH)$/.test(method) && { body: "{}" }),
});

test("SE15 a page of a foreign origin gets only refusals from every route of the web port, whatever its token", async () => {
  const app = harness();
  const routes = routesOf(app);
  check.that(routes.length > 200, `only ${routes.length} routes`);
  for (const origin of FOREIGN_ORIGINS) {
    for (const [path, method] of routes) {
      const response = await app.fetch("web", path, asked(method, { origin }));
      check.equal(response.status, 403, `${method} ${path} from ${origin}`);
      check.equal(response.headers.get("access-control-allow-origin"), null);
      check.that(!(await response.text()).includes("CANARY file"));
    }
  }
  check.equal([app.portCalls, app.upgrades.length], [0, 0], "nobody was asked, and nothing was read");
});

test("SE15 a page of a foreign origin opens no socket on the web port", async () => {
  const app = harness();
  for (const origin of FOREIGN_ORIGINS) {
    for (const listener of listeners) {
      const path = `${listener}?token=${WEB_TOKEN}`;
      check.equal(await app.upgradeStatus("web", path, asked("GET", { origin })), 403, `${listener} from ${origin}`);
    }
  }
  check.equal(app.upgrades, []);
});

test("SE15 under a foreign host name no route and no socket of the web port can be reached", async () => {
  const app = harness();
  for (const host of FOREIGN_HOSTS) {
    // Why three: a page that was rebound is its own origin, and for what a page merely shows a browser names none.
    for (const more of [{}, { origin: `http://${host}` }, { origin: `http://127.0.0.1:${PORT}` }]) {
      for (const [path, method] of routesOf(app)) {
        const { status } = await app.fetch("web", path, asked(method, { ...more, host }));
        check.equal(status, 421, `${method} ${path} as ${host}`);
      }
      for (const listener of listeners) {
        check.equal(await app.upgradeStatus("web", listener, asked("GET", { ...more, host })), 421, host);
      }
    }
  }
  check.equal([app.portCalls, app.upgrades.length], [0, 0]);
});

test("SE15 forwarding headers of untrusted clients change neither host nor origin", async () => {
  const app = harness();
  const lies = { "x-forwarded-host": `127.0.0.1:${PORT}`, forwarded: "host=localhost", "x-forwarded-for": "127.0.0.1" };
  check.equal((await app.fetch("web", "/health", asked("GET", { ...lies, host: "evil.example" }))).status, 421);
  const origin = "https://evil.example";
  check.equal(
    (await app.fetch("web", "/health", asked("GET", { "x-forwarded-host": "evil.example", origin }))).status,
    403,
  );
});

test("SE15 the web port's own page, addresses and loopback names are accepted", async () => {
  const app = harness();
  for (
    const host of ["127.0.0.1:8766", "localhost:8766", "LOCALHOST:8766", "relay.localhost:8766", "[::1]:8766", "[::1]"]
  ) {
    const origin = `http://${host.toLowerCase()}`;
    check.equal((await app.fetch("web", "/health", asked("GET", { host, origin }))).status, 200, host);
    check.equal(await app.upgradeStatus("web", "/intermediary", asked("GET", { host, origin })), 101, host);
  }
  const listed = harness({ security: { allowed_origins: ["https://overlay.example"] } });
  check.equal(await listed.upgradeStatus("web", "/brain", asked("GET", { origin: "https://overlay.example" })), 101);
});

test("SE15 on the socket ports a page of another machine, or with a rebound host name, opens nothing", async () => {
  const app = harness();
  const isOurs = (origin: string) =>
    /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]|\[::ffff:127\.0\.0\.1\])(?::\d+)?$/.test(origin);
  const foreign = FOREIGN_ORIGINS.filter((origin) => !isOurs(origin));
  check.that(foreign.length >= 12);
  for (const port of SOCKET_PORTS) {
    for (const origin of [...foreign, ...FOREIGN_HOSTS.filter((host) => host !== "").map((host) => `http://${host}`)]) {
      for (const host of ["127.0.0.1:8000", "evil.example:8000"]) {
        const status = await app.upgradeStatus(port, "/game/Chess", { headers: { origin, host } });
        check.that(status === 403, `${port} from ${origin} as ${host}: ${status}`);
      }
    }
  }
  check.equal(app.upgrades, []);
});

test("SE16 without a token only a status, a version and content that every relay has are revealed", async () => {
  const app = harness({ web: { metrics: "token", neuro_os_page: false } });
  app.replyBody = { ok: true, reasons: ["CANARY reason"], items: ["CANARY item"] };
  const other = new AppFixture({}, SERVICES);
  for (const [path, method] of routesOf(app)) {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic eDp4" }]) {
      const how = { method, headers, ...(/^(?:POST|PUT|PATCH)$/.test(method) && { body: "{}" }) };
      const response = await app.fetch("web", path, how);
      const text = await response.text();
      check.that(!/CANARY/.test(text), `${method} ${path}: ${text.slice(0, 200)}`);
      if (response.ok && /^\/(?:health|ready)$/.test(path) && method === "GET") {
        check.equal(Object.keys(JSON.parse(text)), ["status", "version"], path);
      } else if (response.ok) {
        // Why: content that is the same in every relay of this version is not secret.
        check.equal(text, await (await other.fetch("web", path, how)).text(), `${method} ${path}`);
      } else check.that([401, 404, 405].includes(response.status), `${method} ${path}: ${response.status}`);
    }
  }
});

test("SE16 a plain request on a socket port gets only the listener's hint, whatever its path", async () => {
  const app = harness();
  for (const port of SOCKET_PORTS) {
    for (const path of ["/", "/health", "/uploads/some-0.bin", "/api/integrations", "/metrics", "/../etc/passwd"]) {
      const response = await app.fetch(port, path, { headers: { authorization: `Bearer ${WEB_TOKEN}` } });
      check.equal(response.status, 426, `${port} ${path}`);
      check.match(await response.text(), /^This is [^\n]*\n$/);
    }
  }
  check.equal(app.portCalls, 0);
});
