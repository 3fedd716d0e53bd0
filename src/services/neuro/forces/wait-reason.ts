/** What a force waits for. */
import { assertNever } from "../../../core/assert.ts";
import type { ForceMessage } from "../../../core/neuro-messages.ts";
import type { WaitReason } from "../../../core/view.ts";
import { type Game, isConnected } from "../state.ts";
import type { ForceState } from "./states.ts";

/** Null if it does not wait. */
export function waitReason(game: Game, { names }: ForceMessage, state: ForceState): WaitReason | null {
  switch (state.is) {
    case "claimed":
    case "answering":
      return "result";
    case "waiting":
      break;
    case "open":
    case "overdue":
    case "retrying":
    case "settling":
    case "revoked":
    case "closing":
    case "draining":
    case "suspended":
    case "ended":
      return null;
    default:
      return assertNever(state);
  }
  const { upstream, isHeld, isOffAir, actions } = game;
  if (isHeld) return "held";
  if (isOffAir) return "other_character";
  if (!isConnected(game)) return "integration_away";
  if (!upstream.isOpen) return "neuro_away";
  const awaitsNames = state.awaitNamesUntil !== undefined && names.some((name) => !actions.has(name));
  return upstream.forces.current === undefined && awaitsNames ? "names" : "turn";
}
