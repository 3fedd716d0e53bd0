/**
 * Ids are made of an epoch, taken once per process, and a counter.
 *
 * The epoch is stored under a new key before the first id is used, so no id is used twice, even if the clock is set back between
 * two runs.
 */
import { key, segmentAt, sequence } from "../core/key.ts";
import type { Millis } from "../core/ids.ts";
import type { Store } from "./ports.ts";

const EPOCHS = key("meta", "epoch");

/** The epoch of this run: the current time, or the last epoch plus one if that is later. */
export async function takeEpoch(store: Store, now: Millis): Promise<number> {
  const earlier = await store.keys(EPOCHS);
  const last = earlier.map((taken) => Number(segmentAt(taken, 2))).filter(Number.isSafeInteger).sort((a, b) => a - b).pop();
  const epoch = Math.max(now, (last ?? 0) + 1);
  await store.put(key("meta", "epoch", sequence(epoch)), { v: 1, epoch });
  // Why failures are ignored: only the greatest epoch counts, and an old one that remains is deleted at the next start.
  await Promise.allSettled(earlier.map((taken) => store.delete(taken)));
  return epoch;
}

/** The counter starts with ten digits, so that ids have a fixed width. */
const FIRST_THOUSAND = 1_000_000;
/** The last three digits of the counter. Why a table: writing a number costs more than everything else about an id. */
const LAST_DIGITS: readonly string[] = Array.from({ length: 1_000 }, (_, count) => String(count).padStart(3, "0"));

/** Ids `<epoch>-<counter>` of fixed width, which sort in the order of their creation. */
export function countFrom(epoch: number): () => string {
  const prefix = `${String(epoch).padStart(13, "0")}-`;
  let thousand = FIRST_THOUSAND;
  let head = prefix + thousand;
  let count = 0;
  return () => {
    if (count === LAST_DIGITS.length) {
      head = prefix + ++thousand;
      count = 0;
    }
    return head + LAST_DIGITS[count++];
  };
}
