/** The life of an outbound link: every state with everything that can happen in it. */
import { test } from "#runner";
import type { Effect } from "../../src/core/effect.ts";
import { dial, due, hangup, type Link, link, type LinkPlan, lost, opened, STEADY_MS } from "../../src/core/link.ts";
import type { Turn } from "../../src/core/turn.ts";
import { check } from "../harness/check.ts";

const NOW = 1_000_000;
const plan: LinkPlan = { url: "ws://there", backoff: { baseMs: 1_000, capMs: 8_000 }, dialTimeoutMs: 10_000 };

class Desk implements Turn {
  now = NOW;
  readonly did: string[] = [];
  #count = 0;
  random(): number {
    return 0.5;
  }
  id(): string {
    return `n${++this.#count}`;
  }
  secret(): string {
    return "secret";
  }
  put(effect: Effect): void {
    this.did.push("link" in effect ? `${effect.do} ${effect.link}` : effect.do);
  }
  note(): void {}
  count(): void {}
}

type State = Link["state"];
const happenings = {
  dial: (of: Link, turn: Turn): unknown => dial(of, plan, turn),
  opened: (of: Link, turn: Turn): unknown => opened(of, turn),
  lost: (of: Link, turn: Turn): unknown => lost(of, plan, turn),
  early: (of: Link, turn: Turn): unknown => due(of, plan, turn),
  due: (of: Link, turn: Turn): unknown => due(of, plan, { ...methods(turn), now: of.deadline ?? turn.now }),
  hangup: (of: Link, turn: Turn): unknown => hangup(of, turn),
};

const methods = (turn: Turn): Turn => ({
  now: turn.now,
  random: () => turn.random(),
  id: () => turn.id(),
  secret: () => turn.secret(),
  put: (effect) => turn.put(effect),
  note: (note) => turn.note(note),
  count: () => {},
});

/** A link that came into its state in the usual way, with its desk cleared. */
function linkIn(state: State): { of: Link; turn: Desk } {
  const [of, turn] = [link("neuro", "upstream"), new Desk()];
  if (state !== "idle") dial(of, plan, turn);
  if (state === "open") opened(of, turn);
  if (state === "waiting") lost(of, plan, turn);
  turn.did.length = 0;
  return { of, turn };
}

const [first, second] = ["neuro:upstream:n1", "neuro:upstream:n2"];

/** state, event, next state, effects, and until when the link waits, as milliseconds from now. */
const TABLE: readonly (readonly [State, keyof typeof happenings, State, readonly string[], number | undefined])[] = [
  ["idle", "dial", "dialing", [`dial ${first}`], 10_000],
  ["idle", "opened", "open", [], undefined],
  ["idle", "lost", "waiting", [], 500],
  ["idle", "early", "idle", [], undefined],
  ["idle", "due", "idle", [], undefined],
  ["idle", "hangup", "idle", [], undefined],
  ["dialing", "dial", "dialing", [`hangup ${first}`, `dial ${second}`], 10_000],
  ["dialing", "opened", "open", [], undefined],
  ["dialing", "lost", "waiting", [], 500],
  ["dialing", "early", "dialing", [], 10_000],
  ["dialing", "due", "idle", [`hangup ${first}`], undefined],
  ["dialing", "hangup", "idle", [`hangup ${first}`], undefined],
  ["open", "dial", "dialing", [`hangup ${first}`, `dial ${second}`], 10_000],
  ["open", "opened", "open", [], undefined],
  ["open", "lost", "waiting", [], 500],
  ["open", "early", "open", [], undefined],
  ["open", "due", "open", [], undefined],
  ["open", "hangup", "idle", [`hangup ${first}`], undefined],
  ["waiting", "dial", "dialing", [`dial ${second}`], 10_000],
  ["waiting", "opened", "open", [], undefined],
  ["waiting", "lost", "waiting", [], 1_000],
  ["waiting", "early", "waiting", [], 500],
  ["waiting", "due", "dialing", [`dial ${second}`], 10_500],
  ["waiting", "hangup", "idle", [], undefined],
];

for (const [state, happening, next, effects, waitMs] of TABLE) {
  test(`a link that is ${state}, on ${happening}, is ${next}`, () => {
    const { of, turn } = linkIn(state);
    const result = happenings[happening](of, turn);
    check.equal(of.state, next);
    check.equal(turn.did, [...effects]);
    check.equal(of.deadline, waitMs === undefined ? undefined : NOW + waitMs);
    check.that(of.deadline !== undefined || !["dialing", "waiting"].includes(of.state), "L2: it waits without an end");
    if (happening === "due") check.equal(result, state === "dialing", "only an attempt can be given up");
  });
}

test("the table says something of every state and every event", () => {
  const pairs = new Set(TABLE.map(([state, happening]) => `${state} ${happening}`));
  check.equal(pairs.size, 4 * Object.keys(happenings).length);
});

test("each attempt has a new id, so that what an old socket says finds no link", () => {
  const { of, turn } = linkIn("open");
  const old = of.id;
  lost(of, plan, turn);
  check.equal(of.id, undefined);
  dial(of, plan, turn);
  check.that(of.id !== undefined && of.id !== old);
});

test("attempts that fail wait longer each time; a link that held for a while starts over, one that broke at once does not", () => {
  const { of, turn } = linkIn("waiting");
  check.equal([lost(of, plan, turn), lost(of, plan, turn), lost(of, plan, turn)], [1_000, 2_000, 4_000]);
  dial(of, plan, turn);
  opened(of, turn);
  turn.now += STEADY_MS - 1;
  check.equal(lost(of, plan, turn), 4_000);
  dial(of, plan, turn);
  opened(of, turn);
  turn.now += STEADY_MS;
  check.equal(lost(of, plan, turn), 500);
});
