/** Who may open a socket, where. */
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { check } from "../../harness/check.ts";
import { AppStage } from "./app-stage.ts";

const FOREIGN = { headers: { origin: "https://evil.example" } };
const SOCKET_PORTS = ["intermediary", "neuro", "brain"] as const;

test("SE1 a page of a foreign origin opens no socket, and the log names the setting that would allow it", async () => {
  const app = new AppStage();
  for (const port of SOCKET_PORTS) check.equal(await app.knock(port, "/", FOREIGN), 403);
  check.equal(await app.knock("web", "/neuro", FOREIGN), 403);
  check.equal(app.refusals().length, 4);
  for (const reason of app.refusals()) check.match(reason, /"https:\/\/evil\.example".*security\.allowed_origins/);
  check.equal(app.upgrades, []);
});

test("SE1 a listed origin is let in, whatever its letters' case", async () => {
  const app = new AppStage({ security: { allowed_origins: ["https://Evil.example"] } });
  for (const port of SOCKET_PORTS) check.equal(await app.knock(port, "/", FOREIGN), 101);
});

test("SE1 programs, which send no origin, and pages of this machine are let in on the socket ports", async () => {
  const app = new AppStage();
  for (const port of SOCKET_PORTS) {
    check.equal(await app.knock(port, "/"), 101);
    for (const origin of ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:80"]) {
      check.equal(await app.knock(port, "/", { headers: { origin } }), 101, `${port} ${origin}`);
    }
  }
});

test("SE2 the origin `null`, and what only looks like this machine, are foreign until they are listed", async () => {
  const app = new AppStage();
  for (const origin of ["null", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "file://", "x"]) {
    check.equal(await app.knock("neuro", "/", { headers: { origin } }), 403, origin);
  }
  const lenient = new AppStage({ security: { allowed_origins: ["null"] } });
  check.equal(await lenient.knock("neuro", "/", { headers: { origin: "null" } }), 101);
});

test("SE3 on a socket port a page is not trusted for having the name by which it called", async () => {
  const app = new AppStage();
  const rebound = { headers: { host: "evil.example:8000", origin: "http://evil.example:8000" } };
  check.equal(await app.knock("neuro", "/", rebound), 403);
});

test("SE5 a game's token comes in the query or before the path, and the room sees the path without it", async () => {
  const app = new AppStage({ "nakurity-backend": { token: "s3cret/+" } });
  const encoded = encodeURIComponent("s3cret/+");
  check.equal(await app.knock("neuro", `/game/Chess?token=${encoded}&x=1`), 101);
  check.equal(await app.knock("neuro", `/t/${encoded}/game/Chess`), 101);
  check.equal(await app.knock("neuro", `/t/${encoded}`), 101);
  check.equal(await app.knock("web", `/neuro/t/${encoded}/game/Chess`), 101);
  check.equal(await app.knock("web", `/t/${encoded}/neuro/game/Chess`), 101);
  const paths = app.upgrades.map(({ connection }) => connection.path);
  check.equal(paths, ["/game/Chess", "/game/Chess", "/", "/game/Chess", "/game/Chess"]);
});

test("SE5 without the token, or with another, a game is refused with 401 and no token is noted", async () => {
  for (const [listener, block] of [["neuro", "nakurity-backend"], ["brain", "brain"]] as const) {
    const app = new AppStage({ [block]: { token: "s3cret", open: true } });
    check.equal(await app.knock(listener, "/"), 401);
    check.equal(await app.knock(listener, "/t/wr0ng/x"), 401);
    check.equal(await app.knock(listener, "/?token=wr0ng"), 401);
    check.equal(await app.knock("web", `/${listener}?token=wr0ng`), 401);
    check.equal(await app.knock(listener, "/?token=s3cret"), 101);
    check.that(!JSON.stringify(app.observations).includes("wr0ng"));
    check.equal(
      app.observations.map((observation) => (observation.is === "greeting_refused" ? observation.fault : "")),
      Array(4).fill("badToken"),
    );
  }
});

test("SE9 a door without a token, or with the published one, is for this machine only", async () => {
  const elsewhere = { address: "192.168.1.20" };
  const app = new AppStage();
  for (const port of SOCKET_PORTS) {
    check.equal(await app.knock(port, "/", elsewhere), 403, port);
    check.equal(await app.knock("web", `/${port}`, elsewhere), 403, port);
    check.equal(await app.knock(port, "/", { address: "::ffff:127.0.0.1" }), 101, port);
  }
  check.match(app.refusals().join("\n"), /intermediary\.auth_token[^]*nakurity-backend\.token[^]*brain\.token/);
  const open = new AppStage({
    "nakurity-backend": { open: true },
    brain: { open: true },
    intermediary: { auth_token: "a strong one" },
  });
  for (const port of SOCKET_PORTS) check.equal(await open.knock(port, "/", elsewhere), 101, port);
  const half = new AppStage({
    intermediary: { auth_token: "a strong one" },
    "dependency-authentication": { "neuro-os": { auth_token: PUBLISHED_TOKEN } },
  });
  check.equal(await half.knock("intermediary", "/", elsewhere), 403);
});

test("SE13 the intercept proxy is open to this machine only, by its own port", async () => {
  const app = new AppStage({ "intercept-proxy": { enabled: true } }, ["neuro", "proxy"]);
  check.equal(await app.knock("proxy", "/game/x/voice"), 101);
  check.equal(app.upgrades.map(({ entrance }) => entrance), ["proxy"]);
  check.equal(await app.knock("proxy", "/", { address: "192.168.1.20" }), 403);
  check.equal(await app.knock("web", "/proxy"), 404);
});

test("SE10 behind a trusted proxy the caller's own address counts, and nobody else is believed about theirs", async () => {
  const forwarded = (list: string) => ({ headers: { "x-forwarded-for": list } });
  const app = new AppStage({ web: { trusted_proxies: ["127.0.0.1", "10.0.0.1"] } });
  check.equal(await app.knock("web", "/neuro", forwarded("127.0.0.9, 203.0.113.7, 10.0.0.1")), 403);
  check.equal(await app.knock("web", "/neuro", { ...forwarded("127.0.0.9"), address: "203.0.113.7" }), 403);
  check.equal(app.observations.map((observation) => (observation.is === "greeting_refused" ? observation.address : "")), [
    "203.0.113.7",
    "203.0.113.7",
  ]);
  check.equal(await app.knock("neuro", "/", forwarded("203.0.113.7")), 101);
  check.equal(app.upgrades[0]?.connection.address, "127.0.0.1");
});

test("RT10 the game port takes every path and any letters' case of the upgrade", async () => {
  const app = new AppStage();
  for (const path of ["/", "//", "/ws/v1?x=1&y", "/%zz", "/health", "/t", "/t/"]) {
    check.equal(await app.knock("neuro", path), 101, path);
  }
  check.equal(await app.knock("neuro", "/", { headers: { upgrade: "WebSocket" } }), 101);
});

test("RT11 a plain request on a socket port is told in one sentence what this is", async () => {
  const app = new AppStage();
  for (const port of SOCKET_PORTS) {
    const response = await app.ask(port, "/any/path");
    check.equal(response.status, 426);
    check.equal(response.headers.get("upgrade"), "websocket");
    check.match(await response.text(), /^This is .*WebSocket.*\.\n$/);
  }
  check.equal((await app.ask("web", "/brain")).status, 426);
});

test("RT12 a game in a browser learns where Neuro is from the page's origin, with the token it gave", async () => {
  const app = new AppStage({ "nakurity-backend": { token: "s3cret" } });
  const named = { headers: { host: "relay.local:8000", origin: "https://game.example" } };
  const plain = await app.ask("neuro", "/$env/NEURO_SDK_WS_URL", named);
  check.equal(await plain.text(), "ws://relay.local:8000/");
  check.equal(plain.headers.get("access-control-allow-origin"), "*");
  check.match(plain.headers.get("content-type") ?? "", /^text\/plain/);
  const below = await app.ask("neuro", "/t/s3cret/$env/NEURO_SDK_WS_URL", named);
  check.equal(await below.text(), "ws://relay.local:8000/t/s3cret/");
  const odd = await app.ask("neuro", "/$env/NEURO_SDK_WS_URL", { headers: { host: "a<b>" } });
  check.equal(await odd.text(), "ws://127.0.0.1:9999/");
  check.equal((await app.ask("neuro", "/$env/NEURO_SDK_WS_URL", { ...named, method: "OPTIONS" })).status, 204);
});

test("RT13 the voice channel of a game leads to no room", async () => {
  const app = new AppStage();
  await app.knock("neuro", "/game/My%20Game/voice");
  await app.knock("web", "/neuro/game/Chess/voice");
  await app.knock("neuro", "/game/voice");
  check.equal(app.upgrades.map(({ entrance }) => entrance), ["voice", "voice", "neuro"]);
});

test("RT14 while it stops, the relay lets nobody in and says when to come back", async () => {
  const app = new AppStage();
  app.isDraining = true;
  const response = await app.ask("neuro", "/", { upgrade: true });
  check.equal([response.status, response.headers.get("retry-after")], [503, "5"]);
});
