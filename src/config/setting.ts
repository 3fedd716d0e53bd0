/**
 * Builders for the settings of the schema. Each builder states what a value must look like, in the words of the person who writes the
 * file, and registers what the reference prints about the setting.
 *
 * Why `zod/mini`: a schema of `zod` has dozens of methods of its own, which took a quarter of the CPU time of a start.
 *
 * A name without a value (`port:` with nothing after it) counts as absent and gets the default; it never reaches a builder.
 */
import { z } from "zod/mini";
import type { Millis } from "../core/ids.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./quantities.ts";

/** What the reference prints of each schema. */
const registry = z.registry<SchemaMeta>();

interface SchemaMeta {
  readonly setting?: SettingInfo;
  /** Of a block. */
  readonly description?: string;
}

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
export const settingInfo = (schema: z.ZodMiniType): SettingInfo | undefined => registry.get(schema)?.setting;

/** The meaning of a block; empty for other schemas. */
export const blockDescription = (schema: z.ZodMiniType): string => registry.get(schema)?.description ?? "";

const DURATION = "a duration such as 10s, 5m or 250ms";
const SIZE = "a size such as 64KiB or 1MiB, or a number of bytes";
const PORT = "a port from 0 to 65535";
const TEXT = {
  error: ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? "missing: expected text" : "expected text, in quotes if it looks like a number",
};

/** A time in milliseconds, written as `10s` or `250ms`. */
export function duration(description: string, options: SettingOptions<Millis>): z.ZodMiniType<Millis> {
  return quantity({ description, options, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** Bytes, written as `64KiB` or as a number. */
export function size(description: string, options: SettingOptions<number>): z.ZodMiniType<number> {
  return quantity({ description, options, kind: "size", parse: parseSize, expected: SIZE });
}

/** A whole number. */
export function count(description: string, options: SettingOptions<number>): z.ZodMiniType<number> {
  return quantity({ description, options, kind: "number", parse: parseInteger, expected: "a whole number" });
}

/** A port to listen on. */
export function port(defaultPort: number): z.ZodMiniType<number> {
  const description = "The port to listen on; 0 picks a free one.";
  const options = { default: defaultPort, restart: true };
  return quantity({ description, options, kind: "port", parse: parsePort, expected: PORT });
}

/** An address or a name without a port: `127.0.0.1`, `::1`, `[::1]`, `localhost`. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[?[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9]+)?\]?)$/i;

/** An address to listen on. */
export function host(defaultHost: string): z.ZodMiniType<string> {
  const description = "The address to listen on.";
  return described(z._default(hostItem, defaultHost), { kind: "text", type: "text", description }, { restart: true });
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
): z.ZodMiniType<string> {
  const [scheme = ""] = example.split(":", 1);
  const schemes = [`${scheme}:`, `${scheme}s:`, ...(mayBePath ? ["unix:"] : [])];
  const isUrl = (text: string): boolean =>
    (mayBeEmpty && text === "") || (mayBePath && text.startsWith("/")) ||
    (URL.canParse(text) && schemes.includes(new URL(text).protocol));
  const expected = `a URL such as ${example}${mayBeEmpty ? ", or an empty text" : ""}`;
  return textOfForm(description, { fits: isUrl, expected, isSecret: true }, options);
}

/** Text of a certain form. */
export function textOfForm(description: string, form: TextForm, options: SettingOptions<string>): z.ZodMiniType<string> {
  return described(z._default(itemOfForm(form), options.default), { kind: "text", type: "text", description }, options);
}

/** Text of a certain form, whose absence has a meaning of its own. */
export function optionalTextOfForm(description: string, form: TextForm): z.ZodMiniType<string | undefined> {
  return described(z.optional(itemOfForm(form)), { kind: "text", type: "text", description });
}

/** The form of a text. `expected` completes the sentence "expected ...". */
interface TextForm {
  fits(text: string): boolean;
  readonly expected: string;
  /** It may contain a secret, so errors do not show it. */
  readonly isSecret?: boolean;
}

/** A number that need not be whole. */
export function real(description: string, options: SettingOptions<number>): z.ZodMiniType<number> {
  const number = z.number({ error: ({ input }) => `expected a number, got ${shortJson(input)}` });
  return described(z._default(number, options.default), { kind: "number", type: "number", description }, options);
}

/** Any text, including an empty one. */
export function text(description: string, options: SettingOptions<string>): z.ZodMiniType<string> {
  return described(z._default(z.string(TEXT), options.default), { kind: "text", type: "text", description }, options);
}

/** Text that has no default and must be given. */
export function requiredText(description: string): z.ZodMiniType<string> {
  const given = z.string(TEXT).check(z.minLength(1, "expected text, got an empty one"));
  return described(given, { kind: "text", type: "text", description });
}

/** Text whose absence has a meaning of its own. */
export function optionalText(
  description: string,
  options: Partial<SettingOptions<never>> = {},
): z.ZodMiniType<string | undefined> {
  return described(z.optional(z.string(TEXT)), { kind: "text", type: "text", description }, options);
}

/** A duration whose absence has a meaning of its own. */
export function optionalDuration(
  description: string,
  options: Partial<SettingOptions<never>> = {},
): z.ZodMiniType<Millis | undefined> {
  return optionalQuantity({ description, options, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** A whole number whose absence has a meaning of its own. */
export function optionalCount(
  description: string,
  options: Partial<SettingOptions<never>>,
): z.ZodMiniType<number | undefined> {
  return optionalQuantity({ description, options, kind: "number", parse: parseInteger, expected: "a whole number" });
}

/**
 * A point in time whose absence has a meaning of its own, written as ISO 8601: a date, which begins at midnight UTC, or a date and time. As
 * milliseconds since 1970, too, which is how settings are printed.
 */
export function instant(description: string): z.ZodMiniType<Millis | undefined> {
  const parse = (raw: unknown): Millis | undefined => {
    if (typeof raw === "number") return Number.isSafeInteger(raw) && raw >= INSTANT_MIN ? raw : undefined;
    const time = typeof raw === "string" && INSTANT.test(raw) ? Date.parse(raw) : NaN;
    return Number.isNaN(time) ? undefined : time;
  };
  const time = converted((raw, reject) =>
    parse(raw) ?? reject(`expected a time such as 2027-01-31 or 2027-01-31T18:00:00Z, got ${shortJson(raw)}`)
  );
  return described(z.optional(time), { kind: "text", type: "time", description });
}

/** A smaller number is no time of this century: a year, or seconds. */
const INSTANT_MIN: Millis = 1_000_000_000_000;
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A port whose absence has a meaning of its own. */
export function optionalPort(description: string): z.ZodMiniType<number | undefined> {
  return optionalQuantity({ description, options: {}, kind: "port", parse: parsePort, expected: PORT });
}

/** True or false. `yes`, `no`, `on` and `off` are accepted, because they are booleans in the YAML of the original relay. */
export function flag(description: string, options: SettingOptions<boolean>): z.ZodMiniType<boolean> {
  return described(
    z._default(converted(parseFlag), options.default),
    { kind: "flag", type: "true or false", description },
    options,
  );
}

/** True or false, whose absence has a meaning of its own. */
export function optionalFlag(description: string): z.ZodMiniType<boolean | undefined> {
  return described(z.optional(converted(parseFlag)), { kind: "flag", type: "true or false", description });
}

const parseFlag = (raw: unknown, reject: RejectValue): boolean =>
  FLAGS.get(typeof raw === "string" ? raw.toLowerCase() : raw) ?? reject(`expected true or false, got ${shortJson(raw)}`);

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, "true", "yes", "on"].map((name) => [name, true] as const),
  ...[false, "false", "no", "off"].map((name) => [name, false] as const),
]);

/** One of these values. `rejected` explains why others are not supported. */
export function choice<const T extends string>(
  description: string,
  values: readonly T[],
  options: SettingOptions<NoInfer<T>>,
): z.ZodMiniType<T> {
  // Why the cast: zod cannot see that no text is undefined.
  const schema = z._default(oneOf(values, options.rejected), options.default as Exclude<T, undefined>);
  return described(schema, { kind: "choice", type: values.join(" | "), description }, options);
}

/** A choice whose absence has a meaning of its own. */
export function optionalChoice<const T extends string>(
  description: string,
  values: readonly T[],
): z.ZodMiniType<T | undefined> {
  return described(z.optional(oneOf(values)), { kind: "choice", type: values.join(" | "), description });
}

function oneOf<const T extends string>(
  values: readonly T[],
  rejected: Readonly<Record<string, string>> = {},
): z.ZodMiniType<T> {
  const reasons = new Map(Object.entries(rejected));
  return z.enum(values, {
    error: ({ input }) => reasons.get(String(input)) ?? `expected one of ${values.join(", ")}, got ${shortJson(input)}`,
  });
}

export interface ListOptions<T> {
  readonly item: z.ZodMiniType<T>;
  /** The name of the entries, in the plural. */
  readonly type: string;
  readonly default?: readonly T[];
}

/** A list; empty by default. */
export function list<T>(
  description: string,
  { item, type, default: entries = [] }: ListOptions<T>,
): z.ZodMiniType<readonly T[]> {
  const given = z.readonly(z.array(item, { error: `expected a list of ${type}` }));
  return described(z._default(given, entries), { kind: "list", type: `list of ${type}`, description });
}

/** A list whose absence has a meaning of its own. */
export function optionalList<T>(
  description: string,
  { item, type, lengthMax }: { readonly item: z.ZodMiniType<T>; readonly type: string; readonly lengthMax: number },
): z.ZodMiniType<readonly T[] | undefined> {
  const error = ({ input }: { readonly input?: unknown }): string =>
    `expected at most ${lengthMax} ${type}, got ${(input as unknown[]).length}`;
  const given = z.array(item, { error: `expected a list of ${type}` }).check(z.maxLength(lengthMax, { error }));
  return described(z.optional(z.readonly(given)), { kind: "list", type: `list of ${type}`, description });
}

/** One of these values, in a list. */
export const listItem = <const T extends string>(values: readonly T[]): z.ZodMiniType<T> => oneOf(values);

/** One text of a list. */
export const textItem: z.ZodMiniType<string> = z.string(TEXT);

/** One text of a list, of a certain form. */
export function itemOfForm({ fits, expected, isSecret = false }: TextForm): z.ZodMiniType<string> {
  const error = ({ input }: { readonly input?: unknown }): string =>
    isSecret ? `expected ${expected}` : `expected ${expected}, got ${shortJson(input)}`;
  return z.string(TEXT).check(z.refine(fits, { error }));
}

/** An address or a host name of a list. */
export const hostItem: z.ZodMiniType<string> = itemOfForm({
  fits: (text) => HOST.test(text) && !/^[^:]*:\d*$/.test(text),
  expected: "an address or a host name without a port",
});

/** An address of a list. */
export const addressItem: z.ZodMiniType<string> = itemOfForm({
  fits: (text) => /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i.test(text),
  expected: "an address such as 127.0.0.1",
});

/**
 * A block of settings. Unknown names are errors; missing ones get their defaults. `defaults`: the settings of a block that is not given.
 *
 * Why `settings` is a function: a configuration gives few of the blocks, and building all would be most of the time of reading it.
 */
export function block<T extends object>(
  description: string,
  defaults: NoInfer<T>,
  settings: () => SettingSchemas<T>,
): z.ZodMiniType<T> {
  const given = z.lazy(() => z.strictObject(settings(), { error: blockError }));
  // Why the cast: zod infers the type of an object from its shape, which is generic here.
  return z._default(given as unknown as z.ZodMiniType<object>, defaults).register(registry, { description }) as never;
}

/** A block whose absence has a meaning of its own. */
export function optionalBlock<T>(description: string, settings: z.ZodMiniType<T>): z.ZodMiniType<T | undefined> {
  return z.optional(settings).register(registry, { description });
}

/** The schemas of the settings of a block. */
type SettingSchemas<T> = { readonly [Name in keyof T]-?: z.ZodMiniType<T[Name]> };

/** One entry of a list of blocks. */
export function entry<T extends object>(settings: () => SettingSchemas<T>): z.ZodMiniType<T> {
  return z.lazy(() => z.strictObject(settings(), { error: blockError })) as never; // Why the cast: as in `block`.
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

function quantity(spec: QuantitySpec<SettingOptions<number>>): z.ZodMiniType<number> {
  return described(
    z._default(converted(quantityParser(spec)), spec.options.default),
    { ...spec, type: spec.kind },
    spec.options,
  );
}

function optionalQuantity(spec: QuantitySpec<Partial<SettingOptions<number>>>): z.ZodMiniType<number | undefined> {
  return described(z.optional(converted(quantityParser(spec))), { ...spec, type: spec.kind }, spec.options);
}

function quantityParser(
  { options, kind, parse, expected }: QuantitySpec<Partial<SettingOptions<number>>>,
): (raw: unknown, reject: RejectValue) => number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const atLeast = min > 0 ? `, at least ${formatQuantity(kind, min)}` : "";
  return (raw, reject) => {
    const value = parse(raw);
    if (value !== undefined && value >= min) return Math.min(value, max);
    return reject(`expected ${expected}${atLeast}, got ${shortJson(raw)}`);
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

/** Registers what the reference prints about a setting. */
function described<Schema extends z.ZodMiniType>(
  schema: Schema,
  { kind, type, description }: Pick<SettingInfo, "kind" | "type" | "description">,
  { restart = false, secret = false, max }: Partial<SettingOptions<unknown>> = {},
): Schema {
  registry.add(schema, { setting: { kind, description, type, restart, secret, max } });
  return schema;
}

/** Reports what is wrong with a value. */
type RejectValue = (reason: string) => never;

/** A value that is converted from what is written. */
const converted = <T>(convert: (raw: unknown, reject: RejectValue) => T): z.ZodMiniType<T> =>
  z.transform((raw: unknown, { issues }) =>
    convert(raw, (message) => {
      issues.push({ code: "custom", message, input: raw });
      return z.NEVER;
    })
  );

const SHORT_MAX = 60;

/** A wrong value as an error shows it. Only for kinds that never hold a secret. */
function shortJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > SHORT_MAX ? `${json.slice(0, SHORT_MAX)}...` : json;
}
