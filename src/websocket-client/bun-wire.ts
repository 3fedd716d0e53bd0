/** Raw connections on Bun. */
import type { Socket } from "bun";
import type { Place, Wire, WireListener } from "./dial-raw.ts";
import { errorText } from "../core/text.ts";

const KEEPALIVE_MS = 30_000;

/** Connects. Why not `open` for an encrypted one: the certificate is known only after the handshake, and Bun closes if it is bad. */
export function connect({ hostname, port, isEncrypted }: Place, listener: WireListener): void {
  let trouble = "";
  const begin = (socket: Socket): void => {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    listener.connected(wireOf(socket));
  };
  const socket = {
    open: (opened: Socket) => {
      if (!isEncrypted) begin(opened);
    },
    handshake: (opened: Socket, isGood: boolean, error: Error | null) => {
      if (isGood) begin(opened);
      else trouble = error?.message ?? "no encryption";
    },
    data: (_socket: Socket, bytes: Uint8Array) => listener.received(bytes),
    drain: () => listener.drained(),
    error: (_socket: Socket, error: Error) => void (trouble = error.message),
    close: () => listener.closed(trouble),
    connectError: () => {}, // Why: the promise says it, too.
  };
  const tls = isEncrypted ? { serverName: hostname, rejectUnauthorized: true } : false;
  Bun.connect({ hostname, port, tls, socket }).catch((error: unknown) => listener.closed(errorText(error)));
}

const wireOf = (socket: Socket): Wire => ({
  write: (bytes) => socket.write(bytes),
  end: () => void socket.end(),
  cut: () => socket.terminate(),
});
