/** What the web port shows, and to whom. */
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { Tokens } from "../../../src/http/app.ts";
import { check } from "../../harness/check.ts";
import { AppStage, bearer, settingsWith, WEB_TOKEN } from "./app-stage.ts";

test("SE3 the web port answers to no name but addresses, this machine's and listed ones", async () => {
  const app = new AppStage({ web: { hosts: ["relay.example"], host: "studio-pc" } });
  for (const host of ["evil.example:8766", "localhost.evil.example", "user@localhost", "localhost/x", ""]) {
    check.equal((await app.ask("web", "/health", { headers: { host } })).status, 421, host);
  }
  check.match(app.refusals()[0] ?? "", /"evil\.example:8766".*web\.hosts/);
  for (const host of ["localhost:8766", "127.0.0.1", "[::1]:8766", "192.168.1.5:8766", "Relay.example", "studio-pc:1"]) {
    check.equal((await app.ask("web", "/health", { headers: { host } })).status, 200, host);
  }
});

test("SE4 the web port takes requests of its own origin only, also from pages of this machine", async () => {
  const app = new AppStage();
  const status = async (origin: string, host = "localhost:8766") =>
    (await app.ask("web", "/health", { headers: { origin, host } })).status;
  check.equal(await status("http://localhost:8766"), 200);
  check.equal(await status("http://localhost", "localhost:80"), 200);
  for (const origin of ["http://localhost:8000", "http://127.0.0.1:8766", "https://evil.example", "null"]) {
    check.equal(await status(origin), 403, origin);
  }
  check.equal(
    await app.knock("web", "/intermediary", { headers: { origin: "http://localhost:1", host: "localhost:2" } }),
    403,
  );
});

test("SE4 behind a trusted proxy the origin is that of the page the proxy serves", async () => {
  const proxied = (address: string) => ({
    address,
    headers: { origin: "https://relay.example", host: "127.0.0.1:8766", "x-forwarded-host": "relay.example" },
  });
  const app = new AppStage({ web: { trusted_proxies: ["10.0.0.1"], hosts: ["relay.example"] } });
  check.equal((await app.ask("web", "/health", proxied("10.0.0.1"))).status, 200);
  check.equal((await app.ask("web", "/health", proxied("10.0.0.2"))).status, 403);
});

test("SE6 without a token health and readiness are a status code and the version", async () => {
  const app = new AppStage();
  check.equal(await (await app.ask("web", "/health")).json(), { status: "ok", version: "1.2.3" });
  check.equal(await (await app.ask("web", "/ready")).json(), { status: "ready", version: "1.2.3" });
  app.answers = { ok: false, waits: ["Neuro at ws://secret.example"] };
  const closed = await app.ask("web", "/ready", bearer("wrong"));
  check.equal([closed.status, await closed.json()], [503, { status: "not ready", version: "1.2.3" }]);
});

test("SE6 who may watch is told what is waited for", async () => {
  const app = new AppStage({}, ["intermediary", "neuro"]);
  app.answers = { ok: false, waits: ["Neuro"] };
  const seen = await (await app.ask("web", "/ready", bearer(WEB_TOKEN))).json();
  check.equal(seen, { status: "not ready", version: "1.2.3", waits: ["intermediary: Neuro", "neuro: Neuro"] });
  app.answers = { ok: true, waits: [] };
  app.isDraining = true;
  const stopping = await app.ask("web", "/ready", bearer(WEB_TOKEN));
  check.equal(
    [stopping.status, await stopping.json()],
    [503, { status: "not ready", version: "1.2.3", waits: ["the relay is stopping"] }],
  );
});

test("SE7 metrics are for who may watch, or for all when they are open", async () => {
  const app = new AppStage();
  const closed = await app.ask("web", "/metrics");
  check.equal([closed.status, closed.headers.get("www-authenticate")], [401, "Bearer"]);
  const seen = await app.ask("web", "/metrics", bearer(WEB_TOKEN));
  check.equal([seen.status, await seen.text()], [200, "some_total 1\n"]);
  check.match(seen.headers.get("content-type") ?? "", /version=0\.0\.4/);
  const open = new AppStage({ web: { metrics: "open" } });
  check.equal((await open.ask("web", "/metrics")).status, 200);
});

test("SE8 an upload is fetched with a token, as a file that no browser will show", async () => {
  const app = new AppStage();
  app.files.set("0123-abc.bin", new TextEncoder().encode("<script>"));
  check.equal((await app.ask("web", "/uploads/0123-abc.bin")).status, 401);
  for (
    const response of [
      await app.ask("web", "/uploads/0123-abc.bin", bearer(WEB_TOKEN)),
      await app.ask("web", `/uploads/0123-abc.bin?token=${WEB_TOKEN}`),
    ]
  ) {
    check.equal(await response.text(), "<script>");
    const { headers } = response;
    check.equal(headers.get("content-type"), "application/octet-stream");
    check.equal(headers.get("content-disposition"), 'attachment; filename="0123-abc.bin"');
    check.equal(headers.get("x-content-type-options"), "nosniff");
    check.match(headers.get("content-security-policy") ?? "", /sandbox/);
  }
});

test("SE8 a name that the relay did not make reaches no file", async () => {
  const app = new AppStage();
  app.files.set("../x", new Uint8Array(1));
  for (const path of ["/uploads/..%2fx", "/uploads/%2e%2e%2fx", "/uploads/.hidden", "/uploads/a%00b", "/uploads/none"]) {
    check.equal((await app.ask("web", path, bearer(WEB_TOKEN))).status, 404, path);
  }
});

test("SE11 a token has the names and scopes of all tokens equal to it, and an empty one has none", () => {
  const tokens = new Tokens(
    settingsWith({
      web: { token: WEB_TOKEN },
      intermediary: {
        auth_token: "both",
        tokens: [
          { name: "a", token: "both", scopes: ["admin"], names: [] },
          { name: "b", token: "", scopes: ["admin"], names: [] },
        ],
      },
      "dependency-authentication": { "neuro-os": { auth_token: "os" } },
    }),
  );
  const scopes = (token: string) => [...tokens.bearer(token, "10.0.0.1").scopes].sort();
  check.equal(scopes("both"), ["admin", "command", "integration", "watch"]);
  check.equal(scopes("os"), ["command", "direct", "watch"]);
  check.equal(scopes(WEB_TOKEN).length, 5);
  check.equal(tokens.bearer("both", "10.0.0.1").names, ["a", "intermediary"]);
  check.equal([WEB_TOKEN, "os"].map((token) => tokens.bearer(token, "::1").names), [["web"], ["neuro-os"]]);
  for (const token of [undefined, "", "bot", "bothx", "null", "undefined"]) {
    check.equal(tokens.bearer(token, "::1"), { names: [], scopes: [] });
  }
});

test("SE9 the published token opens the web port's pages to this machine only", async () => {
  const app = new AppStage();
  check.equal((await app.ask("web", "/metrics", bearer(PUBLISHED_TOKEN))).status, 200);
  check.equal((await app.ask("web", "/metrics", { ...bearer(PUBLISHED_TOKEN), address: "10.0.0.7" })).status, 401);
});

test("SE12 what is not there is a problem document, without a hint at what is", async () => {
  const app = new AppStage();
  for (const path of ["/nothing", "/neurotic", "/.git/config", "/uploads/"]) {
    const response = await app.ask("web", path);
    check.equal([response.status, response.headers.get("content-type")], [404, "application/problem+json"], path);
    check.equal(await response.json(), { type: "about:blank", status: 404, title: "Not found" });
  }
});

test("SE12 a room that is switched off, or not there, is not there on the web port either", async () => {
  const shut = new AppStage({ "nakurity-backend": { enabled: false } });
  const absent = new AppStage({}, ["intermediary", "brain"]);
  for (const app of [shut, absent]) {
    check.equal(await app.knock("web", "/neuro"), 404);
    check.equal(await app.knock("web", "/intermediary"), 101);
  }
});
