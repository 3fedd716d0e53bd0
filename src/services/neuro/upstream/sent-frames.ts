/**
 * The frames that were sent last on one connection to Neuro, without their content: a backend that closes the connection because of a
 * frame does not say which.
 */
import type { Millis } from "../../../core/ids.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import type { EncodingReport } from "../codec/encode-upstream.ts";

/** Frames that are kept. */
const KEPT_MAX = 64;

export interface SentFrame {
  at: Millis;
  /** Characters. */
  length: number;
  command: GameMessage["command"];
  /** The integration whose message it was. */
  from: string;
  /** The actions of a registration, by their upstream names. */
  names: readonly string[];
}

const NO_NAMES: readonly string[] = [];

export class SentFrames implements EncodingReport {
  shortenedFrom = 0;
  readonly split: number[] = [];
  readonly #frames: SentFrame[] = [];
  #next = 0;

  /** Starts the report about the next message. */
  begin(): void {
    this.shortenedFrom = 0;
    if (this.split.length > 0) this.split.length = 0;
  }

  /** Notes a frame. Why no new object: nearly all of them are never looked at. */
  note(
    at: Millis,
    frame: string,
    command: GameMessage["command"],
    from: string,
    names: readonly string[] = NO_NAMES,
  ): void {
    const noted = this.#frames[this.#next] ??= { at: 0, length: 0, command: "other", from: "", names: NO_NAMES };
    this.#next = (this.#next + 1) % KEPT_MAX;
    noted.at = at;
    noted.length = frame.length;
    noted.command = command;
    noted.from = from;
    noted.names = names;
  }

  /** The names of the actions in the frame of a message at this index. */
  namesIn(message: GameMessage, at: number): readonly string[] {
    if (message.command !== "actions/register") return NO_NAMES;
    const { actions } = message;
    const from = this.split.slice(0, at).reduce((sum, count) => sum + count, 0);
    return actions.slice(from, this.split.length === 0 ? undefined : from + (this.split[at] ?? 0)).map(({ name }) => name);
  }

  /** The frames that were sent since then, oldest first. */
  since(from: Millis): readonly SentFrame[] {
    const inOrder = [...this.#frames.slice(this.#next), ...this.#frames.slice(0, this.#next)];
    return inOrder.filter(({ at }) => at >= from).map((frame) => ({ ...frame }));
  }

  clear(): void {
    this.#frames.length = 0;
    this.#next = 0;
  }
}
