/** Forces: every state by every event, and the diagram that follows from them. */
import { test } from "#runner";
import { Panic } from "../../../../../src/core/assert.ts";
import type {
  ForceEvent,
  ForceEventName,
  ForceState,
  ForceStateName,
  SentForce,
} from "../../../../../src/services/neuro/forces/states.ts";
import { type Transition, transition } from "../../../../../src/services/neuro/forces/transition.ts";
import { check } from "../../../../harness/check.ts";
import { checkDiagram, type Edge, stateDiagram } from "../state-diagram.ts";

const sent = (attempt: 1 | 2, ...names: readonly string[]): SentForce => ({
  openedAt: 0,
  attempt,
  names: new Set(names),
  upstreamNames: ["a"],
});

/** Each state, in all forms that matter to some event. */
const STATES: { readonly [Name in ForceStateName]: readonly (ForceState & { readonly is: Name })[] } = {
  waiting: [{ is: "waiting", rank: "by_priority", awaitNamesUntil: undefined }],
  claimed: [{ is: "claimed", rank: "last", awaitNamesUntil: 1 }],
  open: ([1, 2] as const).flatMap((attempt) =>
    [false, true].map((mustRepeat) => ({ is: "open" as const, sent: sent(attempt, "a"), mustRepeat }))
  ),
  overdue: ([1, 2] as const).flatMap((attempt) =>
    [false, true].map((mustRepeat) => ({ is: "overdue" as const, sent: sent(attempt, "a"), mustRepeat }))
  ),
  answering: [
    { is: "answering", sent: sent(2, "a"), mustRepeat: false, by: "neuro", outstanding: 1 },
    { is: "answering", sent: sent(2, "a"), mustRepeat: true, by: "neuro", outstanding: 2 },
    { is: "answering", sent: sent(2, "a"), mustRepeat: false, by: "person", outstanding: 1 },
  ],
  retrying: [false, true].map((mustRepeat) => ({ is: "retrying" as const, sent: sent(1, "a"), mustRepeat })),
  settling: [{ is: "settling", sent: sent(1, "a") }, { is: "settling", sent: sent(1) }],
  revoked: [
    { is: "revoked", sent: sent(1, "a"), end: "completed" },
    { is: "revoked", sent: sent(1), end: "cancelled" },
  ],
  closing: [{ is: "closing", sent: sent(1) }],
  draining: [
    { is: "draining", sent: sent(1), by: "neuro", outstanding: 1 },
    { is: "draining", sent: sent(1), by: "neuro", outstanding: 2 },
  ],
  suspended: [
    { is: "suspended", sent: sent(1), by: "person", outstanding: 1 },
    { is: "suspended", sent: sent(1), by: "neuro", outstanding: 2 },
  ],
  ended: [{ is: "ended", end: "completed" }],
};

/** Each event, in all forms that matter to some state. */
const EVENTS: { readonly [Name in ForceEventName]: readonly (ForceEvent & { readonly is: Name })[] } = {
  refused: [{ is: "refused" }],
  selected: [{ is: "selected", sent: sent(1, "a") }, { is: "selected", sent: sent(1) }],
  action_started: [{ is: "action_started", by: "neuro" }, { is: "action_started", by: "person" }],
  succeeded: [{ is: "succeeded" }],
  failed: [{ is: "failed" }],
  satisfied: [{ is: "satisfied" }],
  foreign_success: [{ is: "foreign_success" }],
  names_gone: [{ is: "names_gone" }],
  redefined: [{ is: "redefined" }],
  actions_synced: [{ is: "actions_synced", isConnected: true }, { is: "actions_synced", isConnected: false }],
  not_repeatable: [{ is: "not_repeatable" }],
  replaced: [{ is: "replaced" }],
  superseded: [{ is: "superseded" }],
  preempted: [{ is: "preempted" }],
  cancelled: [{ is: "cancelled", end: "game_gone" }],
  held: [{ is: "held" }],
  resumed: [{ is: "resumed", names: new Set(["a"]) }, { is: "resumed", names: new Set() }],
  vetoed: [{ is: "vetoed" }],
  link_opened: [{ is: "link_opened" }],
  timer: [
    { is: "timer", isConnected: false, othersWait: true },
    { is: "timer", isConnected: true, othersWait: false },
    { is: "timer", isConnected: true, othersWait: true },
  ],
  others_wait: [{ is: "others_wait" }],
  given_up: [{ is: "given_up", othersWait: true }, { is: "given_up", othersWait: false }],
};

const stateNames = Object.keys(STATES) as ForceStateName[];
const eventNames = Object.keys(EVENTS) as ForceEventName[];

/** The transition; undefined for an internal error. */
function attempt(state: ForceState, event: ForceEvent): Transition | undefined {
  try {
    return transition(state, event);
  } catch (error) {
    if (error instanceof Panic) return undefined;
    throw error;
  }
}

function outcomes(stateName: ForceStateName, eventName: ForceEventName): readonly string[] {
  const found = new Set<string>();
  for (const state of STATES[stateName]) {
    for (const event of EVENTS[eventName]) found.add(inWords(state, attempt(state, event)));
  }
  return [...found];
}

/** The next state if it is another one, and the tasks; `ignored`, `changed` within its state without tasks, or `panics`. */
function inWords(state: ForceState, result: Transition | undefined): string {
  if (result === undefined) return "panics";
  const { to, tasks } = result;
  const next = to.is === "ended" ? `ended ${to.end}` : to.is;
  const words = [next === state.is ? "" : next, tasks.join(" ")].filter((word) => word !== "").join(": ");
  return words !== "" ? words : to === state || JSON.stringify(to) === JSON.stringify(state) ? "ignored" : "changed";
}
interface Row {
  /** What each event does, in all forms of the state and the event. */
  readonly does: Partial<Record<ForceEventName, readonly string[]>>;
  readonly ignores: readonly ForceEventName[];
  /** What cannot be: an internal error. */
  readonly panics: readonly ForceEventName[];
}

const TABLE: Readonly<Record<ForceStateName, Row>> = {
  waiting: {
    does: {
      refused: ["ended refused: leave"],
      selected: ["open: occupy ask set_answer_timer", "ended names_gone: leave"],
      action_started: ["panics", "claimed"],
      satisfied: ["ended completed: leave"],
      replaced: ["ended replaced: leave"],
      cancelled: ["ended game_gone: leave"],
      vetoed: ["ended cancelled: leave"],
    },
    ignores: [],
    panics: [
      "given_up",
      "superseded",
      "preempted",
      "succeeded",
      "failed",
      "foreign_success",
      "names_gone",
      "redefined",
      "actions_synced",
      "not_repeatable",
      "held",
      "resumed",
      "link_opened",
      "timer",
      "others_wait",
    ],
  },
  claimed: {
    does: {
      failed: ["waiting"],
      satisfied: ["ended completed: leave"],
      replaced: ["ended replaced: leave"],
      cancelled: ["ended game_gone: leave"],
      vetoed: ["ended cancelled: leave"],
    },
    ignores: [],
    panics: [
      "given_up",
      "superseded",
      "preempted",
      "refused",
      "selected",
      "action_started",
      "succeeded",
      "foreign_success",
      "names_gone",
      "redefined",
      "actions_synced",
      "not_repeatable",
      "held",
      "resumed",
      "link_opened",
      "timer",
      "others_wait",
    ],
  },
  open: {
    does: {
      action_started: ["answering"],
      succeeded: ["settling: set_settle_timer"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      foreign_success: ["withdraw"],
      names_gone: ["closing: set_settle_timer"],
      redefined: ["changed", "ignored"],
      actions_synced: ["ignored", "ask_again"],
      not_repeatable: ["ended names_gone: withdraw leave"],
      superseded: ["ended replaced: withdraw hand_over"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["ended held: requeue withdraw leave"],
      preempted: ["ended preempted: requeue withdraw leave"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
      link_opened: ["set_answer_timer"],
      timer: [
        "set_answer_timer",
        "overdue: report_silence",
        "report_silence ask set_answer_timer",
        "ended expired: report_silence requeue_last withdraw leave",
      ],
    },
    ignores: ["given_up", "others_wait"],
    panics: ["refused", "selected", "failed", "replaced", "resumed"],
  },
  overdue: {
    does: {
      action_started: ["answering"],
      succeeded: ["settling: set_settle_timer"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      foreign_success: ["withdraw"],
      names_gone: ["closing: set_settle_timer"],
      redefined: ["changed", "ignored"],
      actions_synced: ["ignored", "ask_again"],
      not_repeatable: ["ended names_gone: withdraw leave"],
      superseded: ["ended replaced: withdraw hand_over"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["ended held: requeue withdraw leave"],
      preempted: ["ended preempted: requeue withdraw leave"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
      link_opened: ["open: set_answer_timer"],
      others_wait: ["open: ask set_answer_timer", "ended expired: requeue_last withdraw leave"],
    },
    ignores: ["given_up"],
    panics: ["refused", "selected", "failed", "replaced", "resumed", "timer"],
  },
  answering: {
    does: {
      action_started: ["changed", "panics"],
      succeeded: ["settling: set_settle_timer"],
      failed: ["retrying: set_retry_timer", "changed"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      foreign_success: ["withdraw"],
      names_gone: ["draining"],
      redefined: ["changed", "ignored"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["suspended: withdraw"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
      link_opened: ["set_answer_timer"],
    },
    ignores: ["given_up", "timer", "superseded", "preempted", "actions_synced", "others_wait"],
    panics: ["refused", "selected", "not_repeatable", "replaced", "resumed"],
  },
  retrying: {
    does: {
      action_started: ["answering"],
      succeeded: ["settling: set_settle_timer"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      foreign_success: ["withdraw"],
      names_gone: ["closing: set_settle_timer"],
      redefined: ["changed", "ignored"],
      actions_synced: ["ignored", "open: resume_answer_timer ask_again"],
      superseded: ["ended replaced: withdraw hand_over"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["ended held: requeue withdraw leave"],
      preempted: ["ended preempted: requeue withdraw leave"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
      link_opened: ["open: set_answer_timer"],
      timer: [
        "set_retry_timer",
        "overdue: report_silence",
        "ended given_up: requeue_last withdraw leave",
      ],
      given_up: ["ended given_up: requeue_last withdraw leave", "overdue: report_silence"],
    },
    ignores: ["others_wait"],
    panics: ["refused", "selected", "failed", "not_repeatable", "replaced", "resumed"],
  },
  settling: {
    does: {
      action_started: ["ignored", "panics"],
      actions_synced: ["ignored", "ended completed: leave"],
      cancelled: ["ended completed: leave"],
      held: ["ended completed: leave"],
      timer: ["ended completed: leave"],
    },
    ignores: [
      "given_up",
      "superseded",
      "preempted",
      "succeeded",
      "failed",
      "satisfied",
      "foreign_success",
      "names_gone",
      "redefined",
      "link_opened",
      "others_wait",
    ],
    panics: ["refused", "selected", "not_repeatable", "replaced", "resumed", "vetoed"],
  },
  revoked: {
    does: {
      actions_synced: ["ignored", "ended cancelled: leave"],
      cancelled: ["ended completed: leave", "ended cancelled: leave"],
      held: ["ended completed: leave", "ended cancelled: leave"],
      timer: ["ended completed: leave", "ended cancelled: leave"],
    },
    ignores: [
      "given_up",
      "superseded",
      "preempted",
      "succeeded",
      "failed",
      "satisfied",
      "foreign_success",
      "names_gone",
      "redefined",
      "link_opened",
      "others_wait",
    ],
    panics: ["refused", "selected", "action_started", "not_repeatable", "replaced", "resumed", "vetoed"],
  },
  closing: {
    does: {
      action_started: ["panics", "draining"],
      succeeded: ["ended completed: leave"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["ended held: requeue withdraw leave"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
      timer: ["ended names_gone: withdraw leave"],
    },
    ignores: [
      "given_up",
      "superseded",
      "preempted",
      "foreign_success",
      "redefined",
      "actions_synced",
      "link_opened",
      "others_wait",
    ],
    panics: ["refused", "selected", "failed", "names_gone", "not_repeatable", "replaced", "resumed"],
  },
  draining: {
    does: {
      succeeded: ["ended completed: leave"],
      failed: ["closing: set_settle_timer", "changed"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      cancelled: ["ended game_gone: withdraw leave"],
      held: ["suspended: withdraw"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
    },
    ignores: [
      "given_up",
      "superseded",
      "preempted",
      "foreign_success",
      "redefined",
      "actions_synced",
      "link_opened",
      "timer",
      "others_wait",
    ],
    panics: ["refused", "selected", "action_started", "names_gone", "not_repeatable", "replaced", "resumed"],
  },
  suspended: {
    does: {
      succeeded: ["ended completed: leave"],
      failed: ["ended held: requeue withdraw leave", "changed"],
      satisfied: ["revoked: save withdraw set_settle_timer"],
      cancelled: ["ended game_gone: withdraw leave"],
      resumed: ["answering", "draining"],
      vetoed: ["revoked: save withdraw set_settle_timer"],
    },
    ignores: [
      "given_up",
      "superseded",
      "preempted",
      "foreign_success",
      "redefined",
      "actions_synced",
      "held",
      "link_opened",
      "timer",
      "others_wait",
    ],
    panics: ["refused", "selected", "action_started", "names_gone", "not_repeatable", "replaced"],
  },
  ended: {
    does: {
      failed: ["ended completed"],
    },
    ignores: [],
    panics: [
      "given_up",
      "superseded",
      "preempted",
      "refused",
      "selected",
      "action_started",
      "succeeded",
      "satisfied",
      "foreign_success",
      "names_gone",
      "redefined",
      "actions_synced",
      "not_repeatable",
      "replaced",
      "cancelled",
      "held",
      "resumed",
      "vetoed",
      "link_opened",
      "timer",
      "others_wait",
    ],
  },
};

test("NB43 every state of a force by every event", () => {
  for (const state of stateNames) {
    const { does, ignores, panics } = TABLE[state];
    check.equal([...Object.keys(does), ...ignores, ...panics].sort(), [...eventNames].sort(), state);
    for (const event of eventNames) {
      const expected = does[event] ?? (ignores.includes(event) ? ["ignored"] : ["panics"]);
      check.equal(outcomes(state, event), expected, `${state} x ${event}`);
    }
  }
});

test("NB43 a transition changes nothing but what it returns", () => {
  for (const state of stateNames) {
    for (const each of STATES[state]) {
      for (const name of eventNames) {
        for (const event of EVENTS[name]) {
          const before = [inText(each), inText(event)];
          attempt(each, event);
          check.equal([inText(each), inText(event)], before, `${state} x ${name}`);
        }
      }
    }
  }
});

test("NB43 every state can be reached, and every force can end", () => {
  const reachable = new Set<string>(["waiting"]);
  for (const { from, to } of [...edges(), ...edges(), ...edges(), ...edges()]) if (reachable.has(from)) reachable.add(to);
  check.equal(stateNames.filter((name) => name !== "ended" && !reachable.has(name)), []);
  const ending = new Set(edges().filter(({ to }) => to === "[*]").map(({ from }) => from));
  check.equal(stateNames.filter((name) => name !== "ended" && !ending.has(name)), []);
});

test("NB43b the README has the diagram of forces", () => {
  checkDiagram("Forces", stateDiagram("waiting", edges()));
});

const inText = (value: ForceState | ForceEvent): string =>
  JSON.stringify(value, (_, each) => (each instanceof Set ? [...each] : each));

function edges(): readonly Edge[] {
  const found: Edge[] = [];
  for (const from of stateNames) {
    for (const event of eventNames) {
      for (const state of STATES[from]) {
        for (const each of EVENTS[event]) {
          const to = attempt(state, each)?.to.is ?? from;
          if (to !== from) found.push({ from, to: to === "ended" ? "[*]" : to, event });
        }
      }
    }
  }
  return found;
}
