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
import { choose } from "../standalone/decider.ts";
import type { Force, Neuro, Owned, Upstream } from "../state.ts";
import { veto } from "../forces/forces.ts";
import { act } from "../pending/calls.ts";
import { begin, release } from "../pending/pending.ts";
import { readyTo } from "./orders.ts";

export interface Answer {
  readonly requestId: RequestId;
  readonly by: string;
  readonly force: string;
  readonly name: string;
  readonly data: string | undefined;
}

/** Answers a force; the call is answered when the result is there. */
export function answerForce(room: Neuro, answer: Answer, ctx: StepContext): Result<Json | undefined> {
  const { requestId, name } = answer;
  const force = forceAt(room, answer.force);
  if (force === undefined) return failed("notFound", "no such force is open or waits");
  if (!force.message.names.includes(name)) return failed("badMessage", `this force does not ask for ${name.slice(0, 64)}`);
  if (force.hasSucceeded) return failed("notNow", "this force has been answered");
  if (force.owed > 0) return failed("notNow", "this force is being answered");
  const ready = readyTo(force.game, answer);
  if (!ready.ok) return ready;
  const { owned, data } = ready.value;
  const { upstream } = force.game;
  if (upstream.forces.slot === force && upstream.decider?.force !== undefined) {
    return chooseFor(upstream, { ...answer, owned, data }, ctx);
  }
  force.isByHand = true;
  begin({ theirId: "", epoch: 0, offered: owned.offered, data, force, owners: [owned], requestId }, ctx);
  return ok(undefined);
}

/** Takes a force back. */
export function vetoForce(room: Neuro, id: string, ctx: StepContext): Result<Json> {
  const force = forceAt(room, id);
  if (force === undefined) return failed("notFound", "no such force is open or waits");
  if (force.hasSucceeded) return failed("notNow", "this force has been answered");
  veto(force, ctx);
  return ok({ status: "vetoed" });
}

/** A choice for the force that the relay, in Neuro's place, is about to decide. It needs nobody's approval. */
function chooseFor(
  upstream: Upstream,
  { requestId, by, owned, data }: Answer & { readonly owned: Owned },
  ctx: StepContext,
): Result<Json | undefined> {
  const { decider, pendings } = upstream;
  const chosen = decider === undefined
    ? []
    : choose(decider, { from: by, name: owned.offered.name, data: data ?? "" }, ctx);
  for (const message of chosen) {
    if (message.command !== "action") continue;
    act(upstream, message, ctx);
    const pending = pendings.byTheirId.get(message.id);
    if (pending === undefined) continue;
    pending.requestId = requestId;
    release(pending, ctx);
    return ok(undefined);
  }
  return failed("notNow", "this force cannot be answered like this now");
}

/** The force of that id, while it is open or waits. */
export function forceAt(room: Neuro, id: string): Force | undefined {
  for (const { forces: { slot, waiting } } of room.upstreams.values()) {
    if (slot?.id === id) return slot;
    for (const force of waiting.values()) if (force.id === id) return force;
  }
  return undefined;
}
