import type { Effect } from "./effect.ts";
import type { ServiceName } from "./service.ts";
import type { ServiceMessage } from "./service-message.ts";
import type { Millis } from "./ids.ts";
import type { Observation, ObservationName, ResultOrigin } from "./observation.ts";
import type { MessageDirection } from "./message-counter.ts";

/** The only clock and the only source of randomness of a service. Valid for one step. */
export interface StepClock {
  /** Constant within one step. */
  readonly now: Millis;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** A new internal id `<epoch>-<n>`: unique, ordered, never reused, and not a secret. */
  id(): string;
  /** A new id that cannot be guessed, for sessions and tokens. */
  secret(): string;
}

/**
 * The context of one step: its clock, and the sink for its effects, messages and observations.
 *
 * Effects are executed in the order in which they are emitted. So no function has to return and join lists of effects, and the path
 * of a message allocates nothing for them.
 */
export interface StepContext extends StepClock {
  emit(effect: Effect): void;
  /** Sends a message to another service; it is delivered within the same step. */
  post(service: ServiceName, message: ServiceMessage): void;
  /** True if the service would do nothing with a message of this kind now. Missing where every message is posted. */
  isIgnored?(service: ServiceName, name: ServiceMessage["is"]): boolean;
  observe(observation: Observation): void;
  /**
   * Counts an observation that nothing reads now, and returns true; false if something reads it, so that it has to be observed. Missing
   * where everything is read. Why: every action and every context makes observations that only watchers and the log read.
   */
  countUnread?(name: ObservationName): boolean;
  /**
   * Counts the result of an action for the metrics: the integration that it came from, who decided it, and how long it took. Missing where
   * there are no metrics. Why not by its observation: that would be made for every action, although seldom anything else reads it.
   */
  countResult?(from: string, origin: ResultOrigin, success: boolean, ms: Millis): void;
  /** Counts a message of this kind, one of the relay's own words, for the metrics. No decision depends on it. */
  count(who: string, way: MessageDirection, kind: string): void;
}
