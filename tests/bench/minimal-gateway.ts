/**
 * The least that a gateway does: it serves the WebSockets of games, keeps each frame of a game for a while, as until an owner has confirmed it,
 * and passes frames on to the relay at `argv[2]`, a port on this machine, and back. It checks, limits and measures nothing, and its frames to
 * the relay need no line with relay and peer, because each game has a connection of its own there. Prints its port.
 */
import process from "node:process";
import type { ServerWebSocket } from "bun";
import { dialRaw, flushPending, type RawWebSocket } from "./raw-websocket.ts";

const port = Number(process.argv[2]);
/** As `CONFIRM_MS` of `runtimes/cluster/remote-peers.ts`. */
const KEPT_MS = 100;

/** One game: its frames, and its connection to the relay once that is open. */
interface Game {
  relay: RawWebSocket | undefined;
  kept: string[];
}

const unconfirmed = new Set<Game>();

function confirm(): void {
  for (const game of unconfirmed) game.kept = [];
  unconfirmed.clear();
}

function keep(game: Game, frame: string): void {
  game.kept.push(frame);
  if (game.kept.length > 1) return;
  unconfirmed.add(game);
  if (unconfirmed.size === 1) setTimeout(confirm, KEPT_MS);
}

async function open({ data: game }: ServerWebSocket<Game>, send: (frame: string) => void): Promise<void> {
  game.relay = await dialRaw(port, "/", send);
  for (const frame of game.kept) game.relay.send(frame);
  flushPending();
}

const server = Bun.serve<Game>({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) =>
    server.upgrade(request, { data: { relay: undefined, kept: [] } }) ? undefined : new Response("a WebSocket"),
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open: (socket) => void open(socket, (frame) => void socket.send(frame)),
    message: ({ data: game }, frame) => {
      keep(game, String(frame));
      game.relay?.send(String(frame));
      flushPending();
    },
    close: ({ data: game }) => game.relay?.end(),
  },
});
console.log(server.port);
