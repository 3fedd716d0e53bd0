/** The link to Neuro, messages of the operator in both directions, the Brain, and Nallely. */
import { test } from "#runner";
import type { Page } from "playwright-core";
import { BrainClient } from "../../src/clients/brain.ts";
import { check } from "../harness/check.ts";
import { checkBothThemes } from "./axe.ts";
import { openSession } from "../harness/nallely-server.ts";
import type { Message } from "../harness/json-client.ts";
import { byName, Game, integrationRow, TEST_OPTIONS, until, Upstream, WAIT_MS, withDashboard } from "./fixture.ts";

test(
  "DB23 DB33 the link to Neuro is shown; an operator sends her a context, sends raw messages in both directions, and disconnects a game",
  async () => {
    const neuro = new Upstream();
    try {
      await withDashboard(async (fixture) => {
        const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
        const page = await fixture.open();
        await page.locator(".link.good", { hasText: neuro.url }).waitFor();
        await byName(page, "tab-tools").click();
        const context = byName(page, "context");
        await context.getByLabel("Context").fill("Chat wants a song.");
        await context.getByText("Tell", { exact: true }).click();
        await neuro.hear(
          ({ command, data }) => command === "context" && /Chat wants a song/.test(data.message),
          "she hears it",
        );
        const raw = byName(page, "raw");
        await raw.getByLabel("Message").fill("{");
        await raw.getByText("Inject").click();
        await raw.locator(".field-error", { hasText: "This is not valid JSON." }).waitFor();
        await raw.getByLabel("Message").fill(`{"command":"x/y","data":[1]}`);
        await raw.getByText("Inject").click();
        const got = await chess.talk.next(({ command }: Message) => command === "x/y", WAIT_MS);
        check.equal(got, { command: "x/y", data: [1] });
        await raw.getByLabel("To").selectOption({ label: "Neuro (neuro)" });
        await raw.getByText("Inject").click();
        await neuro.hear(({ command }) => command === "x/y", "she got it, too");
        await decideOnAll(page, { neuro, chess });
        await byName(integrationRow(page, "Chess"), "integration-head").click();
        await byName(page, "disconnect").click();
        await page.getByText("Disconnect it?").click();
        await chess.talk.closed;
        neuro.stop();
        await page.locator(".link:not(.good)").waitFor();
        await byName(page, "trouble-upstream").waitFor();
      }, [`nakurity-client.url=${neuro.url}`, "actions.grace=100ms"]);
    } finally {
      neuro.stop();
    }
  },
  TEST_OPTIONS,
);

/** Two actions of Neuro wait for approval at once: all are approved, then all are rejected. */
async function decideOnAll(
  page: Page,
  { neuro, chess }: { readonly neuro: Upstream; readonly chess: Game },
): Promise<void> {
  await byName(page, "approval").click();
  await page.locator("[data-name=approval][aria-pressed=true]").waitFor();
  const results = (success: boolean) =>
    neuro.heard.filter(({ command, data }) => command === "action/result" && data.success === success).length;
  for (let count = 0; count < 2; count++) await neuro.act("move");
  await byName(page, "approve-all").click();
  await byName(page, "approve-all").filter({ hasText: "Approve 2?" }).click();
  for (let count = 0; count < 2; count++) chess.result((await chess.action()).id, true, "Moved.");
  await until(() => Promise.resolve(results(true) === 2), "she has both results");
  // Why: the next ones must not be taken for these.
  await byName(page, "approval-card").first().waitFor({ state: "detached" });
  for (let count = 0; count < 2; count++) await neuro.act("move");
  await byName(page, "reject-all").click();
  await byName(page, "reject-all").filter({ hasText: "Reject 2?" }).click();
  await until(() => Promise.resolve(results(false) === 2), "she has both failures");
  await byName(page, "tab-audit").click();
  await page.locator(".audit-row", { hasText: "rejected" }).nth(1).waitFor();
  await byName(page, "tab-tools").click();
  check.equal(chess.talk.take().filter(({ command }) => command === "action"), [], "no other action reached the game");
  await byName(page, "approval").click();
  await page.locator("[data-name=approval][aria-pressed=false]").waitFor();
}

test(
  "DB24 DB36 DB60 the Brain's sessions are shown without their whole ids, and the values that go to Nallely are shown; so are all relays, with links",
  async () => {
    await using session = openSession();
    await withDashboard(async (fixture) => {
      const page = await fixture.open();
      using brain = new BrainClient(fixture.relay.urls.web.replace(/^http/, "ws").replace(/#.*$/, "brain"));
      const id = await brain.createSession({ owner: "example", initialState: { mood: "calm", id: 1 } });
      await byName(page, "tab-brain").click();
      const entry = byName(page, "panel-brain").locator(".entry", { hasText: id.slice(0, 8) });
      await entry.getByText("2 keys").waitFor();
      await entry.getByRole("link").click();
      const session = byName(page, "brain-session");
      await byName(session, "brain-state").getByText('"mood": "calm"').waitFor();
      await checkBothThemes(page, "a Brain session");
      await session.locator(".history-row", { hasText: "session created" }).waitFor();
      await brain.apply(id, "ST", { params: { changes: { mood: "angry" } } });
      await byName(session, "brain-state").getByText('"mood": "angry"').waitFor();
      check.equal((await page.content()).includes(id), false, "the whole id, which is a key, is nowhere");
      await byName(page, "tab-nallely").click();
      await byName(page, "panel-nallely").getByText("in the session").waitFor();
      await Game.join(fixture, "Chess", [{ name: "move" }]);
      const value = byName(page, "panel-nallely").locator(".value", { hasText: "integrations" });
      await until(async () => await value.locator(".num").innerText() === "1", "it counts the game");
      const colour = byName(page, "nallely-value").filter({ hasText: "colour" });
      await colour.getByLabel("New value of colour, 0 to 10").fill("11");
      await byName(colour, "set-value").click({ force: true });
      await page.locator(".toast.bad", { hasText: "Enter a number from 0 to 10." }).waitFor();
      await colour.getByLabel("New value of colour, 0 to 10").fill("7.5");
      await colour.getByLabel("New value of colour, 0 to 10").press("Enter");
      await colour.locator(".num.end", { hasText: "7.5" }).waitFor();
      await checkBothThemes(page, "values of Nallely");
      await byName(page, "tab-relays").click();
      const relays = byName(page, "panel-relays");
      await relays.getByText("No cluster").waitFor();
      await byName(relays, "relay").filter({ hasText: "show-1" }).getByText("stopped").waitFor();
      await relays.getByRole("link", { name: "show-1" }).click();
      await page.waitForURL(/\/r\/show-1\/$/);
      await byName(page, "relay-name").getByText("show-1").click();
      await byName(byName(page, "panel-relays"), "relay").filter({ hasText: "show-1" }).getByText("this page").waitFor();
    }, [
      'relays.names=["default","show-1"]',
      "brain.enabled=true",
      "brain.port=0",
      "nallely.enabled=true",
      `nallely.url=${session.busUrl}`,
      `nallely.trevor_url=${session.trevorUrl}`,
      "nallely.actions=[{name: set_colour, description: x, parameter: colour, range: [0, 10]}]",
      "nakurity-backend.decider=none",
    ]);
  },
  TEST_OPTIONS,
);
