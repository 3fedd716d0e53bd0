/**
 * What a neuron declares, and the checks that come before anything of it is used.
 *
 * Directions are ours: on the bus every parameter is an input and an output. They decide what a program may send or listen to.
 */
import { PARAMETERS_PER_NEURON_MAX, VALUES_QUEUED_MAX } from "../../core/limits.ts";
import { checkNeuronName, checkParameterName } from "./names.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { WireParameter } from "./wire.ts";

/** What a program may do with a parameter: listen, send, or both. */
export type Direction = "in" | "out" | "both";
/** Lowest and highest value; null: no bound. The session scales by it and never clamps. */
export type Range = readonly [number | null, number | null];

/** One parameter. Every field has a default: `{}` is sent and listened to. */
export interface ParameterDeclaration {
  /** `both` when absent. */
  readonly direction?: Direction;
  readonly range?: Range;
  /** Equal values in a row that are routed to it all arrive; else the session leaves repetitions out. */
  readonly stream?: boolean;
  /** Values per second at most, instead of the neuron's rate; 0: no ceiling. */
  readonly rate?: number;
  /** Its last value is sent again after a reconnect. True when absent; false for what is an occasion and not a level. */
  readonly resend?: boolean;
}

/** Parameters by name. */
export type Declaration = Readonly<Record<string, ParameterDeclaration>>;

/** What becomes of values that are sent while the bus is away. */
export type AwayPolicy = "drop" | "latest" | { readonly queue: number };

/** Keeps the last `size` values, in order, while the bus is away. */
export const queue = (size: number): AwayPolicy => ({ queue: size });

/** Everything about a neuron but where its bus is. Absent fields have their defaults in `readDeclaration`. */
export interface NeuronDeclaration<D extends Declaration = Declaration> {
  /** Without `_`, `/`, `?` and `#`. */
  readonly name: string;
  readonly parameters: D;
  /** Values per second and parameter at most; 200 when absent, above which a native neuron lags; 0: no ceiling. */
  readonly rate?: number;
  /** `latest` when absent. */
  readonly whileAway?: AwayPolicy;
  /** NaN and the infinities pass in both directions. One of them makes the whole session's state unreadable as JSON. */
  readonly nonFinite?: "refuse" | "allow";
  /** Values outside the declared range. `pass` when absent, as everywhere in a session: a range is a hint there. */
  readonly outOfRange?: "pass" | "clamp" | "refuse";
}

/** Above it, a native neuron that listens falls behind by half a second. */
export const RATE_DEFAULT = 200;

/** A declaration that has been checked, with every default filled in. */
export interface NeuronPlan {
  readonly name: string;
  readonly parameters: readonly ParameterPlan[];
  readonly whileAway: AwayPolicy;
  readonly nonFinite: "refuse" | "allow";
  readonly outOfRange: "pass" | "clamp" | "refuse";
}
export interface ParameterPlan {
  readonly name: string;
  readonly direction: Direction;
  readonly range: Range | undefined;
  readonly stream: boolean;
  readonly rate: number;
  readonly resend: boolean;
}

/** The declaration with its defaults, or the first rule that it breaks. */
export function readDeclaration(declared: NeuronDeclaration): NeuronPlan | Refusal {
  const nameless = checkNeuronName(declared.name);
  if (nameless !== undefined) return nameless;
  const named = Object.entries(declared.parameters);
  if (named.length > PARAMETERS_PER_NEURON_MAX) {
    return refusal("parameter-count", `${named.length} parameters; at most ${PARAMETERS_PER_NEURON_MAX} are allowed`);
  }
  const { rate = RATE_DEFAULT, whileAway = "latest", nonFinite = "refuse", outOfRange = "pass" } = declared;
  const refused = checkRate(declared.name, rate) ?? checkAway(whileAway);
  if (refused !== undefined) return refused;
  const parameters: ParameterPlan[] = [];
  for (const [name, parameter] of named) {
    const plan = readParameter(name, parameter, rate);
    if ("rule" in plan) return plan;
    parameters.push(plan);
  }
  return { name: declared.name, parameters, whileAway, nonFinite, outOfRange };
}

function readParameter(name: string, declared: ParameterDeclaration, neuronRate: number): ParameterPlan | Refusal {
  const { direction = "both", range, stream = false, rate = neuronRate, resend = true } = declared;
  const refused = checkParameterName(name) ?? checkRange(name, range) ?? checkRate(name, rate);
  if (refused !== undefined) return refused;
  return { name, direction, range, stream, rate, resend };
}

const checkRate = (name: string, rate: number): Refusal | undefined =>
  Number.isFinite(rate) && rate >= 0
    ? undefined
    : refusal("rate", `rate of ${name}: a number of values per second, 0 for no ceiling`);

function checkRange(name: string, range: Range | undefined): Refusal | undefined {
  if (range === undefined) return undefined;
  // Why: the type says so, but authors without types, and settings, come here too.
  const isBound = (bound: unknown) => bound === null || (typeof bound === "number" && Number.isFinite(bound));
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isBound)) {
    return refusal("range", `range of ${name}: two finite numbers, or null for no bound`);
  }
  const [low, high] = range;
  return low !== null && high !== null && low > high
    ? refusal("range", `range of ${name}: ${low} is above ${high}`)
    : undefined;
}

function checkAway(policy: AwayPolicy): Refusal | undefined {
  if (policy === "drop" || policy === "latest") return undefined;
  const size = policy?.queue;
  if (Number.isInteger(size) && size > 0 && size <= VALUES_QUEUED_MAX) return undefined;
  return refusal("policy", `whileAway: "drop", "latest" or queue(n) with n from 1 to ${VALUES_QUEUED_MAX}`);
}

/** The plan's parameters as the bus is told of them. */
export function wireParameters(plan: NeuronPlan): WireParameter[] {
  return plan.parameters.map(({ name, range, stream }): WireParameter => ({
    name,
    ...(range !== undefined && { range }),
    ...(stream && { stream: true as const }),
  }));
}

/** The value within the range. */
export function clamp(value: number, range: Range): number {
  const [low, high] = range;
  if (low !== null && value < low) return low;
  return high !== null && value > high ? high : value;
}

/** The value moved from one range to another in proportion; both need two bounds. A range without width gives its bound. */
export function scale(value: number, from: readonly [number, number], to: readonly [number, number]): number {
  const width = from[1] - from[0];
  return width === 0 ? to[0] : to[0] + ((value - from[0]) / width) * (to[1] - to[0]);
}
