/** The relay on Bun: one `Bun.serve` for each listener. */
import type { Server } from "bun";
import type { Settings } from "../../core/settings.ts";
import { tooManyRequests } from "../../http/app.ts";
import { createRawDialer } from "../../websocket-client/raw-socket.ts";
import { connect } from "../../websocket-client/bun-byte-stream.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { LinkProcessOptions, RelayHandle, ServeOptions, Stoppable } from "../serve-options.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { LINK_KEEPALIVE, runLink } from "../link/link-process.ts";
import { serveProcess } from "../serve.ts";
import { createAfterTurn, type ListenerContext, type ServerRuntime } from "../server-runtime.ts";
import { Keepalive } from "../keepalive.ts";
import { listenOnNode } from "../node-http/listen.ts";
import { PIPELINED_MAX } from "../upgrade.ts";
import { writeOutput } from "./output.ts";
import { PipelineLimit } from "./pipelining.ts";
import { BunConnection, websocketHandlers } from "./socket.ts";
import { boundStrangers } from "./web-strangers.ts";

export { type RelayHandle, type ServeOptions, StartError } from "../serve-options.ts";
export { untilStopped } from "../signals.ts";

/** A request that transfers nothing for this long is aborted. */
const IDLE_SECONDS = 30;

/** Starts a relay. Throws a `StartError`, and leaves nothing open, when it cannot. */
export const serve = (settings: Settings, options: ServeOptions = {}): Promise<RelayHandle> =>
  serveProcess(bun, settings, options);

/** Starts `neuro-relay link`. Throws a `StartError`, and leaves nothing open, when it cannot. */
export const link = (options: LinkProcessOptions): Promise<Stoppable> => runLink(bun, options);

const afterTurn = createAfterTurn(setImmediate);

const keepalive = new Keepalive();

const bun: ServerRuntime = {
  listen,
  afterTurn,
  writeOutput,
  connect,
  dial: createRawDialer({ connect, afterTurn }),
  linkDial: createRawDialer({ connect, afterTurn }, LINK_KEEPALIVE),
};

/**
 * Why Node's server for the Intermediary: anyone can connect there and greet later, and Bun's own does not tell how much of a message it
 * has read. Why not imported lazily: `Bun.serve` starts a garbage collection, beside which Node's server loads half as fast.
 */
async function listen(listener: ListenerSpec, context: ListenerContext): Promise<OpenListener> {
  if (listener.name !== "intermediary") return listenOnBun(listener, context);
  return await listenOnNode(listener, context, { connected: () => {}, upgrading: () => {} });
}

function listenOnBun(
  { name, host: hostname, port, certificate }: ListenerSpec,
  { fetch, frameBytesMax }: ListenerContext,
): OpenListener {
  const pipeline = new PipelineLimit(afterTurn);
  const handlers = websocketHandlers(frameBytesMax, keepalive);
  const server = Bun.serve<BunConnection>({
    hostname,
    port,
    idleTimeout: IDLE_SECONDS,
    ...(certificate !== undefined && { tls: certificate }),
    websocket: name === "web" ? boundStrangers(handlers) : handlers,
    fetch: (request, server) => {
      const { address = "", port = 0 } = server.requestIP(request) ?? {};
      if (!pipeline.admits(port)) return tooManyRequests(`more than ${PIPELINED_MAX} requests before their answers`);
      return fetch(request, {
        address,
        disableTimeout: () => server.timeout(request, 0),
        upgrade: (handler) => upgrade(request, server, new BunConnection(handler)),
      });
    },
    error: () => new Response(null, { status: 500 }),
  });
  return {
    port: server.port ?? 0,
    stopAccepting: () => void server.stop(false),
    close: () => server.stop(true),
  };
}

const UPGRADE_OPTION = /\bupgrade\b/i;
/** The connection is a WebSocket by then, and Bun sends no HTTP response on it. So one serves for all. */
const UPGRADED = new Response(null);

function upgrade(request: Request, server: Server<BunConnection>, data: BunConnection): Response | undefined {
  if (!UPGRADE_OPTION.test(request.headers.get("connection") ?? "")) return undefined; // Why: Bun does not check this.
  return server.upgrade(request, { data }) ? UPGRADED : undefined;
}
