/** Peers that never read, and connections that are no peers yet, against a relay as a process on each runtime. */
import { connect, type Socket } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "#runner";
import { HTTP_CONNECTIONS_MAX } from "../../../src/runtimes/node-http/http-connections.ts";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";
import { Client } from "./bun-relay.ts";

interface EchoProcess {
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  /** The origin of the web port. */
  readonly web: string;
}

/** Runs `run` with a relay of echo services. */
async function withEcho(runtime: string, run: (relay: EchoProcess) => Promise<void>): Promise<void> {
  const script = join(ROOT, `tests/unit/runtimes/${runtime.toLowerCase()}-process.ts`);
  const child = Bun.spawn([...RUNNERS[runtime] ?? [], script], { cwd: ROOT, stdout: "pipe", stderr: "ignore" });
  try {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes("is ready")) break;
    }
    const url = /\[Nakurity Backend\] listening on (\S+)/.exec(text)?.[1] ?? "";
    const web = /\[Web\] listening on (http:\/\/[^\s/]+)/.exec(text)?.[1] ?? "";
    await run({ pid: child.pid, url, port: Number(new URL(url).port), web });
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

async function until(holds: () => boolean, what: string, seconds: number): Promise<void> {
  for (const end = performance.now() + seconds * 1_000; !holds();) {
    check.that(performance.now() < end, what);
    await Bun.sleep(20);
  }
}

/** Sends an upgrade and a frame, and reads nothing. */
function stranger(port: number, command: string): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  socket.pause();
  socket.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const bytes = new TextEncoder().encode(command);
  // Why later: a client sends frames after the response. Why zeros: a mask of zeros leaves the text as it is.
  setTimeout(() => socket.write(Uint8Array.of(0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes)), UPGRADE_MS);
  return socket;
}

/** Within this time the relay accepts a connection. */
const UPGRADE_MS = 300;
const STRANGERS = 20;
/** Within this time the relay accepts a wave, and answers it. */
const FLOOD_MS = 1_000;
/** Descriptors that a runtime opens for itself after the start. */
const SPARE = 8;

/** A leak of the waves after the second would be at least twice the backlogs of one: 320 MB. */
const GROWTH_MB_MAX = 80;
/** A busy machine postpones the collection of a wave's garbage. */
const COLLECTED_MS = 15_000;

/**
 * Resident memory after each of four waves of peers that request 16 MB and never read, and once more when garbage was collected. Another
 * peer is served meanwhile.
 */
async function residentAfterWaves({ pid, url, port }: EchoProcess): Promise<readonly number[]> {
  const friend = await Client.connect(url);
  await friend.ask("echo first");
  const before = descriptors(pid);
  const resident: number[] = [];
  for (let wave = 0; wave < 4; wave++) {
    const strangers = Array.from({ length: STRANGERS }, () => stranger(port, "flood 16000"));
    friend.send(`echo wave ${wave}`);
    await friend.next((frame) => frame === `wave ${wave}`);
    await Bun.sleep(FLOOD_MS);
    await until(() => descriptors(pid) <= before + SPARE, `wave ${wave} is still connected`, 20);
    for (const socket of strangers) socket.destroy();
    resident.push(residentMb(pid));
  }
  const settled = Math.max(resident[0] ?? 0, resident[1] ?? 0) + GROWTH_MB_MAX;
  for (const end = performance.now() + COLLECTED_MS; residentMb(pid) >= settled && performance.now() < end;) {
    await friend.ask("echo again");
    await Bun.sleep(100);
  }
  return [...resident, residentMb(pid)];
}

test("RT6b peers that never read are disconnected, and waves of them leave no memory (Bun and Deno)", async () => {
  await Promise.all(
    Object.keys(RUNNERS).map((runtime) =>
      withEcho(runtime, async (relay) => {
        const resident = await residentAfterWaves(relay);
        // Why the larger of two: the heap grows to the size that a wave needs, and a collection at the right moment shrinks it for a while.
        const growth = (resident.at(-1) ?? 0) - Math.max(resident[0] ?? 0, resident[1] ?? 0);
        check.that(growth < GROWTH_MB_MAX, `${runtime}: resident after each wave: ${resident.map(Math.round)} MB`);
      })
    ),
  );
}, { timeoutMs: 120_000 });

test(
  "RT1e on Deno connections without a request are bounded, and a new client is served",
  () =>
    withEcho("Deno", async ({ pid, url, port }) => {
      const before = descriptors(pid);
      const idle: Socket[] = [];
      for (let at = 0; at < HTTP_CONNECTIONS_MAX + 100; at++) {
        idle.push(connect({ port, host: "127.0.0.1" }).on("error", () => {}));
        if (at % 3 === 0) idle.at(-1)?.write("GET / HTTP/1.1\r\nHost: slo");
      }
      await until(() => descriptors(pid) >= before + HTTP_CONNECTIONS_MAX, "they connect", 10);
      const client = await Client.connect(url);
      check.equal(await client.ask("echo served"), "served");
      await until(() => descriptors(pid) <= before + HTTP_CONNECTIONS_MAX + SPARE, "the others are closed", 5);
      for (const socket of idle) socket.destroy();
    }),
  { timeoutMs: 40_000 },
);

test("RT1e on Deno a request whose head arrives too slowly is closed", () =>
  withEcho("Deno", async ({ port }) => {
    const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {}).resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("GET / HTTP/1.1\r\nX: ");
    const drip = setInterval(() => socket.write("y"), 200);
    const began = performance.now();
    await closed;
    clearInterval(drip);
    check.that(performance.now() - began < 15_000);
  }), { timeoutMs: 40_000 });

/** Sends this many requests for a path at once. Resolves with the number of responses when the connection is closed or has answered all. */
async function pipeline(web: string, path: string, count: number): Promise<number> {
  const socket = connect({ port: Number(new URL(web).port), host: "127.0.0.1" }).on("error", () => {});
  let responses = 0;
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => resolve()).on("data", (bytes) => {
      responses += String(bytes).split("HTTP/1.1 200").length - 1;
      if (responses === count) resolve();
    });
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
  await ended;
  socket.destroy();
  return responses;
}

test(
  "RT1g on Deno a connection has at most 16 requests without a response, and unread responses take no memory",
  () =>
    withEcho("Deno", async ({ pid, web }) => {
      check.equal(await pipeline(web, "/health", 16), 16);
      check.that(await pipeline(web, "/health", 1_000) < 1_000);
      const [before, open] = [residentMb(pid), descriptors(pid)];
      const unread = Array.from({ length: STRANGERS }, () => {
        const socket = connect({ port: Number(new URL(web).port), host: "127.0.0.1" }).on("error", () => {});
        socket.pause();
        socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000));
        return socket;
      });
      check.equal((await fetch(`${web}/health`)).status, 200);
      await until(() => descriptors(pid) <= open + SPARE, "they are closed", 10);
      check.that(residentMb(pid) - before < 100, `${residentMb(pid) - before} MB`);
      for (const socket of unread) socket.destroy();
    }),
  { timeoutMs: 60_000 },
);
