/** The web port's token, beyond HTTP. */
import { test } from "#runner";
import { serve } from "../../../src/runtimes/bun/serve.ts";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { testSettings } from "../runtimes/bun-relay.ts";

const greeting = (token: string | undefined) => ({ type: "neuro-os", name: "dashboard", auth_token: token });

async function privileges(url: string, token: string | undefined): Promise<string> {
  const client = await JsonClient.open(url);
  client.send(greeting(token));
  const { event, privileges, error } = await client.next();
  client.close();
  return error ?? `${event} ${privileges}`;
}

test("AP1 the web port's token, generated or configured, gives a watcher every scope; changing it closes that watcher", async () => {
  const quiet = { print: () => {}, log: () => {} };
  const made = testSettings((change) => (change.web.token = ""));
  const lines: string[] = [];
  const served = await serve(made, { ...quiet, print: (line) => lines.push(line) });
  try {
    const token = /#token=(\w{64})/.exec(lines.join("\n"))?.[1] ?? "";
    const listener = `${served.urls.web?.replace("http", "ws")}/intermediary`;
    check.equal(await privileges(listener, token), "neuroos_connected enhanced");
    check.equal(await privileges(listener, ""), "invalid auth token");
    const old = await JsonClient.open(listener);
    old.send(greeting(token));
    served.configure({ ...made, web: { ...made.web, token: "another" } });
    check.equal(await old.closed, 4401);
    check.equal(await privileges(listener, "another"), "neuroos_connected enhanced");
    check.equal(await privileges(listener, token), "invalid auth token");
    served.configure(made);
    check.equal(await privileges(listener, token), "neuroos_connected enhanced");
  } finally {
    await served.drain();
  }
});
