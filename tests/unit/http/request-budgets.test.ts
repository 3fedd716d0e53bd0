/** Requests of one address are limited, whatever their result, and the services are not asked for each of them. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { RequestBudgets } from "../../../src/http/request-budgets.ts";
import { check } from "../../harness/check.ts";
import { AppFixture, bearer, type RequestOptions, WEB_TOKEN } from "./app-fixture.ts";

const FAR = "203.0.113.9";
const STRANGER_BURST = 100;

/** How many of these requests, at one instant, are not answered with 429. */
async function passing(app: AppFixture, path: string, count: number, asked: RequestOptions): Promise<number> {
  let passed = 0;
  for (let at = 0; at < count; at++) if ((await app.fetch("web", path, asked)).status !== 429) passed++;
  return passed;
}

const REFUSED: Readonly<Record<string, readonly [path: string, asked: RequestOptions]>> = {
  "for nothing": ["/nothing", {}],
  "with a wrong token": ["/api/overview", bearer("wrong")],
  "from a foreign origin": ["/health", { headers: { origin: "https://evil.example" } }],
  "under a foreign host name": ["/health", { headers: { host: "evil.example" } }],
  "for readiness": ["/ready", {}],
  "for an upgrade that is refused": ["/brain", { upgrade: true }],
  "for an upgrade that is accepted": ["/neuro/t/game-token", { upgrade: true }],
  "for an upgrade by a plain request": ["/neuro", {}],
};

for (const [kind, [path, asked]] of Object.entries(REFUSED)) {
  test(`SE54 requests ${kind} are limited for an address without a valid token`, async () => {
    const app = new AppFixture({ "nakurity-backend": { token: "another-token" } });
    check.equal(await passing(app, path, STRANGER_BURST + 20, { ...asked, address: FAR }), STRANGER_BURST);
    app.now += 1_000;
    check.equal(await passing(app, path, 80, { ...asked, address: FAR }), 50);
    check.equal(await passing(app, path, 1, { ...asked, address: "203.0.113.10" }), 1, "another address");
    const isLocal = asked.headers?.["host"] === undefined;
    check.equal(
      await passing(app, path, 500, { ...asked, address: "::1" }),
      isLocal ? 500 : STRANGER_BURST,
      "this machine",
    );
  });
}

test("SE54 a refused request names the setting and ends its connection", async () => {
  const app = new AppFixture();
  await passing(app, "/health", STRANGER_BURST, { address: FAR });
  const response = await app.fetch("web", "/health", { address: FAR });
  check.equal([response.status, response.headers.get("connection"), response.headers.get("retry-after")], [
    429,
    "close",
    "1",
  ]);
  check.that(/limits\.requests_per_second, which is 1000/.test(await response.text()));
});

test("SE54b an address whose client has shown a valid token may make twenty times as many requests", async () => {
  const app = new AppFixture({ "nakurity-backend": { token: "game-token" } });
  check.equal((await app.fetch("web", "/api/overview", { ...bearer(WEB_TOKEN), address: FAR })).status !== 429, true);
  check.equal(await passing(app, "/nothing", 2_100, { address: FAR }), 2_000);
  const gamer = "2001:db8::1";
  check.equal(await app.upgradeStatus("neuro", "/t/game-token", { address: gamer }), 101);
  check.equal(await passing(app, "/nothing", 2_100, { address: "2001:db8::ffff" }), 2_000, "the same network");
});

test("SE54 at most 10,000 addresses are remembered", () => {
  const budgets = new RequestBudgets();
  for (let at = 0; at < STRANGER_BURST; at++) budgets.charge("10.0.0.0", DEFAULTS.limits, 0);
  check.that(budgets.charge("10.0.0.0", DEFAULTS.limits, 0) > 0);
  for (let at = 1; at < 10_000; at++) budgets.charge(`10.0.${at >> 8}.${at & 255}`, DEFAULTS.limits, 0);
  check.that(budgets.charge("10.0.0.0", DEFAULTS.limits, 0) > 0);
  budgets.charge("10.1.0.0", DEFAULTS.limits, 0);
  check.equal(budgets.charge("10.0.0.0", DEFAULTS.limits, 0), 0);
});

test("SE56 /ready asks the services at most once a second", async () => {
  const app = new AppFixture();
  for (let at = 0; at < 200; at++) await app.fetch("web", "/ready");
  check.equal(app.portCalls, 3);
  app.replyBody = { ok: false, reasons: ["no Neuro"] };
  check.equal((await app.fetch("web", "/ready")).status, 200);
  app.isDraining = true;
  check.equal((await app.fetch("web", "/ready")).status, 503, "the relay knows that without a question");
  app.isDraining = false;
  app.now += 1_000;
  check.equal((await app.fetch("web", "/ready")).status, 503);
  check.equal(app.portCalls, 6);
});
