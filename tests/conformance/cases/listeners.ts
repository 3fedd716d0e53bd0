/** Listeners: admission, frames, and how the relay stops. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import type { Case } from "../case.ts";
import { JsonSocket, pausedClient, until } from "../json-socket.ts";
import { type Relay, TOKENS } from "../platform.ts";
import { Game, integrate, watch } from "../clients.ts";

const MIB = 1_048_576;
const PAGE = readFileSync(join(ROOT, "src/dashboard/dashboard.html"), "utf8");

/** How an upgrade is answered. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url.replace(/^ws/, "http"), {
    headers: {
      ...{ upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13" },
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  });
  await response.body?.cancel();
  return response.status;
}

async function isAlive(relay: Relay): Promise<void> {
  const game = await Game.join(relay, "Witness");
  await game.line.next(({ command }) => command === "startup", "its acknowledgement");
}

export const listeners: readonly Case[] = [
  {
    name: "RT48 a token comes in the query or in the path; a wrong one, or none, is 401; a page of a foreign origin 403",
    async run(relay) {
      const { neuro, brain, intermediary } = relay.urls;
      check.equal(await statusOf(`${neuro}/`), 401);
      check.equal(await statusOf(`${neuro}/?token=wrong-s3cret`), 401);
      check.equal(await statusOf(`${neuro}/t/wrong-s3cret/game/Chess`), 401);
      check.equal(await statusOf(`${brain}/`), 401);
      check.equal(await statusOf(`${intermediary}/`, { origin: "https://evil.example" }), 403);
      const protocols = ["any", "other"];
      const pathSegment = await JsonSocket.open(`${neuro}/t/${TOKENS.neuro}/game/Chess`, { protocols });
      check.equal(pathSegment.socket.protocol, "any");
      pathSegment.send({ command: "startup", game: "Chess" });
      await pathSegment.next(({ command }) => command === "startup", "its acknowledgement");
      const brainLine = await JsonSocket.open(`${brain}/?token=${TOKENS.brain}`);
      brainLine.send({ cmd: "open_session" });
      check.that((await brainLine.next()) !== undefined);
      const voice = await JsonSocket.open(`${neuro}/game/Chess/voice?token=${TOKENS.neuro}`);
      voice.send({ command: "voice/start", game: "Chess" });
      check.equal((await voice.next()).command, "voice/unavailable");
      for (const token of [...Object.values(TOKENS), "s3cret"]) {
        check.that(!relay.log().includes(token), `${token} in the log`);
      }
    },
  },
  {
    name: "RT49 asked to stop, the relay closes everybody with 1012 and ends with 0",
    async run(relay) {
      const [game, jukebox] = [await Game.join(relay, "Chess"), await integrate(relay, "jukebox")];
      await game.line.next();
      const status = relay.drain();
      check.equal([(await game.line.closed).code, (await jukebox.closed).code], [1012, 1012]);
      check.equal(await status, 0);
    },
  },
  {
    name:
      "RT50 for a peer that stops reading messages wait in the queue; it gets them when it reads again, and nobody else notices",
    setup: {
      "limits.backlog_soft_bytes": "512KiB",
      "limits.bytes_per_second": "1GiB",
      "limits.messages_per_second": 0,
    },
    async run(relay) {
      const watcher = await watch(relay, "desk");
      const deaf = await pausedClient(`${relay.urls.intermediary}/`);
      deaf.send(JSON.stringify({ type: "integration", name: "deaf", auth_token: TOKENS.intermediary }));
      await watcher.next(({ event }) => event === "integration_connected", "the deaf one");
      deaf.socket.pause();
      const text = "x".repeat(200_000);
      let sent = 0;
      for (let isQueued = false; !isQueued && sent < 200; sent++) {
        watcher.send({ target: "deaf", cmd: { text }, request_id: `${sent}` });
        isQueued = (await watcher.next(({ request_id }) => request_id === `${sent}`)).status === "queued";
      }
      check.that(sent < 200, "something is queued");
      await isAlive(relay);
      deaf.socket.resume();
      await until(() => deaf.socket.bytesRead >= sent * text.length, "everything to arrive");
      deaf.socket.destroy();
    },
  },
  {
    name: "RT51 frames that are too big, malformed or binary, and torn connections, close at most their own peer",
    async run(relay) {
      const witness = await integrate(relay, "witness");
      const big = await Game.join(relay, "Big");
      big.line.send("x".repeat(MIB + 1));
      check.equal((await big.line.closed).code, 1009);
      const odd = await Game.join(relay, "Odd");
      await odd.line.next(({ command }) => command === "startup", "its acknowledgement");
      for (const frame of ["", "{", "[]", "null", '{"command":5}', '{"command":"actions/register","data":[]}', "\u0000"]) {
        odd.line.send(frame);
      }
      odd.line.send(new Uint8Array([0xff, 0xfe, 0x00]));
      odd.line.send("[".repeat(100_000));
      odd.line.send(new TextEncoder().encode(JSON.stringify({ command: "startup", game: "Odd" })));
      await odd.line.next(({ command }) => command === "startup", "that JSON in a binary frame is read");
      const { port, hostname } = new URL(relay.urls.neuro);
      for (
        const bytes of [
          "\u0000\u0001\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        ]
      ) {
        const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {}, error() {} } });
        socket.write(bytes);
        socket.end();
      }
      await isAlive(relay);
      witness.send({ still: "here" });
      check.that(witness.isOpen);
      check.that(!/internal error/.test(relay.log()), "no internal error");
    },
  },
  {
    name: "DB1 the dashboard's page is at the root of the web port, whole",
    async run(relay) {
      const response = await fetch(`${relay.web}/`, { headers: { "accept-encoding": "gzip" } });
      check.equal([response.status, response.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
      check.match(response.headers.get("content-security-policy") ?? "", /script-src 'sha256-[^']{44}'/);
      check.equal(await response.text(), PAGE);
    },
  },
  {
    name: "RT52 health and readiness are a status and the version; reasons and metrics are for who may watch",
    async run(relay) {
      const ask = async (path: string, token?: string) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const response = await fetch(relay.web + path, { headers });
        return { status: response.status, text: await response.text() };
      };
      check.match((await ask("/health")).text, /^\{"status":"ok","version":"[\d.]+"\}$/);
      const ready = await ask("/ready");
      check.equal([ready.status, JSON.parse(ready.text).status], [200, "ready"]);
      check.equal((await ask("/metrics")).status, 401);
      check.match((await ask("/metrics", TOKENS.web)).text, /^neuro_relay_integrations\{listener="neuro"\} 0$/m);
      check.equal((await ask("/no/such/thing")).status, 404);
      check.equal((await fetch(`${relay.web}/health`, { headers: { origin: "https://evil.example" } })).status, 403);
    },
  },
  {
    name: "RT52b the metrics count the connections of the relay at the root",
    async run(relay) {
      const chess = await Game.join(relay, "Chess");
      await chess.line.next(({ command }) => command === "startup", "its acknowledgement");
      const response = await fetch(`${relay.web}/metrics`, { headers: { authorization: `Bearer ${TOKENS.web}` } });
      check.match(await response.text(), /^neuro_relay_connections\{listener="neuro"\} 1$/m);
    },
  },
];
