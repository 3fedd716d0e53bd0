import type { Effect } from "./effect.ts";
import type { Millis } from "./ids.ts";
import type { Note } from "./note.ts";
import type { Way } from "./tally.ts";

/** The only clock and the only chance that a machine has: given to one step, gone after it. */
export interface Moment {
  /** Read once per step. */
  readonly now: Millis;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** A new internal id, `<epoch>-<n>`: unique, ordered, never reused, not a secret. */
  id(): string;
  /** A new id that nobody can guess, for sessions and tokens. */
  secret(): string;
}

/**
 * One step of a machine: its moment, and where it puts what it wants done.
 *
 * Effects leave in the order in which they are put, so no function has to return, join and re-order lists of them, and the
 * path of a message allocates nothing for them.
 */
export interface Turn extends Moment {
  put(effect: Effect): void;
  note(note: Note): void;
  /** A message of this kind, in a word of ours, came from or goes to such a peer. Nothing that is decided depends on it. */
  count(who: string, way: Way, kind: string): void;
}
