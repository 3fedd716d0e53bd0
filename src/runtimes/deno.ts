/** The relay on Deno: one `Deno.serve` per listener. */
import type { Settings } from "../core/settings.ts";
import { seat } from "./deno-socket.ts";
import { connect } from "../websocket-client/deno-wire.ts";
import { rawDial } from "../websocket-client/dial-raw.ts";
import type { Guest } from "../websocket-client/guest.ts";
import { type Opened, type ProcessRuntime, type Reception, serveProcess } from "./process.ts";
import type { Listener, Served, ServeOptions } from "./served.ts";

export { type Served, type ServeOptions, StartError } from "./served.ts";
export { untilStopped } from "./signals.ts";

/** A peer that answers no ping for so long is closed. */
const IDLE_SECONDS = 120;
/** Requests that are under way have so long to end. */
const GOING_MS = 1_000;

/** Starts a relay. Throws a `StartError` when it cannot; nothing is left open then. */
export function serve(settings: Settings, options: ServeOptions = {}): Promise<Served> {
  const log = options.log ?? ((line: string) => console.error(line));
  survive((error) => log(`a mistake of ours, or of a library: ${error instanceof Error ? error.stack : error}`));
  return serveProcess(deno, settings, options);
}

const later = (run: () => void): void => void setImmediate(run);

const deno: ProcessRuntime = { listen, later, dial: rawDial({ connect, later }) };

function listen({ name, host: hostname, port }: Listener, { app, admit }: Reception): Opened {
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
    refuse: () => {}, // Why: the app refuses by itself, and a shutdown would end every socket with 1001.
    // Why a race: who began a request and does not go on with it must not keep the relay from ending.
    close: () => Promise.race([server.shutdown(), new Promise<void>((resolve) => setTimeout(resolve, GOING_MS))]),
  };
}

function upgrade(request: Request, owner: Guest | undefined): Response | undefined {
  if (owner === undefined) return new Response(null, { status: 503, headers: { "retry-after": "60" } });
  const [protocol] = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((offer) => offer.trim());
  try {
    const options = { idleTimeout: IDLE_SECONDS, ...(protocol && { protocol }) };
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    seat(socket, owner);
    return response;
  } catch {
    return undefined; // Why: it says so when the request is no proper upgrade.
  }
}

let isSurviving = false;

/** The last belt: without it, whatever is thrown where nobody catches it ends the process. */
function survive(report: (error: unknown) => void): void {
  if (isSurviving) return;
  isSurviving = true;
  addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
}
