/** Diagnostics: each entry of the catalogue occurs alone, and none for an integration that follows the rules. */
import { test } from "#runner";
import { DIAGNOSTIC_IDS, type DiagnosticId, DIAGNOSTICS } from "../../../../../src/core/diagnostics/catalogue.ts";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { TraceView } from "../../../../../src/core/traces/trace.ts";
import type { DiagnosticView, Page } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, type ScenarioOptions, started } from "../fixture.ts";
import { OCCURRENCES, situation, withDiagnostics, withSettings } from "./occurrences.ts";

interface Filter {
  readonly integration?: string;
  readonly severity?: "error" | "warning" | "info";
  readonly what?: DiagnosticId;
  readonly after?: string;
  readonly limit?: number;
}

function pageOf(scenario: Scenario, filter: Filter = {}): Page<DiagnosticView> {
  const before = scenario.effects.length;
  scenario.step({
    is: "requested",
    requestId: toRequestId("1"),
    principal: { by: "test", scopes: ["watch"] },
    request: { of: "neuro", get: "diagnostics", ...filter },
  });
  const reply = scenario.effects.splice(before).find((effect) => effect.do === "respond");
  check.that(reply !== undefined && "body" in reply);
  return reply.body as unknown as Page<DiagnosticView>; // Why the cast: a reply is any JSON.
}

const found = (scenario: Scenario): readonly DiagnosticId[] =>
  pageOf(scenario, { limit: 1_000 }).items.map(({ what }) => what);

test("DI1 each diagnostic of the catalogue occurs without any other", () => {
  for (const id of DIAGNOSTIC_IDS) {
    const occurrence = OCCURRENCES[id];
    const now = situation(occurrence);
    check.equal(found(now.scenario), [], `${id}: before`);
    occurrence.happen(now);
    check.equal([...found(now.scenario)].sort(), [id, ...occurrence.with ?? []].sort(), id);
    const event = now.scenario.observed("diagnostic").find(({ what }) => what === id);
    check.equal([event?.severity, event?.count], [DIAGNOSTICS[id].severity, 1], id);
  }
});

test("DI1b each entry of the catalogue has a title, a rule, a fix and a link", () => {
  for (const id of DIAGNOSTIC_IDS) {
    const { title, rule, fix, link } = DIAGNOSTICS[id];
    check.match(id, /^[a-z]+(_[a-z]+)*$/);
    check.match(title, /^[A-Zn].*[^.]$/);
    check.match(rule, /^[A-Z`].*\.$/);
    check.match(fix, /^[^.].*[^.:]$/);
    check.that(URL.canParse(link), id);
  }
});

/** A game as the specification and its guide describe one. */
function playWell(scenario: Scenario, turns: number, game: FakeGame): void {
  const neuro = scenario.neuro();
  for (let turn = 0; turn < turns; turn++) {
    const card = `play_card_${turn}`;
    const schema = { type: "object", properties: { at: { enum: [1, 2, 3] } }, required: ["at"] };
    game.register({ name: card, description: "plays a card", schema });
    game.context(`It is turn ${turn}.`);
    game.force([card, "look"], { priority: "medium", state: "cards: 3" });
    neuro.action(`look-${turn}`, "look");
    scenario.pass(20);
    game.result(true);
    scenario.pass(5_000);
    game.force([card]);
    neuro.action(`bad-${turn}`, card, '{"at": 2}');
    game.result(false, { message: "not your turn yet" });
    neuro.action(`good-${turn}`, card, '{"at": 3}');
    scenario.pass(20);
    game.unregister(card).result(true);
    scenario.pass(5_000);
  }
}

test("DI2 a game that follows the specification causes none, also after a reconnection", () => {
  const { scenario } = situation();
  const game = started(scenario, "Cards", "look");
  playWell(scenario, 12, game);
  game.close();
  scenario.pass(3_000);
  playWell(scenario, 12, started(scenario, "Cards", "look"));
  check.equal(found(scenario), []);
  check.equal(scenario.observed("diagnostic"), []);
});

test("DI2b a `startup` that is not the first message is late, and one after a reconnection is neither late nor repeated", () => {
  const { scenario } = situation();
  const poker = scenario.game("Poker").register("bet").startup();
  check.equal([...found(scenario)].sort(), ["startup_late", "startup_missing"]);
  poker.close();
  scenario.game("Poker").startup().register("bet");
  check.equal(pageOf(scenario).items.map(({ count }) => count), [1, 1]);
});

test("DI2c five changes of the actions within 10 s are not many, and neither are 30 in a minute", () => {
  const { scenario, chess } = situation();
  for (let at = 0; at < 30; at++) {
    chess.register("jump").unregister("jump");
    scenario.pass(2_000);
  }
  check.equal(found(scenario), []);
});

test("DI3 occurrences are counted with the first and the last time, and reported at first and then every 10 s", () => {
  const { scenario, chess } = situation();
  const first_at = scenario.now;
  chess.context("");
  for (let at = 0; at < 25; at++) {
    scenario.pass(1_000);
    chess.context("");
  }
  const [only] = pageOf(scenario).items;
  check.equal([only?.count, only?.first_at, only?.last_at], [26, first_at, scenario.now]);
  check.equal(scenario.observed("diagnostic").map(({ count }) => count), [1, 11, 21]);
});

test("DI3 of a flood of contexts each one beyond the limit is counted, and reports have their number", () => {
  const { scenario, chess } = situation();
  for (let second = 0; second <= 20; second++) {
    for (let at = 0; at < 20; at++) chess.context("x");
    scenario.pass(1_000);
  }
  const { items } = pageOf(scenario, { what: "contexts_too_many" });
  check.equal(items.map(({ count }) => count), [360]);
  check.equal(scenario.observed("diagnostic").map(({ count, detail }) => [count, detail]), [[1, "61"], [201, "261"]]);
});

test("DI4c a diagnostic about an action, a force or a result names its trace", () => {
  for (const id of DIAGNOSTIC_IDS) {
    const now = situation(OCCURRENCES[id]);
    OCCURRENCES[id].happen(now);
    const [view] = pageOf(now.scenario, { what: id }).items;
    check.equal(view?.trace !== null, TRACED.has(id), id);
    if (view === undefined || view.trace === null) continue;
    const ids = [...tracesOf(now.scenario)];
    check.that(ids.includes(view.trace), `${id}: ${view.trace} is none of ${ids}`);
  }
});

const TRACED: ReadonlySet<DiagnosticId> = new Set<DiagnosticId>([
  "force_names_unknown",
  "force_names_withheld",
  "result_unknown",
  "result_foreign",
  "result_repeated",
  "result_late",
  "result_slow",
  "result_missing",
  "failure_without_message",
  "data_invalid",
  "data_not_checked",
  "unknown_action_accepted",
]);

/** The ids of all traces. */
function tracesOf(scenario: Scenario): readonly string[] {
  const before = scenario.effects.length;
  scenario.step({
    is: "requested",
    requestId: toRequestId("2"),
    principal: { by: "test", scopes: ["watch"] },
    request: { of: "neuro", get: "traces", limit: 1_000 },
  });
  const reply = scenario.effects.splice(before).find((effect) => effect.do === "respond");
  check.that(reply !== undefined && "body" in reply);
  return (reply.body as unknown as Page<TraceView>).items.map(({ id }) => id); // Why the cast: a reply is any JSON.
}

test("DI4 a diagnostic has its integration, the catalogue's texts, and the beginning of the message", () => {
  const { scenario, chess } = situation();
  chess.register("move", "Jump Up");
  const { items } = pageOf(scenario, { what: "action_name_illegal" });
  const { severity, title, rule, fix, link } = DIAGNOSTICS.action_name_illegal;
  check.equal(items.map(({ message: _, first_at: __, last_at: ___, ...rest }) => rest), [{
    integration: "chess",
    name: "Chess",
    what: "action_name_illegal",
    detail: "Jump Up",
    trace: null,
    count: 1,
    severity,
    title,
    rule,
    fix,
    link,
  }]);
  check.match(items[0]?.message ?? "", /"command":"actions\/register".*"Jump Up"/);
  chess.raw(`{"broken": "${"x".repeat(100_000)}`);
  const message = pageOf(scenario, { what: "frame_unreadable" }).items[0]?.message ?? "";
  check.equal([message.length, message.slice(0, 12)], [515, '{"broken": "']);
});

test("DI5 they can be listed by integration, by id and from a severity on, in pages", () => {
  const { scenario, chess } = situation();
  const poker = started(scenario, "Poker", "bet");
  for (const game of [chess, poker]) game.context("").raw("{").unregister();
  const listed = (filter: Filter) =>
    pageOf(scenario, filter).items.map(({ integration, what }) => `${integration} ${what}`);
  check.equal(listed({}), [
    "chess context_empty",
    "chess frame_unreadable",
    "chess unregister_empty",
    "poker context_empty",
    "poker frame_unreadable",
    "poker unregister_empty",
  ]);
  check.equal(listed({ integration: "poker", severity: "warning" }), ["poker context_empty", "poker frame_unreadable"]);
  check.equal(listed({ severity: "error" }), ["chess frame_unreadable", "poker frame_unreadable"]);
  check.equal(listed({ what: "unregister_empty" }), ["chess unregister_empty", "poker unregister_empty"]);
  check.equal(listed({ integration: "go" }), []);
  const first = pageOf(scenario, { limit: 4 });
  check.equal(first.next, "poker.context_empty");
  check.equal(listed({ after: first.next ?? "" }), ["poker frame_unreadable", "poker unregister_empty"]);
});

test("DI5b a client that has not named its game has them under its address", () => {
  const { scenario } = situation();
  const silent = scenario.game("Poker", { address: "192.0.2.7" });
  silent.raw("{").raw("[]");
  const { items } = pageOf(scenario);
  check.equal(items.map(({ integration, what, count }) => [integration, what, count]), [[null, "frame_unreadable", 2]]);
  check.equal(scenario.observed("diagnostic").map(({ from, slug }) => [from, slug]), [["192.0.2.7", undefined]]);
});

test("DI6 `diagnostics.disabled` switches each of them off, with its other reports of a repair", () => {
  for (const id of DIAGNOSTIC_IDS) {
    const { options = {}, isStandalone, with: others = [], happen } = OCCURRENCES[id];
    const diagnostics = { ...DEFAULTS.diagnostics, ...options.settings?.diagnostics, disabled: [id] };
    const now = situation({
      options: { ...options, settings: { ...options.settings, diagnostics } },
      ...(isStandalone && { isStandalone }),
    });
    happen(now);
    check.equal(found(now.scenario), others, id);
    check.equal(now.scenario.observed("input_repaired"), [], id);
  }
});

test("DI6b a change of `diagnostics.disabled` takes effect at once", () => {
  const { scenario, chess } = situation();
  scenario.configure(withDiagnostics({ disabled: ["context_empty"] }));
  chess.context("");
  check.equal(found(scenario), []);
  scenario.configure({});
  chess.context("");
  check.equal(found(scenario), ["context_empty"]);
});

test("DI7 no diagnostic contains a credential", () => {
  const token = "correct-horse-battery-staple";
  const settings: ScenarioOptions = withSettings({
    "nakurity-backend": { ...DEFAULTS["nakurity-backend"], token },
    web: { ...DEFAULTS.web, token: "web-token-which-is-secret" },
  });
  const { scenario, chess } = situation({ options: settings });
  chess.raw(`{"command":"context","data":{"message":"${token}","silent":1,"token":"almost-correct"}`);
  chess.raw(`{"command":"dance ${token}","game":"Chess","data":{"auth_token":"wrong-one","api_key":"k-123"}}`);
  chess.register(`web-token-which-is-secret`, token.toUpperCase()).unregister(token).context(`${token} `.repeat(1_000));
  chess.raw(`${"x".repeat(500)}${token}`).result(true, { id: token });
  const texts = JSON.stringify([pageOf(scenario, { limit: 1_000 }).items, scenario.observed("diagnostic")]);
  check.that(found(scenario).length >= 5);
  for (const secret of [token, "web-token-which-is-secret", "almost-correct", "wrong-one", "k-123", token.slice(0, 12)]) {
    check.that(!texts.includes(secret), secret);
  }
});

test("DI8 an integration keeps at most one finding of each kind, charged to it, and a game that is forgotten leaves none", () => {
  const { scenario, chess } = situation();
  const { retained, traces, transcripts } = scenario.harness.state;
  const keptOfGames = (): number => retained.bytes - traces.retained.bytes - transcripts.retained.bytes;
  chess.close();
  scenario.pass(25 * 3_600_000);
  const before = keptOfGames();
  const poker = scenario.game("Poker");
  for (let at = 0; at < 1_000; at++) {
    poker.raw("{").context("").unregister(`n${at}`).say("dance").register({ name: `N ${at}`, schema: 5 });
    scenario.pass(11_000);
  }
  const game = scenario.harness.state.games.get("neuro:Poker");
  check.that((game?.findings.size ?? 99) <= DIAGNOSTIC_IDS.length);
  let bytes = 0;
  for (const finding of game?.findings.values() ?? []) bytes += finding.bytes;
  check.that(bytes > 0 && bytes < 40_000, `${bytes}`);
  poker.close();
  scenario.pass(25 * 3_600_000);
  check.equal(scenario.harness.state.games.size, 0);
  check.equal(keptOfGames() - before, scenario.harness.state.unnamed.retained.bytes);
});

test("DI9 the limits of behaviour are settings", () => {
  const tight = withDiagnostics({
    startup: 50,
    result: 50,
    latency: 50,
    context_length: 3,
    contexts_per_minute: 2,
    action_changes_per_minute: 1,
  });
  const act = (options: ScenarioOptions): readonly DiagnosticId[] => {
    const { scenario, neuro, chess } = situation({ options });
    const poker = scenario.game("Poker");
    scenario.pass(100);
    poker.startup();
    neuro.action("7", "move");
    scenario.pass(100);
    chess.result(true);
    for (const text of ["long", "a", "b"]) chess.context(text);
    chess.register("jump").unregister("jump").register("jump").unregister("jump");
    scenario.pass(30_000 - 200);
    scenario.pass(100);
    chess.pong();
    return [...found(scenario)].sort();
  };
  check.equal(act({}), []);
  check.equal(act(tight), [
    "actions_changed_often",
    "connection_slow",
    "context_too_long",
    "contexts_too_many",
    "result_slow",
    "startup_late",
  ]);
});
