/** The relay in the place of Neuro: what it does without a force, and what goes wrong on request. */
import { test } from "#runner";
import fc from "fast-check";
import { BEHAVIOUR_PRESET_NAMES, BEHAVIOUR_PRESETS, DEFAULTS } from "../../../../../src/core/defaults.ts";
import type { JsonObject } from "../../../../../src/core/json.ts";
import type { BackendSettings, BehaviourPreset, BehaviourSettings } from "../../../../../src/core/settings.ts";
import { decide, type Fetch } from "../../../../../src/jobs/openai.ts";
import { invalidData, resolveBehaviour } from "../../../../../src/services/neuro/standalone/behaviour.ts";
import { sampleData } from "../../../../../src/services/neuro/standalone/sampler.ts";
import { checkData, compileSchema } from "../../../../../src/services/neuro/codec/validate-data.ts";
import { seededRandom } from "../../../../../src/core/random.ts";
import { check } from "../../../../harness/check.ts";
import { action, behaving, type FakeGame, Scenario, type ScenarioOptions, started } from "../fixture.ts";
import { Operator } from "../operator/operator-fixture.ts";
import { FORCE, names, Play, SCHEMA } from "./decider-fixture.ts";

const MOVE: JsonObject = { ...action("move"), schema: SCHEMA };
const backend = DEFAULTS["nakurity-backend"];

/** A relay in the place of Neuro, with that behaviour. */
const standalone = (behaviour: BackendSettings, options: ScenarioOptions = {}): Scenario =>
  new Scenario({ neuros: [], ...options, settings: { "nakurity-backend": behaviour } });

/** A game that answers each action at once, and what it got in that time. */
function playFor(ms: number, { scenario, game }: { scenario: Scenario; game: FakeGame }): readonly string[] {
  const got: string[] = [];
  for (const until = scenario.now + ms; scenario.now < until; scenario.pass(100)) {
    for (const frame of game.heard()) {
      if (!frame.startsWith("action ")) continue;
      got.push(frame);
      game.result(true);
    }
  }
  return got;
}

test("NB260 a preset has a value for each field, and a value that is set replaces it; a chosen preset applies as it is", () => {
  for (const preset of BEHAVIOUR_PRESET_NAMES) {
    const settings = { ...backend.behaviour, preset };
    check.equal(resolveBehaviour(settings, undefined), BEHAVIOUR_PRESETS[preset]);
    const own = resolveBehaviour({ ...settings, interval: 7, percent: { ...settings.percent, no_answer: 0 } }, undefined);
    check.equal(own, {
      ...BEHAVIOUR_PRESETS[preset],
      interval: 7,
      percent: { ...BEHAVIOUR_PRESETS[preset].percent, no_answer: 0 },
    });
    check.equal(resolveBehaviour({ ...settings, interval: 7 }, "hostile"), BEHAVIOUR_PRESETS.hostile);
  }
  for (const { percent: { no_answer: _, ...ofActions } } of Object.values(BEHAVIOUR_PRESETS)) {
    check.that(Object.values(ofActions).reduce((sum, each) => sum + each, 0) <= 100);
  }
});

test("NB260 the most specific preset applies: an operator's for the game, its policy's, an operator's for all, the settings", () => {
  const actsIn = (scenario: Scenario, chess: FakeGame): boolean => playFor(60_000, { scenario, game: chess }).length > 0;
  for (
    const [setting, all, policy, own, acts] of [
      ["polite", null, undefined, null, false],
      ["lively", null, undefined, null, true],
      ["polite", "lively", undefined, null, true],
      ["lively", "polite", undefined, null, false],
      ["polite", "polite", "lively", null, true],
      ["lively", "lively", "polite", null, false],
      ["polite", "polite", "polite", "lively", true],
      ["lively", "lively", "lively", "polite", false],
    ] as readonly [BehaviourPreset, BehaviourPreset | null, BehaviourPreset | undefined, BehaviourPreset | null, boolean][]
  ) {
    const integrations = policy === undefined ? [] : [{ match: "Ch*", behaviour: policy }];
    const scenario = standalone(behaving({ preset: setting }), { integrations });
    const operator = new Operator(scenario);
    const chess = started(scenario, "Chess", MOVE);
    operator.ask({ do: "setGlobalControls", to: { behaviour: all } });
    operator.control("chess", { behaviour: own });
    check.equal(actsIn(scenario, chess), acts, `${setting} ${all} ${policy} ${own}`);
  }
});

test("NB261 with `on_context` an action follows a context that is not silent, in the integration that sent it", () => {
  const scenario = standalone(behaving({ voluntary: "on_context", answer_delay: 500, answer_jitter: 500 }));
  const chess = started(scenario, "Chess", MOVE);
  const poker = started(scenario, "Poker", action("fold"));
  chess.context("The board is set.");
  scenario.pass(60_000);
  check.equal(chess.heard().filter((frame) => frame.startsWith("action")), []);
  for (let round = 0; round < 20; round++) {
    poker.context("Your chips are gone.", false);
    scenario.pass(499);
    check.equal(poker.heard().filter((frame) => frame.startsWith("action")), []);
    scenario.pass(501);
    check.equal(poker.heard(), ["action fold"]);
    poker.result(true);
  }
  check.equal(chess.heard(), []);
});

test("NB261b under `lively` a game that never forces gets a voluntary action within 1.5 intervals, and then again", () => {
  const scenario = standalone(behaving({ preset: "lively" }));
  const game = started(scenario, "Chess", MOVE);
  const { interval } = BEHAVIOUR_PRESETS.lively;
  const times = [scenario.now];
  for (; times.length < 11; scenario.pass(100)) {
    if (playFor(100, { scenario, game }).length > 0) times.push(scenario.now);
  }
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  for (const gap of gaps) check.that(gap >= interval / 2 - 200 && gap <= interval * 1.5 + 200, `${gap} ms`);
});

test("NB261c nothing happens without a force while one is open or an action has no result, without actions, and for `none`", () => {
  const scenario = standalone({ ...behaving({ voluntary: "timer", interval: 1_000 }), decider: "none" });
  const chess = started(scenario, "Chess", MOVE);
  chess.context("Hi", false);
  scenario.pass(20_000);
  check.equal(chess.heard().filter((frame) => frame.startsWith("action")), []);
  const play = new Play(behaving({ voluntary: "timer", interval: 1_000 }));
  play.hear(FORCE);
  check.equal(play.pass(7_999), []);
  check.equal(play.pass(1).length, 1);
  check.equal(play.pass(60_000), []);
  play.result(true);
  check.equal(play.pass(1_500).length, 1);
  play.hear({ command: "action/result", id: "none", success: true });
  check.equal(play.pass(60_000), []);
  play.result(false, "no");
  play.hear({ command: "actions/unregister", names: ["move", "pass", "wave"] });
  check.equal(play.pass(60_000), []);
  check.equal(play.decider.impulses.size, 0);
});

test("NB261c a game that sends its next force with each result gets no action in between, and nothing is reported of it", () => {
  const scenario = standalone({ ...behaving({ preset: "lively", interval: 500 }), choice_timeout: 100 });
  const chess = started(scenario, "Chess", "move");
  chess.force(["move"]);
  let count = 0;
  for (const until = scenario.now + 60_000; scenario.now < until; scenario.pass(10)) {
    for (const frame of chess.heard()) {
      if (!frame.startsWith("action")) continue;
      count++;
      chess.result(true).force(["move"]);
    }
  }
  check.that(count > 20, `${count} actions`);
  check.equal(scenario.observed("diagnostic"), []);
  check.that(scenario.observed("action_sent").every(({ forced }) => forced));
});

test("NB261c a force that is never answered, or an unknown action without a result, ends no voluntary actions", () => {
  for (const kind of ["no_answer", "unknown_action"] as const) {
    const scenario = standalone(behaving({ voluntary: "timer", interval: 1_000, percent: { [kind]: 100 } }));
    const chess = started(scenario, "Chess", MOVE);
    chess.force(["move"]);
    scenario.pass(300_000);
    const before = chess.ids().length;
    scenario.pass(10_000);
    check.that(chess.ids().length > before, kind);
    check.equal(scenario.observed("result_ignored"), []);
  }
});

test("NB261d the language model is asked for a voluntary action without a query, and may decline; a force comes first", () => {
  const play = new Play({ ...behaving({ voluntary: "on_context" }), decider: "openai" });
  const ask = () => {
    play.hear({ command: "context", message: "Hi", silent: false });
    play.pass(0);
    const { voluntary } = play.decider;
    check.that(voluntary !== undefined, "the model was not asked");
    return voluntary.job;
  };
  check.equal(play.ran({ name: null }, ask()), []);
  check.equal(play.asked.at(-1)?.["query"], undefined);
  check.equal(names(play.ran({ name: "pass" }, ask())), ["pass"]);
  play.result(true);
  check.equal(play.ran({ name: "castle" }, ask()), []);
  const job = ask();
  play.hear(FORCE);
  check.equal(play.ran({ name: "pass" }, job), []);
  check.equal(play.state, "offered");
});

test("NB261d the request for a voluntary action tells the model how to decline", async () => {
  const requests: string[] = [];
  const fetch: Fetch = (_, { body }) => {
    requests.push(String(body));
    return Promise.resolve(Response.json({ choices: [{ message: { content: '{"name": null}' } }] }));
  };
  const endpoint = { ...backend.openai, url: "http://model.test" };
  check.equal(await decide({ actions: [], memory: [] }, endpoint, { fetch, apiKey: undefined }), { name: null });
  check.match(requests[0] ?? "", /answer \{\\"name\\": null\}/);
  await decide({ actions: [], memory: [], query: "Your move" }, endpoint, { fetch, apiKey: undefined });
  check.that(!(requests[1] ?? "").includes("null}"));
});

test("NB262 a decision takes `answer_delay` and up to `answer_jitter` longer, also after a failure", () => {
  const settings = { ...behaving({ answer_delay: 2_000, answer_jitter: 1_000 }), choice_timeout: 1_000 };
  for (let seed = 0; seed < 20; seed++) {
    const play = new Play({ ...settings, seed });
    play.hear(FORCE);
    check.equal(play.pass(2_999), []);
    check.equal(play.pass(1_001).length, 1);
    check.equal(play.result(false, "no"), []);
    check.equal(play.pass(1_999), []);
    check.equal(play.pass(1_001).length, 1);
  }
});

test("NB262b a force that is not answered stays open, until its game repeats it or the relay ends it", () => {
  const play = new Play(behaving({ percent: { no_answer: 100 } }));
  play.hear(FORCE);
  check.equal(play.pass(600_000), []);
  check.equal(play.state, "offered");
  check.equal(names(play.choose("pass")), ["pass"]);
});

test("NB263 each misbehaviour happens as often as its percentage says, and nothing else does", () => {
  const decided = (percent: Partial<BehaviourSettings["percent"]>): readonly string[] => {
    const play = new Play({ ...behaving({ percent }), seed: 7 });
    return Array.from({ length: 400 }, () => {
      const before = play.said.length;
      play.hear({ ...FORCE, names: ["move"] } as typeof FORCE);
      play.pass(8_000);
      const said = play.said.slice(before);
      play.hear({ command: "startup" });
      play.hear({ command: "actions/register", actions: [{ name: "move", description: "d", schema: SCHEMA }] });
      const [first] = said;
      check.that(first?.command === "action");
      if (said.length === 2) return "repeated_action";
      if (first.name !== "move") return "unknown_action";
      if (first.data === undefined) return "missing_data";
      return checkData(compileSchema(SCHEMA), first.data).ok ? "right" : "invalid_data";
    });
  };
  const kinds = ["unknown_action", "missing_data", "invalid_data", "repeated_action"] as const;
  for (const kind of kinds) {
    check.equal(new Set(decided({ [kind]: 100 })), new Set([kind]));
    const share = decided({ [kind]: 25 }).filter((each) => each === kind).length;
    check.that(share > 60 && share < 140, `${share} of 400 are ${kind}`);
  }
  check.equal(new Set(decided({})), new Set(["right"]));
  const all = decided({ unknown_action: 25, missing_data: 25, invalid_data: 25, repeated_action: 25 });
  check.equal(all.filter((each) => each === "right"), []);
});

test("NB263b whatever the schema is, `invalid_data` does not fit it", () => {
  const values = fc.oneof(
    fc.constant({ type: "string" }),
    fc.constant({ type: "integer", minimum: 3 }),
    fc.constant({ enum: ["a", 1, null] }),
    fc.constant({ type: "array", items: { type: "boolean" }, minItems: 1 }),
    fc.constant({}),
  );
  const keys = fc.constantFrom("a", "b", "c");
  fc.assert(
    fc.property(fc.dictionary(keys, values), fc.subarray(["a", "b", "c"]), fc.nat(), (properties, required, seed) => {
      const random = seededRandom(seed);
      const schema = compileSchema({ type: "object", properties, required });
      const text = invalidData(schema, sampleData(schema.normalized, random, "varied"), random);
      check.equal(checkData(schema, text).ok, false, text);
    }),
  );
});

test("NB264 an unknown action reaches the integration alone; its failure is the result for Neuro, who tries again", () => {
  const scenario = standalone(behaving({ percent: { unknown_action: 100 } }));
  const chess = started(scenario, "Chess", MOVE);
  const poker = started(scenario, "Poker", MOVE);
  chess.force(["move"]);
  scenario.pass(8_000);
  check.match(chess.heard().at(-1) ?? "", /^action move_2 /);
  chess.result(false, { message: "unknown action" });
  check.match(chess.heard().at(-1) ?? "", /^action move_2 /);
  check.equal(poker.heard().filter((frame) => frame.startsWith("action")), []);
  check.equal(scenario.observed("action_result").map(({ name, from, success }) => [name, from, success]), [
    ["move_2", "Chess", false],
  ]);
  check.equal(scenario.observed("result_ignored"), []);
  chess.result(false, { id: chess.ids()[0] ?? "", message: "again" });
  check.equal(scenario.observed("result_ignored").map(({ why }) => why), ["late"]);
});

test("NB264 an integration of the Intermediary gets an unknown action as a game does", () => {
  const scenario = standalone(behaving({ voluntary: "on_context", percent: { unknown_action: 100 } }));
  const lamp = scenario.integration("lamp").register("light");
  lamp.say({ command: "context", message: "It is dark.", silent: false });
  scenario.pass(100);
  check.equal(lamp.ids().length, 1);
  lamp.result(true, lamp.lastId());
  check.equal(scenario.observed("action_result").map(({ name, from, success }) => [name, from, success]), [
    ["light_2", "lamp", true],
  ]);
  check.equal(scenario.observed("diagnostic").map(({ what, from }) => [what, from]), [["unknown_action_accepted", "lamp"]]);
});

test("NB264 an unknown action without a result until its deadline is reported, unless its game answered, or has left since", () => {
  const reported = (act: (game: FakeGame, scenario: Scenario) => void): readonly string[] => {
    const scenario = standalone(behaving({ voluntary: "on_context", percent: { unknown_action: 100 } }));
    const chess = started(scenario, "Chess", MOVE).context("Your turn.", false);
    scenario.pass(100);
    check.match(chess.heard().at(-1) ?? "", /^action move_2/);
    act(chess, scenario);
    return scenario.observed("diagnostic").map(({ what, detail }) => `${what} ${detail}`);
  };
  const deadline = 18_000;
  check.equal(reported((_, scenario) => scenario.pass(deadline - 101)), []);
  check.equal(reported((_, scenario) => scenario.pass(deadline)), ["unknown_action_ignored move_2"]);
  check.equal(
    reported((chess, scenario) => {
      chess.result(false, { message: "unknown action" });
      scenario.pass(2 * deadline);
    }),
    [],
  );
  check.equal(
    reported((chess, scenario) => {
      chess.close();
      started(scenario, "Chess", MOVE);
      scenario.pass(deadline);
    }),
    ["broken_by_action move_2; it closed with 1006"],
  );
});

test("NB264c a game that breaks at an unknown action or at invalid data is reported, and one that leaves in order or later is not", () => {
  const found = (behaviour: BackendSettings, { afterMs = 0, code = 1006 } = {}): readonly string[] => {
    const scenario = standalone(behaviour);
    const chess = started(scenario, "Chess", MOVE);
    chess.force(["move"]);
    scenario.pass(8_000 + afterMs);
    scenario.step({ is: "closed", peer: chess.peer, code });
    return scenario.observed("diagnostic").map(({ what, severity }) => `${severity} ${what}`);
  };
  for (const kind of ["unknown_action", "missing_data", "invalid_data"] as const) {
    const behaviour = behaving({ percent: { [kind]: 100 } });
    check.equal(found(behaviour), ["error broken_by_action"], kind);
    check.equal(found(behaviour, { code: 1000 }), [], kind);
    check.equal(found(behaviour, { afterMs: 5_000 }), [], kind);
  }
  check.equal(found(behaving({})), []);
});

test("NB264b no integration that is held, or that needs approval, gets an unknown action; at most 8 of one wait for a result", () => {
  const unknown = behaving({ voluntary: "on_context", percent: { unknown_action: 100 } });
  const scenario = standalone(unknown);
  const chess = started(scenario, "Chess", MOVE);
  const operator = new Operator(scenario);
  operator.control("chess", { approval: true });
  chess.context("Hi", false);
  scenario.pass(100);
  check.equal(chess.heard().filter((frame) => frame.startsWith("action")), []);
  operator.control("chess", { approval: false });
  for (let count = 0; count < 50; count++) {
    chess.context(`Hi ${count}`, false);
    scenario.pass(100);
  }
  check.equal(chess.ids().length, 50);
  check.equal(scenario.harness.state.games.get("neuro:Chess")?.unregisteredActions.length, 8);
});

test("NB265 the same seed behaves the same, and misbehaviour that is off changes no decision", () => {
  const run = (settings: BackendSettings): readonly string[] => {
    const scenario = standalone(settings);
    return playFor(120_000, { scenario, game: started(scenario, "Chess", MOVE, action("pass")) });
  };
  for (const preset of ["lively", "clumsy", "hostile"] as const) {
    check.equal(run(behaving({ preset })), run(behaving({ preset })));
    check.that(run(behaving({ preset })).join() !== run({ ...behaving({ preset }), seed: 2 }).join());
  }
});

test("NB266 an operator's preset takes effect at once, is kept over a restart, observed, and ended with null", () => {
  const scenario = standalone(backend);
  const operator = new Operator(scenario);
  const game = started(scenario, "Chess", MOVE);
  check.equal(playFor(60_000, { scenario, game }), []);
  check.equal(operator.control("chess", { behaviour: "lively" }).behaviour, "lively");
  check.that(playFor(25_000, { scenario, game }).length > 0);
  operator.ask({ do: "setGlobalControls", to: { behaviour: "clumsy" } });
  const acts = scenario.observed("operator_acted").map(({ did, to, outcome }) => [did, to, outcome]);
  check.equal(acts, [["behave", "chess lively", "done"], ["behave", "all clumsy", "done"]]);
  const again = standalone(backend, { entries: scenario.entries() });
  const after = new Operator(again);
  check.equal(after.integration("chess").behaviour, "lively");
  check.equal(after.status().controls.behaviour, "clumsy");
  check.equal(after.control("chess", { behaviour: null }).behaviour, null);
  after.ask({ do: "setGlobalControls", to: { behaviour: null } });
  const back = started(again, "Chess", MOVE);
  check.equal(playFor(60_000, { scenario: again, game: back }), []);
});

test("NB266 a value that is no preset changes nothing", () => {
  const operator = new Operator(standalone(backend));
  started(operator.scenario, "Chess", MOVE);
  // Why the cast: a request of a program may contain anything.
  for (const behaviour of ["rude", 5, true, {}, "toString"] as unknown as BehaviourPreset[]) {
    check.equal(operator.control("chess", { behaviour }).behaviour, null);
  }
});
