/** A link of a standalone client, on virtual time: dialled, lost, probed, closed. */
import { test } from "#runner";
import { ReconnectingLink, type ReconnectingLinkOptions } from "../../../src/websocket-client/reconnecting-link.ts";
import type { ClientClock, SocketLike } from "../../../src/websocket-client/socket-driver.ts";
import { check } from "../../harness/check.ts";

/** A socket whose other end is the test. */
class TestSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: unknown[] = [];
  isClosed = false;
  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.isClosed = true;
  }
}

class TestClock implements ClientClock {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  now = () => this.#now;
  random = () => 0.5;
  later(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  get timers(): number {
    return this.#timers.size;
  }
  /** Moves time on. `sleepMs`: timers do not ring before then, as on a suspended machine. */
  pass(ms: number, sleepMs = 0): void {
    const until = this.#now + ms;
    const due = () => [...this.#timers].filter(({ at }) => at <= until).sort((left, right) => left.at - right.at)[0];
    this.#now += sleepMs;
    for (let timer = due(); timer !== undefined; timer = due()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
    }
    this.#now = until;
  }
}

function harness(options: Partial<ReconnectingLinkOptions> = {}, opened?: () => void) {
  const clock = new TestClock();
  const sockets: TestSocket[] = [];
  const calls: unknown[] = [];
  const openSocket = (): SocketLike => {
    const socket = new TestSocket();
    sockets.push(socket);
    return socket as unknown as SocketLike; // Why: handlers of real sockets take events of real sockets.
  };
  const link = new ReconnectingLink(
    { url: "ws://peer", backoff: { baseMs: 100, capMs: 1_000 }, dialTimeoutMs: 5_000, openSocket, clock, ...options },
    {
      opened: opened ?? (() => calls.push("opened")),
      received: (frame) => calls.push(frame),
      lost: ({ wasOpen, code, reason, retryMs }) => calls.push({ wasOpen, code, reason, retryMs }),
      dialing: (attempt) => calls.push(`dialing ${attempt}`),
    },
  );
  const take = (): unknown[] => calls.splice(0);
  return { clock, sockets, link, take, socket: () => sockets.at(-1) ?? new TestSocket() };
}

test("CL4 an open link carries text and bytes both ways; a closed one refuses to send", () => {
  const { link, take, socket } = harness();
  check.equal([link.state, link.send("early")], ["idle", false]);
  link.start();
  link.start();
  check.equal([link.state, link.send("early"), take()], ["dialing", false, ["dialing 0"]]);
  socket().onopen?.();
  check.equal([link.state, link.send("text"), link.send(Uint8Array.of(1))], ["open", true, true]);
  socket().onmessage?.({ data: "hello" });
  socket().onmessage?.({ data: Uint8Array.of(2).buffer });
  socket().onmessage?.({ data: 7 });
  check.equal([socket().sent, take()], [["text", Uint8Array.of(1)], ["opened", "hello", Uint8Array.of(2)]]);
});

test("CL2 a link that is lost, refused or cannot be opened is dialled again after the backoff", () => {
  let isBroken = false;
  const { clock, link, take, socket, sockets } = harness();
  link.start();
  socket().onopen?.();
  take();
  socket().onclose?.({ code: 1000, reason: "bye" });
  check.equal([link.state, take()], ["waiting", [{ wasOpen: true, code: 1000, reason: "bye", retryMs: 50 }]]);
  clock.pass(50);
  check.equal([sockets.length, take()], [2, ["dialing 1"]]);
  socket().onclose?.({ code: 1006, reason: "" });
  check.equal(take(), [{ wasOpen: false, code: 1006, reason: "", retryMs: 100 }]);
  const broken = harness({
    openSocket: () => {
      isBroken = true;
      throw new Error("no such scheme");
    },
  });
  broken.link.start();
  broken.clock.pass(0);
  check.that(isBroken);
  check.equal(broken.take(), ["dialing 0", { wasOpen: false, code: 1006, reason: "no such scheme", retryMs: 50 }]);
});

test("CL5 a dial that can never succeed is not repeated before `start` is called again", () => {
  const errors = [
    Object.assign(new Error("the URL has a fragment"), { name: "SyntaxError" }),
    new TypeError("Invalid URL: ws:/"),
  ];
  for (const error of errors) {
    let count = 0;
    const openSocket = () => {
      count++;
      throw error;
    };
    const { clock, link, take } = harness({ openSocket });
    link.start();
    clock.pass(600_000);
    check.equal([count, link.state], [1, "failed"]);
    check.equal(take().at(-1), { wasOpen: false, code: 1006, reason: error.message, retryMs: undefined });
    link.start();
    clock.pass(0);
    check.equal(count, 2);
    link.close();
    check.equal(link.state, "idle");
  }
});

test("CL5 a runtime without WebSocket is a final failure that says what to do", () => {
  const before = globalThis.WebSocket;
  try {
    Reflect.deleteProperty(globalThis, "WebSocket");
    const { clock, link, take } = harness({ openSocket: undefined });
    link.start();
    clock.pass(0);
    check.equal(link.state, "failed");
    check.match(JSON.stringify(take().at(-1)), /pass `openSocket`/);
  } finally {
    globalThis.WebSocket = before;
  }
});

test("CL2 an attempt that takes longer than `dialTimeoutMs` is given up", () => {
  const { clock, link, take, socket } = harness();
  link.start();
  const first = socket();
  clock.pass(5_000);
  check.equal([link.state, first.isClosed], ["waiting", true]);
  check.equal(take().at(-1), { wasOpen: false, code: 4408, reason: "no connection within 5000 ms", retryMs: 50 });
});

test("CL3 a silent link is probed after `idleMs` and given up `answerMs` after the probe", () => {
  const keepalive = { idleMs: 8_000, answerMs: 2_000, probe: () => "ping" };
  const { clock, link, take, socket } = harness({ keepalive });
  link.start();
  socket().onopen?.();
  clock.pass(7_999);
  check.equal(socket().sent, []);
  socket().onmessage?.({ data: "event" });
  clock.pass(7_999);
  check.equal(socket().sent, []);
  clock.pass(1);
  check.equal(socket().sent, ["ping"]);
  clock.pass(1_999);
  socket().onmessage?.({ data: "pong" });
  clock.pass(8_000);
  check.equal([socket().sent, link.state], [["ping", "ping"], "open"]);
  take();
  clock.pass(2_000);
  check.equal(take(), [{ wasOpen: true, code: 4408, reason: "no answer to a probe within 2000 ms", retryMs: 50 }]);
  check.equal([link.state, socket().isClosed], ["waiting", true]);
});

test("CL3 a machine that slept for an hour probes before it gives a link up", () => {
  const keepalive = { idleMs: 8_000, answerMs: 2_000, probe: () => "ping" };
  const { clock, link, socket } = harness({ keepalive });
  link.start();
  socket().onopen?.();
  clock.pass(3_600_000, 3_600_000);
  check.equal([socket().sent, link.state], [["ping"], "open"]);
  socket().onmessage?.({ data: "pong" });
  clock.pass(5_000);
  check.equal(link.state, "open");
});

test("CL4 no event is reported of a socket that was given up, nor of a closed link", () => {
  const { clock, link, take, socket } = harness();
  link.start();
  const first = socket();
  first.onopen?.();
  const [message, close] = [first.onmessage, first.onclose];
  take();
  link.reconnect("the API does not answer");
  check.equal(take(), [{ wasOpen: true, code: 4408, reason: "the API does not answer", retryMs: 50 }]);
  message?.({ data: "late" });
  close?.({ code: 1000, reason: "" });
  check.equal([take(), first.isClosed], [[], true]);
  link.start();
  check.equal([take(), link.state], [["dialing 1"], "dialing"]);
  const second = socket();
  const open = second.onopen;
  link.close();
  open?.();
  clock.pass(60_000);
  check.equal([take(), link.state, second.isClosed, clock.timers], [[], "idle", true, 0]);
  link.start();
  check.equal([link.state, take()], ["dialing", ["dialing 1"]]);
});

test("CL4 a listener that throws does not stop the link", () => {
  const { clock, link, socket, take } = harness({}, () => {
    throw new Error("the program's own");
  });
  link.start();
  check.throws(() => socket().onopen?.(), /own/);
  socket().onclose?.({ code: 1006, reason: "" });
  take();
  clock.pass(50);
  check.equal(take(), ["dialing 1"]);
});
