/** What is kept of one game, of one link and of games that have left is within the limits, whatever they send. */
import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { LimitSettings } from "../../../../src/core/settings.ts";
import { normalizeGameName } from "../../../../src/services/neuro/games/registry.ts";
import { check } from "../../../harness/check.ts";
import { textBytesIn } from "../../../harness/retained.ts";
import { type FakeGame, Scenario, started } from "./fixture.ts";

const MIB = 1_048_576;
const PEER_MAX = DEFAULTS.limits.peer_bytes;
/** What a relay without peers keeps, and what an account may exceed its limit by, because small changes are not checked. */
const SLACK = MIB;

const text = (seed: number, length = 200_000): string => `${seed} ${"x".repeat(length)}`;
const schema = (seed: number): JsonObject => ({ type: "object", description: text(seed, 16_000) });
const limits = (some: Partial<LimitSettings>) => ({ settings: { limits: { ...DEFAULTS.limits, ...some } } });

/** One socket keeps as much as it can in one table. `at` counts from 0 to 199. */
const TABLES: Readonly<Record<string, (game: FakeGame, at: number) => void>> = {
  "its actions": (game, at) => void game.register({ name: text(at), description: text(at), schema: schema(at) }),
  "its changed actions": (game, at) =>
    void game.register({ name: `a${at % 50}`, description: text(at), schema: schema(at) }),
  "the names that it registered": (game, at) =>
    void game.register(...Array.from({ length: 50 }, (_, more) => text(at * 50 + more, 4_000))),
  "the names that it gave up": (game, at) => void game.register({ name: text(at), description: "" }).unregister(text(at)),
  "the definitions of names that it gave up": (game, at) =>
    void game.register({ name: `a${at}`, description: text(at), schema: schema(at) }).unregister(`a${at}`),
  "its names": (game, at) => void game.say("startup", undefined, text(at)),
  "the forces of its games": (game, at) =>
    void game.say("actions/force", { query: text(at), state: text(at), action_names: [] }, `game ${at}`),
  "contexts that wait": (game, at) => void game.context(text(at)),
  "contexts that wait, of many games": (game, at) => void game.say("context", { message: text(at) }, `game ${at}`),
  "refused actions": (game, at) =>
    void game.register({ name: text(at), description: "", schema: { type: "object", minimum: text(at) } }),
  "messages with other names": (game, at) => void game.say(text(at), { [text(at)]: text(at) }),
};

for (const [table, fill] of Object.entries(TABLES)) {
  test(`SE28 one socket keeps at most \`limits.peer_bytes\`: ${table}`, () => {
    const scenario = new Scenario();
    const game = scenario.game("Chess");
    for (let at = 0; at < 200; at++) fill(game, at);
    const { state, retained } = scenario.harness;
    const bytes = textBytesIn(state);
    check.that(bytes <= PEER_MAX + SLACK, `${bytes} bytes of text are kept`);
    check.that(bytes <= retained.bytes + SLACK, `${bytes} bytes are kept, and ${retained.bytes} are accounted for`);
  });
}

for (const is of ["contested", "standby"]) {
  test(`SE28 a ${is} connection keeps at most \`limits.peer_bytes\``, () => {
    const scenario = new Scenario();
    const holder = started(scenario, "Chess", "a");
    const rival = scenario.game("Chess").startup();
    if (is === "standby") holder.pong();
    for (let at = 0; at < 100; at++) {
      for (const name of ["Chess", `copy ${at}`]) {
        if (name !== "Chess") started(scenario, name, "a").pong();
        rival.say("actions/force", { query: text(at), action_names: ["a"] }, name);
      }
    }
    const bytes = textBytesIn(scenario.harness.state);
    check.that(bytes <= PEER_MAX + SLACK, `${bytes} bytes of text are kept`);
  });
}

test("SE28 a refusal states the limit, the value and the setting, and costs only the game that exceeds it", () => {
  const scenario = new Scenario(limits({ peer_bytes: 100_000 }));
  const other = started(scenario, "Other", "b");
  const game = started(scenario, "Chess", { name: "a", description: "x".repeat(10_000) });
  for (let at = 0; at < 10; at++) game.register({ name: `a${at}`, description: "x".repeat(10_000) });
  const { fault, reason } = scenario.observed("input_refused")[0] ?? {};
  check.equal(fault, "queueFull");
  check.match(
    String(reason),
    /^too many actions: a\d: this connection would keep \d+ bytes; `limits.peer_bytes` allows 100000$/,
  );
  game.unregister("a").register({ name: "small", description: "x" });
  check.that(
    scenario.harness.state.games.get("neuro:Chess")?.actions.get("small") !== undefined,
    "there is capacity again",
  );
  other.register("c");
  check.equal(scenario.observed("input_refused").filter(({ from }) => from === "Other"), []);
});

test("SE28b all peers together keep at most `limits.total_bytes`; one that keeps less than its share is not refused", () => {
  const scenario = new Scenario(limits({ total_bytes: 2 * MIB, peer_bytes: MIB, peers: 100 }));
  for (let at = 0; at < 8; at++) started(scenario, `big ${at}`, ...bigActions(at, 30));
  const bytes = scenario.harness.retained.bytes;
  check.that(bytes > 1.9 * MIB && bytes <= 2.1 * MIB, `${bytes} bytes are accounted for`);
  check.match(
    String(scenario.observed("input_refused").at(-1)?.reason),
    /all connections together would keep \d+ bytes; `limits.total_bytes` allows 2097152$/,
  );
  started(scenario, "small", "a", "b");
  const { actions } = scenario.harness.state.games.get("neuro:small") ?? {};
  check.equal(actions?.size, 2);
});

const bigActions = (seed: number, count: number): readonly JsonObject[] =>
  Array.from({ length: count }, (_, at) => ({ name: `a${seed}_${at}`, description: text(at, 10_000) }));

test("NB232 games that have left keep a quarter of `limits.total_bytes`, the largest is forgotten first", () => {
  const scenario = new Scenario(limits({ total_bytes: 4 * MIB }));
  started(scenario, "small", "mine").close();
  for (let at = 0; at < 100; at++) {
    started(scenario, `big ${at}`, ...bigActions(at, 20)).close();
    scenario.pass(20_000);
  }
  const { state } = scenario.harness;
  check.that(state.parked.bytes <= MIB, `${state.parked.bytes} bytes are accounted for`);
  check.that(textBytesIn(state) <= 2 * MIB);
  check.that(state.games.has("neuro:small"), "a small registry is not forgotten for large ones");
  const stored = scenario.entries();
  check.that(JSON.stringify(stored).length <= MIB, "what is stored is as small");
});

test("NB232b a restart restores no more, however much was stored", () => {
  const large = new Scenario(limits({ total_bytes: 400 * MIB }));
  for (let at = 0; at < 100; at++) {
    started(large, `big ${at}`, ...bigActions(at, 20)).close();
    large.pass(1_000);
  }
  const entries = large.entries();
  check.that(JSON.stringify(entries).length > 15 * MIB, "much was stored");
  const scenario = new Scenario({ ...limits({ total_bytes: 4 * MIB }), entries, now: large.now + 1_000 });
  const { state } = scenario.harness;
  check.that(state.parked.bytes <= MIB && textBytesIn(state) <= 2 * MIB, `${state.parked.bytes} bytes`);
  check.that(state.games.has("neuro:big 99"), "those that left last are restored");
  for (const { key, value } of entries) scenario.harness.stored.set(key, value ?? null);
  check.that(JSON.stringify(scenario.entries()).length <= MIB, "the other entries are deleted");
});

test("NB38b `limits.actions` counts the actions of all games, and those that have left make room first", () => {
  const scenario = new Scenario(limits({ actions: 10 }));
  for (let at = 0; at < 5; at++) {
    started(scenario, `gone ${at}`, `a${at}`, `b${at}`, `c${at}`).close();
    scenario.pass(20_000);
  }
  const { state } = scenario.harness;
  const actionsOf = () => [...state.games.values()].reduce((sum, { actions }) => sum + actions.size, 0);
  check.equal([actionsOf(), state.actionCount], [9, 9]);
  check.equal([...state.games.keys()], ["neuro:gone 2", "neuro:gone 3", "neuro:gone 4"]);
  started(scenario, "here", ...Array.from({ length: 12 }, (_, at) => `here${at}`));
  check.equal([actionsOf(), state.games.get("neuro:here")?.actions.size], [10, 10]);
  check.match(
    String(scenario.observed("input_refused").at(-1)?.reason),
    /here10, here11: 10 actions of all integrations are registered; `limits.actions` allows 10$/,
  );
});

test("NB233 a name that is too long to keep is kept in its normal form, and leads to the same game", () => {
  const scenario = new Scenario();
  const game = scenario.game(`Chess ${"x".repeat(MIB / 2)}`).startup().register("a");
  game.register("b");
  check.equal(scenario.harness.state.games.size, 1);
  check.equal([...scenario.harness.state.games.values()][0]?.actions.size, 2);
});

test("NB234 a description of more than 16,384 characters is shortened, and its developer is told", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  started(scenario, "Chess", { name: "a", description: "y".repeat(20_000) });
  const sent = JSON.stringify(neuro.frames().at(-1));
  check.equal(sent.match(/y{100,}/)?.[0].length, 16_384);
  check.equal(scenario.observed("input_repaired").map(({ what }) => what), ["description_shortened"]);
});

test("NB235 a small change of a large registry is not written every second", () => {
  const scenario = new Scenario();
  const game = started(scenario, "Chess", ...bigActions(0, 150));
  scenario.entries();
  let written = 0;
  for (let at = 0; at < 60; at++) {
    game.register(`more${at % 2}`).unregister(`more${at % 2}`);
    scenario.pass(1_000);
    for (const effect of scenario.effects) if (effect.do === "put") written += JSON.stringify(effect.value).length;
    scenario.store();
  }
  check.that(written <= 60 * MIB, `${written} bytes were written within a minute`);
  check.that(written >= 5 * MIB, "it is written nevertheless");
});

const OPERATIONS: readonly ((scenario: Scenario, games: FakeGame[], at: number) => void)[] = [
  (scenario, games, at) => void games.push(scenario.game(`game ${at % 3}`)),
  (_, games, at) => void games.at(at % games.length)?.startup(),
  (_, games, at) => void games.at(at % games.length)?.register(`a${at % 7}`, { name: `b${at % 5}`, description: `d${at}` }),
  (_, games, at) => void games.at(at % games.length)?.unregister(`a${at % 7}`, `b${at % 5}`),
  (_, games, at) => void games.at(at % games.length)?.force([`a${at % 7}`], { query: `q${at}`, state: "s".repeat(at) }),
  (_, games, at) => void games.at(at % games.length)?.context(`c${at}`, at % 2 === 0),
  (_, games, at) => void games.at(at % games.length)?.say("context", { message: "m" }, `other ${at % 4}`),
  (_, games, at) => void games.at(at % games.length)?.pong(),
  (_, games, at) => games.splice(at % Math.max(1, games.length), 1).forEach((game) => game.close()),
  (scenario, _, at) => scenario.pass(at * 200),
  (scenario, _, at) => (at % 2 === 0 ? scenario.neuro().drop() : undefined),
  (scenario, _, at) => scenario.neuro().link !== undefined && scenario.neuro().action(`u${at}`, `a${at % 7}`, "{}"),
  (_, games, at) => void games.at(at % games.length)?.result(at % 2 === 0),
];

test("SE28c whatever happened, nothing is accounted for once all peers have left and nothing is kept of them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(OPERATIONS.length - 1), fc.nat(200)), { maxLength: 60 }), (steps) => {
      const scenario = new Scenario(limits({ actions: 12, peer_bytes: 40_000 }));
      scenario.neuro().open();
      const games: FakeGame[] = [];
      for (const [which, at] of steps) OPERATIONS[which]?.(scenario, games, at);
      for (const game of games) game.close();
      scenario.pass(60_000);
      const link = scenario.neuro().link;
      const isOpen = [...scenario.harness.state.upstreams.values()].every((upstream) => upstream.isOpen);
      if (!isOpen || link === undefined) scenario.neuro().reopen();
      scenario.pass(2 * 24 * 3_600_000);
      check.equal(scenario.harness.state.games.size, 0);
      const { actionCount, traces, transcripts, otherTraces } = scenario.harness.state;
      check.equal([actionCount, traces.retained.bytes], [0, otherTraces.bytes]);
      check.equal(scenario.harness.retained.bytes, otherTraces.bytes + transcripts.retained.bytes);
    }),
    { numRuns: 150, seed: 7 },
  );
});

test("NC69 what is kept of one Neuro is at most `limits.peer_bytes`, and a message over `limits.message_bytes` is not read", () => {
  const scenario = new Scenario(limits({ message_bytes: 600_000 }));
  const neuro = scenario.neuro().open();
  started(scenario, "Chess", "a");
  for (let at = 0; at < 100; at++) {
    neuro.action(text(at), "a", JSON.stringify(text(at)));
    neuro.say("startup", { session: { sessionId: text(at), characterId: text(at), displayName: text(at) } });
    neuro.say(text(at), { [text(at)]: text(at) });
    neuro.say("speech_finished", { isFinal: true, reason: text(at) });
  }
  const bytes = textBytesIn(
    [...scenario.harness.state.upstreams.values()].map(({ session, pendingActions }) => [session, pendingActions]),
  );
  check.that(bytes <= PEER_MAX + 10_000, `${bytes} bytes of text are kept`);
  const unread = scenario.observed("upstream_unreadable").length;
  neuro.say("startup", { session: { sessionId: text(1, 700_000), characterId: "evil", displayName: "" } });
  check.match(
    String(scenario.observed("upstream_unreadable")[unread]?.reason),
    /a message of \d+ bytes; `limits.message_bytes` allows 600000/,
  );
});

test("NB236 at most 16 schemas are kept in compiled form by the relay in Neuro's place", () => {
  const scenario = new Scenario({ neuros: [] });
  const schema = { type: "object", properties: { x: { type: "number" } }, required: ["x"] };
  const game = started(
    scenario,
    "Chess",
    ...Array.from({ length: 40 }, (_, at) => ({ name: `a${at}`, description: "x", schema })),
  );
  for (const round of [1, 2]) {
    for (let at = 0; at < 40; at++) {
      scenario.post({ is: "actionChosen", from: "watcher", name: `a${at}`, data: `{"x":${round}}` });
      scenario.post({ is: "actionChosen", from: "watcher", name: `a${at}`, data: `{"x":"no number"}` });
    }
  }
  check.equal(game.ids().length, 80, "each is validated nevertheless");
  const [{ decider } = { decider: undefined }] = scenario.harness.state.upstreams.values();
  const compiled = [...decider?.actions.values() ?? []].filter(({ schema: found }) => found !== undefined);
  check.equal([compiled.length, decider?.compiled.size], [16, 16]);
});

test("NB237 a game's name has no characters that cannot be seen: with and without them it is one game", () => {
  for (const character of ["\u0001", "\u200b", "\u202e", "\u2066", "\ufeff", "\u{e0041}"]) {
    check.equal(normalizeGameName(`Ch${character}ess`), "Chess");
  }
  check.equal(normalizeGameName("👨‍💻 ❤️"), "👨‍💻 ❤️");
});
