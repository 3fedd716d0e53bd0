/** How spans of time and amounts of bytes are written in the configuration, and read back. */
import type { Millis } from "../core/ids.ts";

const TIMES = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZES = { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 } as const;

/** `250ms`, `10s`, `5m`, `24h`, `7d` or whole milliseconds; undefined for anything else. */
export const readDuration = (raw: unknown): Millis | undefined => readAmount(raw, TIMES);

/** `512KiB`, `1MiB`, `1GiB` or whole bytes; undefined for anything else. */
export const readSize = (raw: unknown): number | undefined => readAmount(raw, SIZES);

/** The shortest way to write a span of time. */
export const writeDuration = (ms: Millis): string => writeAmount(ms, TIMES);

/** The shortest way to write an amount of bytes. */
export const writeSize = (bytes: number): string => writeAmount(bytes, SIZES);

type Units = Readonly<Record<string, number>>;

function readAmount(raw: unknown, units: Units): number | undefined {
  if (typeof raw === "number") return isWhole(raw) ? raw : undefined;
  if (typeof raw !== "string") return undefined;
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(raw) ?? [];
  const factor = unit === "" ? 1 : Object.entries(units).find(([name]) => name.toLowerCase() === unit?.toLowerCase())?.[1];
  if (digits === undefined || factor === undefined) return undefined;
  const amount = Math.round(Number(digits) * factor);
  return isWhole(amount) ? amount : undefined;
}

function writeAmount(amount: number, units: Units): string {
  const fitting = Object.entries(units).findLast(([, factor]) => amount > 0 && amount % factor === 0);
  const [unit, factor] = fitting ?? ["", 1];
  return `${amount / factor}${unit}`;
}

const isWhole = (amount: number): boolean => Number.isSafeInteger(amount) && amount >= 0;
