/** A whole relay in virtual time that is configured by the text of a file. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { ListenerName } from "../../src/core/event.ts";
import type { Millis } from "../../src/core/ids.ts";
import type { Frame, JsonObject } from "../../src/core/json.ts";
import type { ServiceRequest } from "../../src/core/request.ts";
import type { Settings } from "../../src/core/settings.ts";
import { load } from "../../src/config/load.ts";
import { services } from "../../src/relay/services.ts";
import type { TestSocket } from "../../src/testing/network.ts";
import { SimulatedRelay } from "../../src/testing/simulated-relay.ts";

/** A received message, and when. */
// deno-lint-ignore no-explicit-any -- Why: tests look into whatever a peer was sent.
export type ReceivedMessage = { readonly at: Millis; readonly message: any };

/** A setting: its path in the file, and the text of its value there. */
export interface Setting {
  readonly path: string;
  readonly text: string;
}

/** The settings of a file with this setting, and the others set by flags. */
export function settingsOf(setting: Setting | undefined, others: readonly string[] = []): Settings {
  const text = setting === undefined ? "" : fileWith(setting);
  const loaded = load({ file: { name: "relay.yaml", text }, sets: others });
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded.settings;
}

/** A configuration file with one setting. */
function fileWith({ path, text }: Setting): string {
  return path.split(".").map((name, depth) => `${"  ".repeat(depth)}${name}:`).join("\n") + ` ${text}\n`;
}

export class Peer {
  readonly received: ReceivedMessage[] = [];
  /** Called with each received message. */
  onMessage: (message: ReceivedMessage["message"]) => void = () => {};
  readonly openedAt: Millis;
  closed: { readonly at: Millis; readonly code: number } | undefined;
  readonly #socket: TestSocket;

  constructor(socket: TestSocket, now: () => Millis) {
    this.#socket = socket;
    this.openedAt = now();
    socket.onFrame = (frame) => {
      const message = JSON.parse(String(frame));
      this.received.push({ at: now(), message });
      this.onMessage(message);
    };
    socket.onClose = (code) => (this.closed = { at: now(), code });
  }

  sendJson(message: JsonObject): this {
    return this.send(JSON.stringify(message));
  }

  send(frame: Frame): this {
    this.#socket.send(frame);
    return this;
  }

  leave(): void {
    this.#socket.close();
  }

  /** The received messages that match, oldest first. */
  all(fits: (message: ReceivedMessage["message"]) => boolean): ReceivedMessage[] {
    return this.received.filter(({ message }) => fits(message));
  }
}

export class LimitFixture {
  settings: Settings;
  readonly simulation: SimulatedRelay;
  /** Observations: time and kind. */
  readonly observed: { readonly at: Millis; readonly is: string }[] = [];

  private constructor(settings: Settings) {
    this.settings = settings;
    this.simulation = new SimulatedRelay({ settings, services: services });
    this.simulation.onObservation = ({ is }) => this.observed.push({ at: this.now, is });
  }

  static async start(settings: Settings): Promise<LimitFixture> {
    const fixture = new LimitFixture(settings);
    await fixture.simulation.started();
    return fixture;
  }

  /** Changes the settings of the running relay. */
  configure(settings: Settings): void {
    this.settings = settings;
    this.simulation.configure(settings);
  }

  get now(): Millis {
    return this.simulation.clock.now;
  }

  /** Connects from 127.0.0.1, or from the given address. */
  async connect(listener: ListenerName, connection: { address?: string; bytesPerMs?: number } = {}): Promise<Peer> {
    const { address = "127.0.0.1", bytesPerMs } = connection;
    const peer = new Peer(this.simulation.network.connect(listener, { address }, bytesPerMs), () => this.now);
    await this.advance(0);
    return peer;
  }

  async watcher(more: { bytesPerMs?: number; token?: string } = {}): Promise<Peer> {
    const { token = PUBLISHED_TOKEN } = more;
    const peer = await this.connect("intermediary", more);
    peer.sendJson({ type: "neuro-os", name: "watcher", auth_token: token });
    await this.advance(0);
    return peer;
  }

  async integration(name: string, more: { acks?: boolean; bytesPerMs?: number } = {}): Promise<Peer> {
    const { acks = false } = more;
    const peer = await this.connect("intermediary", more);
    peer.sendJson({ type: "integration", name, auth_token: PUBLISHED_TOKEN, ack: acks });
    await this.advance(0);
    return peer;
  }

  /** Registers an integration that then disconnects. */
  async absent(name: string): Promise<void> {
    (await this.integration(name)).leave();
    await this.advance(0);
  }

  advance(ms: Millis): Promise<void> {
    return this.simulation.advance(ms);
  }

  /** Lets time pass until `holds` returns true; returns false if it does not within the time. */
  async until(holds: () => boolean, withinMs: Millis): Promise<boolean> {
    const end = this.now + withinMs;
    while (!holds() && await this.simulation.clock.step(end));
    return holds();
  }

  /** The time from now until the next observation of this kind. */
  async untilObserved(is: string, withinMs: Millis): Promise<Millis> {
    const [from, before] = [this.now, this.observed.length];
    const noted = () => this.observed.slice(before).find((note) => note.is === is);
    await this.until(() => noted() !== undefined, withinMs);
    return (noted()?.at ?? NaN) - from;
  }

  // deno-lint-ignore no-explicit-any -- Why: tests look into every reply.
  async request(request: ServiceRequest): Promise<any> {
    const pending = this.simulation.engine?.request(request, { by: "test", scopes: ["watch", "command", "admin"] });
    await this.advance(0);
    const result = await pending;
    return result !== undefined && "body" in result ? result.body : undefined;
  }
}
