/** Keys that are to be deleted: a few at a time, so that the end of a long log is no burst of work. */
import type { Key } from "../../core/ids.ts";
import { DELETES_PER_SWEEP } from "../../core/limits.ts";
import type { Turn } from "../../core/turn.ts";
import type { Brain } from "../brain.ts";

const SWEEP_MS = 100;

/** Has keys deleted soon. */
export function discard(brain: Brain, turn: Pick<Turn, "now">, keys: readonly Key[]): void {
  for (const each of keys) brain.rubbish.push(each);
  if (brain.rubbish.length > 0) brain.sweepAt ??= turn.now + SWEEP_MS;
}

/** Deletes the next few. */
export function sweep(brain: Brain, turn: Turn): void {
  if (brain.sweepAt === undefined || brain.sweepAt > turn.now) return;
  for (const each of brain.rubbish.splice(0, DELETES_PER_SWEEP)) turn.put({ do: "delete", key: each });
  brain.sweepAt = brain.rubbish.length > 0 ? turn.now + SWEEP_MS : undefined;
}
