/** The relay in the place of Neuro, in cases of error: failures, retries, late choices, invalid answers of models. */
import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import type { GameMessage, NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import { reconfigure } from "../../../../../src/services/neuro/standalone/decider.ts";
import { compileSchema, validationError } from "../../../../../src/services/neuro/codec/validate-data.ts";
import { check } from "../../../../harness/check.ts";
import { FORCE, MOVE, names, PASS, Play, SCHEMA } from "./decider-fixture.ts";

const MODEL = { ...DEFAULTS["nakurity-backend"].openai, url: "http://x", model: "m" };

test("NB144 `random` decides with valid data, and the same for the same seed", () => {
  const decisions = (seed: number): readonly NeuroMessage[] => {
    const play = new Play({ decider: "random", seed });
    for (let round = 0; round < 20; round++) {
      play.hear(FORCE);
      play.pass(8_000);
      play.result(true);
    }
    return play.said;
  };
  const schema = compileSchema(SCHEMA);
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const said = decisions(seed);
      check.equal(said, decisions(seed));
      for (const message of said) {
        check.that(message.command === "action");
        if (message.name === "move") check.equal(validationError(schema, JSON.parse(message.data ?? "")), undefined);
        else check.equal(message.data, undefined);
      }
      check.equal(new Set(names(said)).size, 2);
    }),
    { numRuns: 20 },
  );
  check.that(JSON.stringify(decisions(1)) !== JSON.stringify(decisions(2)));
});

test("NB142c a multiple of a fraction is one in binary, also from the end of the allowed range", () => {
  const it = { type: "number", multipleOf: 0.7, minimum: -14 };
  for (let seed = 0; seed < 500; seed++) {
    const play = new Play({ decider: "random", seed });
    play.hear({
      command: "actions/register",
      actions: [{ name: "act", description: "", schema: { type: "object", properties: { it }, required: ["it"] } }],
    });
    play.hear({ command: "actions/force", query: "", ephemeral: false, priority: "low", names: ["act"] });
    const [sent] = play.pass(8_000);
    check.that(sent?.command === "action");
    const value = JSON.parse(sent.data ?? "").it;
    check.that(Number.isInteger(value / 0.7) && value >= -14, `seed ${seed}: ${value}`);
  }
});

test("NB145 a failed result is decided again `retries` times, and then the force is over", () => {
  const play = new Play({ decider: "first", retries: 2 });
  play.hear(FORCE);
  check.equal(names(play.pass(8_000)), ["move"]);
  check.equal(names(play.result(false, "occupied")), ["pass"]);
  check.equal(names(play.result(false)), ["move"]);
  check.equal(names(play.result(false)), []);
  check.equal(play.state, "idle");
});

test("NB145 with `decider: none` a force whose action failed waits for a choice again", () => {
  const play = new Play({ decider: "none" });
  play.hear(FORCE);
  play.choose("pass");
  check.equal(play.result(false), []);
  check.equal(play.offers.length, 2);
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB146 only the success of the force's own action ends the force", () => {
  const play = new Play();
  play.hear(FORCE);
  play.choose("wave");
  play.result(true);
  check.equal(play.state, "offered");
  play.choose("pass");
  play.result(true);
  check.equal(play.state, "idle");
  play.hear({ command: "action/result", id: "77", success: true });
  check.equal(play.observations, [{ is: "result_ignored", from: "unknown", why: "unknown" }]);
});

test("NB147 a newer force replaces the open one, whose result is then ignored", () => {
  const play = new Play();
  play.hear(FORCE);
  play.choose("pass");
  play.hear(FORCE);
  play.result(false);
  check.equal(play.state, "offered");
  check.equal(play.offers.length, 2);
});

test("NB147b an unregistered action is not chosen any more", () => {
  const play = new Play({ decider: "first" });
  play.hear(FORCE);
  play.hear({ command: "actions/unregister", names: ["move"] });
  check.equal(names(play.pass(8_000)), ["pass"]);
});

test("NB148 a registered action may be chosen without a force", () => {
  const play = new Play();
  check.equal(names(play.choose("wave")), ["wave"]);
  check.equal(play.result(false), []);
  check.equal(play.state, "idle");
});

test("NB148 a choice for a force that is already decided is refused", () => {
  const play = new Play({ decider: "first" });
  play.hear(FORCE);
  play.pass(8_000);
  play.result(true);
  check.equal(play.choose("pass"), []);
  check.match(play.refused[0] ?? "", /already/);
  play.pass(8_000);
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB149 `openai`: an invalid answer is asked for again with the reason", () => {
  const play = new Play({ decider: "openai", openai: MODEL });
  play.hear({ command: "context", message: "The queen is lost.", silent: true });
  play.hear(FORCE);
  play.pass(8_000);
  check.equal(play.asked[0], {
    state: "board",
    query: "Your move",
    actions: [{ ...MOVE }, { ...PASS }],
    memory: ["Chess: The queen is lost."],
    wrong: undefined,
  });
  check.equal(play.ran({ name: "move", data: { to: "z9" } }), []);
  check.match(String(play.asked[1]?.["wrong"]), /to: Instance does not match/);
  check.equal(play.ran("I would rather sing"), []);
  check.equal(play.asked.length, 3);
  check.equal(play.ran({ name: "move", data: '{"to":"a3"}' }), [
    {
      command: "action",
      id: play.said.flatMap((m) => (m.command === "action" ? [m.id] : []))[0] ?? "",
      name: "move",
      data: '{"to":"a3"}',
    },
  ]);
});

test("NB149 `openai`: after `attempts` invalid answers the decision is random, and that is reported", () => {
  const play = new Play({ decider: "openai", openai: { ...MODEL, timeout: 10_000, attempts: 2 } });
  play.hear(FORCE);
  play.pass(8_000);
  check.equal(play.ran({ name: "castle" }), []);
  check.equal(play.ran(undefined).length, 1);
  check.match(play.refused[0] ?? "", /at random/);
});

test("NB165 a language model that can never answer is asked once, and again after the settings changed", () => {
  const play = new Play({ decider: "openai", openai: MODEL });
  const force = (): void => {
    play.hear(FORCE);
    play.pass(8_000);
  };
  force();
  check.equal(play.fails("the endpoint answered 401", { isFinal: true }).length, 1);
  check.equal(play.refused, ["the endpoint answered 401; until then the relay decides at random"]);
  for (let count = 0; count < 5; count++) {
    play.result(true);
    force();
  }
  check.equal([play.asked.length, play.refused.length], [1, 1]);
  check.equal(play.said.filter(({ command }) => command === "action").length, 6);
  reconfigure(play.decider, play.decider.settings, play);
  play.result(true);
  force();
  check.equal(play.asked.length, 2);
  for (let count = 0; count < 3; count++) play.fails("the endpoint answered 503");
  check.equal(play.refused.at(-1), "the endpoint answered 503; decided at random instead");
});

test("NB150 the answer of an earlier job is ignored, and a watcher may choose before the model answers", () => {
  const play = new Play({ decider: "openai" });
  play.hear(FORCE);
  play.pass(8_000);
  const stale = play.job;
  play.ran(undefined);
  check.equal(play.ran({ name: "pass" }, stale), []);
  const current = play.job;
  check.equal(names(play.choose("move", '{"to":"a1"}')), ["move"]);
  check.equal(play.ran({ name: "pass" }, current), []);
});

test("NB151 the registered names of a force are choices, and the others are reported", () => {
  const play = new Play({ decider: "first" });
  play.hear({ ...FORCE, names: ["castle", "pass"] } as GameMessage);
  check.equal(names(play.pass(8_000)), ["pass"]);
  const other = new Play();
  other.hear({ ...FORCE, names: ["castle"] } as GameMessage);
  check.equal([other.state, other.offers.length], ["idle", 0]);
  for (const { observations } of [play, other]) {
    check.that(observations[0]?.is === "input_repaired" && observations[0].from === "Chess");
    check.match(observations[0].hint, /castle/);
  }
});

test("NB152 the model is told of contexts, forces, actions and results in their order, and of nothing that is ephemeral", () => {
  const play = new Play({ decider: "openai" });
  play.hear({ command: "context", message: "It is dark.", silent: true });
  for (const [query, ephemeral] of [["Once?", true], ["Again?", false]] as const) {
    play.hear({ ...FORCE, query, ephemeral } as GameMessage);
    play.choose("move", '{"to":"a1"}');
    play.result(true, query === "Once?" ? "at a1" : undefined);
  }
  const lines = [
    "Chess: It is dark.",
    'You: {"name":"move","data":"{\\"to\\":\\"a1\\"}"}',
    "Chess: done: at a1",
    "Chess asks: Again?\nState: board",
    'You: {"name":"move","data":"{\\"to\\":\\"a1\\"}"}',
    "Chess: done",
  ];
  check.equal(play.decider.memory.texts, lines);
  play.hear(FORCE);
  play.pass(8_000);
  check.equal(play.asked.at(-1)?.["memory"], lines);
});

test("NB152b the memory has at most `openai.memory_entries` texts with `openai.memory_bytes`, which are charged, and only for a model", () => {
  const play = new Play({ decider: "openai", openai: { ...MODEL, memory_entries: 20, memory_bytes: 100_000 } });
  const { memory, host: { retained } } = play.decider;
  const tell = (length: number) => play.hear({ command: "context", message: "x".repeat(length), silent: true });
  for (let count = 0; count < 100; count++) tell(10);
  check.equal(memory.texts.length, 20);
  for (let count = 0; count < 100; count++) tell(90_000);
  check.that(memory.texts.every(({ length }) => length <= 2_048));
  check.that(retained.bytes <= 100_000 && retained.bytes > 50_000, `${retained.bytes} bytes`);
  reconfigure(
    play.decider,
    { ...play.decider.settings, openai: { ...MODEL, memory_entries: 2, memory_bytes: 100_000 } },
    play,
  );
  check.equal(memory.texts.length, 2);
  reconfigure(play.decider, { ...play.decider.settings, openai: { ...MODEL, memory_entries: 9, memory_bytes: 100 } }, play);
  check.equal([memory.texts.length, retained.bytes], [0, 0]);
  reconfigure(
    play.decider,
    { ...play.decider.settings, openai: { ...MODEL, memory_entries: 9, memory_bytes: 9_000 } },
    play,
  );
  tell(10);
  check.equal(memory.texts.length, 1);
  reconfigure(play.decider, { ...play.decider.settings, decider: "random" }, play);
  tell(10);
  check.equal([memory.texts.length, retained.bytes], [0, 0]);
});

test("NB144b an action without valid data is skipped and reported; if all are skipped, the force waits for a choice", () => {
  const impossible = { name: "impossible", description: "d", schema: { type: "object", not: {} } };
  for (const decider of ["first", "random"] as const) {
    const play = new Play({ decider });
    play.hear({ command: "actions/register", actions: [impossible] });
    const reported = () => play.observations.filter(({ is }) => is === "input_repaired").length;
    const { ephemeral, query } = { ephemeral: false, query: "q" };
    const force = (names: readonly string[]): GameMessage => ({
      command: "actions/force",
      query,
      ephemeral,
      priority: "low",
      names,
      from: "Chess",
    });
    play.hear(force(["impossible"]));
    check.equal([play.pass(60_000), play.state, reported()], [[], "offered", 1]);
    play.hear(force(["impossible", "pass"]));
    check.equal(names(play.pass(8_000)), ["pass"]);
  }
});
