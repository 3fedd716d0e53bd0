/** What axe-core finds on a page, without what it rates below serious. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { check } from "../harness/check.ts";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs in the page. Why as a text: axe is a global there. */
const RUN = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) =>
    id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" ")))`;

/** Serious and critical violations. Why by the debugger: the page's policy forbids scripts of others. */
export async function violations(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string) =>
    (await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result.value;
  try {
    // Why not each time: it is half a megabyte.
    if (await evaluate("typeof axe") === "undefined") await evaluate(`${SOURCE};0`);
    return await evaluate(RUN);
  } finally {
    await session.detach();
  }
}

/** Checks that axe finds no violation in the light and in the dark theme. `state`: what the page shows, for the report of a failure. */
export async function checkBothThemes(page: Page, state: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    // Why without motion: a colour in transition has any contrast.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    check.equal(await violations(page), [], `${state}, ${colorScheme}`);
  }
}
