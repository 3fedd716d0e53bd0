/** The AsyncAPI document, generated from the channels. It describes what the relay receives and sends. */
import { z } from "zod";
import { DEFAULTS } from "../../../core/defaults.ts";
import { type FaultName, FAULTS } from "../../../core/fault.ts";
import { type JsonObject, plain } from "../../../core/json.ts";
import { LISTENERS } from "../../../core/service.ts";
import { BRAIN_CHANNEL } from "./brain-channel.ts";
import { GAME_CHANNEL } from "./game-channel.ts";
import { INTEGRATION_CHANNEL } from "./integration-channel.ts";
import { LINK_CHANNEL } from "./link-channel.ts";
import { NALLELY_BUS_CHANNEL, NALLELY_TREVOR_CHANNEL } from "./nallely-channels.ts";
import type { ChannelServer, ProtocolChannel, ProtocolMessage } from "./protocol.ts";
import { PROXY_CHANNEL } from "./proxy-channel.ts";
import { repairExamples } from "./repairs.ts";
import { WATCHER_CHANNEL } from "./watcher-channel.ts";

export const CHANNELS: readonly ProtocolChannel[] = [
  INTEGRATION_CHANNEL,
  WATCHER_CHANNEL,
  GAME_CHANNEL,
  BRAIN_CHANNEL,
  PROXY_CHANNEL,
  LINK_CHANNEL,
  NALLELY_BUS_CHANNEL,
  NALLELY_TREVOR_CHANNEL,
];

export const ABOUT =
  `Every message of the relay's WebSocket protocols, in both directions. One frame is one message. Clients have to ignore messages and
fields that they do not know, because later versions may add some.

A message that the relay refuses is answered with an error: \`error\` and \`hint\` name the field, what it must be and what it is. Where the
original protocol is silent, the log and watchers (\`input_refused\`) are told instead.`;

/** Why cached: generating it takes longer than a thousand responses, and it needs no token. */
let kept: { readonly version: string; readonly base: string; readonly text: string } | undefined;

/** The document as text, for a relay of this version whose web port is below this path of its origin. */
export function asyncApiText(version: string, base: string): string {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: JSON.stringify(asyncApiDocument(version, base)) };
  }
  return kept.text;
}

/** The document as an object. */
export function asyncApiDocument(version: string, base: string): JsonObject {
  return {
    asyncapi: "3.0.0",
    info: { title: "Neuro Relay", version, description: ABOUT },
    defaultContentType: "application/json",
    servers: serversOf(base),
    channels: Object.fromEntries(CHANNELS.map((channel) => [channel.name, channelOf(channel)])),
    operations: Object.fromEntries(CHANNELS.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries(CHANNELS.flatMap(messagesOf).map((message) => [message.name, messageOf(message)])),
    },
    "x-faults": Object.fromEntries(
      Object.entries(FAULTS).map(([name, { message, blame, retry }]) => [name, { message, blame, retry }]),
    ),
  };
}

const messagesOf = ({ toRelay, fromRelay }: ProtocolChannel): readonly ProtocolMessage[] => [...toRelay, ...fromRelay];

/** Each listener with its default address and with its path on the web port, and each server that the relay dials. */
const serversOf = (base: string): JsonObject =>
  Object.fromEntries(CHANNELS.flatMap(({ server }) => Object.entries(addressesOf(server, base))));

function addressesOf(server: ChannelServer, base: string): JsonObject {
  if (server.is === "dialed") {
    const description = `The relay dials it: \`${server.setting}\` of the settings.`;
    return { [server.name]: { host: new URL(server.url).host, protocol: "ws", description } };
  }
  const web = `${DEFAULTS.web.host}:${DEFAULTS.web.port}`;
  if (server.is === "webPath") {
    const description = `For an upstream whose \`${server.setting}\` asks for it.`;
    return { [server.name]: { host: web, pathname: `${base}${server.path}`, protocol: "ws", description } };
  }
  const { name } = server;
  const { block, isOnWebPort } = LISTENERS[name];
  const { host, port } = DEFAULTS[block];
  return {
    [name]: { host: `${host}:${port}`, protocol: "ws", description: `\`${block}\` of the settings.` },
    ...(isOnWebPort && {
      [`${name}-web`]: {
        host: web,
        pathname: `${base}/${name}`,
        protocol: "ws",
        description: "The same on the web port; the only one on Workers.",
      },
    }),
  };
}

function channelOf(channel: ProtocolChannel): JsonObject {
  const { title, description, server, closes } = channel;
  const messages = messagesOf(channel).map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]);
  return {
    address: "/",
    title,
    description,
    servers: Object.keys(addressesOf(server, "")).map((name) => ({ $ref: `#/servers/${name}` })),
    messages: Object.fromEntries(messages),
    "x-close-codes": closes.map(closeOf),
    ...(channel === GAME_CHANNEL && { "x-repairs": repairExamples().map((repair) => plain({ ...repair })) }),
  };
}

function closeOf(fault: FaultName): JsonObject {
  const { close, message, blame, retry } = FAULTS[fault];
  return { code: close, fault, reason: message, blame, retry };
}

function operationsOf({ name, title, toRelay, fromRelay }: ProtocolChannel): [string, JsonObject][] {
  const operation = (action: string, messages: readonly ProtocolMessage[]): JsonObject => ({
    action,
    summary: `${title}: what the relay ${action === "send" ? "sends" : "receives"}.`,
    channel: { $ref: `#/channels/${name}` },
    messages: messages.map((message) => ({ $ref: `#/channels/${name}/messages/${message.name}` })),
  });
  return [[`${name}-to-relay`, operation("receive", toRelay)], [`${name}-from-relay`, operation("send", fromRelay)]];
}

function messageOf(message: ProtocolMessage): JsonObject {
  const { name, summary, examples, refused, contentType } = message;
  return {
    name,
    summary,
    ...(contentType !== undefined && { contentType }),
    payload: payloadSchema(message),
    ...(examples.length > 0 && { examples: examples.map((payload) => ({ payload })) }),
    ...(refused !== undefined && { "x-refused": refused.map(({ given, error }) => ({ given, error })) }),
  };
}

/** The JSON Schema of a message. */
export function payloadSchema({ schema }: ProtocolMessage): JsonObject {
  const { $schema: _, ...own } = z.toJSONSchema(schema, { io: "input", target: "draft-7" });
  return JSON.parse(JSON.stringify(own)); // Why: zod's own types add methods to JSON.
}
