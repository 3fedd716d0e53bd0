/** Pending actions and their deliveries: every state by every event, and the diagrams that follow from them. */
import { test } from "#runner";
import { Panic } from "../../../../../src/core/assert.ts";
import type {
  DeliveryEvent,
  DeliveryState,
  PendingEvent,
  PendingState,
} from "../../../../../src/services/neuro/pending/states.ts";
import { nextDelivery, nextPending } from "../../../../../src/services/neuro/pending/transition.ts";
import { check } from "../../../../harness/check.ts";
import { checkDiagram, type Edge, stateDiagram } from "../state-diagram.ts";

type Outcome<State> = State | "ignored" | "panics";

const DELIVERIES: Readonly<Record<DeliveryState, Readonly<Record<DeliveryEvent, Outcome<DeliveryState>>>>> = {
  approval: {
    approved: "queued",
    rejected: "failed",
    written: "panics",
    oversized: "panics",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "failed",
  },
  queued: {
    approved: "ignored",
    rejected: "ignored",
    written: "sent",
    oversized: "failed",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "failed",
  },
  sent: {
    approved: "ignored",
    rejected: "ignored",
    written: "panics",
    oversized: "panics",
    success: "succeeded",
    failure: "failed",
    evidence: "presumed",
    unheard: "doubtful",
    lost: "gone",
    held: "ignored",
  },
  presumed: {
    approved: "ignored",
    rejected: "ignored",
    written: "panics",
    oversized: "panics",
    success: "succeeded",
    failure: "failed",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "ignored",
  },
  doubtful: {
    approved: "ignored",
    rejected: "ignored",
    written: "panics",
    oversized: "panics",
    success: "succeeded",
    failure: "failed",
    evidence: "presumed",
    unheard: "ignored",
    lost: "gone",
    held: "ignored",
  },
  succeeded: {
    approved: "panics",
    rejected: "panics",
    written: "panics",
    oversized: "panics",
    success: "panics",
    failure: "panics",
    evidence: "panics",
    unheard: "panics",
    lost: "panics",
    held: "panics",
  },
  failed: {
    approved: "ignored",
    rejected: "ignored",
    written: "panics",
    oversized: "panics",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "ignored",
    held: "ignored",
  },
  gone: {
    approved: "ignored",
    rejected: "ignored",
    written: "panics",
    oversized: "panics",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "ignored",
    held: "ignored",
  },
};

/** The next state, and the tasks. */
const PENDING: Readonly<Record<PendingState, Readonly<Record<PendingEvent, string>>>> = {
  outstanding: { answered_early: "answered: report", concluded: "finished: report finish" },
  answered: { answered_early: "ignored", concluded: "finished: finish" },
  finished: { answered_early: "panics", concluded: "panics" },
};

const keysOf = <Key extends string>(table: Readonly<Record<Key, unknown>>): readonly Key[] => Object.keys(table) as Key[];

function orPanics<T>(step: () => T): T | "panics" {
  try {
    return step();
  } catch (error) {
    if (error instanceof Panic) return "panics";
    throw error;
  }
}

test("NB45 every state of a delivery by every event", () => {
  for (const state of keysOf(DELIVERIES)) {
    for (const event of keysOf(DELIVERIES[state])) {
      const outcome = orPanics(() => nextDelivery(state, event) ?? "ignored");
      check.equal(outcome, DELIVERIES[state][event], `${state} x ${event}`);
    }
  }
});

test("NB45 every state of a pending action by every event", () => {
  for (const state of keysOf(PENDING)) {
    for (const event of keysOf(PENDING[state])) {
      const outcome = orPanics(() => {
        const { to, tasks } = nextPending(state, event);
        return to === state && tasks.length === 0 ? "ignored" : `${to}: ${tasks.join(" ")}`;
      });
      check.equal(outcome, PENDING[state][event], `${state} x ${event}`);
    }
  }
});

test("NB45b an origin gets exactly one result, for any order of events", () => {
  const events: readonly PendingEvent[] = ["answered_early", "concluded"];
  for (const first of events) {
    for (const second of events) {
      let state: PendingState = "outstanding";
      const tasks = [];
      for (const event of [first, second, "concluded"] as const) {
        if (state === "finished") break;
        const next = nextPending(state, event);
        tasks.push(...next.tasks);
        state = next.to;
      }
      check.equal([state, tasks], ["finished", ["report", "finish"]], `${first} ${second}`);
    }
  }
});

test("NB45c the README has the diagrams of pending actions and deliveries", () => {
  const deliveries: Edge[] = [];
  for (const from of keysOf(DELIVERIES)) {
    for (const event of keysOf(DELIVERIES[from])) {
      const to = DELIVERIES[from][event];
      if (to !== "ignored" && to !== "panics") deliveries.push({ from, to, event });
    }
  }
  checkDiagram("Deliveries", stateDiagram("queued", deliveries));
  const pending: Edge[] = [];
  for (const from of keysOf(PENDING)) {
    for (const event of keysOf(PENDING[from])) {
      const [to = "", tasks] = PENDING[from][event].split(": ");
      if (tasks !== undefined) pending.push({ from, to: to === "finished" ? "[*]" : to, event });
    }
  }
  checkDiagram("Pending actions", stateDiagram("outstanding", pending));
});
