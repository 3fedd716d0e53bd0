/** Maps events and effects to services. No other file does. */
import { assertNever } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { LinkEvent, StoreEvent, WorkEvent } from "../core/event.ts";
import { NALLELY_PEER, RELAY_PEER } from "../core/ids.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import { type ServiceName, serviceOfName } from "../core/service.ts";

/** Events that name their service themselves, in an id or a key. */
export type AddressedEvent = LinkEvent | StoreEvent | WorkEvent;

/** The service of an event. Undefined when its id or key names none. */
export function serviceOfEvent(event: AddressedEvent): ServiceName | undefined {
  switch (event.is) {
    case "dialed":
    case "received":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return serviceOfName(event.link);
    case "stored":
    case "storeFailed":
      return serviceOfName(event.key);
    case "loaded":
    case "loadFailed":
      return serviceOfName(event.token);
    case "jobFinished":
      return serviceOfName(event.job);
    case "fileSaved":
      return "intermediary"; // Why: only integrations upload files.
    case "requested":
      return event.request.of;
    default:
      return assertNever(event);
  }
}

/** The service that an effect came from. Undefined for effects that do not say so. */
export function serviceOfEffect(effect: Effect): ServiceName | undefined {
  switch (effect.do) {
    case "put":
    case "delete":
      return serviceOfName(effect.key);
    case "dial":
    case "closeLink":
      return serviceOfName(effect.link);
    case "load":
      return serviceOfName(effect.token);
    case "runJob":
      return serviceOfName(effect.job);
    case "saveFile":
    case "deleteFile":
      return "intermediary";
    case "drained":
    case "rebuild":
      return effect.service;
    case "send":
    case "reply":
    case "close":
    case "ping":
    case "attach":
    case "respond":
    case "observe":
      return undefined;
    default:
      return assertNever(effect);
  }
}

/** The recipient of a message: what Neuro says to the relay's own integrations goes to their services, not to the Intermediary. */
export function recipientOf(service: ServiceName, message: ServiceMessage): ServiceName {
  if (message.is !== "neuroMessage") return service;
  if (message.peer === NALLELY_PEER) return "nallely";
  return message.peer === RELAY_PEER ? "neuro" : service;
}
