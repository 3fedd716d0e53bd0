/** A stranger sends much before its greeting is complete: how much of it the relay reads. Real processes and sockets. */
import { connect } from "node:net";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { FLOODS } from "../../floods/floods.ts";

const { head = new Uint8Array() } = FLOODS["pongs before the greeting"] ?? {};
const MIB = 1_048_576;
/** What the relay reads at once, and what the system buffers for both sides. */
const SYSTEM_BYTES_MAX = 6 * MIB;

/** Sends parts of one text message of 7 MiB until the relay disconnects. Returns how long that took, in ms. */
function sendPartly(url: string, first: number): Promise<number> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(head));
  const began = performance.now();
  socket.once("data", () => {
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(7 * MIB));
    socket.write(Uint8Array.of(first, 0x80 | 127, ...new Uint8Array(length.buffer), 0, 0, 0, 0));
    for (let sent = 0; sent < SYSTEM_BYTES_MAX; sent += 65_536) socket.write(new Uint8Array(65_536).fill(0x20));
  });
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => resolve(performance.now() - began));
  });
}

// Why not on Bun: it neither tells how much of a message it has read nor limits it for one socket.
test(
  "IM3c on Deno a stranger that sends more than limits.greeting_bytes before its greeting is complete is disconnected at once",
  () =>
    inFolder(async (folder) => {
      const relay = await RelayProcess.start(folder, ["limits.greeting=20s"], RUNNERS.Deno);
      try {
        for (const first of [0x81, 0x82, 0x01]) check.that(await sendPartly(relay.urls.intermediary, first) < 10_000);
      } finally {
        await relay.stop("SIGKILL");
      }
    }),
  { timeoutMs: 60_000 },
);
