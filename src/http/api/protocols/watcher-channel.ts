/** The Intermediary as a watcher uses it: events, and requests with one reply each, in order. */
import { z } from "zod";
import type { PeerView, SendOutcome } from "../../../core/view.ts";
import { SERVICE_NAMES } from "../../../core/service.ts";
import { errorMessage, registration, requestId } from "./integration-channel.ts";
import { CLOSES_OF_ALL, json, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";
import { WATCHER_EVENTS } from "./watcher-events.ts";

const text = z.string();
const flag = z.boolean();
const count = z.int().min(0);

const peer = z.object({
  name: text,
  type: z.enum(["integration", "neuro-os", "game"]),
  connected: flag,
  since: z.int().exactOptional(),
  messages: count.exactOptional(),
  actions: count.exactOptional(),
  acks: flag.exactOptional(),
  queued: count.exactOptional(),
}) satisfies z.ZodType<PeerView>;

const sendOutcome = {
  status: z.enum(["sent", "queued"]),
  count: count.describe("Recipients of `*`.").exactOptional(),
};
z.object(sendOutcome) satisfies z.ZodType<SendOutcome>;

const TO_RELAY: readonly ProtocolMessage[] = [
  registration("neuro-os", "os"),
  {
    name: "SendCommand",
    summary:
      "Sends a command to an integration, or with the target `*` to all that are connected. Needs the scope `command`.",
    schema: z.object({ target: text, cmd: json, request_id: requestId }),
    examples: [{ target: "spotify", cmd: { action: "ping" }, request_id: "r1" }, { target: "*", cmd: "stop" }],
    refused: [
      {
        given: { target: "spotify" },
        error: {
          error: "invalid target/cmd",
          hint: "`cmd` is missing: it must be what the integration is to do",
          code: "notFound",
        },
      },
      {
        given: { target: "spotify", cmd: 1, request_id: ["r1"] },
        error: {
          error: "invalid request_id",
          hint: "`request_id` must be a number or a text of at most 256 characters, not a list",
          code: "badMessage",
        },
      },
      {
        given: { target: "nobody", cmd: 1, request_id: 7 },
        error: {
          error: "invalid target/cmd",
          hint: 'no integration called "nobody" is connected or expected; `{"query":"peers"}` lists them',
          request_id: 7,
          code: "notFound",
        },
      },
      {
        given: "hello",
        error: {
          error: "watcher messages must be JSON",
          hint: 'the frame is not JSON: it begins with "h"',
          code: "badMessage",
        },
      },
    ],
  },
  {
    name: "DirectToNeuro",
    summary: "Sends Neuro a context, or any command. Needs the scope `direct`.",
    schema: z.object({ direct_to_neuro: z.literal(true), payload: json, request_id: requestId }),
    examples: [{ direct_to_neuro: true, payload: { op: "neuroos_status", message: "All is well." } }],
    refused: [{
      given: { direct_to_neuro: true },
      error: {
        error: "invalid payload",
        hint: "`payload` is missing: it must be what Neuro is to read",
        code: "badMessage",
      },
    }],
  },
  {
    name: "QueryPeers",
    summary: "Asks for the integrations, watchers and games.",
    schema: z.object({ query: z.literal("peers"), request_id: requestId }),
    examples: [{ query: "peers" }],
    refused: [{
      given: { query: "everything" },
      error: {
        error: "invalid target/cmd",
        hint: '`query` must be "peers" or "get_registered_actions", not "everything"',
        code: "notFound",
      },
    }],
  },
  {
    name: "QueryActionsOfAll",
    summary: "Asks for all registered actions.",
    schema: z.object({ query: z.literal("get_registered_actions"), request_id: requestId }),
    examples: [{ query: "get_registered_actions" }],
  },
  {
    name: "SubscribeToEvents",
    summary: "Changes which events the watcher gets. Without it, a watcher gets all.",
    schema: z.object({
      subscribe: z.object({
        events: z.array(text).describe("Names of events. Absent: all. Unknown names are ignored, and named in the reply.")
          .optional(),
        after: text.describe("The id of the last event that was received: later ones are sent again.").optional(),
        rate: z.int().min(1).describe("Events per second at most; the others are counted in a `gap`.").optional(),
        snapshot: flag.describe("The reply contains the peers and the upstream.").optional(),
        changes: flag.describe("The watcher gets `changed` when what a service shows may have changed. Default: false.")
          .optional(),
      }),
      request_id: requestId,
    }),
    examples: [{ subscribe: { events: ["action_sent", "action_result"], rate: 50, snapshot: true } }, {
      subscribe: { changes: true },
    }],
    refused: [{
      given: { subscribe: { events: "action_sent" } },
      error: {
        error: "invalid subscribe",
        hint: '`subscribe.events` must be a list of names, not "action_sent"',
        code: "badMessage",
      },
    }],
  },
  {
    name: "WatcherChoice",
    summary: "Chooses an action after the event `choose_action`. Needs the scope `command`.",
    schema: z.object({ choice: z.object({ selected: text, data: json.optional() }), request_id: requestId }),
    examples: [{ choice: { selected: "play_song", data: { title: "Blue" } } }],
    refused: [{
      given: { choice: {} },
      error: {
        error: "invalid target/cmd",
        hint: "`choice.selected` is missing: it must be the name of an action",
        code: "notFound",
      },
    }],
  },
];

const FROM_RELAY: readonly ProtocolMessage[] = [
  {
    name: "CommandReply",
    summary: "The reply to a command: `queued` once it is stored for an absent integration.",
    schema: z.object({ ...sendOutcome, request_id: requestId }),
    examples: [{ status: "sent", request_id: "r1" }, { status: "queued" }, { status: "sent", count: 2 }],
  },
  {
    name: "DirectReply",
    summary: "The reply to `direct_to_neuro`. While Neuro is away it is `queued`, as that of a command.",
    schema: z.object({ status: z.literal("forwarded_to_neuro"), request_id: requestId }),
    examples: [{ status: "forwarded_to_neuro" }],
  },
  {
    name: "ChoiceReply",
    summary: "The chosen action was sent.",
    schema: z.object({ status: z.literal("chosen"), request_id: requestId }),
    examples: [{ status: "chosen" }],
  },
  {
    name: "PeersReply",
    summary: "The peers.",
    schema: z.object({ peers: z.array(peer), request_id: requestId }),
    examples: [{ peers: [{ name: "spotify", type: "integration", connected: false, queued: 1 }] }],
  },
  {
    name: "ActionsReply",
    summary: "The schemas of all actions by `<integration>.<action>`.",
    schema: z.object({ actions: z.record(text, json), request_id: requestId }),
    examples: [{ actions: { "spotify.play_song": { type: "object" } } }],
  },
  {
    name: "SubscribedReply",
    summary: "The names of the events that the watcher now gets.",
    schema: z.object({
      status: z.literal("subscribed"),
      events: z.array(text),
      hint: text.describe("Names that no event has.").optional(),
      snapshot: z.object({
        peers: z.array(peer),
        upstream: z.object({ configured: flag, open: flag }),
        after: text.describe("The id of the latest event.").optional(),
      }).optional(),
      request_id: requestId,
    }),
    examples: [{ status: "subscribed", events: ["action_sent"] }],
  },
  {
    name: "EventGap",
    summary: "Events were left out: their number, or null if it is unknown.",
    schema: z.object({ event: z.literal("gap"), missed: z.int().nullable() }),
    examples: [{ event: "gap", missed: 12 }, { event: "gap", missed: null }],
  },
  {
    name: "ChangeNotice",
    summary: "What the API returns of these services may have changed. Sent at most every 200 ms to watchers that " +
      "subscribe to `changes`; it is no event, so it has no id and does not use the rate.",
    schema: z.object({ event: z.literal("changed"), services: z.array(z.enum(SERVICE_NAMES)) }),
    examples: [{ event: "changed", services: ["neuro", "intermediary"] }],
  },
  errorMessage("WatcherError"),
  ...WATCHER_EVENTS,
];

export const WATCHER_CHANNEL: ProtocolChannel = {
  name: "watcher",
  title: "Intermediary: watchers",
  description:
    "For programs that observe and command. Each request gets one reply, in order; events come in between. A watcher's own `neuroos_connected` confirms its registration.",
  server: { is: "listener", name: "intermediary" },
  toRelay: TO_RELAY,
  fromRelay: FROM_RELAY,
  closes: ["done", ...CLOSES_OF_ALL, "badGreeting", "notAllowed", "noGreeting", "slowPeer"],
};
