/** A whole relay on virtual time that is configured as a person would: by the text of a file. */
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

/** What a peer was told, and when. */
// deno-lint-ignore no-explicit-any -- Why: tests look into whatever a peer was sent.
export type Heard = { readonly at: Millis; readonly message: any };

/** A setting: its path in the file, and the text of its value there. */
export interface Setting {
  readonly path: string;
  readonly text: string;
}

/** The settings of a file that says this one, with the others set by flags. */
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
  readonly heard: Heard[] = [];
  /** Told of each message as it comes. */
  onHeard: (message: Heard["message"]) => void = () => {};
  readonly openedAt: Millis;
  closed: { readonly at: Millis; readonly code: number } | undefined;
  readonly #wire: TestSocket;

  constructor(wire: TestSocket, now: () => Millis) {
    this.#wire = wire;
    this.openedAt = now();
    wire.onFrame = (frame) => {
      const message = JSON.parse(String(frame));
      this.heard.push({ at: now(), message });
      this.onHeard(message);
    };
    wire.onClose = (code) => (this.closed = { at: now(), code });
  }

  say(message: JsonObject): this {
    return this.send(JSON.stringify(message));
  }

  send(frame: Frame): this {
    this.#wire.send(frame);
    return this;
  }

  leave(): void {
    this.#wire.close();
  }

  /** All that fits, oldest first. */
  all(fits: (message: Heard["message"]) => boolean): Heard[] {
    return this.heard.filter(({ message }) => fits(message));
  }
}

export class LimitStage {
  settings: Settings;
  readonly world: SimulatedRelay;
  /** When each kind of note was made. */
  readonly noted: { readonly at: Millis; readonly is: string }[] = [];

  private constructor(settings: Settings) {
    this.settings = settings;
    this.world = new SimulatedRelay({ settings, services: services });
    this.world.onObservation = ({ is }) => this.noted.push({ at: this.now, is });
  }

  static async start(settings: Settings): Promise<LimitStage> {
    const stage = new LimitStage(settings);
    await stage.world.started();
    return stage;
  }

  /** Gives the running relay other settings. */
  configure(settings: Settings): void {
    this.settings = settings;
    this.world.configure(settings);
  }

  get now(): Millis {
    return this.world.clock.now;
  }

  /** Connects, from an address of its own unless one is given. */
  async connect(listener: ListenerName, connection: { address?: string; bytesPerMs?: number } = {}): Promise<Peer> {
    const { address = "127.0.0.1", bytesPerMs } = connection;
    const peer = new Peer(this.world.network.connect(listener, { address }, bytesPerMs), () => this.now);
    await this.pass(0);
    return peer;
  }

  async watcher(more: { bytesPerMs?: number; token?: string } = {}): Promise<Peer> {
    const { token = PUBLISHED_TOKEN } = more;
    const peer = await this.connect("intermediary", more);
    peer.say({ type: "neuro-os", name: "stage", auth_token: token });
    await this.pass(0);
    return peer;
  }

  async integration(name: string, more: { acks?: boolean; bytesPerMs?: number } = {}): Promise<Peer> {
    const { acks = false } = more;
    const peer = await this.connect("intermediary", more);
    peer.say({ type: "integration", name, auth_token: PUBLISHED_TOKEN, ack: acks });
    await this.pass(0);
    return peer;
  }

  /** One whom the relay knows, and who is away. */
  async absent(name: string): Promise<void> {
    (await this.integration(name)).leave();
    await this.pass(0);
  }

  pass(ms: Millis): Promise<void> {
    return this.world.advance(ms);
  }

  /** Lets time pass until it holds; false when it does not within the time. */
  async until(holds: () => boolean, withinMs: Millis): Promise<boolean> {
    const end = this.now + withinMs;
    while (!holds() && await this.world.clock.step(end));
    return holds();
  }

  /** How long until something is noted, from now on. */
  async untilNoted(is: string, withinMs: Millis): Promise<Millis> {
    const [from, before] = [this.now, this.noted.length];
    const noted = () => this.noted.slice(before).find((note) => note.is === is);
    await this.until(() => noted() !== undefined, withinMs);
    return (noted()?.at ?? NaN) - from;
  }

  // deno-lint-ignore no-explicit-any -- Why: as above.
  async ask(request: ServiceRequest): Promise<any> {
    const asked = this.world.engine?.request(request, { by: "test", scopes: ["watch", "command", "admin"] });
    await this.pass(0);
    const answer = await asked;
    return answer !== undefined && "body" in answer ? answer.body : undefined;
  }
}
