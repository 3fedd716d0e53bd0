/** Values as other languages write them: the booleans of Python, the lists of Lua and PHP. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Json } from "../../../src/core/json.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { check } from "../../harness/check.ts";

function read(command: string, data: Json) {
  const result = decodeGame(JSON.stringify({ command, game: "Chess", data }), DEFAULTS.limits);
  check.that(result.ok);
  const { message, repairs } = result;
  return { message, kinds: repairs.map(({ what }) => what) };
}

test("NB104b a boolean that Python wrote is read in a context, a force and a schema", () => {
  const { message: said } = read("context", { message: "m", silent: "True" });
  check.that(said.command === "context" && said.silent);
  const { message: forced } = read("actions/force", { query: "q", action_names: ["a"], ephemeral_context: "True" });
  check.that(forced.command === "actions/force" && forced.ephemeral);
  const properties = {
    a: { type: "string", required: "True" },
    b: { type: "array", uniqueItems: "False" },
    c: { required: 0 },
  };
  const schema: Json = { type: "object", properties };
  const { message: registered } = read("actions/register", { actions: [{ name: "a", description: "d", schema }] });
  check.that(registered.command === "actions/register");
  check.equal(registered.actions[0]?.schema, {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "array", uniqueItems: false }, c: {} },
    required: ["a"],
  });
});

test("NB103e a list that a program wrote as an object with numbers as keys is read as a list", () => {
  const names = (action_names: Json) => {
    const { message } = read("actions/unregister", { action_names });
    return message.command === "actions/unregister" ? message.names : undefined;
  };
  check.equal(names({ 0: "a", 1: { name: "b" } }), ["a", "b"]);
  check.equal(names({ 1: "a", 2: "b" }), ["a", "b"]);
  check.equal(names({ 1: {}, 2: {} }), ["1", "2"], "two actions by name");
  check.equal(names({ 1: "a", 3: "b" }), ["1", "3"], "not the numbers of a list");
  const action = { name: "play", description: "Plays.", schema: { type: "object" } };
  for (const actions of [{ 0: action }, { 1: action }]) {
    const { message, kinds } = read("actions/register", { actions });
    check.equal([message, kinds], [{ command: "actions/register", actions: [action] }, ["list_expected"]]);
  }
});
