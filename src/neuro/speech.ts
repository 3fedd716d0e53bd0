/** The two ways out: to a Neuro, and to a game. */
import type { GameMessage, NeuroMessage } from "../core/api.ts";
import type { Turn } from "../core/turn.ts";
import { hear } from "./decider.ts";
import type { Game, Upstream } from "./state.ts";
import { encodeForGame, encodeUpstream } from "./wire.ts";

/** Says something to Neuro, or does nothing while she is away: what must not be lost is kept by whoever says it. */
export function toNeuro(upstream: Upstream, message: GameMessage, turn: Turn): void {
  if (!upstream.isOpen) return;
  if (upstream.decider !== undefined) {
    for (const answer of hear(upstream.decider, message, turn)) upstream.inbox.push(answer);
    return;
  }
  const { settings, link, profile } = upstream;
  if (settings === undefined || link.id === undefined) return;
  for (const frame of encodeUpstream(message, settings.name, profile)) {
    turn.count("upstream", "out", message.command);
    turn.put({ do: "send", to: link.id, frame });
  }
}

/** Says something to a game. False when it is away, or can never take it. */
export function toGame(game: Game, message: NeuroMessage, turn: Turn): boolean {
  if (game.peer === undefined) return false;
  if (game.door === "intermediary") {
    turn.put({ do: "tell", room: "intermediary", message: { is: "deliver", peer: game.peer, message } });
    return true;
  }
  const frame = encodeForGame(message);
  if (frame !== undefined) {
    turn.count("game", "out", message.command);
    turn.put({ do: "send", to: game.peer, frame });
  }
  return frame !== undefined;
}
