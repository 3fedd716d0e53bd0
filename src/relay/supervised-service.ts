/**
 * One service with its state, supervised: a panic costs the event that caused it, and no other peer anything.
 *
 * Invariant: a service that is down receives no event. Its events wait, at most `EVENTS_WAITING_FOR_SERVICE_MAX` with
 * `EVENTS_WAITING_BYTES_MAX`, until it is rebuilt.
 */
import type { ServiceEvent } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { ObservationName } from "../core/observation.ts";
import { EVENTS_WAITING_BYTES_MAX, EVENTS_WAITING_FOR_SERVICE_MAX } from "../core/limits.ts";
import { retainedBytes } from "../core/retained-bytes.ts";
import type { RestoreInput, Service, ServiceName } from "../core/service.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { Settings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

/** A service as the relay holds it, with the type of its state hidden. */
export interface SupervisedService {
  readonly name: ServiceName;
  readonly resident: readonly string[];
  /** Throws what the service throws, which is down then. Returns false when the event could neither be handled nor wait. */
  step(event: ServiceEvent, ctx: StepContext): boolean;
  nextWakeup(): Millis | undefined;
  /**
   * Whether it receives observations of this name; only its own steps change that. While it is down, they wait with its other events.
   * Undefined: it never receives any.
   */
  observes?(name: ObservationName): boolean;
  /** Until when it needs only the number of observations of this name; only its own steps change that. 0: it needs each. */
  countsUntil(name: ObservationName): Millis;
  /** Whether it receives `serviceChanged` of this service. */
  wantsChange(of: ServiceName): boolean;
  /** Whether it would do nothing with a message of this kind now. While it is down, messages wait with its other events. */
  ignores?(name: ServiceMessage["is"]): boolean;
  /** The name of a peer in reports, if it is known. */
  nameOf(peer: PeerId): string | undefined;
  /**
   * Rebuilds the service and returns the events that waited. Peers that connected meanwhile are not among its resumed peers, because
   * their `opened` is among the events. Throws what the service throws, which stays down then.
   */
  restore(settings: Settings, input: RestoreInput): readonly ServiceEvent[];
}

/** Hides the type of the service's state, so that the relay can hold all services in one list. */
export function supervise<State>(service: Service<State>): SupervisedService {
  /** Undefined while the service is down. */
  let state: State | undefined;
  /** Also while the service is down, or in a step. */
  let lastState: State | undefined;
  let waiting: ServiceEvent[] = [];
  let waitingBytes = 0;
  /** As of the last step; asked again only after another one. */
  let wakeup: Millis | undefined;
  let isWakeupStale = false;
  const { observes } = service;
  return {
    name: service.name,
    resident: service.resident,
    step(event, ctx) {
      if (state === undefined) {
        const bytes = retainedBytes(event);
        if (waiting.length >= EVENTS_WAITING_FOR_SERVICE_MAX) return false;
        if (waitingBytes + bytes > EVENTS_WAITING_BYTES_MAX && mayBeRefused(event)) return false;
        waitingBytes += bytes;
        return waiting.push(event) > 0;
      }
      const current = state;
      state = undefined; // Why: if the step throws, the service stays down.
      isWakeupStale = true;
      service.step(current, event, ctx);
      state = current;
      return true;
    },
    ignores: (name) => state !== undefined && service.ignores?.(state, name) === true,
    ...(observes !== undefined && { observes: (name) => lastState !== undefined && observes(lastState, name) }),
    countsUntil: (name) => (lastState === undefined ? 0 : service.countsUntil?.(lastState, name) ?? 0),
    wantsChange: (of) => lastState !== undefined && service.wantsChange?.(lastState, of) === true,
    nameOf: (peer) => state === undefined ? undefined : service.nameOf?.(state, peer),
    nextWakeup() {
      if (isWakeupStale) wakeup = state === undefined ? undefined : service.nextWakeup(state);
      isWakeupStale = false;
      return wakeup;
    },
    restore(settings, input) {
      const connecting = new Set(waiting.map((event) => (event.is === "opened" ? event.peer : undefined)));
      const resumed = input.resumed.filter(({ peer }) => !connecting.has(peer));
      state = service.restore(settings, { ...input, resumed });
      lastState = state;
      isWakeupStale = true;
      const events = waiting;
      waiting = [];
      waitingBytes = 0;
      return events;
    },
  };
}

/** Why not the others: they are small, and a service that is rebuilt without them would wait for them in vain. */
const mayBeRefused = ({ is }: ServiceEvent): boolean => is === "frame" || is === "requested";
