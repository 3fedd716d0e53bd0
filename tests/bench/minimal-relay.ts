/**
 * The minimal relay, as a baseline: no limits, no deadlines, no reconnect, no log. It uses the runtime's WebSockets on both sides.
 * Started as `bun minimal-relay.ts GAME_PORT UPSTREAM_URL`.
 */
import { JsonRelay, type MinimalGame } from "./json-relay.ts";

const [port, upstreamUrl] = process.argv.slice(2);
const upstream = new WebSocket(upstreamUrl ?? "");
const relay = new JsonRelay((text) => upstream.send(text));

upstream.onmessage = ({ data }) => relay.fromNeuro(String(data));

upstream.onopen = () => {
  relay.start();
  Bun.serve<{ game: MinimalGame }>({
    hostname: "127.0.0.1",
    port: Number(port),
    fetch: (request, server) =>
      server.upgrade(request, { data: { game: { id: 0, send: () => 0 } } }) ? undefined : new Response("relay"),
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      open(socket) {
        socket.data.game = relay.openGame((text) => void socket.send(text));
      },
      message: (socket, text) => relay.fromGame(socket.data.game, String(text)),
    },
  });
};
