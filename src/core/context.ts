import type { Effect } from "./effect.ts";
import type { ServiceName } from "./service.ts";
import type { ServiceMessage } from "./service-message.ts";
import type { Millis } from "./ids.ts";
import type { Observation } from "./observation.ts";
import type { Direction } from "./message-counter.ts";

/** The only clock and the only chance that a machine has: given to one step, gone after it. */
export interface StepClock {
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
export interface StepContext extends StepClock {
  emit(effect: Effect): void;
  /** Sends a message to another service; it is delivered within the same step. */
  post(service: ServiceName, message: ServiceMessage): void;
  observe(observation: Observation): void;
  /** A message of this kind, in a word of ours, came from or goes to such a peer. Nothing that is decided depends on it. */
  count(who: string, way: Direction, kind: string): void;
}
