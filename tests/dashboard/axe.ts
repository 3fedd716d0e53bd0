/** What axe-core finds on a page, without what it rates below serious. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs in the page. Why as a text: axe is a global there. */
const RUN = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) =>
    id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" ")))`;

/** Serious and critical violations. Why by the debugger: the page's policy forbids scripts of others. */
export async function violations(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send("Runtime.evaluate", { expression: SOURCE });
    const { result } = await session.send("Runtime.evaluate", { expression: RUN, awaitPromise: true, returnByValue: true });
    return result.value;
  } finally {
    await session.detach();
  }
}
