/** RFC 6455 in the relay's own client, on Bun and Deno, as bytes from a raw server. */
import { createHash } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";
import { RESPONSE_CASES } from "./handshake-cases.ts";
import { deviation, play } from "./play-case.ts";
import { PROTOCOL_CASES } from "./rfc6455-cases.ts";

/** What the client received on one connection. */
interface Dialed {
  readonly index: number;
  readonly isOpen: boolean;
  readonly messages: readonly string[];
  readonly code: number;
  readonly reason: string;
}

/** The largest message that the client accepts. */
const MESSAGE_BYTES_MAX = 8 * 1_024 * 1_024;

/** Lets a client process dial a raw server `count` times. `serve` gets the number and the key of each request. */
async function dialed(
  runner: readonly string[],
  count: number,
  serve: (socket: Socket, index: number, accept: string) => void,
): Promise<readonly Dialed[]> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    let head = "";
    const read = (bytes: Uint8Array): void => {
      head += new TextDecoder().decode(bytes);
      if (!head.endsWith("\r\n\r\n")) return;
      socket.off("data", read);
      const [, index, key] = /^GET \/(\d+) .*\r\nSec-WebSocket-Key: (\S+)/s.exec(head) ?? [];
      const digest = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      serve(socket, Number(index), digest);
    };
    socket.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const script = join(ROOT, "tests/unit/websocket-client/client-process.ts");
  const { port } = server.address() as AddressInfo;
  const child = Bun.spawn([...runner, script, String(port), String(count)], { stdout: "pipe", stderr: "inherit" });
  try {
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    return lines.map((line): Dialed => JSON.parse(line)).sort((one, other) => one.index - other.index);
  } finally {
    child.kill();
    server.close();
  }
}

const head = (accept: string): string =>
  `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

for (const [runtime, runner] of Object.entries(RUNNERS)) {
  test(`RT72 the client treats frames as RFC 6455 requires, without exception (${runtime})`, async () => {
    const wrong: Record<string, string> = {};
    const clients = await dialed(runner, PROTOCOL_CASES.length, (socket, index, accept) => {
      const one = PROTOCOL_CASES[index];
      if (one === undefined) return;
      socket.write(head(accept));
      const { expected } = one;
      const seen = expected.is === "closed" ? expected : { is: expected.is, ...(expected.pong && { pong: expected.pong }) };
      const options = { isClient: false, max: MESSAGE_BYTES_MAX, expected: seen, early: new Uint8Array(0) };
      void play(one, socket, options).then((observed) => {
        const how = deviation(seen, observed, false);
        if (how !== undefined) wrong[one.name] = how;
      });
    });
    check.equal(wrong, {});
    PROTOCOL_CASES.forEach(({ name, expected }, index) => {
      if (expected.is === "alive" && expected.messages !== undefined) {
        check.equal(clients[index]?.messages.filter((message) => message !== ""), expected.messages, name);
      }
    });
  }, { timeoutMs: 60_000 });

  test(`RT21b a response is accepted exactly if RFC 6455 allows it (${runtime})`, async () => {
    const clients = await dialed(runner, RESPONSE_CASES.length, (socket, index, accept) => {
      const [response = ""] = RESPONSE_CASES[index] ?? [];
      socket.write(`${response.replaceAll("KEY", accept).replaceAll("|", "\r\n")}\r\n\r\n`, "latin1");
      socket.end();
    });
    RESPONSE_CASES.forEach(([response, error], index) => {
      const { isOpen, reason } = clients[index] ?? { isOpen: undefined, reason: "" };
      check.equal(isOpen, error === undefined, `${response}: ${reason}`);
      if (error !== undefined) check.match(reason, error);
    });
  }, { timeoutMs: 60_000 });
}
