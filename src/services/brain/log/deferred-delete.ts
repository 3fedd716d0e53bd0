/** Keys that are to be deleted: a few at a time, so that the end of a long log is no burst of work. */
import type { Key } from "../../../core/ids.ts";
import { DELETES_PER_BATCH } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";

const DELETE_INTERVAL_MS = 100;

/** Has keys deleted soon. */
export function deleteLater(brain: BrainState, ctx: Pick<StepContext, "now">, keys: readonly Key[]): void {
  for (const each of keys) brain.garbage.push(each);
  if (brain.garbage.length > 0) brain.deleteAt ??= ctx.now + DELETE_INTERVAL_MS;
}

/** Deletes the next few. */
export function deleteDue(brain: BrainState, ctx: StepContext): void {
  if (brain.deleteAt === undefined || brain.deleteAt > ctx.now) return;
  for (const each of brain.garbage.splice(0, DELETES_PER_BATCH)) ctx.emit({ do: "delete", key: each });
  brain.deleteAt = brain.garbage.length > 0 ? ctx.now + DELETE_INTERVAL_MS : undefined;
}
