/**
 * The floor of `bun run bench registrations`: the minimal relay with duties that the relay has when a game registers, each as short as the
 * author could write it. Started as `bun registrations-relay.ts GAME_PORT UPSTREAM_URL --with checks,reader,tables,entries,log`.
 */
import { write } from "node:fs";
import { DEFAULTS } from "../../src/core/defaults.ts";
import { Deadlines } from "../../src/core/deadlines.ts";
import type { ConnectionInfo } from "../../src/core/event.ts";
import type { Action } from "../../src/core/neuro-messages.ts";
import { AccessControl, isOriginAllowed, parseRequest } from "../../src/http/app.ts";
import { decodeGame } from "../../src/neuro-api/decode-game.ts";
import { JsonRelay, type MinimalGame } from "./json-relay.ts";

/** What is kept of a game: its identity, its connection, what a person decided, and its actions. */
interface KeptGame {
  readonly id: number;
  readonly peer: string;
  readonly connection: ConnectionInfo;
  readonly since: number;
  name: string;
  key: string;
  slug: string;
  isHeld: boolean;
  isVisible: boolean;
  bytes: number;
  pending: undefined;
  force: undefined;
  traces: undefined;
  actions: readonly Action[];
}

interface SocketData {
  game: MinimalGame;
  kept: KeptGame | undefined;
  readonly connection: ConnectionInfo;
}

const [port, upstreamUrl] = process.argv.slice(2);
const has = new Set((process.argv[process.argv.indexOf("--with") + 1] ?? "").split(","));
const NOBODY: ConnectionInfo = { address: "", path: "", userAgent: "", via: "" };
const SECOND = 1_000;

const upstream = new WebSocket(upstreamUrl ?? "");
const relay = new JsonRelay((text) => upstream.send(text));
const access = new AccessControl(DEFAULTS);
const [peers, games, slugs, owners] = Array.from({ length: 4 }, () => new Map<string, KeptGame>());
const silent = new Deadlines();
const unsaved = new Set<KeptGame>();
const entries = new Map<string, string>();
let lines: string[] = [];

/** The metadata of a request whose origin and token are accepted. */
function checked(request: Request, address: string): ConnectionInfo | undefined {
  if (!has.has("checks")) return NOBODY;
  const parsed = parseRequest(request, { listener: "neuro", address }, DEFAULTS);
  const isAccepted = isOriginAllowed("neuro", parsed, DEFAULTS) &&
    access.rejectionOf("neuro", parsed.token, parsed.connection.address) === undefined;
  return isAccepted ? parsed.connection : undefined;
}

function keep({ id }: MinimalGame, connection: ConnectionInfo): KeptGame | undefined {
  if (!has.has("tables")) return undefined;
  const peer = `neuro-${id}`;
  const [name, key, slug, since] = ["", "", "", Date.now()];
  const states = { isHeld: false, isVisible: true, bytes: 0, pending: undefined, force: undefined, traces: undefined };
  const game: KeptGame = { id, peer, connection, since, name, key, slug, ...states, actions: [] };
  peers?.set(peer, game);
  silent.set(peer, since + SECOND);
  return game;
}

function register(game: KeptGame, name: string, actions: readonly Action[]): void {
  silent.clear(game.peer);
  game.actions = actions;
  for (const action of actions) {
    game.bytes += action.description.length;
    owners?.set(`g${game.id}--${action.name}`, game);
  }
  if (game.name !== name) introduce(game, name);
  if (has.has("entries")) unsaved.add(game);
}

function introduce(game: KeptGame, name: string): void {
  game.name = name;
  game.key = `neuro:${name}`;
  game.slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  games?.set(game.key, game);
  slugs?.set(game.slug, game);
  if (!has.has("log")) return;
  const count = lines.push(`${new Date().toISOString()} INFO    [neuro] game "${name}" connected\n`);
  if (count === 1) setImmediate(writeLines);
}

function writeLines(): void {
  const text = lines.join("");
  lines = [];
  write(2, text, () => {});
}

setInterval(() => {
  silent.due(Date.now());
  for (const { key, name, slug, actions, connection } of unsaved) {
    entries.set(key, JSON.stringify({ v: 1, id: key, name, slug, actions, connection }));
  }
  unsaved.clear();
}, SECOND);

/** The message as the minimal relay gets it, after it was read and its game was found. */
function receive({ game, kept }: SocketData, text: string): void {
  if (!has.has("reader")) return relay.fromGame(game, text);
  const decoded = decodeGame(text, DEFAULTS.limits);
  if (!decoded.ok) return;
  const { message, game: name = "" } = decoded;
  if (message.command !== "actions/register") return;
  if (kept !== undefined) register(kept, name, message.actions);
  const actions = message.actions.map((action) => ({ ...action, name: `g${game.id}--${action.name}` }));
  upstream.send(JSON.stringify({ command: message.command, game: "Relay", data: { actions } }));
}

upstream.onopen = () => {
  relay.start();
  Bun.serve<SocketData>({
    hostname: "127.0.0.1",
    port: Number(port),
    fetch(request, server) {
      const connection = checked(request, server.requestIP(request)?.address ?? "");
      if (connection === undefined) return new Response("refused", { status: 403 });
      const data: SocketData = { game: { id: 0, send: () => 0 }, kept: undefined, connection };
      return server.upgrade(request, { data }) ? undefined : new Response("relay");
    },
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      open(socket) {
        const { data } = socket;
        data.game = relay.openGame((text) => void socket.send(text));
        data.kept = keep(data.game, data.connection);
      },
      message: ({ data }, text) => receive(data, String(text)),
    },
  });
};
