/** Dialled connections on Bun, with a real server at the other end. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { testSettings, until, upstreamAt, withRelay } from "./bun-relay.ts";
import { CERTIFICATE } from "./certificate.ts";

interface Upstream {
  readonly url: string;
  readonly greeted: Headers[];
  readonly heard: string[];
  readonly sockets: Set<Bun.ServerWebSocket<undefined>>;
  stop(): Promise<void>;
}

/** A backend that records the messages that it receives. */
function upstream(port = 0): Upstream {
  const greeted: Headers[] = [];
  const heard: string[] = [];
  const sockets = new Set<Bun.ServerWebSocket<undefined>>();
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port,
    fetch(request, self) {
      greeted.push(request.headers);
      return self.upgrade(request) ? undefined : new Response("no", { status: 400 });
    },
    websocket: {
      open: (socket) => void sockets.add(socket),
      message: (_socket, frame) => void heard.push(String(frame)),
      close: (socket) => void sockets.delete(socket),
    },
  });
  return { url: `ws://127.0.0.1:${server.port}`, greeted, heard, sockets, stop: () => server.stop(true) };
}

const settingsFor = (url: string) => testSettings((change) => void (change["nakurity-clients"] = [upstreamAt(url)]));

test("RT20 a link is dialled with its headers, and carries text both ways", async () => {
  const neuro = upstream();
  await withRelay(settingsFor(neuro.url), async ({ connect, lines }) => {
    check.that(lines.includes(`[Nakurity Client] connecting to ${neuro.url}`));
    const game = await connect("neuro");
    await until(() => neuro.sockets.size === 1);
    check.equal(neuro.greeted[0]?.get("neuro-relay-via"), "test-neuro");
    game.send("up first");
    game.send("up second ü");
    await until(() => neuro.heard.length === 2);
    check.equal(neuro.heard, ["first", "second ü"]);
    for (const socket of neuro.sockets) socket.send("hello");
    check.equal(await game.next(), "upstream hello");
  });
  await neuro.stop();
});

test("RT21 a link that is refused, lost or answered by something else is reported once, and dialled again", async () => {
  const neuro = upstream();
  await withRelay(settingsFor(neuro.url), async ({ connect }) => {
    const game = await connect("neuro");
    await until(() => neuro.sockets.size === 1);
    for (const socket of neuro.sockets) socket.terminate();
    check.match(await game.next(), /^dropped/);
    await until(() => neuro.sockets.size === 1);
    const port = Number(new URL(neuro.url).port);
    await neuro.stop();
    check.match(await game.next(), /^dropped/);
    check.match(await game.next(), /^dropped .*[Ff]ailed to connect/);
    const back = upstream(port);
    await until(() => back.sockets.size === 1);
    await back.stop();
  });
});

test("RT21 a URL that cannot be dialed is a lost link, not an internal error", () =>
  withRelay(settingsFor("ws:// nowhere"), async ({ connect, log }) => {
    const game = await connect("neuro");
    check.match(await game.next(), /^dropped/);
    check.equal(log.filter((line) => line.includes("mistake")), []);
  }));

test("RT22 when the relay stops, its link is closed properly", async () => {
  const neuro = upstream();
  await withRelay(settingsFor(neuro.url), async () => {
    await until(() => neuro.sockets.size === 1);
  });
  await until(() => neuro.sockets.size === 0);
  check.equal(neuro.greeted.length, 1);
  await neuro.stop();
});

test("RT29 an encrypted connection is made only to servers whose certificate the machine trusts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-tls-"));
  const certificate = join(folder, "certificate.pem");
  await writeFile(certificate, CERTIFICATE);
  const dialled = async (env: Record<string, string>): Promise<string> => {
    const command = [process.execPath, join(import.meta.dir, "bun-encrypted.ts")];
    const child = Bun.spawn(command, { env: { ...process.env, ...env }, stderr: "inherit" });
    return (await child.stdout.text()).trim();
  };
  check.equal(await dialled({}), "closed 1006 self signed certificate");
  check.equal(await dialled({ NODE_EXTRA_CA_CERTS: certificate }), "heard echo hello");
  await rm(folder, { recursive: true });
});
