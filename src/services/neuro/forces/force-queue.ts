/** The line of forces that wait for the slot: who is next, so that nobody waits for ever. */
import type { Priority } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import type { Force, Upstream } from "../state.ts";
import { isLive } from "../actions/actions.ts";

/** From the least to the most urgent. */
export const PRIORITIES: readonly Priority[] = ["low", "medium", "high", "critical"];

/** The one that Neuro should be asked next. */
export function nextForce(upstream: Upstream, now: Millis): Force | undefined {
  let best: Force | undefined;
  for (const force of upstream.forces.waiting.values()) {
    if (!isReady(force, now)) continue;
    if (best === undefined || isBefore(force, best, now)) best = force;
  }
  return best;
}

/** All that wait, in the order in which Neuro would be asked now; whoever is not ready comes last. */
export const waitingForces = ({ forces }: Upstream, now: Millis): readonly Force[] =>
  [...forces.waiting.values()].sort((one, other) =>
    Number(isReady(other, now)) - Number(isReady(one, now)) ||
    Number(isBefore(other, one, now)) - Number(isBefore(one, other, now))
  );

function isReady({ game, message, awaitUntil, owed }: Force, now: Millis): boolean {
  if (owed > 0) return false; // Why: a person has answered it, and its game has not yet.
  if (game.peer === undefined || game.isOffAir || game.isHeld) return false;
  return awaitUntil === undefined || awaitUntil <= now || message.names.every((name) => isLive(game.actions.get(name)));
}

/** By urgency, then whoever had the slot longest ago, then arrival. */
function isBefore(force: Force, other: Force, now: Millis): boolean {
  const urgency = urgencyOf(force, now) - urgencyOf(other, now);
  if (urgency !== 0) return urgency > 0;
  if (force.game.lastForcedAt !== other.game.lastForcedAt) return force.game.lastForcedAt < other.game.lastForcedAt;
  return force.askedAt < other.askedAt;
}

/** The priority, one more for each span of waiting: nobody waits for ever behind those who are always urgent. */
function urgencyOf({ game, message, askedAt, isLast }: Force, now: Millis): number {
  const { ageing } = game.service.settings.actions;
  const rank = isLast ? -1 : PRIORITIES.indexOf(message.priority);
  return rank + (ageing > 0 ? Math.floor((now - askedAt) / ageing) : 0);
}
