/** The order in which waiting forces go to Neuro. Ageing prevents starvation. */
import type { Priority } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import { isAwaited, isLive } from "../actions/actions.ts";
import { type Force, type Game, isConnected, type Upstream } from "../state.ts";

/** The least urgent first. */
export const PRIORITIES: readonly Priority[] = ["low", "medium", "high", "critical"];

/** The force that Neuro should be asked next. */
export function nextForce(upstream: Upstream, now: Millis): Force | undefined {
  let best: Force | undefined;
  for (const force of upstream.forces.waiting.values()) {
    if (!isReady(force, now)) continue;
    if (best === undefined || isBefore(force, best, now)) best = force;
  }
  return best;
}

/** All waiting forces in the order in which Neuro would be asked now. Those that are not ready come last. */
export const waitingForces = ({ forces }: Upstream, now: Millis): readonly Force[] =>
  [...forces.waiting.values()].sort((one, other) =>
    Number(isReady(other, now)) - Number(isReady(one, now)) ||
    Number(isBefore(other, one, now)) - Number(isBefore(one, other, now))
  );

/** True if the state of the force and of its game allows asking Neuro now. */
export function isReady({ game, message, state }: Force, now: Millis): boolean {
  if (state.is !== "waiting") return false;
  if (!isConnected(game) || game.isOffAir || game.isHeld) return false;
  if (mayRegisterAgain(game, message.names)) return false;
  const { awaitNamesUntil } = state;
  return awaitNamesUntil === undefined || awaitNamesUntil <= now ||
    !message.names.some((name) => isAwaited(game, name));
}

/** All names that are left are to be registered again: the game has `actions.restart_window` for that. */
function mayRegisterAgain({ actions }: Game, names: readonly string[]): boolean {
  let isUnconfirmed = false;
  for (const name of names) {
    const action = actions.get(name);
    isUnconfirmed ||= action?.isUnconfirmed === true;
    if (isLive(action)) return false;
  }
  return isUnconfirmed;
}

/** By urgency, then by whose last force is longest ago, then by arrival. */
function isBefore(force: Force, other: Force, now: Millis): boolean {
  const urgency = urgencyOf(force, now) - urgencyOf(other, now);
  if (urgency !== 0) return urgency > 0;
  if (force.game.lastForcedAt !== other.game.lastForcedAt) return force.game.lastForcedAt < other.game.lastForcedAt;
  return force.requestedAt < other.requestedAt;
}

/** How urgent a force is: its priority, plus one for each `actions.ageing` of waiting, so that urgent forces of other games cannot starve it. */
export function urgencyOf({ game, message, requestedAt, state }: Force, now: Millis): number {
  const { ageing } = game.service.settings.actions;
  const rank = "rank" in state && state.rank === "last" ? -1 : PRIORITIES.indexOf(message.priority);
  return rank + (ageing > 0 ? Math.floor((now - requestedAt) / ageing) : 0);
}
