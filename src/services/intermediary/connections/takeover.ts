/**
 * Two integrations with one name: the newer one takes the name over once the holder has been silent for `TAKEOVER_GRACE_MS`, or that long
 * after it asked. After `TAKEOVERS_PER_MINUTE_MAX` takeovers within a minute the holder keeps its name.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Frame } from "../../../core/json.ts";
import { TAKEOVER_BYTES_MAX, TAKEOVER_FRAMES_MAX, TAKEOVER_GRACE_MS } from "../../../core/limits.ts";
import { errorReplyText } from "../codec/frames.ts";
import type { IntermediaryState } from "../state.ts";
import { addIntegration } from "./admission.ts";
import { closePeer } from "./connections.ts";
import type { ConnectedPeer, PendingTakeover } from "./peer.ts";

/** An integration greets with a name that another connection holds. */
export function requestTakeover(state: IntermediaryState, pending: PendingTakeover, ctx: StepContext): void {
  const { identity: { name }, peer } = pending;
  const { peers, integrations, takeovers } = state.connections;
  peers.set(peer, pending);
  const rival = takeovers.get(name);
  if (rival !== undefined) closeLoser(state, rival, ctx);
  if (takeovers.isExhausted(name, ctx.now)) {
    ctx.observe({ is: "taken_over", name, winner: "oldest" });
    return closeLoser(state, pending, ctx);
  }
  const silentSince = integrations.get(name)?.lastFrameAt ?? 0;
  takeovers.add(pending, silentSince + TAKEOVER_GRACE_MS <= ctx.now ? ctx.now : ctx.now + TAKEOVER_GRACE_MS);
}

/** Buffers a frame of a peer that waits for its name. */
export function bufferFrame(state: IntermediaryState, pending: PendingTakeover, frame: Frame, ctx: StepContext): void {
  const { frames, retained, identity: { name } } = pending;
  const bytes = 2 * frame.length;
  const refusal = retained.refusal(bytes, state.settings.limits);
  if (refusal !== undefined) ctx.observe({ is: "input_refused", from: name, fault: refusal.fault, reason: refusal.reason });
  if (refusal !== undefined || frames.length >= TAKEOVER_FRAMES_MAX || retained.bytes + bytes > 2 * TAKEOVER_BYTES_MAX) {
    return closePeer(state, pending, "rateLimit", ctx);
  }
  frames.push(frame);
  retained.charge(bytes);
}

/** Gives the name to a peer that waited for it, and closes the holder if it is still connected. Returns the buffered frames. */
export function completeTakeover(state: IntermediaryState, pending: PendingTakeover, ctx: StepContext): readonly Frame[] {
  const { identity, acks, traces, frames } = pending;
  const { integrations, takeovers } = state.connections;
  takeovers.remove(pending);
  pending.retained.close();
  const holder = integrations.get(identity.name);
  if (holder !== undefined) {
    takeovers.count(identity.name, state.settings.limits.peers, ctx.now);
    ctx.observe({ is: "taken_over", name: identity.name, winner: "newest" });
    closeLoser(state, holder, ctx);
  }
  addIntegration(state, identity, { acks, traces, hasQueue: true }, ctx);
  return frames;
}

function closeLoser(state: IntermediaryState, loser: ConnectedPeer, ctx: StepContext): void {
  ctx.emit({ do: "reply", to: loser.peer, frame: errorReplyText("name taken", "nameTaken") });
  closePeer(state, loser, "nameTaken", ctx);
}
