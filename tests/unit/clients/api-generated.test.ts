/** The generated client of the API. */
import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { ApiError, RelayApi } from "../../../src/clients/api.ts";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import { Game } from "../../conformance/clients.ts";
import { API_CLIENT, clientSource } from "../../harness/api-client.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, TOKENS } from "../http/api-fixture.ts";

test("AP81 the client is generated from the document, has every operation, and no type is unknown", async () => {
  const source = clientSource();
  check.that(await readFile(API_CLIENT, "utf8") === source, "src/clients/api.ts is stale: run `bun run docs`");
  const types = source.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\/\*[^]*?\*\//g, "");
  check.equal(/\b(?:unknown|any)\b/.test(types), false);
  const methods = Object.getOwnPropertyNames(RelayApi.prototype).filter((name) => name !== "constructor");
  check.equal(methods.sort(), OPERATIONS.map(({ id }) => id).sort());
});

test("AP81 the client's methods send what the relay expects", () =>
  ApiFixture.with(async (fixture) => {
    const api = new RelayApi({ url: fixture.web, token: TOKENS.web });
    const chess = await Game.join(fixture, "Chess & co");
    chess.register("play");
    await fixture.neuro.knows("play");
    const { items } = await api.listIntegrations({ connected: "true", limit: 5 });
    const [integration] = items;
    check.equal([items.length, integration?.name], [1, "Chess & co"]);
    const outcome = api.sendAction(integration?.id ?? "", { name: "play", data: null });
    chess.result((await chess.action("play")).id, true, "done");
    check.equal((await outcome).message, "done");
    check.equal((await api.updateControls({ approval: true })).approval, true);
    check.equal((await api.reregisterIntegrations()).count, 1);
    const { cursor, missed } = await api.listEvents({ limit: 1, event: "action_sent" });
    check.equal([typeof cursor, missed], ["string", 0]);
    const refused = await api.getMessage("no/such").catch((error: ApiError) => error);
    check.that(refused instanceof ApiError);
    check.equal([refused.status, refused.fault], [404, "notFound"]);
  }));
