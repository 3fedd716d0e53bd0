/**
 * Actions of Neuro that wait until a person lets them go.
 *
 * Who does not decide in time has decided: at the deadline the action fails. So that its integration is left some time to answer,
 * nothing is let go in the last moment before it. An action that waited already goes on waiting when approvals are no longer wanted.
 *
 * Invariants: A1 what is not approved never reaches its integration; A2 Neuro gets exactly one result, whatever is decided and when.
 */
import type { Json } from "../../../core/json.ts";
import type { Millis } from "../../../core/ids.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import type { NeuroState, PendingAction } from "../state.ts";
import { approveAction, rejectAction } from "../pending/pending.ts";

/** What an integration is left at least to answer; a tenth where the whole time is short. */
const ANSWER_TIME_MIN_MS: Millis = 1_000;

export interface Decision {
  readonly pending: string;
  readonly approve: boolean;
  readonly message?: string;
}

/** A person decides about an action. */
export function decide(state: NeuroState, { pending: id, approve, message }: Decision, ctx: StepContext): Result<Json> {
  const pending = pendingAt(state, id);
  if (pending === undefined) return failed("notFound", "no such action is pending");
  const { deadline, startedAt } = pending;
  if (!pending.deliveries.some(({ state }) => state === "approval")) {
    return failed("notNow", "this action does not wait for an approval");
  }
  if (!approve) {
    rejectAction(pending, message ?? "A person has rejected this action.", ctx);
    return ok({ status: "rejected" });
  }
  if (deadline - ctx.now < Math.min(ANSWER_TIME_MIN_MS, (deadline - startedAt) / 10)) {
    return failed("notNow", "it is too late: there is no time left for an answer");
  }
  approveAction(pending, ctx);
  return ok({ status: "approved" });
}

/** The action of that id, as long as it is pending. */
export function pendingAt(state: NeuroState, id: string): PendingAction | undefined {
  for (const { pendingActions } of state.upstreams.values()) {
    const pending = pendingActions.byId.get(id);
    if (pending !== undefined) return pending;
  }
  return undefined;
}
