/** The reconnect policy: every state with every operation, and when something is due. */
import { test } from "#runner";
import type { StepContext } from "../../../src/core/context.ts";
import type { Effect } from "../../../src/core/effect.ts";
import {
  closeLink,
  confirmLink,
  createLink,
  dialLink,
  failLink,
  giveUpLink,
  type KeepaliveOptions,
  type Link,
  linkDeadline,
  type LinkDue,
  linkDue,
  linkIdOf,
  type LinkOptions,
  type LinkPhase,
  loseLink,
  openLink,
  probeLink,
  releaseSocket,
  STABLE_MS,
} from "../../../src/core/link.ts";
import { check } from "../../harness/check.ts";

const NOW = 1_000_000;
const OPTIONS: LinkOptions = {
  url: "ws://peer",
  backoff: { baseMs: 1_000, capMs: 8_000 },
  dialTimeoutMs: 10_000,
};
const KEEPALIVE: KeepaliveOptions = { idleMs: 8_000, answerMs: 2_000 };

/** A step context that records effects. Its random number is always 0.5. */
class TestContext implements StepContext {
  now = NOW;
  readonly effects: string[] = [];
  #ids = 0;
  random = () => 0.5;
  id = () => `n${++this.#ids}`;
  secret = () => "secret";
  emit(effect: Effect): void {
    this.effects.push("link" in effect ? `${effect.do} ${effect.link}` : effect.do);
  }
  observe(): void {}
  post(): void {}
  count(): void {}
}

const OPERATIONS = {
  dialLink: (link: Link, ctx: TestContext): unknown => dialLink(link, OPTIONS, ctx),
  openLink: (link: Link, ctx: TestContext): unknown => openLink(link, ctx.now),
  loseLink: (link: Link, ctx: TestContext): unknown => loseLink(link, OPTIONS, ctx),
  failLink: (link: Link, ctx: TestContext): unknown => failLink(link, OPTIONS, ctx),
  giveUpLink: (link: Link): unknown => giveUpLink(link, "no such scheme"),
  closeLink: (link: Link, ctx: TestContext): unknown => closeLink(link, ctx),
  releaseSocket: (link: Link): unknown => releaseSocket(link),
  confirmLink: (link: Link, ctx: TestContext): unknown => confirmLink(link, ctx.now),
  probeLink: (link: Link, ctx: TestContext): unknown => probeLink(link, ctx.now),
};

/** A link in each state, and the context in which it got there. */
function linkIn(phase: LinkPhase): { readonly link: Link; readonly ctx: TestContext } {
  const [link, ctx] = [createLink("neuro", "upstream"), new TestContext()];
  if (phase !== "idle") dialLink(link, OPTIONS, ctx);
  if (phase === "open") openLink(link, ctx.now);
  if (phase === "waiting") loseLink(link, OPTIONS, ctx);
  if (phase === "failed") giveUpLink(link, "no such scheme");
  ctx.effects.length = 0;
  return { link, ctx };
}

const [first, second] = ["neuro:upstream:n1", "neuro:upstream:n2"];

/** State, operation, next state, effects, and the deadline without keepalive, in milliseconds from now. */
const TRANSITIONS: readonly (readonly [
  LinkPhase,
  keyof typeof OPERATIONS,
  LinkPhase,
  readonly string[],
  number | undefined,
])[] = [
  ["idle", "dialLink", "dialing", [`dial ${first}`], 10_000],
  ["idle", "openLink", "idle", [], undefined],
  ["idle", "loseLink", "waiting", [], 500],
  ["idle", "failLink", "waiting", [], 500],
  ["idle", "closeLink", "idle", [], undefined],
  ["idle", "releaseSocket", "idle", [], undefined],
  ["idle", "confirmLink", "idle", [], undefined],
  ["idle", "probeLink", "idle", [], undefined],
  ["dialing", "dialLink", "dialing", [`closeLink ${first}`, `dial ${second}`], 10_000],
  ["dialing", "openLink", "open", [], undefined],
  ["dialing", "loseLink", "waiting", [], 500],
  ["dialing", "failLink", "waiting", [`closeLink ${first}`], 500],
  ["dialing", "closeLink", "idle", [`closeLink ${first}`], undefined],
  ["dialing", "releaseSocket", "idle", [], undefined],
  ["dialing", "confirmLink", "dialing", [], 10_000],
  ["dialing", "probeLink", "dialing", [], 10_000],
  ["open", "dialLink", "dialing", [`closeLink ${first}`, `dial ${second}`], 10_000],
  ["open", "openLink", "open", [], undefined],
  ["open", "loseLink", "waiting", [], 500],
  ["open", "failLink", "waiting", [`closeLink ${first}`], 500],
  ["open", "closeLink", "idle", [`closeLink ${first}`], undefined],
  ["open", "releaseSocket", "idle", [], undefined],
  ["open", "confirmLink", "open", [], undefined],
  ["open", "probeLink", "open", [], undefined],
  ["waiting", "dialLink", "dialing", [`dial ${second}`], 10_000],
  ["waiting", "openLink", "waiting", [], 500],
  ["waiting", "loseLink", "waiting", [], 1_000],
  ["waiting", "failLink", "waiting", [], 1_000],
  ["waiting", "closeLink", "idle", [], undefined],
  ["waiting", "releaseSocket", "idle", [], undefined],
  ["waiting", "confirmLink", "waiting", [], 500],
  ["waiting", "probeLink", "waiting", [], 500],
  ["failed", "dialLink", "dialing", [`dial ${second}`], 10_000],
  ["failed", "openLink", "failed", [], undefined],
  ["failed", "loseLink", "waiting", [], 500],
  ["failed", "failLink", "waiting", [], 500],
  ["failed", "closeLink", "idle", [], undefined],
  ["failed", "releaseSocket", "idle", [], undefined],
  ["failed", "confirmLink", "failed", [], undefined],
  ["failed", "probeLink", "failed", [], undefined],
  ["idle", "giveUpLink", "failed", [], undefined],
  ["dialing", "giveUpLink", "failed", [], undefined],
  ["open", "giveUpLink", "failed", [], undefined],
  ["waiting", "giveUpLink", "failed", [], undefined],
  ["failed", "giveUpLink", "failed", [], undefined],
];

for (const [phase, operation, next, effects, deadlineMs] of TRANSITIONS) {
  test(`CL1 a link that is ${phase} is ${next} after ${operation}`, () => {
    const { link, ctx } = linkIn(phase);
    OPERATIONS[operation](link, ctx);
    check.equal(link.state.is, next);
    check.equal(ctx.effects, [...effects]);
    check.equal(linkDeadline(link), deadlineMs === undefined ? undefined : NOW + deadlineMs);
  });
}

test("CL1 the table has every state with every operation", () => {
  const pairs = new Set(TRANSITIONS.map(([phase, operation]) => `${phase} ${operation}`));
  check.equal(pairs.size, 5 * Object.keys(OPERATIONS).length);
});

test("CL1 in every state, the operations due before the deadline and at it are those of the table", () => {
  const table: Readonly<Record<LinkPhase, readonly [number | undefined, LinkDue]>> = {
    idle: [undefined, "nothing"],
    dialing: [10_000, "dialTimeout"],
    open: [8_000, "probe"],
    waiting: [500, "redial"],
    failed: [undefined, "nothing"],
  };
  for (const phase of ["idle", "dialing", "open", "waiting", "failed"] as const) {
    const { link } = linkIn(phase);
    const [deadlineMs, due] = table[phase];
    const deadline = linkDeadline(link, KEEPALIVE);
    check.equal(deadline, deadlineMs === undefined ? undefined : NOW + deadlineMs, phase);
    check.equal(linkDue(link, (deadline ?? NOW) - 1, KEEPALIVE), "nothing", phase);
    check.equal(linkDue(link, deadline ?? NOW, KEEPALIVE), due, phase);
  }
});

test("CL1 each attempt has a new id, so an event of an old socket matches no link", () => {
  const { link, ctx } = linkIn("open");
  const old = linkIdOf(link);
  loseLink(link, OPTIONS, ctx);
  check.equal(linkIdOf(link), undefined);
  dialLink(link, OPTIONS, ctx);
  check.equal([old, linkIdOf(link)], [first, second]);
});

test("CL2 the wait doubles up to its cap, and starts over after 5 s open", () => {
  const { link, ctx } = linkIn("waiting");
  const lose = () => loseLink(link, OPTIONS, ctx);
  const loseAfter = (openMs: number): number => {
    dialLink(link, OPTIONS, ctx);
    openLink(link, ctx.now);
    ctx.now += openMs;
    return lose();
  };
  check.equal([lose(), lose(), lose()], [1_000, 2_000, 4_000]);
  check.equal(loseAfter(STABLE_MS - 1), 4_000);
  check.equal(loseAfter(STABLE_MS), 500);
});

test("CL3 an open link is probed after `idleMs`, and silent `answerMs` after the probe", () => {
  const { link } = linkIn("open");
  probeLink(link, NOW + 8_000);
  check.equal(linkDue(link, NOW + 9_999, KEEPALIVE), "nothing");
  check.equal(linkDue(link, NOW + 10_000, KEEPALIVE), "silence");
  confirmLink(link, NOW + 9_999);
  check.equal(linkDeadline(link, KEEPALIVE), NOW + 17_999, "any frame begins the idle time again");
});

test("CL3 a timer that rings an hour late sends a probe first", () => {
  const { link, ctx } = linkIn("open");
  ctx.now += 3_600_000;
  check.equal(linkDue(link, ctx.now, KEEPALIVE), "probe");
  probeLink(link, ctx.now);
  check.equal(linkDeadline(link, KEEPALIVE), ctx.now + 2_000);
});
