/** Names, texts, schemas and data of peers are shown as text, whatever they contain. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { JsonClient } from "../harness/json-client.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, until, WAIT_MS, withDashboard } from "./fixture.ts";

const IMAGE = `<img src=x onerror=alert(1)>`;
const TURNED = "\u202egnp.exe\u2066\u200b";

test(
  "DB15 text of peers makes no markup, runs no script, and does not reverse or hide the text beside it",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const game = await Game.join(fixture, IMAGE, [{
        name: "move",
        description: `${IMAGE}<script>alert(2)</script>${TURNED}`,
        schema: {
          type: "object",
          title: IMAGE,
          properties: { [IMAGE]: { type: "string", description: IMAGE, default: IMAGE, enum: [IMAGE, "b"] } },
          required: [IMAGE],
        },
      }]);
      game.send("context", { message: `${IMAGE} javascript:alert(3)`, silent: true });
      game.force(IMAGE + TURNED, ["move"], { state: IMAGE, priority: "critical" });
      await integrationRow(page, IMAGE).waitFor();
      await byName(page, "force").locator(".force-query", { hasText: IMAGE }).waitFor();
      check.equal(await page.locator(".force-query").innerText(), `${IMAGE}\ufffdgnp.exe\ufffd\ufffd`);
      await byName(integrationRow(page, IMAGE), "integration-head").click();
      await byName(page, "open-form").click();
      await page.locator(".feed-row", { hasText: "javascript:" }).click();
      check.equal(await page.locator("img, iframe, object, embed, script:not([type=module])").count(), 0);
      check.equal(await page.evaluate(() => typeof (globalThis as { polluted?: unknown }).polluted), "undefined");
    }),
  TEST_OPTIONS,
);

test(
  "DB15 names of the greatest length, and much longer texts, do not displace anything",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const long = "W".repeat(10_000);
      const game = await Game.join(fixture, long, [{ name: "m".repeat(300), description: "W".repeat(60_000) }]);
      game.send("context", { message: "x".repeat(200_000), silent: true });
      game.force("Q".repeat(50_000), ["m".repeat(300)], { state: "S".repeat(50_000) });
      const pal = await JsonClient.open(fixture.relay.urls.intermediary);
      pal.send({ type: "integration", name: "pal\u05d0\u05d1", auth_token: "super-secret-token" });
      pal.send({ event: "e\u0301".repeat(50) + "\u0301".repeat(2_000), payload: "\u0000\u001b[31m" });
      await byName(page, "integration").nth(1).waitFor();
      await byName(integrationRow(page, "WWW"), "integration-head").click();
      await byName(page, "action").waitFor();
      check.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      const heights = await page.locator(".row-main").evaluateAll((rows) =>
        rows.map((one) => one.getBoundingClientRect().height)
      );
      check.equal(heights.filter((height) => height > 70), []);
      pal.close();
    }),
  TEST_OPTIONS,
);

test(
  "DB16 no schema blocks the page or becomes anything except fields: deep, circular, huge, with expensive patterns or names of prototypes",
  () =>
    withDashboard(async (fixture) => {
      const deep = (left: number): object =>
        left === 0 ? { type: "string" } : { type: "object", properties: { in: deep(left - 1) }, required: ["in"] };
      const evil =
        `{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}},"required":["__proto__","constructor"]}`;
      const game = await Game.join(fixture, "Chess", [
        {
          name: "bomb",
          schema: { type: "object", properties: { text: { type: "string", pattern: "^(a+)+$" } }, required: ["text"] },
        },
        { name: "deep", schema: deep(14) },
        { name: "evil", schema: JSON.parse(evil) },
        {
          name: "many",
          schema: {
            type: "object",
            properties: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`p${at}`, {}])),
          },
        },
        { name: "loop", schema: { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] } },
      ]);
      const page = await fixture.open();
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      const offer = (name: string) =>
        byName(page, "action").filter({ has: page.locator(".action-name", { hasText: name }) });
      for (const name of ["bomb", "deep", "evil", "many", "loop"]) await byName(offer(name), "open-form").click();
      await offer("bomb").getByLabel("text", { exact: true }).fill(`${"a".repeat(120)}!`);
      await byName(offer("bomb"), "send").click();
      game.result((await game.action()).id, true, "");
      await offer("evil").getByLabel("__proto__").fill("polluted");
      await offer("evil").getByLabel("constructor").fill("7");
      await byName(offer("evil"), "send").click();
      const { id, data } = await game.action();
      game.result(id, true, "");
      check.equal(data, `{"__proto__":"polluted","constructor":7}`);
      check.equal(await page.evaluate(() => ({} as { text?: string }).text), undefined);
      check.that(await offer("deep").locator("textarea").count() > 0, "what is too deep is typed as JSON");
      check.that(await offer("many").locator("textarea").count() > 0, "what is too much is typed as JSON");
      await until(async () => await offer("loop").locator("textarea").count() > 0, `a loop ends within ${WAIT_MS}`);
    }),
  TEST_OPTIONS,
);
