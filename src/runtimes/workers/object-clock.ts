/**
 * The clock of a Durable Object, which may hibernate. A deadline within `TIMER_MS` has a timer, which keeps the object awake; a later
 * one has the object's single alarm, which wakes it.
 *
 * Invariants: A1 the object can hibernate when nothing is due within `TIMER_MS`; A2 while a timer runs or a link is dialled, an alarm
 * is set at most `TIMER_MS` ahead, so that an evicted object comes back; A3 an alarm is only ever moved earlier, because setting it is
 * a write; an alarm that fires too early has no effect.
 */
import type { Millis } from "../../core/ids.ts";
import type { Clock } from "../../engine/mod.ts";

const TIMER_MS = 60_000;

/** The object's alarm. */
export interface Alarm {
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
}

export class ObjectClock implements Clock {
  readonly #alarm: Alarm;
  readonly #tick: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the alarm will fire; `Infinity` without one. */
  #alarmAt: Millis;

  private constructor(alarm: Alarm, tick: () => void, alarmAt: Millis) {
    this.#alarm = alarm;
    this.#tick = tick;
    this.#alarmAt = alarmAt;
  }

  static async open(alarm: Alarm, tick: () => void): Promise<ObjectClock> {
    return new ObjectClock(alarm, tick, await alarm.getAlarm() ?? Infinity);
  }

  now(): Millis {
    return Date.now();
  }

  random(): number {
    return Math.random();
  }

  secret(): string {
    return crypto.randomUUID();
  }

  wake(at: Millis | undefined): void {
    clearTimeout(this.#timer);
    if (at === undefined) return;
    const waitMs = at - this.now();
    if (waitMs > TIMER_MS) return this.#setAlarm(at);
    this.#timer = setTimeout(this.#tick, Math.max(0, waitMs));
    this.ensureReturn();
  }

  /** Sets an alarm within `TIMER_MS`, so that the object returns if it is evicted. */
  ensureReturn(): void {
    this.#setAlarm(this.now() + TIMER_MS);
  }

  /** Call this when the alarm has fired: no alarm is set now. */
  alarmFired(): void {
    this.#alarmAt = Infinity;
  }

  #setAlarm(at: Millis): void {
    if (this.#alarmAt <= at) return;
    this.#alarmAt = at;
    // Why not awaited: the platform writes it before anything leaves the object, and it fails only if the object does.
    this.#alarm.setAlarm(at).catch(() => this.alarmFired());
  }
}
