/** What a runtime provides to run relays as a process, and what it gets for each listener. */
import type { RequestContext } from "../http/app.ts";
import type { Dialer } from "../websocket-client/dialer.ts";
import type { RawDialerPorts } from "../websocket-client/raw-socket.ts";
import type { ConnectionHandler } from "./connections.ts";
import type { ListenerSpec } from "./listeners.ts";
import type { OpenListener } from "./monitored-listener.ts";
import type { WriteOutput } from "./standard-output.ts";

/** The differences between runtimes that run the relay as a process. */
export interface ServerRuntime {
  /** Opens one listener; throws, or rejects, when the address is not available. */
  listen(listener: ListenerSpec, context: ListenerContext): OpenListener | Promise<OpenListener>;
  /** Runs something at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
  readonly dial: Dialer;
  /** Finds a silent peer within `LINK_KEEPALIVE`. */
  readonly linkDial: Dialer;
  /** Opens the TCP or TLS connection of an outgoing socket. */
  readonly connect: RawDialerPorts["connect"];
  readonly writeOutput: WriteOutput;
}

/** The handlers of one listener's requests and connections. */
export interface ListenerContext {
  /** The largest frame that the runtime accepts here. */
  readonly frameBytesMax: number;
  fetch(request: Request, client: HttpClient): Response | Promise<Response>;
}

/** The client of a request, as the runtime knows it. */
export interface HttpClient extends Pick<RequestContext, "address" | "disableTimeout"> {
  /** Opens the socket of a handler; undefined if the request is not a valid upgrade. */
  upgrade(handler: ConnectionHandler): Response | undefined;
}

/**
 * Returns a function that runs others at the end of this turn, in the order in which they were given. What is given meanwhile runs at the
 * end of the next turn.
 *
 * Why one immediate: the engine and its dialed connections end the same turns.
 */
export function createAfterTurn(schedule: (run: () => void) => void): (run: () => void) => void {
  let due: (() => void)[] = [];
  const endTurn = (): void => {
    const runs = due;
    due = [];
    for (const run of runs) {
      try {
        run();
      } catch (error) {
        // Why in an immediate of its own: it costs the others nothing, and is reported like any uncaught error.
        schedule(() => {
          throw error;
        });
      }
    }
  };
  return (run) => {
    if (due.push(run) === 1) schedule(endTurn);
  };
}
