/**
 * A fake Nallely session: devices, links between parameters, and the state.
 *
 * It behaves like a real one, traps included, and knows no sockets: `nallely-bus.ts` and `nallely-trevor.ts` are its two servers, for sockets
 * of any kind. The caller provides the time.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import { FakeBus } from "./nallely-bus.ts";
import { describeParameter, type FakeParameter } from "./nallely-parameter.ts";
import type { BusSession, FakeDevice, FakeEnd, FakeLink, Later, TrevorSession } from "./nallely-model.ts";
import { FakeTrevor } from "./nallely-trevor.ts";

const CLASSES = ["Clock", "ADSREnvelope", "VCA", "Gate", "LFO", "Comparator", "Operator", "Sequencer", "Switch"];
/** A native neuron reads its inputs once in this time, and queues at most `QUEUE_MAX` values. */
const CYCLE_MS = 1_000 / 256;
const QUEUE_MAX = 2_000;
/** Duration of a reset, during which nothing listens on the port of the bus. */
const RESET_MS = 120;

export type { FakeSessionPeer } from "./nallely-model.ts";

export class FakeSession implements BusSession, TrevorSession<FakeBus> {
  readonly later: Later;
  readonly devices: FakeDevice[] = [];
  readonly links: FakeLink[] = [];
  readonly trevor: FakeTrevor;
  /** Undefined while nothing listens. */
  bus: FakeBus | undefined;
  playgroundCode = "";
  #ids = 140_000_000_000_000;
  readonly #counts = new Map<string, number>();

  constructor(later: Later) {
    this.later = later;
    this.bus = new FakeBus(this, this.newId());
    this.trevor = new FakeTrevor(this);
  }

  newId(): number {
    return this.#ids += 4_096;
  }

  /** Undefined if there is no such class. */
  create(className: string): FakeDevice | undefined {
    if (!CLASSES.includes(className)) return undefined;
    const count = (this.#counts.get(className) ?? 0) + 1;
    this.#counts.set(className, count);
    const names = className === "VCA"
      ? ["output", "set_pause", "input", "amplitude", "gain"]
      : ["output", "set_pause", "input"];
    const device: FakeDevice = {
      id: this.newId(),
      className,
      repr: `${className}${count}`,
      parameters: names.map((name) => nativeParameter(name)),
      config: new Map(className === "VCA" ? [["input", -1], ["amplitude", 0], ["gain", 1]] : [["input", 0]]),
      inputs: [],
      isPaused: false,
      isAwake: false,
    };
    this.devices.push(device);
    return device;
  }

  /** The parameter at the path `DEVICE::SECTION::PARAMETER`. On the bus, a name that is not registered is waited for. */
  endOf(path: string): FakeEnd | "waiting" | undefined {
    const [id = "", , cvName = ""] = path.split("::");
    if (this.bus !== undefined && String(this.bus.id) === id) {
      const parameter = this.bus.parameterOf(cvName);
      return parameter === undefined ? "waiting" : { device: this.bus.id, parameter };
    }
    const device = this.devices.find((one) => String(one.id) === id);
    const parameter = device?.parameters.find((one) => one.cvName === cvName);
    return device === undefined || parameter === undefined ? undefined : { device: device.id, parameter };
  }

  link(source: FakeEnd, target: FakeEnd, isScaled: boolean): void {
    this.unlink(source, target);
    this.links.push({ id: this.newId(), source, target, isScaled, muted: false, bouncy: false });
  }

  unlink(source: FakeEnd, target: FakeEnd): void {
    const at = this.links.findIndex((link) =>
      link.source.parameter === source.parameter && link.target.parameter === target.parameter
    );
    if (at >= 0) this.links.splice(at, 1);
  }

  /** Removes every link of a parameter. */
  dropLinksOf(parameter: FakeParameter): void {
    const kept = this.links.filter(({ source, target }) =>
      source.parameter !== parameter && target.parameter !== parameter
    );
    this.links.splice(0, this.links.length, ...kept);
  }

  /** A value leaves a parameter. Repeated values are forwarded: an external neuron's, and those that an amplifier makes of them. */
  route(from: FakeParameter, value: number): void {
    for (const link of this.links) {
      if (link.source.parameter !== from || link.muted) continue;
      this.#arrive(link.target, link.isScaled ? scaled(value, from.range, link.target.parameter.range) : value);
    }
  }

  setValue(device: FakeDevice, name: string, value: number): void {
    this.#take(device, name, value);
  }

  /** Removes devices, links and the bus, which is replaced by another one. */
  reset(done: () => void): void {
    this.devices.length = 0;
    this.links.length = 0;
    this.#counts.clear();
    const old = this.bus;
    this.bus = undefined;
    old?.shutDown();
    this.later(RESET_MS, () => {
      this.bus = new FakeBus(this, this.newId());
      done();
    });
  }

  /** The whole state. */
  get state(): JsonObject {
    return {
      input_ports: [],
      output_ports: [],
      midi_devices: [],
      virtual_devices: [...(this.bus?.describe() ?? []), ...this.devices.map(describeDevice)],
      connections: this.links.map((link) => this.#describeLink(link)),
      classes: { virtual: CLASSES, midi: [] },
      playground_code: this.playgroundCode,
      waiting_services: this.bus?.waitingServices() ?? [],
      exposed_services: {},
      myname: "fake",
    };
  }

  #arrive(target: FakeEnd, value: number): void {
    if (this.bus?.id === target.device) return this.bus.deliver(target.parameter.name, value);
    const device = this.devices.find(({ id }) => id === target.device);
    if (device !== undefined) this.#take(device, target.parameter.name, value);
  }

  #take(device: FakeDevice, name: string, value: number): void {
    device.config.set(name, value); // Why: stored at once, processed later.
    if (device.inputs.length < QUEUE_MAX) device.inputs.push({ name, value });
    if (device.isAwake) return;
    device.isAwake = true;
    this.later(CYCLE_MS, () => this.#cycle(device));
  }

  #cycle(device: FakeDevice): void {
    const level = device.inputs.length;
    const batch = level > QUEUE_MAX * 0.8 ? 100 : Math.min(20, Math.max(1, Math.floor(level / 100)));
    const taken = device.isPaused ? [] : device.inputs.splice(0, batch);
    const last = taken.at(-1);
    // Why: the values of one batch are merged into the last one.
    if (last !== undefined) this.#work(device, last);
    device.isAwake = device.inputs.length > 0 && this.devices.includes(device);
    if (device.isAwake) this.later(CYCLE_MS, () => this.#cycle(device));
  }

  #work(device: FakeDevice, { name, value }: { readonly name: string; readonly value: number }): void {
    if (device.className !== "VCA") return;
    const { config } = device;
    const input = name === "input" ? value : config.get("input") ?? 0;
    const output = input * (config.get("amplitude") ?? 0) * (config.get("gain") ?? 1);
    const [parameter] = device.parameters;
    if (parameter !== undefined) this.route(parameter, output);
  }

  #describeLink({ id, source, target, isScaled, bouncy, muted }: FakeLink): JsonObject {
    const end = ({ device, parameter }: FakeEnd): JsonObject => ({
      device,
      repr: this.devices.find((one) => one.id === device)?.repr ?? "WebSocketBus1",
      parameter: describeParameter(parameter),
      explicit: -1,
      type: "virtual",
    });
    const chain = isScaled
      ? { id: id + 1, device: source.device, to_min: 0, to_max: 1, auto: false, method: "lin", as_int: false }
      : null;
    return { id, src: { ...end(source), chain }, dest: end(target), bouncy, muted, velocity: null, extra_zero: "none" };
  }
}

function describeDevice({ id, className, repr, parameters, config, isPaused }: FakeDevice): JsonObject {
  return {
    id,
    repr,
    meta: { name: className, parameters: parameters.map(describeParameter), doc: null },
    paused: isPaused,
    running: true,
    config: Object.fromEntries(config),
    proxy: false,
    vrefs: {},
  };
}

const RANGES: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["set_pause", [0, 1]],
  ["amplitude", [0, 1]],
  ["gain", [1, 2]],
]);
const nativeParameter = (name: string): FakeParameter => ({
  name,
  cvName: `${name}_cv`,
  range: RANGES.get(name) ?? [-1, 1],
  stream: false,
  consumer: name === "set_pause",
});

/** Mapped linearly if all four bounds are known, otherwise unchanged. */
function scaled(value: number, from: Json, to: Json): number {
  const [low, high, toLow, toHigh] = [...bounds(from), ...bounds(to)];
  if (low === undefined || high === undefined || toLow === undefined || toHigh === undefined || low === high) return value;
  return toLow + ((value - low) / (high - low)) * (toHigh - toLow);
}

const bounds = (range: Json): [number | undefined, number | undefined] => {
  const [low, high] = Array.isArray(range) ? range : [];
  return [typeof low === "number" ? low : undefined, typeof high === "number" ? high : undefined];
};
