/** The relay on Bun: one `Bun.serve` per listener. */
import type { Server } from "bun";
import type { Settings } from "../core/settings.ts";
import { guestHandlers } from "./bun-socket.ts";
import { connect } from "../websocket-client/bun-wire.ts";
import { rawDial } from "../websocket-client/dial-raw.ts";
import type { Guest } from "../websocket-client/guest.ts";
import { type Opened, type ProcessRuntime, type Reception, serveProcess } from "./process.ts";
import type { Listener, Served, ServeOptions } from "./served.ts";

export { type Served, type ServeOptions, StartError } from "./served.ts";
export { untilStopped } from "./signals.ts";

/** Starts a relay. Throws a `StartError` when it cannot; nothing is left open then. */
export const serve = (settings: Settings, options: ServeOptions = {}): Promise<Served> =>
  serveProcess(bun, settings, options);

const later = (run: () => void): void => void setImmediate(run);

const bun: ProcessRuntime = { listen, later, dial: rawDial({ connect, later }) };

function listen({ name, host: hostname, port }: Listener, { app, frameBytesMax, admit }: Reception): Opened {
  const server = Bun.serve<Guest>({
    hostname,
    port,
    idleTimeout: 30,
    websocket: guestHandlers(frameBytesMax),
    fetch: (request, server) =>
      app.fetch(request, {
        listener: name,
        address: server.requestIP(request)?.address ?? "",
        linger: () => server.timeout(request, 0),
        upgrade: (...admitted) => upgrade(request, server, admit(...admitted)),
      }),
    error: () => new Response(null, { status: 500 }),
  });
  return {
    port: server.port ?? 0,
    refuse: () => void server.stop(false),
    close: () => server.stop(true),
  };
}

/** Why an empty response: the connection is a socket by then, and Bun sends nothing more over HTTP. */
function upgrade(request: Request, server: Server<Guest>, owner: Guest | undefined): Response | undefined {
  if (owner === undefined) return new Response(null, { status: 503, headers: { "retry-after": "60" } });
  return server.upgrade(request, { data: owner }) ? new Response(null) : undefined;
}
