/** Plays one case as raw bytes on a TCP connection, as either side, and reports what the other side did. */
import type { Socket } from "node:net";
import { concat, type Expected, frameBytes, OP, type ProtocolCase } from "./rfc6455-cases.ts";

export interface Observed {
  /** `alive`, `closed <code>`, `closed` without a code, `dropped` without a close frame, or `silent`. */
  readonly ending: string;
  readonly messages: readonly string[];
  readonly pongs: readonly string[];
}

export interface PlayOptions {
  /** This side is the client. */
  readonly isClient: boolean;
  /** The largest message that the other side accepts. */
  readonly max: number;
  readonly expected: Expected;
  /** Bytes that arrived with the handshake. */
  readonly early: Uint8Array;
}

const ANSWER_MS = 4_000;
/** The other side may write messages, and closes, after the answer to a ping that came later. */
const SETTLE_MS = 300;
const ALIVE = "alive?";
/** Messages of an echo service about other peers. */
const ABOUT_OTHERS = /^(gone|ponged)/;

export async function play(one: ProtocolCase, socket: Socket, options: PlayOptions): Promise<Observed> {
  const { isClient, max } = options;
  const observed = observe(socket, options);
  const bytes = concat(...one.frames(max).map((frame) => frameBytes(frame, isClient)));
  const piece = one.pieceBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += piece) {
    socket.write(bytes.subarray(at, at + piece));
    if (piece < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(frameBytes({ op: OP.ping, payload: new TextEncoder().encode(ALIVE) }, isClient));
  const timer = setTimeout(() => observed.timedOut(), ANSWER_MS);
  const result = await observed.ended;
  clearTimeout(timer);
  socket.destroy();
  return result;
}

/** Undefined if the other side did what the case requires, otherwise what it did. */
export function deviation(expected: Expected, { ending, messages, pongs }: Observed, mayDrop: boolean): string | undefined {
  if (expected.is === "closed") {
    const isClosed = expected.codes.some((code) => ending === (code === 1005 ? "closed" : `closed ${code}`));
    return isClosed || (mayDrop && ending === "dropped") ? undefined : ending;
  }
  if (ending !== "alive") return ending;
  if (expected.messages !== undefined && JSON.stringify(messages) !== JSON.stringify(expected.messages)) {
    return `alive, with ${JSON.stringify(messages).slice(0, 80)}`;
  }
  const pong = pongs.at(-1);
  return expected.pong === undefined || pong === expected.pong ? undefined : `alive, with the pong ${pong}`;
}

/** Reads frames of the other side until one of them, or the end of the connection, decides the case. */
function observe(socket: Socket, { early, expected }: PlayOptions) {
  let isAlive = false;
  const messages: string[] = [];
  const pongs: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<Observed>();
  const end = (ending: string): void => resolve({ ending, messages, pongs });
  const heard = (text: string): void => {
    if (!ABOUT_OTHERS.test(text)) messages.push(text);
  };
  let rest: Uint8Array = new Uint8Array(0);
  const read = (bytes: Uint8Array): void => {
    rest = concat(rest, bytes);
    for (let frame = firstFrame(rest); frame !== undefined; frame = firstFrame(rest)) {
      const { op, payload } = frame;
      rest = rest.subarray(frame.end);
      if (op === OP.text) heard(new TextDecoder().decode(payload));
      else if (op === OP.binary) messages.push(`bytes ${payload.length}`);
      else if (op === OP.close) {
        end(payload.length < 2 ? "closed" : `closed ${((payload[0] ?? 0) << 8) | (payload[1] ?? 0)}`);
      } else if (op === OP.pong && new TextDecoder().decode(payload) === ALIVE) isAlive = true;
      else if (op === OP.pong) pongs.push(new TextDecoder().decode(payload));
    }
    if (!isAlive) return;
    if (expected.is === "closed") setTimeout(() => end("alive"), SETTLE_MS);
    else if (messages.length >= (expected.messages?.length ?? 0)) end("alive");
  };
  socket.on("data", read);
  socket.on("error", () => end("dropped"));
  socket.on("close", () => end("dropped"));
  read(early);
  return { ended, timedOut: () => end(isAlive ? "alive" : "silent") };
}

function firstFrame(bytes: Uint8Array): { op: number; payload: Uint8Array; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const short = view.getUint8(1) & 127;
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  if (bytes.length < 2 + extra) return undefined;
  const size = extra === 0 ? short : extra === 2 ? view.getUint16(2) : Number(view.getBigUint64(2));
  const start = 2 + extra + (view.getUint8(1) >= 128 ? 4 : 0);
  if (bytes.length < start + size) return undefined;
  const mask = bytes.subarray(2 + extra, start);
  const payload = bytes.slice(start, start + size).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return { op: view.getUint8(0) & 15, payload, end: start + size };
}
