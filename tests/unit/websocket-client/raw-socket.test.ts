/** A dialled connection, on a wire that only remembers: from the request to the close. */
import { createHash } from "node:crypto";
import { test } from "#runner";
import { type ByteStream, type ByteStreamListener, createRawDialer } from "../../../src/websocket-client/raw-socket.ts";
import type { KeepaliveOptions } from "../../../src/core/link.ts";
import { check } from "../../harness/check.ts";

const URL_DIALLED = "ws://me:secret@neuro.example:8000/a/b?c=d";

/** The other end of a wire, played by the test. */
class Server {
  readonly heard: unknown[] = [];
  readonly place: unknown;
  readonly wire: ByteStreamListener;
  readonly socket;
  readonly closed: Promise<void>;
  /** What the wire takes of each write; the rest has to wait. */
  takes = Infinity;
  end = "";
  #sent: Uint8Array = new Uint8Array(0);

  constructor(url: string = URL_DIALLED, patience?: KeepaliveOptions) {
    const opened: { place?: unknown; wire?: ByteStreamListener } = {};
    const connect = (place: unknown, wire: ByteStreamListener) => void Object.assign(opened, { place, wire });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.socket = createRawDialer({ connect, afterTurn: (run) => run() }, patience)({ url, headers: { "X-Own": "yes" } }, {
      opened: () => this.heard.push("opened"),
      received: (frame) => this.heard.push(typeof frame === "string" ? frame : [...frame]),
      relieved: () => this.heard.push("relieved"),
      closed: (code, reason) => {
        this.heard.push({ code, reason });
        resolve();
      },
    });
    check.that(opened.wire !== undefined);
    this.wire = opened.wire;
    this.place = opened.place;
  }

  connect(): this {
    const wire: ByteStream = {
      write: (bytes) => {
        const taken = bytes.slice(0, this.takes);
        this.#sent = Uint8Array.from([...this.#sent, ...taken]);
        return taken.length;
      },
      end: () => void (this.end ||= "ended"),
      terminate: () => void (this.end ||= "cut"),
    };
    this.wire.connected(wire);
    return this;
  }

  /** What was written since it was last taken. */
  take(): Uint8Array {
    const sent = this.#sent;
    this.#sent = new Uint8Array(0);
    return sent;
  }

  says(text: string): void {
    this.wire.received(new TextEncoder().encode(text));
  }

  /** Connects and accepts. */
  accept(): this {
    this.connect();
    const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(this.take()))?.[1] ?? "";
    this.says(answer(key));
    return this;
  }

  frame(op: number, ...payload: number[]): void {
    this.wire.received(Uint8Array.of(0x80 | op, payload.length, ...payload));
  }
}

function answer(key: string, more = ""): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;
}

test("RT20 the request has the place, the headers and the credentials of the URL", () => {
  const server = new Server().connect();
  check.equal(server.place, { hostname: "neuro.example", port: 8000, isEncrypted: false });
  const request = new TextDecoder().decode(server.take());
  check.match(request, /^GET \/a\/b\?c=d HTTP\/1\.1\r\nHost: neuro\.example:8000\r\n/);
  check.match(request, /\r\nAuthorization: Basic bWU6c2VjcmV0\r\n/);
  check.match(request, /\r\nX-Own: yes\r\n\r\n$/);
  check.equal(new Server("wss://[::1]/").place, { hostname: "::1", port: 443, isEncrypted: true });
});

test("RT21 a URL or a header that cannot be sent is refused before anything is dialled", () => {
  const dial = createRawDialer({ connect: () => check.that(false, "dialled"), afterTurn: () => {} });
  const listener = { opened: () => {}, received: () => {}, relieved: () => {}, closed: () => {} };
  check.throws(() => dial({ url: "http://x", headers: {} }, listener), /expected ws/);
  check.throws(() => dial({ url: "ws:// x", headers: {} }, listener), /./);
  check.throws(() => dial({ url: "ws://x", headers: { Via: "a\r\nEvil: yes" } }, listener), /header/);
});

test("RT21 an answer that accepts nothing, or something else, ends the dial with the reason", () => {
  const endings: [string, RegExp][] = [
    ["HTTP/1.1 401 Unauthorized\r\n\r\n", /Expected 101 status code: HTTP\/1\.1 401/],
    [answer("another key"), /not for this request/],
    ["hello\r\n\r\n", /Expected 101/],
    ["HTTP/1.1 101 x\r\n" + "y".repeat(20_000), /no end/],
  ];
  for (const [text, reason] of endings) {
    const server = new Server().connect();
    server.says(text);
    server.wire.closed("late");
    check.equal([server.heard.length, server.end], [1, "cut"]);
    const [ending] = server.heard as { code: number; reason: string }[];
    check.equal(ending?.code, 1006);
    check.match(ending?.reason ?? "", reason);
  }
});

test("RT24 the answer may come in pieces, and frames right behind it", () => {
  const server = new Server().connect();
  const key = /Sec-WebSocket-Key: (\S+)/.exec(new TextDecoder().decode(server.take()))?.[1] ?? "";
  for (const character of answer(key, "X: y\r\n") + "\u0001\u0002hi") {
    if (character !== "\u0001") server.says(character);
    else server.wire.received(Uint8Array.of(0x81));
  }
  check.equal(server.heard, ["opened", "hi"]);
});

test("RT24 a ping is answered with what it said, masked", () => {
  const server = new Server().accept();
  server.frame(9, 1, 2, 3);
  const [first, second, ...rest] = server.take();
  check.equal([first, second], [0x8a, 0x83]);
  check.equal(rest.slice(4).map((byte, at) => byte ^ (rest[at] ?? 0)), [1, 2, 3]);
});

test("RT26 what the wire does not take waits, is reported, and leaves in order", () => {
  const server = new Server().accept();
  server.takes = 10;
  check.equal(server.socket.send("first"), 1);
  server.takes = 0;
  check.that(server.socket.send("x".repeat(100_000)) > 100_000);
  server.frame(9, 1);
  check.equal(server.heard, ["opened"]);
  server.takes = Infinity;
  server.wire.drained();
  check.equal(server.heard, ["opened", "relieved"]);
  check.equal(server.take().length, 11 + 100_000 + 14);
});

test("RT27 a close of the other end is answered, and is heard with its code once the connection is gone", () => {
  const server = new Server().accept();
  server.frame(8, 0x03, 0xf4, ...new TextEncoder().encode("later"));
  check.equal([server.heard, server.end], [["opened"], "ended"]);
  check.equal(server.take()[0], 0x88);
  server.wire.closed("");
  check.equal(server.heard, ["opened", { code: 1012, reason: "later" }]);
});

test("RT27 a breach is closed with its code; after it nothing is heard but the end", () => {
  const server = new Server().accept();
  server.frame(1, 0xff);
  server.frame(1, 65);
  const [head, , ...rest] = server.take();
  check.equal(head, 0x88);
  check.equal(rest.slice(4).map((byte, at) => byte ^ (rest[at & 3] ?? 0)), [1007 >> 8, 1007 & 255]);
  server.wire.closed("");
  check.equal(server.heard, ["opened", { code: 1007, reason: "text that is not UTF-8" }]);
});

test("RT27 once it is ended by us nothing is heard of it, whatever it was doing", () => {
  const dialling = new Server();
  dialling.socket.close();
  dialling.connect();
  check.equal([dialling.heard, dialling.end, dialling.take().length], [[], "cut", 0]);
  const open = new Server().accept();
  open.socket.send("last");
  open.socket.close();
  open.frame(1, 65);
  open.frame(8, 0x03, 0xe8);
  open.wire.closed("");
  check.equal([open.heard, open.end], [["opened"], "ended"]);
  check.equal([...open.take()].filter((byte) => byte === 0x81 || byte === 0x88).slice(0, 1), [0x81]);
  check.equal(open.socket.send("later"), 0);
});

test("RT28 an end that answers nothing is asked whether it is there, and is then taken for gone", async () => {
  const server = new Server("ws://x", { idleMs: 5, answerMs: 35 }).accept();
  await server.closed;
  check.equal(server.take()[0], 0x89);
  const [, ending] = server.heard as { code: number; reason: string }[];
  check.equal([ending?.code, server.end], [1006, "cut"]);
  check.match(ending?.reason ?? "", /^no answer to a ping within 35 ms$/);
});
