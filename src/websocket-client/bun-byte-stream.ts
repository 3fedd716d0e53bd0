/** TCP and TLS connections on Bun. */
import type { Socket } from "bun";
import { errorText } from "../core/text.ts";
import type { ByteStream, ByteStreamListener, Endpoint } from "./raw-socket.ts";

const KEEPALIVE_MS = 30_000;

/** Connects. Returns a function that gives the attempt up. */
export function connect({ hostname, port, isEncrypted }: Endpoint, listener: ByteStreamListener): () => void {
  let failure = "";
  let attempt: "pending" | "done" | "cancelled" = "pending";
  let unfinished: Socket | undefined;
  const begin = (socket: Socket): void => {
    attempt = "done";
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    listener.connected(byteStreamOf(socket));
  };
  const socket = {
    // Why not for TLS: the certificate is checked during the handshake, and Bun closes the socket if it is invalid.
    open: (opened: Socket) => {
      unfinished = opened;
      if (attempt === "cancelled") opened.terminate();
      else if (!isEncrypted) begin(opened);
    },
    handshake: (opened: Socket, isAuthorized: boolean, error: Error | null) => {
      if (attempt === "cancelled") return;
      if (isAuthorized) begin(opened);
      else failure = error?.message ?? "the TLS handshake failed";
    },
    data: (_socket: Socket, bytes: Uint8Array) => listener.received(bytes),
    drain: () => listener.drained(),
    error: (_socket: Socket, error: Error) => void (failure = error.message),
    close: () => listener.closed(failure),
    connectError: () => {}, // Why: the promise rejects, too.
  };
  const tls = isEncrypted ? { serverName: hostname, rejectUnauthorized: true } : false;
  Bun.connect({ hostname, port, tls, socket }).catch((error: unknown) => listener.closed(errorText(error)));
  return () => {
    if (attempt !== "pending") return;
    attempt = "cancelled";
    unfinished?.terminate(); // Why: a TLS handshake that the peer never answers would hold the socket.
  };
}

const byteStreamOf = (socket: Socket): ByteStream => ({
  write: (bytes) => socket.write(bytes),
  end: () => void socket.end(),
  terminate: () => socket.terminate(),
  pause: () => void socket.pause(),
  resume: () => void socket.resume(),
});
