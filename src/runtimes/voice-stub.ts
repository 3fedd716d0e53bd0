/** Answers voice channels of games without the services, and limits their number. */
import { voiceReply } from "../http/app.ts";
import type { ConnectionHandler, ServerSocket } from "./connections.ts";

export const VOICE_CHANNELS_MAX = 256;
/** A client that requests answers and does not read them is disconnected at this backlog. */
const BACKLOG_BYTES_MAX = 65_536;

export class VoiceStub {
  #channels = 0;

  /** The handler of one more channel; undefined when `VOICE_CHANNELS_MAX` are open. */
  admit(): ConnectionHandler | undefined {
    if (this.#channels >= VOICE_CHANNELS_MAX) return undefined;
    let socket: ServerSocket | undefined;
    return {
      open: (opened) => {
        this.#channels++;
        socket = opened;
      },
      message: (frame) => {
        const answer = voiceReply(frame);
        if (answer !== undefined && (socket?.write([answer]) ?? 0) > BACKLOG_BYTES_MAX) socket?.terminate();
      },
      drain: () => {},
      pong: () => {},
      close: () => {
        this.#channels--;
      },
    };
  }
}
