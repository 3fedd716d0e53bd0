/** Views of the state, for people and for the dashboard. */
import { linkNameOf } from "../../../core/text.ts";
import type { Millis } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import {
  type ForceView,
  INTEGRATION_FIELDS,
  type IntegrationDetail,
  type IntegrationFilter,
  type IntegrationView,
  matches,
  type NeuroView,
  type Page,
  pageOf,
  type PageRequest,
  type PendingView,
  type UpstreamView,
} from "../../../core/view.ts";
import { type Force, type Game, type NeuroState, newCounts, type PendingAction, type Upstream } from "../state.ts";
import type { ForceStateName } from "../forces/states.ts";
import { sentForceOf } from "../forces/transition.ts";
import { requestOf } from "../pending/pending.ts";
import { allPending } from "../pending/pending-actions.ts";
import { isSpent } from "../pending/transition.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { answerDeadline } from "../forces/forces.ts";
import { waitingForces } from "../forces/force-queue.ts";
import { waitReason } from "../forces/wait-reason.ts";

const linkHint = (url: string): string => {
  const name = linkNameOf(url);
  return name === undefined ? "" : `; \`neuro-relay link --name ${name}\` connects it`;
};

/** Whether all upstreams are connected, and if not, what is missing. */
export function readiness(state: NeuroState): Json {
  const reasons = [...state.upstreams.values()].filter(({ isOpen }) => !isOpen).map(({ id, link, settings }) =>
    link.state.is === "failed"
      ? `upstream ${id} can never be reached: ${link.state.reason}; correct its \`url\``
      : `upstream ${id} is not connected${linkHint(settings?.url ?? "")}`
  );
  for (const { decider } of state.upstreams.values()) {
    if (decider?.modelFailure !== undefined) {
      reasons.push(`the language model is not asked any more: ${decider.modelFailure}`);
    }
  }
  if (!state.hasStarted) reasons.push("starting");
  if (state.writeHealth.is !== "working") {
    reasons.push("the store keeps failing, so best-effort writes are suspended; check `queue`");
  }
  if (state.drain.is !== "none") reasons.push("draining");
  return { ok: reasons.length === 0, reasons };
}

/** Controls, upstreams, forces and pending actions; not the actions of each integration. */
export const statusOf = (state: NeuroState, now: Millis): NeuroView => ({
  controls: { ...state.controls },
  upstreams: [...state.upstreams.values()].map((upstream) => upstreamView(upstream, now)),
  integrations: state.games.size,
  sockets: state.sockets.size,
  draining: state.drain.is !== "none",
});

/** Integrations, ordered by id. */
export function integrationPage(state: NeuroState, part: PageRequest & IntegrationFilter): Page<IntegrationView> {
  const counts = countPending(state);
  const isFiltered = INTEGRATION_FIELDS.some((field) => part[field] !== undefined);
  const wanted = [...state.slugs].filter(([, game]) => !isFiltered || matches(viewOf(game, 0), part, INTEGRATION_FIELDS));
  const { items, next } = pageOf(wanted.sort(byId), part, { id: ([id]) => id });
  return { items: items.map(([, game]) => viewOf(game, counts.get(game) ?? 0)), next };
}

/** Waiting and current forces, ordered by id. */
export function forcePage(
  state: NeuroState,
  { integration, ...part }: PageRequest & { readonly integration?: string },
): Page<ForceView> {
  const forces = [...state.upstreams.values()]
    .flatMap(({ forces: { current, waiting } }) => [...current === undefined ? [] : [current], ...waiting.values()])
    .filter(({ game: { slug } }) => integration === undefined || slug === integration);
  return pageOf(forces.map(forceView).sort(byViewId), part, { id: ({ id }) => id });
}

/** Actions without a result, ordered by id. */
export function pendingPage(
  state: NeuroState,
  { integration, ...part }: PageRequest & { readonly integration?: string },
): Page<PendingView> {
  const pending = [...state.upstreams.values()].flatMap(outstandingActions)
    .filter(({ to }) => integration === undefined || to.includes(integration));
  return pageOf(pending.sort(byViewId), part, { id: ({ id }) => id });
}

const byViewId = ({ id: one }: { readonly id: string }, { id: other }: { readonly id: string }): number =>
  one < other ? -1 : 1;

const outstandingActions = ({ pendingActions }: Upstream): PendingView[] =>
  allPending(pendingActions).filter(({ state }) => state === "outstanding").map(pendingView);

const byId = ([one]: readonly [string, Game], [other]: readonly [string, Game]): number => (one < other ? -1 : 1);

/** One integration. */
export const integrationView = (game: Game): IntegrationView => viewOf(game, countPending(game.service).get(game) ?? 0);

/** One integration with its actions and its diagnostics. */
export const integrationDetail = (game: Game): IntegrationDetail => ({
  ...integrationView(game),
  address: game.connection?.address ?? null,
  user_agent: game.connection?.userAgent ?? null,
  registered_actions: [...game.actions.values()].map(({ name, upstreamAction, isHidden }) => ({
    name,
    upstream_name: upstreamAction.name,
    description: upstreamAction.definition.description,
    schema: upstreamAction.definition.schema ?? null,
    shared: upstreamAction.owners.size > 1,
    hidden: isHidden,
  })),
  always_allowed: [...game.alwaysAllowed],
  diagnostics: diagnosticsOf(game),
});

function viewOf(game: Game, pending: number): IntegrationView {
  const { slug, name, listener, upstream, presence, admission, isVisible, isOffAir, actions, controls } = game;
  return {
    id: slug,
    name,
    listener,
    upstream: upstream.id,
    connected: presence.is === "connected",
    since: presence.since,
    admission,
    visible: isVisible,
    off_air: isOffAir,
    actions: actions.size,
    pending,
    counts: { ...game.counts ?? newCounts() },
    ...controls,
  };
}

/** Number of pending actions of each integration. */
function countPending(state: NeuroState): ReadonlyMap<Game, number> {
  const counts = new Map<Game, number>();
  for (const { pendingActions } of state.upstreams.values()) {
    for (const { deliveries, state } of allPending(pendingActions)) {
      if (state !== "outstanding") continue;
      for (const { gameAction: { game }, state } of deliveries) {
        if (!isSpent(state)) counts.set(game, (counts.get(game) ?? 0) + 1);
      }
    }
  }
  return counts;
}

function upstreamView(upstream: Upstream, now: Millis): UpstreamView {
  const { id, settings, link, isOpen, since, session, forces, contexts } = upstream;
  let held = 0;
  for (const queue of contexts.queued.values()) held += queue.length;
  return {
    id,
    url: settings === undefined ? null : settings.url.replace(/[?#].*$/s, ""),
    state: settings === undefined ? "standalone" : isOpen ? "open" : link.state.is === "dialing" ? "dialing" : "waiting",
    since,
    attempt: link.attempt,
    character: session?.characterId ?? null,
    force: forces.current === undefined ? null : forceView(forces.current),
    waiting: waitingForces(upstream, now).map(forceView),
    pending: outstandingActions(upstream),
    contexts_held: held,
  };
}

function forceView(force: Force): ForceView {
  const { id, game, message, state, requestedAt, failures, lastFailure } = force;
  const sent = sentForceOf(state);
  return {
    id,
    integration: game.slug,
    name: game.name,
    is: VIEWS[state.is],
    query: message.query,
    state: message.state ?? null,
    priority: message.priority,
    actions: sent === undefined ? message.names : [...sent.names],
    asked_at: requestedAt,
    opened_at: sent?.openedAt ?? null,
    waits_for: waitReason(game, message, state),
    deadline: answerDeadline(force) ?? null,
    attempt: failures + (sent?.attempt ?? 1),
    last_failure: lastFailure ?? null,
  };
}

/** The public name of each state. */
const VIEWS: Readonly<Record<ForceStateName, ForceView["is"]>> = {
  waiting: "waiting",
  claimed: "waiting",
  open: "open",
  overdue: "open",
  answering: "open",
  retrying: "open",
  settling: "settling",
  revoked: "settling",
  closing: "closing",
  draining: "closing",
  suspended: "closing",
  ended: "closing",
};

function pendingView(pending: PendingAction): PendingView {
  const { id, action, deliveries, force, data, startedAt, deadline } = pending;
  const states = deliveries.map(({ state }) => state);
  return {
    id,
    action: action.originalName,
    to: deliveries.map(({ gameAction }) => gameAction.game.slug),
    names: deliveries.map(({ gameAction }) => gameAction.game.name),
    forced: force !== undefined,
    by: requestOf(pending) === undefined ? "neuro" : "operator",
    data: data ?? null,
    is: states.includes("approval") ? "approval" : states.includes("sent") ? "sent" : "held",
    since: startedAt,
    deadline,
  };
}
