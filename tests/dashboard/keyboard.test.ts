/** The page without a mouse. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { checkBothThemes, violations } from "./axe.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, withDashboard } from "./fixture.ts";

test("DB18 DB39 the whole page works by keyboard, and its shortcuts are listed", () =>
  withDashboard(async (fixture) => {
    const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
    const page = await fixture.open();
    await integrationRow(page, "Chess").waitFor();
    await page.keyboard.press("?");
    await page.locator("dialog[open]", { hasText: "stop everything" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await integrationRow(page, "Chess").locator(".marks", { hasText: "paused" }).waitFor();
    await page.keyboard.press("x");
    await integrationRow(page, "Chess").locator(".marks", { hasText: "paused" }).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowRight");
    await byName(integrationRow(page, "Chess"), "pause").and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Home");
    const ring = await page.evaluate(() => document.activeElement && getComputedStyle(document.activeElement).outlineStyle);
    check.equal(ring, "solid");
    await page.keyboard.press("Enter");
    await byName(page, "open-form").focus();
    await page.keyboard.press("Enter");
    await byName(page, "send").focus();
    await page.keyboard.press("Enter");
    const { id } = await chess.action();
    chess.result(id, true, "Moved.");
    await page.locator(".form-result.good", { hasText: "Moved." }).waitFor();
    chess.force("Which?", ["move"]);
    await byName(page, "force").waitFor();
    await page.keyboard.press("n");
    await byName(page, "force").and(page.locator(":focus")).waitFor();
    await page.keyboard.press("v");
    await byName(page, "veto").filter({ hasText: "Veto it?" }).waitFor();
    await page.keyboard.press("v");
    await byName(page, "force").waitFor({ state: "detached" });
    await page.keyboard.press("Shift+S");
    await byName(page, "trouble-stopped").waitFor();
    await page.keyboard.press("Shift+S");
    await byName(page, "trouble-stopped").waitFor({ state: "detached" });
    await page.keyboard.press("2");
    await byName(page, "panel-queue").waitFor();
    await page.keyboard.press("0");
    await byName(page, "panel-tools").waitFor();
    await page.keyboard.press("/");
    await page.locator("[data-name=feed-text]:focus").waitFor();
    await page.keyboard.type("x2p");
    check.equal(
      await byName(integrationRow(page, "Chess"), "pause").getAttribute("aria-pressed"),
      "false",
      "typing runs no shortcut",
    );
    check.equal(await byName(page, "feed-text").inputValue(), "x2p");
  }), TEST_OPTIONS);

test(
  "DB18 DB36 axe finds nothing serious in any panel, dialog or state, in both themes, and the page has landmarks",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [{
        name: "move",
        schema: { type: "object", properties: { to: { type: "string" }, list: { type: "array", items: {} } } },
      }]);
      const poker = await Game.join(fixture, "Poker", [{ name: "bet" }]);
      const page = await fixture.open({ reducedMotion: "reduce" });
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "open-form").click();
      const panels = await page.locator(".tab:not(.narrow-only)").all();
      for (const tab of panels) {
        await tab.click();
        check.equal(await violations(page), [], await tab.innerText());
      }
      for (const landmark of ["banner", "main", "complementary", "navigation"] as const) {
        await page.getByRole(landmark).first().waitFor();
      }
      check.equal(await page.locator("h1").count(), 1);
      for (const dialog of ["connect", "watchers", "help"]) {
        await byName(page, dialog).click();
        await page.locator("dialog[open]").waitFor();
        check.equal(await violations(page), [], dialog);
        await page.keyboard.press("Escape");
        await page.locator("dialog[open]").waitFor({ state: "detached" });
      }
      chess.force("Which?", ["move"], { state: "e4", priority: "critical" });
      poker.force("Bet?", ["bet"]);
      await byName(page, "force").nth(1).waitFor();
      await byName(page, "force").first().getByRole("button", { name: "Answer" }).click();
      await byName(integrationRow(page, "Poker"), "solo").click();
      await byName(page, "trouble-solo").waitFor();
      await checkBothThemes(page, "questions and a solo");
      await byName(page, "stop").click();
      await byName(page, "trouble-stopped").waitFor();
      await checkBothThemes(page, "stopped");
      await page.goto(`${fixture.origin}/#/integration/chess`);
      await byName(byName(page, "integration-page"), "pause-wordy").waitFor();
      await page.setViewportSize({ width: 320, height: 256 });
      await checkBothThemes(page, "an integration's page at 400 %");
      check.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, "nothing is cut off at 400 %");
    }),
  TEST_OPTIONS,
);
