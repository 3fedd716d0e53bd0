/** Deletes store entries in small batches, so that the end of a long log does not cause a burst of work. */
import type { StepContext } from "../../../core/context.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import { DELETES_PER_BATCH } from "../../../core/limits.ts";

/** Fires when the next batch is due. */
export type DeleteTimer = { readonly is: "deletes" };

export interface DeferredDeletes {
  readonly keys: Key[];
  /** The timers of the service. */
  readonly timers: { setEarlier(timer: DeleteTimer, at: Millis): void };
}

const BATCH_INTERVAL_MS = 100;

/** Has keys deleted with the next batches. */
export function deleteLater(deletes: DeferredDeletes, keys: readonly Key[], { now }: Pick<StepContext, "now">): void {
  for (const each of keys) deletes.keys.push(each);
  if (deletes.keys.length > 0) deletes.timers.setEarlier({ is: "deletes" }, now + BATCH_INTERVAL_MS);
}

/** Deletes the next batch, and schedules another if keys are left. */
export function deleteBatch(deletes: DeferredDeletes, ctx: StepContext): void {
  for (const each of deletes.keys.splice(0, DELETES_PER_BATCH)) ctx.emit({ do: "delete", key: each });
  deleteLater(deletes, [], ctx);
}
