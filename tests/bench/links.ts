/**
 * `bun run bench links`: how long each client takes to find out that its connection is silent, in virtual time, and what watching an idle
 * connection costs.
 */
import { BrainClient } from "../../src/clients/brain.ts";
import { Neuron, Trevor } from "../../src/clients/nallely.ts";
import { createRawDialer } from "../../src/websocket-client/raw-socket.ts";
import type { ClientClock, SocketLike } from "../../src/websocket-client/socket-driver.ts";

const LINKS = 1_000;
const MINUTE_MS = 60_000;

/** A peer that accepts the connection and never sends anything. */
class SilentSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  send(): void {}
  close(): void {}
}

class VirtualClock implements ClientClock {
  #now = 0;
  timers: { readonly at: number; readonly run: () => void }[] = [];
  rung = 0;
  now = () => this.#now;
  random = () => 0.5;
  later(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }
  pass(until: number): void {
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) {
        break;
      }
      this.timers = this.timers.filter((other) => other !== due);
      this.#now = due.at;
      this.rung++;
      due.run();
    }
    this.#now = until;
  }
}

interface Client {
  close(): unknown;
}

type Open = (
  options: {
    readonly openSocket: () => SocketLike;
    readonly clock: ClientClock;
  },
) => Client;

const CLIENTS: Readonly<Record<string, Open>> = {
  "Brain client": (options) => new BrainClient("ws://peer", options),
  "neuron": (options) =>
    Neuron.open({
      name: "n",
      parameters: { x: { direction: "out" } },
      ...options,
    }),
  "Trevor": (options) => Trevor.open(options),
};

console.log(
  "                 silent until the next dial     timers in a minute   µs in that minute, for each link",
);
for (const [name, open] of Object.entries(CLIENTS)) {
  let spent = 0;
  let rung = 0;
  let foundAt = 0;
  for (let n = 0; n < LINKS; n++) {
    const clock = new VirtualClock();
    let dials = 0;
    const openSocket = () => {
      const socket = new SilentSocket();
      clock.later(0, () => socket.onopen?.());
      if (++dials === 2) foundAt = clock.now();
      return socket;
    };
    const client = open({ openSocket, clock });
    const began = performance.now();
    clock.pass(MINUTE_MS);
    spent += performance.now() - began;
    rung += clock.rung;
    void client.close();
  }
  const seconds = `${foundAt / 1_000} s`;
  console.log(
    `${name.padEnd(16)}${seconds.padStart(20)}${String(rung / LINKS).padStart(25)}${
      (spent * 1_000 / LINKS).toFixed(1).padStart(25)
    }`,
  );
}

/** The link to Neuro uses the real clock, so its times are a hundredth of the real ones. */
await new Promise<void>((resolve) => {
  const began = performance.now();
  const keepalive = { idleMs: 300, answerMs: 900 };
  const dialer = createRawDialer({
    connect: (_, listener) => {
      const stream = {
        write: (bytes: Uint8Array) => {
          const key = /Sec-WebSocket-Key: (\S+)/i.exec(
            new TextDecoder().decode(bytes),
          )?.[1];
          if (key !== undefined) {
            setTimeout(() => listener.received(acceptanceOf(key)));
          }
          return bytes.length;
        },
        end: () => {},
        terminate: () => {},
        pause: () => {},
        resume: () => {},
      };
      setTimeout(() => listener.connected(stream));
      return () => {};
    },
    afterTurn: queueMicrotask,
  }, keepalive);
  dialer({ url: "ws://peer", headers: {} }, {
    opened: () => {},
    received: () => {},
    relieved: () => {},
    closed: () => {
      console.log(
        `link to Neuro: ${Math.round((performance.now() - began) / 10)} s (30 s until a ping, 90 s for its answer)`,
      );
      resolve();
    },
  });
});

function acceptanceOf(key: string): Uint8Array {
  const hash = new Bun.CryptoHasher("sha1").update(
    `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
  ).digest("base64");
  const head =
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${hash}\r\n\r\n`;
  return new TextEncoder().encode(head);
}
process.exit(0);
