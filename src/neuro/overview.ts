/** What the room says about itself when it is asked: plain JSON, for people and for the dashboard. */
import type { Json } from "../core/json.ts";
import type { Millis } from "../core/ids.ts";
import type { Force, Game, Neuro, Upstream } from "./state.ts";

/** Whether Neuro can be reached, and if not, what is missing. */
export function readiness(room: Neuro): Json {
  const waits = [...room.upstreams.values()].filter(({ isOpen }) => !isOpen).map(({ id }) =>
    `upstream ${id} is not connected`
  );
  if (!room.hasStarted) waits.push("starting");
  if (room.drainUntil !== undefined) waits.push("draining");
  return { ok: waits.length === 0, waits };
}

/** Everything that is going on. */
export function overview(room: Neuro, now: Millis): Json {
  return {
    upstreams: [...room.upstreams.values()].map((upstream) => upstreamStatus(upstream, now)),
    games: [...room.games.values()].map(gameStatus),
    sockets: room.sockets.size,
    draining: room.drainUntil !== undefined,
  };
}

function upstreamStatus(upstream: Upstream, now: Millis): Json {
  const { id, settings, link, isOpen, since, session, forces, pendings, contexts } = upstream;
  let held = 0;
  for (const queue of contexts.held.values()) held += queue.length;
  return {
    id,
    url: settings === undefined ? null : settings.url.replace(/[?#].*$/s, ""),
    state: settings === undefined ? "played by the relay" : isOpen ? "open" : link.state,
    since,
    attempt: link.attempt,
    character: session?.characterId ?? null,
    force: forces.slot === undefined ? null : forceStatus(forces.slot, now),
    waiting: [...forces.waiting.values()].map((force) => forceStatus(force, now)),
    pending: [...pendings.byId.values()].map((pending) => ({
      id: pending.id,
      name: pending.offered.name,
      to: pending.parts.map(({ owned }) => owned.game.name),
      forced: pending.force !== undefined,
      data: pending.data ?? null,
      age: now - pending.since,
      deadline: pending.deadline,
    })),
    contexts_held: held,
  };
}

function forceStatus({ game, message, is, askedAt, openedAt, names }: Force, now: Millis): Json {
  const { query, state, priority } = message;
  return {
    game: game.name,
    door: game.door,
    is,
    query,
    state: state ?? null,
    priority,
    names: is === "waiting" ? message.names : [...names],
    waited: (is === "waiting" ? now : openedAt) - askedAt,
    open: is === "waiting" ? 0 : now - openedAt,
  };
}

function gameStatus(game: Game): Json {
  const { name, door, slug, upstream, peer, connectedAt, leftAt, isShown, isParked, confirmsNothing } = game;
  return {
    name,
    door,
    slug,
    upstream: upstream.id,
    present: peer !== undefined,
    since: peer === undefined ? leftAt : connectedAt,
    shown: isShown,
    parked: isParked,
    confirms: !confirmsNothing,
    actions: [...game.actions.values()].map(({ name: original, offered }) => ({
      name: original,
      upstream: offered.name,
      description: offered.action.description,
      schema: offered.action.schema ?? null,
      shared: offered.owners.size > 1,
    })),
  };
}
