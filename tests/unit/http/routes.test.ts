/** The content of the web port, and the tokens that it requires. */
import { test } from "#runner";
import { ALL_SCOPES, digestOf } from "../../../src/core/access.ts";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { LISTENER_NAMES, type ListenerName } from "../../../src/core/service.ts";
import { AccessControl } from "../../../src/http/app.ts";
import { check } from "../../harness/check.ts";
import { AppFixture, bearer, settingsWith, WEB_TOKEN } from "./app-fixture.ts";

test("SE3 the web port answers only to addresses, loopback names and listed names", async () => {
  const app = new AppFixture({ web: { hosts: ["relay.example"], host: "studio-pc" } });
  for (const host of ["evil.example:8766", "localhost.evil.example", "user@localhost", "localhost/x", ""]) {
    check.equal((await app.fetch("web", "/health", { headers: { host } })).status, 421, host);
  }
  check.match(app.refusals()[0] ?? "", /"evil\.example:8766".*web\.hosts/);
  for (const host of ["localhost:8766", "127.0.0.1", "[::1]:8766", "192.168.1.5:8766", "Relay.example", "studio-pc:1"]) {
    check.equal((await app.fetch("web", "/health", { headers: { host } })).status, 200, host);
  }
});

test("SE4 the web port accepts requests of its own origin only, also from loopback pages", async () => {
  const app = new AppFixture();
  const status = async (origin: string, host = "localhost:8766") =>
    (await app.fetch("web", "/health", { headers: { origin, host } })).status;
  check.equal(await status("http://localhost:8766"), 200);
  check.equal(await status("http://localhost", "localhost:80"), 200);
  for (const origin of ["http://localhost:8000", "http://127.0.0.1:8766", "https://evil.example", "null"]) {
    check.equal(await status(origin), 403, origin);
  }
  check.equal(
    await app.upgradeStatus("web", "/intermediary", { headers: { origin: "http://localhost:1", host: "localhost:2" } }),
    403,
  );
});

test("SE4b the same host and port under another scheme is a foreign origin", async () => {
  const app = new AppFixture({ web: { trusted_proxies: ["10.0.0.1"], hosts: ["relay.example"] } });
  const status = async (origin: string, address: string, proto?: string) => {
    const headers = { origin, host: "relay.example", ...(proto !== undefined && { "x-forwarded-proto": proto }) };
    return (await app.fetch("web", "/health", { address, headers })).status;
  };
  check.equal([await status("http://relay.example", "127.0.0.1"), await status("https://relay.example", "127.0.0.1")], [
    200,
    403,
  ]);
  check.equal([await status("https://relay.example", "10.0.0.1", "https")], [200]);
  check.equal([await status("http://relay.example", "10.0.0.1", "https")], [403]);
});

test("SE4 behind a trusted proxy the proxy's origin is accepted", async () => {
  const proxied = (address: string) => ({
    address,
    headers: { origin: "https://relay.example", host: "127.0.0.1:8766", "x-forwarded-host": "relay.example" },
  });
  const app = new AppFixture({ web: { trusted_proxies: ["10.0.0.1"], hosts: ["relay.example"] } });
  check.equal((await app.fetch("web", "/health", proxied("10.0.0.1"))).status, 200);
  check.equal((await app.fetch("web", "/health", proxied("10.0.0.2"))).status, 403);
});

test("SE6 without a token /health and /ready are a status code and the version", async () => {
  const app = new AppFixture();
  check.equal(await (await app.fetch("web", "/health")).json(), { status: "ok", version: "1.2.3" });
  check.equal(await (await app.fetch("web", "/ready")).json(), { status: "ready", version: "1.2.3" });
  app.replyBody = { ok: false, reasons: ["Neuro at ws://secret.example"] };
  app.now += 1_000;
  const closed = await app.fetch("web", "/ready", bearer("wrong"));
  check.equal([closed.status, await closed.json()], [503, { status: "not_ready", version: "1.2.3" }]);
});

test("SE6 with the scope watch /ready includes the reasons", async () => {
  const app = new AppFixture({}, ["intermediary", "neuro"]);
  app.replyBody = { ok: false, reasons: ["Neuro"] };
  const seen = await (await app.fetch("web", "/ready", bearer(WEB_TOKEN))).json();
  check.equal(seen, { status: "not_ready", version: "1.2.3", reasons: ["intermediary: Neuro", "neuro: Neuro"] });
  app.replyBody = { ok: true, reasons: [] };
  app.isDraining = true;
  app.now += 1_000;
  const stopping = await app.fetch("web", "/ready", bearer(WEB_TOKEN));
  check.equal(
    [stopping.status, await stopping.json()],
    [503, { status: "not_ready", version: "1.2.3", reasons: ["the relay is stopping"] }],
  );
});

test("SE7 /metrics needs watch, unless web.metrics is open", async () => {
  const app = new AppFixture();
  const closed = await app.fetch("web", "/metrics");
  check.equal([closed.status, closed.headers.get("www-authenticate")], [401, "Bearer"]);
  const seen = await app.fetch("web", "/metrics", bearer(WEB_TOKEN));
  check.equal([seen.status, await seen.text()], [200, "some_total 1\n"]);
  check.match(seen.headers.get("content-type") ?? "", /version=0\.0\.4/);
  const open = new AppFixture({ web: { metrics: "open" } });
  check.equal((await open.fetch("web", "/metrics")).status, 200);
});

test("SE8 an upload is downloaded with a token, as an attachment that no browser displays", async () => {
  const app = new AppFixture();
  app.files.set("0123-abc.bin", new TextEncoder().encode("<script>"));
  check.equal((await app.fetch("web", "/uploads/0123-abc.bin")).status, 401);
  for (
    const response of [
      await app.fetch("web", "/uploads/0123-abc.bin", bearer(WEB_TOKEN)),
      await app.fetch("web", `/uploads/0123-abc.bin?token=${WEB_TOKEN}`),
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

test("SE8b a file name that the relay did not generate is not found", async () => {
  const app = new AppFixture();
  app.files.set("../x", new Uint8Array(1));
  for (const path of ["/uploads/..%2fx", "/uploads/%2e%2e%2fx", "/uploads/.hidden", "/uploads/a%00b", "/uploads/none"]) {
    check.equal((await app.fetch("web", path, bearer(WEB_TOKEN))).status, 404, path);
  }
});

test("SE11 a token has the names and scopes of all tokens equal to it, and an empty one has none", () => {
  const tokens = new AccessControl(
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
  const scopes = (token: string) => [...tokens.grantOf(token, "10.0.0.1").scopes].sort();
  check.equal(scopes("both"), ["admin", "command", "integration", "watch"]);
  check.equal(scopes("os"), ["command", "direct", "watch"]);
  check.equal(scopes(WEB_TOKEN), [...ALL_SCOPES].sort());
  check.equal(tokens.grantOf("both", "10.0.0.1").names, ["a", "intermediary"]);
  check.equal([WEB_TOKEN, "os"].map((token) => tokens.grantOf(token, "::1").names), [["web"], ["neuro-os"]]);
  for (const token of [undefined, "", "bot", "bothx", "null", "undefined"]) {
    check.equal(tokens.grantOf(token, "::1"), { names: [], scopes: [] });
  }
});

test("SE11b no listener admits a client that it would refuse, and a listener that does not exist admits none", () => {
  const strong = settingsWith({
    intermediary: { auth_token: "0123456789abcdef" },
    "nakurity-backend": { token: "game" },
    brain: { token: "b" },
  });
  const open = settingsWith({ "nakurity-backend": { open: true }, brain: { open: true } });
  const published = settingsWith({ intermediary: { auth_token: PUBLISHED_TOKEN } });
  for (const settings of [strong, open, published, settingsWith({})]) {
    const access = new AccessControl(settings);
    for (const address of ["127.0.0.1", "::1", "10.0.0.7"]) {
      for (const token of [undefined, "", "game", "b", PUBLISHED_TOKEN]) {
        for (const listener of LISTENER_NAMES) {
          const isAdmitted = access.admits(listener, digestOf(token), address);
          check.equal(
            isAdmitted,
            access.rejectionOf(listener, token, address) === undefined,
            `${listener} ${address} ${token}`,
          );
        }
        for (const unknown of ["web", "nallely", "", "__proto__", "constructor"]) {
          check.equal(access.admits(unknown as ListenerName, digestOf(token), address), false, unknown);
        }
      }
    }
  }
});

test("SE9 on the web port the published token counts on this machine only", async () => {
  const app = new AppFixture();
  check.equal((await app.fetch("web", "/metrics", bearer(PUBLISHED_TOKEN))).status, 200);
  check.equal((await app.fetch("web", "/metrics", { ...bearer(PUBLISHED_TOKEN), address: "10.0.0.7" })).status, 401);
});

test("SE12 a path that does not exist is a problem document that reveals nothing else", async () => {
  const app = new AppFixture();
  for (const path of ["/nothing", "/neurotic", "/.git/config", "/uploads/"]) {
    const response = await app.fetch("web", path);
    check.equal([response.status, response.headers.get("content-type")], [404, "application/problem+json"], path);
    check.equal(await response.json(), {
      type: "urn:neuro-relay:fault:unknownPath",
      status: 404,
      title: "Not found",
      fault: "unknownPath",
    });
  }
});

test("SE12 a disabled or missing service is not found on the web port", async () => {
  const shut = new AppFixture({ "nakurity-backend": { enabled: false } });
  const absent = new AppFixture({}, ["intermediary", "brain"]);
  for (const app of [shut, absent]) {
    check.equal(await app.upgradeStatus("web", "/neuro"), 404);
    check.equal(await app.upgradeStatus("web", "/intermediary"), 101);
  }
});
