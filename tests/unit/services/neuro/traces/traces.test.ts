/** Traces: the path of each action, force, context and ignored result, on virtual time. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { toRequestId } from "../../../../../src/core/ids.ts";
import { TRACE_TEXT_LENGTH_MAX } from "../../../../../src/core/limits.ts";
import type { NeuroRequest } from "../../../../../src/core/request.ts";
import type { Settings } from "../../../../../src/core/settings.ts";
import type { TraceFilter, TraceView } from "../../../../../src/core/traces/trace.ts";
import type { Page } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { Scenario, started } from "../fixture.ts";

/** The reply to a request. */
function ask(scenario: Scenario, request: NeuroRequest): unknown {
  const before = scenario.effects.length;
  const principal = { by: "ada", scopes: ["watch", "command", "admin"] as const };
  scenario.step({ is: "requested", requestId: toRequestId("1"), principal, request });
  const reply = scenario.effects.slice(before).find((effect) => effect.do === "respond");
  return reply === undefined ? undefined : "body" in reply ? reply.body : reply.fault;
}

// Why the cast: a reply is any JSON.
const tracesIn = (scenario: Scenario, filter: TraceFilter = {}): Page<TraceView> =>
  ask(scenario, { of: "neuro", get: "traces", ...filter }) as Page<TraceView>;

const last = (scenario: Scenario, filter: TraceFilter = {}): TraceView => {
  const [newest] = tracesIn(scenario, filter).items;
  check.that(newest !== undefined);
  return newest;
};

/** The steps as text: `+5 sent Chess`. */
const path = ({ received_at, steps }: TraceView): readonly string[] =>
  steps.map(({ at, is, who, what }) => [`+${at - received_at}`, is, who, what].filter((part) => part !== null).join(" "));

const withTraces = (traces: Partial<Settings["traces"]>): Partial<Settings> => ({
  traces: { ...DEFAULTS.traces, ...traces },
});

function situation(settings: Partial<Settings> = {}) {
  const scenario = new Scenario({ settings, neuros: [{ context_rate: 0 }] });
  const neuro = scenario.neuro().open();
  return { scenario, neuro, chess: started(scenario, "Chess", "move") };
}

test("TR1 the trace of an action has its id, its texts and its path from Neuro to the game and back", () => {
  const { scenario, neuro, chess } = situation();
  neuro.action("u1", "move", '{"to":"e4"}');
  scenario.pass(40);
  chess.result(true, { message: "Moved." });
  const [sent] = scenario.observed("action_sent");
  const trace = last(scenario);
  check.equal(trace, {
    id: sent?.id ?? "",
    kind: "action",
    state: "ended",
    outcome: "succeeded",
    integrations: ["chess"],
    names: ["Chess"],
    upstream: "neuro",
    actions: ["move"],
    priority: null,
    related: null,
    neuro_id: "u1",
    texts: { data: '{"to":"e4"}', result: "Moved." },
    received_at: trace.received_at,
    ended_at: trace.received_at + 40,
    ms: 40,
    steps: trace.steps,
  });
  check.equal(path(trace), ["+0 received neuro", "+0 sent Chess", "+40 answered Chess success", "+40 ended neuro game"]);
  check.equal(ask(scenario, { of: "neuro", get: "trace", id: trace.id }), trace);
  check.equal(ask(scenario, { of: "neuro", get: "trace", id: "1-1" }), "notFound");
});

test("TR2 an action that is open has a trace, too, which grows", () => {
  const { scenario, neuro, chess } = situation();
  neuro.action("u1", "move");
  scenario.pass(5);
  const open = last(scenario, { state: "open" });
  check.equal([open.state, open.outcome, open.ended_at, open.ms], ["open", null, null, 5]);
  check.equal(path(open), ["+0 received neuro", "+0 sent Chess"]);
  check.equal(tracesIn(scenario, { state: "ended" }).items, []);
  chess.result(false, { message: "No." });
  check.equal(last(scenario).id, open.id);
  check.equal([last(scenario).outcome, tracesIn(scenario, { state: "open" }).items.length], ["failed", 0]);
});

test("TR3 the trace of a force has each wait, each state, the actions that answer it, and why it ended", () => {
  const { scenario, neuro, chess } = situation();
  const poker = started(scenario, "Poker", "bet");
  poker.force(["bet"], { query: "Bet?" });
  chess.force(["move"], { query: "Move?", state: "e2" });
  const waiting = last(scenario, { integration: "chess" });
  check.equal(path(waiting), ["+0 received Chess", "+0 waiting turn"]);
  neuro.action("u1", "bet");
  poker.result(true);
  scenario.pass(500);
  neuro.action("u2", "move");
  chess.result(false, { message: "not your turn" });
  scenario.pass(100);
  neuro.action("u3", "move");
  chess.result(true);
  scenario.pass(500);
  const force = last(scenario, { kind: "force", integration: "Chess" });
  const [second, first] = tracesIn(scenario, { kind: "action", integration: "chess" }).items;
  check.equal([first?.related, second?.related], [force.id, force.id]);
  check.equal([force.id, force.outcome, force.texts], [waiting.id, "completed", { query: "Move?", state: "e2" }]);
  check.equal(path(force), [
    "+0 received Chess",
    "+0 waiting turn",
    "+500 sent neuro",
    `+500 answered neuro ${first?.id}`,
    "+500 retrying",
    `+600 answered neuro ${second?.id}`,
    "+600 settling",
    "+1100 ended completed",
  ]);
  check.equal(scenario.observed("force_ended").at(-1)?.id, force.id);
});

test("TR3b a force that is put back into the queue names the force before it", () => {
  const { scenario, chess } = situation();
  chess.force(["move"]);
  const before = last(scenario);
  ask(scenario, { of: "neuro", do: "setControls", id: "chess", to: { paused: true } });
  const again = last(scenario, { state: "open" });
  check.equal([again.related, path(again)], [before.id, ["+0 received Chess", "+0 waiting held"]]);
  check.equal(last(scenario, { state: "ended" }).outcome, "held");
});

test("TR2 the trace of a context that waits has the same beginning of a long text as after its end", () => {
  const { scenario, neuro, chess } = situation();
  neuro.drop();
  chess.context("x".repeat(20_000));
  const open = last(scenario, { state: "open" });
  check.equal(open.texts.context, `${"x".repeat(TRACE_TEXT_LENGTH_MAX)}...`);
  neuro.reopen();
  const ended = last(scenario);
  check.equal([ended.id, ended.outcome, ended.texts], [open.id, "sent", open.texts]);
});

test("TR4 the trace of a context says for what it waited, and whether Neuro got it", () => {
  const { scenario, neuro, chess } = situation();
  chess.context("It is cold.");
  check.equal([last(scenario).outcome, last(scenario).texts], ["sent", { context: "It is cold." }]);
  check.equal(scenario.observed("add_context")[0]?.id, last(scenario).id);
  neuro.drop();
  chess.context("It is colder.").context("It is colder.");
  check.equal([last(scenario, { state: "ended" }).outcome, last(scenario).texts.context], ["duplicate", "It is colder."]);
  const waiting = last(scenario, { state: "open" });
  check.equal(path(waiting), ["+0 received Chess", "+0 waiting neuro_away"]);
  neuro.reopen();
  const { items: [, sent] } = tracesIn(scenario);
  check.equal([sent?.id, sent?.outcome, sent?.steps.at(-1)?.is], [waiting.id, "sent", "sent"]);
  ask(scenario, { of: "neuro", do: "setControls", id: "chess", to: { muted: true } });
  chess.context("Nobody hears this.");
  check.equal([last(scenario).outcome, last(scenario).id], ["muted", scenario.observed("context_dropped")[0]?.id]);
});

test("TR5 approvals, operators, lost connections and actions that reach nobody are in the path", () => {
  const { scenario, neuro, chess } = situation();
  ask(scenario, { of: "neuro", do: "setControls", id: "chess", to: { approval: true } });
  neuro.action("u1", "move");
  check.equal(path(last(scenario)), ["+0 received neuro", "+0 waiting approval"]);
  scenario.pass(10);
  ask(scenario, { of: "neuro", do: "decideAction", pending: last(scenario).id, approve: true });
  chess.close();
  check.equal(path(last(scenario)).slice(2), [
    "+10 approved Chess approved",
    "+10 sent Chess",
    "+10 doubtful Chess unheard",
  ]);
  scenario.pass(10_000);
  check.equal([last(scenario).outcome, path(last(scenario)).at(-1)], ["failed", "+10010 ended neuro gone"]);
  neuro.action("u2", "dance", "{}");
  check.equal([last(scenario).integrations, last(scenario).outcome, path(last(scenario))], [[], "failed", [
    "+0 received neuro",
    "+0 ended neuro unknown",
  ]]);
  started(scenario, "Poker", "bet").heard();
  ask(scenario, { of: "neuro", do: "sendAction", id: "poker", name: "bet" });
  check.equal([last(scenario).neuro_id, path(last(scenario))], [null, ["+0 received ada", "+0 sent Poker"]]);
});

test("TR6 an ignored result has a trace of its own, and a repaired message says how", () => {
  const { scenario, neuro, chess } = situation();
  neuro.action("u1", "move");
  const id = chess.lastId();
  chess.say("action/result", { id, success: "true" }).result(true, { id, message: "again" });
  const ignored = last(scenario);
  check.equal([ignored.kind, ignored.outcome, ignored.related], ["result", "ignored", id]);
  check.equal(path(ignored), ["+0 received Chess success", "+0 ended twice"]);
  check.that(path(last(scenario, { kind: "action" })).some((step) => step.startsWith("+0 repaired")));
  chess.say("context", { message: 5, silent: true });
  check.that(path(last(scenario)).some((step) => step.startsWith("+0 repaired")), path(last(scenario)).join());
});

test("TR7 traces are listed newest first, in pages, and by integration, kind, state and action", () => {
  const { scenario, neuro, chess } = situation();
  const poker = started(scenario, "Poker", "bet");
  for (let at = 0; at < 4; at++) {
    chess.context(`chess ${at}`);
    poker.context(`poker ${at}`);
    neuro.action(`c${at}`, "move");
    chess.result(true);
  }
  const all = tracesIn(scenario, { limit: 1_000 }).items;
  check.equal([all.length, all.map(({ id }) => id)], [12, all.map(({ id }) => id).toSorted().reverse()]);
  const paged: TraceView[] = [];
  for (let after: string | undefined, left = true; left;) {
    const page: Page<TraceView> = tracesIn(scenario, { limit: 5, ...(after !== undefined && { after }) });
    paged.push(...page.items);
    after = page.next ?? undefined;
    left = page.next !== null;
  }
  check.equal(paged.map(({ id }) => id), all.map(({ id }) => id));
  const count = (filter: TraceFilter): number => tracesIn(scenario, filter).items.length;
  check.equal([count({ integration: "poker" }), count({ integration: "Poker" }), count({ integration: "none" })], [
    4,
    4,
    0,
  ]);
  check.equal([count({ kind: "context" }), count({ action: "move" }), count({ action: "bet" })], [8, 4, 0]);
  check.equal(tracesIn(scenario, { kind: "action", limit: 4 }).next, null);
});

test("TR8 each integration has a ring of its own: a noisy one evicts no trace of another, and all stay within their limits", () => {
  const { scenario, chess } = situation(withTraces({ per_integration: 10, bytes_per_integration: 32_768 }));
  const { traces } = scenario.harness.state;
  chess.context("kept");
  const noisy = started(scenario, "Noisy", "shout");
  for (let at = 0; at < 50; at++) noisy.context(`${at}`);
  check.equal(tracesIn(scenario, { integration: "noisy", state: "ended" }).items.length, 10);
  check.equal(tracesIn(scenario, { integration: "chess" }).items.length, 1);
  for (let at = 0; at < 50; at++) noisy.context(`${at} ${"x".repeat(9_000)}`);
  check.that(traces.retained.bytes <= 2 * 32_768, `${traces.retained.bytes}`);
  check.equal(last(scenario, { state: "ended" }).texts.context?.length, 4_003);
  noisy.close();
  scenario.pass(25 * 3_600_000);
  check.equal(tracesIn(scenario, { integration: "noisy" }).items, []);
  scenario.configure({ settings: withTraces({ per_integration: 0 }) });
  chess.context("unseen");
  check.equal([tracesIn(scenario, { state: "ended" }).items, traces.retained.bytes], [[], 0]);
});

test("TR8b all traces together occupy at most a sixteenth of `limits.total_bytes`, each integration an equal part", () => {
  const total = 1_048_576;
  const settings = { ...withTraces({}), limits: { ...DEFAULTS.limits, total_bytes: total } };
  const { scenario } = situation(settings);
  for (let game = 0; game < 20; game++) {
    const each = started(scenario, `G${game}`);
    for (let at = 0; at < 20; at++) each.context(`${at} ${"x".repeat(200)}`);
    check.that(scenario.harness.state.traces.retained.bytes <= total / 16);
  }
  const counts = Array.from(
    { length: 20 },
    (_, game) => tracesIn(scenario, { integration: `g${game}`, state: "ended" }).items.length,
  );
  check.that(Math.min(...counts) >= 2 && Math.max(...counts) - Math.min(...counts) <= 2, counts.join());
});

test("TR9 no trace and no transcript contains a token of the settings, not even a part of one where a text is cut", () => {
  const token = "chess-token-which-is-secret";
  const settings = { "nakurity-backend": { ...DEFAULTS["nakurity-backend"], token } };
  const { scenario, neuro, chess } = situation(settings);
  for (let at = 3_960; at <= 4_030; at++) chess.context("x".repeat(at) + token);
  neuro.action("u1", "move", JSON.stringify({ auth_token: "almost-correct", note: token }));
  chess.result(false, { message: `{"password":"hunter2"} ${token}` });
  chess.force(["move"], { query: `Use ${token}`, state: token });
  const texts = JSON.stringify([
    tracesIn(scenario, { limit: 1_000 }),
    ask(scenario, { of: "neuro", get: "transcript", limit: 1_000 }),
  ]);
  for (const secret of [token, token.slice(0, 8), "almost-correct", "hunter2"]) check.that(!texts.includes(secret), secret);
  check.that(texts.includes("***"));
  const found = ask(scenario, { of: "neuro", get: "transcript", search: token.slice(0, 8) });
  check.equal((found as Page<unknown>).items, []);
});
