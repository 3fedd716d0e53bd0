/**
 * The pending actions of one upstream.
 *
 * Invariant: each is in `byUpstreamId` or in `others`, and moves to `others` as soon as Neuro's id does not stand for it any more. Why not
 * also in a table by its own id: adding to it and deleting from it takes a twentieth of the time of a trip.
 */
import type { PendingAction, PendingActions } from "../state.ts";

/** Number of pending actions. */
export const pendingCount = ({ byUpstreamId, others }: PendingActions): number => byUpstreamId.size + others.size;

/** All pending actions, the oldest first. */
export const allPending = ({ byUpstreamId, others }: PendingActions): readonly PendingAction[] =>
  [...byUpstreamId.values(), ...others].sort((one, other) => (one.id < other.id ? -1 : 1));

/** The pending action with this id of the relay. Not for the path of each message: it looks at all of them. */
export function pendingById({ byUpstreamId, others }: PendingActions, id: string): PendingAction | undefined {
  for (const pending of byUpstreamId.values()) if (pending.id === id) return pending;
  for (const pending of others) if (pending.id === id) return pending;
  return undefined;
}

export function addPending({ byUpstreamId, others }: PendingActions, pending: PendingAction): void {
  if (pending.origin.is === "neuro") byUpstreamId.set(pending.origin.id, pending);
  else others.add(pending);
}

export function deletePending({ byUpstreamId, others }: PendingActions, pending: PendingAction): void {
  const isOther = others.size > 0 && others.delete(pending);
  if (!isOther && pending.origin.is === "neuro") byUpstreamId.delete(pending.origin.id);
}

/** Neuro's id does not stand for this action any more, because she has its result. */
export function forgetUpstreamId({ byUpstreamId, others }: PendingActions, pending: PendingAction): void {
  if (pending.origin.is === "neuro" && byUpstreamId.delete(pending.origin.id)) others.add(pending);
}

/** The connection is lost: Neuro's ids stand for nothing any more, but results of games still count for their forces. */
export function forgetUpstreamIds({ byUpstreamId, others }: PendingActions): void {
  for (const pending of byUpstreamId.values()) others.add(pending);
  byUpstreamId.clear();
}
