/**
 * Actions that the built-in Neuro sends, on request, to an integration that has not registered them. The integration should answer with a
 * failure; a real Neuro may do the same with an action that was unregistered at that moment.
 *
 * Invariant: UA1 only the last `UNREGISTERED_MAX` of an integration are remembered, and each has at most one result.
 */
import type { StepContext } from "../../../core/context.ts";
import type { NeuroMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { diagnose } from "../diagnostics/diagnose.ts";
import { toGame, toNeuro } from "../outbound.ts";
import { type Game, isConnected } from "../state.ts";
import { traceUnregisteredAction } from "../traces/trace.ts";

const UNREGISTERED_MAX = 8;

/** Sends the action; false if the integration must not get it now. */
export function sendUnregistered(
  game: Game,
  { id, name, data }: NeuroMessage & { readonly command: "action" },
  ctx: StepContext,
): boolean {
  const { controls, service, unregisteredActions } = game;
  const needsApproval = controls.approval || service.controls.approval;
  if (!isConnected(game) || !game.isVisible || needsApproval) return false;
  if (!toGame(game, data === undefined ? { command: "action", id, name } : { command: "action", id, name, data }, ctx)) {
    return false;
  }
  if (unregisteredActions.push({ id, name, sentAt: ctx.now }) > UNREGISTERED_MAX) unregisteredActions.shift();
  ctx.observe({ is: "action_sent", id, name, to: [game.name], slugs: [game.slug], forced: false, data });
  return true;
}

/** The result of such an action; false if it is of another one. */
export function receiveUnregisteredResult(game: Game, result: ResultMessage, ctx: StepContext): boolean {
  const action = game.unregisteredActions.find(({ id }) => id === result.id);
  if (action === undefined) return false;
  game.unregisteredActions.splice(game.unregisteredActions.indexOf(action), 1);
  const { id, name, sentAt } = action;
  const { success, message } = result;
  if (success) diagnose(game, "unknown_action_accepted", { detail: name, message: result }, ctx);
  const isReported = toNeuro(game.upstream, { ...result, id }, game.name, ctx);
  const ms = ctx.now - sentAt;
  ctx.observe({ is: "action_result", id, name, from: game.name, slug: game.slug, success, message, ms, origin: "game" });
  const traced = { id: ctx.id(), neuroId: id, name, data: undefined, success, message, isReported, by: "game" } as const;
  traceUnregisteredAction(game.upstream, { ...traced, to: { game, sentAt } }, ctx);
  return true;
}
