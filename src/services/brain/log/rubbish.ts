/** Keys that are to be deleted: a few at a time, so that the end of a long log is no burst of work. */
import type { Key } from "../../../core/ids.ts";
import { DELETES_PER_SWEEP } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Brain } from "../brain.ts";

const SWEEP_MS = 100;

/** Has keys deleted soon. */
export function discard(brain: Brain, ctx: Pick<StepContext, "now">, keys: readonly Key[]): void {
  for (const each of keys) brain.rubbish.push(each);
  if (brain.rubbish.length > 0) brain.sweepAt ??= ctx.now + SWEEP_MS;
}

/** Deletes the next few. */
export function sweep(brain: Brain, ctx: StepContext): void {
  if (brain.sweepAt === undefined || brain.sweepAt > ctx.now) return;
  for (const each of brain.rubbish.splice(0, DELETES_PER_SWEEP)) ctx.emit({ do: "delete", key: each });
  brain.sweepAt = brain.rubbish.length > 0 ? ctx.now + SWEEP_MS : undefined;
}
