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
export const DUPLICATE_MS: Millis = 60_000;

/** Whoever connects to the relay and comes back: says what it wants in `opened`, and reads in `heard`. */
export abstract class FakePeer {
  readonly name: string;
  /** Whatever the relay did to it that the protocol does not allow. */
  readonly violations: string[] = [];
  protected readonly clock: VirtualClock;
  protected readonly random: Random;
  protected socket: TestSocket | undefined;
  readonly #network: Network;
  readonly #listener: ListenerName;
  #isWanted = false;
  /** How long until it tries again after it lost its connection. */
  returnMs: Millis = 3_000;
  /** When it last came back before its old connection was known to be dead. */
  duplicatedAt: Millis = 0;
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
    if (this.socket === undefined) this.#connect();
  }

  /** Goes, and stays away. */
  close(): void {
    this.#isWanted = false;
    this.socket?.close();
  }

  /** Loses its connection; the relay notices after a while. */
  drop(noticedMs: Millis): void {
    this.socket?.cut(noticedMs);
  }

  /** Loses its connection and is back at once, long before the relay notices that the old one is dead. */
  duplicate(): void {
    const { socket } = this;
    if (socket?.isOpen !== true) return;
    this.duplicatedAt = this.clock.now;
    socket.onClose = () => {};
    socket.cut(DUPLICATE_MS);
    this.#lost();
    this.#connect();
  }

  get isConnected(): boolean {
    return this.socket?.isOpen === true;
  }

  #connect(): void {
    const socket = this.#network.connect(this.#listener, { path: this.path() }, this.bytesPerMs);
    this.socket = socket;
    socket.onOpen = () => this.onOpen();
    socket.onFrame = (frame) => this.#receive(frame);
    socket.onClose = () => {
      this.#lost();
      if (this.#isWanted) {
        this.clock.after(this.returnMs, () => this.#isWanted && this.socket === undefined && this.#connect());
      }
    };
  }

  #lost(): void {
    this.socket = undefined;
    this.onLost();
  }

  #receive(frame: Frame): void {
    if (typeof frame !== "string") return this.reportViolation("a binary frame");
    const message = JSON.parse(frame);
    if (!isObject(message)) return this.reportViolation(`not an object: ${frame}`);
    this.onMessage(message);
  }

  protected send(message: JsonObject): void {
    this.socket?.send(JSON.stringify(message));
  }

  protected reportViolation(what: string): void {
    this.violations.push(`at ${this.clock.now} ${this.name}: ${what}`);
  }

  protected path(): string {
    return "/";
  }

  protected abstract onOpen(): void;
  protected abstract onLost(): void;
  protected abstract onMessage(message: JsonObject): void;
}
