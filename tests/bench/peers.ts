/**
 * `bun run bench peers [--on bun|deno|binary] [--peers 10000]`: measures the memory for idle peers, and for a peer that does not read.
 * The values depend on the machine; `tests/README.md` has reference values.
 */
import { join } from "node:path";
import { connect, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { relayOn } from "./relay-command.ts";
import { RunningRelay } from "./subject.ts";
import { dialRaw } from "./raw-websocket.ts";

const { values: options } = parseArgs({
  options: { on: { type: "string", default: "bun" }, peers: { type: "string", default: "10000" } },
});
const PEERS = Number(options.peers);
const MIB = 1_024 * 1_024;
const BACKLOG = 8 * MIB;
const root = join(import.meta.dirname, "../..");
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a new relay for one figure. */
async function withRelay<T>(measure: (running: RunningRelay, load: Load) => Promise<T>): Promise<T> {
  const load = new Load();
  const limits = ["limits.backlog_soft_bytes=4MiB", `limits.backlog_hard_bytes=${BACKLOG}`];
  const running = await RunningRelay.start(relayOn(options.on, limits), load.backendPort, root);
  try {
    await sleep(500);
    return await measure(running, load);
  } finally {
    load.stop();
    await running.stop();
  }
}

const silent = await withRelay(async (running) => {
  for (let count = 0; count < PEERS; count += 100) {
    await Promise.all(Array.from({ length: 100 }, () => dialRaw(running.gamePort, "/", () => {})));
  }
  await sleep(2_000);
  return running.residentMb();
});

const [bare, idle] = await withRelay(async (running, load) => {
  const before = running.residentMb();
  await load.connect(PEERS, running.gamePort);
  await sleep(2_000);
  return [before, running.residentMb()];
});

const unread = await withRelay(async (running) => {
  // Why first one that reads: it shows the memory for the requests alone.
  let asking = 0;
  for (let count = 0; count < 2; count++) {
    const reader = await peer(running.gamePort, true);
    asking = Math.max(asking, await peakWhileRequesting(running, reader));
    reader.destroy();
  }
  const nonReader = await peer(running.gamePort, false);
  const most = await peakWhileRequesting(running, nonReader);
  nonReader.destroy();
  await sleep(2_000);
  return { most: most - asking, left: running.residentMb() - asking };
});

console.log(`| on ${options.on} | resident MB |\n| --- | --- |`);
console.log(`| no peers | ${bare.toFixed(0)} |\n| ${PEERS} silent peers | ${silent.toFixed(0)} |`);
console.log(`| ${PEERS} idle games, each with an action | ${idle.toFixed(0)} |`);
console.log(
  `| peak of a game that sends requests and does not read, minus that of one that reads | ${unread.most.toFixed(1)} |`,
);
console.log(`| the same after it was closed | ${unread.left.toFixed(1)} |`);

/** A game; one that does not read pauses its socket, so the kernel buffers fill up, too. */
function peer(port: number, reads: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", reject).on("connect", () => {
      if (reads) socket.resume();
      else socket.pause();
      const key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==";
      socket.write(
        `GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n${key}\r\n\r\n`,
      );
      socket.off("error", reject).on("error", () => {});
      resolve(socket);
    });
  });
}

/** The peak of resident memory while the peer sends requests. */
async function peakWhileRequesting(running: RunningRelay, peer: Socket): Promise<number> {
  let most = running.residentMb();
  const ask = frameOf(JSON.stringify({ command: "nrc-endpoints/health", game: "Slow", data: {} }));
  const asks = Buffer.concat(Array.from({ length: 500 }, () => ask));
  // Why 400 rounds: the kernel buffers some of the replies, and each has only a few hundred bytes.
  for (let round = 0; round < 400 && !peer.destroyed; round++) {
    if (!peer.write(asks)) await sleep(5);
    most = Math.max(most, running.residentMb());
  }
  for (let at = 0; at < 50; at++) {
    await sleep(20);
    most = Math.max(most, running.residentMb());
  }
  return most;
}

/** A masked text frame. */
function frameOf(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  // Why: a mask of zeros leaves the text unchanged.
  return Uint8Array.from([0x81, 0x80 | body.length, 0, 0, 0, 0, ...body]);
}
