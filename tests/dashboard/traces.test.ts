/** The panels of traces and of the transcript. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { checkBothThemes } from "./axe.ts";
import type { Message } from "../harness/json-client.ts";
import { byName, Game, TEST_OPTIONS, Upstream, withDashboard } from "./fixture.ts";

test(
  "TR32 DB36 DB64 the dashboard shows the same path of an action as the API, and finds what Neuro was sent",
  async () => {
    const neuro = new Upstream();
    try {
      await withDashboard(async (fixture) => {
        const chess = await Game.join(fixture, "Chess", [{ name: "move" }]);
        const page = await fixture.open();
        chess.send("context", { message: "The queen is lost.", silent: true });
        await neuro.hear(({ command }) => command === "context", "she reads it");
        chess.force("Move?", ["move"]);
        await neuro.hear(({ command }) => command === "actions/force", "she is asked");
        await byName(page, "tab-traces").click();
        const panel = byName(page, "panel-traces");
        const entry = panel.locator(".entry", { hasText: "The queen is lost." });
        await entry.getByText("Show").click();
        const [address = "", token = ""] = fixture.relay.urls.web.split("/#token=");
        const response = await fetch(`${address}/api/traces?kind=context`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const { items: [trace] }: Message = await response.json();
        await entry.getByText(trace.id).waitFor();
        await checkBothThemes(page, "a trace");
        const shown = await byName(entry, "trace-step").allInnerTexts();
        const steps = trace.steps.map(({ is, who }: Message) => `${is} ${who}`);
        check.equal(shown.map((text) => text.replace(/^\+\S+( ms| s)? /, "").trim()), steps);
        const first = byName(panel, "trace").first();
        check.that(!(await first.innerText()).includes("The queen is lost."), "the newest is first");
        const time = byName(panel, "sort-time");
        await time.click();
        await time.click();
        await page.waitForURL(/#\/traces\?by_trace=-time$/);
        await first.getByText("The queen is lost.").first().waitFor();
        await panel.getByLabel("Kind").selectOption("force");
        await panel.locator(".entry", { hasText: "open" }).first().waitFor();
        await page.reload();
        await panel.locator(".entry", { hasText: "open" }).first().waitFor();
        check.equal(await panel.getByLabel("Kind").inputValue(), "force");
        await byName(page, "tab-transcript").click();
        const transcript = byName(page, "panel-transcript");
        await transcript.locator(".entry", { hasText: "Move?" }).waitFor();
        await transcript.getByLabel("Search the transcript").fill("QUEEN");
        await transcript.locator(".entry", { hasText: "Move?" }).waitFor({ state: "detached" });
        await transcript.locator(".entry", { hasText: "The queen is lost." }).waitFor();
        check.equal(await byName(transcript, "transcript-item").count(), 1);
        await transcript.getByText("Follow its path").click();
        await panel.locator(".entry", { hasText: "The queen is lost." }).getByRole("link", { name: "Chess" }).click();
        await page.waitForURL(/#\/integration\/chess$/);
      }, [`nakurity-client.url=${neuro.url}`]);
    } finally {
      neuro.stop();
    }
  },
  TEST_OPTIONS,
);
