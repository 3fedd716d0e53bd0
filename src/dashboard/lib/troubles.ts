/** What is wrong or unusual now, the gravest first. Knows nothing of how it is shown. */
import type { Millis } from "../../core/ids.ts";
import type { AuditView, IntegrationView, UpstreamView } from "../../core/view.ts";
import {
  countApprovals,
  countDeadLetters,
  type DashboardState,
  hasNoEvents,
  isDisconnected,
  isStopped,
  lostSince,
  upstreamsOf,
} from "../state/dashboard-state.ts";
import type { RecentResults } from "../state/recent-results.ts";

export type Trouble =
  | { readonly is: "disconnected"; readonly since: Millis | undefined }
  | { readonly is: "stopped" }
  | { readonly is: "draining" }
  | { readonly is: "upstream"; readonly upstream: UpstreamView }
  | { readonly is: "not_ready"; readonly reason: string }
  | { readonly is: "request_failed"; readonly reason: string }
  | { readonly is: "no_events" }
  | { readonly is: "approvals"; readonly count: number; readonly deadline: Millis }
  | { readonly is: "unapproved"; readonly integration: IntegrationView }
  | { readonly is: "failing"; readonly integration: IntegrationView; readonly failed: number; readonly of: number }
  | { readonly is: "solo" | "paused" | "muted"; readonly integration: IntegrationView }
  | { readonly is: "contexts_held"; readonly upstream: UpstreamView }
  | { readonly is: "dead_letters"; readonly count: number };

export type TroubleKind = Trouble["is"];

/** The unique key of a trouble. */
export function keyOf(trouble: Trouble): string {
  if ("integration" in trouble) return `${trouble.is} ${trouble.integration.id}`;
  if ("upstream" in trouble) return `${trouble.is} ${trouble.upstream.id}`;
  return "reason" in trouble ? `${trouble.is} ${trouble.reason}` : trouble.is;
}

export function troublesOf(state: DashboardState, results: RecentResults): readonly Trouble[] {
  const { overview, integrations = [], requestError, now } = state;
  const upstreams = upstreamsOf(state);
  const approvals = countApprovals(state);
  const deadLetters = countDeadLetters(state);
  const isLost = isDisconnected(state);
  return [
    ...(isLost ? [{ is: "disconnected" as const, since: lostSince(state) }] : []),
    ...(isStopped(state) ? [{ is: "stopped" as const }] : []),
    ...(overview?.draining === true ? [{ is: "draining" as const }] : []),
    ...upstreams.filter(({ state: is }) => is === "dialing" || is === "waiting")
      .map((upstream) => ({ is: "upstream" as const, upstream })),
    ...(overview?.not_ready ?? []).filter(isOwnReason).map((reason) => ({ is: "not_ready" as const, reason })),
    ...(requestError !== undefined && !isLost ? [{ is: "request_failed" as const, reason: requestError }] : []),
    ...(hasNoEvents(overview) ? [{ is: "no_events" as const }] : []),
    ...(approvals > 0 ? [{ is: "approvals" as const, count: approvals, deadline: firstDeadline(upstreams) }] : []),
    ...integrations.filter(({ admission, visible, connected }) => admission === "pending" && !visible && connected)
      .map((integration) => ({ is: "unapproved" as const, integration })),
    ...integrations.flatMap((integration) => {
      const failing = results.failing(integration.id, now);
      return failing === undefined ? [] : [{ is: "failing" as const, integration, ...failing }];
    }),
    ...(["solo", "paused", "muted"] as const).flatMap((is) =>
      integrations.filter((integration) => integration[is]).map((integration) => ({ is, integration }))
    ),
    ...upstreams.filter(({ contexts_held: held }) => held > 0)
      .map((upstream) => ({ is: "contexts_held" as const, upstream })),
    ...(deadLetters > 0 ? [{ is: "dead_letters" as const, count: deadLetters }] : []),
  ];
}

/** Why not these: an upstream that is away and a relay that stops have entries of their own. */
const isOwnReason = (reason: string): boolean => !/^neuro: (?:upstream |draining$)|^the relay is stopping$/.test(reason);

const firstDeadline = (upstreams: readonly UpstreamView[]): Millis =>
  Math.min(
    ...upstreams.flatMap(({ pending }) => pending.filter(({ is }) => is === "approval").map(({ deadline }) => deadline)),
  );

/** The word of the audit log for each decision, and its target if that is not the integration. */
const DECISIONS: ReadonlyMap<TroubleKind, string> = new Map([
  ["stopped", "stop"],
  ["solo", "solo"],
  ["paused", "pause"],
  ["muted", "mute"],
]);

/** True for what somebody decided. */
export const isDecision = ({ is }: Trouble): boolean => DECISIONS.has(is);

/** Who made the decision, and when, from the audit log (newest first); undefined if it is not in there any more. */
export function decisionOf(
  trouble: Trouble,
  audit: readonly AuditView[],
): Pick<AuditView, "by" | "at"> | undefined {
  const did = DECISIONS.get(trouble.is);
  const target = "integration" in trouble ? trouble.integration.id : "all";
  return audit.find(({ action, target: to, outcome }) => action === did && to === target && outcome === "done");
}
