/**
 * Integrations as they come, speak, restart and go, whichever door they use.
 *
 * Invariants: G1 being away for less than the grace changes nothing at Neuro; G2 after it, what Neuro sees of the game goes first
 * and then what the game owed is answered; G3 a registry is kept, parked, for its game's return; G4 a `startup` ends the
 * session before it, but what is registered again at once was never away.
 * Knows nothing of: frames, sockets, takeover.
 */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { hashText } from "../../../core/hash.ts";
import type { PeerId } from "../../../core/ids.ts";
import { DIRECTORY_NAMES_MAX, NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { matches } from "../../../core/name-pattern.ts";
import type { IntegrationPolicy } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { Few } from "../actions/few.ts";
import { settle } from "../operator/controls.ts";
import type { Game, GameDoor, Neuro, Upstream } from "../state.ts";
import { definitionOf, disown, drop, own, reveal, sync, vanish } from "../actions/actions.ts";
import { say } from "../upstream/contexts.ts";
import { introduce, park, readyToStop } from "../upstream/fanout.ts";
import { ask, cancel, namesChanged, recover, redefined, withdrawn } from "../forces/forces.ts";
import { slugOf } from "../actions/names.ts";
import { answer, lost, outdated, returned } from "../pending/pending.ts";
import { extend } from "./extensions.ts";

const graceTimer = (game: Game): string => `grace ${game.key}`;
const windowTimer = (game: Game): string => `window ${game.key}`;
export const parkedTimer = (game: Game): string => `parked ${game.key}`;

/** A name as it is used: composed, without control characters, and not longer than a name may be. */
export function nameOf(given: string): string {
  // deno-lint-ignore no-control-regex -- Why: control characters are exactly what has to go.
  const name = given.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
  const points = [...name];
  if (points.length <= NAME_CODE_POINTS_MAX) return name;
  return `${points.slice(0, NAME_CODE_POINTS_MAX - 9).join("")}-${hashText(given).slice(0, 8)}`;
}

/** The identity of that name, known or new. */
export function gameOf(room: Neuro, { listener, name }: { listener: GameDoor; name: string }, ctx: StepContext): Game {
  const known = room.games.get(`${listener}:${name}`);
  if (known !== undefined) return known;
  if (room.games.size >= room.settings.limits.peers + DIRECTORY_NAMES_MAX) forgetLongestAway(room, ctx);
  return newGame(room, { listener, name, key: `${listener}:${name}` });
}

/** An identity that is not there yet. `slug` is what it was called before Neuro, where that is known. */
export function newGame(room: Neuro, identity: { listener: GameDoor; name: string; key: string; slug?: string }): Game {
  const { listener, name, key, slug: kept } = identity;
  const isTaken = (slug: string): boolean => room.slugs.has(slug);
  const policy = policyOf(room, name);
  const game: Game = {
    room,
    key,
    listener,
    name,
    slug: kept !== undefined && !isTaken(kept) ? kept : slugOf(identity, isTaken),
    upstream: upstreamFor(room, policy),
    policy,
    peer: undefined,
    connection: undefined,
    connectedAt: 0,
    leftAt: 0,
    isAround: false,
    isShown: false,
    isParked: false,
    isHeld: room.controls.stopped || room.hasSolo,
    controls: { paused: false, muted: false, solo: false, approval: false },
    counts: { actions: 0, failures: 0, contexts: 0, forces: 0, result_ms: 0 },
    actions: new Few(),
    released: new Map(),
    lostForce: undefined,
    windowUntil: undefined,
    sessionId: "",
    silences: 0,
    confirmsNothing: false,
    lastAnswered: "",
    servedAt: 0,
    mended: new Set(),
    takeovers: [],
    record: { of: "game", key, stored: undefined, latest: undefined },
    forceRecord: { of: "force", key, stored: undefined, latest: undefined },
  };
  room.games.set(key, game);
  room.slugs.set(game.slug, game);
  return game;
}

/** A game is here. One that starts anew is not given what was left of its last session. */
export function arrive(game: Game, { peer, isStarting }: { peer: PeerId; isStarting: boolean }, ctx: StepContext): void {
  const { room } = game;
  const wasAway = game.peer === undefined;
  const { isAround: wasAround } = game;
  game.isAround = true;
  game.peer = peer;
  game.connectedAt = ctx.now;
  room.timers.clear(graceTimer(game));
  room.timers.clear(parkedTimer(game));
  const { name, slug } = game;
  if (game.listener === "neuro" && wasAway) ctx.observe({ is: "integration_connected_via_backend", name, slug });
  park(game, ctx);
  if (game.isParked) return;
  if (isStarting) {
    if (wasAround) return reveal(game);
    for (const owned of [...game.actions.values()]) disown(owned, ctx.now);
    return reveal(game);
  }
  reveal(game);
  sync(game.upstream, ctx);
  returned(game, ctx);
  recover(game, ctx);
  namesChanged(game.upstream, ctx);
}

/** A game's connection is gone. */
export function depart(game: Game, ctx: StepContext): void {
  const { room } = game;
  game.peer = undefined;
  game.leftAt = ctx.now;
  room.unsaved.add(game.record);
  const { name, slug } = game;
  if (game.listener === "neuro") ctx.observe({ is: "integration_disconnected_via_backend", name, slug });
  readyToStop(game, ctx);
  room.timers.set(graceTimer(game), ctx.now + room.settings.actions.grace);
}

/** A game did not come back in time: Neuro forgets it, the relay does not. */
export function graceOver(game: Game, ctx: StepContext): void {
  const { room } = game;
  vanish(game);
  sync(game.upstream, ctx);
  lost(game, ctx);
  cancel(game, "game gone", ctx);
  room.timers.set(parkedTimer(game), game.leftAt + room.settings.actions.parked);
}

/** Forgets a game that is away, its names and its registry. */
function forget(game: Game): void {
  const { room, upstream } = game;
  vanish(game);
  for (const owned of [...game.actions.values()]) disown(owned, 0);
  for (const offered of [...game.released.values()]) drop(upstream, offered);
  for (const timer of [graceTimer(game), windowTimer(game), parkedTimer(game)]) room.timers.clear(timer);
  room.games.delete(game.key);
  room.slugs.delete(game.slug);
  room.unsaved.add(game.record).add(game.forceRecord);
}

/** A game has been away for as long as its registry is kept. What a person has decided about it is kept until that is lifted. */
export function parkedOver(game: Game, ctx: StepContext): void {
  if (game.peer !== undefined) return;
  if (!isControlled(game)) return forget(game);
  game.room.timers.set(parkedTimer(game), ctx.now + game.room.settings.actions.parked);
}

const isControlled = ({ controls }: Game): boolean => Object.values(controls).includes(true);

/** What a game says, in the words of the Neuro API. */
export function hear(game: Game, message: GameMessage, ctx: StepContext): void {
  switch (message.command) {
    case "action/result":
      return answer(game, message, ctx);
    case "context":
      return tellNeuro(game, message, ctx);
    case "actions/register":
      return register(game, message, ctx);
    case "actions/unregister":
      return unregister(game, message, ctx);
    case "actions/force":
      game.counts.forces++;
      return ask(game, message, ctx);
    case "startup":
      return restart(game, ctx);
    case "shutdown/ready":
      return readyToStop(game, ctx);
    case "other":
      return extend(game, message, ctx);
  }
}

function tellNeuro(game: Game, { message, silent }: GameMessage & { command: "context" }, ctx: StepContext): void {
  game.counts.contexts++;
  if (game.controls.muted) return ctx.observe({ is: "context_dropped", from: game.name, slug: game.slug });
  say(game.upstream, { from: game, message, silent }, ctx);
}

/** What is not registered again since a `startup`, or is not in a full list, is gone now. */
export function windowOver(game: Game, ctx: StepContext): void {
  const { upstream, room } = game;
  const names: string[] = [];
  for (const owned of [...game.actions.values()]) {
    if (!owned.isSuspect) continue;
    names.push(owned.name);
    withdrawn(game, owned.name, ctx);
    disown(owned, ctx.now);
  }
  game.windowUntil = undefined;
  sync(upstream, ctx);
  outdated(game, new Set(names), ctx);
  namesChanged(upstream, ctx);
  if (names.length === 0) return;
  room.unsaved.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names });
}

/** Everything that is not registered again soon is taken for gone; until then the relay answers for it. */
export function suspectOthers(game: Game, listed: ReadonlySet<string>, ctx: StepContext): void {
  for (const owned of game.actions.values()) if (!listed.has(owned.name)) owned.isSuspect = true;
  game.windowUntil = ctx.now + game.room.settings.actions.restart_window;
  game.room.timers.set(windowTimer(game), game.windowUntil);
}

/** The policy for a name: of the first pattern that fits. */
export function policyOf(room: Neuro, name: string): IntegrationPolicy {
  return room.settings.integrations.find(({ match }) => matches(match, name)) ?? DEFAULT_POLICY;
}

/** The upstream that a policy assigns: the one it names, else the first. */
export function upstreamFor(room: Neuro, policy: IntegrationPolicy): Upstream {
  const named = policy.upstream === undefined ? undefined : room.upstreams.get(policy.upstream);
  const [first] = room.upstreams.values();
  return named ?? first as Upstream; // Why: there is always one, if only the relay itself.
}

const DEFAULT_POLICY: IntegrationPolicy = {
  match: "*",
  upstream: undefined,
  on_duplicate: "replace",
  priority_max: "critical",
  shutdown: false,
  speech_finished: false,
  results: "required",
};

function register(
  game: Game,
  { actions, mainThread }: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const names: string[] = [];
  let refused: string | undefined;
  for (const action of actions) {
    const registered = own(game, definitionOf(action, mainThread), ctx.now);
    if (registered === "refused") refused ??= action.name;
    if (registered === "redefined") redefined(game, action.name);
    if (registered === "new" || registered === "redefined") names.push(action.name);
  }
  if (refused !== undefined) {
    ctx.observe({
      is: "input_refused",
      from: game.name,
      fault: "queueFull",
      reason: `too many actions: ${refused.slice(0, 64)}`,
    });
  }
  if (names.length > 0) {
    game.room.unsaved.add(game.record);
    ctx.observe({ is: "actions_registered", integration: game.name, names });
    sync(game.upstream, ctx);
  }
  if (game.windowUntil !== undefined) returned(game, ctx);
  namesChanged(game.upstream, ctx);
}

function unregister(
  game: Game,
  { names, mainThread }: GameMessage & { command: "actions/unregister" },
  ctx: StepContext,
): void {
  const gone: string[] = [];
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned === undefined) continue;
    gone.push(name);
    withdrawn(game, name, ctx);
    disown(owned, ctx.now);
  }
  if (gone.length === 0) return;
  game.room.unsaved.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names: gone });
  sync(game.upstream, ctx, mainThread);
  namesChanged(game.upstream, ctx);
}

/** A `startup`: the forces of the session before are over, its actions are waited for. */
function restart(game: Game, ctx: StepContext): void {
  const { upstream } = game;
  const { slot } = upstream.forces;
  if (slot?.game === game) {
    for (const name of slot.names) {
      const owned = game.actions.get(name);
      if (owned !== undefined) disown(owned, ctx.now);
    }
    slot.names.clear();
    sync(upstream, ctx);
  }
  cancel(game, "cancelled", ctx);
  game.sessionId = ctx.id();
  suspectOthers(game, new Set(), ctx);
  introduce(game, ctx);
}

function forgetLongestAway(room: Neuro, ctx: StepContext): void {
  let longest: Game | undefined;
  for (const game of room.games.values()) {
    if (game.peer === undefined && (longest === undefined || isSooner(game, longest))) longest = game;
  }
  if (longest === undefined) return;
  graceOver(longest, ctx);
  forget(longest);
  if (longest.controls.solo) settle(room, ctx);
}

/** Whom nobody has decided anything about goes first, then whoever is away for longest. */
const isSooner = (game: Game, other: Game): boolean =>
  isControlled(game) === isControlled(other) ? game.leftAt < other.leftAt : isControlled(other);
