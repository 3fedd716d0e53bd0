/** The intercept proxy over real sockets: a game, the proxy, a backend behind it, and a watcher. */
import { test } from "#runner";
import { services } from "../../../src/relay/services.ts";
import { check } from "../../harness/check.ts";
import { Client, type Mutable, testSettings, withRelay } from "./bun-relay.ts";

/** A backend that echoes frames, and closes when it receives `go`. */
function backend() {
  const asked: string[] = [];
  const { promise: left, resolve: leave } = Promise.withResolvers<number>();
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, self) {
      asked.push(new URL(request.url).pathname);
      return self.upgrade(request) ? undefined : new Response("no", { status: 400 });
    },
    websocket: {
      message: (socket, frame) => void (frame === "go" ? socket.close(4321, "enough") : socket.send(frame)),
      close: (_socket, code) => leave(code),
    },
  });
  return { url: `ws://127.0.0.1:${server.port}`, asked, left, stop: () => server.stop(true) };
}

const behind = (url: string) =>
  testSettings((change: Mutable) => {
    change["intercept-proxy"] = { ...change["intercept-proxy"], enabled: true, port: 0, upstream_url: url };
  });

const GREETING = JSON.stringify({ type: "neuro-os", name: "w", auth_token: "super-secret-token" });
const isOfProxy = (frame: string): boolean => frame.includes('"via":"intercept-proxy"');
const payloadOf = (frame: string) => JSON.parse(frame).payload;

test("NC60 NC61 NC63 NC65 a game connects through the proxy, and a watcher is notified", async () => {
  const { url, asked, left, stop } = backend();
  const settings = behind(url);
  await withRelay(settings, async ({ urls, connect, lines }) => {
    const at = new Map(Object.entries(urls)).get("proxy");
    check.that(lines.includes(`[Intercept Proxy] listening on ${at}`));
    check.that(lines.includes(`[Intercept Proxy] forwarding to ${url}`));
    const watcher = await connect("intermediary");
    watcher.send(GREETING);
    await watcher.next((frame) => frame.includes("neuroos_connected"));
    const game = await Client.connect(`${at}/game/Chess`);
    const startup = '{"command": "startup", "game": "Chess ♟"}';
    check.equal(await game.ask(startup), startup);
    check.equal(asked, ["/game/Chess"]);
    game.send(Uint8Array.of(255, 0, 1));
    while (game.frames.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [bytes] = game.frames;
    check.equal(bytes instanceof ArrayBuffer ? [...new Uint8Array(bytes)] : bytes, [255, 0, 1]);
    const { event, details } = payloadOf(await watcher.next(isOfProxy));
    check.equal([event, details.first_command, details.snippet], ["integration_connected", "startup", startup]);
    game.send("go");
    check.equal(await game.closed, { code: 4321, reason: "enough" });
    const bye = payloadOf(await watcher.next(isOfProxy));
    check.equal(bye, { event: "integration_disconnected", via: "intercept-proxy", details: { client: details.client } });
    await left;
  }, { services: services(settings) });
  await stop();
});

test("NC63 when a game closes, its connection to the backend is closed with the same code", async () => {
  const { url, left, stop } = backend();
  const settings = behind(url);
  await withRelay(settings, async ({ urls }) => {
    const game = await Client.connect(new Map(Object.entries(urls)).get("proxy") ?? "");
    check.equal(await game.ask("hello"), "hello");
    game.socket.close(3999);
    check.equal(await left, 3999);
  }, { services: services(settings) });
  await stop();
});

test("NC64 a game is closed with 1014 when nothing listens behind the proxy", async () => {
  const { url, stop } = backend();
  await stop();
  const settings = behind(url);
  await withRelay(settings, async ({ urls }) => {
    const game = await Client.connect(new Map(Object.entries(urls)).get("proxy") ?? "");
    check.equal((await game.closed).code, 1014);
  }, { services: services(settings) });
});

test("SE13 the proxy, which requires no token, is not reachable through the web port", async () => {
  const { url, stop } = backend();
  const settings = behind(url);
  await withRelay(settings, async ({ urls }) => {
    const response = await fetch(`${urls.web}/proxy`);
    check.equal(response.status, 404);
  }, { services: services(settings) });
  await stop();
});

test("NC68 the query, the subprotocol and the reason of a close reach the backend", async () => {
  const { promise: request, resolve: asked } = Promise.withResolvers<Request>();
  const { promise: left, resolve: leave } = Promise.withResolvers<readonly [number, string]>();
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(received, self) {
      asked(received);
      return self.upgrade(received) ? undefined : new Response("no", { status: 400 });
    },
    websocket: { message: (socket, frame) => void socket.send(frame), close: (_, code, reason) => leave([code, reason]) },
  });
  const settings = behind(`ws://127.0.0.1:${server.port}`);
  await withRelay(settings, async ({ urls }) => {
    const at = new Map(Object.entries(urls)).get("proxy") ?? "";
    const game = new WebSocket(`${at}/x?a=1&token=own`, ["neuro"]);
    await new Promise((resolve) => (game.onopen = resolve));
    check.equal(game.protocol, "neuro");
    const { url, headers } = await request;
    check.equal(new URL(url).search, "?a=1&token=own");
    check.equal(headers.get("sec-websocket-protocol"), "neuro");
    const echoed = new Promise((resolve) => (game.onmessage = resolve));
    game.send("hello");
    await echoed;
    game.close(4007, "done for today");
    check.equal(await left, [4007, "done for today"]);
  }, { services: services(settings) });
  await server.stop(true);
});
