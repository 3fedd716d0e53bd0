/**
 * One room and its state, guarded: a panic in it costs the event that caused it, and nobody else anything.
 *
 * Invariant: a room that is `down` gets no event; what comes for it waits, bounded, until it is made anew.
 */
import type { ServiceEvent } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { EVENTS_WAITING_FOR_SERVICE_MAX } from "../core/limits.ts";
import type { RestoreInput, Service, ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

/** A room as the relay holds it, whatever its state is. */
export interface SupervisedService {
  readonly name: ServiceName;
  readonly resident: readonly string[];
  /** Throws what the room throws; the room is then down. Returns false when the event could not even wait. */
  step(event: ServiceEvent, ctx: StepContext): boolean;
  nextWakeup(): Millis | undefined;
  /**
   * Makes the room anew and returns the events that waited. Who came in meanwhile is not among its survivors: their `opened` is
   * among the events. Throws what the room throws; the room is then still down.
   */
  restore(settings: Settings, input: RestoreInput): readonly ServiceEvent[];
}

/** Hides the type of the room's state, so that the relay can hold rooms of any kind in one list. */
export function supervise<State>(room: Service<State>): SupervisedService {
  let state: State | undefined;
  let waiting: ServiceEvent[] = [];
  /** As of the last step; asked for again only when there was one. */
  let wakeup: Millis | undefined;
  let isStepped = false;
  return {
    name: room.name,
    resident: room.resident,
    step(event, ctx) {
      if (state === undefined) return waiting.length < EVENTS_WAITING_FOR_SERVICE_MAX && waiting.push(event) > 0;
      const current = state;
      state = undefined; // Why: whatever throws below leaves the room down.
      isStepped = true;
      room.step(current, event, ctx);
      state = current;
      return true;
    },
    nextWakeup() {
      if (isStepped) wakeup = state === undefined ? undefined : room.nextWakeup(state);
      isStepped = false;
      return wakeup;
    },
    restore(settings, input) {
      const arriving = new Set(waiting.map((event) => (event.is === "opened" ? event.peer : undefined)));
      const resumed = input.resumed.filter(({ peer }) => !arriving.has(peer));
      state = room.restore(settings, { ...input, resumed });
      isStepped = true;
      const events = waiting;
      waiting = [];
      return events;
    },
  };
}
