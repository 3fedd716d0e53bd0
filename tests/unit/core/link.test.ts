/** The life of an outbound link: every state with everything that can happen in it. */
import { test } from "#runner";
import type { Effect } from "../../../src/core/effect.ts";
import { dial, due, hangup, type Link, link, type LinkPlan, lost, opened, STEADY_MS } from "../../../src/core/link.ts";
import type { StepContext } from "../../../src/core/context.ts";
import { check } from "../../harness/check.ts";

const NOW = 1_000_000;
const plan: LinkPlan = { url: "ws://there", backoff: { baseMs: 1_000, capMs: 8_000 }, dialTimeoutMs: 10_000 };

class Desk implements StepContext {
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
  emit(effect: Effect): void {
    this.did.push("link" in effect ? `${effect.do} ${effect.link}` : effect.do);
  }
  observe(): void {}
  post(): void {}
  count(): void {}
}

type State = Link["state"];
const happenings = {
  dial: (of: Link, ctx: StepContext): unknown => dial(of, plan, ctx),
  opened: (of: Link, ctx: StepContext): unknown => opened(of, ctx),
  lost: (of: Link, ctx: StepContext): unknown => lost(of, plan, ctx),
  early: (of: Link, ctx: StepContext): unknown => due(of, plan, ctx),
  due: (of: Link, ctx: StepContext): unknown => due(of, plan, { ...methods(ctx), now: of.deadline ?? ctx.now }),
  hangup: (of: Link, ctx: StepContext): unknown => hangup(of, ctx),
};

const methods = (ctx: StepContext): StepContext => ({
  now: ctx.now,
  random: () => ctx.random(),
  id: () => ctx.id(),
  secret: () => ctx.secret(),
  emit: (effect) => ctx.emit(effect),
  post: (service, message) => ctx.post(service, message),
  observe: (observation) => ctx.observe(observation),
  count: () => {},
});

/** A link that came into its state in the usual way, with its desk cleared. */
function linkIn(state: State): { of: Link; ctx: Desk } {
  const [of, ctx] = [link("neuro", "upstream"), new Desk()];
  if (state !== "idle") dial(of, plan, ctx);
  if (state === "open") opened(of, ctx);
  if (state === "waiting") lost(of, plan, ctx);
  ctx.did.length = 0;
  return { of, ctx };
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
  ["dialing", "dial", "dialing", [`closeLink ${first}`, `dial ${second}`], 10_000],
  ["dialing", "opened", "open", [], undefined],
  ["dialing", "lost", "waiting", [], 500],
  ["dialing", "early", "dialing", [], 10_000],
  ["dialing", "due", "idle", [`closeLink ${first}`], undefined],
  ["dialing", "hangup", "idle", [`closeLink ${first}`], undefined],
  ["open", "dial", "dialing", [`closeLink ${first}`, `dial ${second}`], 10_000],
  ["open", "opened", "open", [], undefined],
  ["open", "lost", "waiting", [], 500],
  ["open", "early", "open", [], undefined],
  ["open", "due", "open", [], undefined],
  ["open", "hangup", "idle", [`closeLink ${first}`], undefined],
  ["waiting", "dial", "dialing", [`dial ${second}`], 10_000],
  ["waiting", "opened", "open", [], undefined],
  ["waiting", "lost", "waiting", [], 1_000],
  ["waiting", "early", "waiting", [], 500],
  ["waiting", "due", "dialing", [`dial ${second}`], 10_500],
  ["waiting", "hangup", "idle", [], undefined],
];

for (const [state, happening, next, effects, waitMs] of TABLE) {
  test(`a link that is ${state}, on ${happening}, is ${next}`, () => {
    const { of, ctx } = linkIn(state);
    const result = happenings[happening](of, ctx);
    check.equal(of.state, next);
    check.equal(ctx.did, [...effects]);
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
  const { of, ctx } = linkIn("open");
  const old = of.id;
  lost(of, plan, ctx);
  check.equal(of.id, undefined);
  dial(of, plan, ctx);
  check.that(of.id !== undefined && of.id !== old);
});

test("attempts that fail wait longer each time; a link that held for a while starts over, one that broke at once does not", () => {
  const { of, ctx } = linkIn("waiting");
  check.equal([lost(of, plan, ctx), lost(of, plan, ctx), lost(of, plan, ctx)], [1_000, 2_000, 4_000]);
  dial(of, plan, ctx);
  opened(of, ctx);
  ctx.now += STEADY_MS - 1;
  check.equal(lost(of, plan, ctx), 4_000);
  dial(of, plan, ctx);
  opened(of, ctx);
  ctx.now += STEADY_MS;
  check.equal(lost(of, plan, ctx), 500);
});
