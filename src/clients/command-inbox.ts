/**
 * Commands of watchers, which the relay keeps and sends again until they are acknowledged.
 *
 * Invariants: C1 commands are handled one after the other, in the order of their arrival; C2 a command is acknowledged once its handler has
 * ended, and asked for again if it threw; C3 a command that was handled is only acknowledged when it arrives again.
 */
import type { Json, JsonObject } from "../core/json.ts";

/** A command of a watcher. */
export interface WatcherCommand {
  /** The name of the watcher. */
  readonly from: string;
  readonly cmd: Json;
  /** The relay has sent it before, and another run of this program may have handled it. */
  readonly redelivered: boolean;
}

/** Handles a command. If it throws, the relay sends the command again, and after some attempts it becomes a dead letter. */
export type CommandHandler = (command: WatcherCommand) => void | Promise<void>;

interface CommandPorts {
  readonly handler: CommandHandler | undefined;
  /** Sends a receipt. It may be lost: the relay asks again. */
  send(receipt: JsonObject): void;
  failed(error: unknown): void;
}

/** Ids of handled commands that are remembered. */
const HANDLED_MAX = 10_000;
const RETRY_DELAY_MS = 1_000;

export class CommandInbox {
  readonly #ports: CommandPorts;
  readonly #states = new Map<string, "waiting" | "handled">();
  /** Ends when all commands so far have ended. */
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(ports: CommandPorts) {
    this.#ports = ports;
  }

  receive({ id, from_watcher: from, cmd = null, redelivered }: JsonObject): void {
    const key = String(id);
    const state = this.#states.get(key);
    if (state === "handled") return this.#ports.send({ ack: key });
    if (state === "waiting") return;
    const { handler } = this.#ports;
    if (handler === undefined) return this.#ports.send({ term: key });
    this.#states.set(key, "waiting");
    const command = { from: String(from), cmd, redelivered: redelivered === true };
    this.#last = this.#last.then(() => this.#run(handler, key, command));
  }

  /** Handles no further command. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(handler: CommandHandler, id: string, command: WatcherCommand): Promise<void> {
    if (this.#isClosed) return;
    try {
      await handler(command);
    } catch (error) {
      this.#states.delete(id);
      this.#ports.send({ nak: id, delay_ms: RETRY_DELAY_MS });
      return this.#ports.failed(error);
    }
    this.#states.delete(id); // Why: the oldest handled ones come first, and are forgotten first.
    this.#states.set(id, "handled");
    this.#ports.send({ ack: id });
    for (const [oldest, state] of this.#states) {
      if (this.#states.size <= HANDLED_MAX) return;
      if (state === "handled") this.#states.delete(oldest);
    }
  }
}
