/** A link: control messages until there is a connection to Neuro, then frames of the Neuro API. */
import { z } from "zod";
import { json, type ProtocolChannel } from "./protocol.ts";

export const LINK_CHANNEL: ProtocolChannel = {
  name: "link",
  title: "Link",
  description:
    "`neuro-relay link` connects a Neuro that the relay cannot reach: the upstream's URL is `link:<name>`, and the path here `/link/<name>`. The token, with the scope `link`, is in `Authorization` or in `?token=`. The relay asks for a connection once it needs one. After `LinkUp` each message is a frame of the Neuro API, in both directions, until one side closes; the other is then closed with the same code.",
  server: { is: "webPath", name: "link", path: "/link/neuro", setting: "nakurity-client.url" },
  toRelay: [
    {
      name: "LinkUp",
      summary: "Neuro is connected. From now on every message is a frame.",
      schema: z.object({ link: z.literal("up") }),
      examples: [{ link: "up" }],
    },
    {
      name: "LinkDown",
      summary: "Neuro cannot be reached. The relay asks again.",
      schema: z.object({
        link: z.literal("down"),
        why: z.string().describe("For the relay's log; at most 200 characters."),
      }),
      examples: [{ link: "down", why: "connection refused" }],
    },
    {
      name: "LinkedNeuroFrame",
      summary: "Any frame of Neuro, unchanged.",
      schema: json,
      examples: [{ command: "action", data: { id: "17", name: "move", data: '{"to":"e4"}' } }],
    },
  ],
  fromRelay: [
    {
      name: "LinkDial",
      summary: "The relay needs a connection to Neuro.",
      schema: z.object({
        link: z.literal("dial"),
        via: z.string().describe("For the request to Neuro: the header `Neuro-Relay-Via`, unless it is empty."),
      }),
      examples: [{ link: "dial", via: "" }],
    },
    {
      name: "LinkedRelayFrame",
      summary: "Any frame for Neuro, to be passed on unchanged.",
      schema: json,
      examples: [{ command: "startup", game: "Relay Integration" }],
    },
  ],
  closes: ["badGreeting", "badToken", "nameTaken", "tooManyPeers"],
};
