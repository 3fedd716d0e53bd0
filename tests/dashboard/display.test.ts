/** What the page shows: integrations, events, on wide and narrow screens, in both themes. */
import { test } from "#runner";
import { devices, type Page } from "playwright-core";
import { check } from "../harness/check.ts";
import { checkBothThemes } from "./axe.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, until, withDashboard } from "./fixture.ts";

test(
  "DB5 DB36 DB37 games appear as they connect, with all their actions, and are offline once they leave",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      await page.locator(".empty-title", { hasText: "No integrations yet" }).waitFor();
      await checkBothThemes(page, "no integrations");
      await byName(page, "connect-first").click();
      const address = `ws://${new URL(fixture.origin).host}/neuro`;
      await page.locator("dialog[open]").getByText(`NEURO_SDK_WS_URL=${address}`).waitFor();
      await byName(page, "arrivals").getByText("Waiting for it to connect").waitFor();
      const chess = await Game.join(fixture, "Chess", [{ name: "move", description: "Move a piece." }]);
      await byName(page, "arrivals").getByText("connected, 1 action").waitFor();
      await Game.join(fixture, "Poker", [{ name: "bet" }, { name: "fold" }]);
      await byName(page, "arrivals").getByText("connected, 2 actions").waitFor();
      await page.keyboard.press("Escape");
      await integrationRow(page, "Chess").locator(".dot.good").waitFor();
      await integrationRow(page, "Poker").locator(".row-more", { hasText: "2 actions" }).waitFor();
      await until(
        async () => await byName(page, "stat-integrations").locator(".stat-value").innerText() === "2",
        "two are here",
      );
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "action").getByText("Move a piece.").waitFor();
      await page.locator(".feed-row[data-event=integration_connected_via_backend]", { hasText: "Poker" }).waitFor();
      chess.talk.close();
      await byName(page, "offline").getByText("1 offline").click();
      await integrationRow(page, "Chess").locator(".dot.off").waitFor();
      check.match(await page.locator(".row-title .name").first().innerText(), /Poker/);
      await page.locator(".links", { hasText: "relay decides" }).waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB29 the details of an integration list its diagnostics, the gravest first, with the fix and the message",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const chess = await Game.join(fixture, "Chess", [{ name: "Move It" }]);
      chess.send("context", { message: 5, silent: true });
      for (const name of ["fly", "fly"]) chess.send("actions/unregister", { action_names: [name] });
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "diagnostics").locator("summary", { hasText: "problems for its author" }).click();
      const rows = byName(page, "diagnostic");
      await rows.filter({ hasText: "a text was expected here: message" }).waitFor();
      check.match(await rows.first().innerText(), /error[^]*Value of a wrong type[^]*once[^]*Documentation/);
      await rows.filter({ hasText: "no such action was registered on this connection or before: fly" })
        .filter({ hasText: "2 times" }).waitFor();
      await rows.filter({ hasText: '"command":"actions/register"' }).first().waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB11 DB34 DB38 the feed shows events as they happen; it can be filtered, searched and paused, and an event can be inspected",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
      const poker = await Game.join(fixture, "Poker");
      chess.send("context", { message: "White is better.", silent: true });
      poker.send("context", { message: "You hold two aces.", silent: true });
      const rows = page.locator(".feed-row");
      await rows.filter({ hasText: "two aces" }).waitFor();
      await byName(page, "category-context").click();
      await until(async () => await rows.count() === 2, "only contexts are there");
      await byName(page, "feed-integration").selectOption("Chess");
      await rows.filter({ hasText: "two aces" }).waitFor({ state: "detached" });
      await rows.filter({ hasText: "White is better." }).click();
      check.match(await page.locator(".feed-selected pre").innerText(), /"event": "add_context"[^]*"game_title": "Chess"/);
      await page.getByText("Show all").click();
      await byName(page, "feed-text").fill("ACES");
      await rows.filter({ hasText: "White is better." }).waitFor({ state: "detached" });
      await byName(page, "feed-text").fill("");
      await byName(page, "feed-pause").click();
      chess.send("context", { message: "Something new.", silent: true });
      await page.locator(".feed-paused", { hasText: "1 new" }).waitFor();
      check.equal(await rows.filter({ hasText: "Something new." }).count(), 0);
      await byName(page, "feed-resume").click();
      await rows.filter({ hasText: "Something new." }).waitFor();
      await byName(page, "category-context").click();
      await byName(page, "feed-text").fill("new");
      await page.waitForURL(/#\/now\?kinds=context&text=new$/);
      await page.reload();
      await rows.filter({ hasText: "Something new." }).waitFor();
      check.equal([await rows.count(), await byName(page, "feed-text").inputValue()], [1, "new"]);
      await rows.first().click();
      await page.locator(".feed-selected").getByText("Follow its path").click();
      await byName(page, "one-trace").locator("[data-name=trace]").waitFor();
      await page.goBack();
      await rows.first().click();
      await page.locator(".feed-selected").getByText("Open the integration").click();
      const history = byName(page, "integration-page").locator(".history-row");
      await history.filter({ hasText: "White is better." }).waitFor();
      check.equal(await history.filter({ hasText: "two aces" }).count(), 0);
      await byName(byName(page, "integration-page"), "pause-wordy").click();
      await history.filter({ hasText: "web paused chess" }).waitFor();
      await page.goBack();
      await byName(page, "panel-feed").waitFor();
      await page.goForward();
      await history.filter({ hasText: "White is better." }).waitFor();
    }),
  TEST_OPTIONS,
);

/** The longest name that an action may have. */
const LONG_ACTION = "say_something_nice_to_everybody_in_the_lobby_before_the_game_end";

test(
  "DB12 DB12b on a phone the panels are shown one at a time; nothing is wider than the screen, and nothing that matters is cut off",
  () =>
    withDashboard(async (fixture) => {
      const game = await Game.join(fixture, "A game with quite a long name, as long as it may be at all", [
        { name: "move" },
        { name: LONG_ACTION },
      ]);
      await Game.join(fixture, "Chess");
      const page = await fixture.open({ ...devices["iPhone 13"], reducedMotion: "reduce" });
      await panelsFit(page);
      await page.setViewportSize({ width: 390, height: 640 });
      await byName(page, "tab-integrations").click();
      await integrationRow(page, "A game").waitFor();
      const heights = await page.locator(".row-main").evaluateAll((rows) => rows.map(({ clientHeight }) => clientHeight));
      check.equal(heights, [52, 52], "a long name has two lines in the same height");
      check.that(!(await page.locator(".now").isVisible()));
      await operateByTouch(page, game);
      await page.goto(`${fixture.origin}/#/tools`);
      const isInSight = () => byName(page, "tab-tools").evaluate((tab) => tab.getBoundingClientRect().right <= innerWidth);
      await until(isInSight, "the tab of the open panel is in sight");
      await page.goto(`${fixture.origin}/#/integrations`);
      for (const control of ["mute", "solo", "approve"]) await byName(page, `${control}-wordy`).click();
      await integrationRow(page, "A game").locator(".marks", { hasText: "approval" }).waitFor();
      game.force("Which?", [LONG_ACTION], { priority: "critical" });
      for (const width of [320, 820, 1440, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(`${fixture.origin}/#/integrations`);
        check.equal(await cutOff(page, ".row .chip, .trouble-text"), [], `marks at ${width}`);
        await page.goto(`${fixture.origin}/#/now`);
        await page.locator(".names code").waitFor();
        check.equal(await cutOff(page, ".force .chip, .names code"), [], `the question at ${width}`);
      }
    }),
  TEST_OPTIONS,
);

/** Pauses an integration, answers a question, and stops everything and resumes. */
async function operateByTouch(page: Page, game: Game): Promise<void> {
  await byName(integrationRow(page, "A game"), "integration-head").tap();
  const pause = byName(integrationRow(page, "A game"), "pause-wordy");
  await pause.tap();
  await pause.and(page.locator("[aria-pressed=true]")).waitFor();
  await pause.tap();
  await pause.and(page.locator("[aria-pressed=false]")).waitFor();
  game.force("Which move?", ["move"]);
  await byName(page, "tab-now").tap();
  const force = byName(page, "force");
  await byName(force, "answer").tap();
  await byName(force, "send").tap();
  game.result((await game.action()).id, true, "");
  await force.waitFor({ state: "detached" });
  await byName(page, "stop").tap();
  await byName(page, "trouble-stopped").waitFor();
  check.equal(await overflow(page), 0, "stopped");
  await byName(page, "stop").tap();
  await byName(page, "trouble-stopped").waitFor({ state: "detached" });
}

/** Checks that no panel, and not the dialog Connect, is wider than a phone. */
async function panelsFit(page: Page): Promise<void> {
  const tabs = await page.locator(".tab").evaluateAll((all) => all.map((tab) => tab.getAttribute("data-name") ?? ""));
  check.that(tabs.includes("tab-now") && tabs.includes("tab-traces"));
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 640 });
    for (const tab of tabs) {
      await byName(page, tab).click();
      await page.locator(`.inside[data-panel=${tab.replace("tab-", "")}]`).waitFor();
      await page.locator(".panel").getByText("Loading…").first().waitFor({ state: "hidden" });
      check.equal(await overflow(page), 0, `${tab} at ${width}`);
    }
    await page.keyboard.press("c");
    const dialog = page.locator("dialog[open]");
    await dialog.locator(".qr").waitFor();
    check.equal(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth), 0, `Connect at ${width}`);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
}

/** The visible elements whose text is cut off. */
const cutOff = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).evaluateAll((all) => {
    const visible = all.filter((one) => one.getClientRects().length > 0);
    if (visible.length === 0) return ["nothing is there"];
    return visible.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML);
  });

/** Why not the width of the document: a phone's browser makes that as wide as what is in it. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - (visualViewport?.width ?? innerWidth));

test(
  "DB13 DB13b the page is dark or light like the system, or as chosen, with enough contrast in both themes",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.open({ colorScheme: "dark", reducedMotion: "reduce" });
      const shade = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const dark = await shade();
      check.equal(await faint(page), [], "dark");
      await page.emulateMedia({ colorScheme: "light" });
      await until(async () => await shade() !== dark, "it is light");
      check.equal(await faint(page), [], "light");
      await byName(page, "theme").click();
      await until(async () => await shade() === dark, "it is dark although the system is light");
      await page.reload();
      await until(async () => await shade() === dark, "it stays dark");
    }),
  TEST_OPTIONS,
);

/** Texts whose contrast with their background is less than 4.5 to 1. */
const faint = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const numbers = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const light = (colour: readonly number[]): number => {
      const [red = 0, green = 0, blue = 0] = colour.map((part) => {
        const share = part / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (element: Element | null): number[] => {
      for (let at = element; at !== null; at = at.parentElement) {
        const found = numbers(getComputedStyle(at).backgroundColor);
        if (found.length === 3) return found;
      }
      return [255, 255, 255];
    };
    const found: string[] = [];
    for (const element of document.querySelectorAll("*")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
      const box = element.getBoundingClientRect();
      if (
        !hasText || box.width === 0 || element.closest("[aria-disabled=true], .is-offline, svg, select, option") !== null
      ) continue;
      const [one, two] = [light(numbers(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
      const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
      if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 120)}`);
    }
    return found;
  });
