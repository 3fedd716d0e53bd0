/** The room over restarts, panics, new settings, and its end. */
import { test } from "#runner";
import { type Key, peerId } from "../../../../src/core/ids.ts";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { TEST_CONNECTION } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";
import { type FakeNeuro, otherAction, Scenario, type ScenarioOptions, started } from "./fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  neuro.heard();
  return { scenario, neuro };
}

/** The service in a new process, with the entries that the old one stored. */
function restarted(scenario: Scenario, options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  scenario.store();
  scenario.pass(1_000);
  return opened({ ...options, entries: scenario.entries(), now: scenario.now });
}

test("NC30 after a restart games are away until they send a message: registry, names and force come back with them", () => {
  const { scenario } = opened();
  started(scenario, "Poker", "bet").force(["bet"]);
  started(scenario, "C++ Game", "a", "b").force(["a"]);
  const { scenario: later, neuro } = restarted(scenario);
  check.equal(neuro.heard(), []);
  const back = later.game("C++ Game");
  later.pass(2_000);
  check.equal(back.heard(), ["reregister"], "two left from there, so nobody is guessed");
  back.context("back");
  check.equal(neuro.heard(), ["register a b", "force a", "context [C++ Game] back"]);
  neuro.action("0", "a");
  back.result(true);
  check.equal(neuro.heard(), ["result 0 true"]);
});

test("NC30 a force is over when its game sends `startup`, and one whose action reached the game is not sent again", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a").force(["a"]);
  neuro.action("u1", "a");
  started(scenario, "Poker", "bet").force(["bet"]);
  chess.heard();
  const { scenario: later, neuro: fresh } = restarted(scenario);
  started(later, "Poker", "bet");
  later.game("Chess").context("back");
  later.pass(10_000);
  check.equal(fresh.heard(), ["register bet", "register a", "context [Chess] back"]);
});

test("NC30 results do not survive a restart", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.action("0", "a");
  const id = chess.lastId();
  const { scenario: later, neuro: fresh } = restarted(scenario);
  const back = started(later, "Chess", "a");
  fresh.action("0", "a");
  fresh.heard();
  back.result(true, { id });
  check.equal(fresh.heard(), []);
});

test("NC31 contexts that were not sent to Neuro survive, and are sent once", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.drop();
  chess.context("one").context("two", false);
  const { scenario: later, neuro: fresh } = restarted(scenario);
  check.equal(fresh.heard(), []);
  check.equal(later.harness.state.upstreams.get("neuro")?.contexts.queued.size, 0);
  later.pass(2_000);
  const last = restarted(later);
  last.scenario.game("Chess").context("back");
  check.equal(last.neuro.heard().filter((word) => word.includes("one")), []);
});

test("NC31 contexts that survived are sent right after the connection opens", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.drop();
  chess.context("one").context("two", false);
  scenario.pass(1_000);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now });
  const fresh = later.neuro().open();
  check.equal(fresh.heard(), ["startup", "context [Chess] one", "context [Chess] two"]);
  check.equal(later.entries().filter(({ key }) => key.startsWith("neuro/context/")), []);
});

test("NC32 a registry is written behind, once for all changes within a second, each time under a new key", () => {
  const { scenario } = opened();
  const chess = started(scenario, "Chess", "a").register("b").register("c");
  scenario.pass(999);
  check.equal(scenario.effects.filter((effect) => effect.do === "put"), []);
  scenario.pass(1);
  const keys = (): readonly string[] => scenario.effects.flatMap((effect) => effect.do === "put" ? [effect.key] : []);
  check.equal(keys().length, 1);
  const [first] = keys();
  scenario.store();
  chess.register("d");
  scenario.pass(1_000);
  const [second] = keys();
  check.that(second !== undefined && second !== first);
  scenario.store();
  check.equal([...scenario.harness.stored.keys()], [second]);
});

test("NC32e at most 128 registries are written at a time, and further ones when half of them are stored", () => {
  const { scenario } = opened();
  for (let at = 0; at < 300; at++) started(scenario, `Game ${at}`, "a");
  const keys = (): readonly Key[] => scenario.effects.flatMap((effect) => effect.do === "put" ? [effect.key] : []);
  scenario.pass(1_000);
  check.equal(keys().length, 128);
  let stored = 0;
  const store = (until: number): void => {
    for (const key of keys().slice(stored, until)) scenario.step({ is: "stored", key });
    stored = until;
  };
  store(63);
  check.equal(keys().length, 128);
  store(64);
  check.equal(keys().length, 192);
  started(scenario, "Late", "a");
  while (stored < keys().length) store(keys().length);
  check.equal(new Set(keys()).size, 300, "one that is registered meanwhile is written with the next");
  scenario.pass(5_000);
  check.equal(keys().length, 301);
});

test("NC32b a write that fails is repeated after 5 s, and the older entry stays until one succeeds", () => {
  const { scenario } = opened();
  const chess = started(scenario, "Chess", "a");
  scenario.pass(1_000);
  scenario.store();
  const [first] = [...scenario.harness.stored.keys()];
  chess.register("b");
  scenario.pass(1_000);
  const put = scenario.effects.find((effect) => effect.do === "put");
  scenario.effects.length = 0;
  if (put?.do === "put") scenario.step({ is: "storeFailed", key: put.key, reason: "disk full" });
  check.equal(scenario.effects, []);
  scenario.pass(5_000);
  scenario.store();
  const after = [...scenario.harness.stored.keys()];
  check.equal(after.length, 1);
  check.that(after[0] !== first && after[0] !== (put?.do === "put" ? put.key : undefined));
});

test("NC32c of two entries of a record the newer is restored, and invalid entries are skipped", () => {
  const { scenario } = opened();
  const chess = started(scenario, "Chess", "a");
  scenario.pass(1_000);
  const [older] = scenario.entries();
  chess.register("b");
  scenario.pass(1_000);
  const [newer] = scenario.entries();
  if (older === undefined || newer === undefined) throw new Error("nothing stored");
  const junk = ["x", 7, null, { v: 1 }, { v: 2, id: "neuro:X" }, {
    v: 1,
    id: "neuro:Y",
    listener: "neuro",
    name: "Y",
    actions: [null, 3],
  }];
  const entries = [
    newer,
    older,
    ...junk.map((value, at) => ({
      key: `neuro/game/junk${at}/${"0".repeat(16)}` as typeof newer.key,
      value: value as Json,
    })),
    { key: `neuro/force/junk/${"0".repeat(16)}` as typeof newer.key, value: { v: 1, id: "neuro:Nobody", force: {} } },
    { key: "neuro/context/junk" as typeof newer.key, value: { v: 1 } },
  ];
  const later = new Scenario({ entries, now: scenario.now });
  check.equal([...later.harness.state.games.get("neuro:Chess")?.actions.keys() ?? []], ["a", "b"]);
  check.that(later.effects.some((effect) => effect.do === "delete" && effect.key === older.key));
});

test("NC33 after a panic connected games are asked to register again, and nothing stored is lost", () => {
  const { scenario } = opened();
  const chess = started(scenario, "Chess", "a");
  scenario.pass(1_000);
  const attachment = scenario.effects.flatMap((effect) => effect.do === "attach" ? [effect.attachment] : []).at(-1) ?? null;
  const resumed = [
    { peer: chess.peer, listener: "neuro", connection: TEST_CONNECTION, attachment } as const,
    { peer: peerId("silent"), listener: "neuro", connection: TEST_CONNECTION } as const,
  ];
  const later = new Scenario({ entries: scenario.entries(), resumed, now: scenario.now });
  const neuro = later.neuro().open();
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(later.framesTo(chess.peer), [{ command: "actions/reregister_all" }]);
  neuro.action("0", "a");
  const [frame] = later.framesTo(chess.peer);
  check.equal(frame?.["command"], "action");
});

test("NC33d after a panic a connection that had lost its game, or waited for it, is not identified as another game", () => {
  for (const silentMs of [5_000, 1_000]) {
    const { scenario } = opened();
    const old = started(scenario, "Chess", "a");
    started(scenario, "Poker", "bet");
    scenario.pass(silentMs);
    const fresh = scenario.game("Chess").context("it's me");
    const resumed = [old, fresh].map(({ peer }) => {
      const attached = scenario.effects.findLast((effect) => effect.do === "attach" && effect.peer === peer);
      const attachment = attached?.do === "attach" ? { attachment: attached.attachment } : {};
      return { peer, listener: "neuro", connection: TEST_CONNECTION, ...attachment } as const;
    });
    scenario.pass(1_000);
    const later = new Scenario({ entries: scenario.entries(), resumed, now: scenario.now });
    later.pass(3_000);
    check.equal(later.peerOf("Chess"), silentMs === 5_000 ? fresh.peer : old.peer);
    check.equal(later.peerOf("Poker"), undefined);
    const poker = later.game("Poker").context("back");
    check.equal(later.peerOf("Poker"), poker.peer, "it need not wait for its game");
  }
});

test("NC34 a drain answers what is pending, unregisters everything and closes all sockets", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  neuro.action("u1", "a");
  neuro.action("u2", "bet");
  neuro.heard();
  scenario.step({ is: "draining", until: scenario.now + 5_000 });
  neuro.action("u3", "a");
  poker.result(true);
  check.equal(neuro.heard(), ["result u3 false", "result u2 true"], "what is in flight may end");
  scenario.pass(4_499);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["result u1 false", "unregister a bet"]);
  check.equal(scenario.closed, []);
  scenario.pass(500);
  check.equal(scenario.closed.map(({ fault }) => fault), ["restarting", "restarting"]);
  check.that(scenario.effects.some((effect) => effect.do === "drained"));
  check.that(scenario.effects.some((effect) => effect.do === "put"), "what was unsaved is written");
  check.that(chess.heard().length > 0);
});

test("NC34 a drain with no action in flight unregisters at once and ends 500 ms later", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").force(["a"]);
  neuro.heard();
  scenario.step({ is: "draining", until: scenario.now + 5_000 });
  check.equal(neuro.heard(), ["unregister a"]);
  scenario.pass(500);
  check.that(scenario.effects.some((effect) => effect.do === "drained"));
  const later = restarted(scenario);
  later.scenario.game("Chess").context("x");
  check.equal(later.neuro.heard().filter((word) => word.startsWith("force")), ["force a"], "and the force is not lost");
});

test("NC40 an action that crosses the unregistration of a drain is answered before the link closes", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  scenario.step({ is: "draining", until: scenario.now + 5_000 });
  check.equal([neuro.heard(), scenario.closedLinks], [["unregister a"], []]);
  scenario.pass(400);
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["result u1 false"]);
  chess.register("b").startup();
  check.equal([neuro.heard(), chess.heard().filter((word) => word.startsWith("action"))], [[], []]);
  scenario.pass(99);
  check.equal(scenario.closedLinks, []);
  scenario.pass(1);
  check.equal(scenario.closedLinks.length, 1);
});

test("NC40 without a connected Neuro a drain ends at once", () => {
  for (const neuros of [[], [{}]]) {
    const scenario = new Scenario({ neuros });
    started(scenario, "Chess", "a");
    scenario.step({ is: "draining", until: scenario.now + 5_000 });
    check.that(scenario.effects.some((effect) => effect.do === "drained"));
  }
});

test("NC35 a new url or name is dialled at once; the same settings change nothing", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").force(["a"]);
  neuro.heard();
  scenario.configure({});
  check.equal(scenario.dials.length, 1);
  scenario.configure({ neuros: [{ url: "ws://other.test" }] });
  check.equal(scenario.dials.map(({ url }) => url), ["ws://neuro.test", "ws://other.test"]);
  check.equal(neuro.open().heard(), ["startup", "register a", "force a"]);
});

test("NC35 an integration that new settings assign to another Neuro is moved with its actions", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  started(scenario, "Poker", "a");
  neuro.action("u1", "a");
  neuro.heard();
  scenario.configure({
    neuros: [{}, { id: "evil", url: "ws://evil.test" }],
    integrations: [{ match: "Chess", upstream: "evil" }],
  });
  const evil = scenario.neuro("evil").open();
  check.equal([neuro.heard(), evil.heard()], [[], ["startup", "register a"]]);
  evil.action("0", "a");
  check.equal(chess.heard(), ["action a", "action a"]);
  scenario.configure({});
  check.equal(neuro.heard(), [], "back at the definition that it shares");
});

test("NC35 a relay without an upstream gets one", () => {
  const scenario = new Scenario({ neuros: [] });
  started(scenario, "Chess", otherAction("a"));
  scenario.configure({});
  check.equal(scenario.neuro().open().heard(), ["startup", "register a"]);
  check.equal([...scenario.harness.state.upstreams.keys()], ["neuro"]);
});

test("NC33b an attachment is at most 8 KiB, and a game with a long name is resumed", () => {
  const { scenario } = opened();
  const long = "\u{1f600}".repeat(20_000);
  const chess = started(scenario, long, "a");
  for (let at = 0; at < 40; at++) chess.say("startup", undefined, `${at} ${long}`);
  scenario.pass(1_000);
  const attachment = scenario.effects.flatMap((effect) => effect.do === "attach" ? [effect.attachment] : []).at(-1) ?? null;
  check.that(new TextEncoder().encode(JSON.stringify(attachment)).length <= 8_192);
  const resumed = [{ peer: chess.peer, listener: "neuro", connection: TEST_CONNECTION, attachment } as const];
  const later = new Scenario({ entries: scenario.entries(), resumed, now: scenario.now });
  const neuro = later.neuro().open();
  check.equal(neuro.heard(), ["startup", "register a"]);
  later.step({
    is: "frame",
    peer: chess.peer,
    frame: JSON.stringify({ command: "context", game: long, data: { message: "m", silent: true } }),
  });
  check.that(neuro.heard().at(-1)?.endsWith(" m") === true);
  check.equal(later.closed, []);
});

test("NC33c a game without a name gets a free one after a panic", () => {
  const { scenario } = opened();
  const unnamed = scenario.game("unknown").raw('{"command":"startup"}');
  const attachment = scenario.effects.flatMap((effect) => effect.do === "attach" ? [effect.attachment] : []).at(-1) ?? null;
  const resumed = [{ peer: unnamed.peer, listener: "neuro", connection: TEST_CONNECTION, attachment } as const];
  const later = new Scenario({ resumed, now: scenario.now });
  later.game("other").raw('{"command":"startup"}');
  later.pass(10_000);
  check.equal([...later.harness.state.games.keys()], ["neuro:unknown-1", "neuro:unknown-2"]);
});

test("NC32d a stored time that is not a number, or in the future, is taken for the time of the restart", () => {
  const { scenario } = opened();
  started(scenario, "Chess", "a", "b").unregister("b").close();
  scenario.pass(1_000);
  for (const time of [1e300, -1e300, "x", null]) {
    const entries = scenario.entries().map(({ key, value }) => {
      if (!isObject(value)) return { key, value: value ?? null };
      const released = Array.isArray(value["released"])
        ? value["released"].map(([name, before]: Json[]) => [name, before, time])
        : [];
      return { key, value: { ...value, leftAt: time, released } as Json };
    });
    const later = new Scenario({ entries, now: scenario.now });
    later.pass(24 * 3_600_000);
    check.equal(later.harness.state.games.size, 0);
  }
});

test("NB20c two games that return silently after a restart are asked; when one of them speaks, the other is identified", () => {
  const { scenario } = opened();
  started(scenario, "One", "a");
  started(scenario, "Two", "b");
  const { scenario: later, neuro } = restarted(scenario);
  const [one, two] = [later.game("One"), later.game("Two")];
  later.pass(2_000);
  check.equal([one.heard(), two.heard(), neuro.heard()], [["reregister"], ["reregister"], []]);
  const hints = later.observed("input_repaired").filter(({ what }) => what === "game_not_identified");
  check.equal(hints.length, 2);
  check.match(hints[0]?.hint ?? "", /One, Two/);
  later.pass(120_000);
  one.context("back");
  check.equal(neuro.heard(), ["register a", "register b", "context [One] back"]);
  neuro.action("u1", "b");
  check.equal(two.heard(), ["action b"]);
});

test("NB20c a silent socket is not identified while another may be the same game, or while two games are left", () => {
  const { scenario } = opened();
  for (const name of ["One", "Two"]) started(scenario, name, name);
  const { scenario: later } = restarted(scenario);
  const [one, ,] = [later.game("One"), later.game("Two"), later.game("a stranger")];
  later.pass(2_000);
  one.context("back");
  check.equal([later.peerOf("One"), later.peerOf("Two")], [one.peer, undefined]);
  const { scenario: again } = opened();
  for (const name of ["One", "Two", "Three"]) started(again, name, name);
  const { scenario: third } = restarted(again);
  const [first] = [third.game("One"), third.game("Two")];
  third.pass(2_000);
  first.context("back");
  check.equal(third.peerOf("Two"), undefined);
});
