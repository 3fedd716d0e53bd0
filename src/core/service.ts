import type { Entry, ResumedPeer, ServiceEvent } from "./event.ts";
import type { Millis } from "./ids.ts";
import type { Settings } from "./settings.ts";
import type { StepContext } from "./context.ts";

/** The rooms that there can be. */
export type ServiceName = "intermediary" | "neuro" | "nallely" | "brain" | "proxy";

/** What every room shows at its door (`mod.ts`); nothing else of it can be imported. */
export interface Service<State> {
  readonly name: ServiceName;
  /** Key prefixes whose values are read before `restore`; of other keys of the room only the key is given. */
  readonly resident: readonly string[];
  /** A room as it is at the start of a process or after a panic: the inverse of its `put` effects. */
  restore(settings: Settings, input: RestoreInput): State;
  /** One event, handled to its end. Throws only for our own mistakes. */
  step(state: State, event: ServiceEvent, ctx: StepContext): void;
  /** The earliest deadline that the room owns; asked after every step, so it must cost next to nothing. */
  nextWakeup(state: State): Millis | undefined;
}

/** What a room finds when it is made: what it stored, and who is connected already (after sleep or a panic). */
export interface RestoreInput {
  readonly entries: readonly Entry[];
  readonly resumed: readonly ResumedPeer[];
  /** The relay only slept: nothing happened that the survivors could have missed. */
  readonly hasSlept?: boolean;
  readonly now: Millis;
}
