/**
 * The declaration of a neuron, and its checks.
 *
 * Directions exist only here: on the bus every parameter is an input and an output. They decide which parameters a program may send and
 * listen to.
 */
import { PARAMETERS_PER_NEURON_MAX, VALUES_QUEUED_MAX } from "../../core/limits.ts";
import type { RegisteredParameter } from "./bus-json.ts";
import { checkNeuronName, checkParameterName } from "./names.ts";
import { isViolation, type RuleViolation, violation } from "./rule-violation.ts";

/** Whether a program listens to a parameter, sends it, or both. */
export type Direction = "in" | "out" | "both";
/** Lowest and highest value; null for no bound. The session scales by it and never clamps. */
export type Range = readonly [number | null, number | null];

/** One parameter. Every field has a default; `{}` declares a parameter that is sent and listened to. */
export interface ParameterDeclaration {
  /** Default: `both`. */
  readonly direction?: Direction;
  readonly range?: Range;
  /** True: every value that is routed to it arrives, including repetitions. Default: false, and the session drops repetitions. */
  readonly stream?: boolean;
  /** Maximum values per second; 0 for no limit. Default: the neuron's rate. */
  readonly rate?: number;
  /** Its last value is sent again after a reconnect. Default: true. Use false for events, as opposed to levels. */
  readonly resend?: boolean;
}

/** Parameters by name. */
export type Declaration = Readonly<Record<string, ParameterDeclaration>>;

/** The handling of values that are sent while the bus is offline. */
export type OfflinePolicy = "drop" | "latest" | { readonly queue: number };

/** Keeps the last `size` values in order while the bus is offline. */
export const queue = (size: number): OfflinePolicy => ({ queue: size });

/** A neuron, without the address of its bus. */
export interface NeuronDeclaration<D extends Declaration = Declaration> {
  /** Without `_`, `/`, `?` and `#`. */
  readonly name: string;
  readonly parameters: D;
  /** Maximum values per second of each parameter; 0 for no limit. Default: 200. Above that a native neuron lags. */
  readonly rate?: number;
  /** Default: `latest`. */
  readonly whileOffline?: OfflinePolicy;
  /** Whether NaN and the infinities pass, in both directions. One of them makes the session's state invalid JSON. Default: `refuse`. */
  readonly nonFinite?: "refuse" | "allow";
  /** The handling of values outside the declared range. Default: `pass`, because in a session a range is only a hint. */
  readonly outOfRange?: "pass" | "clamp" | "refuse";
}

/** Values per second. Above it, a native neuron that listens lags by half a second. */
export const RATE_DEFAULT = 200;

/** A checked declaration with every default filled in. */
export interface NeuronSpec {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  readonly whileOffline: OfflinePolicy;
  readonly nonFinite: "refuse" | "allow";
  readonly outOfRange: "pass" | "clamp" | "refuse";
}
export interface ParameterSpec {
  readonly name: string;
  readonly direction: Direction;
  readonly range: Range | undefined;
  readonly stream: boolean;
  readonly rate: number;
  readonly resend: boolean;
}

/** The declaration with its defaults, or the first rule that it breaks. */
export function readDeclaration(declared: NeuronDeclaration): NeuronSpec | RuleViolation {
  const { name, rate = RATE_DEFAULT, whileOffline = "latest", nonFinite = "refuse", outOfRange = "pass" } = declared;
  const named = Object.entries(declared.parameters);
  const broken = checkNeuronName(name) ?? checkCount(named.length) ?? checkRate(name, rate) ??
    checkOfflinePolicy(whileOffline);
  if (broken !== undefined) return broken;
  const parameters: ParameterSpec[] = [];
  for (const [parameter, declaration] of named) {
    const spec = readParameter(parameter, declaration, rate);
    if (isViolation(spec)) return spec;
    parameters.push(spec);
  }
  return { name, parameters, whileOffline, nonFinite, outOfRange };
}

function readParameter(name: string, declared: ParameterDeclaration, neuronRate: number): ParameterSpec | RuleViolation {
  const { direction = "both", range, stream = false, rate = neuronRate, resend = true } = declared;
  const broken = checkParameterName(name) ?? checkRange(name, range) ?? checkRate(name, rate);
  if (broken !== undefined) return broken;
  return { name, direction, range, stream, rate, resend };
}

const checkCount = (count: number): RuleViolation | undefined =>
  count <= PARAMETERS_PER_NEURON_MAX
    ? undefined
    : violation("parameter-count", `${count} parameters; at most ${PARAMETERS_PER_NEURON_MAX} are allowed`);

const checkRate = (name: string, rate: number): RuleViolation | undefined =>
  Number.isFinite(rate) && rate >= 0
    ? undefined
    : violation("rate", `rate of ${name} is ${rate}: expected values per second, 0 for no limit`);

function checkRange(name: string, range: Range | undefined): RuleViolation | undefined {
  if (range === undefined) return undefined;
  // Why: authors without types, and settings, get here too.
  const isBound = (bound: unknown) => bound === null || (typeof bound === "number" && Number.isFinite(bound));
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isBound)) {
    return violation("range", `range of ${name}: expected two finite numbers, null for no bound`);
  }
  const [low, high] = range;
  return low !== null && high !== null && low > high
    ? violation("range", `range of ${name}: ${low} is above ${high}`)
    : undefined;
}

function checkOfflinePolicy(policy: OfflinePolicy): RuleViolation | undefined {
  if (policy === "drop" || policy === "latest") return undefined;
  const size = policy?.queue;
  if (Number.isInteger(size) && size > 0 && size <= VALUES_QUEUED_MAX) return undefined;
  return violation("policy", `whileOffline: expected "drop", "latest" or queue(n) with n from 1 to ${VALUES_QUEUED_MAX}`);
}

/** The parameters as they are registered on the bus. */
export function registeredParameters(spec: NeuronSpec): RegisteredParameter[] {
  return spec.parameters.map(({ name, range, stream }): RegisteredParameter => ({
    name,
    ...(range !== undefined && { range }),
    ...(stream && { stream: true as const }),
  }));
}

/** The nearest value within the range. */
export function clamp(value: number, range: Range): number {
  const [low, high] = range;
  if (low !== null && value < low) return low;
  return high !== null && value > high ? high : value;
}

/** Maps a value linearly from one range to another. Both need two bounds; a `from` of width 0 gives the lower bound of `to`. */
export function scale(value: number, from: readonly [number, number], to: readonly [number, number]): number {
  const width = from[1] - from[0];
  return width === 0 ? to[0] : to[0] + ((value - from[0]) / width) * (to[1] - to[0]);
}
