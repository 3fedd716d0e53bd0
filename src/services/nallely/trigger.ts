/**
 * Decides when a value of an input counts: once for each rise above its threshold, at most once in `every`.
 *
 * Invariant: after a rise, the next one counts only once the value has fallen to `threshold - hysteresis`, so a value that trembles
 * around the threshold counts once.
 */
import type { Millis } from "../../core/ids.ts";
import type { NallelyInput } from "../../core/settings.ts";

export interface Trigger {
  readonly input: NallelyInput;
  /** The value has fallen far enough since the last rise. */
  isArmed: boolean;
  /** When the next rise counts. */
  readyAt: Millis;
}

export const createTrigger = (input: NallelyInput): Trigger => ({ input, isArmed: true, readyAt: 0 });

/** `fired`; `limited` for a rise within `every` of the last one; undefined for a value that is not a rise. */
export function evaluateTrigger(trigger: Trigger, value: number, now: Millis): "fired" | "limited" | undefined {
  const { threshold, hysteresis, every } = trigger.input;
  if (value <= threshold - hysteresis) trigger.isArmed = true;
  if (!trigger.isArmed || value <= threshold) return undefined;
  trigger.isArmed = false;
  if (now < trigger.readyAt) return "limited";
  trigger.readyAt = now + every;
  return "fired";
}

/** The template with `{value}` replaced, rounded to three decimals. */
export const renderTemplate = (template: string, value: number): string =>
  template.replaceAll("{value}", String(Math.round(value * 1_000) / 1_000));
