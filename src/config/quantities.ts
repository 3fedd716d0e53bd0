/** Durations and sizes as the configuration writes them. */
import type { Millis } from "../core/ids.ts";

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 } as const;

/** Reads `250ms`, `10s`, `5m`, `24h`, `7d` or whole milliseconds; undefined for anything else. */
export const parseDuration = (raw: unknown): Millis | undefined => parse(raw, DURATION_UNITS);

/** Reads `512KiB`, `1MiB`, `1GiB` or whole bytes; undefined for anything else. */
export const parseSize = (raw: unknown): number | undefined => parse(raw, SIZE_UNITS);

/** The shortest exact form of a duration. */
export const formatDuration = (ms: Millis): string => format(ms, DURATION_UNITS);

/** The shortest exact form of a size. */
export const formatSize = (bytes: number): string => format(bytes, SIZE_UNITS);

type Units = Readonly<Record<string, number>>;

function parse(raw: unknown, units: Units): number | undefined {
  if (typeof raw === "number") return isWhole(raw) ? raw : undefined;
  if (typeof raw !== "string") return undefined;
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(raw) ?? [];
  const factor = unit === "" ? 1 : Object.entries(units).find(([name]) => name.toLowerCase() === unit?.toLowerCase())?.[1];
  if (digits === undefined || factor === undefined) return undefined;
  const quantity = Math.round(Number(digits) * factor);
  return isWhole(quantity) ? quantity : undefined;
}

function format(quantity: number, units: Units): string {
  const fitting = Object.entries(units).findLast(([, factor]) => quantity > 0 && quantity % factor === 0);
  const [unit, factor] = fitting ?? ["", 1];
  return `${quantity / factor}${unit}`;
}

const isWhole = (quantity: number): boolean => Number.isSafeInteger(quantity) && quantity >= 0;
