/**
 * What followers hear: every change that others made, once it is stored, or else that they missed some.
 *
 * A peer that reads too slowly is left out until it has caught up. Then it is told, once for each session, how many changes it
 * missed; it can ask for the state. The same after a mistake of ours, when nobody can tell what was heard. Who follows nothing is
 * never told anything.
 */
import type { PeerId } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { type BrainSession, type ChangeNotification, lastSeq } from "../sessions/session.ts";

/** Changes of one session that a peer did not hear of. */
export interface MissedChanges {
  /** The last event that it may have missed. */
  readonly seq: number;
  /** How many; null when that is not known. */
  readonly missed: number | null;
}

/** Tells all followers but whoever caused it. */
export function notifyFollowers(
  brain: BrainState,
  ctx: StepContext,
  { session, push }: { session: BrainSession; push: ChangeNotification },
): void {
  const { seq, from, frame } = push;
  for (const to of session.followers) {
    const peer = brain.peers.get(to);
    if (to === from || peer === undefined) continue;
    if (!peer.isBackpressured) {
      ctx.emit({ do: "send", to, frame });
      continue;
    }
    const { missed } = peer.missed.get(session.id) ?? { missed: 0 };
    peer.missed.set(session.id, { seq, missed: missed === null ? null : missed + 1 });
  }
}

/** Notes for a peer that it may have missed something of all that it follows. */
export function markPossiblyMissed({ peers, sessions }: BrainState, of: PeerId): void {
  const peer = peers.get(of);
  for (const id of peer?.follows ?? []) {
    const session = sessions.get(id);
    if (session !== undefined) peer?.missed.set(id, { seq: lastSeq(session), missed: null });
  }
}

/** Who reads again hears what it missed. */
export function reportMissed({ peers }: BrainState, ctx: StepContext): void {
  for (const [to, { missed, isBackpressured }] of peers) {
    if (isBackpressured || missed.size === 0) continue;
    for (const [session_id, gap] of missed) {
      ctx.emit({ do: "send", to, frame: JSON.stringify({ type: "State.Gap", session_id, ...gap }) });
    }
    missed.clear();
  }
}
