/** Sockets that do not answer pings, over real sockets and a short interval. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "#runner";
import { BunConnection, websocketHandlers } from "../../../src/runtimes/bun/socket.ts";
import type { ConnectionHandler } from "../../../src/runtimes/connections.ts";
import { Keepalive, type KeptSocket } from "../../../src/runtimes/keepalive.ts";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";

const INTERVAL_MS = 20;
/** Final, of one byte, a zero. Why not empty: lua-websockets reads the first three bytes of a frame at once. */
const PING = [0x89, 1, 0];

/** A kept socket that counts its pings. */
function keptSocket(answers: boolean) {
  const calls = { pings: 0, terminated: 0 };
  const kept: KeptSocket = {
    silentIntervals: 0,
    canPong: answers,
    pingsUnanswered: 0,
    ping: () => void calls.pings++,
    terminate: () => void calls.terminated++,
  };
  return { kept, calls };
}

test("RT7b a socket that never answered a ping is pinged twice, and not disconnected for silence", async () => {
  const keepalive = new Keepalive(INTERVAL_MS);
  const [mute, gone] = [keptSocket(false), keptSocket(true)];
  keepalive.add(mute.kept);
  keepalive.add(gone.kept);
  while (gone.calls.terminated === 0) await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  check.equal(mute.calls, { pings: 2, terminated: 0 });
  check.equal(gone.calls.pings, 4);
  for (const { kept } of [mute, gone]) keepalive.remove(kept);
});

/** A client that answers no ping for ten intervals and then sends the text `hi`, and the first ping it received. */
async function sayHiLater(port: number): Promise<{ client: Socket; ping: Uint8Array }> {
  const client = connect({ host: "127.0.0.1", port });
  const chunks: Buffer[] = [];
  client.on("data", (chunk) => void chunks.push(Buffer.from(chunk)));
  client.write(
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await new Promise((resolve) => client.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 10 * INTERVAL_MS));
  client.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69)); // Why zeros: a mask of zeros leaves the text as it is.
  const bytes = Buffer.concat(chunks);
  const start = bytes.indexOf("\r\n\r\n") + 4;
  return { client, ping: bytes.subarray(start, start + 3) };
}

test("RT7b RT7d on Bun a client that answers no ping stays connected, and its messages are handled", async () => {
  const keepalive = new Keepalive(INTERVAL_MS);
  const heard: string[] = [];
  const { promise: closed, resolve: close } = Promise.withResolvers<number>();
  const handler: ConnectionHandler = {
    greets: false,
    open() {},
    message: (frame) => void heard.push(String(frame)),
    buffered() {},
    drain() {},
    pong() {},
    controlFrame() {},
    close,
  };
  const server = Bun.serve<BunConnection>({
    hostname: "127.0.0.1",
    port: 0,
    websocket: websocketHandlers(1_024, keepalive),
    fetch: (request, self) =>
      self.upgrade(request, { data: new BunConnection(handler) }) ? undefined : new Response(null, { status: 400 }),
  });
  const { client, ping } = await sayHiLater(server.port ?? 0);
  while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  check.equal(heard, ["hi"]);
  check.equal([...ping], PING);
  client.destroy();
  check.equal(await closed, 1006);
  await server.stop(true);
});

test("RT7b RT7d on Deno a client that answers no ping stays connected, and its messages are handled", async () => {
  const script = join(ROOT, "tests/unit/runtimes/deno-keepalive.ts");
  const child = Bun.spawn([...RUNNERS.Deno ?? [], script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" });
  let text = "";
  let hello: Awaited<ReturnType<typeof sayHiLater>> | undefined;
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const port = Number(/port (\d+)/.exec(text)?.[1]);
    hello ??= await sayHiLater(port);
    if (text.includes("message hi")) hello.client.destroy();
    if (text.includes("close")) break;
  }
  child.kill();
  check.match(text, /^port \d+\nmessage hi\nclose 1006\n$/);
  check.equal([...hello?.ping ?? []], PING);
});
