/**
 * Neuro's actions that wait for a person's approval.
 *
 * An action that was not approved fails at its deadline. In the last second before the deadline nothing can be approved, so that the
 * integration has time to answer. A waiting action still needs approval after the requirement was turned off.
 *
 * Invariants: A1 an action that is not approved never reaches its integration; A2 Neuro gets exactly one result, whatever is decided
 * and when.
 */
import type { Json } from "../../../core/json.ts";
import type { Millis } from "../../../core/ids.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import { checkData, compileSchema } from "../codec/validate-data.ts";
import type { NeuroState, PendingAction } from "../state.ts";
import { approveAction, editAction, rejectAction } from "../pending/pending.ts";
import { pendingById } from "../pending/pending-actions.ts";

/** Time that an integration has to answer at least; a tenth of the whole time if that is shorter. */
const ANSWER_TIME_MIN_MS: Millis = 1_000;

export interface ApprovalDecision {
  readonly pending: string;
  readonly approve: boolean;
  readonly message?: string;
  /** In place of Neuro's data, as JSON text. */
  readonly data?: string;
}

/** A person approves or rejects an action. */
export function decide(
  state: NeuroState,
  { pending: id, approve, message, data }: ApprovalDecision,
  ctx: StepContext,
): Result<Json> {
  const pending = pendingAt(state, id);
  if (pending === undefined) {
    return failed("notFound", `no pending action has the id ${id.slice(0, 64)}; it may have ended`);
  }
  const { deadline, startedAt } = pending;
  if (!pending.deliveries.some(({ state }) => state === "approval")) {
    return failed("notNow", "this action does not wait for approval");
  }
  if (!approve) {
    rejectAction(pending, message ?? "A person has rejected this action.", ctx);
    return ok({ status: "rejected" });
  }
  if (deadline - ctx.now < Math.min(ANSWER_TIME_MIN_MS, (deadline - startedAt) / 10)) {
    return failed("notNow", `too late to approve: the deadline is in ${deadline - ctx.now} ms`);
  }
  if (data !== undefined) {
    const edited = edit(pending, data);
    if (!edited.ok) return edited;
  }
  approveAction(pending, ctx);
  return ok({ status: "approved" });
}

/** Replaces the data of an action, if that fits its schema and no integration has got the action. */
function edit(pending: PendingAction, given: string): Result<undefined> {
  const { schema, deliveries, action: { originalName } } = pending;
  if (deliveries.some(({ state }) => state !== "approval")) {
    return failed("notNow", "another integration has got this action already, so its data cannot be changed");
  }
  const text = given.trim();
  if (schema === undefined) {
    if (text !== "" && text !== "{}") return failed("badMessage", `${originalName} takes no data; leave it empty`);
    editAction(pending, undefined);
    return ok(undefined);
  }
  const data = checkData(compileSchema(schema), text);
  if (!data.ok) return data;
  editAction(pending, data.value);
  return ok(undefined);
}

/** The pending action with this id. */
export function pendingAt(state: NeuroState, id: string): PendingAction | undefined {
  for (const { pendingActions } of state.upstreams.values()) {
    const pending = pendingById(pendingActions, id);
    if (pending !== undefined) return pending;
  }
  return undefined;
}
