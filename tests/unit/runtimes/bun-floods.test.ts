/** Floods of one connection on Bun, over raw sockets: what is refused, and how the connection ends. */
import { connect, type Socket } from "node:net";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { FLOODS } from "../../floods/floods.ts";
import { testSettings, withRelay } from "./bun-relay.ts";

/** Sends what the flood sends first, then its unit `units` times, and returns what is received until the relay closes. */
function receivedFrom(url: string, flood: keyof typeof FLOODS, units: number): Promise<Uint8Array> {
  const { head = new Uint8Array(), unit = new Uint8Array() } = FLOODS[flood] ?? {};
  const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(head));
  const chunks: Uint8Array[] = [];
  const send = () => socket.write(Buffer.concat(Array.from({ length: units }, () => unit)));
  if (head.length === 0) socket.once("connect", send);
  else socket.once("data", send);
  return new Promise((resolve) => {
    socket.on("data", (chunk) => void chunks.push(Buffer.from(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks)));
  });
}

/** A close frame of a server begins with its opcode, its length and its code. */
const closeFrame = (code: number): Uint8Array => Uint8Array.of(code >> 8, code & 255);

for (const flood of ["pongs before the greeting", "pings before the greeting", "pongs of a game", "pings of a game"]) {
  test(`SE52 on Bun ${flood} end the connection with 1008 after 200 of them`, () =>
    withRelay(testSettings(), async ({ urls }) => {
      const { listener = "neuro" } = FLOODS[flood] ?? {};
      const received = Buffer.from(await receivedFrom(urls[listener], flood, 400));
      check.that(received.includes(closeFrame(1008)));
    }));
}

test("SE57 on Bun a voice channel that floods is closed with 1008", () =>
  withRelay(testSettings(({ limits }) => (limits.burst = 200)), async ({ urls }) => {
    check.that(Buffer.from(await receivedFrom(urls.neuro, "frames of a voice channel", 400)).includes(closeFrame(1008)));
  }));

test("SE55 on Bun a connection gets the answers to 16 requests that arrive in one piece, then 429, and ends", () =>
  withRelay(testSettings(), async ({ urls }) => {
    const flood = Object.entries(FLOODS).filter(([, { listener, head }]) => listener === "web" && head.length === 0);
    for (const [kind] of flood) {
      const text = new TextDecoder().decode(await receivedFrom(urls.web, kind, 1_000));
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
      // Why not always 17: answers that are not ready are lost when the connection ends.
      check.that(statuses.length <= 17, kind);
      if (kind === "requests for nothing") check.equal([statuses.length, statuses.indexOf(429)], [17, 16]);
    }
  }));

test("SE55 on Bun any number of requests one after the other are answered on one connection", () =>
  withRelay(testSettings(), async ({ urls }) => {
    for (let at = 0; at < 300; at++) check.equal((await fetch(`${urls.web}/health`)).status, 200);
  }));
