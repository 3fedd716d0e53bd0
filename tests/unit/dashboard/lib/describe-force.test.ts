/** How forces are described. */
import { test } from "#runner";
import type { ForceView, PendingView, WaitReason } from "../../../../src/core/view.ts";
import { describeForce, type ForceSurroundings, isStuck } from "../../../../src/dashboard/lib/describe-force.ts";
import { check } from "../../../harness/check.ts";
import { integration } from "./integration-view.ts";

const FORCE: ForceView = {
  id: "1",
  integration: "chess",
  name: "Chess",
  is: "waiting",
  query: "Your move?",
  state: null,
  priority: "low",
  actions: ["move"],
  asked_at: 0,
  opened_at: null,
  waits_for: null,
  deadline: null,
  attempt: 1,
  last_failure: null,
};

const NOTHING: ForceSurroundings = { place: 1, isStopped: false, integrations: [], pending: [] };

const waiting = (waits_for: WaitReason, surroundings: Partial<ForceSurroundings> = {}): string =>
  describeForce({ ...FORCE, waits_for }, { ...NOTHING, ...surroundings });

test("DB7 a queued force is shown with the reason why it waits", () => {
  check.equal(
    [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map((place) => waiting("turn", { place })),
    ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th"].map((nth) => `In line, ${nth}`),
  );
  check.equal(waiting("held", { isStopped: true }), "Held: everything is stopped");
  check.equal(
    waiting("held", { integrations: [integration("chess", { name: "Chess", paused: true })] }),
    "Held: you paused Chess",
  );
  check.equal(
    waiting("held", {
      integrations: [integration("chess", { name: "Chess" }), integration("poker", { name: "Poker Night", solo: true })],
    }),
    "Held: Poker Night is solo",
  );
  check.equal(waiting("held"), "Held");
  check.equal(waiting("integration_away"), "Waiting for Chess to reconnect");
  check.equal(waiting("neuro_away"), "Waiting for Neuro to reconnect");
  check.equal(waiting("other_character"), "Held: another character is active");
  check.equal(waiting("names"), "Waiting for its actions to be registered");
  check.equal(waiting("result"), "waiting for the game's result");
});

test("DB7 an open force is shown with the reply that it waits for", () => {
  const open: ForceView = { ...FORCE, is: "open", opened_at: 0 };
  check.equal(describeForce(open, NOTHING), "Neuro is choosing");
  check.equal(describeForce({ ...open, waits_for: "result" }, NOTHING), "waiting for the game's result");
  check.equal(describeForce({ ...open, is: "settling" }, NOTHING), "Neuro answered, game is working");
  check.equal(describeForce({ ...open, is: "closing" }, NOTHING), "cancelling");
});

test("DB7 a force whose action needs approval is not said to wait for the game", () => {
  const pending: PendingView = {
    id: "2",
    action: "move",
    to: ["chess"],
    names: ["Chess"],
    forced: true,
    by: "neuro",
    data: null,
    is: "approval",
    since: 0,
    deadline: 20_000,
  };
  const settling: ForceView = { ...FORCE, is: "settling", opened_at: 0 };
  const described = (one: PendingView): string => describeForce(settling, { ...NOTHING, pending: [one] });
  check.equal(described(pending), "Neuro answered, needs approval");
  check.equal(
    describeForce({ ...settling, is: "open", waits_for: "result" }, { ...NOTHING, pending: [pending] }),
    described(pending),
  );
  for (const other of [{ to: ["poker"] }, { forced: false }, { is: "sent" }] as const) {
    check.equal(described({ ...pending, ...other }), "Neuro answered, game is working");
  }
});

test("DB7 a force is marked when it waits for more than its turn", () => {
  const isMarked = (waits_for: WaitReason): boolean => isStuck({ ...FORCE, waits_for });
  check.equal((["held", "other_character", "integration_away", "neuro_away", "names"] as const).every(isMarked), true);
  check.equal((["turn", "result"] as const).some(isMarked), false);
  check.equal(isStuck({ ...FORCE, is: "open", waits_for: null }), false);
});
