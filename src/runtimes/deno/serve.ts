/** The relay on Deno: one `Deno.serve` for each listener. */
import type { Settings } from "../../core/settings.ts";
import { errorText } from "../../core/text.ts";
import { connect } from "../../websocket-client/deno-byte-stream.ts";
import { createRawDialer } from "../../websocket-client/raw-socket.ts";
import type { ConnectionHandler } from "../connections.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { RelayHandle, ServeOptions } from "../serve-options.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { type ListenerContext, serveProcess, type ServerRuntime } from "../serve.ts";
import { offeredProtocol, tooManyConnections } from "../upgrade.ts";
import { handleSocket } from "./socket.ts";

export { type RelayHandle, type ServeOptions, StartError } from "../serve-options.ts";
export { untilStopped } from "../signals.ts";

/** A peer that answers no ping for this long is disconnected. */
const IDLE_SECONDS = 120;
/** Requests in progress have this long to end when the relay stops. */
const SHUTDOWN_MS = 1_000;

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

function listen({ name, host: hostname, port }: ListenerSpec, { app, admit }: ListenerContext): OpenListener {
  const server = Deno.serve({
    hostname,
    port,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
    handler: (request, { remoteAddr }) =>
      app.fetch(request, {
        listener: name,
        address: remoteAddr.hostname,
        upgrade: (...admitted) => upgrade(request, admit(...admitted)),
      }),
  });
  return {
    port: server.addr.port,
    ended: server.finished.then(() => "it ended", errorText),
    stopAccepting: () => {}, // Why: the app itself refuses upgrades; `shutdown` would close every socket with 1001.
    // Why a race: a client that began a request and does not finish it must not keep the relay from stopping.
    close: () => Promise.race([server.shutdown(), new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS))]),
  };
}

function upgrade(request: Request, handler: ConnectionHandler | undefined): Response | undefined {
  if (handler === undefined) return tooManyConnections();
  const protocol = offeredProtocol(request);
  try {
    const options = { idleTimeout: IDLE_SECONDS, ...(protocol !== undefined && { protocol }) };
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    handleSocket(socket, handler);
    return response;
  } catch {
    return undefined; // Why: Deno throws when the request is not a valid upgrade.
  }
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
