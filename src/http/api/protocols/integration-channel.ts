/** The Intermediary as an integration uses it. */
import { z } from "zod";
import type { FaultName } from "../../../core/fault.ts";
import { FAULTS } from "../../../core/fault.ts";
import { REQUEST_ID_MAX } from "../../../core/limits.ts";
import { trace, traceExample } from "../trace-schemas.ts";
import { CLOSES_OF_ALL, json, jsonObject, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";

const text = z.string();
const flag = z.boolean();
// Why the cast: `Object.keys` forgets the names of a record.
const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export const requestId: z.ZodType = z.union([text.max(REQUEST_ID_MAX), z.number()]).describe("The reply repeats it.")
  .nullish();

const neuroSession = { session_id: text, character_id: text, display_name: text };
const priority = z.enum(["low", "medium", "high", "critical"]);
const action = z.object({
  name: text,
  description: text.describe("Neuro chooses actions by it."),
  schema: jsonObject.describe("JSON Schema of the data, with `type: object`. Absent if the action takes none.").optional(),
});
const actionNames = z.array(z.union([text, z.object({ name: text })]));

/** The greeting, which is the first message of each connection. */
export const registration = (type: "integration" | "neuro-os", name: string): ProtocolMessage => ({
  name: type === "integration" ? "RegisterIntegration" : "RegisterWatcher",
  summary: "The first message of a connection, within `limits.greeting` (5 s).",
  schema: z.object({
    type: z.literal(type),
    name: text.describe("At most 64 characters. Without it the relay makes one up and queues nothing for it.").optional(),
    auth_token: text.optional(),
    ...(type === "integration" && {
      ack: flag.describe("The integration confirms messages with `ack`; it gets `registered`.").optional(),
      trace: flag.describe("The integration gets `neuro-relay/trace` for each of its own messages that has ended.")
        .optional(),
    }),
  }),
  examples: [{ type, name, auth_token: "super-secret-token" }],
  refused: [
    {
      given: "hello",
      error: {
        error: "registration must be JSON",
        hint: 'the frame is not JSON: it begins with "h"',
        code: "badGreeting",
      },
    },
    { given: { type, name, auth_token: "wrong" }, error: { error: "invalid auth token", code: "badToken" } },
    {
      given: { type: "browser", name, auth_token: "super-secret-token" },
      error: {
        error: "unknown registration type",
        hint: '`type` must be "integration" or "neuro-os", not "browser"',
        code: "badGreeting",
      },
    },
  ],
});

const TO_RELAY: readonly ProtocolMessage[] = [
  registration("integration", "spotify"),
  {
    name: "RegisterActions",
    summary: "Offers actions to Neuro: a list, or an object with the actions by name.",
    schema: z.object({
      event: z.literal("register_actions"),
      actions: z.union([z.array(action), z.record(text, json)]),
    }),
    examples: [
      {
        event: "register_actions",
        actions: [{
          name: "play_song",
          description: "Plays a song.",
          schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
        }],
      },
      { event: "register_actions", actions: { stop_music: { type: "object", description: "Stops the music." } } },
    ],
    refused: [{
      given: { event: "register_actions", actions: [{ description: "Plays a song." }] },
      error: { error: "not registered: action 1 needs a `name`", code: "badMessage" },
    }],
  },
  {
    name: "UnregisterActions",
    summary: "Withdraws actions.",
    schema: z.object({ event: z.literal("unregister_actions"), actions: z.array(text) }),
    examples: [{ event: "unregister_actions", actions: ["play_song"] }],
  },
  {
    name: "ActionResult",
    summary: "The result of an action. Send it as soon as the data is validated.",
    schema: z.object({
      event: z.literal("action_result"),
      payload: z.object({ id: text.describe("That of the action."), success: flag, message: text.optional() }),
    }),
    examples: [{ event: "action_result", payload: { id: "17~a1", success: true, message: "Playing." } }],
  },
  {
    name: "ForceActions",
    summary: "Asks Neuro to choose one of some registered actions now.",
    schema: z.object({
      op: z.literal("choose_force_action"),
      query: text,
      actions: actionNames,
      state: text.optional(),
      ephemeral_context: flag.optional(),
      priority: priority.optional(),
    }),
    examples: [{ op: "choose_force_action", query: "Which song?", actions: [{ name: "play_song" }], priority: "low" }],
    refused: [{
      given: { op: "choose_force_action", query: "Which song?" },
      error: { error: "`actions` is missing: it must be a list of action names", code: "badMessage" },
    }],
  },
  {
    name: "ChooseForRelay",
    summary: "Chooses an action after `choose_action`, while the relay acts as Neuro.",
    schema: z.object({ choice: z.object({ selected: text, data: json.optional() }) }),
    examples: [{ choice: { selected: "play_song", data: { title: "Blue" } } }],
  },
  {
    name: "QueryRegisteredActions",
    summary: "Asks for all registered actions.",
    schema: z.object({ query: z.literal("get_registered_actions"), request_id: requestId }),
    examples: [{ query: "get_registered_actions", request_id: "r1" }],
  },
  {
    name: "NeuroCommand",
    summary: "Any message of the Neuro API that a game may send, see the game port.",
    schema: z.object({ command: text, data: json.optional() }),
    examples: [
      { command: "context", data: { message: "A song began.", silent: true } },
      { command: "actions/register", data: { actions: [{ name: "play_song", description: "Plays a song." }] } },
    ],
    refused: [{
      given: { command: "context", data: { silent: true } },
      error: { error: "`context` needs a `message`", code: "badMessage" },
    }],
  },
  {
    name: "Ack",
    summary: "Confirms a message; for integrations that registered with `ack`.",
    schema: z.object({ ack: text }),
    examples: [{ ack: "19" }],
    refused: [{
      given: { ack: 19 },
      error: { error: "`ack` must be the id of a message, not a number", code: "badMessage" },
    }],
  },
  {
    name: "Nak",
    summary: "Asks for a message again, after a delay.",
    schema: z.object({ nak: text, delay_ms: z.number().min(0).max(3_600_000).optional() }),
    examples: [{ nak: "19", delay_ms: 500 }],
  },
  {
    name: "Term",
    summary: "Gives a message up: it becomes a dead letter.",
    schema: z.object({ term: text }),
    examples: [{ term: "19" }],
  },
  {
    name: "OwnEvent",
    summary: "Any other event: watchers get it, and Neuro as silent context (`intermediary.events_to_neuro`).",
    schema: z.object({ event: text.min(1), payload: json.optional() }),
    examples: [{ event: "song_started", payload: { title: "Blue" } }],
  },
  {
    name: "FreeText",
    summary:
      "Text that is not JSON, or JSON without a known meaning: as `OwnEvent`. If it was hardly meant so, `input_refused` names the problem once, and an integration with acks gets an error.",
    schema: text,
    examples: ["The song is over."],
    contentType: "text/plain",
  },
  {
    name: "Upload",
    summary: "A binary frame is saved as a file (`uploads.file_bytes`, 8 MiB); watchers get `binary_received`.",
    schema: text.describe("Bytes."),
    examples: [],
    contentType: "application/octet-stream",
  },
];

const receipt = {
  id: text.describe("To acknowledge, for an integration with acks.").optional(),
  redelivered: z.literal(true).describe("It may have been received before.").optional(),
};
const eventOf = <Name extends string>(event: Name, payload: z.ZodType) =>
  z.object({ ...receipt, event: z.literal(event), payload });

/** An error of the Intermediary. */
export const errorMessage = (name: string): ProtocolMessage => ({
  name,
  summary:
    "A message was refused, or a connection is about to be closed. `code` is for programs, `error` and `hint` are for people.",
  schema: z.object({
    ...receipt,
    error: text,
    hint: text.describe("What to change.").optional(),
    code: z.enum(FAULT_NAMES),
    needs: text.describe("The scope that the token lacks.").optional(),
    retry_after_ms: z.number().optional(),
    request_id: requestId,
  }),
  examples: [
    { error: "invalid target/cmd", hint: "`cmd` is missing: it must be what the integration is to do", code: "notFound" },
    { error: "rate limit", retry_after_ms: 20, code: "rateLimit" },
  ],
});

const FROM_RELAY: readonly ProtocolMessage[] = [
  {
    name: "Registered",
    summary: "The registration was accepted; only for integrations with acks.",
    schema: z.object({ event: z.literal("registered"), name: text, session: text }),
    examples: [{ event: "registered", name: "spotify", session: "c6f0" }],
  },
  {
    name: "Action",
    summary: "Neuro wants an action executed. Answer with `action_result` and its id.",
    schema: eventOf(
      "action",
      z.object({ id: text, name: text, data: text.describe("JSON, valid by the schema of the action.").optional() }),
    ),
    examples: [{ event: "action", payload: { id: "17~a1", name: "play_song", data: '{"title":"Blue"}' } }],
  },
  {
    name: "Command",
    summary: "A watcher or an operator sends a command.",
    schema: z.object({ ...receipt, from_watcher: text, cmd: json }),
    examples: [{ from_watcher: "os", cmd: { action: "ping" } }],
  },
  {
    name: "ContextUpdate",
    summary: "Neuro was given a context by another integration.",
    schema: eventOf("context_update", z.object({ from: text, context: text, message: text, silent: flag })),
    examples: [{
      event: "context_update",
      payload: { from: "chess", context: "Check.", message: "Check.", silent: true },
    }],
  },
  {
    name: "ContextGap",
    summary: "Contexts were left out, because the integration read too slowly.",
    schema: eventOf("context_gap", z.object({ missed: z.int() })),
    examples: [{ event: "context_gap", payload: { missed: 3 } }],
  },
  {
    name: "ChooseAction",
    summary: "The relay acts as Neuro and asks for a choice.",
    schema: eventOf(
      "choose_action",
      z.object({
        id: text,
        context: text.describe("The query again, as the guides of the original relay call it."),
        game_title: text,
        state: text.optional(),
        query: text,
        ephemeral_context: flag,
        actions: z.array(z.object({ name: text, desc: text })),
      }),
    ),
    examples: [{
      event: "choose_action",
      payload: {
        id: "20",
        context: "Which song?",
        game_title: "spotify",
        query: "Which song?",
        ephemeral_context: false,
        actions: [{ name: "play_song", desc: "Plays a song." }],
      },
    }],
  },
  {
    name: "NeuroStartup",
    summary: "Neuro's session.",
    schema: eventOf("startup", z.object(neuroSession)),
    examples: [{ event: "startup", payload: { session_id: "s", character_id: "neuro", display_name: "Neuro" } }],
  },
  {
    name: "ReregisterAll",
    summary: "Register all actions again.",
    schema: eventOf("actions/reregister_all", z.object({})),
    examples: [{ event: "actions/reregister_all", payload: {} }],
  },
  {
    name: "ShutdownGraceful",
    summary: "Stop when it suits, or do not stop after all.",
    schema: eventOf("shutdown/graceful", z.object({ wants_shutdown: flag })),
    examples: [{ event: "shutdown/graceful", payload: { wants_shutdown: true } }],
  },
  {
    name: "ShutdownImmediate",
    summary: "Stop now.",
    schema: eventOf("shutdown/immediate", z.object({})),
    examples: [{ event: "shutdown/immediate", payload: {} }],
  },
  {
    name: "SpeechFinished",
    summary: "Neuro has finished speaking.",
    schema: eventOf("speech_finished", jsonObject),
    examples: [{ event: "speech_finished", payload: {} }],
  },
  {
    name: "MessageRefused",
    summary: "Neuro's backend does not accept a message of the integration.",
    schema: eventOf("neuro-relay/refused", z.object({ code: text, error: text })),
    examples: [{ event: "neuro-relay/refused", payload: { code: "tooBig", error: "the context has 1200000 bytes" } }],
  },
  {
    name: "Trace",
    summary:
      "The whole path of a force, action, context or command of the integration that has ended, or of a result that was ignored; if its registration asks for it.",
    schema: eventOf("neuro-relay/trace", z.object({ trace })),
    examples: [{ event: "neuro-relay/trace", payload: { trace: traceExample("spotify", "spotify", "play_song") } }],
  },
  {
    name: "NeuroEvent",
    summary: "Any other command of Neuro.",
    schema: z.object({ ...receipt, event: text, payload: jsonObject }),
    examples: [{ event: "mood", payload: { mood: "good" } }],
  },
  {
    name: "RegisteredActions",
    summary: "The reply to `get_registered_actions`: the schemas by `<integration>.<action>`.",
    schema: z.object({ ...receipt, actions: z.record(text, json), request_id: requestId }),
    examples: [{ actions: { "spotify.play_song": { type: "object" } } }],
  },
  errorMessage("IntegrationError"),
];

export const INTEGRATION_CHANNEL: ProtocolChannel = {
  name: "integration",
  title: "Intermediary: integrations",
  description:
    "For programs that offer actions to Neuro. An integration without acks gets no reply to its registration; messages of a relay that it does not know it has to ignore.",
  server: { is: "listener", name: "intermediary" },
  toRelay: TO_RELAY,
  fromRelay: FROM_RELAY,
  closes: ["done", ...CLOSES_OF_ALL, "badGreeting", "notAllowed", "noGreeting", "nameTaken", "slowPeer"],
};
