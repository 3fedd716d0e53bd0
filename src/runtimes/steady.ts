/** Time that does not go back, whatever is done to the machine's clock while the relay runs. */
import type { Millis } from "../core/ids.ts";

/**
 * The same clock, but for what is set back: then time goes on from where it was, as fast as ever, so that every deadline comes in
 * its time. What is set forward is believed, for it may be that the machine slept.
 */
export function steady(read: () => Millis): () => Millis {
  let ahead = 0;
  let last = -Infinity;
  return () => {
    const now = read() + ahead;
    if (now >= last) return last = now;
    ahead += last - now;
    return last;
  };
}
