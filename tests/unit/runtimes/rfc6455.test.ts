/** RFC 6455 on every listener of every runtime, as bytes on a TCP connection to a relay with echo services. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { TOKENS, variablesOf } from "../../conformance/platform.ts";
import { bundle, deploy } from "../../conformance/workers.ts";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";
import { deviation, play } from "../websocket-client/play-case.ts";
import { REQUEST_CASES } from "../websocket-client/handshake-cases.ts";
import { type Deviations, FRAME_DEVIATIONS, REQUEST_DEVIATIONS } from "./rfc6455-deviations.ts";
import { type Expected, PROTOCOL_CASES, type ProtocolCase } from "../websocket-client/rfc6455-cases.ts";

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  /** Of pings that arrive together only some are answered, which the RFC allows. */
  readonly mergesPongs?: boolean;
}

const PARALLEL = 8;
/** A listener that has not answered a request after this time is waiting for more of it. */
const HEAD_MS = 2_000;

/** Runs `run` with all listeners of a relay on Bun or Deno. */
async function withProcess(runtime: string, run: (listeners: readonly Listener[]) => Promise<void>): Promise<void> {
  const script = join(ROOT, "tests/unit/runtimes/echo-process.ts");
  const child = Bun.spawn([...RUNNERS[runtime] ?? [], script], { cwd: ROOT, stdout: "pipe", stderr: "ignore" });
  try {
    let text = "";
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("is ready")) break;
    }
    const ports = [...text.matchAll(/^\[(.+)\] listening on \w+:\/\/[\d.]+:(\d+)/gm)];
    const web = Number(ports.find(([, name]) => name === "Web")?.[2]);
    await run([
      ...ports.filter(([, name]) => name !== "Web").map(([, name = "", port]) => ({ name, port: Number(port), path: "/" })),
      ...["intermediary", "neuro", "brain"].map((name) => ({ name: `web ${name}`, port: web, path: `/${name}` })),
    ]);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

async function withWorkerd(run: (listeners: readonly Listener[]) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-rfc6455-"));
  const script = await bundle("tests/unit/runtimes/echo-worker.ts");
  const worker = await deploy({ script, folder, variables: variablesOf({}), say: () => {} });
  try {
    const port = Number((await worker.ready).port);
    await run([
      { name: "intermediary", port, path: "/intermediary", mergesPongs: true },
      { name: "neuro", port, path: `/neuro?token=${TOKENS.neuro}`, mergesPongs: true },
      { name: "brain", port, path: `/brain?token=${TOKENS.brain}`, mergesPongs: true },
    ]);
  } finally {
    await worker.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends the request and waits for the head of the response. Returns it, and the bytes after it. */
async function exchange(
  socket: Socket,
  request: string,
  pieceBytes = request.length,
): Promise<{ head: string; early: Uint8Array }> {
  let received = Buffer.alloc(0);
  for (let at = 0; at < request.length; at += pieceBytes) {
    socket.write(request.slice(at, at + pieceBytes), "latin1");
    if (pieceBytes < request.length) await new Promise((resolve) => setImmediate(resolve));
  }
  const timer = setTimeout(() => socket.destroy(), HEAD_MS);
  await new Promise<void>((resolve) => {
    const take = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      if (received.includes("\r\n\r\n")) resolve(void socket.off("data", take));
    };
    socket.on("data", take).once("close", resolve).once("error", () => resolve());
  });
  clearTimeout(timer);
  const end = received.indexOf("\r\n\r\n") + 4;
  return { head: received.toString("latin1", 0, end), early: received.subarray(end) };
}

const upgradeTo = ({ path }: Listener): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** Calls `run` for each item, for a few at a time. */
async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const work = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** The expectation of a case for an echo service: it returns texts without their first word. */
function echoed({ expected }: ProtocolCase, { mergesPongs = false }: Listener): Expected {
  if (expected.is === "closed") return expected;
  const { messages, pong } = expected;
  return {
    is: "alive",
    ...(messages && { messages: messages.map((message) => message.replace(/^echo /, "")) }),
    ...(pong !== undefined && !mergesPongs && { pong }),
  };
}

/** Plays all cases on a listener. Returns the cases in which it deviates from RFC 6455, and how. */
async function frameDeviations(listener: Listener): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await inParallel(PROTOCOL_CASES, async (one) => {
    const socket = connect({ port: listener.port, host: "127.0.0.1", noDelay: true }).on("error", () => {});
    const { head, early } = await exchange(socket, upgradeTo(listener));
    check.match(head, /^HTTP\/1\.1 101 /);
    const expected = echoed(one, listener);
    const observed = await play(one, socket, { isClient: true, max: DEFAULTS.limits.message_bytes, expected, early });
    const how = deviation(expected, observed, true);
    if (how !== undefined) found[one.name] = how;
  });
  return found;
}

/** Checks each listener: it deviates exactly where it is known to. */
async function checkEach(
  listeners: readonly Listener[],
  deviationsOf: (listener: Listener) => Promise<Record<string, string>>,
  known: readonly Deviations[],
): Promise<void> {
  await Promise.all(listeners.map(async (listener) => {
    const expected = known.filter(({ except }) => except !== listener.name).flatMap(({ cases }) => Object.entries(cases))
      .sort();
    check.equal(Object.entries(await deviationsOf(listener)).sort(), expected, listener.name);
  }));
}

/** Plays all requests on a listener. Returns those with another outcome than RFC 6455 requires. */
async function requestDeviations(listener: Listener): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await inParallel(REQUEST_CASES, async ([name, template, outcome, pieceBytes]) => {
    const socket = connect({ port: listener.port, host: "127.0.0.1", noDelay: true }).on("error", () => {});
    const request = template.replace("PATH", listener.path).replaceAll("|", "\r\n");
    const { head } = await exchange(socket, request, pieceBytes);
    socket.destroy();
    const status = /^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? "none";
    if ((status === "101" ? "101" : "refused") !== outcome) found[name] = status;
    if (status !== "101" || outcome !== "101") return;
    check.match(head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    if (/sec-websocket-extensions/i.test(head)) found[name] = "with an extension";
    check.equal(/sec-websocket-protocol: (\S+)/i.exec(head)?.[1], name.includes("subprotocols") ? "one" : undefined);
  });
  return found;
}

for (const runtime of ["Bun", "Deno", "workerd"] as const) {
  const withListeners = (run: (listeners: readonly Listener[]) => Promise<void>): Promise<void> =>
    runtime === "workerd" ? withWorkerd(run) : withProcess(runtime, run);

  test(
    `RT72 every listener treats frames as RFC 6455 requires, with the known exceptions (${runtime})`,
    () => withListeners((listeners) => checkEach(listeners, frameDeviations, FRAME_DEVIATIONS[runtime])),
    { timeoutMs: 90_000 },
  );

  test(
    `RT73 every listener treats handshakes as RFC 6455 requires, with the known exceptions (${runtime})`,
    () => withListeners((listeners) => checkEach(listeners, requestDeviations, REQUEST_DEVIATIONS[runtime])),
    {
      timeoutMs: 90_000,
    },
  );
}
