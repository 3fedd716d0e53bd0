/**
 * The events that watchers get: one row for each kind of observation that becomes an event, with its fields.
 *
 * Each event also has `event` (the name of the observation), `id` and `at`. The id of anything else has a longer name, such as `force_id`.
 *
 * | event | fields |
 * | --- | --- |
 * | `integration_connected` `integration_disconnected` | `name` |
 * | `integration_connected_via_backend` `integration_disconnected_via_backend` | `name` of the game, `integration_id`? |
 * | `neuroos_connected` | `name` `privileges` |
 * | `neuroos_disconnected` | `name` |
 * | `integration_message` | `from` `payload`: the whole message |
 * | `integration_registered_actions` | `from` `actions`: names |
 * | `binary_received` | `from` `size` `file` `sha256` `content_type` |
 * | `backend_message` | `payload`: JSON text |
 * | `add_context` | `game_title` `integration_id`? `message` `reply_if_not_busy` |
 * | `context_dropped` | `from` `integration_id` |
 * | `choose_action` | `payload` |
 * | `force_opened` | `force_id` `integration` `integration_id` `query` `actions` `priority` `waited_ms` |
 * | `force_ended` | `force_id` `integration` `integration_id` `end` `ms` |
 * | `action_sent` `approval_wanted` | `action_id` `name` `to` `to_ids` `forced` `data`? |
 * | `action_result` | `action_id` `name` `from` `from_id`? `success` `message`? `ms` `origin` |
 * | `action_expired` | `action_id` `name` `to` |
 * | `upstream_connected` | `upstream` `url` |
 * | `upstream_lost` | `upstream` `reason` `retry_ms` |
 * | `message_queued` | `to` `message_id` `kind` `depth` |
 * | `message_delivered` | `to` `message_id` `confirmed` |
 * | `message_dead` | `to` `message_id` `why` |
 * | `input_repaired` | `from` `what` `hint` |
 * | `input_refused` | `from` `fault` `reason` |
 * | `writes_suspended` `writes_resumed` | `service` |
 * | `peer_closed_by_relay` | `from` `fault` `reason`? |
 * | `operator_acted` | `by` `did` `to` `outcome` |
 * | `nallely_connected` | `name` `url` |
 * | `nallely_lost` | `name` `reason` `retry_ms` |
 * | `nallely_drifted` | `name` `listed` `missing` `extra` `changed`: names |
 * | `nallely_input` | `parameter` `value` `did` |
 * | `nallely_output` | `parameter` `value` `action` |
 */
import type { JsonObject } from "../../../core/json.ts";
import type { Observation, ObservationName, PassedAction } from "../../../core/observation.ts";
import type { EventView } from "../../../core/view.ts";
import type { BufferedEvent } from "./event-buffer.ts";

type EventRow<Name extends ObservationName> = (observation: Extract<Observation, { is: Name }>) => JsonObject;

const nameOnly = ({ name }: { readonly name: string }): JsonObject => ({ name });

const actionFields = ({ id, name, to, slugs, forced, data }: PassedAction): JsonObject => ({
  action_id: id,
  name,
  to,
  to_ids: slugs,
  forced,
  data,
});

const ROWS: { readonly [Name in ObservationName]?: EventRow<Name> } = {
  integration_connected: nameOnly,
  integration_disconnected: nameOnly,
  integration_connected_via_backend: ({ name, slug }) => ({ name, integration_id: slug }),
  integration_disconnected_via_backend: ({ name, slug }) => ({ name, integration_id: slug }),
  neuroos_connected: ({ name, privileges }) => ({ name, privileges }),
  neuroos_disconnected: nameOnly,
  integration_message: ({ from, payload }) => ({ from, payload }),
  integration_registered_actions: ({ from, actions }) => ({ from, actions }),
  binary_received: ({ from, size, file, sha256, content_type }) => ({ from, size, file, sha256, content_type }),
  backend_message: ({ payload }) => ({ payload }),
  add_context: ({ game_title, slug, message, reply_if_not_busy }) => ({
    game_title,
    integration_id: slug,
    message,
    reply_if_not_busy,
  }),
  context_dropped: ({ from, slug }) => ({ from, integration_id: slug }),
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
  action_expired: ({ id, name, to }) => ({ action_id: id, name, to }),
  upstream_connected: ({ upstream, url }) => ({ upstream, url }),
  upstream_lost: ({ upstream, reason, retry_ms }) => ({ upstream, reason, retry_ms }),
  message_queued: ({ to, id, kind, depth }) => ({ to, message_id: id, kind, depth }),
  message_delivered: ({ to, id, confirmed }) => ({ to, message_id: id, confirmed }),
  message_dead: ({ to, id, why }) => ({ to, message_id: id, why }),
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

/** An event as watchers get it. */
export function eventOf({ id, at, observation }: BufferedEvent): EventView {
  // Why the cast: the compiler cannot see that the row of an observation's own name takes that observation.
  const fieldsOf = ROWS[observation.is] as ((observation: Observation) => JsonObject) | undefined;
  return { event: observation.is, ...fieldsOf?.(observation), id, at };
}

/** An event as text. */
export const eventText = (event: BufferedEvent): string => JSON.stringify(eventOf(event));
