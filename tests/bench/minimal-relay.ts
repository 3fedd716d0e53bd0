/**
 * The minimal relay, as a baseline: it parses, finds the game and stringifies; no limits, no deadlines, no reconnect, no log.
 * Started as `bun minimal-relay.ts GAME_PORT UPSTREAM_URL`.
 */
interface Game {
  readonly id: number;
  send(text: string): number;
}
interface Message {
  command: string;
  game?: string;
  data: { id: string; name: string; message: string; actions: { name: string }[] };
}

const [port, upstreamUrl] = process.argv.slice(2);
const upstream = new WebSocket(upstreamUrl ?? "");
const owners = new Map<string, { game: Game; name: string }>();
const pending = new Map<string, Game>();
let games = 0;

upstream.onmessage = ({ data }) => {
  const message: Message = JSON.parse(String(data));
  const owner = owners.get(message.data.name);
  if (message.command !== "action" || owner === undefined) return;
  pending.set(message.data.id, owner.game);
  message.data.name = owner.name;
  owner.game.send(JSON.stringify(message));
};

function fromGame(game: Game, message: Message): void {
  message.game = "Relay";
  if (message.command === "startup") return;
  if (message.command === "actions/register") {
    for (const action of message.data.actions) {
      const name = `g${game.id}--${action.name}`;
      owners.set(name, { game, name: action.name });
      action.name = name;
    }
  } else if (message.command === "action/result") {
    if (pending.get(message.data.id) !== game) return;
    pending.delete(message.data.id);
  } else if (message.command === "context") message.data.message = `[g${game.id}] ${message.data.message}`;
  upstream.send(JSON.stringify(message));
}

upstream.onopen = () => {
  upstream.send(JSON.stringify({ command: "startup", game: "Relay" }));
  Bun.serve<{ game: Game }>({
    hostname: "127.0.0.1",
    port: Number(port),
    fetch: (request, server) =>
      server.upgrade(request, { data: { game: { id: 0, send: () => 0 } } }) ? undefined : new Response("relay"),
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      open(socket) {
        socket.data.game = { id: ++games, send: (text) => socket.send(text) };
      },
      message: (socket, text) => fromGame(socket.data.game, JSON.parse(String(text))),
    },
  });
};
