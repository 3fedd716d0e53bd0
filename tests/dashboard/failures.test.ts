/** What the page does without a token, without a scope, and without the relay. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import type { Page } from "playwright-core";
import { checkBothThemes } from "./axe.ts";
import { byName, type DashboardFixture, Game, integrationRow, TEST_OPTIONS, until, withDashboard } from "./fixture.ts";

test(
  "DB3 DB3b DB3c DB36 without a token, or with a wrong one, a form asks for it and gives the reason; signing out deletes it",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.newPage();
      await page.goto(fixture.origin);
      const form = page.locator(".sign-in");
      await form.getByLabel("Token").fill("wrong");
      await form.getByLabel("Token").press("Enter");
      await form.locator(".sign-in-refusal", { hasText: "That token wasn" }).waitFor();
      await checkBothThemes(page, "signing in");
      await form.getByLabel("Token").fill(fixture.token);
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

test("DB3 a token in the address is removed from it at once", () =>
  withDashboard(async (fixture) => {
    const page = await fixture.open();
    check.equal(new URL(page.url()).hash, "");
    await page.goto(`${fixture.origin}/#token=of-another-day`);
    await page.locator(".sign-in-refusal", { hasText: "That token wasn" }).waitFor();
    check.equal(new URL(page.url()).hash, "");
    await page.goto(fixture.relay.urls.web);
    await page.locator(".connection.good").waitFor();
    check.equal(new URL(page.url()).hash.includes("token"), false);
    check.that(fixture.token.length >= 32);
    check.equal((await page.content()).includes(fixture.token), false);
  }), TEST_OPTIONS);

test(
  "DB4 DB42 a control that the token does not allow cannot be pressed, and names the missing scope",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.newPage();
      await page.goto(`${fixture.origin}/#token=only-for-watching`);
      await integrationRow(page, "Chess").waitFor();
      for (const button of [byName(page, "stop"), byName(integrationRow(page, "Chess"), "pause")]) {
        check.equal(await button.getAttribute("aria-disabled"), "true");
        check.match(await button.getAttribute("title") ?? "", /lacks the scope “admin”/);
      }
      await byName(integrationRow(page, "Chess"), "pause").click({ force: true });
      await page.locator("[aria-label=Notifications]", { hasText: "lacks the scope “admin”" }).waitFor();
      await byName(page, "tab-tokens").click();
      await page.locator(".empty-title", { hasText: "Not shown" }).waitFor();
      await byName(page, "tab-audit").click();
      await page.locator(".empty-title", { hasText: "No operator actions yet" }).waitFor();
      check.equal(await byName(integrationRow(page, "Chess"), "pause").getAttribute("aria-pressed"), "false");
      const admin = await fixture.open();
      await byName(admin, "watchers").click();
      await admin.locator("dialog[open] .watcher", { hasText: "token eyes" }).waitFor();
      await admin.keyboard.press("Escape");
      await byName(admin, "tab-tokens").click();
      const eyes = byName(admin, "token").filter({ hasText: "eyes" });
      await eyes.getByText(/watch · used \d+ s ago from .+ · stored as plain text/).waitFor();
      await issueAndRotate(admin, fixture);
      await byName(eyes, "revoke").click();
      await byName(eyes, "revoke").filter({ hasText: "Revoke it for good?" }).click();
      await eyes.getByText("revoked").waitFor();
      await page.locator(".sign-in-refusal", { hasText: "That token wasn" }).waitFor();
    }, [
      "nakurity-backend.decider=none",
      `intermediary.tokens=[{"name":"eyes","token":"only-for-watching","scopes":["watch"]}]`,
    ]),
  TEST_OPTIONS,
);

/** A token is issued for a page and rotated while the page is open; each new token is shown once. */
async function issueAndRotate(admin: Page, fixture: DashboardFixture): Promise<void> {
  const form = byName(admin, "issue-token");
  await form.getByLabel("Name", { exact: true }).fill("visitor");
  await form.getByText("Issue", { exact: true }).click();
  await form.locator(".field-error:visible", { hasText: "scope" }).waitFor();
  await form.getByLabel("watch", { exact: true }).check();
  await form.getByText("Issue", { exact: true }).click();
  const shown = byName(admin, "new-token");
  const first = await shown.locator("code").innerText();
  const visitor = await fixture.newPage();
  await visitor.goto(`${fixture.origin}/#token=${first}`);
  await integrationRow(visitor, "Chess").waitFor();
  const row = byName(admin, "token").filter({ hasText: "visitor" });
  await byName(row.first(), "rotate").click();
  await byName(row.first(), "overlap").selectOption({ label: "no longer" });
  await byName(row.first(), "confirm-rotate").click();
  await visitor.locator(".sign-in-refusal", { hasText: "That token wasn" }).waitFor();
  await until(async () => await shown.locator("code").innerText() !== first, "the new one is shown");
  const second = await shown.locator("code").innerText();
  check.match(second, /^nr_/);
  await visitor.getByLabel("Token").fill(second);
  await visitor.getByText("Sign in", { exact: true }).click();
  await integrationRow(visitor, "Chess").waitFor();
  await byName(shown, "hide-token").click();
  await shown.waitFor({ state: "detached" });
  check.equal((await admin.content()).includes(second), false, "it is shown once");
  await visitor.context().close();
}

test(
  "DB13c DB14 DB14b DB36 when the relay is lost the page says so, reconnects by itself, and shows where events are missing",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.open();
      await integrationRow(page, "Chess").locator(".dot.good").waitFor();
      const shape = () =>
        page.locator(".connection .dot").evaluate((dot) =>
          getComputedStyle(dot).borderRadius + getComputedStyle(dot).clipPath
        );
      const whileLive = await shape();
      await fixture.restart(async () => {
        await byName(page, "trouble-disconnected").waitFor();
        check.that(await shape() !== whileLive, "the dot has another shape");
        await page.locator(".connection.bad, .connection.warn").waitFor();
        check.that(await integrationRow(page, "Chess").isVisible(), "what was known stays in sight");
        await checkBothThemes(page, "the relay is lost");
      });
      await page.locator(".connection.good").waitFor();
      await byName(page, "trouble-disconnected").waitFor({ state: "detached" });
      await page.locator(".feed-row[data-event=gap]").waitFor();
      await Game.join(fixture, "Poker", [{ name: "bet" }]);
      await integrationRow(page, "Poker").locator(".dot.good").waitFor();
      await page.locator(".feed-row[data-event=integration_connected_via_backend]", { hasText: "Poker" }).waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB14d without an Intermediary the page says that there are no live events, and shows everything else",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.newPage();
      await page.goto(fixture.relay.urls.web);
      await byName(page, "trouble-no_events").getByText("The Intermediary is off").waitFor();
      await integrationRow(page, "Chess").locator(".dot.good").waitFor();
      await byName(page, "tab-queue").click();
      await page.locator(".empty-title", { hasText: "Nothing waits" }).waitFor();
      check.equal(await byName(page, "trouble-disconnected").isVisible(), false);
    }, ["intermediary.enabled=false", "nakurity-backend.decider=none"]),
  TEST_OPTIONS,
);

test(
  "DB14b when only the connection is lost the feed resumes after the last event, and shows each once",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.newPage();
      let isCut = false;
      let cut = (): void => {};
      await page.routeWebSocket(/intermediary/, async (socket) => {
        if (isCut) return await socket.close();
        socket.connectToServer();
        cut = () => void socket.close();
      });
      await page.goto(fixture.relay.urls.web);
      await page.locator(".connection.good").waitFor();
      const rows = page.locator(".feed-row[data-event=add_context]");
      chess.send("context", { message: "Before.", silent: true });
      await rows.filter({ hasText: "Before." }).waitFor();
      isCut = true;
      cut();
      await byName(page, "trouble-disconnected").waitFor();
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
