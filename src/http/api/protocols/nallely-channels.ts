/** The connections of the relay to a Nallely session: as a neuron on the bus, and to Trevor. */
import { z } from "zod";
import { DEFAULTS } from "../../../core/defaults.ts";
import { json, jsonObject, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";

const text = z.string();
const bound = z.number().nullable();
const NOTHING_IS_CLOSED: ProtocolChannel["closes"] = [];

const parameters = z.array(z.object({
  name: text,
  range: z.tuple([bound, bound]).describe("Lowest and highest value; null: no bound.").optional(),
  stream: z.literal(true).describe("Repeated values arrive, too.").optional(),
}));

const value = (name: string, summary: string): ProtocolMessage => ({
  name,
  summary:
    `${summary} One byte with the length of the parameter's name, the name in UTF-8, and the value as a big-endian float64. The example is in hexadecimal.`,
  schema: text.regex(/^([0-9a-f]{2})+$/),
  examples: ["046e6f7465404e000000000000"],
  contentType: "application/octet-stream",
});

export const NALLELY_BUS_CHANNEL: ProtocolChannel = {
  name: "nallely-bus",
  title: "Nallely: the bus",
  description:
    "With `nallely.enabled` the relay is a neuron of a Nallely session. It dials `nallely.url` with the path `/<nallely.name>/autoconfig`, registers its parameters and then exchanges values. The session answers no registration.",
  server: { is: "dialed", name: "nallely-bus", url: DEFAULTS.nallely.url, setting: "nallely.url" },
  toRelay: [
    value("NallelyValueToRelay", "A value of a parameter that is wired to the relay."),
    {
      name: "NallelyTextValue",
      summary: "A value whose parameter has a name of more than 255 bytes.",
      schema: z.object({ on: text, value: z.number(), device: text.optional(), sender: text.optional() }),
      examples: [{ value: 8, device: "fb", on: "energy", sender: "fa_out" }],
    },
  ],
  fromRelay: [
    {
      name: "NallelyRegistration",
      summary:
        "The first message on the socket. With `type`, on a further socket, it adds parameters to a registered neuron (`nallely.repair`).",
      schema: z.object({ kind: z.literal("external"), type: z.literal("add_parameters").optional(), parameters }),
      examples: [
        { kind: "external", parameters: [{ name: "energy", range: [0, 127] }, { name: "pad" }] },
        { kind: "external", type: "add_parameters", parameters: [{ name: "pad" }] },
      ],
    },
    value("NallelyValueFromRelay", "A value of a parameter of the relay."),
  ],
  closes: NOTHING_IS_CLOSED,
};

const FENCE = "fence-5d41-1";

export const NALLELY_TREVOR_CHANNEL: ProtocolChannel = {
  name: "nallely-trevor",
  title: "Nallely: Trevor",
  description:
    "The control port of a Nallely session. The relay dials `nallely.trevor_url` with the path `/trevor`, only to compare the session's registration of its neuron with its own. Trevor sends replies to all clients and without ids, so each command is followed by a fence. Clients of the package can send every command of Trevor in the same way.",
  server: { is: "dialed", name: "nallely-trevor", url: DEFAULTS.nallely.trevor_url, setting: "nallely.trevor_url" },
  toRelay: [
    {
      name: "TrevorState",
      summary: "The state of the session: the reply to most commands, and sent after registrations of others.",
      schema: z.looseObject({
        virtual_devices: z.array(jsonObject),
        connections: z.array(jsonObject),
        midi_devices: z.array(jsonObject).optional(),
      }),
      examples: [{ virtual_devices: [], connections: [], midi_devices: [] }],
    },
    {
      name: "TrevorCompletion",
      summary: "The reply to a fence. What arrived before it belongs to the command.",
      schema: z.object({ command: z.literal("completion"), requestId: text, options: z.array(json) }),
      examples: [{ command: "completion", requestId: FENCE, options: [] }],
    },
    {
      name: "TrevorNotification",
      summary: "Any other message. The relay ignores it.",
      schema: z.looseObject({ command: text }),
      examples: [{ command: "notification", status: "warning", message: "A device was restarted." }],
    },
  ],
  fromRelay: [
    {
      name: "TrevorFullState",
      summary: "Requests the state.",
      schema: z.object({ command: z.literal("full_state") }),
      examples: [{ command: "full_state" }],
    },
    {
      name: "TrevorFence",
      summary: "A request that does nothing and whose reply has our id.",
      schema: z.object({ command: z.literal("completion_request"), requestId: text, expression: z.literal("x") }),
      examples: [{ command: "completion_request", requestId: FENCE, expression: "x" }],
    },
  ],
  closes: NOTHING_IS_CLOSED,
};
