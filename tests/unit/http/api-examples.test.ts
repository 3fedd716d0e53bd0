/** The examples of the reference. */
import { spawnSync } from "node:child_process";
import { test } from "#runner";
import { curlExample, exampleBody } from "../../../src/http/api/examples.ts";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import { CHANNELS } from "../../../src/http/api/protocols/asyncapi.ts";
import { referencePage } from "../../../src/http/api/reference-page.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, TOKENS } from "./api-fixture.ts";

test("AP82 every operation has an example for curl, whose body the operation accepts", () => {
  for (const operation of OPERATIONS) {
    const { id, body, method } = operation;
    const example = curlExample(operation);
    check.that(example.startsWith("curl ") && (method === "GET" || example.includes(`-X ${method}`)), id);
    if (body === undefined) continue;
    const parsed = body.safeParse(exampleBody(body));
    check.that(parsed.success, `${id}: ${JSON.stringify(exampleBody(body))} ${parsed.error}`);
  }
});

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

test(`AP82 the examples work in a shell${hasCurl ? "" : " (skipped: no curl)"}`, () =>
  ApiFixture.with(async ({ web }) => {
    if (!hasCurl) return;
    for (const id of ["listIntegrations", "updateControls", "listEvents"]) {
      const operation = OPERATIONS.find((one) => one.id === id);
      if (operation === undefined) throw new Error(id);
      const child = Bun.spawn(["sh", "-c", `${curlExample(operation)} -s -o /dev/null -w '%{http_code}'`], {
        env: { ...process.env, RELAY: web, TOKEN: TOKENS.web },
        stdout: "pipe",
      });
      check.equal(await new Response(child.stdout).text(), "200", id);
    }
  }));

test("AP82 the reference has a menu with every operation, and names every kind of WebSocket", async () => {
  const page = await (await referencePage("1", "/r/x")).text();
  const menu = page.slice(page.indexOf("<nav>"), page.indexOf("</nav>"));
  for (const { id } of OPERATIONS) check.that(menu.includes(`href="#${id}"`) && page.includes(`id="${id}"`), id);
  for (const { name } of CHANNELS) check.that(page.includes(`href="/r/x/api/protocols#${name}"`), name);
});
