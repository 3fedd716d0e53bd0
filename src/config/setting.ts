/**
 * The kinds of settings that the schema is made of. Each says what it expects in the words of whoever writes the file, and
 * carries what the reference prints about it.
 *
 * A setting without a value (`port:` and nothing behind it) never gets here: it counts as absent and has its default.
 */
import { z } from "zod";
import type { Millis } from "../core/ids.ts";
import { readDuration, readSize, writeDuration, writeSize } from "./units.ts";

/** What is known of each schema. Why not by `meta`: that makes a copy of the schema, which is a fifth of what all of them cost. */
const known = z.globalRegistry;

// Why: a configuration is read once or twice, and making code for that takes longer than reading it without.
z.config({ jitless: true });

export type Kind = "duration" | "size" | "number" | "port" | "text" | "flag" | "choice" | "list";

/** What is known of one setting beside its type: the meta data of its schema. */
export interface About {
  readonly kind: Kind;
  /** The meaning, one or two sentences. */
  readonly says: string;
  /** What may be written, for the reference: `10s`, `a | b`. */
  readonly type: string;
  /** Takes effect only after a restart. */
  readonly restart: boolean;
  /** Never printed. */
  readonly secret: boolean;
  /** The hard ceiling; more is lowered to it. */
  readonly most: number | undefined;
}

export interface Extra<T> {
  readonly fallback: T;
  readonly restart?: boolean;
  readonly secret?: boolean;
  readonly least?: number;
  readonly most?: number;
  /** Values that somebody might well try, and why they are refused. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** What the reference prints of a schema; undefined for one that is not a setting of its own. */
export function aboutOf(schema: z.ZodType): About | undefined {
  const meta = schema.meta() as { readonly about?: About } | undefined; // Why: zod's registry knows no type of ours.
  return meta?.about;
}

const DURATION = "a duration such as 10s, 5m or 250ms";

/** A time in milliseconds, written as `10s` or `250ms`. */
export function duration(says: string, extra: Extra<Millis>): z.ZodType<Millis> {
  return amount({ says, extra, kind: "duration", read: readDuration, wants: DURATION });
}

/** Bytes, written as `64KiB` or as a number. */
export function size(says: string, extra: Extra<number>): z.ZodType<number> {
  return amount({ says, extra, kind: "size", read: readSize, wants: "a size such as 64KiB or 1MiB, or a number of bytes" });
}

/** A whole number. */
export function count(says: string, extra: Extra<number>): z.ZodType<number> {
  return amount({ says, extra, kind: "number", read: readWhole, wants: "a whole number" });
}

const PORT = "a port from 0 to 65535";

/** A port to listen on. */
export function port(fallback: number): z.ZodType<number> {
  const says = "The port to listen on; 0 takes any free one.";
  return amount({ says, extra: { fallback, restart: true }, kind: "port", read: readPort, wants: PORT });
}

export const host = (fallback: string): z.ZodType<string> => text("The address to listen on.", { fallback, restart: true });

/** A number that need not be whole. */
export function real(says: string, extra: Extra<number>): z.ZodType<number> {
  const schema = z.number({ error: "expected a number" });
  return schema.default(extra.fallback).register(known, about({ kind: "number", type: "number", says }, extra));
}

const TEXT = { error: "expected text, in quotes if it looks like a number" };

/** Any text, also an empty one. */
export function text(says: string, extra: Extra<string>): z.ZodType<string> {
  return z.string(TEXT).default(extra.fallback).register(known, about({ kind: "text", type: "text", says }, extra));
}

/** Text that has no default and must be there. */
export function requiredText(says: string): z.ZodType<string> {
  return z.string(TEXT).min(1, "expected text, not nothing")
    .register(known, about({ kind: "text", type: "text", says }, {}));
}

/** Text that may be missing, and then means something else than any text. */
export function optionalText(says: string, extra: Partial<Extra<never>> = {}): z.ZodType<string | undefined> {
  return z.string(TEXT).optional().register(known, about({ kind: "text", type: "text", says }, extra));
}

/** A duration that may be missing, and then means something else than any duration. */
export function optionalDuration(says: string): z.ZodType<Millis | undefined> {
  return optionalAmount({ says, extra: {}, kind: "duration", read: readDuration, wants: DURATION });
}

/** A port that may be missing, and then means something else than any port. */
export function optionalPort(says: string): z.ZodType<number | undefined> {
  return optionalAmount({ says, extra: {}, kind: "port", read: readPort, wants: PORT });
}

/** True or false. */
export function flag(says: string, extra: Extra<boolean>): z.ZodType<boolean> {
  return z.boolean({ error: "expected true or false" }).default(extra.fallback).register(
    known,
    about({ kind: "flag", type: "true or false", says }, extra),
  );
}

/** One of these words; `refused` says of others why they are none. */
export function choice<const T extends string>(
  says: string,
  options: readonly T[],
  extra: Extra<NoInfer<T>>,
): z.ZodType<T> {
  return oneOf(options, extra.refused)
    .default(extra.fallback as Exclude<T, undefined>) // Why: zod cannot see that no text is undefined.
    .register(known, about({ kind: "choice", type: options.join(" | "), says }, extra));
}

/** A choice that may be missing, and then means something else than any of the options. */
export function optionalChoice<const T extends string>(says: string, options: readonly T[]): z.ZodType<T | undefined> {
  return oneOf(options).optional().register(known, about({ kind: "choice", type: options.join(" | "), says }, {}));
}

function oneOf<const T extends string>(
  options: readonly T[],
  refused: Readonly<Record<string, string>> = {},
): z.ZodType<T> {
  const expected = `expected one of ${options.join(", ")}`;
  const reasons = new Map(Object.entries(refused));
  return z.enum(options, { error: ({ input }) => reasons.get(String(input)) ?? expected });
}

export interface ListOf<T> {
  readonly of: z.ZodType<T>;
  /** What its entries are, in the plural. */
  readonly type: string;
  readonly fallback?: readonly T[];
}

/** A list, empty unless something else is said. */
export function list<T>(says: string, { of, type, fallback = [] }: ListOf<T>): z.ZodType<readonly T[]> {
  return z.array(of, { error: `expected a list of ${type}` }).readonly().default(fallback).register(
    known,
    about({ kind: "list", type: `list of ${type}`, says }, {}),
  );
}

/** One text of a list. */
export const word: z.ZodType<string> = z.string(TEXT);

/** A block of settings: unknown names are refused, missing ones have their defaults. */
export function block<Shape extends z.ZodRawShape>(
  says: string,
  shape: Shape,
): z.ZodPrefault<z.ZodObject<Shape, z.core.$strict>> {
  return z.strictObject(shape, { error: mapExpected }).prefault({} as never).register(known, { says }); // Why: what is missing in {} has defaults.
}

/** One entry of a list of blocks. */
export function entry<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: mapExpected });
}

function mapExpected(issue: { readonly code?: string }): string | undefined {
  return issue.code === "invalid_type" ? "expected settings below it, each on its own line as `name: value`" : undefined;
}

interface Amount<E> {
  readonly says: string;
  readonly extra: E;
  readonly kind: Kind;
  /** What is expected, in words. */
  readonly wants: string;
  read(raw: unknown): number | undefined;
}

function amount(of: Amount<Extra<number>>): z.ZodType<number> {
  return z.transform(readInto(of)).default(of.extra.fallback).register(known, about({ ...of, type: of.kind }, of.extra));
}

function optionalAmount(of: Amount<Partial<Extra<number>>>): z.ZodType<number | undefined> {
  const read = readInto(of);
  return z.unknown().transform((raw, context) => (raw === undefined ? undefined : read(raw, context))).optional()
    .register(known, about({ ...of, type: of.kind }, of.extra));
}

function readInto(
  { extra, kind, read, wants }: Amount<Partial<Extra<number>>>,
): (raw: unknown, context: z.RefinementCtx) => number {
  const { least = 0, most = Number.MAX_SAFE_INTEGER } = extra;
  const bound = least > 0 ? `, at least ${writeAmount(kind, least)}` : "";
  return (raw, context) => {
    const value = read(raw);
    if (value !== undefined && value >= least) return Math.min(value, most);
    context.addIssue(`expected ${wants}${bound}`);
    return z.NEVER;
  };
}

/** A number as people write it in a setting of that kind. */
export function writeAmount(kind: Kind, amount: number): string {
  if (kind === "duration") return writeDuration(amount);
  return kind === "size" ? writeSize(amount) : String(amount);
}

const readWhole = (raw: unknown): number | undefined =>
  typeof raw === "number" && Number.isSafeInteger(raw) ? raw : undefined;

function readPort(raw: unknown): number | undefined {
  const value = readWhole(raw);
  return value !== undefined && value >= 0 && value <= 65_535 ? value : undefined;
}

function about(what: Pick<About, "kind" | "type" | "says">, extra: Partial<Extra<unknown>>): { readonly about: About } {
  const { restart = false, secret = false, most } = extra;
  return { about: { kind: what.kind, says: what.says, type: what.type, restart, secret, most } };
}
