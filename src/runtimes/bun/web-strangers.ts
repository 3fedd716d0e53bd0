/**
 * Bounds the sockets of the Intermediary on the web port that have not completed a message.
 *
 * Why: Bun's server does not tell how much of a message it has read. Each of these sockets can make it keep one of the largest size.
 */
import type { WebSocketHandler } from "bun";
import { SilentPeers } from "../../relay/mod.ts";
import type { BunConnection, WebStranger } from "./socket.ts";

export const WEB_STRANGERS_MAX = 8;

/** The same handlers, with that bound: the socket that has been silent for the longest time leaves for another one. */
export function boundStrangers(handlers: WebSocketHandler<BunConnection>): WebSocketHandler<BunConnection> {
  const silent = new SilentPeers<WebStranger>();
  const endSilence = ({ stranger }: BunConnection): void => void (stranger !== undefined && silent.delete(stranger));
  return {
    ...handlers,
    open: (socket) => {
      handlers.open?.(socket);
      const { stranger } = socket.data;
      if (stranger === undefined) return;
      stranger.socket = socket.data;
      const place = silent.placeFor(stranger, WEB_STRANGERS_MAX);
      const leaving = place === "none" ? stranger : place;
      if (leaving !== stranger) silent.add(stranger);
      if (leaving === "free") return;
      silent.delete(leaving);
      leaving.socket?.terminate();
    },
    message: (socket, frame) => {
      endSilence(socket.data);
      return handlers.message?.(socket, frame);
    },
    close: (socket, code, reason) => {
      endSilence(socket.data);
      return handlers.close?.(socket, code, reason);
    },
  };
}
