/**
 * Whether what a service shows may have changed, for clients that keep a copy of what the API returned.
 *
 * Why by its events, and not by what it observes: a change that it does not observe must be noticed, too. So a service may be reported
 * although nothing changed, and the client finds that out by the ETag.
 */
import { assertNever } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { ServiceEvent } from "../core/event.ts";
import type { ServiceMessage } from "../core/service-message.ts";

/** True if a step may have changed what its service shows. `effects`: those of the step. */
export function mayChange(event: ServiceEvent, effects: Iterable<Effect>): boolean {
  switch (event.is) {
    case "requested":
      return "do" in event.request;
    case "serviceMessage":
      return messageMayChange(event.message);
    // Why by the effects: these come without a cause, such as every deadline of another service, or because of a query.
    case "tick":
    case "loaded":
    case "loadFailed":
      return [...effects].some(isVisible);
    case "throttled":
    case "ponged":
    case "backpressure":
    case "relieved":
    case "linkBackpressure":
    case "linkRelieved":
      return false;
    case "opened":
    case "frame":
    case "closed":
    case "dialed":
    case "received":
    case "dropped":
    case "stored":
    case "storeFailed":
    case "jobFinished":
    case "fileSaved":
    case "configured":
    case "draining":
      return true;
    default:
      return assertNever(event);
  }
}

/** An act of an operator is in the audit log. Other observations are shown as events. */
function messageMayChange(message: ServiceMessage): boolean {
  if (message.is === "observed") return message.observation.is === "operator_acted";
  return message.is !== "serviceChanged" && message.is !== "observationsCounted";
}

const isVisible = ({ do: kind }: Effect): boolean =>
  kind !== "send" && kind !== "ping" && kind !== "respond" && kind !== "load";
