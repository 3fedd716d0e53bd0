/** Numbers, durations and times in a form that is read at a glance. */
import type { Millis } from "../../core/ids.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in its two largest units: `42 s`, `3 min 07 s`, `5 h 12 min`, `2 d 4 h`. */
export function formatDuration(ms: Millis): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)} min ${twoDigits((rest % MINUTE) / SECOND)} s`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)} h ${twoDigits((rest % HOUR) / MINUTE)} min`;
  return `${Math.floor(rest / DAY)} d ${Math.floor((rest % DAY) / HOUR)} h`;
}

/** A duration in its largest unit, for narrow places: `42 s`, `3 min`, `5 h`, `2 d`. */
export function formatAge(ms: Millis): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)} min`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)} h`;
  return `${Math.floor(rest / DAY)} d`;
}

/** A response time: `85 ms`, `1.4 s`, `12 s`. */
export function formatLatency(ms: Millis): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  return ms < 10 * SECOND ? `${(ms / SECOND).toFixed(1)} s` : formatDuration(ms);
}

/** A number: `980`, `1.2k`, `45k`, `3.1M`. */
export function formatCount(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  const [part, unit] = value < 999_500 ? [value / 1_000, "k"] : [value / 1_000_000, "M"];
  return `${part < 10 ? part.toFixed(1).replace(/\.0$/, "") : Math.round(part)}${unit}`;
}

/** A number per second: `0`, `0.4`, `12`, `1.2k`. */
export function formatRate(perSecond: number): string {
  if (perSecond < 0.05) return "0";
  return perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** A size: `512 B`, `3.4 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const [part, unit] = bytes < 1_048_576 ? [bytes / 1_024, "KiB"] : [bytes / 1_048_576, "MiB"];
  return `${part < 10 ? part.toFixed(1) : Math.round(part)} ${unit}`;
}

const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, "0");

/** The local time of day of an instant, to the second, or to the millisecond if `isExact`. */
export function formatTime(at: Millis, isExact = false): string {
  const date = new Date(at);
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`;
  return isExact ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** A number with its unit: `1 event`, `2 events`. The plural of `unit` must end in s. */
export const formatQuantity = (value: number, unit: string): string =>
  `${formatCount(value)} ${unit}${value === 1 ? "" : "s"}`;
