/** The scenarios: each takes a connected load and returns one or more figures. */
import { type Load, until } from "./load.ts";
import type { RunningRelay } from "./subject.ts";
import { flushPending } from "./raw-websocket.ts";

/** What was done in a second, and the relay's CPU time for each. */
export interface Trips {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** Closed loop: `window` actions are in flight at all times. */
export async function roundTrips(
  load: Load,
  running: RunningRelay,
  { window, ms }: { window: number; ms: number },
): Promise<Trips> {
  let done = 0;
  let isOpen = true;
  load.onTrip(() => {
    done++;
    if (isOpen) load.issue(performance.now());
  });
  for (let at = 0; at < window; at++) load.issue(performance.now());
  flushPending();
  await Bun.sleep(ms / 3);
  const [count, cpu, from] = [done, running.cpuMicros(), performance.now()];
  await Bun.sleep(ms);
  const trips = done - count;
  const figures = {
    perSecond: Math.round(trips / ((performance.now() - from) / 1_000)),
    cpuMicros: (running.cpuMicros() - cpu) / Math.max(1, trips),
  };
  isOpen = false;
  await until(() => load.inFlight === 0, 5_000, "the last answers");
  return figures;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Open loop at a fixed rate; each latency counts from when the action should have been sent. Microseconds. */
export async function latency(load: Load, { rate, ms }: { rate: number; ms: number }): Promise<Latency> {
  const trips: number[] = [];
  load.onTrip((took) => trips.push(took * 1_000));
  const from = performance.now();
  for (let due = from; performance.now() < from + ms;) {
    for (const now = performance.now(); due <= now; due += 1_000 / rate) load.issue(due);
    flushPending();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(() => load.inFlight === 0, 5_000, "the last answers");
  trips.sort((left, right) => left - right);
  const at = (share: number) => trips[Math.floor(trips.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** All games send contexts as fast as the relay takes them; counted where they arrive. */
export async function fanIn(load: Load, running: RunningRelay, { ms }: { ms: number }): Promise<Trips> {
  const [from, cpu] = [performance.now(), running.cpuMicros()];
  const before = load.contexts;
  let sent = 0;
  while (performance.now() < from + ms) {
    if (sent - (load.contexts - before) < 4_096) sent += load.sendContexts(16);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const perSecond = Math.round((load.contexts - before) / ((performance.now() - from) / 1_000));
  await until(() => load.contexts - before >= sent, 10_000, `${sent} contexts`);
  return { perSecond, cpuMicros: (running.cpuMicros() - cpu) / sent };
}
