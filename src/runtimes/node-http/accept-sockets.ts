/** Upgrades of Node's HTTP server to WebSockets. */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { acceptOf } from "../../websocket-client/handshake.ts";
import type { ConnectionHandler } from "../connections.ts";
import type { Keepalive } from "../keepalive.ts";
import type { ListenerContext } from "../server-runtime.ts";
import type { HttpConnections } from "./http-connections.ts";
import { respond, UPGRADED } from "./respond.ts";
import { StreamSocket } from "./socket.ts";

export interface AcceptOptions {
  readonly context: ListenerContext;
  readonly connections: HttpConnections;
  readonly keepalive: Keepalive;
  /** Called with each connection that is to become a socket. */
  readonly upgrading: (stream: Socket) => void;
}

/** Handles the upgrades of a server. Returns its open sockets. */
export function acceptSockets(server: Server, options: AcceptOptions): ReadonlySet<StreamSocket> {
  const { context: { fetch, frameBytesMax }, connections, keepalive, upgrading } = options;
  const sockets = new Set<StreamSocket>();
  server.on("upgrade", (incoming: IncomingMessage, _, head) => {
    const { socket: stream } = incoming;
    upgrading(stream);
    // Why one: a response to an earlier request would be sent into the socket.
    if (!connections.requestBegan(stream, 1)) return;
    const address = stream.remoteAddress ?? "";
    stream.on("error", () => stream.destroy());
    const outgoing = new ServerResponse(incoming);
    outgoing.assignSocket(stream);
    outgoing.shouldKeepAlive = false;
    outgoing.once("finish", () => stream.destroySoon());
    const upgrade = (handler: ConnectionHandler): Response | undefined => {
      const accepted = acceptance(incoming);
      if (accepted === undefined) return undefined;
      outgoing.detachSocket(stream);
      connections.left(stream);
      stream.write(accepted);
      const socket = new StreamSocket({ stream, handler, keepalive, frameBytesMax });
      sockets.add(socket);
      stream.once("close", () => sockets.delete(socket));
      socket.open(head);
      return UPGRADED;
    };
    void respond(incoming, outgoing, (request) => fetch(request, { address, upgrade }));
  });
  return sockets;
}

/** Sixteen bytes as base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** A list of tokens (RFC 9110, section 5.6.2). */
const PROTOCOLS = /^[\w!#$%&'*+.^`|~-]+([\t ]*,[\t ]*[\w!#$%&'*+.^`|~-]+)*$/;

/** The response that accepts an upgrade; undefined if the request does not follow RFC 6455, section 4.2.1. */
function acceptance({ httpVersion, headers }: IncomingMessage): string | undefined {
  const { "sec-websocket-key": key = "", "sec-websocket-version": version, "sec-websocket-protocol": protocols } = headers;
  if (httpVersion !== "1.1" || version !== "13" || !KEY.test(key)) return undefined;
  if (protocols !== undefined && !PROTOCOLS.test(protocols)) return undefined;
  const protocol = protocols === undefined ? "" : `Sec-WebSocket-Protocol: ${protocols.split(",")[0]?.trim()}\r\n`;
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n${protocol}\r\n`;
}
