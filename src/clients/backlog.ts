/**
 * Messages of a client that wait for its connection, in their order.
 *
 * Invariants: B1 at most `messagesMax` messages of together `charactersMax` characters wait; B2 they are sent in batches that no relay
 * takes for a flood.
 */
import type { ClientClock } from "../websocket-client/socket-driver.ts";
import { RelayError } from "./relay-error.ts";

/** How much may wait for a connection. */
export interface BacklogLimits {
  /** Messages that may wait while there is no connection. Default: 1,000. */
  readonly waitingMessagesMax?: number;
  /** Characters that they may have together. Default: 1,000,000. */
  readonly waitingCharactersMax?: number;
}

const MESSAGES_MAX = 1_000;
const CHARACTERS_MAX = 1_000_000;
/** Half of the messages that a relay accepts within a second by default. */
const BATCH_MESSAGES = 250;
const BATCH_INTERVAL_MS = 1_000;

export class Backlog {
  readonly #messagesMax: number;
  readonly #charactersMax: number;
  readonly #waiting: string[] = [];
  #characters = 0;
  #cancel: (() => void) | undefined;

  constructor({ waitingMessagesMax = MESSAGES_MAX, waitingCharactersMax = CHARACTERS_MAX }: BacklogLimits) {
    this.#messagesMax = waitingMessagesMax;
    this.#charactersMax = waitingCharactersMax;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Adds a message. Throws a `RelayError` with the code `Busy` when a limit is reached. */
  push(text: string): void {
    if (this.size >= this.#messagesMax) {
      throw new RelayError(
        `${this.size} messages wait for the relay; \`waitingMessagesMax\` is ${this.#messagesMax}`,
        "Busy",
      );
    }
    if (this.#characters + text.length > this.#charactersMax) {
      const characters = `${this.#characters + text.length} characters would wait for the relay`;
      throw new RelayError(`${characters}; \`waitingCharactersMax\` is ${this.#charactersMax}`, "Busy");
    }
    this.#waiting.push(text);
    this.#characters += text.length;
  }

  /** Sends what waits, as long as `send` succeeds. */
  flush(send: (text: string) => boolean, clock: ClientClock): void {
    this.pause();
    for (let sent = 0; this.#waiting.length > 0; sent++) {
      if (sent === BATCH_MESSAGES) {
        this.#cancel = clock.later(BATCH_INTERVAL_MS, () => this.flush(send, clock));
        return;
      }
      const [text = ""] = this.#waiting;
      if (!send(text)) return;
      this.#waiting.shift();
      this.#characters -= text.length;
    }
  }

  /** Sends no further batch until the next `flush`. */
  pause(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  clear(): void {
    this.pause();
    this.#waiting.length = 0;
    this.#characters = 0;
  }
}
