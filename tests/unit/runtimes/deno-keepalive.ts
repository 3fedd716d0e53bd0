/** A WebSocket server on Deno that pings every 20 ms and prints what it hears. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type { ConnectionHandler } from "../../../src/runtimes/connections.ts";
import { acceptSockets } from "../../../src/runtimes/node-http/accept-sockets.ts";
import { HttpConnections } from "../../../src/runtimes/node-http/http-connections.ts";
import { Keepalive } from "../../../src/runtimes/keepalive.ts";
import type { ListenerContext } from "../../../src/runtimes/server-runtime.ts";

const handler: ConnectionHandler = {
  greets: false,
  open() {},
  message: (frame) => console.log(`message ${frame}`),
  buffered() {},
  drain() {},
  pong() {},
  controlFrame() {},
  close: (code) => console.log(`close ${code}`),
};
// Why the cast: everything in this test is an upgrade.
const fetch: ListenerContext["fetch"] = (_, { upgrade }) => upgrade(handler) as Response;
const context: ListenerContext = { fetch, frameBytesMax: 1_024 };
const server = createServer();
acceptSockets(server, { context, connections: new HttpConnections(), keepalive: new Keepalive(20), upgrading: () => {} });
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.on("SIGTERM", () => process.exit(0));
