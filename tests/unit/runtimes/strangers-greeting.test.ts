/** Strangers send much before their greeting is complete: how much of it the relay reads and keeps. Real processes and sockets. */
import { connect, type Socket } from "node:net";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { FLOODS } from "../../floods/floods.ts";

const { head = new Uint8Array() } = FLOODS["pongs before the greeting"] ?? {};
const MIB = 1_048_576;
/** What the relay reads at once, and what the system buffers for both sides. */
const SYSTEM_BYTES_MAX = 6 * MIB;

const [TEXT, BINARY, FRAGMENT] = [0x81, 0x82, 0x01] as const;

/** The header of a frame of 7 MiB, masked with zeros. */
function headerOf(first: number): Uint8Array {
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(7 * MIB));
  return Uint8Array.of(first, 0x80 | 127, ...new Uint8Array(length.buffer), 0, 0, 0, 0);
}

/** Fragments of a text message that never ends, each of 100 bytes. */
const fragments = Buffer.concat(
  Array.from(
    { length: 600 },
    (_, at) => Uint8Array.of(at === 0 ? 0x01 : 0, 0x80 | 100, 0, 0, 0, 0, ...new Uint8Array(100)),
  ),
);

/** Connects, and sends the parts once the upgrade is accepted. */
function stranger(url: string, path: string, parts: readonly Uint8Array[]): Socket {
  const request = String(Buffer.from(head)).replace("GET /", `GET ${path}`);
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request));
  socket.once("data", () => {
    for (const part of parts) socket.write(part);
    socket.resume();
  });
  return socket.on("error", () => {});
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

const zeros = (bytes: number): readonly Uint8Array[] =>
  Array.from({ length: bytes / 65_536 }, () => new Uint8Array(65_536).fill(0x20));

/** Runs with a relay whose strangers may wait for longer than the test. */
const withRelay = (runner: readonly string[] | undefined, run: (relay: RelayProcess) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const relay = await RelayProcess.start(folder, ["limits.greeting=60s", "web.enabled=true", "web.port=0"], runner);
    try {
      await run(relay);
    } finally {
      await relay.stop("SIGKILL");
    }
  });

const INCOMPLETE = {
  "a text": [headerOf(TEXT), ...zeros(SYSTEM_BYTES_MAX)],
  "bytes": [headerOf(BINARY), ...zeros(SYSTEM_BYTES_MAX)],
  "a large fragment": [headerOf(FRAGMENT), ...zeros(SYSTEM_BYTES_MAX)],
  "small fragments": [fragments],
};

for (const [runtime, runner] of Object.entries(RUNNERS)) {
  test(
    `IM3c a stranger that sends more than limits.greeting_bytes before its greeting is complete is disconnected at once (${runtime})`,
    () =>
      withRelay(runner, async ({ urls }) => {
        for (const [what, parts] of Object.entries(INCOMPLETE)) {
          const began = performance.now();
          await closed(stranger(urls.intermediary, "/", parts));
          check.that(performance.now() - began < 10_000, what);
        }
      }),
    { timeoutMs: 90_000 },
  );

  for (const [port, path, growthMb] of [["intermediary", "/", 48], ["web", "/intermediary", 96]] as const) {
    test(
      `IM3c IM3d 64 strangers that send 7 MiB each before their greeting take less than ${growthMb} MB at the port ${port} (${runtime})`,
      () =>
        withRelay(runner, async (relay) => {
          await fetch(new URL("/health", relay.urls.web));
          const before = relay.residentMb;
          const parts = [headerOf(BINARY), ...zeros(7 * MIB)].slice(0, -1);
          const strangers = Array.from({ length: 64 }, () => stranger(relay.urls[port], path, parts));
          let peak = 0;
          for (const end = performance.now() + 3_000; performance.now() < end;) {
            peak = Math.max(peak, relay.residentMb);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          check.that(peak - before < growthMb, `${peak - before} MB`);
          for (const socket of strangers) socket.destroy();
        }),
      { timeoutMs: 60_000 },
    );
  }
}

/** What the relay sends to a stranger that sends these parts, until it disconnects. */
async function received(url: string, parts: readonly Uint8Array[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const socket = stranger(url, "/", parts);
  socket.on("data", (chunk) => void chunks.push(Buffer.from(chunk)));
  await closed(socket);
  return Buffer.concat(chunks);
}

const TINY = Buffer.concat([
  Uint8Array.of(0x01, 0x80, 0, 0, 0, 0),
  Buffer.alloc(6 * 8_000, Uint8Array.of(0, 0x80, 0, 0, 0, 0)),
]);

for (const [runtime, listeners] of [["Bun", ["intermediary"]], ["Deno", ["intermediary", "neuro"]]] as const) {
  test(
    `SE52c a peer that sends many tiny fragments is closed with 1008 (${runtime})`,
    () =>
      withRelay(RUNNERS[runtime], async ({ urls }) => {
        for (const listener of listeners) {
          check.that((await received(urls[listener], [TINY])).includes(Uint8Array.of(1008 >> 8, 1008 & 255)), listener);
        }
      }),
    { timeoutMs: 60_000 },
  );
}
