/**
 * The size of messages of a client, and the frame because of which a server closed its connection (1007: content, 1009: size).
 *
 * The server does not name the frame: with 1009 it is taken to be the largest one, with 1007 the last one. A client that would send it again on
 * each connection (a registration, an open force, a result) must not reconnect, because it would be closed each time.
 */
import { fitsBytes, utf8Length } from "../core/text.ts";
import type { LinkLoss } from "../websocket-client/reconnecting-link.ts";
import { RelayError } from "./relay-error.ts";

/** Bytes of a message. A relay takes 1 MiB by default (`limits.message_bytes`), and so do common servers. */
export const MESSAGE_BYTES_MAX = 1_000_000;

/** The text of a message. Throws a `RelayError` (`Invalid`) if it has more than `MESSAGE_BYTES_MAX` bytes. */
export function messageText(message: object): string {
  const text = JSON.stringify(message);
  if (fitsBytes(text, MESSAGE_BYTES_MAX)) return text;
  const reason = `the message has ${utf8Length(text)} bytes; at most ${MESSAGE_BYTES_MAX} are sent`;
  throw new RelayError(reason, "Invalid");
}

/** Whether the next connection sends the frame again. */
export type Repetition = "once" | "repeated";

interface SuspectFrame {
  readonly length: number;
  readonly repetition: Repetition;
}

/** The frames of one connection. */
export class SuspectFrames {
  #largest: SuspectFrame | undefined;
  #last: SuspectFrame | undefined;

  /** A new connection. */
  clear(): void {
    this.#largest = this.#last = undefined;
  }

  add({ length }: string, repetition: Repetition): void {
    this.#last = { length, repetition };
    if (this.#largest === undefined || length >= this.#largest.length) this.#largest = this.#last;
  }

  /** The error with which the client stops; undefined if the next connection does not send the frame again. */
  rejection({ code, reason }: LinkLoss): RelayError | undefined {
    const frame = code === 1009 ? this.#largest : code === 1007 ? this.#last : undefined;
    if (frame?.repetition !== "repeated") return undefined;
    const closed = `the server closed the connection (${code}${reason === "" ? "" : `: ${reason}`})`;
    const text = `${closed} because of a message of ${frame.length} characters, which every connection would repeat`;
    return new RelayError(text, code === 1009 ? "tooBig" : "badMessage");
  }
}
