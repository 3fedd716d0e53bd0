/** The page with a relay below a path on Workers, with few permissions on Deno, and in the binary. */
import { test } from "#runner";
import { type Platform, type Relay, TOKENS } from "../conformance/platform.ts";
import { binary, deno } from "../conformance/processes.ts";
import { workerd } from "../conformance/workers.ts";
import { check } from "../harness/check.ts";
import { JsonClient } from "../harness/json-client.ts";
import { byName, integrationRow, TEST_OPTIONS, withPage } from "./fixture.ts";

const SHUT = { "nakurity-backend.decider": "none" };

/** Signs in, pauses an integration, and reads the audit log. */
async function pause(relay: Relay, address: string): Promise<void> {
  const jukebox = await JsonClient.open(relay.urls.intermediary);
  jukebox.send({ type: "integration", name: "jukebox", auth_token: TOKENS.intermediary });
  await withPage(async (page) => {
    await page.goto(address);
    await page.locator(".sign-in").getByLabel("Token").fill(TOKENS.web);
    await page.locator(".sign-in").getByLabel("Token").press("Enter");
    await page.locator(".connection.good").waitFor();
    await byName(integrationRow(page, "jukebox"), "pause").click();
    await byName(integrationRow(page, "jukebox"), "pause").and(page.locator("[aria-pressed=true]")).waitFor();
    await byName(page, "tab-audit").click();
    await page.getByText("jukebox").last().waitFor();
  });
  jukebox.close();
}

/** After a restart the decision is still shown, to a page that is opened by an address with the token. */
async function look(address: string): Promise<void> {
  await withPage(async (page) => {
    await page.goto(`${address}#token=${TOKENS.web}`);
    await page.locator(".connection.good").waitFor();
    await byName(integrationRow(page, "jukebox"), "pause").and(page.locator("[aria-pressed=true]")).waitFor();
    check.equal(new URL(page.url()).hash, "");
  });
}

const places: readonly (readonly [Platform, end: string])[] = [[workerd, ""], [workerd, "/"], [deno, "/"], [binary, "/"]];

for (const [platform, end] of places) {
  test(
    `DB25 the page controls a relay on ${platform.name}, at an address that ends in "${end}", also after a restart`,
    async () => {
      const relay = await platform.start(SHUT);
      try {
        await pause(relay, relay.web + end);
        await relay.restart();
        await look(relay.web + end);
      } finally {
        await relay.stop();
      }
    },
    TEST_OPTIONS,
  );
}
