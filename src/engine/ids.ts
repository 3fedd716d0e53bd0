/**
 * Where ids come from: an epoch that is taken once per process, and a counter.
 *
 * The epoch is stored before the first id is given out, as a new key, so that no id is ever used twice, not even when the
 * clock is set back between two runs.
 */
import { key, segmentAt, sequence } from "../core/key.ts";
import type { Millis } from "../core/ids.ts";
import type { Store } from "./ports.ts";

const EPOCHS = key("meta", "epoch");

/** The epoch of this run: the time, or one more than the last epoch where that is later. */
export async function takeEpoch(store: Store, now: Millis): Promise<number> {
  const earlier = await store.keys(EPOCHS);
  const last = earlier.map((taken) => Number(segmentAt(taken, 2))).filter(Number.isSafeInteger).sort((a, b) => a - b).pop();
  const epoch = Math.max(now, (last ?? 0) + 1);
  await store.put(key("meta", "epoch", sequence(epoch)), { v: 1, epoch });
  // Why: an old epoch that stays does no harm, the greatest one counts; it is deleted at the next start.
  await Promise.allSettled(earlier.map((taken) => store.delete(taken)));
  return epoch;
}

/** The counter begins where it has all its ten digits: padding each id would cost more than the rest of making it. */
const FIRST = 1_000_000_000;

/** Ids `<epoch>-<counter>` of fixed width: they sort as they were made. */
export function countFrom(epoch: number): () => string {
  const prefix = `${String(epoch).padStart(13, "0")}-`;
  let count = FIRST;
  return () => prefix + count++;
}
