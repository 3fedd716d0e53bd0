/** The requests of neuro-os's traffic page, in that page's form. */
import { test } from "#runner";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import { Game, integrate, watch } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, settingsOf, TOKENS } from "./api-fixture.ts";
import { AppFixture, bearer, WEB_TOKEN } from "./app-fixture.ts";

const ON = ["web.neuro_os_page=true"];
const PATHS = ["start", "stop", "stats", "connections", "messages", "inject_message"];

async function ask(
  fixture: ApiFixture,
  path: string,
  init?: RequestInit,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  const response = await fetch(`${fixture.web}/api/relay/${path}`, init);
  check.equal(response.headers.get("content-type"), "application/json", path);
  const body: Json = JSON.parse(await response.text());
  check.that(isObject(body));
  return { status: response.status, body };
}

const inject = (fixture: ApiFixture, body: Json) =>
  ask(fixture, "inject_message", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const listIn = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

test("AP30 the routes answer in the page's format, on this machine without a token", () =>
  ApiFixture.with(async (fixture) => {
    check.equal((await ask(fixture, "start", { method: "POST" })).body, {
      success: true,
      message: "Relay monitoring started",
    });
    const game = await Game.join(fixture, "Chess & Co");
    game.register("play");
    await fixture.neuro.knows("play");
    await integrate(fixture, "lamp");
    const { body: { connections, count } } = await ask(fixture, "connections");
    const list = listIn(connections);
    check.equal(count, list.length);
    check.equal(list.map(({ type, id }) => [type, id]), [["game", "chess-co"], ["integration", "lamp"]]);
    for (const one of list) {
      check.equal(Object.keys(one), ["type", "id", "message_count", "connected_at"]);
      check.that(Date.now() - Date.parse(String(one.connected_at)) < 60_000 && typeof one.message_count === "number");
    }
    const { body: stats } = await ask(fixture, "stats");
    check.equal(Object.keys(stats), ["active_connections", "total_messages", "messages_per_second", "connected"]);
    check.equal([stats.active_connections, stats.connected], [2, true]);
    check.that(Number(stats.total_messages) >= 4);
    const { body: { messages } } = await ask(fixture, "messages?limit=50");
    const seen = listIn(messages);
    for (const one of seen) check.equal(Object.keys(one), ["timestamp", "type", "data"]);
    const came = seen.find(({ type }) => type === "integration_connected_via_backend");
    check.that(isObject(came?.data));
    check.equal(came.data.name, "Chess &amp; Co");
    check.equal(listIn((await ask(fixture, "messages?limit=1")).body.messages).length, 1);
    check.equal(listIn((await ask(fixture, "messages?limit=x")).body.messages).length, seen.length);
    check.equal((await ask(fixture, "stop", { method: "POST" })).body, {
      success: true,
      message: "Relay monitoring stopped",
    });
  }, ON));

test("AP31 the rate is that of the time since the page's previous request", () =>
  ApiFixture.with(async (fixture) => {
    await ask(fixture, "stats");
    const game = await Game.join(fixture, "Chess");
    for (let n = 0; n < 200; n++) game.say("context", { message: `${n}`, silent: true });
    await Bun.sleep(1_050);
    const { body: { messages_per_second: fast } } = await ask(fixture, "stats");
    check.that(Number(fast) > 50 && Number(fast) < 400, String(fast));
    check.equal((await ask(fixture, "stats")).body.messages_per_second, fast);
    await Bun.sleep(1_050);
    check.that(Number((await ask(fixture, "stats")).body.messages_per_second) < 20);
  }, [...ON, "limits.messages_per_second=0"]));

test("AP32 a message is injected into a listed integration or an upstream; failures are reported in the page's format", () =>
  ApiFixture.with(async (fixture) => {
    const game = await Game.join(fixture, "Chess");
    game.register("play");
    await fixture.neuro.knows("play");
    const message = { command: "odd", data: { n: 1 } };
    check.equal(await inject(fixture, { target: "chess", message }), {
      status: 200,
      body: { success: true, message: "Message injected to chess" },
    });
    check.equal(await game.line.next(({ command }) => command === "odd"), message);
    check.equal((await inject(fixture, { target: "neuro", message: { command: "hello", game: "x" } })).body.success, true);
    await fixture.neuro.hear(({ command }) => command === "hello", "what was injected");
    const nobody = await inject(fixture, { target: "<b>nobody</b>", message });
    check.equal([nobody.status, nobody.body.success], [404, false]);
    check.match(String(nobody.body.error), /&lt;b&gt;nobody/);
    check.equal(await inject(fixture, { message }), { status: 400, body: { success: false, error: "Target is required" } });
    check.equal((await inject(fixture, [])).status, 400);
    check.equal((await ask(fixture, "inject_message", { method: "POST", body: "{}" })).status, 415);
    const acts = await fixture.items("listAuditEntries");
    check.equal(acts[0]?.by, "neuro-os page");
  }, ON));

test("AP33 no text of a peer is markup in the responses", () =>
  ApiFixture.with(async (fixture) => {
    await ask(fixture, "start", { method: "POST" });
    const evil = "<img src=x onerror=alert(1)>&";
    const watcher = await watch(fixture, evil.slice(0, 60));
    const lamp = await integrate(fixture, "lamp");
    lamp.send({ [evil]: [evil, { deep: evil }] });
    await watcher.next(({ event }) => event === "integration_message");
    for (const path of ["connections", "messages", "stats"]) {
      const { body } = await ask(fixture, path);
      check.that(!/[<>]|&(?!amp;|lt;|gt;)/.test(JSON.stringify(body)), JSON.stringify(body));
    }
    check.match(JSON.stringify((await ask(fixture, "messages")).body), /&lt;img src=x onerror=alert\(1\)&gt;&amp;/);
  }, ON));

test("AP34 from other machines the routes need a token with the scope, in the header or the URL", async () => {
  const app = new AppFixture({
    web: { neuro_os_page: true },
    intermediary: { tokens: [{ name: "eye", token: "eye", scopes: ["watch"], names: [] }] },
  });
  app.replyBody = { items: [], next: null };
  const address = "10.0.0.7";
  const status = async (path: string, asked = {}) =>
    (await app.fetch("web", `/api/relay/${path}`, { address, ...asked })).status;
  check.equal(await status("stats"), 401);
  check.equal(await status("stats?token=eye"), 200);
  check.equal(await status("stats?token=wrong"), 401);
  check.equal(await status("stats?token=wrong", { address: "127.0.0.1" }), 401);
  check.equal(await status("stats", bearer(WEB_TOKEN)), 200);
  check.equal(await status("inject_message?token=eye", { method: "POST" }), 403);
  check.equal(await status("start", { method: "POST" }), 401);
  check.equal(await status("stats", { address: "127.0.0.1" }), 200);
});

test("AP35 only pages of the relay's own origin and of listed origins can use the routes", async () => {
  const page = "http://127.0.0.1:5000";
  const app = new AppFixture({ web: { neuro_os_page: true }, security: { allowed_origins: [page] } });
  app.replyBody = { items: [], next: null };
  const from = (origin: string, more = {}) => app.fetch("web", "/api/relay/stats", { headers: { origin }, ...more });
  const listed = await from(page);
  check.equal([listed.status, listed.headers.get("access-control-allow-origin"), listed.headers.get("vary")], [
    200,
    page,
    "origin, Accept-Encoding",
  ]);
  const before = await from(page, { method: "OPTIONS" });
  check.equal([before.status, before.headers.get("access-control-allow-headers")], [204, "authorization, content-type"]);
  check.equal(before.headers.get("access-control-allow-origin"), page);
  const own = await from("http://127.0.0.1:9999");
  check.equal([own.status, own.headers.get("access-control-allow-origin")], [200, null]);
  for (const origin of ["http://127.0.0.1:5001", "null", "https://evil.example"]) {
    const foreign = await from(origin);
    check.equal([foreign.status, foreign.headers.get("access-control-allow-origin")], [403, null], origin);
  }
  const api = await app.fetch("web", "/api/overview", { headers: { origin: page, authorization: `Bearer ${WEB_TOKEN}` } });
  check.equal(api.headers.get("access-control-allow-origin"), null);
});

test("AP36 the routes are off by default, can be switched on without a restart, and accept one method each", () =>
  ApiFixture.with(async (fixture) => {
    const statuses = async (method: string) =>
      await Promise.all(PATHS.map(async (path) => (await fetch(`${fixture.web}/api/relay/${path}`, { method })).status));
    check.equal(new Set(await statuses("GET")), new Set([404]));
    check.equal(new Set(await statuses("POST")), new Set([404]));
    fixture.configure(settingsOf([`nakurity-client.url=${fixture.neuro.url}`, ...ON]));
    check.equal(await statuses("GET"), [405, 405, 200, 200, 200, 405]);
    check.equal(await statuses("HEAD"), [405, 405, 200, 200, 200, 405]);
    check.equal(await statuses("POST"), [200, 200, 405, 405, 405, 415]);
    check.equal((await fetch(`${fixture.web}/api/relay/toString`)).status, 404);
    const allow = (await fetch(`${fixture.web}/api/relay/start`)).headers.get("allow");
    check.equal(allow, "POST, OPTIONS");
    check.equal((await fixture.request("getOverview", { token: TOKENS.web })).status, 200);
  }));
