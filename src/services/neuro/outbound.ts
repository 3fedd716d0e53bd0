/** Sends messages: to Neuro, and to a game. */
import type { GameMessage, NeuroMessage } from "../../core/neuro-messages.ts";
import { linkIdOf } from "../../core/link.ts";
import type { StepContext } from "../../core/context.ts";
import { handleMessage } from "./standalone/decider.ts";
import { type Game, peerOf, type Upstream } from "./state.ts";
import { encodeGame } from "./codec/encode-game.ts";
import { encodeUpstream } from "./codec/encode-upstream.ts";

/** Sends a message to Neuro. While she is away it is dropped: the caller keeps messages that must not be lost. */
export function toNeuro(upstream: Upstream, message: GameMessage, ctx: StepContext): void {
  if (!upstream.isOpen) return;
  if (upstream.decider !== undefined) {
    for (const answer of handleMessage(upstream.decider, message, ctx)) upstream.inbox.push(answer);
    return;
  }
  const { settings, profile } = upstream;
  const link = linkIdOf(upstream.link);
  if (settings === undefined || link === undefined) return;
  for (const frame of encodeUpstream(message, settings.name, profile)) {
    ctx.count("upstream", "out", message.command);
    ctx.emit({ do: "send", to: link, frame });
  }
}

/** Sends a message to a game. False when the game is not connected, or the message is too large for any game. */
export function toGame(game: Game, message: NeuroMessage, ctx: StepContext): boolean {
  const peer = peerOf(game);
  if (peer === undefined) return false;
  if (game.listener === "intermediary") {
    ctx.post("intermediary", { is: "neuroMessage", peer: peer, message });
    return true;
  }
  const frame = encodeGame(message);
  if (frame !== undefined) {
    ctx.count("game", "out", message.command);
    ctx.emit({ do: "send", to: peer, frame });
  }
  return frame !== undefined;
}
