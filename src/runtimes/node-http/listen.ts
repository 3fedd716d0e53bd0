/** A listener on Node's HTTP server. */
import { once } from "node:events";
import { createServer, type Server, type ServerOptions } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Keepalive } from "../keepalive.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { OpenListener } from "../monitored-listener.ts";
import type { ListenerContext } from "../server-runtime.ts";
import { acceptSockets } from "./accept-sockets.ts";
import { limitHandshakes } from "./handshakes.ts";
import { HttpConnections } from "./http-connections.ts";
import { respond } from "./respond.ts";

/** The head of a request has to arrive within this time, and the whole request within `REQUEST_MS`. */
const HEAD_MS = 10_000;
const REQUEST_MS = 300_000;
/** A connection that transfers nothing for this long is closed, unless it is a socket. */
const IDLE_MS = 30_000;

const keepalive = new Keepalive();

/** What a runtime does besides. */
export interface RuntimeHooks {
  /** Gets each connection before the server does. */
  readonly connected: (socket: Socket) => void;
  /** Gets each connection that is to become a WebSocket. */
  readonly upgrading: (socket: Socket) => void;
  /** Resolves with the reason when the runtime ends the listener. */
  readonly untilEnded?: (server: Server) => Promise<string>;
}

export async function listenOnNode(
  { host, port, certificate }: ListenerSpec,
  context: ListenerContext,
  { connected, upgrading, untilEnded }: RuntimeHooks,
): Promise<OpenListener> {
  const options: ServerOptions = {
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1_000,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  };
  const server: Server = certificate === undefined
    ? createServer(options)
    // Why imported lazily: it takes longer than all other modules of a server.
    : (await import("node:https")).createServer({ ...options, ...certificate, handshakeTimeout: HEAD_MS });
  // Why: before its handshake, an encrypted connection is no stream of requests.
  const connection = certificate === undefined ? "connection" : "secureConnection";
  server.timeout = IDLE_MS;
  if (certificate !== undefined) limitHandshakes(server);
  const connections = new HttpConnections();
  server.prependListener(connection, connected);
  server.on(connection, (socket: Socket) => connections.opened(socket));
  server.on("request", (incoming, outgoing) => {
    const { socket } = incoming;
    if (!connections.requestBegan(socket)) return;
    outgoing.once("close", () => connections.requestEnded(socket));
    const disableTimeout = (): void => void socket.setTimeout(0);
    const address = socket.remoteAddress ?? "";
    void respond(
      incoming,
      outgoing,
      (request) => context.fetch(request, { address, disableTimeout, upgrade: () => undefined }),
    );
  });
  const sockets = acceptSockets(server, { context, connections, keepalive, upgrading });
  server.listen(port, host);
  await once(server, "listening");
  const ended = untilEnded?.(server);
  return {
    port: (server.address() as AddressInfo).port,
    ...(ended !== undefined && { ended }),
    stopAccepting: () => void server.close(),
    close: () => {
      for (const socket of sockets) socket.terminate();
      server.close();
      server.closeAllConnections();
      return Promise.resolve();
    },
  };
}
