/** What an operator does: send actions, answer and veto forces, pause and stop integrations, approve actions, retry dead letters. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { checkBothThemes } from "./axe.ts";
import { JsonClient } from "../harness/json-client.ts";
import type { Page } from "playwright-core";
import { byName, type DashboardFixture, Game, integrationRow, TEST_OPTIONS, until, withDashboard } from "./fixture.ts";

const MOVE = {
  name: "move",
  description: "Move a piece.",
  schema: {
    type: "object",
    properties: {
      to: { type: "string", pattern: "^[a-h][1-8]$" },
      count: { type: "integer", minimum: 1, maximum: 3 },
      piece: { enum: ["rook", "pawn"] },
    },
    required: ["to", "count"],
  },
};

test(
  "DB30 an operator asks one integration, or all, to shut down or to register again; a shutdown is confirmed",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
      const poker = await Game.join(fixture, "Poker", [{ name: "bet" }]);
      const page = await fixture.open();
      const heard = (game: Game, command: string) => game.talk.next((message) => message.command === command);
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "reregister").click();
      await heard(chess, "actions/reregister_all");
      await byName(page, "clear-actions").click();
      await byName(page, "clear-actions").filter({ hasText: "Clear and ask again?" }).click();
      await heard(chess, "actions/reregister_all");
      await byName(integrationRow(page, "Chess"), "action").waitFor({ state: "detached" });
      chess.register([{ name: "castle" }]);
      await byName(integrationRow(page, "Chess"), "action").getByText("castle", { exact: true }).waitFor();
      await byName(page, "shutdown").click();
      await byName(page, "shutdown").filter({ hasText: "Shut it down?" }).click();
      await heard(chess, "shutdown/graceful");
      await byName(page, "shutdown-now").click();
      await byName(page, "shutdown-now").filter({ hasText: "At once, without saving?" }).click();
      await heard(chess, "shutdown/immediate");
      await page.getByRole("button", { name: "Tools" }).click();
      await byName(page, "shutdown-all").click();
      await byName(page, "shutdown-all").filter({ hasText: "Shut all down?" }).click();
      await heard(poker, "shutdown/graceful");
      await byName(page, "cancel-shutdown").click();
      const { data } = await heard(poker, "shutdown/graceful");
      check.equal(data, { wants_shutdown: false });
      await byName(page, "reregister-all").click();
      await heard(poker, "actions/reregister_all");
      await byName(page, "clear-all").click();
      await byName(page, "clear-all").filter({ hasText: "Clear all and ask again?" }).click();
      await heard(poker, "actions/reregister_all");
      await byName(page, "shutdown-all-now").click();
      await byName(page, "shutdown-all-now").filter({ hasText: "All at once, without saving?" }).click();
      await heard(poker, "shutdown/immediate");
    }),
  TEST_OPTIONS,
);

test(
  "DB61 an operator selects how the relay plays Neuro, for one integration or for all",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.open();
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      const select = page.locator("select[data-name=behaviour]");
      check.equal(await select.inputValue(), "");
      await select.selectOption("hostile");
      await integrationRow(page, "Chess").getByText("Neuro is hostile").waitFor();
      check.equal(await select.inputValue(), "hostile");
      await select.selectOption("");
      await integrationRow(page, "Chess").getByText("Neuro is hostile").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Tools" }).click();
      await page.locator(".tools select[data-name=behaviour]").selectOption("lively");
      await byName(page, "tab-audit").click();
      await page.locator(".audit-row", { hasText: "all lively" }).waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB62 an unknown integration is approved in the strip or in its details, and can be rejected again",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const page = await fixture.open();
      const row = integrationRow(page, "Chess");
      await row.getByText("new", { exact: true }).waitFor();
      const trouble = byName(page, "trouble-unapproved");
      await byName(trouble, "trouble-button").click();
      await trouble.waitFor({ state: "detached" });
      await byName(row, "integration-head").click();
      await byName(page, "reject-integration").click();
      await row.getByText("rejected", { exact: true }).waitFor();
      await byName(page, "approve-integration").click();
      await row.getByText("rejected", { exact: true }).waitFor({ state: "detached" });
    }, ["integrations=[{match: Chess, admission: approval}]"]),
  TEST_OPTIONS,
);

test(
  "DB6 DB63 an action is sent by a form made from its schema, once the data is valid, and its result is shown",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [MOVE]);
      const page = await fixture.open();
      await byName(integrationRow(page, "Chess"), "integration-head").click();
      await byName(page, "open-form").click();
      const form = page.locator(".action-form");
      await form.getByLabel("to", { exact: true }).fill("z9");
      await form.getByLabel("count", { exact: true }).fill("4");
      await byName(form, "send").click();
      check.equal(await form.locator(".field-error:visible").allInnerTexts(), [
        "must match ^[a-h][1-8]$",
        "must be at most 3",
      ]);
      await byName(form, "sample").click();
      await until(
        async () => /^[a-h][1-8]$/.test(await form.getByLabel("to", { exact: true }).inputValue()),
        "it is filled",
      );
      await form.getByLabel("to", { exact: true }).fill("e4");
      await form.getByLabel("count", { exact: true }).fill("2");
      if (await form.locator("select").count() === 0) await form.getByText("piece", { exact: true }).click();
      await form.locator("select").and(form.getByLabel("piece", { exact: true })).selectOption("pawn");
      await byName(form, "send").click();
      const { id, data } = await chess.action();
      check.equal(JSON.parse(data ?? ""), { to: "e4", count: 2, piece: "pawn" });
      chess.result(id, true, "You moved.");
      await form.locator(".form-result.good", { hasText: "You moved." }).waitFor();
      await byName(form, "send").click();
      chess.result((await chess.action()).id, false, "Not your turn.");
      await form.locator(".form-result.bad", { hasText: "Not your turn." }).waitFor();
      await byName(page, "open-form").click();
      await byName(page, "open-form").click();
      await byName(form, "last-values").click();
      check.equal(await form.getByLabel("count", { exact: true }).inputValue(), "2");
      await saveAndRunMacro(fixture, chess, page);
      await form.getByText("As JSON").click();
      await form.locator("textarea").fill('{"to": "e4",\n "count": }');
      await byName(form, "send").click();
      await form.locator(".field-error:visible", { hasText: "Not valid JSON: line 2, column 11" }).waitFor();
      const cursor = () => form.locator("textarea").evaluate((element) => (element as HTMLTextAreaElement).selectionStart);
      await until(async () => await cursor() === 23, "the cursor is at the error");
      await form.locator("textarea").fill('{"to": "z9"}');
      await byName(form, "send").click();
      await byName(form, "send-anyway").click();
      check.equal((await chess.action()).data, '{"to": "z9"}');
    }),
  TEST_OPTIONS,
);

/** Another force waits for its turn, then because its integration is paused. */
async function findOutWhyItWaits(fixture: DashboardFixture, page: Page): Promise<void> {
  const poker = await Game.join(fixture, "Poker", [{ name: "bet" }]);
  poker.force("How much?", ["bet"]);
  const waiting = byName(page, "force").filter({ hasText: "How much?" });
  await waiting.getByText("In line, 1st").waitFor();
  await byName(integrationRow(page, "Poker"), "pause").click();
  await waiting.getByText("Held: you paused Poker").waitFor();
  await byName(waiting, "veto").click();
  await byName(waiting, "veto").filter({ hasText: "Veto it?" }).click();
  await waiting.waitFor({ state: "detached" });
}

/** From the feed to the path of the action that was answered. */
async function followAction(page: Page): Promise<void> {
  await page.locator(".feed-row[data-event=action_result]", { hasText: "resign" }).first().click();
  await page.locator(".feed-selected").getByText("Follow its path").click();
  const trace = byName(page, "one-trace");
  await trace.getByText("resign").first().waitFor();
  const steps = (await byName(trace, "trace-step").allInnerTexts()).map((text) => text.replace(/^\+\S+( ms| s)? /, ""));
  check.match(steps.join("\n"), /^received relay\nsent Chess\nanswered Chess success\nended/);
  await page.goBack();
}

/** The filled form becomes a button for everyone, which is pressed by another operator, and deleted. */
async function saveAndRunMacro(fixture: DashboardFixture, chess: Game, page: Page): Promise<void> {
  const form = page.locator(".action-form");
  await byName(form, "save-macro").click();
  await form.getByLabel("Label of the macro").fill("Open with e4");
  await form.getByLabel("Label of the macro").press("Enter");
  await form.locator(".form-result.good", { hasText: "Saved: Open with e4" }).waitFor();
  const other = await fixture.open();
  const macro = byName(other, "run-macro").filter({ hasText: "Open with e4" });
  await macro.click();
  const { id, data } = await chess.action();
  check.equal(JSON.parse(data ?? "").to, "e4");
  chess.result(id, true, "Opened.");
  await other.locator(".toast.good", { hasText: /^Open with e4: Done in .*: Opened\./ }).waitFor();
  await byName(other, "edit-macros").click();
  await byName(other, "delete-macro").click();
  await byName(other, "delete-macro").filter({ hasText: "Delete it?" }).click();
  await byName(page, "macro").waitFor({ state: "detached" });
  await other.context().close();
}

test(
  "DB7 the open force is shown with its question, and an operator can answer or veto it",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [MOVE, { name: "resign" }]);
      const page = await fixture.open();
      chess.force("Which move do you make?", ["move", "resign"], { state: "e4 e5" });
      const force = byName(page, "force");
      await force.locator(".force-query", { hasText: "Which move do you make?" }).waitFor();
      await byName(force, "answer").click();
      await force.getByText("resign", { exact: true }).last().click();
      await byName(force, "send").click();
      const { id, name } = await chess.action();
      check.equal(name, "resign");
      await force.getByText("waiting for the game's result").waitFor();
      await findOutWhyItWaits(fixture, page);
      chess.result(id, true, "");
      await force.waitFor({ state: "detached" });
      await followAction(page);
      chess.force("And now?", ["move"]);
      await force.locator(".force-query", { hasText: "And now?" }).waitFor();
      await byName(force, "veto").click();
      await force.getByText("Veto it?").click();
      await force.waitFor({ state: "detached" });
      await byName(page, "tab-audit").click();
      await page.locator(".audit-row", { hasText: "vetoed a force" }).locator(".audit-target", { hasText: /^chess$/ })
        .waitFor();
      await page.locator(".audit-row", { hasText: "answered a force" }).locator(".audit-target", {
        hasText: "chess resign",
      }).waitFor();
    }),
  TEST_OPTIONS,
);

test(
  "DB8 DB32 pause, mute, solo and approval of an integration, and the stop of everything, take one press each",
  () =>
    withDashboard(async (fixture) => {
      await Game.join(fixture, "Chess", [MOVE]);
      await Game.join(fixture, "Poker", [{ name: "bet" }]);
      const page = await fixture.open();
      for (
        const [button, mark] of [["pause", "paused"], ["mute", "muted"], ["solo", "solo"], ["approve", "approval"]] as const
      ) {
        const control = byName(integrationRow(page, "Chess"), button);
        await control.click();
        await integrationRow(page, "Chess").locator(".marks", { hasText: mark }).waitFor();
        check.equal(await control.getAttribute("aria-pressed"), "true");
        check.equal(await byName(integrationRow(page, "Poker"), button).getAttribute("aria-pressed"), "false");
        await control.click();
        await integrationRow(page, "Chess").locator(".marks", { hasText: mark }).waitFor({ state: "detached" });
      }
      await byName(integrationRow(page, "Chess"), "solo").click();
      const solo = byName(page, "trouble-solo");
      await solo.getByText(/by web, \d+ s ago/).waitFor();
      await byName(solo, "trouble-button").click();
      await solo.waitFor({ state: "detached" });
      await byName(page, "stop").click();
      await byName(page, "trouble-stopped").waitFor();
      check.match(await page.title(), /^Stopped/);
      await byName(page, "stop").click();
      await byName(page, "trouble-stopped").waitFor({ state: "detached" });
    }),
  TEST_OPTIONS,
);

test(
  "DB9 DB33 DB36 DB39 an action that needs approval shows the time that is left, and is approved or rejected by an operator",
  () =>
    withDashboard(async (fixture) => {
      const chess = await Game.join(fixture, "Chess", [{ name: "resign" }]);
      const page = await fixture.open();
      await byName(page, "approval").click();
      await page.locator("[data-name=approval][aria-pressed=true]").waitFor();
      chess.force("Give up?", ["resign"]);
      const pending = byName(page, "approval-card");
      await pending.locator(".bar-fill").waitFor({ state: "attached" });
      check.match(await pending.locator(".time-left").innerText(), /\d+ s left/);
      check.equal(await page.locator(".stat.warn .stat-details").innerText(), "1 to approve");
      await byName(pending, "approve-pending").click();
      const { id, name } = await chess.action();
      check.equal(name, "resign");
      chess.result(id, true, "");
      await pending.waitFor({ state: "detached" });
      chess.force("Really?", ["resign"]);
      await byName(pending, "reason-pending").click();
      await byName(pending, "reject-reason").fill("Not on stream.");
      await byName(pending, "reject-pending").click();
      await page.locator(".feed-row[data-event=action_result]", { hasText: "Not on stream." }).first().waitFor();
      check.equal(chess.talk.take().filter(({ command }) => command === "action"), [], "no action reached the game");
      const veto = byName(byName(page, "force").filter({ hasText: "Really?" }), "veto");
      await veto.click();
      await veto.filter({ hasText: "Veto it?" }).click();
      await editAndAllow(fixture, page);
    }, ["nakurity-backend.decider=first", "nakurity-backend.choice_timeout=50ms"]),
  TEST_OPTIONS,
);

/** Two actions at once: one is approved with other data by keys, then all of its kind are always allowed. */
async function editAndAllow(fixture: DashboardFixture, page: Page): Promise<void> {
  const poker = await Game.join(fixture, "Poker", [{
    name: "raise",
    schema: { type: "object", properties: { chips: { type: "integer", minimum: 1 } }, required: ["chips"] },
  }]);
  const ask = () => poker.force("Raise?", ["raise"]);
  const card = byName(page, "approval-card").filter({ hasText: "Poker" });
  ask();
  await card.locator("dt", { hasText: "chips" }).waitFor();
  await byName(page, "announcer").getByText("raise needs approval").waitFor({ state: "attached" });
  await checkBothThemes(page, "an approval");
  check.match(await page.title(), /to approve/);
  await until(async () => {
    await page.keyboard.press("n");
    return await card.and(page.locator(":focus")).count() > 0;
  }, "the key reaches it");
  await page.keyboard.press("e");
  await card.getByLabel("chips", { exact: true }).fill("777");
  await byName(card, "send").click();
  const { id, data } = await poker.action();
  check.equal(data, `{"chips":777}`);
  poker.result(id, true, "");
  await card.waitFor({ state: "detached" });
  ask();
  await byName(card, "always-pending").click();
  await byName(card, "always-pending").filter({ hasText: "Never ask again?" }).click();
  poker.result((await poker.action()).id, true, "");
  await card.waitFor({ state: "detached" });
  ask();
  poker.result((await poker.action()).id, true, "");
  await byName(page, "tab-audit").click();
  await page.locator(".audit-row", { hasText: "approved with other data" }).waitFor();
}

test(
  "DB10 DB18b DB36 a dead letter is shown, reached by arrow keys, retried, and dropped",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const greeting = { type: "integration", name: "jukebox", auth_token: "super-secret-token", ack: true };
      const first = (await JsonClient.open(fixture.relay.urls.intermediary)).send(greeting);
      await first.next(({ event }) => event === "registered");
      first.close();
      await integrationRow(page, "jukebox").locator(".dot.off").waitFor();
      await byName(page, "tab-tools").click();
      for (const action of ["skip", "louder", "softer", "next"]) {
        const form = byName(page, "command");
        await form.getByLabel("To").fill("jukebox");
        await form.getByLabel("Command").fill(JSON.stringify({ action }));
        await form.getByText("Send", { exact: true }).click();
        await page.locator(".toast.good", { hasText: "queued" }).last().waitFor();
      }
      await byName(page, "tab-queue").click();
      const letters = byName(page, "dead-letter");
      await letters.nth(3).waitFor();
      await letters.first().getByText("Body").click();
      await letters.first().locator("pre", { hasText: "skip" }).waitFor();
      await checkBothThemes(page, "dead letters");
      await byName(letters.first(), "retry").focus();
      await page.keyboard.press("ArrowRight");
      await byName(letters.first(), "drop").and(page.locator(":focus")).waitFor();
      await page.keyboard.press("ArrowDown");
      await byName(letters.nth(1), "drop").and(page.locator(":focus")).waitFor();
      const stops = letters.first().locator(":is(button, summary, a[href]):not([tabindex='-1'])");
      check.equal(await stops.evaluateAll((found) => found.map((each) => each.getAttribute("data-name"))), ["retry"]);
      const second = (await JsonClient.open(fixture.relay.urls.intermediary)).send(greeting);
      await second.next(({ event }) => event === "registered");
      await byName(letters.first(), "retry").click();
      const { id, cmd } = await second.next(({ cmd }) => cmd !== undefined);
      check.equal(cmd, { action: "skip" });
      second.send({ ack: id });
      await letters.nth(3).waitFor({ state: "detached" });
      await byName(letters.first(), "drop").click();
      await letters.getByText("Drop it?").click();
      await letters.nth(2).waitFor({ state: "detached" });
      await byName(page, "retry-all").click();
      await byName(page, "retry-all").filter({ hasText: "Retry 2?" }).click();
      for (const action of ["softer", "next"]) {
        const { id, cmd } = await second.next(({ cmd }) => cmd !== undefined);
        check.equal(cmd, { action });
        second.send({ ack: id });
      }
      await letters.first().waitFor({ state: "detached" });
      second.close();
    }, ["queue.ttl.command=1s", "nakurity-backend.decider=none"]),
  TEST_OPTIONS,
);
