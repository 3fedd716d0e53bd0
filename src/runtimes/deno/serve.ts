/** The relay on Deno: one HTTP server of Node for each listener, with the sockets of `ws`. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Settings } from "../../core/settings.ts";
import { connect } from "../../websocket-client/deno-byte-stream.ts";
import { createRawDialer } from "../../websocket-client/raw-socket.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { RelayHandle, ServeOptions } from "../serve-options.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { serveProcess } from "../serve.ts";
import type { ListenerContext, ServerRuntime } from "../server-runtime.ts";
import { Keepalive } from "../keepalive.ts";
import { untilEnded } from "./accept-probe.ts";
import { acceptSockets } from "./accept-sockets.ts";
import { respond } from "./http.ts";
import { HttpConnections } from "./http-connections.ts";
import { limitPipelining } from "./pipelining.ts";

export { type RelayHandle, type ServeOptions, StartError } from "../serve-options.ts";
export { untilStopped } from "../signals.ts";

/** The head of a request has to arrive within this time, and the whole request within `REQUEST_MS`. */
const HEAD_MS = 10_000;
const REQUEST_MS = 300_000;
/** A connection that transfers nothing for this long is closed, unless it is a socket. */
const IDLE_MS = 30_000;

/** Starts a relay. Throws a `StartError`, and leaves nothing open, when it cannot. */
export function serve(settings: Settings, options: ServeOptions = {}): Promise<RelayHandle> {
  const log = options.log ?? ((line: string) => console.error(line));
  catchUnhandled((error) => log(`internal error: ${error instanceof Error ? error.stack : error}`));
  return serveProcess(deno, settings, options);
}

const afterTurn = (run: () => void): void => void setImmediate(run);

const deno: ServerRuntime = {
  listen,
  afterTurn,
  // Why not `node:fs`: on Deno its `write` blocks.
  writeOutput: (output, bytes) => Deno[output].write(bytes),
  dial: createRawDialer({ connect, afterTurn }),
};

const keepalive = new Keepalive();

/** Why Node's server: Deno's own neither limits connections nor disconnects a socket whose peer does not read. */
async function listen({ host, port }: ListenerSpec, context: ListenerContext): Promise<OpenListener> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1_000,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  });
  server.timeout = IDLE_MS;
  const connections = new HttpConnections();
  server.prependListener("connection", limitPipelining);
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
  const sockets = acceptSockets(server, { context, connections, keepalive });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    ended: untilEnded(server),
    stopAccepting: () => void server.close(),
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      return Promise.resolve();
    },
  };
}

let isCatching = false;

/** Reports errors that nothing else catches. Without this, each of them would end the process. */
function catchUnhandled(report: (error: unknown) => void): void {
  if (isCatching) return;
  isCatching = true;
  addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
}
