/** What all fakes have in common that connect to the relay and come back: one wire at a time, and a time to come back after. */
import type { ListenerName } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { type Frame, isObject, type JsonObject } from "../../core/json.ts";
import type { Random } from "../random.ts";
import type { VirtualClock } from "../clock.ts";
import type { Network, TestSocket } from "../network.ts";

/** Where a fake lives. */
export interface FakeEnvironment {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
}

/** So long after it is back the relay still has its old connection. */
export const DOUBLE_MS: Millis = 60_000;

/** Whoever connects to the relay and comes back: says what it wants in `opened`, and reads in `heard`. */
export abstract class FakePeer {
  readonly name: string;
  /** Whatever the relay did to it that the protocol does not allow. */
  readonly violations: string[] = [];
  protected readonly clock: VirtualClock;
  protected readonly random: Random;
  protected wire: TestSocket | undefined;
  readonly #network: Network;
  readonly #listener: ListenerName;
  #isWanted = false;
  /** How long until it tries again after it lost its connection. */
  returnMs: Millis = 3_000;
  /** When it last came back before its old connection was known to be dead. */
  doubledAt: Millis = 0;
  /** Reads this slowly; undefined is as fast as can be. */
  bytesPerMs: number | undefined;

  constructor(name: string, listener: ListenerName, { clock, random, network }: FakeEnvironment) {
    this.name = name;
    this.clock = clock;
    this.random = random;
    this.#network = network;
    this.#listener = listener;
  }

  /** Comes, and comes back whenever it loses its connection. */
  connect(): void {
    this.#isWanted = true;
    if (this.wire === undefined) this.#connect();
  }

  /** Goes, and stays away. */
  close(): void {
    this.#isWanted = false;
    this.wire?.close();
  }

  /** Loses its connection; the relay notices after a while. */
  drop(noticedMs: Millis): void {
    this.wire?.cut(noticedMs);
  }

  /** Loses its connection and is back at once, long before the relay notices that the old one is dead. */
  double(): void {
    const { wire } = this;
    if (wire?.isOpen !== true) return;
    this.doubledAt = this.clock.now;
    wire.onClose = () => {};
    wire.cut(DOUBLE_MS);
    this.#lost();
    this.#connect();
  }

  get isConnected(): boolean {
    return this.wire?.isOpen === true;
  }

  #connect(): void {
    const wire = this.#network.connect(this.#listener, { path: this.path() }, this.bytesPerMs);
    this.wire = wire;
    wire.onOpen = () => this.opened();
    wire.onFrame = (frame) => this.#receive(frame);
    wire.onClose = () => {
      this.#lost();
      if (this.#isWanted) {
        this.clock.after(this.returnMs, () => this.#isWanted && this.wire === undefined && this.#connect());
      }
    };
  }

  #lost(): void {
    this.wire = undefined;
    this.lost();
  }

  #receive(frame: Frame): void {
    if (typeof frame !== "string") return this.blame("a binary frame");
    const message = JSON.parse(frame);
    if (!isObject(message)) return this.blame(`not an object: ${frame}`);
    this.heard(message);
  }

  protected say(message: JsonObject): void {
    this.wire?.send(JSON.stringify(message));
  }

  protected blame(what: string): void {
    this.violations.push(`at ${this.clock.now} ${this.name}: ${what}`);
  }

  protected path(): string {
    return "/";
  }

  protected abstract opened(): void;
  protected abstract lost(): void;
  protected abstract heard(message: JsonObject): void;
}
