/**
 * When a value of an input counts: at most once for each time that it rises over its threshold, and not too often.
 *
 * Invariant: after it rose, it counts again only once it has fallen below the threshold by the hysteresis: what trembles around
 * the threshold counts once.
 */
import type { Millis } from "../../core/ids.ts";
import type { NallelyInput } from "../../core/settings.ts";

export interface Trigger {
  readonly input: NallelyInput;
  isArmed: boolean;
  readyAt: Millis;
}

export const trigger = (input: NallelyInput): Trigger => ({ input, isArmed: true, readyAt: 0 });

/** `fired`, `limited` when it came too soon after the last one, or undefined when the value does not count. */
export function pull(of: Trigger, value: number, now: Millis): "fired" | "limited" | undefined {
  const { threshold, hysteresis, every } = of.input;
  if (value <= threshold - hysteresis) of.isArmed = true;
  if (!of.isArmed || value <= threshold) return undefined;
  of.isArmed = false;
  if (now < of.readyAt) return "limited";
  of.readyAt = now + every;
  return "fired";
}

/** The text with the value in it, rounded to what a person reads. */
export const fill = (template: string, value: number): string =>
  template.replaceAll("{value}", String(Math.round(value * 1_000) / 1_000));
