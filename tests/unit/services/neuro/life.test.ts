/** The room over restarts, panics, new settings, and its end. */
import { test } from "#runner";
import { peerId } from "../../../../src/core/ids.ts";
import type { Json } from "../../../../src/core/json.ts";
import { TEST_CONNECTION } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";
import { type FakeNeuro, House, type HouseOptions, otherAction, started } from "./fixture.ts";

function opened(options: HouseOptions = {}): { house: House; neuro: FakeNeuro } {
  const house = new House(options);
  const neuro = house.neuro().open();
  neuro.heard();
  return { house, neuro };
}

/** The room in a new process, with what the old one had stored. */
function restarted(house: House, options: HouseOptions = {}): { house: House; neuro: FakeNeuro } {
  house.store();
  house.pass(1_000);
  return opened({ ...options, entries: house.entries(), now: house.now });
}

test("NC30 after a restart games are parked until they speak: registry, names and force come back with them", () => {
  const { house } = opened();
  started(house, "Poker", "bet").force(["bet"]);
  started(house, "C++ Game", "a", "b").force(["a"]);
  const { house: later, neuro } = restarted(house);
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

test("NC30 a force is over when its game starts anew, and one that was acted on is not asked again", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a").force(["a"]);
  neuro.action("u1", "a");
  started(house, "Poker", "bet").force(["bet"]);
  chess.heard();
  const { house: later, neuro: fresh } = restarted(house);
  started(later, "Poker", "bet");
  later.game("Chess").context("back");
  later.pass(10_000);
  check.equal(fresh.heard(), ["register bet", "register a", "context [Chess] back"]);
});

test("NC30 results never cross a restart", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.action("0", "a");
  const id = chess.lastId();
  const { house: later, neuro: fresh } = restarted(house);
  const back = started(later, "Chess", "a");
  fresh.action("0", "a");
  fresh.heard();
  back.result(true, { id });
  check.equal(fresh.heard(), []);
});

test("NC31 contexts that Neuro has not heard survive, and are said once", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.drop();
  chess.context("one").context("two", false);
  const { house: later, neuro: fresh } = restarted(house);
  check.equal(fresh.heard(), []);
  check.equal(later.harness.state.upstreams.get("neuro")?.contexts.held.size, 0);
  later.pass(2_000);
  const last = restarted(later);
  last.house.game("Chess").context("back");
  check.equal(last.neuro.heard().filter((word) => word.includes("one")), []);
});

test("NC31 they are said right after the connection opens", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.drop();
  chess.context("one").context("two", false);
  house.pass(1_000);
  const later = new House({ entries: house.entries(), now: house.now });
  const fresh = later.neuro().open();
  check.equal(fresh.heard(), ["startup", "context [Chess] one", "context [Chess] two"]);
  check.equal(later.entries().filter(({ key }) => key.startsWith("neuro/context/")), []);
});

test("NC32 a registry is written behind, once for what happened within a second, each time under a new key", () => {
  const { house } = opened();
  const chess = started(house, "Chess", "a").register("b").register("c");
  house.pass(999);
  check.equal(house.effects.filter((effect) => effect.do === "put"), []);
  house.pass(1);
  const keys = (): readonly string[] => house.effects.flatMap((effect) => effect.do === "put" ? [effect.key] : []);
  check.equal(keys().length, 1);
  const [first] = keys();
  house.store();
  chess.register("d");
  house.pass(1_000);
  const [second] = keys();
  check.that(second !== undefined && second !== first);
  house.store();
  check.equal([...house.harness.stored.keys()], [second]);
});

test("NC32 a write that fails is tried again, and the older entry stays until it succeeds", () => {
  const { house } = opened();
  const chess = started(house, "Chess", "a");
  house.pass(1_000);
  house.store();
  const [first] = [...house.harness.stored.keys()];
  chess.register("b");
  house.pass(1_000);
  const put = house.effects.find((effect) => effect.do === "put");
  house.effects.length = 0;
  if (put?.do === "put") house.step({ is: "storeFailed", key: put.key, reason: "disk full" });
  check.equal(house.effects, []);
  house.pass(5_000);
  house.store();
  const after = [...house.harness.stored.keys()];
  check.equal(after.length, 1);
  check.that(after[0] !== first && after[0] !== (put?.do === "put" ? put.key : undefined));
});

test("NC32 of two generations the newer counts, and entries that make no sense cost only themselves", () => {
  const { house } = opened();
  const chess = started(house, "Chess", "a");
  house.pass(1_000);
  const [older] = house.entries();
  chess.register("b");
  house.pass(1_000);
  const [newer] = house.entries();
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
  const later = new House({ entries, now: house.now });
  check.equal([...later.harness.state.games.get("neuro:Chess")?.actions.keys() ?? []], ["a", "b"]);
  check.that(later.effects.some((effect) => effect.do === "delete" && effect.key === older.key));
});

test("NC33 after a panic whoever is still connected is asked to register again, and nothing stored is forgotten", () => {
  const { house } = opened();
  const chess = started(house, "Chess", "a");
  house.pass(1_000);
  const attachment = house.effects.flatMap((effect) => effect.do === "attach" ? [effect.attachment] : []).at(-1) ?? null;
  const resumed = [
    { peer: chess.peer, listener: "neuro", connection: TEST_CONNECTION, attachment } as const,
    { peer: peerId("silent"), listener: "neuro", connection: TEST_CONNECTION } as const,
  ];
  const later = new House({ entries: house.entries(), resumed, now: house.now });
  const neuro = later.neuro().open();
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(later.framesTo(chess.peer), [{ command: "actions/reregister_all" }]);
  neuro.action("0", "a");
  const [frame] = later.framesTo(chess.peer);
  check.equal(frame?.["command"], "action");
});

test("NC34 draining answers what is pending, unregisters everything, closes all and is done", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  const poker = started(house, "Poker", "bet");
  neuro.action("u1", "a");
  neuro.action("u2", "bet");
  neuro.heard();
  house.step({ is: "draining", until: house.now + 5_000 });
  neuro.action("u3", "a");
  poker.result(true);
  check.equal(neuro.heard(), ["result u3 false", "result u2 true"], "what is in flight may end");
  house.pass(5_000);
  check.equal(neuro.heard(), ["result u1 false", "unregister a bet"]);
  check.equal(house.closed.map(({ fault }) => fault), ["restarting", "restarting"]);
  check.that(house.effects.some((effect) => effect.do === "drained"));
  check.that(house.effects.some((effect) => effect.do === "put"), "what was unsaved is written");
  check.that(chess.heard().length > 0);
});

test("NC34 with nothing in flight it is done at once", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a").force(["a"]);
  neuro.heard();
  house.step({ is: "draining", until: house.now + 5_000 });
  check.equal(neuro.heard(), ["unregister a"]);
  check.that(house.effects.some((effect) => effect.do === "drained"));
  const later = restarted(house);
  later.house.game("Chess").context("x");
  check.equal(later.neuro.heard()[1], "force a", "and the force is not lost");
});

test("NC35 a new url, or name, is dialled at once; the same settings change nothing", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a").force(["a"]);
  neuro.heard();
  house.configure({});
  check.equal(house.dials.length, 1);
  house.configure({ neuros: [{ url: "ws://other.test" }] });
  check.equal(house.dials.map(({ url }) => url), ["ws://neuro.test", "ws://other.test"]);
  check.equal(neuro.open().heard(), ["startup", "register a", "force a"]);
});

test("NC35 an integration that new settings assign to another Neuro goes there with all it has", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  started(house, "Poker", "a");
  neuro.action("u1", "a");
  neuro.heard();
  house.configure({
    neuros: [{}, { id: "evil", url: "ws://evil.test" }],
    integrations: [{ match: "Chess", upstream: "evil" }],
  });
  const evil = house.neuro("evil").open();
  check.equal([neuro.heard(), evil.heard()], [[], ["startup", "register a"]]);
  evil.action("0", "a");
  check.equal(chess.heard(), ["action a", "action a"]);
  house.configure({});
  check.equal(neuro.heard(), [], "back at the definition that it shares");
});

test("NC35 a relay that played Neuro itself gets a real one", () => {
  const house = new House({ neuros: [] });
  started(house, "Chess", otherAction("a"));
  house.configure({});
  check.equal(house.neuro().open().heard(), ["startup", "register a"]);
  check.equal([...house.harness.state.upstreams.keys()], ["neuro"]);
});
