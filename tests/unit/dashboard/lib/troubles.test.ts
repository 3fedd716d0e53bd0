/** What the strip below the header shows. */
import { test } from "#runner";
import type { AuditView, IntegrationView, UpstreamView } from "../../../../src/core/view.ts";
import { START } from "../../../../src/dashboard/lib/route.ts";
import { orderOf, sortIntegrations } from "../../../../src/dashboard/lib/sort-integrations.ts";
import { decisionOf, keyOf, type Trouble, troublesOf } from "../../../../src/dashboard/lib/troubles.ts";
import { type DashboardState, initialState } from "../../../../src/dashboard/state/dashboard-state.ts";
import { RecentResults } from "../../../../src/dashboard/state/recent-results.ts";
import { Traffic } from "../../../../src/dashboard/state/traffic.ts";
import { check } from "../../../harness/check.ts";
import { integration } from "./integration-view.ts";

const NOW = 1_000_000;

const upstream = (more: Partial<UpstreamView> = {}): UpstreamView => ({
  id: "neuro",
  url: "ws://neuro",
  state: "open",
  since: 0,
  attempt: 0,
  character: null,
  force: null,
  waiting: [],
  pending: [],
  contexts_held: 0,
  ...more,
});

interface Given {
  readonly integrations?: readonly IntegrationView[];
  readonly upstreams?: readonly UpstreamView[];
  readonly stopped?: boolean;
  readonly dead?: number;
  readonly not_ready?: readonly string[];
  readonly more?: Partial<DashboardState>;
}

function stateOf(
  { integrations = [], upstreams = [upstream()], stopped = false, dead = 0, not_ready = [], more }: Given,
): DashboardState {
  const neuro = {
    controls: { stopped, approval: false, behaviour: null },
    upstreams,
    integrations: 0,
    sockets: 0,
    draining: false,
  };
  return {
    ...initialState({ theme: "system", hasSound: false, savedViews: [], route: START, now: NOW }),
    events: { is: "open" as const },
    integrations,
    overview: {
      version: "1",
      now: NOW,
      uptime_ms: 0,
      draining: false,
      scopes: [],
      not_ready,
      services: { neuro, intermediary: { queue: { entries: 0, dead } } },
    },
    ...more,
  };
}

const kinds = (given: Given, results: RecentResults = new RecentResults()): readonly string[] =>
  troublesOf(stateOf(given), results).map(keyOf);

test("DB32 the strip is empty while nothing is wrong, and before anything is known", () => {
  check.equal(kinds({ integrations: [integration("chess")] }), []);
  check.equal(
    troublesOf(
      initialState({ theme: "system", hasSound: false, savedViews: [], route: START, now: NOW }),
      new RecentResults(),
    ),
    [],
  );
});

test("DB32 each kind of trouble has one entry, the gravest first", () => {
  const pending = { id: "1", action: "a", to: ["x"], names: ["X"], forced: false, by: "neuro", data: null } as const;
  const approval = (deadline: number) => ({ ...pending, is: "approval" as const, since: NOW, deadline });
  const given: Given = {
    integrations: [
      integration("solo", { solo: true }),
      integration("both", { paused: true, muted: true }),
      integration("fine", { approval: true }),
      integration("new", { admission: "pending", visible: false }),
      integration("shown", { admission: "pending" }),
      integration("rejected", { admission: "rejected", visible: false }),
    ],
    upstreams: [
      upstream({ state: "waiting", attempt: 3, contexts_held: 2 }),
      upstream({ id: "evil", pending: [approval(NOW + 9_000), approval(NOW + 4_000)] }),
    ],
    stopped: true,
    dead: 4,
    not_ready: ["neuro: upstream neuro is not connected", "neuro: the store keeps failing", "the relay is stopping"],
    more: { requestError: "no response" },
  };
  check.equal(kinds(given), [
    "stopped",
    "upstream neuro",
    "not_ready neuro: the store keeps failing",
    "request_failed no response",
    "approvals",
    "unapproved new",
    "solo solo",
    "paused both",
    "muted both",
    "contexts_held neuro",
    "dead_letters",
  ]);
  const approvals = troublesOf(stateOf(given), new RecentResults()).find(({ is }) => is === "approvals");
  check.equal(approvals, { is: "approvals", count: 2, deadline: NOW + 4_000 });
  check.equal(kinds({ more: { events: { is: "lost", since: 5 }, requestError: "gone" } }), ["disconnected"]);
});

test("DB32 an integration fails when 3 of its last 10 actions have failed, the last within 5 minutes", () => {
  const results = new RecentResults();
  const integrations = [integration("chess")];
  for (const isSuccess of [false, true, false]) results.record("chess", isSuccess, "bad", NOW);
  check.equal(kinds({ integrations }, results), []);
  results.record("chess", false, "worse", NOW);
  check.equal(results.failing("chess", NOW), { failed: 3, of: 4 });
  check.equal(kinds({ integrations }, results), ["failing chess"]);
  check.equal([results.failing("chess", NOW + 300_001), results.lastFailure("chess")], [undefined, "worse"]);
  for (let count = 0; count < 8; count++) results.record("chess", true, "", NOW);
  check.equal(results.failing("chess", NOW), undefined);
});

test("DB32 a decision names who made it last", () => {
  const entry = (id: string, by: string, action: string, target: string, outcome = "done"): AuditView => ({
    id,
    at: Number(id),
    by,
    action,
    target,
    outcome,
  });
  const audit = [
    entry("5", "eyes", "solo", "chess", "notAllowed"),
    entry("4", "ada", "solo", "chess"),
    entry("3", "bob", "solo", "chess"),
    entry("2", "eve", "stop", "all"),
  ];
  const solo: Trouble = { is: "solo", integration: integration("chess") };
  check.equal([decisionOf(solo, audit)?.by, decisionOf({ is: "stopped" }, audit)?.by], ["ada", "eve"]);
  check.equal(decisionOf({ is: "paused", integration: integration("chess") }, audit), undefined);
  check.equal(decisionOf({ is: "dead_letters", count: 1 }, audit), undefined);
});

test("DB35 integrations are sorted by each column, with trouble first unless another order is chosen", () => {
  const results = new RecentResults();
  for (let count = 0; count < 3; count++) results.record("Game 10", false, "", NOW);
  const sources = { results, traffic: new Traffic(), now: NOW };
  const counts = { actions: 2, failures: 1, contexts: 0, forces: 0, result_ms: 50 };
  const all = [
    integration("Game 9"),
    integration("Game 10"),
    integration("held", { paused: true }),
    integration("busy", { pending: 1, counts }),
  ];
  const order = (by: string | undefined) => sortIntegrations(all, orderOf(by), sources).map(({ id }) => id);
  check.equal(order(undefined), ["Game 10", "held", "busy", "Game 9"]);
  check.equal(order("name"), ["busy", "Game 9", "Game 10", "held"]);
  for (const by of ["actions", "failed", "mean"]) check.equal(order(by)[0], "busy");
  check.equal(order("no such column"), order("trouble"));
  check.equal(order("activity").length, 4);
});
