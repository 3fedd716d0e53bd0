/** What the room says about itself when it is asked, for people and for the dashboard. */
import type { Millis } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import {
  type ForceView,
  type IntegrationDetail,
  type IntegrationView,
  type NeuroView,
  type Page,
  pageOf,
  type PageRequest,
  type PendingView,
  type UpstreamView,
} from "../../../core/view.ts";
import type { Force, Game, NeuroState, PendingAction, Upstream } from "../state.ts";
import { waitingForces } from "../forces/force-queue.ts";

/** Whether Neuro can be reached, and if not, what is missing. */
export function readiness(state: NeuroState): Json {
  const waits = [...state.upstreams.values()].filter(({ isOpen }) => !isOpen).map(({ id }) =>
    `upstream ${id} is not connected`
  );
  if (!state.hasStarted) waits.push("starting");
  if (state.drainUntil !== undefined) waits.push("draining");
  return { ok: waits.length === 0, waits };
}

/** Everything that is going on, but not what each integration offers. */
export const statusOf = (state: NeuroState, now: Millis): NeuroView => ({
  controls: { ...state.controls },
  upstreams: [...state.upstreams.values()].map((upstream) => upstreamView(upstream, now)),
  integrations: state.games.size,
  sockets: state.sockets.size,
  draining: state.drainUntil !== undefined,
});

/** Integrations in the order of their ids. */
export function integrationPage(state: NeuroState, part: PageRequest): Page<IntegrationView> {
  const { items, next } = pageOf([...state.slugs].sort(byId), part, { id: ([id]) => id });
  const owed = owedBy(state);
  return { items: items.map(([, game]) => viewOf(game, owed.get(game) ?? 0)), next };
}

const byId = ([one]: readonly [string, Game], [other]: readonly [string, Game]): number => (one < other ? -1 : 1);

/** One integration. */
export const integrationView = (game: Game): IntegrationView => viewOf(game, owedBy(game.service).get(game) ?? 0);

/** One integration with all that it offers. */
export const integrationDetail = (game: Game): IntegrationDetail => ({
  ...integrationView(game),
  address: game.connection?.address ?? null,
  user_agent: game.connection?.userAgent ?? null,
  offers: [...game.actions.values()].map(({ name, upstreamAction }) => ({
    name,
    upstream_name: upstreamAction.name,
    description: upstreamAction.definition.description,
    schema: upstreamAction.definition.schema ?? null,
    shared: upstreamAction.owners.size > 1,
  })),
});

function viewOf(game: Game, pending: number): IntegrationView {
  const { slug, name, listener, upstream, peer, connectedAt, leftAt, isVisible, isOffAir, actions, controls, counts } =
    game;
  return {
    id: slug,
    name,
    listener,
    upstream: upstream.id,
    present: peer !== undefined,
    since: peer === undefined ? leftAt : connectedAt,
    shown: isVisible,
    off_air: isOffAir,
    actions: actions.size,
    pending,
    counts: { ...counts },
    ...controls,
  };
}

/** How many actions each integration has not answered. */
function owedBy(state: NeuroState): ReadonlyMap<Game, number> {
  const owed = new Map<Game, number>();
  for (const { pendingActions } of state.upstreams.values()) {
    for (const { deliveries, isAnswered } of pendingActions.byId.values()) {
      if (isAnswered) continue;
      for (const { gameAction: { game }, is } of deliveries) {
        if (is !== "failed" && is !== "gone") owed.set(game, (owed.get(game) ?? 0) + 1);
      }
    }
  }
  return owed;
}

function upstreamView(upstream: Upstream, now: Millis): UpstreamView {
  const { id, settings, link, isOpen, since, session, forces, pendingActions, contexts } = upstream;
  let held = 0;
  for (const queue of contexts.queued.values()) held += queue.length;
  return {
    id,
    url: settings === undefined ? null : settings.url.replace(/[?#].*$/s, ""),
    state: settings === undefined
      ? "played by the relay"
      : isOpen
      ? "open"
      : link.state === "dialing"
      ? "dialing"
      : "waiting",
    since,
    attempt: link.attempt,
    character: session?.characterId ?? null,
    force: forces.current === undefined ? null : forceView(forces.current),
    waiting: waitingForces(upstream, now).map(forceView),
    pending: [...pendingActions.byId.values()].filter(({ isAnswered }) => !isAnswered).map(pendingView),
    contexts_held: held,
  };
}

function forceView(force: Force): ForceView {
  const { id, game, message, is, askedAt, openedAt, names } = force;
  return {
    id,
    integration: game.slug,
    name: game.name,
    is,
    query: message.query,
    state: message.state ?? null,
    priority: message.priority,
    actions: is === "waiting" ? message.names : [...names],
    asked_at: askedAt,
    opened_at: is === "waiting" ? null : openedAt,
    waits_for: is === "waiting" ? waitReason(force) : is === "open" && force.owed > 0 ? ITS_RESULT : null,
  };
}

/** It is answered, and its integration has still to say what came of that. */
const ITS_RESULT = "its result";
const ITS_TURN = "its turn";

/** Why a force waits. */
function waitReason({ game, message, awaitUntil, owed }: Force): string {
  const { upstream, isHeld, isOffAir, peer } = game;
  if (owed > 0) return ITS_RESULT;
  if (isHeld) return "held";
  if (isOffAir) return "another character is on";
  if (peer === undefined) return "its integration is away";
  if (!upstream.isOpen) return "Neuro is away";
  if (upstream.forces.current !== undefined) return ITS_TURN;
  return awaitUntil !== undefined && message.names.some((name) => !game.actions.has(name))
    ? "actions that are not registered yet"
    : ITS_TURN;
}

const pendingView = (
  { id, action, deliveries, force, requestId, data, startedAt, deadline }: PendingAction,
): PendingView => ({
  id,
  action: action.originalName,
  to: deliveries.map(({ gameAction }) => gameAction.game.slug),
  names: deliveries.map(({ gameAction }) => gameAction.game.name),
  forced: force !== undefined,
  by: requestId === undefined ? "neuro" : "operator",
  data: data ?? null,
  is: deliveries.some(({ is }) => is === "approval")
    ? "approval"
    : deliveries.some(({ is }) => is === "sent")
    ? "sent"
    : "held",
  since: startedAt,
  deadline,
});
