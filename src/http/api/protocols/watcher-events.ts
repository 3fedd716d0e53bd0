/** The events that watchers get, with an example of each. */
import { z } from "zod";
import { DIAGNOSTIC_IDS, SEVERITIES } from "../../../core/diagnostics/catalogue.ts";
import type { FaultName } from "../../../core/fault.ts";
import { FAULTS } from "../../../core/fault.ts";
import type { Json } from "../../../core/json.ts";
import { SERVICE_NAMES } from "../../../core/service.ts";
import type { WatcherEventName, WatcherEvents } from "../../../core/observation.ts";
import { trace, traceExample } from "../trace-schemas.ts";
import { json, jsonObject, type ProtocolMessage } from "./protocol.ts";

// Why the cast: `Object.keys` forgets the names of a record.
const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

const text = z.string();
const texts = z.array(text);
const flag = z.boolean();
const count = z.int().min(0);
const ms = z.number().describe("Milliseconds.");
const optionalText = text.optional();
const fault = z.enum(FAULT_NAMES);

const presence = z.object({ name: text });
const gamePresence = z.object({ name: text, integration_id: optionalText });
const passedAction = z.object({
  action_id: text,
  name: text,
  to: texts.describe("Names of the recipients."),
  to_ids: texts,
  forced: flag,
  data: text.describe("JSON, as Neuro wrote it.").optional(),
});
const lostLink = { reason: text, retry_ms: ms.describe("Until the next attempt. Absent if there is none.").optional() };
const writeHealth = z.object({ service: z.enum(SERVICE_NAMES) });

const FIELDS = {
  integration_connected: presence,
  integration_disconnected: presence,
  integration_connected_via_backend: gamePresence,
  integration_disconnected_via_backend: gamePresence,
  neuroos_connected: z.object({
    name: text,
    privileges: z.enum(["enhanced", "standard"]),
    token: text.describe("The name of its token."),
  }),
  neuroos_disconnected: presence,
  integration_message: z.object({ from: text, payload: json.describe("The whole message, without credentials.") }),
  integration_registered_actions: z.object({ from: text, actions: texts }),
  binary_received: z.object({
    from: text,
    size: count,
    file: text.describe("`GET /uploads/{file}` returns its bytes."),
    sha256: text,
    content_type: text,
  }),
  backend_message: z.object({ payload: text.describe("JSON as a text.") }),
  add_context: z.object({
    context_id: text,
    game_title: text,
    integration_id: optionalText,
    message: text,
    reply_if_not_busy: flag,
  }),
  context_dropped: z.object({ context_id: text, from: text, integration_id: text }),
  choose_action: z.object({
    payload: jsonObject.describe("As for integrations, with `type` in place of `id` and `context`."),
  }),
  force_opened: z.object({
    force_id: text,
    integration: text,
    integration_id: text,
    query: text,
    actions: texts,
    priority: z.enum(["low", "medium", "high", "critical"]),
    waited_ms: ms,
  }),
  force_ended: z.object({
    force_id: text,
    integration: text,
    integration_id: text,
    end: z.enum([
      "completed",
      "replaced",
      "names_gone",
      "game_gone",
      "expired",
      "given_up",
      "refused",
      "cancelled",
      "held",
      "preempted",
    ]),
    ms,
  }),
  action_sent: passedAction,
  approval_wanted: passedAction,
  action_result: z.object({
    action_id: text,
    name: text,
    from: text,
    from_id: optionalText,
    success: flag,
    message: optionalText,
    ms,
    origin: z.enum(["game", "deadline", "gone", "unknown", "relay", "operator"]),
  }),
  trace_ended: z.object({ trace }),
  action_expired: z.object({ action_id: text, name: text, to: texts }),
  upstream_connected: z.object({ upstream: text, url: text }),
  upstream_lost: z.object({ upstream: text, ...lostLink }),
  message_queued: z.object({ to: text, message_id: text, kind: text, depth: count }),
  message_delivered: z.object({ to: text, message_id: text, confirmed: flag.describe("By an ack.") }),
  message_dead: z.object({ to: text, message_id: text, why: text }),
  diagnostic: z.object({
    from: text,
    integration_id: optionalText.describe("Absent for a client that has not named its game."),
    what: z.enum(DIAGNOSTIC_IDS).describe("The id in the catalogue of diagnostics."),
    severity: z.enum(SEVERITIES),
    hint: text.describe("For the author of the integration."),
    count: count.describe("Occurrences so far."),
    message: text.describe("The beginning of the message, without credentials. Empty if no message caused it."),
  }),
  input_repaired: z.object({ from: text, what: text, hint: text }),
  input_refused: z.object({ from: text, fault, reason: text }),
  peer_closed_by_relay: z.object({ from: text, fault, reason: optionalText }),
  writes_suspended: writeHealth,
  writes_resumed: writeHealth,
  operator_acted: z.object({ by: text, did: text, to: text, outcome: z.enum(["done", ...FAULT_NAMES]) }),
  nallely_connected: z.object({ name: text, url: text }),
  nallely_lost: z.object({ name: text, ...lostLink }),
  nallely_drifted: z.object({ name: text, listed: flag, missing: texts, extra: texts, changed: texts }),
  nallely_input: z.object({ parameter: text, value: z.number(), did: z.enum(["context", "force", "choose", "limited"]) }),
  nallely_output: z.object({ parameter: text, value: z.number(), action: text }),
} satisfies { readonly [Name in WatcherEventName]: z.ZodObject & z.ZodType<WatcherEvents[Name]> };

interface EventTexts<Name extends WatcherEventName> {
  readonly summary: string;
  readonly example: WatcherEvents[Name];
}

const action = { action_id: "17~a1", name: "play_song", to: ["spotify"], to_ids: ["spotify"], forced: false, data: "{}" };
const game = { integration: "Buckshot Roulette", integration_id: "buckshot-roulette" };

const TEXTS: { readonly [Name in WatcherEventName]: EventTexts<Name> } = {
  integration_connected: { summary: "An integration has connected.", example: { name: "spotify" } },
  integration_disconnected: { summary: "An integration has disconnected.", example: { name: "spotify" } },
  integration_connected_via_backend: {
    summary: "A game has connected to the game port, or through the intercept proxy (without `integration_id`).",
    example: { name: "Buckshot Roulette", integration_id: "buckshot-roulette" },
  },
  integration_disconnected_via_backend: {
    summary: "A game has disconnected.",
    example: { name: "Buckshot Roulette", integration_id: "buckshot-roulette" },
  },
  neuroos_connected: {
    summary: "A watcher has connected. The first event that a watcher gets is its own.",
    example: { name: "os", privileges: "standard", token: "intermediary" },
  },
  neuroos_disconnected: { summary: "A watcher has disconnected.", example: { name: "os" } },
  integration_message: {
    summary: "An integration has sent a message.",
    example: { from: "spotify", payload: { event: "song_started", payload: { title: "Blue" } } },
  },
  integration_registered_actions: {
    summary: "An integration has registered actions.",
    example: { from: "spotify", actions: ["play_song"] },
  },
  binary_received: {
    summary: "A file of an integration was saved.",
    example: { from: "camera", size: 2, file: "camera-17.png", sha256: "9f86d0", content_type: "image/png" },
  },
  backend_message: {
    summary: "Neuro has sent a command that is no action.",
    example: { payload: '{"command":"speech_finished"}' },
  },
  add_context: {
    summary: "Neuro was given a context.",
    example: {
      context_id: "19",
      game_title: "spotify",
      integration_id: "spotify",
      message: "A song began.",
      reply_if_not_busy: false,
    },
  },
  context_dropped: {
    summary: "A context was dropped, because its integration is muted.",
    example: { context_id: "19", from: "spotify", integration_id: "spotify" },
  },
  choose_action: {
    summary: "Without an upstream, the relay asks integrations and watchers to choose an action.",
    example: {
      payload: {
        type: "choose_action_request",
        game_title: "spotify",
        query: "Which song?",
        ephemeral_context: false,
        actions: [{ name: "play_song", desc: "Plays a song." }],
      },
    },
  },
  force_opened: {
    summary: "A force was sent to Neuro.",
    example: { force_id: "18", ...game, query: "Shoot!", actions: ["shoot"], priority: "low", waited_ms: 0 },
  },
  force_ended: { summary: "A force has ended.", example: { force_id: "18", ...game, end: "completed", ms: 900 } },
  action_sent: { summary: "An action was sent to its integrations.", example: action },
  approval_wanted: { summary: "An action waits for an operator's approval.", example: action },
  action_result: {
    summary: "An action has its result.",
    example: {
      action_id: "17~a1",
      name: "play_song",
      from: "spotify",
      from_id: "spotify",
      success: true,
      message: "Playing.",
      ms: 40,
      origin: "game",
    },
  },
  trace_ended: {
    summary:
      "A force, action, context or command has ended, or a result was ignored: its whole path. Only for watchers that name this event in their subscription.",
    example: { trace: traceExample("spotify", "spotify", "play_song") },
  },
  action_expired: {
    summary: "An action got no result in time.",
    example: { action_id: "17~a1", name: "play_song", to: ["spotify"] },
  },
  upstream_connected: {
    summary: "The relay has connected to Neuro.",
    example: { upstream: "neuro", url: "ws://127.0.0.1:8001" },
  },
  upstream_lost: {
    summary: "The connection to Neuro was lost, or could not be made.",
    example: { upstream: "neuro", reason: "refused", retry_ms: 500 },
  },
  message_queued: {
    summary: "A message waits for its recipient.",
    example: { to: "spotify", message_id: "19", kind: "command", depth: 1 },
  },
  message_delivered: {
    summary: "A queued message was delivered.",
    example: { to: "spotify", message_id: "19", confirmed: true },
  },
  message_dead: {
    summary: "A message became a dead letter.",
    example: { to: "spotify", message_id: "19", why: "expired" },
  },
  diagnostic: {
    summary:
      "Something that the author of an integration should know. Sent at its first occurrence, then at most every 10 s.",
    example: {
      from: "Chess",
      integration_id: "chess",
      what: "force_without_names",
      severity: "error",
      hint: "name at least one registered action in `action_names`: Neuro ignores a force without actions",
      count: 1,
      message: '{"command":"actions/force","query":"Your move.","ephemeral":false,"priority":"low","names":[]}',
    },
  },
  input_repaired: {
    summary: "A message was wrong but could be understood. Reported once for each kind and integration.",
    example: { from: "spotify", what: "numeric_id", hint: "`id` must be a text: send back the id of the action unchanged" },
  },
  input_refused: {
    summary: "A message was refused, or read as free text because it has no meaning.",
    example: { from: "spotify", fault: "badMessage", reason: "`context` needs a `message`" },
  },
  peer_closed_by_relay: {
    summary: "The relay has closed a connection.",
    example: { from: "spotify", fault: "slowPeer", reason: "too slow to read" },
  },
  writes_suspended: { summary: "The store keeps failing.", example: { service: "intermediary" } },
  writes_resumed: { summary: "The store works again.", example: { service: "intermediary" } },
  operator_acted: {
    summary: "An operator or a watcher has changed something.",
    example: { by: "watcher os", did: "command", to: "spotify", outcome: "done" },
  },
  nallely_connected: {
    summary: "The relay has joined a Nallely session.",
    example: { name: "neuro", url: "ws://127.0.0.1:6788" },
  },
  nallely_lost: {
    summary: "The connection to a Nallely session was lost.",
    example: { name: "neuro", reason: "closed", retry_ms: 500 },
  },
  nallely_drifted: {
    summary: "The session describes the relay's neuron differently than the relay does.",
    example: { name: "neuro", listed: true, missing: ["mood"], extra: [], changed: [] },
  },
  nallely_input: {
    summary: "A value rose over its threshold.",
    example: { parameter: "mood", value: 0.9, did: "context" },
  },
  nallely_output: {
    summary: "Neuro has set a parameter.",
    example: { parameter: "mood", value: 0.5, action: "set_mood" },
  },
};

const STAMP: Readonly<Record<string, Json>> = { id: "0000000000001-0000000021", at: 1_767_225_600_000 };

const stamp = {
  id: text.describe("Greater than that of every earlier event. `subscribe.after` resumes after it.").optional(),
  at: z.number().describe("Milliseconds since 1970."),
};

// Why the cast: `Object.keys` forgets the names of a record.
const EVENT_NAMES = Object.keys(FIELDS) as WatcherEventName[];

/** All events. */
export const WATCHER_EVENTS: readonly ProtocolMessage[] = EVENT_NAMES.map((event) => ({
  name: event,
  summary: TEXTS[event].summary,
  schema: z.object({ event: z.literal(event), ...FIELDS[event].shape, ...stamp }),
  examples: [{ event, ...TEXTS[event].example, ...STAMP }],
}));
