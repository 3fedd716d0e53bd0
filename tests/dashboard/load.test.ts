/** Many integrations, and hundreds of events a second. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import type { Page } from "playwright-core";
import { byName, type DashboardFixture, Game, integrationRow, TEST_OPTIONS, until, withDashboard } from "./fixture.ts";

const GAMES = 100;
const EVENTS = 3_000;
/** Traces that the panel lists. */
const TRACES = 100;
/** One event of each game in each round: at most 500 events a second, fewer on a slow machine. */
const ROUND_MS = 200;

test(
  "DB17 DB35 with 100 integrations and 500 events a second the page stays usable, and does not grow",
  () =>
    withDashboard(async (fixture) => {
      const page = await fixture.open();
      const games = await Promise.all(
        Array.from({ length: GAMES }, (_, at) =>
          Game.join(fixture, `Game ${String(at).padStart(3, "0")}`, [{ name: `move_${at}` }])),
      );
      await until(async () =>
        await byName(page, "stat-integrations").locator(".stat-value").innerText() === "100", "all are here");
      await page.evaluate(() => {
        const gaps: number[] = [];
        let before = performance.now();
        const measure = (now: number): void => {
          gaps.push(now - before);
          before = now;
          requestAnimationFrame(measure);
        };
        requestAnimationFrame(measure);
        Object.assign(globalThis, { gaps });
      });
      let sent = 0;
      const round = setInterval(() => {
        for (const game of games) {
          if (sent < EVENTS) {
            game.send("context", { message: `Event ${++sent}.`, silent: true });
          }
        }
        if (sent >= EVENTS) {
          clearInterval(round);
        }
      }, ROUND_MS);
      await byName(page, "tab-queue").click();
      await byName(integrationRow(page, "Game 042"), "integration-head").click();
      await byName(page, "action").getByText("move_42", { exact: true }).waitFor();
      await byName(page, "tab-feed").click();
      await page.locator(".feed-row", { hasText: `Event ${EVENTS}.` }).waitFor();
      const gaps = await page.evaluate(() =>
        (globalThis as { gaps?: number[] }).gaps ?? []
      );
      const sorted = gaps.toSorted((left, right) =>
        left - right
      );
      // Why such wide limits: other suites run on the same processors.
      check.that((sorted[Math.floor(sorted.length * 0.5)] ?? Infinity) < 100, "half of the frames come at once");
      check.that((sorted[Math.floor(sorted.length * 0.95)] ?? Infinity) < 1_000, "nearly all frames come in time");
      check.that(await page.locator(".feed-row").count() < 120, "only rows in sight exist");
      check.that(await page.locator("*").count() < 12_000, "the page does not grow with the events");
      await byName(page, "tab-traces").click();
      const traces = byName(page, "trace");
      await traces.first().waitFor();
      check.that(await traces.count() < TRACES, "only the first traces are drawn");
      const end = async (): Promise<boolean> => {
        await traces.last().scrollIntoViewIfNeeded();
        return await traces.count() === TRACES;
      };
      await until(end, "the others are drawn when their place comes in sight");
      await failInOrder(fixture, page, games);
      for (const game of games) game.talk.close();
    }),
  TEST_OPTIONS,
);

/** Integrations fail that are out of sight: each comes to the others above, and all others stay in the order of their names. */
async function failInOrder(fixture: DashboardFixture, page: Page, games: readonly Game[]): Promise<void> {
  const failing: string[] = [];
  for (const at of [60, 20, 75, 50, 33, 90, 55]) {
    const id = `game-0${at}`;
    for (let time = 0; time < 3; time++) {
      const sent = fetch(`${fixture.origin}/api/integrations/${id}/actions`, {
        method: "POST",
        headers: { authorization: `Bearer ${fixture.token}`, "content-type": "application/json" },
        body: JSON.stringify({ name: `move_${at}` }),
      });
      const game = games[at];
      game?.result((await game.action()).id, false, "Not now.");
      await sent;
    }
    failing.push(id);
    await integrationRow(page, `Game 0${at}`).getByText("3 failed").waitFor();
    const ids = await page.locator("[data-name=integration]").evaluateAll((rows) =>
      rows.map((row) => row.getAttribute("data-id") ?? "")
    );
    const others = ids.toSorted().filter((one) => !failing.includes(one));
    check.equal(ids, [...failing.toSorted(), ...others], `${id} fails`);
  }
}
