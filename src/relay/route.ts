/** Which room an event belongs to. The only place that knows. */
import type { Effect } from "../core/effect.ts";
import type { Event, ListenerName } from "../core/event.ts";
import { NALLELY_PEER } from "../core/ids.ts";
import type { ServiceName } from "../core/service.ts";
import type { ServiceMessage } from "../core/service-message.ts";

const SERVICES: readonly string[] = ["intermediary", "neuro", "nallely", "brain", "proxy"] satisfies ServiceName[];

/** The room that serves those who come in by a door. */
export const serviceOfListener = (listener: ListenerName): ServiceName => listener;

/** The room named at the start of a key, link, load or job, up to its first separator. */
function serviceOfName(name: string): ServiceName | undefined {
  const end = name.search(/[/:]/);
  const room = end < 0 ? name : name.slice(0, end);
  return isService(room) ? room : undefined;
}

const isService = (name: string): name is ServiceName => SERVICES.includes(name);

/** The room that an event is for, for the kinds that say so themselves; undefined for all others. */
export function serviceOfEvent(event: Event): ServiceName | undefined {
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
      return "intermediary";
    case "requested":
      return event.request.of;
    default:
      return undefined;
  }
}

/** The room that an effect came from, where the effect says so. */
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
    default:
      return undefined;
  }
}

/** The rooms that hear every fact, where they are hosted. */
export const OBSERVERS: readonly ServiceName[] = ["intermediary", "nallely"];

/** Whom a tell reaches: what Neuro says to the relay as a neuron is not for the Intermediary, where all other integrations are. */
export const recipientOf = (service: ServiceName, message: ServiceMessage): ServiceName =>
  message.is === "neuroMessage" && message.peer === NALLELY_PEER ? "nallely" : service;
