/**
 * Bounds the connections of one listener whose TLS handshake is not complete: there are at most `HANDSHAKES_MAX`, and one more closes the
 * oldest. The runtime ends each after `handshakeTimeout`.
 *
 * Why not on Bun: there a connection is not reported before its handshake.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

export const HANDSHAKES_MAX = 256;

/** Call this for an encrypted server. */
export function limitHandshakes(server: Server): void {
  const pending = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    pending.set(name, socket);
    socket.once("close", () => pending.get(name) === socket && pending.delete(name));
    const [[oldest, connection] = [name, socket]] = pending;
    if (pending.size <= HANDSHAKES_MAX) return;
    pending.delete(oldest); // Why now: its `close` event comes later.
    connection.destroy();
  });
  server.on("secureConnection", (socket: Socket) => void pending.delete(nameOf(socket)));
  // Why: Deno keeps the connection of a failed handshake.
  server.on("tlsClientError", (_: Error, socket: Socket) => void socket.destroy());
}

/** Why by its port: the encrypted socket does not tell which connection it is on. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
