/**
 * What Neuro wants done: by whom, or why it cannot be done.
 *
 * Invariants: L1 an action reaches only who has it registered and is not held; L2 what is refused is answered at once, and as a
 * success where Neuro would else try for ever.
 */
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { toNeuro } from "../speech.ts";
import type { Force, Game, Offered, Owned, Upstream } from "../state.ts";
import { isLive } from "../actions/actions.ts";
import { endsRetry } from "../forces/forces.ts";
import { begin } from "./pending.ts";

type Action = NeuroMessage & { readonly command: "action" };

/** Neuro acts. */
export function act(upstream: Upstream, action: Action, ctx: StepContext): void {
  if (upstream.pendings.byTheirId.has(action.id)) return; // Why: the same id is the same action, said again.
  const offered = upstream.offered.get(action.name);
  if (upstream.room.drainUntil !== undefined) return refuse(upstream, action, { why: "The relay restarts.", ctx });
  if (offered === undefined || !offered.isSent) return actOnGone(upstream, action, ctx);
  const { slot } = upstream.forces;
  const force = slot !== undefined && isForced(slot, offered) ? slot : undefined;
  if (force?.isByHand === true) return refuse(upstream, action, { why: "A person is answering this force.", ctx });
  if (force?.verdict !== undefined) {
    const why = "A person has settled this force, and it does not have to be tried again.";
    return refuse(upstream, action, { why, ctx, success: true });
  }
  const owners = force === undefined ? ownersOf(offered) : [force.game.actions.get(offered.original) as Owned];
  if (owners.length === 0) return refuse(upstream, action, { why: "This action is just being registered anew.", ctx });
  begin(
    { theirId: action.id, epoch: upstream.epoch, offered, data: action.data, force, owners, requestId: undefined },
    ctx,
  );
}

const isForced = (slot: Force, offered: Offered): boolean =>
  slot.names.has(offered.original) && slot.game.actions.get(offered.original)?.offered === offered;

/** To whom an action goes that no force asked for: all who are here; those away only if nobody is. */
function ownersOf(offered: Offered): Owned[] {
  const here: Owned[] = [];
  const away: Owned[] = [];
  for (const owned of offered.owners.values()) {
    if (isLive(owned)) (owned.game.peer === undefined ? away : here).push(owned);
  }
  const owners = here.length > 0 ? here : away;
  const isFirstOnly = owners[0]?.game.room.settings.actions.broadcast === "first-owner";
  return isFirstOnly ? owners.slice(0, 1) : owners;
}

/** Nobody has the action any more: it is not delivered, for there are games that end when they hear of it. */
function actOnGone(upstream: Upstream, action: Action, ctx: StepContext): void {
  const wasOurs = upstream.offered.has(action.name) || upstream.forces.ended.has(action.name);
  if (!wasOurs) {
    const isForOthers = upstream.room.settings.actions.broadcast_backend;
    return isForOthers ? undefined : refuse(upstream, action, { why: `Unknown action: ${action.name}`, ctx });
  }
  const why = whyGone(upstream.offered.get(action.name));
  if (!endsRetry(upstream, action.name, ctx.now)) return refuse(upstream, action, { why: `${why}.`, ctx });
  refuse(upstream, action, { why: `${why}, and it does not have to be tried again.`, ctx, success: true });
}

function whyGone(offered: Offered | undefined): string {
  for (const { game } of offered?.owners.values() ?? []) if (game.isHeld && game.isAround) return whyHeld(game);
  return "This action is no longer available";
}

/** What Neuro is told of an action of a game that is held. */
export const whyHeld = ({ room, name }: Game): string =>
  room.controls.stopped ? "A person has stopped all actions" : `A person has paused ${name}`;

function refuse(upstream: Upstream, { id, name }: Action, how: { why: string; ctx: StepContext; success?: boolean }): void {
  const { why: message, ctx, success = false } = how;
  toNeuro(upstream, { command: "action/result", id, success, message }, ctx);
  const origin = upstream.offered.has(name) ? "relay" : "unknown";
  ctx.observe({ is: "action_result", id: ctx.id(), name, from: "relay", success, message, ms: 0, origin });
}
