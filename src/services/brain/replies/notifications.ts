/**
 * Notifies followers of every change that other peers made, once it is stored, or of the number of changes that they missed.
 *
 * A peer that reads too slowly gets no notifications until it has caught up. Then it gets one `State.Gap` for each session, and can
 * ask for the state. The same happens after an internal error, when it is unknown what the peer received, and for a change that does not fit
 * a frame. A peer that follows no session is never notified.
 */
import type { StepContext } from "../../../core/context.ts";
import type { PeerId } from "../../../core/ids.ts";
import { BRAIN_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import { fitsBytes } from "../../../core/text.ts";
import { lastSeq } from "../log/session-log.ts";
import type { BrainSession, ChangeNotification } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";

/** Notifies all followers of a session except the peer that caused the change. */
export function notifyFollowers(
  state: BrainState,
  session: BrainSession,
  { seq, from, frame: change }: ChangeNotification,
  ctx: StepContext,
): void {
  const frame = !fitsBytes(change, BRAIN_FRAME_BYTES_MAX) ? gapFrame(session.id, { seq, missed: 1 }) : change;
  for (const to of session.followers) {
    const peer = state.peers.get(to);
    if (to === from || peer === undefined) continue;
    if (!peer.isBackpressured) {
      ctx.emit({ do: "send", to, frame });
      continue;
    }
    const { missed } = peer.missed.get(session.id) ?? { missed: 0 };
    peer.missed.set(session.id, { seq, missed: missed === null ? null : missed + 1 });
  }
}

const gapFrame = (session: string, gap: { readonly seq: number; readonly missed: number | null }): string =>
  JSON.stringify({ type: "State.Gap", session_id: session, ...gap });

/** Records that a peer may have missed changes of all sessions that it follows. */
export function markPossiblyMissed(state: BrainState, peerId: PeerId): void {
  const peer = state.peers.get(peerId);
  for (const id of peer?.follows ?? []) {
    const session = state.sessions.get(id);
    if (session !== undefined) peer?.missed.set(id, { seq: lastSeq(session.log), missed: null });
  }
  state.unreported.add(peerId);
}

/** Tells the peers that were connected before an internal error what they may have missed. */
export function reportPossiblyMissed(state: BrainState, ctx: StepContext): void {
  for (const peer of state.unreported) reportMissed(state, peer, ctx);
  state.unreported.clear();
}

/** Tells a peer what it missed, if it has caught up. */
export function reportMissed(state: BrainState, to: PeerId, ctx: StepContext): void {
  const peer = state.peers.get(to);
  if (peer === undefined || peer.isBackpressured) return;
  for (const [session, changes] of peer.missed) ctx.emit({ do: "send", to, frame: gapFrame(session, changes) });
  peer.missed.clear();
}
