/**
 * The clock of a Durable Object, which may sleep: what is due soon has a timer, which keeps the object awake; what is due later
 * has the object's one alarm, which wakes it.
 *
 * Invariants: A1 the object can sleep when nothing is due within `SHORT_MS`; A2 while a timer runs or a connection is dialled an
 * alarm is set as well, at most `SHORT_MS` ahead: should the object be taken away meanwhile, that brings it back; A3 an alarm is
 * set only to ring earlier than it would, for setting it is a write; one that rings too early does nothing.
 */
import type { Millis } from "../../core/ids.ts";
import type { Clock } from "../../engine/mod.ts";

const SHORT_MS = 60_000;

/** The object's alarm. */
export interface Alarm {
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
}

export class ObjectClock implements Clock {
  readonly #alarm: Alarm;
  readonly #tick: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the alarm will ring. */
  #ringsAt: Millis;

  private constructor(alarm: Alarm, tick: () => void, ringsAt: Millis) {
    this.#alarm = alarm;
    this.#tick = tick;
    this.#ringsAt = ringsAt;
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
    if (waitMs > SHORT_MS) return this.#ringBy(at);
    this.#timer = setTimeout(this.#tick, Math.max(0, waitMs));
    this.secure();
  }

  /** The object has to come back by itself, should it be taken away. */
  secure(): void {
    this.#ringBy(this.now() + SHORT_MS);
  }

  /** The alarm rang; there is none now. */
  rang(): void {
    this.#ringsAt = Infinity;
  }

  #ringBy(at: Millis): void {
    if (this.#ringsAt <= at) return;
    this.#ringsAt = at;
    // Why not awaited: the platform writes it before anything leaves the object; it fails only where the object does.
    this.#alarm.setAlarm(at).catch(() => this.rang());
  }
}
