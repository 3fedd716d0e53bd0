/**
 * The sockets of the minimal relays on a raw socket. Frames for the backend are masked as a client must, and leave in one write per turn of the
 * event loop; those for a game in one write per chunk of input.
 */
import type { ServerWebSocket, Socket } from "bun";

/** Where the frames of one peer go. */
export interface RawOutlet {
  send(text: string): void;
  /** Characters and bytes that wait to be sent. */
  readonly backlog: number;
  close(code: number, reason: string): void;
}

/** A relay between one backend and many games. `Game` is what it keeps of a connection. */
export interface RawRelay<Game> {
  /** The backend is connected. */
  start(): void;
  fromNeuro(text: string): void;
  openGame(outlet: RawOutlet): Game;
  fromGame(game: Game, text: string): void;
  closeGame?(game: Game): void;
}

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

/** The outlet to the backend. */
export const NEURO: RawOutlet = {
  send: toNeuro,
  get backlog() {
    return outBytes;
  },
  close: () => backend?.end(),
};

const unwritten: GameSocket<unknown>[] = [];

/** A game's socket, with the frames that this chunk of input caused. */
class GameSocket<Game> implements RawOutlet {
  readonly frames: string[] = [];
  readonly game: Game;
  readonly socket: ServerWebSocket<GameSocket<Game> | undefined>;
  backlog = 0;

  constructor(socket: ServerWebSocket<GameSocket<Game> | undefined>, relay: RawRelay<Game>) {
    this.socket = socket;
    this.game = relay.openGame(this);
  }

  send(text: string): void {
    this.backlog += text.length;
    if (this.frames.push(text) === 1) unwritten.push(this);
  }

  close(code: number, reason: string): void {
    this.write();
    this.socket.close(code, reason);
  }

  write(): void {
    const { socket, frames } = this;
    let sent = 0;
    if (frames.length === 1) sent = socket.send(frames[0] ?? "");
    else {
      socket.cork(() => {
        for (const frame of frames) sent = socket.send(frame);
      });
    }
    this.backlog = sent < 0 ? socket.getBufferedAmount() : 0;
    frames.length = 0;
  }
}

function writeGames(): void {
  for (const game of unwritten) game.write();
  unwritten.length = 0;
}

/** Connects the backend, and opens the port of the games when it is connected. */
export async function runRawRelay<Game>(relay: RawRelay<Game>): Promise<void> {
  const [port, upstreamUrl] = process.argv.slice(2);
  const { hostname, host, port: upstreamPort } = new URL(upstreamUrl ?? "");
  let rest: Buffer = Buffer.alloc(0);
  let isUpgraded = false;

  const received = (chunk: Buffer): void => {
    let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    if (!isUpgraded) {
      const end = data.indexOf("\r\n\r\n");
      if (end >= 0) {
        isUpgraded = true;
        at = end + 4;
        relay.start();
        listen(relay, Number(port));
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
  };

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
}

function listen<Game>(relay: RawRelay<Game>, port: number): void {
  Bun.serve<GameSocket<Game> | undefined>({
    hostname: "127.0.0.1",
    port,
    fetch: (request, server) => server.upgrade(request, { data: undefined }) ? undefined : new Response("relay"),
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      open(socket) {
        socket.data = new GameSocket(socket, relay);
      },
      message({ data }, text) {
        if (data !== undefined) relay.fromGame(data.game, String(text));
      },
      close({ data }) {
        if (data !== undefined) relay.closeGame?.(data.game);
      },
    },
  });
}
