/** Contexts and data of actions mean the same, whichever way they enter. */
import { test } from "#runner";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import { Game } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { ApiFixture, TOKENS } from "./api-fixture.ts";

/** What the fields of a context mean; undefined: they are refused. */
const CONTEXTS: readonly (readonly [JsonObject, { readonly message: string; readonly silent: boolean } | undefined])[] = [
  [{ message: "a", silent: true }, { message: "a", silent: true }],
  [{ message: "b" }, { message: "b", silent: false }],
  [{ message: "c", silent: "true" }, { message: "c", silent: true }],
  [{ message: "d", silent: "false" }, { message: "d", silent: false }],
  [{ message: "e", silent: 1 }, { message: "e", silent: true }],
  [{ message: "f", silent: null }, { message: "f", silent: false }],
  [{ message: "g", silent: "yes" }, { message: "g", silent: false }],
  [{ message: { hp: 3 }, silent: true }, { message: '{"hp":3}', silent: true }],
  [{ message: ["h", 1.5], silent: true }, { message: '["h",1.5]', silent: true }],
  [{ message: 7, silent: true }, { message: "7", silent: true }],
  [{ message: false, silent: true }, { message: "false", silent: true }],
  [{ message: null, silent: true }, undefined],
  [{ silent: true }, undefined],
];

test("NB61 AP62 a context means the same from a game, an integration and the API", () =>
  ApiFixture.with(async (fixture) => {
    const [game, integration] = [
      await JsonClient.open(fixture.urls.neuro),
      await JsonClient.open(fixture.urls.intermediary),
    ];
    game.send({ command: "startup", game: "Chess" });
    integration.send({ type: "integration", name: "lamp", auth_token: TOKENS.all });
    const path = { id: "neuro" };
    const ways: Readonly<Record<string, (data: JsonObject) => Promise<boolean>>> = {
      "the game port": (data) => Promise.resolve(game.send({ command: "context", game: "Chess", data }).isOpen),
      "a command to the Intermediary": (data) => Promise.resolve(integration.send({ command: "context", data }).isOpen),
      "the API": async (body) => (await fixture.request("sendContext", { path, body })).status === 200,
    };
    const end: JsonObject = { message: "end", silent: true };
    for (const [way, send] of Object.entries(ways)) {
      for (const [data, meaning] of CONTEXTS) {
        fixture.neuro.heard.length = 0;
        const isAccepted = await send(data);
        if (way === "the API") check.equal(isAccepted, meaning !== undefined, JSON.stringify(data));
        check.equal(await send(end), true);
        await fixture.neuro.hear(({ data: said }) => said?.message?.endsWith("end") === true, "the end");
        const said = fixture.neuro.heard.flatMap(({ command, data: sent }) => command === "context" ? [sent] : []);
        const [first] = said.filter(({ message }) => !String(message).endsWith("end"));
        const got = first && { message: String(first.message).replace(/^\[\w+\] /, ""), silent: first.silent };
        check.equal(got, meaning, `${way}: ${JSON.stringify(data)}`);
      }
    }
    game.close();
    integration.close();
  }, ["nakurity-client.context_rate=0"]));

test("AP62 the data of an action may be an object, its text, or absent", () =>
  ApiFixture.with(async (fixture) => {
    const chess = await Game.join(fixture, "Chess");
    const schema = { type: "object", properties: { to: { type: "string" } } };
    chess.register({ name: "move", description: "Moves.", schema }, { name: "rest", description: "Rests." });
    await fixture.until("listIntegrations", ({ items }) =>
      Array.isArray(items) && items.some((item: Json) =>
          isObject(item) && item["actions"] === 2
        )
        ? true
        : undefined);
    const path = { id: "chess" };
    const cases: readonly (readonly [name: string, data: Json | undefined, received: string | undefined])[] = [
      ["move", { to: "e4" }, '{"to":"e4"}'],
      ["move", '{"to":"e4"}', '{"to":"e4"}'],
      ["move", "", "{}"],
      ["move", null, "{}"],
      ["move", undefined, "{}"],
      ["rest", null, undefined],
      ["rest", "", undefined],
      ["rest", {}, undefined],
    ];
    for (const [name, data, received] of cases) {
      const call = fixture.call("sendAction", { path, body: data === undefined ? { name } : { name, data } });
      const action = await chess.action(name);
      check.equal(action.data, received, JSON.stringify(data));
      chess.result(action.id, true, "done");
      check.equal((await call).success, true);
    }
    chess.line.close();
  }));
