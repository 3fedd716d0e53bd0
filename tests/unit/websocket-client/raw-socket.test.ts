/** The WebSocket client over a byte stream that records the written bytes. */
import { createHash } from "node:crypto";
import { test } from "#runner";
import {
  type ByteStream,
  type ByteStreamListener,
  createRawDialer,
  type Endpoint,
} from "../../../src/websocket-client/raw-socket.ts";
import type { KeepaliveOptions } from "../../../src/core/link.ts";
import { check } from "../../harness/check.ts";
import { RESPONSE_CASES } from "./handshake-cases.ts";

const URL_DIALLED = "ws://me:secret@neuro.example:8000/a/b?c=d";

/** The server side of a byte stream. */
class Server {
  readonly reported: unknown[] = [];
  readonly endpoint: Endpoint | undefined;
  readonly stream: ByteStreamListener;
  readonly socket;
  readonly closed: Promise<void>;
  /** Bytes that the stream accepts of each write. */
  accepts = Infinity;
  end = "";
  isPaused = false;
  /** Tasks for the end of the turn; undefined if they run at once. */
  turn: (() => void)[] | undefined;
  /** The attempt was given up before it was connected. */
  isCancelled = false;
  #sent: Uint8Array = new Uint8Array(0);

  constructor(
    url: string = URL_DIALLED,
    keepalive?: KeepaliveOptions,
    headers: Record<string, string> = { "X-Own": "yes" },
  ) {
    const opened: { endpoint?: Endpoint; stream?: ByteStreamListener } = {};
    const connect = (endpoint: Endpoint, stream: ByteStreamListener) => {
      Object.assign(opened, { endpoint, stream });
      return () => void (this.isCancelled = true);
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.socket = createRawDialer({
      connect,
      afterTurn: (run) => void (this.turn === undefined ? run() : this.turn.push(run)),
    }, keepalive)({ url, headers }, {
      opened: () => this.reported.push("opened"),
      received: (frame) => this.reported.push(typeof frame === "string" ? frame : [...frame]),
      relieved: () => this.reported.push("relieved"),
      closed: (code, reason) => {
        this.reported.push({ code, reason });
        resolve();
      },
    });
    check.that(opened.stream !== undefined);
    this.stream = opened.stream;
    this.endpoint = opened.endpoint;
  }

  connect(): this {
    const stream: ByteStream = {
      write: (bytes) => {
        const taken = bytes.slice(0, this.accepts);
        this.#sent = Uint8Array.from([...this.#sent, ...taken]);
        return taken.length;
      },
      end: () => void (this.end ||= "ended"),
      terminate: () => void (this.end ||= "terminated"),
      pause: () => void (this.isPaused = true),
      resume: () => void (this.isPaused = false),
    };
    this.stream.connected(stream);
    return this;
  }

  /** The bytes that were written since the last call. */
  take(): Uint8Array {
    const sent = this.#sent;
    this.#sent = new Uint8Array(0);
    return sent;
  }

  write(text: string): void {
    this.stream.received(new TextEncoder().encode(text));
  }

  /** Connects and accepts. */
  accept(): this {
    this.connect();
    const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(this.take()))?.[1] ?? "";
    this.write(answer(key));
    return this;
  }

  frame(op: number, ...payload: number[]): void {
    this.stream.received(Uint8Array.of(0x80 | op, payload.length, ...payload));
  }
}

function answer(key: string, more = ""): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;
}

test("RT20 the request has the path, headers and credentials of the URL", () => {
  const server = new Server().connect();
  check.equal(server.endpoint, { hostname: "neuro.example", port: 8000, isEncrypted: false });
  const request = new TextDecoder().decode(server.take());
  check.match(request, /^GET \/a\/b\?c=d HTTP\/1\.1\r\nHost: neuro\.example:8000\r\n/);
  check.match(request, /\r\nAuthorization: Basic bWU6c2VjcmV0\r\n/);
  check.match(request, /\r\nX-Own: yes\r\n\r\n$/);
  check.equal(new Server("wss://[::1]/").endpoint, { hostname: "::1", port: 443, isEncrypted: true });
});

test("RT21 a URL or header that cannot be sent is refused before anything is dialed", () => {
  const connect = () => {
    throw new Error("dialed");
  };
  const dial = createRawDialer({ connect, afterTurn: () => {} });
  const listener = { opened: () => {}, received: () => {}, relieved: () => {}, closed: () => {} };
  check.throws(() => dial({ url: "http://x", headers: {} }, listener), /expected ws/);
  check.throws(() => dial({ url: "ws:// x", headers: {} }, listener), /./);
  check.throws(() => dial({ url: "ws://x", headers: { Via: "a\r\nEvil: yes" } }, listener), /header/);
});

test("RT21 a response that does not accept the request ends the attempt with the reason", () => {
  const endings: [string, RegExp][] = [
    ["HTTP/1.1 401 Unauthorized\r\n\r\n", /Expected 101 status code: HTTP\/1\.1 401/],
    [answer("another key"), /not for this request/],
    ["hello\r\n\r\n", /Expected 101/],
    ["HTTP/1.1 101 x\r\n" + "y".repeat(20_000), /no end/],
  ];
  for (const [text, reason] of endings) {
    const server = new Server().connect();
    server.write(text);
    server.stream.closed("late");
    check.equal([server.reported.length, server.end], [1, "terminated"]);
    const [ending] = server.reported as { code: number; reason: string }[];
    check.equal(ending?.code, 1006);
    check.match(ending?.reason ?? "", reason);
  }
});

test("RT24 the response may arrive in pieces, followed by frames", () => {
  const server = new Server().connect();
  const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(server.take()))?.[1] ?? "";
  for (const character of answer(key, "X: y\r\n") + "\u0001\u0002hi") {
    if (character !== "\u0001") server.write(character);
    else server.stream.received(Uint8Array.of(0x81));
  }
  check.equal(server.reported, ["opened", "hi"]);
});

test("RT24 a ping is answered with its payload, masked", () => {
  const server = new Server().accept();
  server.frame(9, 1, 2, 3);
  const [first, second, ...rest] = server.take();
  check.equal([first, second], [0x8a, 0x83]);
  check.equal(rest.slice(4).map((byte, at) => byte ^ (rest[at] ?? 0)), [1, 2, 3]);
});

test("RT26 bytes that the stream does not accept are kept, reported, and written in order", () => {
  const server = new Server().accept();
  server.accepts = 10;
  check.equal(server.socket.send("first"), 1);
  server.accepts = 0;
  check.that(server.socket.send("x".repeat(100_000)) > 100_000);
  server.frame(9, 1);
  check.equal(server.reported, ["opened"]);
  server.accepts = Infinity;
  server.stream.drained();
  check.equal(server.reported, ["opened", "relieved"]);
  check.equal(server.take().length, 11 + 100_000 + 14);
});

test("RT27 a close of the peer is answered with its code, and reported once the connection has ended", () => {
  const server = new Server().accept();
  server.frame(8, 0x03, 0xf4, ...new TextEncoder().encode("later"));
  check.equal([server.reported, server.end], [["opened"], "ended"]);
  check.equal(server.take()[0], 0x88);
  server.stream.closed("");
  check.equal(server.reported, ["opened", { code: 1012, reason: "later" }]);
});

test("RT27 RT27d a protocol error is answered with its close code, and reported as an abnormal end with its reason", () => {
  const server = new Server().accept();
  server.frame(1, 0xff);
  server.frame(1, 65);
  const [head, , ...rest] = server.take();
  check.equal(head, 0x88);
  check.equal(rest.slice(4).map((byte, at) => byte ^ (rest[at & 3] ?? 0)), [1007 >> 8, 1007 & 255]);
  server.stream.closed("");
  check.equal(server.reported, ["opened", { code: 1006, reason: "text that is not UTF-8" }]);
});

test("RT27 nothing is reported of a connection that was closed from this side, in any state", () => {
  const dialing = new Server();
  dialing.socket.close();
  dialing.connect();
  check.equal([dialing.reported, dialing.end, dialing.take().length], [[], "terminated", 0]);
  check.that(dialing.isCancelled);
  const open = new Server().accept();
  open.socket.send("last");
  open.socket.close();
  open.frame(1, 65);
  open.frame(8, 0x03, 0xe8);
  open.stream.closed("");
  check.equal([open.reported, open.end], [["opened"], "ended"]);
  check.equal([...open.take()].filter((byte) => byte === 0x81 || byte === 0x88).slice(0, 1), [0x81]);
  check.equal(open.socket.send("later"), 0);
});

test("RT7d RT28 a peer that does not answer a ping is disconnected", async () => {
  const server = new Server("ws://x", { idleMs: 5, answerMs: 35 }).accept();
  await server.closed;
  check.equal([...server.take().subarray(0, 2)], [0x89, 0x81]);
  const [, ending] = server.reported as { code: number; reason: string }[];
  check.equal([ending?.code, server.end], [1006, "terminated"]);
  check.match(ending?.reason ?? "", /^no answer to a ping within 35 ms$/);
});

test("RT21b a response is accepted exactly if RFC 6455 allows it", () => {
  for (const [head, expected] of RESPONSE_CASES) {
    const server = new Server().connect();
    const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(server.take()))?.[1] ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const text = `${head.replace("KEY", accept).replaceAll("|", "\r\n")}\r\n\r\n`;
    server.stream.received(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    server.stream.received(Uint8Array.of(0x81, 1, 65));
    if (expected === undefined) check.equal(server.reported, ["opened", "A"], head);
    else {
      const [ending] = server.reported as { code: number; reason: string }[];
      check.equal([server.reported.length, ending?.code], [1, 1006], head);
      check.match(ending?.reason ?? "", expected);
    }
  }
});

test("RT21c a subprotocol is accepted if it was offered", () => {
  for (const [name, isOffered] of [["b", true], ["c", false]] as const) {
    const server = new Server("ws://x", undefined, { "sec-websocket-protocol": "a, b" }).connect();
    const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(server.take()))?.[1] ?? "";
    server.write(answer(key, `Sec-WebSocket-Protocol: ${name}\r\n`));
    check.equal(server.reported[0] === "opened", isOffered);
  }
});

test("RT27c a close from this side has the code and the reason", () => {
  const server = new Server().accept();
  server.socket.close(4001, "bye");
  const sent = [...server.take()];
  const mask = sent.slice(2, 6);
  check.equal(sent.slice(6).map((byte, at) => byte ^ (mask[at & 3] ?? 0)), [0x0f, 0xa1, 98, 121, 101]);
});

test("RT27b a close is answered with its own code, and a close without a code with a close without a code", () => {
  for (const [payload, answer] of [[[0x03, 0xe9], [0x88, 0x82]], [[], [0x88, 0x80]]] as const) {
    const server = new Server().accept();
    server.frame(8, ...payload);
    const sent = [...server.take()];
    check.equal(sent.slice(0, 2), [...answer]);
    const mask = sent.slice(2, 6);
    check.equal(sent.slice(6).map((byte, at) => byte ^ (mask[at] ?? 0)), [...payload]);
  }
});

test("RT76 a backend that floods gets 1,024 frames in a turn of the event loop, and its connection is paused meanwhile", () => {
  const server = new Server().accept();
  server.turn = [];
  const frames = Uint8Array.from(Array.from({ length: 2_500 }, (_, at) => [0x81, 2, 65 + at % 26, 66]).flat());
  server.stream.received(frames);
  check.equal([server.reported.length - 1, server.isPaused], [1_024, true]);
  server.stream.received(Uint8Array.of(0x81, 3, 69, 78, 68)); // Why: the runtime may have read more before it paused.
  check.equal(server.reported.length - 1, 1_024);
  const nextTurn = () => server.turn?.splice(0).forEach((run) => run());
  nextTurn();
  check.equal([server.reported.length - 1, server.isPaused], [2_048, true]);
  nextTurn();
  check.equal([server.reported.length - 1, server.isPaused, server.turn.length], [2_501, false, 0]);
  const text = (at: number) => `${String.fromCharCode(65 + at % 26)}B`;
  check.equal(server.reported.slice(1), [...Array.from({ length: 2_500 }, (_, at) => text(at)), "END"], "in order");
  server.stream.received(frames);
  server.socket.close();
  nextTurn();
  check.equal(server.reported.length - 1, 2_501 + 1_024, "nothing after close");
});

test("RT79 frames leave at the end of the turn, or with a flush before it, and once", () => {
  const server = new Server().accept();
  server.turn = [];
  server.socket.send("one");
  server.socket.send("two");
  check.equal(server.take().length, 0);
  server.socket.flush?.();
  check.equal(server.take().length, 2 * (2 + 4 + 3));
  server.socket.send("three");
  server.turn.splice(0).forEach((run) => run());
  check.equal(server.take().length, 2 + 4 + 5);
});
