/** Voice channels: answered without the relay, and bounded in number. */
import { answerVoice } from "../http/app.ts";
import type { Guest, GuestSocket } from "../websocket-client/guest.ts";

const CHANNELS_MAX = 256;
/** One that is asked and never reads is cut off. */
const BACKLOG_BYTES_MAX = 65_536;

export class Voices {
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
      heard: (frame) => {
        const answer = answerVoice(frame);
        if (answer !== undefined && (socket?.write([answer]) ?? 0) > BACKLOG_BYTES_MAX) socket?.cut();
      },
      drained: () => {},
      ponged: () => {},
      closed: () => {
        this.#open--;
      },
    };
  }
}
