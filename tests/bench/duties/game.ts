/** What the floor keeps of a game, and the limits of what it may send and keep. */
import type { RawOutlet } from "../raw-sockets.ts";
import type { FloorOptions } from "./options.ts";
import type { ActionRecord, Ring } from "./records.ts";
import { Histogram, RESULT_BOUNDS } from "./counts.ts";

export class FloorGame {
  readonly id: number;
  readonly outlet: RawOutlet;
  readonly address: Address;
  readonly events: Bucket;
  readonly bytes: Bucket;
  readonly times = new Histogram(RESULT_BOUNDS);
  readonly pending: ActionRecord[] = [];
  /** Its name; empty until its first message. */
  name = "";
  contextHead = "";
  isClosed = false;
  isHeld = false;
  /** It has sent the result of a success, so that only its results count. */
  confirms = false;
  lastAnsweredId = "";
  lastHeardAt = 0;
  traces: Ring | undefined = undefined;
  contextsSince = 0;
  contexts = 0;

  constructor(id: number, outlet: RawOutlet, address: Address, { limits }: FloorOptions) {
    this.id = id;
    this.outlet = outlet;
    this.address = address;
    this.events = new Bucket(limits.burst);
    this.bytes = new Bucket(Math.max(limits.bytes_per_second, limits.message_bytes));
  }
}

/** Tokens in thousandths. */
export class Bucket {
  level: number;
  filledAt = 0;
  readonly #levelMax: number;

  constructor(burst: number) {
    this.level = this.#levelMax = burst * 1_000;
  }

  /** Takes tokens; false if there are too few. */
  take(amount: number, perSecond: number, now: number): boolean {
    if (now !== this.filledAt) {
      this.level = Math.min(this.#levelMax, this.level + Math.max(0, now - this.filledAt) * perSecond);
      this.filledAt = now;
    }
    if (this.level < Math.min(amount * 1_000, this.#levelMax)) return false;
    this.level -= amount * 1_000;
    return true;
  }
}

/** What the peers of one address may send together. */
export interface Address {
  readonly events: Bucket;
  readonly bytes: Bucket;
}

/** Eight peers' rates, as for this machine. */
export const PEERS_OF_ADDRESS = 8;

export const newAddress = ({ limits }: FloorOptions): Address => ({
  events: new Bucket(limits.burst * PEERS_OF_ADDRESS),
  bytes: new Bucket(Math.max(limits.bytes_per_second * PEERS_OF_ADDRESS, limits.message_bytes)),
});

/** True if the game may send a message of this length now. */
export function admits(game: FloorGame, length: number, { limits }: FloorOptions, now: number): boolean {
  const { address } = game;
  return game.events.take(1, limits.messages_per_second, now) &&
    game.bytes.take(length, limits.bytes_per_second, now) &&
    address.events.take(1, limits.messages_per_second * PEERS_OF_ADDRESS, now) &&
    address.bytes.take(length, limits.bytes_per_second * PEERS_OF_ADDRESS, now);
}
