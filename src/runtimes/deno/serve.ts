/** The relay on Deno: one HTTP server of Node for each listener, shared with Bun. */
import type { Settings } from "../../core/settings.ts";
import { connect } from "../../websocket-client/deno-byte-stream.ts";
import { createRawDialer } from "../../websocket-client/raw-socket.ts";
import type { ListenerSpec } from "../listeners.ts";
import type { LinkProcessOptions, RelayHandle, ServeOptions, Stoppable } from "../serve-options.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { LINK_KEEPALIVE, runLink } from "../link/link-process.ts";
import { serveProcess } from "../serve.ts";
import { createAfterTurn, type ListenerContext, type ServerRuntime } from "../server-runtime.ts";
import { listenOnNode } from "../node-http/listen.ts";
import { untilEnded } from "./accept-probe.ts";
import { endPipeliningLimit, limitPipelining } from "./pipelining.ts";

export { type RelayHandle, type ServeOptions, StartError } from "../serve-options.ts";
export { untilStopped } from "../signals.ts";

/** Starts a relay. Throws a `StartError`, and leaves nothing open, when it cannot. */
export function serve(settings: Settings, options: ServeOptions = {}): Promise<RelayHandle> {
  const log = options.log ?? ((line: string) => console.error(line));
  catchUnhandled((error) => log(`internal error: ${error instanceof Error ? error.stack : error}`));
  return serveProcess(deno, settings, options);
}

/** Starts `neuro-relay link`. Throws a `StartError`, and leaves nothing open, when it cannot. */
export function link(options: LinkProcessOptions): Promise<Stoppable> {
  catchUnhandled((error) => console.error(`internal error: ${error instanceof Error ? error.stack : error}`));
  return runLink(deno, options);
}

const afterTurn = createAfterTurn(setImmediate);

/** Why Node's server: Deno's own neither limits connections nor disconnects a socket whose peer does not read. */
const listen = (listener: ListenerSpec, context: ListenerContext): Promise<OpenListener> =>
  listenOnNode(listener, context, { connected: limitPipelining, upgrading: endPipeliningLimit, untilEnded });

const deno: ServerRuntime = {
  listen,
  afterTurn,
  // Why not `node:fs`: on Deno its `write` blocks.
  writeOutput: (output, bytes) => Deno[output].write(bytes),
  connect,
  dial: createRawDialer({ connect, afterTurn }),
  linkDial: createRawDialer({ connect, afterTurn }, LINK_KEEPALIVE),
};

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
