/** The connection to Neuro: lost, restarted, silent, odd, or more than one. */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { action, type FakeNeuro, House, type HouseOptions, otherAction, started } from "./fixture.ts";

function opened(options: HouseOptions = {}): { house: House; neuro: FakeNeuro } {
  const house = new House(options);
  return { house, neuro: house.neuro().open() };
}

const ends = (house: House): readonly string[] =>
  house.noted("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NC3 after a reconnect: startup, one register, the open force again, then held context", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  const poker = started(house, "Poker", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.heard();
  neuro.drop();
  poker.context("held");
  check.equal(neuro.reopen().heard(), ["startup", "register a bet", "force a", "context [Poker] held"]);
  neuro.action("0", "a");
  chess.unregister("a").result(true);
  check.equal(neuro.heard(), ["unregister a", "result 0 true", "force bet"]);
  check.equal(house.closed, [], "games notice nothing");
});

test("NC4 an answer to an action of an earlier connection is not given to a new one with the same id", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.action("0", "a");
  const old = chess.lastId();
  neuro.drop();
  neuro.reopen().heard();
  neuro.action("0", "a");
  chess.result(false, { id: old });
  check.equal(neuro.heard(), []);
  chess.result(true, { id: chess.lastId() });
  check.equal(neuro.heard(), ["result 0 true"]);
  house.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NC4 a success while Neuro is away completes its force: the game is not asked twice", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a").force(["a"]);
  neuro.action("0", "a");
  neuro.drop();
  chess.unregister("a").result(true);
  check.equal(neuro.reopen().heard().filter((word) => word !== "force a"), ["startup"]);
  check.equal(ends(house), ["Chess completed"]);
});

test("NC4 nor is it asked again while it still owes the answer", () => {
  const { house, neuro } = opened({ neuros: [{ action_deadline: 100_000 }] });
  const chess = started(house, "Chess", "a").force(["a"]);
  neuro.action("0", "a");
  chess.heard();
  neuro.heard();
  neuro.drop();
  check.equal(neuro.reopen().heard(), ["startup", "register a"]);
  chess.result(false);
  check.equal(neuro.heard(), ["force a"], "a failure is Neuro's to try again");
  check.equal(ends(house), []);
});

test("NC5 repeated losses: more and more time between dials, no double registration, no double force", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a").force(["a"]);
  const heard: string[] = [];
  for (let n = 0; n < 6; n++) {
    heard.push(...neuro.heard());
    neuro.drop();
    neuro.reopen();
  }
  heard.push(...neuro.heard());
  check.equal(heard, Array.from({ length: 7 }, () => ["startup", "register a", "force a"]).flat());
  const waits = house.noted("upstream_lost").map(({ retry_ms }) => retry_ms);
  check.that(waits.every((ms) => ms <= 15_000));
});

test("NC5 a dial that is refused or never answered is tried again for ever", () => {
  const house = new House();
  for (let n = 0; n < 20; n++) {
    const last = house.dials.at(-1);
    if (last !== undefined && n % 2 === 0) house.step({ is: "dropped", link: last.link, code: 0, reason: "refused" });
    house.pass(40_000);
  }
  check.that(house.dials.length > 20);
  check.that(house.noted("upstream_lost").length >= 20);
});

test("NC6 what an old socket still says counts for nothing", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  const old = neuro.link;
  neuro.drop();
  neuro.reopen();
  if (old !== undefined) {
    house.step({ is: "received", link: old, frame: '{"command":"action","data":{"id":"1","name":"a"}}' });
    house.step({ is: "dropped", link: old, code: 1006, reason: "" });
  }
  check.equal(chess.heard(), []);
  check.equal(neuro.heard(), ["startup", "register a"]);
});

test("NC7 `reregister_all` registers everything again, but not as the echo of a full register", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a");
  neuro.heard();
  neuro.say("actions/reregister_all");
  check.equal(neuro.heard(), []);
  house.pass(2_000);
  neuro.say("actions/reregister_all");
  check.equal(neuro.heard(), ["register a"]);
});

test("NC7 a backend whose `startup` clears nothing is told what goes before what comes", () => {
  const house = new House({ neuros: [{ profile: "randy" }] });
  started(house, "Chess", "a");
  check.equal(house.neuro().open().heard(), ["startup", "unregister a", "register a"]);
});

test("NC8 what cannot be read from upstream is noted, and what is unknown goes to those who watch", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  const { link } = neuro;
  for (const frame of ["nonsense", "[]", '{"command":"action","data":{"name":"a"}}', new Uint8Array([255, 254])]) {
    if (link !== undefined) house.step({ is: "received", link, frame });
  }
  neuro.say("neuro/dances", { style: "wild" });
  check.equal(house.noted("upstream_unreadable").length, 4);
  check.equal(house.noted("backend_message").map(({ payload }) => payload), [
    '{"command":"neuro/dances","data":{"style":"wild"}}',
  ]);
  check.equal(chess.heard(), []);
});

test("NC9 contexts are attributed, and attribution can be turned off", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.heard();
  chess.context("check", false);
  check.equal(neuro.frames().map(({ data }) => data), [{ message: "[Chess] check", silent: false }]);
  house.configure({ actions: { attribution: false } });
  chess.context("check").force(["a"], { query: "?" });
  check.equal(
    neuro.frames().map(({ data }) => (data as { message?: string; query?: string })).map((data) =>
      data.message ?? data.query
    ),
    ["check", "?"],
  );
});

test("NC10 contexts are held while Neuro is away: at most 200 of each, the oldest silent ones go first, for 10 minutes", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.heard();
  neuro.drop();
  chess.context("loud", false);
  for (let n = 0; n < 205; n++) chess.context(`c${n}`);
  neuro.reopen();
  house.pass(60_000);
  const heard = neuro.heard().filter((word) => word.startsWith("context"));
  check.equal(heard.length, 200);
  check.equal(heard.slice(0, 2), ["context [Chess] loud", "context [Chess] c6"]);
  neuro.drop();
  chess.context("old");
  house.pass(600_001);
  chess.context("new");
  check.equal(neuro.reopen().heard().filter((word) => word.startsWith("context")), ["context [Chess] new"]);
});

test("NC11 contexts keep to the budget, equal silent ones are said once, and nothing else waits for them", () => {
  const { house, neuro } = opened({ neuros: [{ context_rate: 10, context_burst: 5 }] });
  const chess = started(house, "Chess", "a");
  neuro.heard();
  for (let n = 0; n < 8; n++) chess.context(`c${n}`);
  chess.context("c7");
  check.equal(neuro.heard().length, 5);
  neuro.action("u1", "a");
  chess.result(true).force(["a"]);
  check.equal(neuro.heard(), ["result u1 true", "force a"]);
  house.pass(250);
  check.equal(neuro.heard(), ["context [Chess] c5", "context [Chess] c6"]);
  house.pass(10_000);
  check.equal(neuro.heard(), ["context [Chess] c7"]);
});

test("NC11 while the lane upstream is full contexts wait, each game in its turn", () => {
  const { house, neuro } = opened();
  const [chess, poker] = [started(house, "Chess", "a"), started(house, "Poker", "bet")];
  neuro.heard();
  const { link } = neuro;
  if (link === undefined) return;
  house.step({ is: "linkBackpressure", link });
  chess.context("1").context("2");
  poker.context("3");
  check.equal(neuro.heard(), []);
  house.step({ is: "linkRelieved", link });
  check.equal(neuro.heard(), ["context [Chess] 1", "context [Poker] 3", "context [Chess] 2"]);
});

test("NC12 Jippity drops context while a result is pending, so it is held until then, in order", () => {
  const { house, neuro } = opened({ neuros: [{ profile: "jippity" }] });
  const chess = started(house, "Chess", "a");
  neuro.heard();
  neuro.action("u1", "a");
  chess.context("one", false).context("two");
  check.equal(neuro.heard(), []);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true", "context [Chess] one", "context [Chess] two"]);
});

test("NC13 several Neuros: each integration at exactly one, by the first pattern, each with its own names and slot", () => {
  const house = new House({
    neuros: [{ id: "neuro" }, { id: "evil", url: "ws://evil.test" }],
    integrations: [{ match: "Evil*", upstream: "evil" }, { match: "*", upstream: undefined }],
  });
  const [neuro, evil] = [house.neuro().open(), house.neuro("evil").open()];
  const chess = started(house, "Chess", "a").force(["a"]);
  const duel = started(house, "Evil Duel", otherAction("a")).force(["a"]);
  check.equal(neuro.heard(), ["startup", "register a", "force a"]);
  check.equal(evil.heard(), ["startup", "register a", "force a"]);
  neuro.action("0", "a");
  evil.action("0", "a");
  chess.result(true);
  check.equal([neuro.heard(), evil.heard()], [["result 0 true"], []]);
  duel.result(false);
  check.equal([neuro.heard(), evil.heard()], [[], ["result 0 false"]]);
});

test("NC14 a loop of relays is refused, and so are too many hops", () => {
  const { house } = opened();
  const own = house.dials[0]?.headers["Neuro-Relay-Via"] ?? "";
  check.that(own.length > 0);
  const looped = house.game("Loop", { via: `other,${own}` });
  const far = house.game("Far", { via: "a,b,c,d,e" });
  check.equal(house.closed.map(({ peer }) => peer), [looped.peer, far.peer]);
  check.equal(house.noted("greeting_refused").length, 2);
});

test("NC14 who is behind us is said to who is before us, so that a loop shows", () => {
  const { house, neuro } = opened();
  const before = house.dials.length;
  house.game("Chained", { via: "b,c" });
  house.game("Sibling", { via: "d" });
  check.equal(house.dials.length, before + 2);
  const own = house.dials[0]?.headers["Neuro-Relay-Via"];
  check.equal(house.dials.at(-1)?.headers["Neuro-Relay-Via"], `${own},b+d,c`);
  check.equal(neuro.open().heard(), ["startup"]);
});

test("NC15 registering one more game costs what one game costs", () => {
  const { house, neuro } = opened();
  for (let n = 0; n < 30; n++) started(house, `G${n}`, otherAction(`a${n}`));
  neuro.heard();
  started(house, "One more", "z");
  check.equal(neuro.heard(), ["register z"]);
});

test("NC15 200 games with 50 actions each are one batch after a restart of Neuro, in frames she can take", () => {
  const base = new House();
  const settings = { ...base.harness.settings, limits: { ...base.harness.settings.limits, actions: 20_000 } };
  const house = new House({ settings });
  const neuro = house.neuro().open();
  for (let n = 0; n < 200; n++) {
    started(house, `Game ${n}`, ...Array.from({ length: 50 }, (_, at) => action(`g${n}_a${at}`)));
  }
  neuro.heard();
  neuro.drop();
  const frames = neuro.reopen().frames();
  const names = frames.flatMap(({ data }) => ((data ?? {}) as { actions?: { name: string }[] }).actions ?? []);
  check.equal(new Set(names.map(({ name }) => name)).size, 10_000);
  check.equal(names.length, 10_000);
});

test("NC16 the Intermediary is told whether there is a Neuro, at first and whenever that changes", () => {
  const house = new House();
  const upstream = (): readonly unknown[] =>
    house.told().flatMap((message) => message.is === "upstreamChanged" ? [[message.configured, message.open]] : []);
  check.equal(upstream(), [[true, false]]);
  const neuro = house.neuro().open();
  check.equal(upstream(), [[true, true]]);
  neuro.drop();
  check.equal(upstream(), [[true, false]]);
});

test("NC17 a wrong clock makes nothing wait for ever", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  neuro.action("u1", "a");
  house.harness.now -= 3_600_000;
  house.step({ is: "tick" });
  chess.result(true);
  check.equal(neuro.heard().at(-1), "result u1 true");
  neuro.action("u2", "a");
  house.harness.now += 7_200_000;
  house.step({ is: "tick" });
  check.equal(neuro.heard(), ["result u2 false"]);
});
