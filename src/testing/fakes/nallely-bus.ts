/**
 * The bus of a fake session, with the traps of a real one.
 *
 * A name is known as soon as a socket for it has finished its registration, even by closing; a registration for a known name is ignored; a
 * routed value sets an attribute with the parameter's name on the bus itself; names are split at their first `_`; nothing is answered.
 */
import { type Frame, isObject, type Json, type JsonObject, parsePlainJson } from "../../core/json.ts";
import { utf8 } from "../../core/text.ts";
import { describeParameter, type FakeParameter } from "./nallely-parameter.ts";
import type { BusSession, FakeSessionPeer } from "./nallely-model.ts";

interface BusClient {
  readonly peer: FakeSessionPeer;
  readonly service: string;
  /** It is a client of its service. Before, the bus waits for its registration. */
  isJoined: boolean;
}

/** The bus forwards NaN as this value, the smallest normal float64. */
const NAN_SENT = 2.2250738585072014e-308;
const NAME_BYTES_MAX = 255;
const READ_ONLY = ["range", "ident"];

export class FakeBus {
  id: number;
  readonly #session: BusSession;
  readonly #connected = new Map<string, FakeSessionPeer[]>();
  readonly #services = new Map<string, FakeParameter[]>();
  readonly #parameters = new Map<string, FakeParameter>();
  readonly #values = new Map<string, number>();
  /** `cv` names that were referred to but not registered. */
  readonly #awaitedNames = new Set<string>();
  /** Connections to or from a name that is not registered yet. */
  readonly #wires: { readonly source: string; readonly target: string; readonly isScaled: boolean }[] = [];
  readonly #clients = new Map<FakeSessionPeer, BusClient>();
  /** A value was routed to `connected` or `known_services`. */
  #isBroken = false;

  constructor(session: BusSession, id: number) {
    this.#session = session;
    this.id = id;
  }

  open(peer: FakeSessionPeer): void {
    const service = peer.path.split("/")[1] ?? "";
    const client: BusClient = { peer, service, isJoined: false };
    if (peer.path.endsWith("/autoconfig")) return void this.#clients.set(peer, client);
    if (peer.path.endsWith("/unregister") && this.#services.has(service)) {
      this.unregister(service);
      return peer.close(1000, "");
    }
    if (!this.#services.has(service)) return peer.close(1000, "");
    this.#clients.set(peer, client);
    this.#join(client);
  }

  message(peer: FakeSessionPeer, frame: Frame): void {
    const client = this.#clients.get(peer);
    if (client === undefined) return;
    if (client.isJoined) return this.#takeValue(client, frame);
    if (this.#configure(client.service, frame)) return this.#join(client);
    this.#clients.delete(peer);
    peer.close(1011, "");
  }

  closed(peer: FakeSessionPeer): void {
    const client = this.#clients.get(peer);
    this.#clients.delete(peer);
    if (client === undefined) return;
    // The trap: a client that closes before registering leaves a name that is known and has no parameters.
    const peers = this.#peersOf(client.service);
    if (client.isJoined) peers.splice(peers.indexOf(peer), 1);
  }

  /** Closes every client, as a reset and the end of the session do. */
  shutDown(): void {
    for (const { peer, isJoined } of [...this.#clients.values()]) {
      if (isJoined) peer.close(1000, "WebSocket Bus is shutting down");
    }
    this.#clients.clear();
  }

  /** False if there is no such service. */
  unregister(service: string): boolean {
    const parameters = this.#services.get(service);
    if (parameters === undefined) return false;
    for (const parameter of parameters) {
      this.#session.dropLinksOf(parameter);
      this.#parameters.delete(parameter.cvName);
    }
    for (const peer of this.#connected.get(service) ?? []) {
      this.#clients.delete(peer);
      peer.close(1000, "");
    }
    this.#connected.delete(service);
    this.#services.delete(service);
    return true;
  }

  parameterOf(cvName: string): FakeParameter | undefined {
    return this.#parameters.get(cvName);
  }

  /** A connection to a name that is not registered waits for it. */
  await(wire: { readonly source: string; readonly target: string; readonly isScaled: boolean }, cvName: string): void {
    this.#awaitedNames.add(cvName);
    this.#wires.push(wire);
  }

  /** A value is routed to a parameter, `SERVICE_name`. */
  deliver(parameter: string, raw: number): void {
    const value = Number.isNaN(raw) ? NAN_SENT : raw;
    const [service = "", ...rest] = parameter.split("_");
    const name = rest.join("_");
    if (this.#isBroken || READ_ONLY.includes(name)) return;
    const peers = this.#peersOf(service);
    if (name === "connected" || name === "known_services") this.#isBroken = true;
    if (name === "uuid") this.id = value;
    const frame = makeFrame(name, value) ?? pythonText({ value, device: service, on: name, sender: null });
    for (const peer of [...peers]) peer.send(frame);
  }

  /** `set_virtual_value` on the bus. */
  setValue(parameter: string, value: number): void {
    if (!this.#parameters.has(`${parameter}_cv`)) return;
    this.#values.set(parameter, value);
    this.deliver(parameter, value);
  }

  describe(): JsonObject[] {
    const all = [...this.#services.values()].flat().map(describeParameter);
    const entry = (className: string, extra: JsonObject): JsonObject => ({
      id: this.id,
      repr: `${className}1`,
      meta: { name: className, parameters: all, doc: null },
      paused: false,
      running: true,
      config: {},
      proxy: false,
      vrefs: {},
      ...extra,
    });
    const proxies = [...this.#services].map(([name, parameters]): JsonObject => ({
      id: this.id,
      repr: name,
      meta: { name, parameters: parameters.map(describeParameter), doc: "No doc" },
      paused: false,
      running: true,
      config: {},
      proxy: true,
    }));
    return [
      entry("WebSocketBus", { config: { set_pause: 0, ...Object.fromEntries(this.#values) } }),
      ...proxies,
      entry("OSCBus", { id: this.id + 8 }),
    ];
  }

  waitingServices(): JsonObject[] {
    return [...this.#awaitedNames].map((name) => {
      const at = name.indexOf("_");
      return { key: name.slice(0, at), target: name.slice(at + 1) };
    });
  }

  #join(client: BusClient): void {
    client.isJoined = true;
    this.#peersOf(client.service).push(client.peer);
  }

  /** A lookup makes a name known. */
  #peersOf(service: string): FakeSessionPeer[] {
    const peers = this.#connected.get(service) ?? [];
    this.#connected.set(service, peers);
    return peers;
  }

  /** False for an exception in the bus. */
  #configure(service: string, frame: Frame): boolean {
    const message = parsePlainJson(textOf(frame) ?? "", 64);
    if (this.#isBroken || !isObject(message)) return false;
    const { parameters, type } = message;
    if (!isIterable(parameters)) return false;
    if (!this.#connected.has(service)) this.#services.set(service, this.#addPorts(service, parameters));
    else if (type === "add_parameters") {
      const known = this.#services.get(service);
      if (known === undefined) return false; // The name is poisoned.
      known.push(...this.#addPorts(service, parameters)); // Why: a parameter that was known is then listed twice.
    } else if (type === "remove_parameters") {
      const names = parameters.map((one) => `${service}_${isObject(one) ? one.name : ""}`);
      const known = this.#services.get(service) ?? [];
      // Their links stay and continue to deliver.
      this.#services.set(service, known.filter(({ name }) => !names.includes(name)));
    } else return true; // Known already: the message is ignored.
    this.#session.trevor.pushState();
    return true;
  }

  #addPorts(service: string, declared: readonly Json[]): FakeParameter[] {
    const added = declared.map((one): FakeParameter => {
      const { name = "None", range = [null, null], stream = false } = isObject(one) ? one : { name: one };
      const full = `${service}_${name ?? "None"}`;
      return { name: full, cvName: `${full}_cv`, range: range ?? [null, null], stream, consumer: true };
    });
    for (const parameter of added) {
      this.#parameters.set(parameter.cvName, parameter);
      this.#awaitedNames.delete(parameter.cvName);
    }
    this.#connectLate();
    return added;
  }

  #connectLate(): void {
    for (const wire of [...this.#wires]) {
      const [source, target] = [this.#session.endOf(wire.source), this.#session.endOf(wire.target)];
      if (source === undefined || target === undefined || source === "waiting" || target === "waiting") continue;
      this.#session.link(source, target, wire.isScaled);
      this.#wires.splice(this.#wires.indexOf(wire), 1);
    }
  }

  /** Errors are logged by the bus, and the sender gets no reply. */
  #takeValue({ service }: BusClient, frame: Frame): void {
    const read = typeof frame === "string" ? readText(frame) : readFrame(frame);
    if (read === undefined) return;
    const name = `${service}_${read.name}`;
    const parameter = this.#parameters.get(`${name}_cv`);
    if (parameter === undefined) return void this.#awaitedNames.add(`${name}_cv`);
    this.#values.set(name, read.value);
    this.#session.route(parameter, read.value);
  }
}

const isIterable = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const textOf = (frame: Frame): string | undefined => typeof frame === "string" ? frame : utf8(frame, "strip");

function makeFrame(name: string, value: number): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > NAME_BYTES_MAX) return undefined;
  const frame = new Uint8Array(bytes.length + 9);
  frame[0] = bytes.length;
  frame.set(bytes, 1);
  new DataView(frame.buffer).setFloat64(bytes.length + 1, value);
  return frame;
}

/** The bus reads a float32 where fewer than eight bytes are left, and ignores bytes after the first value. */
function readFrame(frame: Uint8Array): { readonly name: string; readonly value: number } | undefined {
  const start = 1 + (frame[0] ?? 0);
  const left = frame.length - start;
  if (frame.length === 0 || left < 4) return undefined;
  const name = utf8(frame.subarray(1, start));
  if (name === undefined) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return { name, value: left >= 8 ? view.getFloat64(start) : view.getFloat32(start) };
}

/** Everything that Python's `float()` accepts; null and other texts are dropped. */
function readText(text: string): { readonly name: string; readonly value: number } | undefined {
  const message = parsePlainJson(text.replace(/\bNaN\b/g, '"nan"').replace(/(-?)\bInfinity\b/g, '"$1inf"'), 64);
  if (!isObject(message) || typeof message.on !== "string") return undefined;
  const value = toFloat(message.value);
  return value === undefined ? undefined : { name: message.on, value };
}

function toFloat(value: Json | undefined): number | undefined {
  if (typeof value === "number" || typeof value === "boolean") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  if (/^-?inf$/.test(value)) return value === "inf" ? Infinity : -Infinity;
  const number = Number(value);
  return value === "nan" || !Number.isNaN(number) ? number : undefined;
}

const pythonText = (message: JsonObject): string => JSON.stringify(message);
