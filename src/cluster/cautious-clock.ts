/**
 * A clock for leases, made of two: it advances by what the faster of the monotonic and the wall clock has advanced, and never goes back.
 *
 * Why two: the monotonic clock stands still while a machine is suspended, and the wall clock can be set. A wall clock that is set forward
 * suspends the node until its next beat is answered, and does nothing else.
 */
import type { Millis } from "../core/ids.ts";

/** The two clocks of a machine at one moment. */
export interface ClockReading {
  readonly monotonic: Millis;
  readonly wall: Millis;
}

/** Why anchors: wall clocks advance in whole milliseconds, so the larger of many small steps would run at up to twice the speed. */
const ANCHOR_MS: Millis = 1_000;

export interface CautiousClock {
  now: Millis;
  /** The reading since which the clocks are compared, and the time then. */
  anchor: ClockReading;
  anchoredAt: Millis;
  wall: Millis;
}

export const cautiousClock = (reading: ClockReading): CautiousClock => ({
  now: 0,
  anchor: reading,
  anchoredAt: 0,
  wall: reading.wall,
});

/** Takes a new reading, and returns the time. */
export function readClock(clock: CautiousClock, reading: ClockReading): Millis {
  const { anchor, anchoredAt } = clock;
  const passed = Math.max(reading.monotonic - anchor.monotonic, reading.wall - anchor.wall);
  clock.now = Math.max(clock.now, anchoredAt + passed);
  if (reading.wall < clock.wall || passed >= ANCHOR_MS) {
    clock.anchor = reading;
    clock.anchoredAt = clock.now;
  }
  clock.wall = reading.wall;
  return clock.now;
}
