/** Macros: actions that operators have saved under a label. */
import { test } from "#runner";
import { MACRO_DATA_LENGTH_MAX, MACRO_LABEL_LENGTH_MAX } from "../../../../../src/core/limits.ts";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import type { Entry } from "../../../../../src/core/event.ts";
import type { MacroView, Page } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, type ScenarioOptions, started } from "../fixture.ts";
import { type Answer, Operator, type Wanted } from "./operator-fixture.ts";

const MOVE = {
  name: "move",
  description: "moves",
  schema: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
};

interface Table {
  readonly scenario: Scenario;
  readonly operator: Operator;
  readonly chess: FakeGame;
}

function table(options: ScenarioOptions = {}): Table {
  const scenario = new Scenario(options);
  const chess = started(scenario, "Chess", "wave");
  chess.register(MOVE);
  chess.heard();
  return { scenario, operator: new Operator(scenario), chess };
}

const save = (label: string, to: string): Wanted => ({
  do: "saveMacro",
  label,
  id: "chess",
  name: "move",
  data: JSON.stringify({ to }),
});

// Why the casts: a reply of the declared type.
const macros = (operator: Operator): readonly MacroView[] =>
  (operator.ask({ get: "macros" }).body as unknown as Page<MacroView>).items;
const viewOf = (answer: Answer): MacroView => answer.body as unknown as MacroView;

const stored = (entries: readonly Entry[]): readonly Entry[] => entries.filter(({ key }) => key.startsWith("neuro/macro/"));

test("NB360 an operator saves an action under a label, and another one who may send actions runs it and gets the result", () => {
  const { scenario, operator, chess } = table();
  const saved = operator.ask(save(" Open with e4 ", "e4"));
  const { id, ...view } = viewOf(saved);
  check.equal(view, {
    label: "Open with e4",
    integration: "chess",
    action: "move",
    data: '{"to":"e4"}',
    by: "web",
    saved_at: scenario.now,
  });
  check.that(saved.after?.startsWith("neuro/macro/") === true, "the reply waits until it is stored");
  check.equal(macros(operator), [{ id, ...view }]);
  const helper = new Operator(scenario, ["watch", "command"]);
  const call = helper.call({ do: "runMacro", macro: id });
  check.equal(chess.heard(), ['action move {"to":"e4"}']);
  chess.result(true, { message: "moved" });
  check.equal((helper.answer(call)?.body as { message?: string }).message, "moved");
  check.equal(scenario.observed("operator_acted").map(({ did, to, outcome }) => [did, to, outcome]), [
    ["save_macro", "chess move: Open with e4", "done"],
    ["run_macro", "chess move: Open with e4", "done"],
  ]);
});

test("NB360b a label is saved in place of the macro that has it, which keeps its id and its place", () => {
  const { operator } = table();
  const first = viewOf(operator.ask(save("one", "a1")));
  operator.ask(save("two", "b2"));
  const again = viewOf(operator.ask({ do: "saveMacro", label: "one", id: "chess", name: "wave" }));
  check.equal([again.id, again.action, again.data], [first.id, "wave", null]);
  check.equal(macros(operator).map(({ label, action }) => [label, action]), [["one", "wave"], ["two", "move"]]);
});

test("NB361 macros outlive a restart, and a deleted one does not come back", () => {
  const { scenario, operator } = table();
  operator.ask(save("kept", "a1"));
  const gone = viewOf(operator.ask(save("gone", "b2")));
  operator.ask(save("kept", "c3"));
  check.equal(operator.ask({ do: "deleteMacro", macro: gone.id }).body, { status: "deleted" });
  check.equal(stored(scenario.entries()).length, 1, "one entry for each macro");
  const { operator: later } = table({ entries: scenario.entries(), now: scenario.now });
  check.equal(macros(later).map(({ label, data }) => [label, data]), [["kept", '{"to":"c3"}']]);
  check.equal(later.fault({ do: "runMacro", macro: gone.id }), "notFound");
  const [kept] = macros(later);
  check.equal(later.ask({ do: "deleteMacro", macro: kept?.id ?? "" }).fault, undefined);
  check.equal(stored(later.scenario.entries()), [], "the restored entry is deleted");
});

test("NB361b a damaged entry is not restored, and its entry is deleted", () => {
  const { scenario, operator } = table();
  operator.ask(save("one", "a1"));
  const damaged = scenario.entries().map((entry) =>
    entry.key.startsWith("neuro/macro/") ? { ...entry, value: { v: 1, id: 1 } } : entry
  );
  const later = table({ entries: damaged, now: scenario.now });
  later.scenario.pass(5_000);
  check.equal([macros(later.operator), stored(later.scenario.entries())], [[], []]);
});

test("NB362 a macro is refused with the reason when it is saved, and again when it is run", () => {
  const limits = { ...DEFAULTS.limits, macros: 2 };
  const { scenario, operator, chess } = table({ settings: { limits } });
  const long = JSON.stringify({ to: "x".repeat(MACRO_DATA_LENGTH_MAX) });
  const refusals: [Wanted, string, RegExp][] = [
    [save("  ", "a1"), "badMessage", /1 to 60 characters/],
    [save("x".repeat(MACRO_LABEL_LENGTH_MAX + 1), "a1"), "badMessage", /this one 61/],
    [{ ...save("a", "a1"), id: "nobody" } as Wanted, "notFound", /nobody/],
    [{ ...save("a", "a1"), name: "bet" } as Wanted, "notFound", /Chess has no action bet/],
    [{ ...save("a", "a1"), data: "{}" } as Wanted, "badMessage", /to/],
    [{ ...save("a", "a1"), data: long } as Wanted, "badMessage", /at most 16384 characters/],
    [{ do: "runMacro", macro: "1-1" }, "notFound", /no macro has the id 1-1/],
    [{ do: "deleteMacro", macro: "1-1" }, "notFound", /no macro has the id 1-1/],
  ];
  for (const [wanted, fault, reason] of refusals) {
    const answer = operator.ask(wanted);
    check.equal(answer.fault, fault, JSON.stringify(wanted).slice(0, 200));
    check.match(String(answer.reason), reason);
  }
  const { id } = viewOf(operator.ask(save("one", "a1")));
  operator.ask(save("two", "b2"));
  check.match(String(operator.ask(save("three", "c3")).reason), /2 macros are saved; `limits.macros` allows 2/);
  check.equal(operator.fault(save("two", "c3")), undefined, "a saved one can be changed");
  for (
    const [wanted, scopes] of [[save("one", "a1"), ["command"]], [{ do: "deleteMacro", macro: id }, ["command"]]] as const
  ) {
    check.equal(new Operator(scenario, scopes).fault(wanted), "notAllowed");
  }
  check.equal(new Operator(scenario, ["watch", "admin"]).fault({ do: "runMacro", macro: id }), "notAllowed");
  chess.unregister("move");
  check.equal(operator.fault({ do: "runMacro", macro: id }), "notFound");
  chess.register({ ...MOVE, schema: { type: "object", properties: { to: { type: "integer" } }, required: ["to"] } });
  check.equal(operator.fault({ do: "runMacro", macro: id }), "badMessage");
  chess.close();
  check.equal(operator.fault({ do: "runMacro", macro: id }), "notNow");
  check.equal(chess.heard(), []);
});

test("NB362b macros are counted with what is kept, and no longer once they are deleted", () => {
  const { scenario, operator } = table();
  const { retained } = scenario.harness.state;
  const before = retained.bytes;
  const { id } = viewOf(operator.ask(save("one", "x".repeat(4_000))));
  check.that(retained.bytes - before > 8_000 && retained.bytes - before < 10_000, `${retained.bytes - before}`);
  operator.ask(save("one", "a1"));
  check.that(retained.bytes - before < 1_500, "the data before is not counted any more");
  operator.ask({ do: "deleteMacro", macro: id });
  check.equal(retained.bytes, before);
});
