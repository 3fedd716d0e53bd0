/** The page without a mouse. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, withDashboard } from "./fixture.ts";

test("DB18 the whole page works by keyboard, and its shortcuts are listed", () =>
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
    await page.keyboard.press("Enter");
    await byName(page, "open-form").focus();
    await page.keyboard.press("Enter");
    await byName(page, "send").focus();
    await page.keyboard.press("Enter");
    const { id } = await chess.action();
    chess.result(id, true, "Moved.");
    await page.locator(".form-result.good", { hasText: "Moved." }).waitFor();
    await page.keyboard.press("Shift+S");
    await byName(page, "trouble-stopped").waitFor();
    await page.keyboard.press("Shift+S");
    await byName(page, "trouble-stopped").waitFor({ state: "detached" });
    await page.keyboard.press("2");
    await byName(page, "panel-queue").waitFor();
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
  "DB18 every control has an accessible name and shows its focus, and the page has landmarks",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{
        name: "move",
        schema: { type: "object", properties: { to: { type: "string" } } },
      }]);
      const page = await fixture.open();
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "open-form").click();
      for (const panel of ["tools", "queue", "feed"]) {
        await byName(page, `tab-${panel}`).click();
        await byName(page, `panel-${panel}`).waitFor();
        check.equal(await nameless(page), []);
      }
      for (const landmark of ["banner", "main", "complementary", "navigation"] as const) {
        await page.getByRole(landmark).first().waitFor();
      }
      check.equal(await page.locator("h1").count(), 1);
      await page.keyboard.press("Tab");
      const ring = await page.evaluate(() =>
        document.activeElement && getComputedStyle(document.activeElement).outlineStyle
      );
      check.equal(ring, "solid");
    }),
  TEST_OPTIONS,
);

/** Controls without an accessible name. */
const nameless = (page: import("playwright-core").Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, input, select, textarea, summary")]
      .filter((element) => element.getClientRects().length > 0)
      .filter((element) => {
        const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement ||
            element instanceof HTMLTextAreaElement
          ? [...element.labels ?? []].map((label) => label.textContent ?? "")
          : [];
        return `${element.getAttribute("aria-label") ?? ""}${labels.join("")}${element.textContent ?? ""}`.trim() === "";
      })
      .map((element) => element.outerHTML.slice(0, 200))
  );
