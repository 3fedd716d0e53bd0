/** The page's texts for values of the API. */
import { test } from "#runner";
import type { Page } from "playwright-core";
import { check } from "../harness/check.ts";
import { JsonClient } from "../harness/json-client.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, withDashboard } from "./fixture.ts";

/** The panels of the registry, as their tabs name them. */
const panelNames = (page: Page): Promise<string[]> =>
  page.locator(".tab:not(.narrow-only)").evaluateAll((tabs) =>
    tabs.map((tab) => (tab.getAttribute("data-name") ?? "").replace("tab-", ""))
  );

test("DB27 in every panel, values of the API are shown in words", () =>
  withDashboard(async (fixture) => {
    const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
    const poker = await Game.join(fixture, "Poker Night", [{ name: "bet" }]);
    const robot = await JsonClient.open(fixture.relay.urls.intermediary);
    robot.send({ type: "integration", name: "robot", auth_token: "super-secret-token" });
    const page = await fixture.open();
    await integrationRow(page, "robot").waitFor();
    chess.force("Your move?", ["move"], { priority: "high" });
    poker.force("Your bet?", ["bet"]);
    await byName(page, "force").nth(1).waitFor();
    await byName(page, "force").getByText("In line, 1st").waitFor();
    await byName(integrationRow(page, "Poker"), "pause").click();
    await byName(page, "force").getByText("Held: you paused Poker Night").waitFor();
    await command(page, "Chess");
    await byName(page, "command").getByText("Chess is a game.").waitFor();
    await command(page, "robot");
    await page.locator(".toast.good", { hasText: "Sent to robot." }).waitFor();
    await refusedAnswer(fixture.origin, fixture.token);
    await byName(integrationRow(page, "Chess"), "integration-head").click();
    await byName(page, "open-form").click();
    robot.close();
    const panels = await panelNames(page);
    check.that(panels.length >= 6, panels.join());
    for (const panel of panels) {
      await byName(page, `tab-${panel}`).click();
      await byName(page, `panel-${panel}`).waitFor();
      if (panel === "audit") await page.locator(".audit-row", { hasText: "not found" }).waitFor();
      check.equal(await identifiers(page), [], panel);
    }
    await byName(page, "connect").click();
    await page.locator("dialog[open] .qr").waitFor();
    check.equal(await identifiers(page), [], "connect");
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await byName(page, "stop").click();
    await byName(page, "force").getByText("Held: everything is stopped").first().waitFor();
    check.equal(await identifiers(page), [], "stopped");
  }, ["nakurity-backend.decider=none", "brain.enabled=true", "brain.port=0"]), TEST_OPTIONS);

async function command(page: Page, to: string): Promise<void> {
  await byName(page, "tab-tools").click();
  const form = byName(page, "command");
  await form.getByLabel("To").fill(to);
  await form.getByLabel("Command").fill(`{"action":"skip"}`);
  await form.getByText("Send", { exact: true }).click();
}

/** An operator's action that fails: its fault is an identifier. */
async function refusedAnswer(origin: string, token: string): Promise<void> {
  const { status } = await fetch(`${origin}/api/forces/1-1/answer`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "move" }),
  });
  check.equal(status, 404);
}

/** Visible texts, titles and labels with an identifier in them, except code. */
const identifiers = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    const identifier = /[a-z][A-Z]|[A-Za-z]_[a-z]/;
    for (const element of document.querySelectorAll<HTMLElement>("body *:not(script, code, pre)")) {
      if (element.getClientRects().length === 0 || element.closest("code, pre") !== null) continue;
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) =>
        node.textContent
      );
      const attributes = ["title", "aria-label"].map((name) => element.getAttribute(name));
      for (const text of [...own, ...attributes]) {
        if (text !== null && identifier.test(text.replace(/TypeScript|JavaScript|WebSocket/g, ""))) found.push(text);
      }
    }
    return found;
  });
