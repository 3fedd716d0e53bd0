/**
 * What Neuro wants done: by whom, or why it cannot be done.
 *
 * Invariants: L1 an action reaches only who has it registered and is not held; L2 what is refused is answered at once, and as a
 * success where Neuro would else try for ever.
 */
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../outbound.ts";
import type { Force, Game, GameAction, Upstream, UpstreamAction } from "../state.ts";
import { isLive } from "../actions/actions.ts";
import { isOfEndedForce } from "../forces/forces.ts";
import { startAction } from "./pending.ts";

type Action = NeuroMessage & { readonly command: "action" };

/** Neuro acts. */
export function dispatchAction(upstream: Upstream, action: Action, ctx: StepContext): void {
  if (upstream.pendingActions.byUpstreamId.has(action.id)) return; // Why: the same id is the same action, said again.
  const offered = upstream.actions.get(action.name);
  if (upstream.service.drainUntil !== undefined) return refuseAction(upstream, action, { why: "The relay restarts.", ctx });
  if (offered === undefined || !offered.isRegistered) return answerGone(upstream, action, ctx);
  const { current } = upstream.forces;
  const force = current !== undefined && isForced(current, offered) ? current : undefined;
  if (force?.isByHand === true) return refuseAction(upstream, action, { why: "A person is answering this force.", ctx });
  if (force?.verdict !== undefined) {
    const why = "A person has settled this force, and it does not have to be tried again.";
    return refuseAction(upstream, action, { why, ctx, success: true });
  }
  const owners = force === undefined ? recipientsOf(offered) : [force.game.actions.get(offered.originalName) as GameAction];
  if (owners.length === 0) {
    return refuseAction(upstream, action, { why: "This action is just being registered anew.", ctx });
  }
  startAction(
    {
      theirId: action.id,
      epoch: upstream.linkNumber,
      action: offered,
      data: action.data,
      force,
      owners,
      requestId: undefined,
    },
    ctx,
  );
}

const isForced = (slot: Force, offered: UpstreamAction): boolean =>
  slot.names.has(offered.originalName) && slot.game.actions.get(offered.originalName)?.upstreamAction === offered;

/** To whom an action goes that no force asked for: all who are here; those away only if nobody is. */
function recipientsOf(offered: UpstreamAction): GameAction[] {
  const here: GameAction[] = [];
  const away: GameAction[] = [];
  for (const owned of offered.owners.values()) {
    if (isLive(owned)) (owned.game.peer === undefined ? away : here).push(owned);
  }
  const owners = here.length > 0 ? here : away;
  const isFirstOnly = owners[0]?.game.service.settings.actions.broadcast === "first-owner";
  return isFirstOnly ? owners.slice(0, 1) : owners;
}

/** Nobody has the action any more: it is not delivered, for there are games that end when they hear of it. */
function answerGone(upstream: Upstream, action: Action, ctx: StepContext): void {
  const wasOurs = upstream.actions.has(action.name) || upstream.forces.retiredNames.has(action.name);
  if (!wasOurs) {
    const isForOthers = upstream.service.settings.actions.broadcast_backend;
    return isForOthers ? undefined : refuseAction(upstream, action, { why: `Unknown action: ${action.name}`, ctx });
  }
  const why = whyGone(upstream.actions.get(action.name));
  if (!isOfEndedForce(upstream, action.name, ctx.now)) return refuseAction(upstream, action, { why: `${why}.`, ctx });
  refuseAction(upstream, action, { why: `${why}, and it does not have to be tried again.`, ctx, success: true });
}

function whyGone(offered: UpstreamAction | undefined): string {
  for (const { game } of offered?.owners.values() ?? []) if (game.isHeld && game.isActive) return whyHeld(game);
  return "This action is no longer available";
}

/** What Neuro is told of an action of a game that is held. */
export const whyHeld = ({ service: state, name }: Game): string =>
  state.controls.stopped ? "A person has stopped all actions" : `A person has paused ${name}`;

function refuseAction(
  upstream: Upstream,
  { id, name }: Action,
  how: { why: string; ctx: StepContext; success?: boolean },
): void {
  const { why: message, ctx, success = false } = how;
  toNeuro(upstream, { command: "action/result", id, success, message }, ctx);
  const origin = upstream.actions.has(name) ? "relay" : "unknown";
  ctx.observe({ is: "action_result", id: ctx.id(), name, from: "relay", success, message, ms: 0, origin });
}
