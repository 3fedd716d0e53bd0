/** Answers voice channels of games without the services, and limits their number. */
import type { CredentialDigest } from "../core/access.ts";
import type { ConnectionInfo } from "../core/event.ts";
import { FAULTS } from "../core/fault.ts";
import { type AccessControl, voiceReply } from "../http/app.ts";
import type { ConnectionHandler, ServerSocket } from "./connections.ts";

export const VOICE_CHANNELS_MAX = 256;
/** A client that requests answers and does not read them is disconnected at this backlog. */
const BACKLOG_BYTES_MAX = 65_536;

interface VoiceChannel {
  readonly socket: ServerSocket;
  readonly address: string;
  readonly credential: CredentialDigest;
}

export class VoiceChannels {
  readonly #channels = new Set<VoiceChannel>();

  /** The handler of one more channel; undefined when `VOICE_CHANNELS_MAX` are open. */
  admit(
    { address }: Pick<ConnectionInfo, "address">,
    credential: CredentialDigest = undefined,
  ): ConnectionHandler | undefined {
    if (this.#channels.size >= VOICE_CHANNELS_MAX) return undefined;
    let channel: VoiceChannel | undefined;
    return {
      open: (socket) => {
        channel = { socket, address, credential };
        this.#channels.add(channel);
      },
      message: (frame) => {
        const answer = voiceReply(frame);
        if (answer !== undefined && (channel?.socket.write([answer]) ?? 0) > BACKLOG_BYTES_MAX) channel?.socket.terminate();
      },
      drain: () => {},
      pong: () => {},
      close: () => {
        if (channel !== undefined) this.#channels.delete(channel);
      },
    };
  }

  /** Closes the channels whose credentials are not valid any more, after the tokens changed. */
  closeRevoked(accessControl: Pick<AccessControl, "admits">): void {
    for (const { socket, address, credential } of [...this.#channels]) {
      if (accessControl.admits("neuro", credential, address)) continue;
      socket.close(FAULTS.badToken.close, FAULTS.badToken.message);
    }
  }
}
