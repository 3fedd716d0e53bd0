/** Voice channels on Bun: answered without the relay, and bounded in number. */
import type { Frame } from "../core/json.ts";
import { answerVoice } from "../http/app.ts";
import type { Guest, GuestSocket } from "./bun-guests.ts";

const CHANNELS_MAX = 256;
/** One that is asked and never reads is cut off. */
const BACKLOG_BYTES_MAX = 65_536;

export class BunVoices {
  #open = 0;

  /** The owner of one more channel; undefined when there are too many. */
  admit(): Guest | undefined {
    if (this.#open >= CHANNELS_MAX) return undefined;
    let socket: GuestSocket | undefined;
    return {
      opened: (opened) => {
        this.#open++;
        socket = opened;
      },
      heard: (frame: Frame) => {
        const answer = answerVoice(frame);
        if (answer === undefined || socket === undefined) return;
        if (socket.getBufferedAmount() > BACKLOG_BYTES_MAX) socket.terminate();
        else socket.send(answer);
      },
      drained: () => {},
      ponged: () => {},
      closed: () => {
        this.#open--;
      },
    };
  }
}
