/** The two ways out: to a Neuro, and to a game. */
import type { GameMessage, NeuroMessage } from "../../core/neuro-messages.ts";
import type { StepContext } from "../../core/context.ts";
import { handleMessage } from "./standalone/decider.ts";
import type { Game, Upstream } from "./state.ts";
import { encodeGame } from "./codec/encode-game.ts";
import { encodeUpstream } from "./codec/encode-upstream.ts";

/** Says something to Neuro, or does nothing while she is away: what must not be lost is kept by whoever says it. */
export function toNeuro(upstream: Upstream, message: GameMessage, ctx: StepContext): void {
  if (!upstream.isOpen) return;
  if (upstream.decider !== undefined) {
    for (const answer of handleMessage(upstream.decider, message, ctx)) upstream.inbox.push(answer);
    return;
  }
  const { settings, link, profile } = upstream;
  if (settings === undefined || link.id === undefined) return;
  for (const frame of encodeUpstream(message, settings.name, profile)) {
    ctx.count("upstream", "out", message.command);
    ctx.emit({ do: "send", to: link.id, frame });
  }
}

/** Says something to a game. False when it is away, or can never take it. */
export function toGame(game: Game, message: NeuroMessage, ctx: StepContext): boolean {
  if (game.peer === undefined) return false;
  if (game.listener === "intermediary") {
    ctx.post("intermediary", { is: "neuroMessage", peer: game.peer, message });
    return true;
  }
  const frame = encodeGame(message);
  if (frame !== undefined) {
    ctx.count("game", "out", message.command);
    ctx.emit({ do: "send", to: game.peer, frame });
  }
  return frame !== undefined;
}
