/**
 * The minimal relay on a raw socket to the backend, as the second baseline: the least that a relay in JavaScript costs. Frames for the
 * backend are masked as a client must, and leave in one write per turn of the event loop; those for a game in one write per chunk of input.
 * Started as `bun raw-relay.ts GAME_PORT UPSTREAM_URL`.
 */
import type { ServerWebSocket, Socket } from "bun";
import { JsonRelay, type MinimalGame } from "./json-relay.ts";

const [port, upstreamUrl] = process.argv.slice(2);
const { hostname, host, port: upstreamPort } = new URL(upstreamUrl ?? "");

let out = Buffer.allocUnsafe(1 << 16);
let outBytes = 0;
let isBlocked = false;
let isFlushDue = false;
let backend: Socket | undefined;

function flush(): void {
  isFlushDue = false;
  if (isBlocked || outBytes === 0 || backend === undefined) return;
  const written = Math.max(0, backend.write(out.subarray(0, outBytes)));
  out.copyWithin(0, written, outBytes);
  outBytes -= written;
  isBlocked = outBytes > 0;
}

/** Queues a masked text frame of at most 65,535 bytes. */
function toNeuro(text: string): void {
  const need = text.length * 3 + 8;
  if (outBytes + need > out.length) out = Buffer.concat([out], Math.max(out.length * 2, outBytes + need));
  // Why from 42 characters: UTF-8 could then take 126 bytes, which need the longer header.
  const head = text.length < 42 ? 2 : 4;
  const size = out.write(text, outBytes + head + 4, "utf8");
  const isShort = size < 126;
  out[outBytes] = 0x81;
  if (isShort) out[outBytes + 1] = 0x80 | size;
  else out.writeUInt16BE(size, out.writeUInt8(0xfe, outBytes + 1));
  if (isShort && head === 4) out.copyWithin(outBytes + 6, outBytes + 8, outBytes + 8 + size);
  const mask = outBytes + (isShort ? 2 : 4);
  out.writeUInt32LE((Math.random() * 0x1_0000_0000) >>> 0, mask);
  const body = mask + 4;
  for (let at = 0; at < size; at++) out[body + at] = (out[body + at] ?? 0) ^ (out[mask + (at & 3)] ?? 0);
  outBytes = body + size;
  if (isFlushDue) return;
  isFlushDue = true;
  setImmediate(flush);
}

const relay = new JsonRelay(toNeuro);

/** A game's socket, with the frames that this chunk of input caused. */
class GameSocket {
  readonly frames: string[] = [];
  readonly game: MinimalGame;
  readonly socket: ServerWebSocket<GameSocket>;

  constructor(socket: ServerWebSocket<GameSocket>) {
    this.socket = socket;
    this.game = relay.openGame((text) => {
      if (this.frames.push(text) === 1) unwritten.push(this);
    });
  }

  write(): void {
    const { socket, frames } = this;
    if (frames.length === 1) socket.send(frames[0] ?? "");
    else {
      socket.cork(() => {
        for (const frame of frames) socket.send(frame);
      });
    }
    frames.length = 0;
  }
}

const unwritten: GameSocket[] = [];

function writeGames(): void {
  for (const game of unwritten) game.write();
  unwritten.length = 0;
}

let rest: Buffer = Buffer.alloc(0);
let isUpgraded = false;

function received(chunk: Buffer): void {
  let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
  let at = 0;
  if (!isUpgraded) {
    const end = data.indexOf("\r\n\r\n");
    if (end >= 0) {
      isUpgraded = true;
      at = end + 4;
      relay.start();
      listen();
    } else at = -1;
  }
  while (at >= 0 && data.length - at >= 2) {
    let size = data.readUInt8(at + 1) & 127;
    let head = 2;
    if (size === 126) {
      if (data.length - at < 4) break;
      [size, head] = [data.readUInt16BE(at + 2), 4];
    }
    if (data.length - at < head + size) break;
    if ((data.readUInt8(at) & 15) === 1) relay.fromNeuro(data.toString("utf8", at + head, at + head + size));
    at += head + size;
  }
  data = data.subarray(Math.max(0, at));
  rest = data.length > 0 ? Buffer.from(data) : data;
  writeGames();
}

function listen(): void {
  Bun.serve<GameSocket | undefined>({
    hostname: "127.0.0.1",
    port: Number(port),
    fetch: (request, server) => server.upgrade(request, { data: undefined }) ? undefined : new Response("relay"),
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      open(socket) {
        socket.data = new GameSocket(socket as ServerWebSocket<GameSocket>);
      },
      message({ data }, text) {
        if (data !== undefined) relay.fromGame(data.game, String(text));
      },
    },
  });
}

const request =
  `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
await Bun.connect({
  hostname,
  port: Number(upstreamPort),
  socket: {
    open(socket) {
      backend = socket;
      socket.setNoDelay(true);
      socket.write(request);
    },
    data: (_socket, chunk) => received(chunk),
    drain() {
      isBlocked = false;
      flush();
    },
    error() {},
  },
});
