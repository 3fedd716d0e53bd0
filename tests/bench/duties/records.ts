/**
 * What the floor keeps of actions and contexts, and in which rings.
 *
 * A pending action is its own trace: the same object goes into the rings when the action has ended.
 */
import type { FloorGame } from "./game.ts";
import type { DeadlineQueue } from "./deadlines.ts";

/** An action, while it is pending and afterwards. */
export class ActionRecord {
  id = "";
  /** In messages to its game. */
  gameId = "";
  neuroId = "";
  /** Undefined once it has ended: a record keeps no game. */
  game: FloorGame | undefined;
  readonly gameName: string;
  /** The game's name for it. */
  readonly name: string;
  data: string | undefined = undefined;
  message: string | undefined = undefined;
  startedAt = 0;
  endedAt = 0;
  success = false;
  by: "game" | "deadline" | "gone" = "game";
  sequence = 0;
  resultSequence = 0;
  bytes = 0;
  state: "sent" | "presumed" | "finished" = "sent";
  deadline = 0;
  queue: DeadlineQueue | undefined = undefined;
  /** Its neighbours in that queue. */
  before: ActionRecord | undefined = undefined;
  after: ActionRecord | undefined = undefined;

  constructor(game: FloorGame, name: string) {
    this.game = game;
    this.gameName = game.name;
    this.name = name;
  }
}

/** A context. Its id is made of its number when somebody asks. */
export class ContextRecord {
  readonly gameName: string;
  readonly at: number;
  readonly message: string;
  readonly sequence: number;
  readonly bytes: number;

  constructor(gameName: string, at: number, message: string, sequence: number) {
    this.gameName = gameName;
    this.at = at;
    this.message = message;
    this.sequence = sequence;
    this.bytes = RECORD_BYTES + 2 * message.length;
  }
}

/** Estimated bytes of a record without its texts. */
export const RECORD_BYTES = 512;

export type FloorRecord = ActionRecord | ContextRecord;

/** The bytes of all rings. */
export interface RingAccount {
  bytes: number;
}

/** The newest records of one owner, within a number and a number of bytes. */
export class Ring {
  readonly #records: (FloorRecord | undefined)[] = [];
  readonly #sizes: number[] = [];
  readonly #count: number;
  readonly #bytesMax: number;
  readonly #account: RingAccount;
  #oldest = 0;
  #next = 0;
  bytes = 0;

  /** `count` is a power of two less one at most: places are numbers without their high bits. */
  constructor({ count, bytesMax }: { readonly count: number; readonly bytesMax: number }, account: RingAccount) {
    const places = 2 ** Math.ceil(Math.log2(count + 1));
    this.#count = count;
    this.#bytesMax = bytesMax;
    this.#account = account;
    for (let at = 0; at < places; at++) {
      this.#records.push(undefined);
      this.#sizes.push(0);
    }
  }

  get size(): number {
    return this.#next - this.#oldest;
  }

  /** The oldest first. */
  items(): FloorRecord[] {
    const mask = this.#records.length - 1;
    return Array.from({ length: this.size }, (_, at) => this.#records[(this.#oldest + at) & mask] as FloorRecord);
  }

  add(record: FloorRecord): void {
    const mask = this.#records.length - 1;
    const before = this.bytes;
    const { bytes } = record;
    this.#records[this.#next & mask] = record;
    this.#sizes[this.#next++ & mask] = bytes;
    this.bytes += bytes;
    while (this.#next - this.#oldest > this.#count || this.bytes > this.#bytesMax) {
      const place = this.#oldest++ & mask;
      this.bytes -= this.#sizes[place] ?? 0;
      this.#records[place] = undefined;
    }
    if (this.bytes !== before) this.#account.bytes += this.bytes - before;
  }
}

/** Properties of the frames that were sent last to the backend, which may close the connection because of one. */
export class LastFrames {
  readonly #frames = Array.from({ length: 64 }, () => ({ at: 0, length: 0, from: "" }));
  #next = 0;

  note(at: number, length: number, from: string): void {
    const frame = this.#frames[this.#next++ & 63];
    if (frame === undefined) return;
    frame.at = at;
    frame.length = length;
    frame.from = from;
  }
}
