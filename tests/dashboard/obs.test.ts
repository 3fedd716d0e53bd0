/** The pages for OBS: the overlay on a stream, and the dock beside it. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { checkBothThemes } from "./axe.ts";
import { byName, Game, TEST_OPTIONS, withDashboard } from "./fixture.ts";

test(
  "DB36 DB40 DB41 the overlay shows question, options, active game and last action, and nothing while the relay is away; the dock stops, answers and approves",
  () =>
    withDashboard(async (fixture) => {
      const [overlay, dock] = [await fixture.newPage(), await fixture.newPage({ viewport: { width: 320, height: 600 } })];
      await overlay.goto(`${fixture.origin}/overlay`);
      await overlay.getByText("This overlay needs a token").waitFor();
      await overlay.goto(
        `${fixture.origin}/overlay?1#token=${fixture.token}&accent=rgb(255%2C%20200%2C%200)&size=40px&evil=1`,
      );
      await dock.goto(`${fixture.origin}/dock#token=${fixture.token}`);
      await byName(dock, "stop").waitFor();
      const chess = await Game.join(fixture, "Chess", [{ name: "move" }, { name: "resign" }]);
      await fetch(`${fixture.origin}/api/macros`, {
        method: "POST",
        headers: { authorization: `Bearer ${fixture.token}`, "content-type": "application/json" },
        body: JSON.stringify({ label: "Open", integration: "chess", action: "move" }),
      });
      await byName(dock, "run-macro").click();
      chess.result((await chess.action()).id, true, "");
      chess.force("Which\nmove?", ["move", "resign"]);
      const question = byName(overlay, "overlay-question");
      await question.locator(".overlay-query", { hasText: "move?" }).waitFor();
      check.equal(await question.locator(".overlay-options li").allInnerTexts(), ["move", "resign"]);
      check.equal(await question.locator(".overlay-game").innerText(), "Chess");
      const style = (selector: string, property: string) =>
        overlay.locator(selector).first().evaluate(
          (element, name) => getComputedStyle(element).getPropertyValue(name),
          property,
        );
      check.equal(await style(".overlay-game", "color"), "rgb(255, 200, 0)");
      check.equal(await style("html", "background-color"), "rgba(0, 0, 0, 0)");
      check.equal(await style("html", "font-size"), "40px");
      check.equal(await overlay.locator("button, input, a").count(), 0);
      await checkBothThemes(overlay, "the overlay");
      await checkBothThemes(dock, "the dock");
      const force = byName(dock, "force");
      await byName(force, "answer").click();
      await force.getByText("resign", { exact: true }).last().click();
      await byName(force, "send").click();
      const { id } = await chess.action();
      const action = byName(overlay, "overlay-action");
      await action.getByText("resign").waitFor();
      chess.result(id, false, "<b>Not yet</b>");
      await action.locator(".failed", { hasText: "<b>Not yet</b>" }).waitFor();
      check.equal(await dock.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      await byName(dock, "stop").click();
      await byName(dock, "trouble-stopped").waitFor();
      await fixture.restart(async () => {
        await overlay.locator("main").waitFor({ state: "detached" });
        check.equal(await overlay.locator("body").innerText(), "");
      });
    }),
  TEST_OPTIONS,
);
