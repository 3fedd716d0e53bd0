/** Upgrades of an HTTP server to WebSockets, on Deno. */
import { type Server, ServerResponse } from "node:http";
import { WebSocketServer } from "ws";
import { CLOSING_MS } from "../../websocket-client/close.ts";
import type { ConnectionHandler } from "../connections.ts";
import type { Keepalive } from "../keepalive.ts";
import type { ListenerContext } from "../server-runtime.ts";
import { respond, UPGRADED } from "./http.ts";
import type { HttpConnections } from "./http-connections.ts";
import { endPipeliningLimit } from "./pipelining.ts";
import { handleSocket } from "./socket.ts";

/** A peer that sends more pings than this without reading the answers is disconnected. */
const PENDING_PONGS_MAX = 1_024;

export interface AcceptOptions {
  readonly context: ListenerContext;
  readonly connections: HttpConnections;
  readonly keepalive: Keepalive;
}

/** Handles the upgrades of a server. Returns its sockets. */
export function acceptSockets(server: Server, options: AcceptOptions): WebSocketServer {
  const { context: { fetch, frameBytesMax }, connections, keepalive } = options;
  // Why a variable: the types of `ws` lack two of the fields.
  const limits = {
    noServer: true,
    maxPayload: frameBytesMax,
    closeTimeout: CLOSING_MS,
    maxPendingAutoPongs: PENDING_PONGS_MAX,
  };
  const sockets = new WebSocketServer(limits);
  server.on("upgrade", (incoming, stream, head) => {
    const { socket: connection } = incoming;
    endPipeliningLimit(connection);
    // Why one: a response to an earlier request would be sent into the socket.
    if (!connections.requestBegan(connection, 1)) return;
    const address = connection.remoteAddress ?? "";
    const outgoing = new ServerResponse(incoming);
    outgoing.assignSocket(connection);
    outgoing.shouldKeepAlive = false;
    outgoing.once("finish", () => connection.destroySoon());
    stream.on("error", () => stream.destroy());
    const upgrade = (handler: ConnectionHandler): Response | undefined => {
      // Why: `ws` accepts a draft of RFC 6455 and earlier versions of HTTP as well.
      if (incoming.httpVersion !== "1.1" || incoming.headers["sec-websocket-version"] !== "13") return undefined;
      outgoing.detachSocket(connection);
      sockets.handleUpgrade(incoming, stream, head, (socket) => {
        connections.left(connection);
        handleSocket(socket, stream, handler, keepalive);
      });
      return UPGRADED;
    };
    void respond(incoming, outgoing, (request) => fetch(request, { address, upgrade }));
  });
  return sockets;
}
