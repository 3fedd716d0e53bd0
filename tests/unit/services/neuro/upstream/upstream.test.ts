/** The connection to Neuro: lost, restarted, silent, unusual, or more than one. */
import { test } from "#runner";
import type { Effect } from "../../../../../src/core/effect.ts";
import { check } from "../../../../harness/check.ts";
import type { LinkId } from "../../../../../src/core/ids.ts";
import { action, type FakeGame, type FakeNeuro, otherAction, Scenario, type ScenarioOptions, started } from "../fixture.ts";
import { Operator } from "../operator/operator-fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NC3 after a reconnect: startup, one register, the open force again, then queued contexts", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.heard();
  neuro.drop();
  poker.context("held");
  check.equal(neuro.reopen().heard(), ["startup", "register a bet", "force a", "context [Poker] held"]);
  neuro.action("0", "a");
  chess.unregister("a").result(true);
  check.equal(neuro.heard(), ["unregister a", "result 0 true", "force bet"]);
  check.equal(scenario.closed, [], "games notice nothing");
});

test("NC4 the result of an action of an earlier connection is not sent for a new action with the same id", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.action("0", "a");
  const old = chess.lastId();
  neuro.drop();
  neuro.reopen().heard();
  neuro.action("0", "a");
  chess.result(false, { id: old });
  check.equal(neuro.heard(), []);
  chess.result(true, { id: chess.lastId() });
  check.equal(neuro.heard(), ["result 0 true"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NC4b a success while Neuro is away completes its force: the game is not asked twice", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a").force(["a"]);
  neuro.action("0", "a");
  neuro.drop();
  chess.unregister("a").result(true);
  check.equal(neuro.reopen().heard().filter((word) => word !== "force a"), ["startup"]);
  check.equal(ends(scenario), ["Chess completed"]);
});

test("NC4b a game is not asked again while its result is outstanding", () => {
  const { scenario, neuro } = opened({ neuros: [{ action_deadline: 100_000 }] });
  const chess = started(scenario, "Chess", "a").force(["a"]);
  neuro.action("0", "a");
  chess.heard();
  neuro.heard();
  neuro.drop();
  check.equal(neuro.reopen().heard(), ["startup", "register a"]);
  chess.result(false);
  check.equal(neuro.heard(), ["force a"], "a failure is Neuro's to try again");
  check.equal(ends(scenario), []);
});

test("NC5 repeated losses: growing time between dials, no double registration, no double force", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").force(["a"]);
  const heard: string[] = [];
  for (let n = 0; n < 6; n++) {
    heard.push(...neuro.heard());
    neuro.drop();
    neuro.reopen();
  }
  heard.push(...neuro.heard());
  check.equal(heard, Array.from({ length: 7 }, () => ["startup", "register a", "force a"]).flat());
  const waits = scenario.observed("upstream_lost").map(({ retry_ms }) => retry_ms);
  check.that(waits.every((ms) => ms !== undefined && ms <= 15_000));
});

test("NC5b a URL that can never be dialed is dialed once, until it is changed", () => {
  const scenario = new Scenario();
  const [dialled] = scenario.dials;
  check.that(dialled !== undefined);
  scenario.step({ is: "dropped", link: dialled.link, code: 1006, reason: "expected ws://", isFinal: true });
  scenario.pass(3_600_000);
  check.equal(scenario.dials.length, 1);
  check.equal(scenario.observed("upstream_lost").map(({ retry_ms }) => retry_ms), [undefined]);
  const ready = new Operator(scenario).ask({ get: "ready" } as never).body;
  check.match(JSON.stringify(ready), /can never be reached: expected ws:.*correct its `url`/);
  scenario.configure({ neuros: [{ url: "ws://right.test" }] });
  check.equal(scenario.dials.map(({ url }) => url).at(-1), "ws://right.test");
  scenario.neuro().open();
});

test("NC5 a dial that is refused or never answered is repeated without end", () => {
  const scenario = new Scenario();
  for (let n = 0; n < 20; n++) {
    const last = scenario.dials.at(-1);
    if (last !== undefined && n % 2 === 0) scenario.step({ is: "dropped", link: last.link, code: 0, reason: "refused" });
    scenario.pass(40_000);
  }
  check.that(scenario.dials.length > 20);
  check.that(scenario.observed("upstream_lost").length >= 20);
});

test("NC6 frames of an old link are ignored", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const old = neuro.link;
  neuro.drop();
  neuro.reopen();
  if (old !== undefined) {
    scenario.step({ is: "received", link: old, frame: '{"command":"action","data":{"id":"1","name":"a"}}' });
    scenario.step({ is: "dropped", link: old, code: 1006, reason: "" });
  }
  check.equal(chess.heard(), []);
  check.equal(neuro.heard(), ["startup", "register a"]);
});

test("NC7 `reregister_all` registers everything again, unless everything was just registered", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a");
  neuro.heard();
  neuro.say("actions/reregister_all");
  check.equal(neuro.heard(), []);
  scenario.pass(2_000);
  neuro.say("actions/reregister_all");
  check.equal(neuro.heard(), ["register a"]);
});

test("NC7b a backend whose `startup` clears nothing gets the names unregistered before they are registered", () => {
  const scenario = new Scenario({ neuros: [{ profile: "randy" }] });
  started(scenario, "Chess", "a");
  check.equal(scenario.neuro().open().heard(), ["startup", "unregister a", "register a"]);
});

test("NC8 an unreadable frame is reported, and an unknown command goes to watchers", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const { link } = neuro;
  for (const frame of ["nonsense", "[]", '{"command":"action","data":{"name":"a"}}', new Uint8Array([255, 254])]) {
    if (link !== undefined) scenario.step({ is: "received", link, frame });
  }
  neuro.say("neuro/dances", { style: "wild" });
  check.equal(scenario.observed("upstream_unreadable").length, 4);
  check.equal(scenario.observed("backend_message").map(({ payload }) => payload), [
    '{"command":"neuro/dances","data":{"style":"wild"}}',
  ]);
  check.equal(chess.heard(), []);
});

test("NC9 contexts are attributed, and attribution can be turned off", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  chess.context("check", false);
  check.equal(neuro.frames().map(({ data }) => data), [{ message: "[Chess] check", silent: false }]);
  scenario.configure({ actions: { attribution: false } });
  chess.context("check").force(["a"], { query: "?" });
  check.equal(
    neuro.frames().map(({ data }) => (data as { message?: string; query?: string })).map((data) =>
      data.message ?? data.query
    ),
    ["check", "?"],
  );
});

test("NC10 contexts wait while Neuro is away: at most 200 of each, the oldest silent ones dropped first, for 10 minutes", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  neuro.drop();
  chess.context("loud", false);
  for (let n = 0; n < 205; n++) chess.context(`c${n}`);
  neuro.reopen();
  scenario.pass(60_000);
  const heard = neuro.heard().filter((word) => word.startsWith("context"));
  check.equal(heard.length, 200);
  check.equal(heard.slice(0, 2), ["context [Chess] loud", "context [Chess] c6"]);
  neuro.drop();
  chess.context("old");
  scenario.pass(600_001);
  chess.context("new");
  check.equal(neuro.reopen().heard().filter((word) => word.startsWith("context")), ["context [Chess] new"]);
});

test("NC11 NC11b contexts keep to the budget, equal silent ones are sent once, and nothing else waits for them", () => {
  const { scenario, neuro } = opened({ neuros: [{ context_rate: 10, context_burst: 5 }] });
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  for (let n = 0; n < 8; n++) chess.context(`c${n}`);
  chess.context("c7");
  check.equal(neuro.heard().length, 5);
  neuro.action("u1", "a");
  chess.result(true).force(["a"]);
  check.equal(neuro.heard(), ["result u1 true", "force a"]);
  scenario.pass(250);
  check.equal(neuro.heard(), ["context [Chess] c5", "context [Chess] c6"]);
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["context [Chess] c7"]);
});

test("NC11c contexts wait under backpressure, and are sent one of each game in turn", () => {
  const { scenario, neuro } = opened();
  const [chess, poker] = [started(scenario, "Chess", "a"), started(scenario, "Poker", "bet")];
  neuro.heard();
  const { link } = neuro;
  if (link === undefined) return;
  scenario.step({ is: "linkBackpressure", link });
  chess.context("1").context("2");
  poker.context("3");
  check.equal(neuro.heard(), []);
  scenario.step({ is: "linkRelieved", link });
  check.equal(neuro.heard(), ["context [Chess] 1", "context [Poker] 3", "context [Chess] 2"]);
});

test("NC37 contexts that a game sent before its force go to Neuro before it, also when she connects late", () => {
  const scenario = new Scenario();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  poker.context("elsewhere");
  chess.context("the rules").context("the board", false).force(["a"]).context("hurry");
  check.equal(scenario.neuro().open().heard(), [
    "startup",
    "register a bet",
    "context [Chess] the rules",
    "context [Chess] the board",
    "force a",
    "context [Poker] elsewhere",
    "context [Chess] hurry",
  ]);
});

test("NC37 also before a force that waited, and after a restart; no force waits for the budget", () => {
  const { scenario, neuro } = opened({ neuros: [{ context_rate: 1, context_burst: 1 }] });
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  chess.force(["a"]);
  neuro.action("u1", "a");
  poker.context("first").context("second").context("third").force(["bet"]);
  neuro.heard();
  scenario.pass(1_000);
  chess.unregister("a").result(true);
  check.equal(neuro.heard(), ["context [Poker] second", "unregister a", "result u1 true", "force bet"]);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now });
  later.game("Poker").register("bet");
  check.equal(later.neuro().open().heard(), ["startup", "register bet", "context [Poker] third", "force bet"]);
});

/** The writes of contexts since they were last asked for. */
function contextWrites(scenario: Scenario): readonly (Effect & { do: "put" })[] {
  return scenario.effects.splice(0).filter((effect): effect is Effect & { do: "put" } =>
    effect.do === "put" && effect.key.startsWith("neuro/context/")
  );
}

test("NC38 a context whose write failed is written again under another key, with a growing delay while writes fail", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.drop();
  chess.context("one");
  scenario.pass(1_000);
  const keys = new Set<string>();
  const gaps: number[] = [];
  for (let tries = 0; tries < 6; tries++) {
    const [write, ...others] = contextWrites(scenario);
    check.that(write !== undefined && others.length === 0, `${tries}: not one write`);
    keys.add(write.key);
    scenario.step({ is: "storeFailed", key: write.key, reason: "full" });
    const before = scenario.now;
    while (!scenario.effects.some((effect) => effect.do === "put")) scenario.pass(1_000);
    gaps.push(scenario.now - before);
  }
  check.equal([keys.size, gaps], [6, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]]);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now });
  check.equal(later.neuro().open().heard(), ["startup", "context [Chess] one"]);
});

test("NC38 a context that was sent meanwhile is not written again, and leaves no entry", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.drop();
  chess.context("one");
  scenario.pass(1_000);
  const [write] = contextWrites(scenario);
  check.that(write !== undefined);
  scenario.step({ is: "storeFailed", key: write.key, reason: "full" });
  check.equal(neuro.reopen().heard().at(-1), "context [Chess] one");
  const writtenBefore = scenario.effects.length;
  scenario.pass(120_000);
  const late = scenario.effects.slice(writtenBefore).filter((effect) => effect.do === "put");
  check.equal(late.filter(({ key }) => key.startsWith("neuro/context/")), []);
  check.equal(scenario.entries().filter(({ key }) => key.startsWith("neuro/context/")), []);
});

test("NC39 a settled write looks at no context but its own", () => {
  const { scenario, neuro } = opened();
  const games = ["One", "Two", "Three"].map((name) => started(scenario, name, "a"));
  neuro.drop();
  for (const game of games) for (let n = 0; n < 50; n++) game.context(`${n}`);
  scenario.pass(1_000);
  const contexts = scenario.harness.state.upstreams.get("neuro")?.contexts;
  check.that(contexts !== undefined);
  let visits = 0;
  for (const queue of contexts.queued.values()) {
    for (const way of ["filter", "find", "findIndex", "some", "splice", Symbol.iterator] as const) {
      const own = queue[way].bind(queue) as (...args: unknown[]) => unknown;
      Object.defineProperty(queue, way, { value: (...args: unknown[]) => (visits++, own(...args)) });
    }
  }
  const writes = contextWrites(scenario);
  check.equal(writes.length, 150);
  for (const [at, { key }] of writes.entries()) {
    scenario.step(at % 2 === 0 ? { is: "stored", key } : { is: "storeFailed", key, reason: "full" });
  }
  check.equal(visits, 0);
});

test("NC12 with the profile of Jippity contexts wait while a result is pending, and keep their order", () => {
  const { scenario, neuro } = opened({ neuros: [{ profile: "jippity" }] });
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  neuro.action("u1", "a");
  chess.context("one", false).context("two");
  check.equal(neuro.heard(), []);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true", "context [Chess] one", "context [Chess] two"]);
});

test("NC13 several upstreams: each integration has one, by the first pattern; each has its own names and force", () => {
  const scenario = new Scenario({
    neuros: [{ id: "neuro" }, { id: "evil", url: "ws://evil.test" }],
    integrations: [{ match: "Evil*", upstream: "evil" }, { match: "*", upstream: undefined }],
  });
  const [neuro, evil] = [scenario.neuro().open(), scenario.neuro("evil").open()];
  const chess = started(scenario, "Chess", "a").force(["a"]);
  const duel = started(scenario, "Evil Duel", otherAction("a")).force(["a"]);
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
  const { scenario } = opened();
  const own = scenario.dials[0]?.headers["Neuro-Relay-Via"] ?? "";
  check.that(own.length > 0);
  const looped = scenario.game("Loop", { via: `other,${own}` });
  const far = scenario.game("Far", { via: "a,b,c,d,e" });
  check.equal(scenario.closed.map(({ peer }) => peer), [looped.peer, far.peer]);
  check.equal(scenario.observed("greeting_refused").length, 2);
});

test("NC14b the header of a dial names the relays behind this one", () => {
  const { scenario, neuro } = opened();
  const before = scenario.dials.length;
  scenario.game("Chained", { via: "b,c" });
  scenario.game("Sibling", { via: "d" });
  check.equal(scenario.dials.length, before);
  neuro.drop();
  neuro.reopen();
  const own = scenario.dials[0]?.headers["Neuro-Relay-Via"];
  check.equal(scenario.dials.at(-1)?.headers["Neuro-Relay-Via"], `${own},b+d,c`);
});

test("NC42 of the header Neuro-Relay-Via only ids of relays are passed on, and at most 32 of them", () => {
  const { scenario, neuro } = opened();
  scenario.game("Odd", { via: "naïve+\u0001,x y+".concat("z".repeat(37)) });
  for (let n = 0; n < 5; n++) {
    scenario.game(`Many ${n}`, {
      via: Array.from({ length: 20 }, (_, at) => `relay-${n}-${at}-${"x".repeat(20)}`).join("+"),
    });
  }
  neuro.drop();
  neuro.reopen();
  const sent = scenario.dials.at(-1)?.headers["Neuro-Relay-Via"] ?? "";
  check.equal([sent.split(/[+,]/).length, sent.length < 1_500, /^[\x21-\x7e]+$/.test(sent)], [33, true, true]);
});

test("NC42b no header of a game makes the relay dial again, whatever comes and goes", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  const dials = scenario.dials.length;
  const headers = ["b", "b,c", "c+d", "naïve", "x".repeat(4_000), ",,,", "+", "b,c,d,e,f", "\u0000"];
  for (const via of [...headers, ...headers]) {
    const game = scenario.game(`Game ${via.slice(0, 9)}`, { via }).startup();
    scenario.pass(100);
    if (scenario.closed.every(({ peer }) => peer !== game.peer)) game.close();
  }
  check.equal([scenario.dials.length, scenario.closedLinks, neuro.heard()], [dials, [], []]);
  check.equal(chess.heard().filter((word) => word !== "reregister"), []);
});

test("NC14c a relay behind this one is told which relays are ahead, and at each change; a game is told nothing", () => {
  const { scenario, neuro } = opened();
  const own = scenario.dials[0]?.headers["Neuro-Relay-Via"];
  const [relay, game] = [scenario.game("Relay", { via: "b" }), scenario.game("Chess")];
  const chains = () => relay.heardFrames().filter(({ command }) => command === "neuro-relay/chain").map(({ data }) => data);
  check.equal(chains(), [{ via: own }]);
  neuro.say("neuro-relay/chain", { via: "x,y+z" });
  check.equal(chains(), [{ via: `${own},x,y+z` }]);
  neuro.drop();
  check.equal(chains(), [{ via: own }]);
  neuro.reopen();
  for (const via of [7, null, "", "naïve", {}, "x".repeat(100_000)]) neuro.say("neuro-relay/chain", { via });
  check.equal(chains().every((data) => JSON.stringify(data) === JSON.stringify({ via: own })), true);
  check.equal(game.heard().filter((word) => word.startsWith("neuro-relay")), []);
});

test("NC14d a loop of relays that all dialed at the same time is found and not closed again", () => {
  for (const length of [1, 2, 3, 4]) {
    const relays = Array.from({ length }, (_, at) => new Scenario({ now: (at + 1) * 1_000_000 }));
    const links = relays.map(() => ({ dialed: 0, peer: undefined as FakeGame | undefined, link: "" }));
    /** Each relay dials the next one; frames pass until nothing is left to do. */
    const run = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 50) {
        for (const [at, relay] of relays.entries()) {
          relay.pass(50);
          const wire = links[at];
          const next = relays[(at + 1) % length];
          if (wire === undefined || next === undefined) continue;
          if (wire.peer !== undefined && (relay.closedLinks.some((link) => link === wire.link))) {
            wire.peer.close();
            wire.peer = undefined;
          }
          const dialed = relay.dials[wire.dialed];
          if (dialed !== undefined) {
            wire.dialed++;
            wire.link = dialed.link;
            const peer = next.game("Relay", { via: dialed.headers["Neuro-Relay-Via"] ?? "" });
            const isRefused = next.closed.some((each) => each.peer === peer.peer);
            wire.peer = isRefused ? undefined : peer;
            relay.step(
              isRefused
                ? { is: "dropped", link: dialed.link, code: 4403, reason: "" }
                : { is: "dialed", link: dialed.link },
            );
          }
          const { peer } = wire;
          if (peer === undefined) continue;
          for (const frame of relay.framesTo(wire.link)) peer.raw(JSON.stringify(frame));
          for (const frame of peer.heardFrames()) {
            relay.step({ is: "received", link: dialed?.link ?? wire.link as LinkId, frame: JSON.stringify(frame) });
          }
        }
      }
    };
    run(60_000);
    const reasons = relays.flatMap((relay) => relay.observed("upstream_lost").map(({ reason }) => reason));
    const refused = relays.flatMap((relay) => relay.observed("greeting_refused"));
    check.that(reasons.includes("relays chained in a loop") || refused.length > 0, `${length}: ${reasons}`);
    check.that(refused.length > 0, `the loop of ${length} is refused at the next dial`);
    const open = links.filter(({ peer }) => peer !== undefined).length;
    check.that(open < length, `${open} of ${length} links are open`);
  }
});

test("NC15 registering one more game sends only that game's actions", () => {
  const { scenario, neuro } = opened();
  for (let n = 0; n < 30; n++) started(scenario, `G${n}`, otherAction(`a${n}`));
  neuro.heard();
  started(scenario, "One more", "z");
  check.equal(neuro.heard(), ["register z"]);
});

test("NC15b 200 games with 50 actions each are registered in frames of a size that Neuro accepts", () => {
  const base = new Scenario();
  const settings = { ...base.harness.settings, limits: { ...base.harness.settings.limits, actions: 20_000 } };
  const scenario = new Scenario({ settings });
  const neuro = scenario.neuro().open();
  for (let n = 0; n < 200; n++) {
    started(scenario, `Game ${n}`, ...Array.from({ length: 50 }, (_, at) => action(`g${n}_a${at}`)));
  }
  neuro.heard();
  neuro.drop();
  const frames = neuro.reopen().frames();
  const names = frames.flatMap(({ data }) => ((data ?? {}) as { actions?: { name: string }[] }).actions ?? []);
  check.equal(new Set(names.map(({ name }) => name)).size, 10_000);
  check.equal(names.length, 10_000);
});

test("NC16 the Intermediary is notified whether Neuro is connected, at the start and at each change", () => {
  const scenario = new Scenario();
  const upstream = (): readonly unknown[] =>
    scenario.posted().flatMap((message) => message.is === "upstreamChanged" ? [[message.configured, message.open]] : []);
  check.equal(upstream(), [[true, false]]);
  const neuro = scenario.neuro().open();
  check.equal(upstream(), [[true, true]]);
  neuro.drop();
  check.equal(upstream(), [[true, false]]);
});

test("NC17 a clock that jumps leaves nothing waiting without end", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.action("u1", "a");
  scenario.harness.now -= 3_600_000;
  scenario.step({ is: "tick" });
  chess.result(true);
  check.equal(neuro.heard().at(-1), "result u1 true");
  neuro.action("u2", "a");
  scenario.harness.now += 7_200_000;
  scenario.step({ is: "tick" });
  check.equal(neuro.heard(), ["result u2 false"]);
});
