/** A WebSocket server on Deno that pings every 20 ms and prints what it hears. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type { RequestContext } from "../../../src/http/app.ts";
import type { ConnectionHandler } from "../../../src/runtimes/connections.ts";
import { acceptSockets } from "../../../src/runtimes/deno/accept-sockets.ts";
import { HttpConnections } from "../../../src/runtimes/deno/http-connections.ts";
import { Keepalive } from "../../../src/runtimes/keepalive.ts";
import type { ListenerContext } from "../../../src/runtimes/serve.ts";

const handler: ConnectionHandler = {
  open() {},
  message: (frame) => console.log(`message ${frame}`),
  buffered() {},
  drain() {},
  pong() {},
  controlFrame() {},
  close: (code) => console.log(`close ${code}`),
};
const connection = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };
const app = { fetch: (_: Request, { upgrade }: RequestContext) => upgrade("neuro", connection, undefined) };
// Why the cast: an app in this test upgrades everything.
const context = { app, frameBytesMax: 1_024, admit: () => handler } as unknown as ListenerContext;
const server = createServer();
acceptSockets(server, { listener: "neuro", context, connections: new HttpConnections(), keepalive: new Keepalive(20) });
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.on("SIGTERM", () => process.exit(0));
