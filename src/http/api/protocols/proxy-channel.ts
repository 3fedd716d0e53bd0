/** The intercept proxy: frames that it forwards unchanged. */
import { CLOSES_OF_ALL, json, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";

const forwarded = (name: string, summary: string, example: ProtocolMessage["examples"][number]): ProtocolMessage => ({
  name,
  summary,
  schema: json,
  examples: [example],
});

export const PROXY_CHANNEL: ProtocolChannel = {
  name: "intercept-proxy",
  title: "Intercept proxy",
  description:
    "A game's connection to its own backend (`intercept-proxy.upstream_url`). Path, query and subprotocols of the game are passed on. Frames, text or bytes, are forwarded unchanged and in order, and when one side closes, the other is closed with the same code. Watchers get an `integration_message` when a game sends one of `intercept-proxy.match_commands` first, and when it leaves.",
  server: { is: "listener", name: "proxy" },
  toRelay: [
    forwarded("ProxiedGameFrame", "Any frame of a game. The backend gets it.", { command: "startup", game: "Chess" }),
  ],
  fromRelay: [
    forwarded("ProxiedBackendFrame", "Any frame of the backend. The game gets it.", {
      command: "action",
      data: { id: "17~a1", name: "move", data: '{"to":"e4"}' },
    }),
  ],
  closes: [...CLOSES_OF_ALL.filter((fault) => fault !== "badToken"), "notAllowed", "backendAway", "slowGame"],
};
