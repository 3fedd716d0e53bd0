/**
 * Forces in a person's hands: answered in Neuro's place, or taken back.
 *
 * Where the relay plays Neuro, an answer to the force that is open is a choice like any other, and what comes of it is hers too. Else
 * the action goes to the game alone; once that is a success Neuro loses the force, as when it is taken back.
 *
 * Invariants: F1 a force is answered by one at a time, Neuro or a person; F2 what Neuro says to a force that a person has ended is
 * not done.
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
import { approveAction, startAction } from "../pending/pending.ts";
import { checkAction } from "./send-action.ts";

export interface Answer {
  readonly requestId: RequestId;
  readonly by: string;
  readonly force: string;
  readonly name: string;
  readonly data: string | undefined;
}

/** Answers a force; the call is answered when the result is there. */
export function answerForce(state: NeuroState, answer: Answer, ctx: StepContext): Result<Json | undefined> {
  const { requestId, name } = answer;
  const force = forceAt(state, answer.force);
  if (force === undefined) return failed("notFound", "no such force is open or waits");
  if (!force.message.names.includes(name)) return failed("badMessage", `this force does not ask for ${name.slice(0, 64)}`);
  if (isDone(force.state)) return failed("notNow", "this force has been answered");
  if (hasOutstanding(force.state)) return failed("notNow", "this force is being answered");
  const ready = checkAction(force.game, answer);
  if (!ready.ok) return ready;
  const { owned, data } = ready.value;
  const { upstream } = force.game;
  if (upstream.forces.current === force && upstream.decider?.force !== undefined) {
    return chooseFor(upstream, { ...answer, owned, data }, ctx);
  }
  const origin = { is: "person" as const, request: requestId };
  startAction({ origin, action: owned.upstreamAction, data, force, recipients: [owned] }, ctx);
  return ok(undefined);
}

/** Takes a force back. */
export function cancelForce(state: NeuroState, id: string, ctx: StepContext): Result<Json> {
  const force = forceAt(state, id);
  if (force === undefined) return failed("notFound", "no such force is open or waits");
  if (isDone(force.state)) return failed("notNow", "this force has been answered");
  vetoForce(force, ctx);
  return ok({ status: "vetoed" });
}

/** A choice for the force that the relay, in Neuro's place, is about to decide. It needs nobody's approval. */
function chooseFor(
  upstream: Upstream,
  { requestId, by, owned, data }: Answer & { readonly owned: GameAction },
  ctx: StepContext,
): Result<Json | undefined> {
  const { decider, pendingActions } = upstream;
  const chosen = decider === undefined
    ? []
    : chooseAction(decider, { from: by, name: owned.upstreamAction.name, data: data ?? "" }, ctx);
  for (const message of chosen) {
    if (message.command !== "action") continue;
    dispatchAction(upstream, message, ctx);
    const pending = pendingActions.byUpstreamId.get(message.id);
    if (pending === undefined) continue;
    pending.chosenBy = requestId;
    approveAction(pending, ctx);
    return ok(undefined);
  }
  return failed("notNow", "this force cannot be answered like this now");
}

/** The force of that id, while it is open or waits. */
export function forceAt(state: NeuroState, id: string): Force | undefined {
  for (const { forces: { current, waiting } } of state.upstreams.values()) {
    if (current?.id === id) return current;
    for (const force of waiting.values()) if (force.id === id) return force;
  }
  return undefined;
}
