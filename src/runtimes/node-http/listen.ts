/** A listener on Node's HTTP server. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Keepalive } from "../keepalive.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { OpenListener } from "../monitored-listener.ts";
import type { ListenerContext } from "../server-runtime.ts";
import { acceptSockets } from "./accept-sockets.ts";
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
  { host, port }: ListenerSpec,
  context: ListenerContext,
  { connected, upgrading, untilEnded }: RuntimeHooks,
): Promise<OpenListener> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1_000,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  });
  server.timeout = IDLE_MS;
  const connections = new HttpConnections();
  server.prependListener("connection", connected);
  server.on("connection", (socket) => connections.opened(socket));
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
