/**
 * The events that watchers get: one row for each kind of observation that becomes an event, with its fields.
 * `WatcherEvents` in `core/observation.ts` defines the fields.
 */
import { hintFor } from "../../../core/diagnostics/catalogue.ts";
import type { JsonObject } from "../../../core/json.ts";
import { EVENT_BYTES_MAX } from "../../../core/limits.ts";
import type { Observation, PassedAction, WatcherEventName, WatcherEvents } from "../../../core/observation.ts";
import type { EventView } from "../../../core/view.ts";
import { fitsBytes } from "../../../core/text.ts";
import type { BufferedEvent } from "./event-buffer.ts";

type EventRow<Name extends WatcherEventName> = (
  observation: Extract<Observation, { readonly is: Name }>,
) => WatcherEvents[Name];

const nameOnly = ({ name }: { readonly name: string }): { readonly name: string } => ({ name });

const actionFields = ({ id, name, to, slugs, forced, data }: PassedAction): WatcherEvents["action_sent"] => ({
  action_id: id,
  name,
  to,
  to_ids: slugs,
  forced,
  data,
});

const ROWS: { readonly [Name in WatcherEventName]: EventRow<Name> } = {
  integration_connected: nameOnly,
  integration_disconnected: nameOnly,
  integration_connected_via_backend: ({ name, slug }) => ({ name, integration_id: slug }),
  integration_disconnected_via_backend: ({ name, slug }) => ({ name, integration_id: slug }),
  neuroos_connected: ({ name, privileges, token }) => ({ name, privileges, token }),
  neuroos_disconnected: nameOnly,
  integration_message: ({ from, payload }) => ({ from, payload }),
  integration_registered_actions: ({ from, actions }) => ({ from, actions }),
  binary_received: ({ from, size, file, sha256, content_type }) => ({ from, size, file, sha256, content_type }),
  backend_message: ({ payload }) => ({ payload }),
  add_context: ({ id, game_title, slug, message, reply_if_not_busy }) => ({
    context_id: id,
    game_title,
    integration_id: slug,
    message,
    reply_if_not_busy,
  }),
  context_dropped: ({ id, from, slug }) => ({ context_id: id, from, integration_id: slug }),
  choose_action: ({ payload }) => ({ payload }),
  force_opened: ({ id, integration, slug, query, names, priority, waited }) => ({
    force_id: id,
    integration,
    integration_id: slug,
    query,
    actions: names,
    priority,
    waited_ms: waited,
  }),
  force_ended: ({ id, integration, slug, end, ms }) => ({
    force_id: id,
    integration,
    integration_id: slug,
    end,
    ms,
  }),
  action_sent: actionFields,
  approval_wanted: actionFields,
  action_result: ({ id, name, from, slug, success, message, ms, origin }) => ({
    action_id: id,
    name,
    from,
    from_id: slug,
    success,
    message,
    ms,
    origin,
  }),
  trace_ended: ({ trace }) => ({ trace }),
  action_expired: ({ id, name, to }) => ({ action_id: id, name, to }),
  upstream_connected: ({ upstream, url }) => ({ upstream, url }),
  upstream_lost: ({ upstream, reason, retry_ms }) => ({ upstream, reason, retry_ms }),
  message_queued: ({ to, id, kind, depth }) => ({ to, message_id: id, kind, depth }),
  message_delivered: ({ to, id, confirmed }) => ({ to, message_id: id, confirmed }),
  message_dead: ({ to, id, why }) => ({ to, message_id: id, why }),
  diagnostic: ({ from, slug, what, severity, detail, count, message }) => ({
    from,
    integration_id: slug,
    what,
    severity,
    hint: hintFor(what, detail),
    count,
    message,
  }),
  input_repaired: ({ from, what, hint }) => ({ from, what, hint }),
  input_refused: ({ from, fault, reason }) => ({ from, fault, reason }),
  writes_suspended: ({ service }) => ({ service }),
  writes_resumed: ({ service }) => ({ service }),
  peer_closed_by_relay: ({ from, fault, reason }) => ({ from, fault, reason }),
  operator_acted: ({ by, did, to, outcome }) => ({ by, did, to, outcome }),
  nallely_connected: ({ name, url }) => ({ name, url }),
  nallely_lost: ({ name, reason, retry_ms }) => ({ name, reason, retry_ms }),
  nallely_drifted: ({ name, listed, missing, extra, changed }) => ({ name, listed, missing, extra, changed }),
  nallely_input: ({ parameter, value, did }) => ({ parameter, value, did }),
  nallely_output: ({ parameter, value, action }) => ({ parameter, value, action }),
};

/** The names of all events. */
export const EVENT_NAMES: ReadonlySet<string> = new Set(Object.keys(ROWS));
/** Those that only a watcher gets that names them, because each says at once what others say step by step. */
const NAMED_EVENTS: ReadonlySet<string> = new Set<WatcherEventName>(["trace_ended"]);
/** Those that a watcher gets that names none. */
export const DEFAULT_EVENTS: ReadonlySet<string> = new Set(
  [...EVENT_NAMES].filter((name) => !NAMED_EVENTS.has(name)),
);

/** An event as watchers get it. */
export function eventOf({ id, at, observation }: BufferedEvent): EventView {
  // Why the cast: the compiler cannot see that the row of an observation's own name takes that observation.
  const fieldsOf = (ROWS as Readonly<Record<string, unknown>>)[observation.is] as
    | ((observation: Observation) => JsonObject)
    | undefined;
  return { event: observation.is, ...fieldsOf?.(observation), id, at };
}

/** The frame for skipped events: their number, or null if it is unknown. */
export const gapText = (missed: number | null): string => JSON.stringify({ event: "gap", missed });

/** An event as a frame. */
export const eventText = (event: BufferedEvent): string => boundedEvent(JSON.stringify(eventOf(event)));

/** The text of an event. In place of one that a watcher might not be able to receive, it gets a gap. */
export const boundedEvent = (text: string): string => fitsBytes(text, EVENT_BYTES_MAX) ? text : gapText(1);
