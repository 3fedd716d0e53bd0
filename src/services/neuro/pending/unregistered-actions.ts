/**
 * Actions that the built-in Neuro sends, on request, to an integration that has not registered them. The integration should answer with a
 * failure; a real Neuro may do the same with an action that was unregistered at that moment.
 *
 * Invariants: UA1 only the last `UNREGISTERED_MAX` of an integration are remembered, and each has at most one result; UA2 one without a result
 * at its deadline is forgotten, and reported if the integration was connected all the time.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { NeuroMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { diagnose } from "../diagnostics/diagnose.ts";
import { toGame, toNeuro } from "../outbound.ts";
import { type Game, isConnected, type Timer } from "../state.ts";
import { traceUnregisteredAction } from "../traces/trace.ts";

const UNREGISTERED_MAX = 8;

/** Sends the action; false if the integration must not get it now. */
export function sendUnregistered(
  game: Game,
  { id, name, data }: NeuroMessage & { readonly command: "action" },
  ctx: StepContext,
): boolean {
  const { controls, service } = game;
  const needsApproval = controls.approval || service.controls.approval;
  if (!isConnected(game) || !game.isVisible || needsApproval) return false;
  if (!toGame(game, data === undefined ? { command: "action", id, name } : { command: "action", id, name, data }, ctx)) {
    return false;
  }
  game.unregisteredActions = [...game.unregisteredActions, { id, name, sentAt: ctx.now }].slice(-UNREGISTERED_MAX);
  awaitResults(game);
  ctx.observe({ is: "action_sent", id, name, to: [game.name], slugs: [game.slug], forced: false, data });
  return true;
}

/** The result of such an action; false if it is of another one. */
export function receiveUnregisteredResult(game: Game, result: ResultMessage, ctx: StepContext): boolean {
  const action = game.unregisteredActions.find(({ id }) => id === result.id);
  if (action === undefined) return false;
  game.unregisteredActions = game.unregisteredActions.filter((other) => other !== action);
  awaitResults(game);
  const { id, name, sentAt } = action;
  const { success, message } = result;
  const trace = ctx.id();
  if (success) diagnose(game, "unknown_action_accepted", { detail: name, message: result, trace }, ctx);
  const isReported = toNeuro(game.upstream, { ...result, id }, game.name, ctx);
  const ms = ctx.now - sentAt;
  ctx.countResult?.(game.name, "game", success, ms);
  ctx.observe({ is: "action_result", id, name, from: game.name, slug: game.slug, success, message, ms, origin: "game" });
  const traced = { id: trace, neuroId: id, name, data: undefined, success, message, isReported, by: "game" } as const;
  traceUnregisteredAction(game.upstream, { ...traced, to: { game, sentAt } }, ctx);
  return true;
}

/** The deadline of the oldest one has passed. */
export function expireUnregistered(game: Game, ctx: StepContext): void {
  const { presence } = game;
  const sentBefore = ctx.now - deadlineMs(game);
  const expired = game.unregisteredActions.filter(({ sentAt }) => sentAt <= sentBefore);
  game.unregisteredActions = game.unregisteredActions.filter(({ sentAt }) => sentAt > sentBefore);
  for (const action of expired) {
    // Why: one that has left since may not have got it.
    const wasThere = presence.is === "connected" && presence.since <= action.sentAt;
    if (wasThere) diagnose(game, "unknown_action_ignored", { detail: action.name, message: action.name }, ctx);
  }
  awaitResults(game);
}

function awaitResults(game: Game): void {
  const { service: { timers }, unregisteredActions: [oldest] } = game;
  const timer: Timer = { is: "unregistered_action", game: game.key };
  if (oldest === undefined) timers.clear(timer);
  else timers.set(timer, oldest.sentAt + deadlineMs(game));
}

const deadlineMs = ({ policy, upstream: { profile } }: Game): Millis =>
  Math.min(policy.result_deadline ?? Infinity, profile.deadlineMs);
