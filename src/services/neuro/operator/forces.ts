/**
 * Forces that a person answers instead of Neuro, or cancels.
 *
 * For the built-in Neuro an answer to the current force is a choice like any other, and she gets the result, too. For a real one the
 * action goes to the game alone, and after a success Neuro loses the force, as she does when it is cancelled.
 *
 * Invariants: F1 either Neuro or a person answers a force, never both at once; F2 an action of Neuro for a force that a person has ended
 * is not done.
 */
import type { RequestId } from "../../../core/ids.ts";
import type { Json } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import { chooseAction } from "../standalone/decider.ts";
import type { Force, GameAction, NeuroState, Upstream } from "../state.ts";
import { vetoForce } from "../forces/forces.ts";
import { hasOutstanding, isDone } from "../forces/transition.ts";
import { dispatchAction } from "../pending/dispatch-action.ts";
import { approveAction, newDelivery, startAction } from "../pending/pending.ts";
import { checkAction } from "./send-action.ts";

export interface Answer {
  readonly requestId: RequestId;
  readonly by: string;
  readonly force: string;
  readonly name: string;
  readonly data: string | undefined;
}

/** Answers a force. The request is answered with the result of the action. */
export function answerForce(state: NeuroState, answer: Answer, ctx: StepContext): Result<Json | undefined> {
  const { requestId, by, name } = answer;
  const force = forceAt(state, answer.force);
  if (force === undefined) {
    return failed("notFound", `no open or waiting force has the id ${answer.force.slice(0, 64)}; it may have ended`);
  }
  if (!force.message.names.includes(name)) {
    return failed(
      "badMessage",
      `this force does not offer ${name.slice(0, 64)}; it offers ${force.message.names.join(", ").slice(0, 200)}`,
    );
  }
  if (isDone(force.state)) return failed("notNow", "this force has been answered already");
  if (hasOutstanding(force.state)) return failed("notNow", "an answer to this force is on its way; wait for its result");
  const ready = checkAction(force.game, answer);
  if (!ready.ok) return ready;
  const { gameAction, data } = ready.value;
  const { upstream } = force.game;
  if (upstream.forces.current === force && upstream.decider?.force !== undefined) {
    return chooseFor(upstream, { ...answer, gameAction, data }, ctx);
  }
  const origin = { is: "person" as const, request: requestId, by };
  startAction({ origin, action: gameAction.upstreamAction, data, force, deliveries: [newDelivery(gameAction)] }, ctx);
  return ok(undefined);
}

/** Cancels a force. */
export function cancelForce(state: NeuroState, id: string, ctx: StepContext): Result<Json> {
  const force = forceAt(state, id);
  if (force === undefined) {
    return failed("notFound", `no open or waiting force has the id ${id.slice(0, 64)}; it may have ended`);
  }
  if (isDone(force.state)) return failed("notNow", "this force has been answered already");
  vetoForce(force, ctx);
  return ok({ status: "vetoed" });
}

/** A choice for the force that the built-in Neuro is about to decide. It needs no approval. */
function chooseFor(
  upstream: Upstream,
  { requestId, by, gameAction, data }: Answer & { readonly gameAction: GameAction },
  ctx: StepContext,
): Result<Json | undefined> {
  const { decider, pendingActions } = upstream;
  const chosen = decider &&
    chooseAction(decider, { from: by, name: gameAction.upstreamAction.name, data: data ?? "" }, ctx);
  for (const message of chosen?.ok ? chosen.value : []) {
    if (message.command !== "action") continue;
    dispatchAction(upstream, message, ctx);
    const pending = pendingActions.byUpstreamId.get(message.id);
    if (pending === undefined) continue;
    pending.chosenBy = requestId;
    approveAction(pending, ctx);
    return ok(undefined);
  }
  return failed(
    "notNow",
    "the built-in Neuro did not accept this choice, because the force was decided meanwhile or the data is invalid",
  );
}

/** The current or waiting force with this id. */
export function forceAt(state: NeuroState, id: string): Force | undefined {
  for (const { forces: { current, waiting } } of state.upstreams.values()) {
    if (current?.id === id) return current;
    for (const force of waiting.values()) if (force.id === id) return force;
  }
  return undefined;
}
