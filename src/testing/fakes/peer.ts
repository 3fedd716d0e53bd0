/** The base class of fakes that connect to the relay: one socket at a time, and a reconnect after `returnMs`. */
import type { ListenerName } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { type Frame, isObject, type JsonObject } from "../../core/json.ts";
import type { Random } from "../random.ts";
import type { VirtualClock } from "../clock.ts";
import type { Network, TestSocket } from "../network.ts";

/** The environment of a fake. */
export interface FakeEnvironment {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
}

/** After `duplicate`, the relay notices after this time that the old connection is dead. */
export const DUPLICATE_MS: Millis = 60_000;

/** A client that reconnects. Subclasses greet in `onOpen` and read in `onMessage`. */
export abstract class FakePeer {
  readonly name: string;
  /** The relay's violations of the protocol. */
  readonly violations: string[] = [];
  protected readonly clock: VirtualClock;
  protected readonly random: Random;
  protected socket: TestSocket | undefined;
  readonly #network: Network;
  readonly #listener: ListenerName;
  #isWanted = false;
  /** Wait before it reconnects. */
  returnMs: Millis = 3_000;
  /** Until when the relay may still have its old connection. */
  contestedUntil: Millis = 0;
  /** Read rate in bytes per millisecond; undefined: no limit. */
  bytesPerMs: number | undefined;

  constructor(name: string, listener: ListenerName, { clock, random, network }: FakeEnvironment) {
    this.name = name;
    this.clock = clock;
    this.random = random;
    this.#network = network;
    this.#listener = listener;
  }

  /** Connects, and reconnects whenever the connection is lost. */
  connect(): void {
    this.#isWanted = true;
    if (this.socket === undefined) this.#connect();
  }

  /** Closes the connection and does not reconnect. */
  close(): void {
    this.#isWanted = false;
    this.socket?.close();
  }

  /** Breaks the connection; the relay notices after `noticedMs`. */
  drop(noticedMs: Millis): void {
    if (this.socket?.isOpen !== true) return;
    this.#cut(this.socket, noticedMs);
  }

  /** Breaks the connection and reconnects at once, long before the relay notices that the old one is dead. */
  duplicate(): void {
    const { socket } = this;
    if (socket?.isOpen !== true) return;
    socket.onClose = () => {};
    this.#cut(socket, DUPLICATE_MS);
    this.#lost();
    this.#connect();
  }

  /** Why the later time: a connection that was cut before may outlive this one. */
  #cut(socket: TestSocket, noticedMs: Millis): void {
    this.contestedUntil = Math.max(this.contestedUntil, this.clock.now + noticedMs);
    socket.cut(noticedMs);
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
