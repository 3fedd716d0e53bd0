/**
 * Builders for the settings of the schema. Each builder states what a value must look like, in the words of the person who writes the
 * file, and holds what the reference prints about the setting.
 *
 * A name without a value (`port:` with nothing after it) counts as absent and gets the default.
 */
import type { Millis } from "../core/ids.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./quantities.ts";
import {
  blockOf,
  listOf,
  mapped,
  type Report,
  type Schema,
  type SettingInfo,
  type SettingKind,
  type ShapeOf,
  withDefault,
} from "./schema-parts.ts";

export interface SettingOptions<T> {
  readonly default: T;
  readonly restart?: boolean;
  readonly secret?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Plausible but unsupported values, each with the reason why it is rejected. */
  readonly rejected?: Readonly<Record<string, string>>;
}

const DURATION = "a duration such as 10s, 5m or 250ms";
const SIZE = "a size such as 64KiB or 1MiB, or a number of bytes";
const PORT = "a port from 0 to 65535";

/** A time in milliseconds, written as `10s` or `250ms`. */
export function duration(description: string, options: SettingOptions<Millis>): Schema<number> {
  return quantity({ description, options, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** Bytes, written as `64KiB` or as a number. */
export function size(description: string, options: SettingOptions<number>): Schema<number> {
  return quantity({ description, options, kind: "size", parse: parseSize, expected: SIZE });
}

/** A whole number. */
export function count(description: string, options: SettingOptions<number>): Schema<number> {
  return quantity({ description, options, kind: "number", parse: parseInteger, expected: "a whole number" });
}

/** A port to listen on. */
export function port(defaultPort: number): Schema<number> {
  const description = "The port to listen on; 0 picks a free one.";
  const options = { default: defaultPort, restart: true };
  return quantity({ description, options, kind: "port", parse: parsePort, expected: PORT });
}

/** An address or a name without a port: `127.0.0.1`, `::1`, `[::1]`, `localhost`. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[?[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9]+)?\]?)$/i;

/** An address to listen on. */
export function host(defaultHost: string): Schema<string> {
  const info = { kind: "text", type: "text", description: "The address to listen on." } as const;
  return setting(info, { default: defaultHost, restart: true }, hostItem.read);
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
): Schema<string> {
  const [scheme = ""] = example.split(":", 1);
  const schemes = [`${scheme}:`, `${scheme}s:`, ...(mayBePath ? ["unix:"] : [])];
  const isUrl = (text: string): boolean =>
    (mayBeEmpty && text === "") || (mayBePath && text.startsWith("/")) ||
    (URL.canParse(text) && schemes.includes(new URL(text).protocol));
  const expected = `a URL such as ${example}${mayBeEmpty ? ", or an empty text" : ""}`;
  return textOfForm(description, { fits: isUrl, expected, isSecret: true }, options);
}

/** Text of a certain form. */
export function textOfForm(description: string, form: TextForm, options: SettingOptions<string>): Schema<string> {
  return setting({ kind: "text", type: "text", description }, options, itemOfForm(form).read);
}

/** The form of a text. `expected` completes the sentence "expected ...". */
interface TextForm {
  fits(text: string): boolean;
  readonly expected: string;
  /** It may contain a secret, so errors do not show it. */
  readonly isSecret?: boolean;
}

/** A number that need not be whole. */
export function real(description: string, options: SettingOptions<number>): Schema<number> {
  return setting({ kind: "number", type: "number", description }, options, readNumber);
}

/** Any text, including an empty one. */
export function text(description: string, options: SettingOptions<string>): Schema<string> {
  return setting({ kind: "text", type: "text", description }, options, readText);
}

/** Text that has no default and must be given. */
export function requiredText(description: string): Schema<string> {
  const given = mapped({ read: readText }, (value, report) => {
    if (value === "") report("expected text, got an empty one");
    return value;
  });
  return setting({ kind: "text", type: "text", description }, {}, given.read);
}

/** Text whose absence has a meaning of its own. */
export function optionalText(
  description: string,
  options: Partial<SettingOptions<never>> = {},
): Schema<string | undefined> {
  return setting({ kind: "text", type: "text", description }, options, optional(readText));
}

/** A duration whose absence has a meaning of its own. */
export function optionalDuration(description: string): Schema<Millis | undefined> {
  return optionalQuantity({ description, options: {}, kind: "duration", parse: parseDuration, expected: DURATION });
}

/** A port whose absence has a meaning of its own. */
export function optionalPort(description: string): Schema<number | undefined> {
  return optionalQuantity({ description, options: {}, kind: "port", parse: parsePort, expected: PORT });
}

/** True or false. `yes`, `no`, `on` and `off` are accepted, because they are booleans in the YAML of the original relay. */
export function flag(description: string, options: SettingOptions<boolean>): Schema<boolean> {
  return setting({ kind: "flag", type: "true or false", description }, options, (raw, report) => {
    const value = FLAGS.get(typeof raw === "string" ? raw.toLowerCase() : raw);
    if (value === undefined) report(`expected true or false, got ${shortJson(raw)}`);
    return value ?? false;
  });
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
): Schema<T> {
  return setting({ kind: "choice", type: values.join(" | "), description }, options, oneOf(values, options.rejected));
}

/** A choice whose absence has a meaning of its own. */
export function optionalChoice<const T extends string>(description: string, values: readonly T[]): Schema<T | undefined> {
  return setting({ kind: "choice", type: values.join(" | "), description }, {}, optional(oneOf(values)));
}

function oneOf<T extends string>(values: readonly T[], rejected: Readonly<Record<string, string>> = {}): Read<T> {
  const [first] = values as readonly [T, ...T[]]; // Why: no choice is empty.
  const reasons = new Map(Object.entries(rejected));
  return (raw, report) => {
    const value = values.find((one) => one === raw);
    if (value === undefined) {
      report(reasons.get(String(raw)) ?? `expected one of ${values.join(", ")}, got ${shortJson(raw)}`);
    }
    return value ?? first;
  };
}

export interface ListOptions<T> {
  readonly item: Schema<T>;
  /** The name of the entries, in the plural. */
  readonly type: string;
  readonly default?: readonly T[];
}

/** A list; empty by default. */
export function list<T>(
  description: string,
  { item, type, default: entries = [] }: ListOptions<T>,
): Schema<readonly T[]> {
  const info = { kind: "list", type: `list of ${type}`, description } as const;
  return setting(info, { default: entries }, listOf(item, `expected a list of ${type}`).read);
}

/** A list that is not empty. */
export function someOf<T>(item: Schema<T>, expected: string): Schema<readonly T[]> {
  return mapped(listOf(item, expected), (values, report) => {
    if (values.length === 0) report(expected);
    return values;
  });
}

/** One text of a list. */
export const textItem: Schema<string> = { read: readText };

/** One text of a list, of a certain form. */
export function itemOfForm({ fits, expected, isSecret = false }: TextForm): Schema<string> {
  return mapped(textItem, (given, report) => {
    if (!fits(given)) report(isSecret ? `expected ${expected}` : `expected ${expected}, got ${shortJson(given)}`);
    return given;
  });
}

/** An address or a host name of a list. */
export const hostItem: Schema<string> = itemOfForm({
  fits: (text) => HOST.test(text) && !/^[^:]*:\d*$/.test(text),
  expected: "an address or a host name without a port",
});

/** An address of a list. */
export const addressItem: Schema<string> = itemOfForm({
  fits: (text) => /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i.test(text),
  expected: "an address such as 127.0.0.1",
});

/** One of these values, in a list. */
export function listItem<const T extends string>(values: readonly T[], expected?: string): Schema<T> {
  const read = oneOf(values);
  return { read: expected === undefined ? read : (raw, report) => read(raw, () => report(expected)) };
}

/** Two numbers, the lower one first. */
export function range(ends: readonly [number, number]): Schema<readonly [number, number]> {
  return {
    read(raw = ends, report) {
      const [low, high, ...others] = Array.isArray(raw) ? raw : [];
      if (Number.isFinite(low) && Number.isFinite(high) && low <= high && others.length === 0) return [low, high];
      report("expected two numbers, the lower one first, such as [0, 127]");
      return ends;
    },
  };
}

/** A block of settings. Unknown names are errors; missing ones get their defaults. */
export function block<T>(description: string, shape: ShapeOf<T>): Schema<T> {
  const { read, ...rest } = blockOf(shape);
  return { ...rest, description, read: (raw = {}, report) => read(raw, report) };
}

/** One entry of a list of blocks. */
export const entry: <T>(shape: ShapeOf<T>) => Schema<T> = blockOf;

type Read<T> = Schema<T>["read"];

/** A single setting: a missing value is its default, if it has one. */
function setting<T>(
  { kind, type, description }: Pick<SettingInfo, "kind" | "type" | "description">,
  options: Partial<SettingOptions<T>>,
  read: Read<T>,
): Schema<T> {
  const { default: value, restart = false, secret = false, max } = options;
  const part = { setting: { kind, description, type, restart, secret, max }, default: value, read };
  return value === undefined ? part : withDefault(part, value);
}

const optional = <T>(read: Read<T>): Read<T | undefined> => withDefault({ read }, undefined).read;

function readText(raw: unknown, report: Report): string {
  if (typeof raw === "string") return raw;
  report(raw === undefined ? "missing: expected text" : "expected text, in quotes if it looks like a number");
  return "";
}

function readNumber(raw: unknown, report: Report): number {
  if (typeof raw === "number" && Number.isFinite(raw)) return raw;
  report(`expected a number, got ${shortJson(raw)}`);
  return 0;
}

interface QuantitySpec<Options> {
  readonly description: string;
  readonly options: Options;
  readonly kind: SettingKind;
  /** Completes the sentence "expected ...". */
  readonly expected: string;
  parse(raw: unknown): number | undefined;
}

function quantity(spec: QuantitySpec<SettingOptions<number>>): Schema<number> {
  return setting({ ...spec, type: spec.kind }, spec.options, quantityReader(spec));
}

function optionalQuantity(spec: QuantitySpec<Partial<SettingOptions<number>>>): Schema<number | undefined> {
  return setting({ ...spec, type: spec.kind }, spec.options, optional(quantityReader(spec)));
}

function quantityReader({ options, kind, parse, expected }: QuantitySpec<Partial<SettingOptions<number>>>): Read<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return (raw, report) => {
    const value = parse(raw);
    if (value !== undefined && value >= min) return Math.min(value, max);
    const atLeast = min > 0 ? `, at least ${formatQuantity(kind, min)}` : "";
    report(`expected ${expected}${atLeast}, got ${shortJson(raw)}`);
    return min;
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

const SHORT_MAX = 60;

/** A wrong value as an error shows it. Only for kinds that never hold a secret. */
function shortJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > SHORT_MAX ? `${json.slice(0, SHORT_MAX)}...` : json;
}
