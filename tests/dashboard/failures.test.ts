/** When something is missing: a token, a right, the relay. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, withDashboard } from "./fixture.ts";

test(
  "DB3 who has no token, or a wrong one, gets a form to enter one, and is told what is wrong",
  () =>
    withDashboard(async (harness) => {
      const page = await harness.newPage();
      await page.goto(harness.origin);
      const form = page.locator(".sign-in");
      await form.getByLabel("Token").fill("wrong");
      await form.getByLabel("Token").press("Enter");
      await form.locator(".sign-in-refusal", { hasText: "The relay says" }).waitFor();
      await form.getByLabel("Token").fill(harness.token);
      await form.getByText("Sign in").click();
      await page.locator(".connection.good").waitFor();
      await page.reload();
      await page.locator(".connection.good").waitFor();
      await byName(page, "sign-out").click();
      await form.waitFor();
      await page.reload();
      await form.waitFor();
      check.equal(await page.evaluate(() => JSON.stringify([sessionStorage, localStorage, document.cookie])), '[{},{},""]');
    }),
  TEST_OPTIONS,
);

test("DB3 a token in the address is taken out of it at once", () =>
  withDashboard(async (harness) => {
    const page = await harness.open();
    check.equal(new URL(page.url()).hash, "");
    await page.goto(`${harness.origin}/#token=of-another-day`);
    await page.locator(".sign-in-refusal", { hasText: "The relay says" }).waitFor();
    check.equal(new URL(page.url()).hash, "");
    await page.goto(harness.relay.urls.web);
    await page.locator(".connection.good").waitFor();
    check.equal(await page.evaluate(() => document.documentElement.innerHTML.includes(location.hash + "token=")), false);
    check.that(harness.token.length >= 32);
    check.equal((await page.content()).includes(harness.token), false);
  }), TEST_OPTIONS);

test(
  "DB4 what the token does not allow is shown and cannot be pressed, with the reason",
  () =>
    withDashboard(async (harness) => {
      await Game.join(harness, "Chess", [{ name: "move" }]);
      const page = await harness.newPage();
      await page.goto(`${harness.origin}/#token=only-for-watching`);
      await integrationRow(page, "Chess").waitFor();
      for (const button of [byName(page, "stop"), byName(integrationRow(page, "Chess"), "pause")]) {
        check.equal(await button.getAttribute("aria-disabled"), "true");
        check.match(await button.getAttribute("title") ?? "", /lacks the scope “admin”/);
      }
      await byName(integrationRow(page, "Chess"), "pause").click({ force: true });
      await page.locator("[aria-label=Notices]", { hasText: "lacks the scope “admin”" }).waitFor();
      await byName(page, "tab-audit").click();
      await page.locator(".empty-title", { hasText: "Nobody has done anything" }).waitFor();
      check.equal(await byName(integrationRow(page, "Chess"), "pause").getAttribute("aria-pressed"), "false");
    }, [
      "nakurity-backend.decider=none",
      `intermediary.tokens=[{"name":"eyes","token":"only-for-watching","scopes":["watch"]}]`,
    ]),
  TEST_OPTIONS,
);

test(
  "DB14 when the relay is lost the page says so, and everything comes back by itself",
  () =>
    withDashboard(async (harness) => {
      await Game.join(harness, "Chess", [{ name: "move" }]);
      const page = await harness.open();
      await integrationRow(page, "Chess").locator(".dot.good").waitFor();
      await harness.restart(async () => {
        await page.locator(".banner.bad", { hasText: "The relay is away" }).waitFor();
        await page.locator(".connection.bad, .connection.warn").waitFor();
        check.that(await integrationRow(page, "Chess").isVisible(), "what was known stays in sight");
      });
      await page.locator(".connection.good").waitFor();
      await page.locator(".banner.bad").waitFor({ state: "detached" });
      await page.locator(".feed-row[data-event=gap]").waitFor();
      await Game.join(harness, "Poker", [{ name: "bet" }]);
      await integrationRow(page, "Poker").locator(".dot.good").waitFor();
      await page.locator(".feed-row[data-event=integration_connected_via_backend]", { hasText: "Poker" }).waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB14 without an Intermediary there are no events, and the page says so and shows the rest",
  () =>
    withDashboard(async (harness) => {
      await Game.join(harness, "Chess", [{ name: "move" }]);
      const page = await harness.newPage();
      await page.goto(harness.relay.urls.web);
      await byName(page, "deaf").getByText("The Intermediary is off").waitFor();
      await integrationRow(page, "Chess").locator(".dot.good").waitFor();
      await byName(page, "tab-queue").click();
      await page.locator(".empty-title", { hasText: "Nothing waits" }).waitFor();
      check.equal(await byName(page, "lost").isVisible(), false);
    }, ["intermediary.enabled=false", "nakurity-backend.decider=none"]),
  TEST_OPTIONS,
);

test(
  "DB14 when only the connection is lost the page goes on after the last event that it had, and has each once",
  () =>
    withDashboard(async (harness) => {
      const chess = await Game.join(harness, "Chess", [{ name: "move" }]);
      const page = await harness.newPage();
      let isCut = false;
      let cut = (): void => {};
      await page.routeWebSocket(/intermediary/, async (socket) => {
        if (isCut) return await socket.close();
        socket.connectToServer();
        cut = () => void socket.close();
      });
      await page.goto(harness.relay.urls.web);
      await page.locator(".connection.good").waitFor();
      const rows = page.locator(".feed-row[data-event=add_context]");
      chess.send("context", { message: "Before.", silent: true });
      await rows.filter({ hasText: "Before." }).waitFor();
      isCut = true;
      cut();
      await page.locator(".banner.bad", { hasText: "The relay is away" }).waitFor();
      chess.send("context", { message: "Meanwhile.", silent: true });
      isCut = false;
      await rows.filter({ hasText: "Meanwhile." }).waitFor();
      chess.send("context", { message: "After.", silent: true });
      await rows.filter({ hasText: "After." }).waitFor();
      check.equal(await rows.locator(".feed-text").allInnerTexts(), ["After.", "Meanwhile.", "Before."]);
      check.equal(await page.locator(".feed-row[data-event=gap]").count(), 0);
    }),
  TEST_OPTIONS,
);
