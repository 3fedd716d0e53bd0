/**
 * Builders for the settings of the schema. Each builder states what a value must look like, in the words of the person who writes the
 * file, and registers what the reference prints about the setting.
 *
 * A name without a value (`port:` with nothing after it) counts as absent and gets the default; it never reaches a builder.
 */
import { z } from "zod";
import type { Millis } from "../core/ids.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./quantities.ts";

/** Metadata of each schema. Why not `meta()`: it copies the schema, which would be a fifth of the cost of building all of them. */
const registry = z.globalRegistry;

// Why: a configuration is read once or twice. Generating code for that takes longer than interpreting the schema.
z.config({ jitless: true });

export type SettingKind = "duration" | "size" | "number" | "port" | "text" | "flag" | "choice" | "list";

/** The metadata of one setting, for the reference, for redaction and for reloads. */
export interface SettingInfo {
  readonly kind: SettingKind;
  /** The meaning, in one or two sentences. */
  readonly description: string;
  /** The accepted forms, for the reference: `10s`, `a | b`. */
  readonly type: string;
  /** Takes effect only after a restart. */
  readonly restart: boolean;
  /** Never printed. */
  readonly secret: boolean;
  /** The hard ceiling. A larger value is lowered to it. */
  readonly max: number | undefined;
}

export interface SettingOptions<T> {
  readonly default: T;
  readonly restart?: boolean;
  readonly secret?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Plausible but unsupported values, each with the reason why it is rejected. */
  readonly rejected?: Readonly<Record<string, string>>;
}

/** The metadata of a schema; undefined for a schema that is not a setting. */
export function settingInfo(schema: z.ZodType): SettingInfo | undefined {
  const meta = schema.meta() as { readonly setting?: SettingInfo } | undefined; // Why: zod's registry does not know our type.
  return meta?.setting;
}

const DURATION = "a duration such as 10s, 5m or 250ms";
const SIZE = "a size such as 64KiB or 1MiB, or a number of bytes";
const PORT = "a port from 0 to 65535";
const TEXT = {
  error: ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? "missing: expected text" : "expected text, in quotes if it looks like a number",
};

/** A time in milliseconds, written as `10s` or `250ms`. */
export function duration(description: string, options: SettingOptions<Millis>): z.ZodType<Millis> {
  return quantity({ description, options, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** Bytes, written as `64KiB` or as a number. */
export function size(description: string, options: SettingOptions<number>): z.ZodType<number> {
  return quantity({ description, options, kind: "size", parse: parseSize, expected: SIZE });
}

/** A whole number. */
export function count(description: string, options: SettingOptions<number>): z.ZodType<number> {
  return quantity({ description, options, kind: "number", parse: parseInteger, expected: "a whole number" });
}

/** A port to listen on. */
export function port(defaultPort: number): z.ZodType<number> {
  const description = "The port to listen on; 0 picks a free one.";
  const options = { default: defaultPort, restart: true };
  return quantity({ description, options, kind: "port", parse: parsePort, expected: PORT });
}

/** An address or a name without a port: `127.0.0.1`, `::1`, `[::1]`, `localhost`. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[?[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9]+)?\]?)$/i;

/** An address to listen on. */
export function host(defaultHost: string): z.ZodType<string> {
  return hostItem.default(defaultHost).register(
    registry,
    metadata({ kind: "text", type: "text", description: "The address to listen on." }, { restart: true }),
  );
}

/** The address of a server, as `example` is written. Its scheme may also be the encrypted one. */
export function url(
  description: string,
  { example, mayBeEmpty = false, mayBePath = false, ...options }: SettingOptions<string> & {
    readonly example: string;
    readonly mayBeEmpty?: boolean;
    /** A socket of this machine, such as `/run/redis.sock`. */
    readonly mayBePath?: boolean;
  },
): z.ZodType<string> {
  const [scheme = ""] = example.split(":", 1);
  const schemes = [`${scheme}:`, `${scheme}s:`, ...(mayBePath ? ["unix:"] : [])];
  const isUrl = (text: string): boolean =>
    (mayBeEmpty && text === "") || (mayBePath && text.startsWith("/")) ||
    (URL.canParse(text) && schemes.includes(new URL(text).protocol));
  const expected = `a URL such as ${example}${mayBeEmpty ? ", or an empty text" : ""}`;
  return textOfForm(description, { fits: isUrl, expected, isSecret: true }, options);
}

/** Text of a certain form. */
export function textOfForm(description: string, form: TextForm, options: SettingOptions<string>): z.ZodType<string> {
  return itemOfForm(form).default(options.default)
    .register(registry, metadata({ kind: "text", type: "text", description }, options));
}

/** Text of a certain form, whose absence has a meaning of its own. */
export function optionalTextOfForm(description: string, form: TextForm): z.ZodType<string | undefined> {
  return itemOfForm(form).optional().register(registry, metadata({ kind: "text", type: "text", description }, {}));
}

/** The form of a text. `expected` completes the sentence "expected ...". */
interface TextForm {
  fits(text: string): boolean;
  readonly expected: string;
  /** It may contain a secret, so errors do not show it. */
  readonly isSecret?: boolean;
}

/** A number that need not be whole. */
export function real(description: string, options: SettingOptions<number>): z.ZodType<number> {
  return z.number({ error: ({ input }) => `expected a number, got ${shortJson(input)}` }).default(options.default)
    .register(registry, metadata({ kind: "number", type: "number", description }, options));
}

/** Any text, including an empty one. */
export function text(description: string, options: SettingOptions<string>): z.ZodType<string> {
  return z.string(TEXT).default(options.default)
    .register(registry, metadata({ kind: "text", type: "text", description }, options));
}

/** Text that has no default and must be given. */
export function requiredText(description: string): z.ZodType<string> {
  return z.string(TEXT).min(1, "expected text, got an empty one")
    .register(registry, metadata({ kind: "text", type: "text", description }, {}));
}

/** Text whose absence has a meaning of its own. */
export function optionalText(
  description: string,
  options: Partial<SettingOptions<never>> = {},
): z.ZodType<string | undefined> {
  return z.string(TEXT).optional().register(registry, metadata({ kind: "text", type: "text", description }, options));
}

/** A duration whose absence has a meaning of its own. */
export function optionalDuration(
  description: string,
  options: Partial<SettingOptions<never>> = {},
): z.ZodType<Millis | undefined> {
  return optionalQuantity({ description, options, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** A whole number whose absence has a meaning of its own. */
export function optionalCount(
  description: string,
  options: Partial<SettingOptions<never>>,
): z.ZodType<number | undefined> {
  return optionalQuantity({ description, options, kind: "number", parse: parseInteger, expected: "a whole number" });
}

/**
 * A point in time whose absence has a meaning of its own, written as ISO 8601: a date, which begins at midnight UTC, or a date and time. As
 * milliseconds since 1970, too, which is how settings are printed.
 */
export function instant(description: string): z.ZodType<Millis | undefined> {
  const parse = (raw: unknown): Millis | undefined => {
    if (typeof raw === "number") return Number.isSafeInteger(raw) && raw >= INSTANT_MIN ? raw : undefined;
    const time = typeof raw === "string" && INSTANT.test(raw) ? Date.parse(raw) : NaN;
    return Number.isNaN(time) ? undefined : time;
  };
  return z.unknown().transform((raw, context) => {
    const time = raw === undefined ? undefined : parse(raw);
    if (raw !== undefined && time === undefined) {
      context.addIssue(`expected a time such as 2027-01-31 or 2027-01-31T18:00:00Z, got ${shortJson(raw)}`);
    }
    return time;
  }).optional().register(registry, metadata({ kind: "text", type: "time", description }, {}));
}

/** A smaller number is no time of this century: a year, or seconds. */
const INSTANT_MIN: Millis = 1_000_000_000_000;
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A port whose absence has a meaning of its own. */
export function optionalPort(description: string): z.ZodType<number | undefined> {
  return optionalQuantity({ description, options: {}, kind: "port", parse: parsePort, expected: PORT });
}

/** True or false. `yes`, `no`, `on` and `off` are accepted, because they are booleans in the YAML of the original relay. */
export function flag(description: string, options: SettingOptions<boolean>): z.ZodType<boolean> {
  return z.transform(parseFlag).default(options.default)
    .register(registry, metadata({ kind: "flag", type: "true or false", description }, options));
}

/** True or false, whose absence has a meaning of its own. */
export function optionalFlag(description: string): z.ZodType<boolean | undefined> {
  return z.unknown().transform((raw, context) => (raw === undefined ? undefined : parseFlag(raw, context))).optional()
    .register(registry, metadata({ kind: "flag", type: "true or false", description }, {}));
}

function parseFlag(raw: unknown, context: z.RefinementCtx): boolean {
  const value = FLAGS.get(typeof raw === "string" ? raw.toLowerCase() : raw);
  if (value !== undefined) return value;
  context.addIssue(`expected true or false, got ${shortJson(raw)}`);
  return z.NEVER;
}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, "true", "yes", "on"].map((name) => [name, true] as const),
  ...[false, "false", "no", "off"].map((name) => [name, false] as const),
]);

/** One of these values. `rejected` explains why others are not supported. */
export function choice<const T extends string>(
  description: string,
  values: readonly T[],
  options: SettingOptions<NoInfer<T>>,
): z.ZodType<T> {
  return oneOf(values, options.rejected)
    .default(options.default as Exclude<T, undefined>) // Why: zod cannot see that no text is undefined.
    .register(registry, metadata({ kind: "choice", type: values.join(" | "), description }, options));
}

/** A choice whose absence has a meaning of its own. */
export function optionalChoice<const T extends string>(
  description: string,
  values: readonly T[],
): z.ZodType<T | undefined> {
  return oneOf(values).optional()
    .register(registry, metadata({ kind: "choice", type: values.join(" | "), description }, {}));
}

function oneOf<const T extends string>(
  values: readonly T[],
  rejected: Readonly<Record<string, string>> = {},
): z.ZodType<T> {
  const reasons = new Map(Object.entries(rejected));
  return z.enum(values, {
    error: ({ input }) => reasons.get(String(input)) ?? `expected one of ${values.join(", ")}, got ${shortJson(input)}`,
  });
}

export interface ListOptions<T> {
  readonly item: z.ZodType<T>;
  /** The name of the entries, in the plural. */
  readonly type: string;
  readonly default?: readonly T[];
}

/** A list; empty by default. */
export function list<T>(
  description: string,
  { item, type, default: entries = [] }: ListOptions<T>,
): z.ZodType<readonly T[]> {
  return z.array(item, { error: `expected a list of ${type}` }).readonly().default(entries)
    .register(registry, metadata({ kind: "list", type: `list of ${type}`, description }, {}));
}

/** A list whose absence has a meaning of its own. */
export function optionalList<T>(
  description: string,
  { item, type, lengthMax }: { readonly item: z.ZodType<T>; readonly type: string; readonly lengthMax: number },
): z.ZodType<readonly T[] | undefined> {
  return z.array(item, { error: `expected a list of ${type}` })
    .max(lengthMax, { error: ({ input }) => `expected at most ${lengthMax} ${type}, got ${(input as unknown[]).length}` })
    .readonly().optional()
    .register(registry, metadata({ kind: "list", type: `list of ${type}`, description }, {}));
}

/** One of these values, in a list. */
export const listItem = <const T extends string>(values: readonly T[]): z.ZodType<T> => oneOf(values);

/** One text of a list. */
export const textItem: z.ZodType<string> = z.string(TEXT);

/** One text of a list, of a certain form. */
export function itemOfForm({ fits, expected, isSecret = false }: TextForm): z.ZodType<string> {
  const error = ({ input }: { readonly input?: unknown }): string =>
    isSecret ? `expected ${expected}` : `expected ${expected}, got ${shortJson(input)}`;
  return z.string(TEXT).refine(fits, { error });
}

/** An address or a host name of a list. */
export const hostItem: z.ZodType<string> = itemOfForm({
  fits: (text) => HOST.test(text) && !/^[^:]*:\d*$/.test(text),
  expected: "an address or a host name without a port",
});

/** An address of a list. */
export const addressItem: z.ZodType<string> = itemOfForm({
  fits: (text) => /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i.test(text),
  expected: "an address such as 127.0.0.1",
});

/** A block of settings. Unknown names are errors; missing ones get their defaults. */
export function block<Shape extends z.ZodRawShape>(
  description: string,
  shape: Shape,
): z.ZodPrefault<z.ZodObject<Shape, z.core.$strict>> {
  // Why the cast: every name that {} lacks has a default.
  return z.strictObject(shape, { error: blockError }).prefault({} as never).register(registry, { description });
}

/** One entry of a list of blocks. */
export function entry<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: blockError });
}

function blockError(issue: { readonly code?: string }): string | undefined {
  return issue.code === "invalid_type" ? "expected settings below it, each on its own line as `name: value`" : undefined;
}

interface QuantitySpec<Options> {
  readonly description: string;
  readonly options: Options;
  readonly kind: SettingKind;
  /** Completes the sentence "expected ...". */
  readonly expected: string;
  parse(raw: unknown): number | undefined;
}

function quantity(spec: QuantitySpec<SettingOptions<number>>): z.ZodType<number> {
  return z.transform(quantityParser(spec)).default(spec.options.default)
    .register(registry, metadata({ ...spec, type: spec.kind }, spec.options));
}

function optionalQuantity(spec: QuantitySpec<Partial<SettingOptions<number>>>): z.ZodType<number | undefined> {
  const parse = quantityParser(spec);
  return z.unknown().transform((raw, context) => (raw === undefined ? undefined : parse(raw, context))).optional()
    .register(registry, metadata({ ...spec, type: spec.kind }, spec.options));
}

function quantityParser(
  { options, kind, parse, expected }: QuantitySpec<Partial<SettingOptions<number>>>,
): (raw: unknown, context: z.RefinementCtx) => number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const atLeast = min > 0 ? `, at least ${formatQuantity(kind, min)}` : "";
  return (raw, context) => {
    const value = parse(raw);
    if (value !== undefined && value >= min) return Math.min(value, max);
    context.addIssue(`expected ${expected}${atLeast}, got ${shortJson(raw)}`);
    return z.NEVER;
  };
}

/** A number as a setting of that kind is written. */
export function formatQuantity(kind: SettingKind, quantity: number): string {
  if (kind === "duration") return formatDuration(quantity);
  return kind === "size" ? formatSize(quantity) : String(quantity);
}

const parseInteger = (raw: unknown): number | undefined =>
  typeof raw === "number" && Number.isSafeInteger(raw) ? raw : undefined;

function parsePort(raw: unknown): number | undefined {
  const value = parseInteger(raw);
  return value !== undefined && value >= 0 && value <= 65_535 ? value : undefined;
}

function metadata(
  what: Pick<SettingInfo, "kind" | "type" | "description">,
  { restart = false, secret = false, max }: Partial<SettingOptions<unknown>>,
): { readonly setting: SettingInfo } {
  return { setting: { kind: what.kind, description: what.description, type: what.type, restart, secret, max } };
}

const SHORT_MAX = 60;

/** A wrong value as an error shows it. Only for kinds that never hold a secret. */
function shortJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > SHORT_MAX ? `${json.slice(0, SHORT_MAX)}...` : json;
}
