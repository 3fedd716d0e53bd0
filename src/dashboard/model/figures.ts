/** Numbers as people read them at a glance. */
import type { Millis } from "../../core/ids.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in its two largest units: `42 s`, `3 m 07 s`, `5 h 12 m`, `2 d 4 h`. */
export function duration(ms: Millis): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)} m ${two((rest % MINUTE) / SECOND)} s`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)} h ${two((rest % HOUR) / MINUTE)} m`;
  return `${Math.floor(rest / DAY)} d ${Math.floor((rest % DAY) / HOUR)} h`;
}

/** The same in its largest unit, for narrow places: `42s`, `3m`, `5h`, `2d`. */
export function briefly(ms: Millis): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)}s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)}m`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)}h`;
  return `${Math.floor(rest / DAY)}d`;
}

/** What an answer took: `85 ms`, `1.4 s`, `12 s`. */
export function latency(ms: Millis): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  return ms < 10 * SECOND ? `${(ms / SECOND).toFixed(1)} s` : duration(ms);
}

/** So many: `980`, `1.2k`, `45k`, `3.1M`. */
export function count(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  const [part, unit] = value < 999_500 ? [value / 1_000, "k"] : [value / 1_000_000, "M"];
  return `${part < 10 ? part.toFixed(1).replace(/\.0$/, "") : Math.round(part)}${unit}`;
}

/** So many a second: `0`, `0.4`, `12`, `1.2k`. */
export function rate(perSecond: number): string {
  if (perSecond < 0.05) return "0";
  return perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** `512 B`, `3.4 KiB`, `12 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const [part, unit] = bytes < 1_048_576 ? [bytes / 1_024, "KiB"] : [bytes / 1_048_576, "MiB"];
  return `${part < 10 ? part.toFixed(1) : Math.round(part)} ${unit}`;
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");

/** The time of day of an instant, to the second or to the millisecond. */
export function clockTime(at: Millis, isExact = false): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return isExact ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** So many of something that has a plural with an s. */
export const counted = (of: number, what: string): string => `${count(of)} ${what}${of === 1 ? "" : "s"}`;
