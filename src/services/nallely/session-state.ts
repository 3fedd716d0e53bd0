/**
 * The state of a session as Trevor sends it, and queries on it.
 *
 * Only the parts that this code uses are checked; everything else is passed on unchanged.
 */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { NeuronSpec, Range } from "./declaration.ts";

/** The whole state, with the names that Trevor uses. */
export interface SessionState {
  readonly input_ports: readonly string[];
  readonly output_ports: readonly string[];
  readonly midi_devices: readonly JsonObject[];
  readonly virtual_devices: readonly VirtualDevice[];
  readonly connections: readonly Connection[];
  readonly classes: { readonly virtual: readonly string[]; readonly midi: readonly string[] };
  readonly playground_code: string;
  /** Parameters that are wired, but not registered yet. */
  readonly waiting_services: readonly { readonly key: string; readonly target: string }[];
  readonly exposed_services: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly myname: string;
}

/** A virtual device, a bus, or the proxy of an external neuron. */
export interface VirtualDevice {
  readonly id: number;
  readonly repr: string;
  readonly meta: { readonly name: string; readonly parameters: readonly VirtualParameter[]; readonly doc?: Json };
  readonly paused: boolean;
  readonly running: boolean;
  /** Values by parameter name; a bare NaN of the session is null here. */
  readonly config: Readonly<Record<string, Json>>;
  /** True for an external neuron, whose `id` is the bus's. */
  readonly proxy: boolean;
}

/** A parameter as the session lists it. */
export interface VirtualParameter {
  /** For an external neuron `NEURON_parameter`. */
  readonly name: string;
  readonly cv_name: string;
  readonly range: Range;
  readonly stream: boolean;
  readonly section_name: string;
  readonly [other: string]: Json | undefined;
}

/** A connection from one parameter to another. */
export interface Connection {
  readonly id: number;
  readonly src: {
    readonly device: number;
    readonly repr: string;
    readonly parameter: VirtualParameter;
    readonly chain?: Json;
  };
  readonly dest: { readonly device: number; readonly repr: string; readonly parameter: VirtualParameter };
  readonly bouncy: boolean;
  readonly muted: boolean;
}

/** True for a whole state, the only kind of message with these keys. */
export function isSessionState(message: Json): message is Json & SessionState {
  return isObject(message) && Array.isArray(message.virtual_devices) && message.virtual_devices.every(isVirtualDevice) &&
    Array.isArray(message.connections) && message.connections.every(isConnection) && isObject(message.classes);
}

function isVirtualDevice(value: Json): boolean {
  return isObject(value) && typeof value.id === "number" && isObject(value.meta) && typeof value.meta.name === "string" &&
    Array.isArray(value.meta.parameters) && value.meta.parameters.every(isNamed);
}

const isNamed = (value: Json | undefined): boolean => isObject(value) && typeof value.name === "string";

function isConnection(value: Json): boolean {
  return isObject(value) && isObject(value.src) && isObject(value.dest) && isNamed(value.src.parameter) &&
    isNamed(value.dest.parameter);
}

/** The id of the bus of external neurons; undefined while the session has no bus, as after a reset. */
export const busIdOf = (state: SessionState): number | undefined =>
  state.virtual_devices.find(({ meta, proxy }) => meta.name === "WebSocketBus" && !proxy)?.id;

/** The entry of an external neuron. */
export const proxyOf = (state: SessionState, neuron: string): VirtualDevice | undefined =>
  state.virtual_devices.find(({ meta, proxy }) => proxy && meta.name === neuron);

/** The devices of this class or name, without external neurons. */
export const devicesOf = (state: SessionState, name: string): readonly VirtualDevice[] =>
  state.virtual_devices.filter(({ meta, proxy }) => !proxy && meta.name === name);

/** The path of an external neuron's parameter, for `associate_parameters`. */
export const neuronPath = (bus: number, neuron: string, parameter: string): string =>
  `${bus}::__virtual__::${neuron}_${parameter}_cv`;

/** The path of a virtual device's parameter by its `cv_name` (`input_cv`, `output_cv`), for `associate_parameters`. */
export const devicePath = (device: number, cvName: string): string => `${device}::__virtual__::${cvName}`;

/** The connections from or to a parameter of an external neuron. */
export function connectionsOf(state: SessionState, neuron: string, parameter?: string): readonly Connection[] {
  const proxy = proxyOf(state, neuron);
  const names = new Set(
    parameter === undefined ? proxy?.meta.parameters.map(({ name }) => name) : [`${neuron}_${parameter}`],
  );
  return state.connections.filter(({ src, dest }) => names.has(src.parameter.name) || names.has(dest.parameter.name));
}

/** The differences between the session's registration of a neuron and its declaration. */
export interface Drift {
  /** False: the session does not list it. If its socket is open nevertheless, the name is poisoned, and only a reset of the session helps. */
  readonly isListed: boolean;
  /** Declared, but unknown to the session, which drops their values. */
  readonly missing: readonly string[];
  /** Known to the session, but not declared. */
  readonly extra: readonly string[];
  /** Declared with another range or stream flag. The session keeps the first registration. */
  readonly changed: readonly string[];
}

export function driftOf(state: SessionState, spec: NeuronSpec): Drift {
  const proxy = proxyOf(state, spec.name);
  const known = new Map(proxy?.meta.parameters.map((parameter) => [parameter.name.slice(spec.name.length + 1), parameter]));
  const declared = new Set(spec.parameters.map(({ name }) => name));
  const changed = spec.parameters.filter(({ name, range = [null, null], stream }) => {
    const there = known.get(name);
    return there !== undefined &&
      (there.stream !== stream || !Array.isArray(there.range) || `${there.range}` !== `${range}`);
  });
  return {
    isListed: proxy !== undefined,
    missing: [...declared].filter((name) => !known.has(name)),
    extra: [...known.keys()].filter((name) => !declared.has(name)),
    changed: changed.map(({ name }) => name),
  };
}

/** True when the session and the declaration differ. */
export const hasDrift = (drift: Drift): boolean =>
  !drift.isListed || drift.missing.length + drift.extra.length + drift.changed.length > 0;
