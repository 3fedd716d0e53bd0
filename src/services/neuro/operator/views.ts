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
import type { Force, Game, Neuro, Pending, Upstream } from "../state.ts";
import { inLine } from "../forces/line.ts";

/** Whether Neuro can be reached, and if not, what is missing. */
export function readiness(room: Neuro): Json {
  const waits = [...room.upstreams.values()].filter(({ isOpen }) => !isOpen).map(({ id }) =>
    `upstream ${id} is not connected`
  );
  if (!room.hasStarted) waits.push("starting");
  if (room.drainUntil !== undefined) waits.push("draining");
  return { ok: waits.length === 0, waits };
}

/** Everything that is going on, but not what each integration offers. */
export const statusOf = (room: Neuro, now: Millis): NeuroView => ({
  controls: { ...room.controls },
  upstreams: [...room.upstreams.values()].map((upstream) => upstreamView(upstream, now)),
  integrations: room.games.size,
  sockets: room.sockets.size,
  draining: room.drainUntil !== undefined,
});

/** Integrations in the order of their ids. */
export function integrationPage(room: Neuro, part: PageRequest): Page<IntegrationView> {
  const { items, next } = pageOf([...room.slugs].sort(byId), part, { id: ([id]) => id });
  const owed = owedBy(room);
  return { items: items.map(([, game]) => viewOf(game, owed.get(game) ?? 0)), next };
}

const byId = ([one]: readonly [string, Game], [other]: readonly [string, Game]): number => (one < other ? -1 : 1);

/** One integration. */
export const integrationView = (game: Game): IntegrationView => viewOf(game, owedBy(game.room).get(game) ?? 0);

/** One integration with all that it offers. */
export const integrationDetail = (game: Game): IntegrationDetail => ({
  ...integrationView(game),
  address: game.connection?.address ?? null,
  user_agent: game.connection?.userAgent ?? null,
  offers: [...game.actions.values()].map(({ name, offered }) => ({
    name,
    upstream_name: offered.name,
    description: offered.action.description,
    schema: offered.action.schema ?? null,
    shared: offered.owners.size > 1,
  })),
});

function viewOf(game: Game, pending: number): IntegrationView {
  const { slug, name, listener, upstream, peer, connectedAt, leftAt, isShown, isParked, actions, controls, counts } = game;
  return {
    id: slug,
    name,
    listener,
    upstream: upstream.id,
    present: peer !== undefined,
    since: peer === undefined ? leftAt : connectedAt,
    shown: isShown,
    off_air: isParked,
    actions: actions.size,
    pending,
    counts: { ...counts },
    ...controls,
  };
}

/** How many actions each integration has not answered. */
function owedBy(room: Neuro): ReadonlyMap<Game, number> {
  const owed = new Map<Game, number>();
  for (const { pendings } of room.upstreams.values()) {
    for (const { parts, isAnswered } of pendings.byId.values()) {
      if (isAnswered) continue;
      for (const { owned: { game }, is } of parts) {
        if (is !== "failed" && is !== "gone") owed.set(game, (owed.get(game) ?? 0) + 1);
      }
    }
  }
  return owed;
}

function upstreamView(upstream: Upstream, now: Millis): UpstreamView {
  const { id, settings, link, isOpen, since, session, forces, pendings, contexts } = upstream;
  let held = 0;
  for (const queue of contexts.held.values()) held += queue.length;
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
    force: forces.slot === undefined ? null : forceView(forces.slot),
    waiting: inLine(upstream, now).map(forceView),
    pending: [...pendings.byId.values()].filter(({ isAnswered }) => !isAnswered).map(pendingView),
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
    waits_for: is === "waiting" ? hindrance(force) : is === "open" && force.owed > 0 ? ITS_RESULT : null,
  };
}

/** It is answered, and its integration has still to say what came of that. */
const ITS_RESULT = "its result";
const ITS_TURN = "its turn";

/** Why a force waits. */
function hindrance({ game, message, awaitUntil, owed }: Force): string {
  const { upstream, isHeld, isParked, peer } = game;
  if (owed > 0) return ITS_RESULT;
  if (isHeld) return "held";
  if (isParked) return "another character is on";
  if (peer === undefined) return "its integration is away";
  if (!upstream.isOpen) return "Neuro is away";
  if (upstream.forces.slot !== undefined) return ITS_TURN;
  return awaitUntil !== undefined && message.names.some((name) => !game.actions.has(name))
    ? "actions that are not registered yet"
    : ITS_TURN;
}

const pendingView = ({ id, offered, parts, force, requestId, data, since, deadline }: Pending): PendingView => ({
  id,
  action: offered.original,
  to: parts.map(({ owned }) => owned.game.slug),
  names: parts.map(({ owned }) => owned.game.name),
  forced: force !== undefined,
  by: requestId === undefined ? "neuro" : "operator",
  data: data ?? null,
  is: parts.some(({ is }) => is === "approval") ? "approval" : parts.some(({ is }) => is === "sent") ? "sent" : "held",
  since,
  deadline,
});
