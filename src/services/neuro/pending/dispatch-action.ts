/**
 * An action from Neuro: chooses the games that get it, or answers with the reason why no game does.
 *
 * Invariants: L1 an action reaches only games that have it registered and are not held; L2 an action that no game gets is answered at
 * once, and with a success where Neuro would otherwise try again without end; L3 at most `PENDING_ACTIONS_MAX` actions with
 * `limits.peer_bytes` are pending for one upstream.
 */
import type { StepContext } from "../../../core/context.ts";
import { PENDING_ACTIONS_MAX } from "../../../core/limits.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import { isLive } from "../actions/actions.ts";
import { isOfEndedForce } from "../forces/forces.ts";
import { sentForceOf } from "../forces/transition.ts";
import { RELAY, toNeuro } from "../outbound.ts";
import {
  type Delivery,
  type Force,
  type Game,
  type GameAction,
  isAdmitted,
  isConnected,
  type Upstream,
  type UpstreamAction,
} from "../state.ts";
import { gameNamed } from "../upstream/decider-host.ts";
import { traceUnregisteredAction } from "../traces/trace.ts";
import { newDelivery, pendingBytes, startAction } from "./pending.ts";
import { sendUnregistered } from "./unregistered-actions.ts";
import { pendingCount } from "./pending-actions.ts";
import type { ActionOrigin } from "./states.ts";

type ActionMessage = NeuroMessage & { readonly command: "action" };

/** An action of Neuro. */
export function dispatchAction(upstream: Upstream, message: ActionMessage, ctx: StepContext): void {
  const { id, name, data } = message;
  if (upstream.pendingActions.byUpstreamId.has(id)) return; // Why: the backend sent a pending action again.
  if (upstream.service.drain.is !== "none") return fail(upstream, message, "The relay restarts.", ctx);
  const action = upstream.actions.get(name);
  if (action === undefined && message.to !== undefined) {
    const game = gameNamed(upstream.service, message.to);
    if (game !== undefined && sendUnregistered(game, message, ctx)) return;
  }
  // Why also without owners: its unregistration may wait for more changes.
  if (action === undefined || !action.isRegistered || action.owners.size === 0) {
    return answerUnregistered(upstream, message, ctx);
  }
  const { current } = upstream.forces;
  const force = current !== undefined && isForced(current, action) ? current : undefined;
  if (force?.state.is === "revoked") {
    return succeed(upstream, message, "A person has settled this force, and it does not have to be tried again.", ctx);
  }
  if (force?.state.is === "answering" && force.state.by === "person") {
    return fail(upstream, message, "A person is answering this force.", ctx);
  }
  const origin: ActionOrigin = { is: "neuro", link: upstream.linkNumber, id };
  const refusal = pendingRefusal(upstream, pendingBytes(origin, data, action.owners.size));
  if (refusal !== undefined) return fail(upstream, message, refusal, ctx);
  const deliveries = force === undefined
    ? deliveriesOf(action)
    : [newDelivery(force.game.actions.get(action.originalName) as GameAction)];
  if (deliveries.length === 0) return fail(upstream, message, "This action is being registered again.", ctx);
  startAction({ origin, action, data, force, deliveries }, ctx);
}

/** Games answer at their own pace, so the actions that a backend may have pending are limited. */
function pendingRefusal({ pendingActions, service }: Upstream, bytes: number): string | undefined {
  const wait = "Too many actions wait for their results; wait for some of them";
  const count = pendingCount(pendingActions);
  if (count >= PENDING_ACTIONS_MAX) return `${wait} (${count} of ${PENDING_ACTIONS_MAX}).`;
  const refusal = pendingActions.retained.refusal(bytes, service.settings.limits);
  return refusal === undefined ? undefined : `${wait} (${refusal.reason}).`;
}

const isForced = ({ game, state }: Force, action: UpstreamAction): boolean =>
  sentForceOf(state)?.names.has(action.originalName) === true &&
  game.actions.get(action.originalName)?.upstreamAction === action;

/** The deliveries of an action without a force: to the connected games that have it, or else to the games that are away. */
function deliveriesOf(action: UpstreamAction): readonly Delivery[] {
  const only = action.owners.only();
  if (only !== undefined) return isLive(only) ? [newDelivery(only)] : [];
  const live = [...action.owners.values()].filter(isLive);
  const connected = live.filter(({ game }) => isConnected(game));
  const recipients = connected.length > 0 ? connected : live;
  const isFirstOnly = recipients[0]?.game.service.settings.actions.broadcast === "first-owner";
  return (isFirstOnly ? recipients.slice(0, 1) : recipients).map(newDelivery);
}

/** No game has the action registered. It is not delivered, because some clients end when they get an action that they do not know. */
function answerUnregistered(upstream: Upstream, message: ActionMessage, ctx: StepContext): void {
  const { name } = message;
  const wasOurs = upstream.actions.has(name) || upstream.forces.retiredNames.has(name);
  if (!wasOurs) {
    if (upstream.service.settings.actions.broadcast_backend) return; // Why: it is for another integration of this backend.
    return fail(upstream, message, `Unknown action: ${name}`, ctx);
  }
  const why = whyUnregistered(upstream.actions.get(name));
  if (!isOfEndedForce(upstream, name, ctx.now)) return fail(upstream, message, `${why}.`, ctx);
  succeed(upstream, message, `${why}, and it does not have to be tried again.`, ctx);
}

function whyUnregistered(action: UpstreamAction | undefined): string {
  for (const { game } of action?.owners.values() ?? []) {
    if (game.isHeld && game.presence.is !== "away") return whyHeld(game);
  }
  return "This action is no longer available";
}

/** The result that Neuro gets for an action of a held game. */
export function whyHeld(game: Game): string {
  if (game.service.controls.stopped) return "A person has stopped all actions";
  return isAdmitted(game) ? `A person has paused ${game.name}` : `No person has approved ${game.name}`;
}

const fail = (upstream: Upstream, message: ActionMessage, why: string, ctx: StepContext): void =>
  answer(upstream, message, { success: false, message: why }, ctx);

const succeed = (upstream: Upstream, message: ActionMessage, why: string, ctx: StepContext): void =>
  answer(upstream, message, { success: true, message: why }, ctx);

function answer(
  upstream: Upstream,
  { id: neuroId, name, data }: ActionMessage,
  { success, message }: { readonly success: boolean; readonly message: string },
  ctx: StepContext,
): void {
  const id = ctx.id();
  const isReported = toNeuro(upstream, { command: "action/result", id: neuroId, success, message }, RELAY, ctx);
  const origin = upstream.actions.has(name) ? "relay" : "unknown";
  ctx.countResult?.("relay", origin, success, 0);
  ctx.observe({ is: "action_result", id, name, from: "relay", success, message, ms: 0, origin });
  traceUnregisteredAction(upstream, { id, neuroId, name, data, success, message, isReported, by: origin }, ctx);
}
