/** The relay on Bun over real sockets: listeners, peers, and the effect of a faulty peer on others. */
import { connect, createServer } from "node:net";
import { test } from "#runner";
import { serve } from "../../../src/runtimes/bun/serve.ts";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { Client, testSettings, until, upstreamAt, withRelay } from "./bun-relay.ts";
import { echoService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

const MIB = 1_024 * 1_024;

test("RT1 every listener is open and printed before the relay is ready", () =>
  withRelay(testSettings(), async ({ urls, lines, connect }) => {
    check.equal(lines.slice(0, 3), [
      `[Intermediary] listening on ${urls.intermediary}`,
      `[Nakurity Backend] listening on ${urls.neuro}`,
      `[Brain] listening on ${urls.brain}`,
    ]);
    check.match(lines[3] ?? "", /^\[Web\] listening on http:\/\/127\.0\.0\.1:\d+$/);
    check.equal(lines.slice(4), ["No upstream: this relay acts as Neuro (decider random, polite)", "Neuro Relay is ready"]);
    for (const listener of ["intermediary", "neuro", "brain"] as const) {
      const client = await connect(listener);
      check.equal(await client.ask(`echo hello ${listener}`), `hello ${listener}`);
    }
  }));

test("RT1 what is configured but not part of the build is printed, and an upstream URL is redacted", () => {
  const settings = testSettings((change) => {
    change.nallely.enabled = true;
    change.web.enabled = false;
    change["nakurity-clients"] = [upstreamAt("ws://user:pass@127.0.0.1:1/t/s3cret/x?token=s3cret")];
  });
  return withRelay(settings, ({ lines }) => {
    check.equal(lines.slice(1), [
      "[Nakurity Client] connecting to ws://127.0.0.1:1/t/.../x",
      "[Intermediary] is configured, but not part of this build",
      "[Nallely] is configured, but not part of this build",
      "[Brain] is configured, but not part of this build",
      "Neuro Relay is ready",
    ]);
    return Promise.resolve();
  }, { services: [echoService("neuro")] });
});

test("RT2b a Brain whose port is taken is not ready, and opens once the port is free", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  const { port } = other.address() as { readonly port: number };
  const lines: string[] = [];
  const settings = testSettings((change) => {
    change.brain.port = port;
    change.brain.enabled = true;
  });
  const relay = await serve(settings, {
    services: [echoService("neuro"), echoService("brain")],
    store: new MemoryStore(),
    uploads: memoryUploads(),
    print: (line) => lines.push(line),
    log: () => {},
  });
  check.that(lines.includes(`[Brain] not open yet: brain.port: ${port} on 127.0.0.1 is in use`), lines.join("\n"));
  check.equal(lines.at(-1), "Neuro Relay is ready");
  const ready = () => fetch(`${relay.urls.web}/ready`).then(({ status }) => status);
  check.equal(await ready(), 503);
  other.close();
  for (let tries = 0; tries < 100 && (await ready()) !== 200; tries++) await Bun.sleep(100);
  check.equal(await ready(), 200);
  const client = await Client.connect(`ws://127.0.0.1:${port}`);
  check.equal(await client.ask("echo later"), "later");
  await relay.drain();
});

test("RT2 a port in use is one sentence that names the setting, and nothing stays open", () =>
  withRelay(testSettings(), async ({ urls }) => {
    const port = Number(new URL(urls.neuro).port);
    const store = new MemoryStore();
    const settings = testSettings((change) => (change["nakurity-backend"].port = port));
    const options = { services: [echoService("neuro"), echoService("brain")], store, uploads: memoryUploads() };
    await check.rejects(
      serve(settings, { ...options, print: () => check.that(false, "nothing is ready") }),
      new RegExp(`^StartError: nakurity-backend\\.port: ${port} on 127\\.0\\.0\\.1 is in use`),
    );
    await withRelay(testSettings((change) => (change["nakurity-backend"].port = 0)), () => Promise.resolve(), {
      services: [echoService("neuro")],
    });
  }));

for (const host of ["127.0.0.1", "localhost", "::1"]) {
  test(`RT1b a listener on ${host} accepts both address families`, () => {
    const settings = testSettings((change) => (change["nakurity-backend"].host = host));
    return withRelay(settings, async ({ urls }) => {
      const { port } = new URL(urls.neuro);
      for (const address of ["127.0.0.1", "[::1]", "localhost"]) {
        const client = await Client.connect(`ws://${address}:${port}`);
        check.equal(await client.ask(`echo by ${address}`), `by ${address}`);
      }
    });
  });
}

test("RT1b a port that another program uses in the other family is printed, and the relay starts", async () => {
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const other = createServer().listen(0, "::1", () => {
    const address = other.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  const taken = await port;
  const settings = testSettings((change) => (change.brain.port = taken));
  await withRelay(settings, async ({ lines, connect }) => {
    check.that(lines.includes(`[Brain] another program uses port ${taken} of ::1`), lines.join("\n"));
    check.equal(await (await connect("brain")).ask("echo alive"), "alive");
  });
  other.close();
});

test("RT3 text and bytes arrive unchanged and in order", () =>
  withRelay(testSettings(), async ({ connect }) => {
    const client = await connect("neuro");
    const texts = Array.from({ length: 500 }, (_, at) => `${at} ü 漢 😀 "\\ \u0000`);
    for (const text of texts) client.send(`echo ${text}`);
    const got: string[] = [];
    while (got.length < texts.length) got.push(await client.next());
    check.equal(got, texts);
    client.send(new Uint8Array([0, 255, 7]));
    client.send("echo after");
    await client.next((frame) => frame === "after");
    check.equal(client.frames, []);
  }));

test("RT3 a binary frame is echoed as bytes", () =>
  withRelay(testSettings(), async ({ connect }) => {
    const client = await connect("intermediary");
    client.send(new Uint8Array([0, 255, 7]));
    await until(() => client.frames.length === 1);
    check.equal(new Uint8Array(client.frames[0] as ArrayBuffer), new Uint8Array([0, 255, 7]));
  }));

test("RT4 a frame over the limit closes only its peer, with 1009", () =>
  withRelay(testSettings(), async ({ connect, log }) => {
    const [game, other, integration] = [await connect("neuro"), await connect("neuro"), await connect("intermediary")];
    game.send("x".repeat(MIB + 1));
    check.equal((await game.closed).code, 1009);
    check.match(await other.next((frame) => frame.startsWith("gone")), /^gone neuro-1 /);
    check.that(log.some((line) => line.includes("tooBig")), "said in the log");
    check.equal(await integration.ask("echo greeting"), "greeting");
    integration.send("x".repeat(MIB));
    integration.send(new Uint8Array(2 * MIB));
    check.equal(await integration.ask("echo alive"), "alive");
    integration.send("x".repeat(MIB + 1));
    check.equal((await integration.closed).code, 1009);
  }));

test("RT5 a closed peer receives code and reason, and its later frames are ignored", () =>
  withRelay(testSettings(), async ({ connect }) => {
    const [peer, witness] = [await connect("intermediary"), await connect("intermediary")];
    peer.send("echo before");
    peer.send("close");
    peer.send("all unheard");
    check.equal(await peer.closed, { code: 4401, reason: "invalid auth token" });
    check.equal(peer.frames, ["before"]);
    check.equal(await witness.next(), "gone intermediary-1 4401");
    check.equal(await witness.ask("echo next"), "next");
  }));

test(
  "RT6 a peer that stops reading is reported and closed at the hard limit, and others are not affected",
  () =>
    withRelay(testSettings(), async ({ connect, urls, log }) => {
      const witness = await connect("neuro");
      const slow = await pausedClient(urls.neuro, "frame 900");
      for (let asked = 0; asked < 30; asked++) slow.send("frame 900");
      check.equal(await witness.next((frame) => frame.startsWith("pressed")), "pressed neuro-2");
      check.match(await witness.next((frame) => frame.startsWith("gone")), /^gone neuro-2 /);
      check.equal(await witness.ask("echo alive"), "alive");
      check.that(!log.some((line) => line.includes("panic")));
      slow.destroy();
    }),
  { timeoutMs: 30_000 },
);

test(
  "RT6 a peer that reads again is reported as relieved, and has lost nothing",
  () =>
    // Why no limit: large replies count, so the peer would have to wait for them.
    withRelay(testSettings(({ limits }) => (limits.bytes_per_second = 0)), async ({ connect, urls }) => {
      const witness = await connect("neuro");
      const slow = await pausedClient(urls.neuro);
      let asked = 0;
      // Why one by one: the size of the kernel's buffers is unknown.
      for (let isPressed = false; !isPressed; asked++) {
        slow.send("frame 500");
        isPressed = await witness.ask("echo next") === "pressed neuro-2";
      }
      slow.resume();
      check.equal(await witness.next((frame) => frame.startsWith("eased")), "eased neuro-2");
      await until(() => slow.read() >= asked * 512_000);
      slow.destroy();
    }),
  { timeoutMs: 30_000 },
);

test("RT7 a ping is answered by the peer and reported", () =>
  withRelay(testSettings(), async ({ connect }) => {
    const client = await connect("neuro");
    check.equal(await client.ask("ping"), "ponged");
  }));

test("RT8 a reply that waits for the store delays no other message", () =>
  withRelay(testSettings(), async ({ connect, store }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    const [writer, other] = [await connect("intermediary"), await connect("intermediary")];
    writer.send("put");
    check.equal(await writer.ask("echo meanwhile"), "meanwhile");
    check.equal(await other.ask("echo meanwhile"), "meanwhile");
    resolve();
    check.equal(await writer.next(), "stored");
  }));

test("RT9 bytes that are not WebSocket, invalid frames and broken connections do not affect other peers", () =>
  withRelay(testSettings(), async ({ connect: open, urls, log }) => {
    const witness = await open("neuro");
    const port = Number(new URL(urls.neuro).port);
    const handshake = "GET / HTTP/1.1\r\nHost: a<b>\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const attempts = [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      handshake,
      `${handshake}\u00ff\u00ff\u00ff\u00ff`,
      `${handshake}\u0081\u0005hello`,
      handshake.replace("Sec-WebSocket-Key", "Nothing"),
    ];
    for (const attempt of attempts) await tear(port, Buffer.from(attempt, "latin1"));
    witness.send("echo alive");
    await witness.next((frame) => frame === "alive");
    check.that(!log.some((line) => line.includes("internal error")), log.join("\n"));
  }));

test("RT10 a game connects with any path, query and subprotocol, and the subprotocol is accepted", () =>
  withRelay(testSettings(), async ({ connect }) => {
    const client = await connect("neuro", { path: "/any/path?x=1", protocols: ["any", "other"] });
    check.equal(client.socket.protocol, "any");
    check.match(await client.ask("who"), /^neuro-1 \/any\/path $/);
  }));

test("RT13 the voice channel answers voice/unavailable and stays open", () =>
  withRelay(testSettings(), async ({ connect, log }) => {
    const voice = await connect("neuro", { path: "/game/My%20Game/voice" });
    voice.send(JSON.stringify({ command: "voice/speakers/register", game: "My Game", data: { speakers: [] } }));
    voice.send(new Uint8Array(100));
    voice.send("{");
    voice.send(JSON.stringify({ command: "voice/start", game: "My Game" }));
    check.equal(JSON.parse(await voice.next()), {
      command: "voice/unavailable",
      data: { reason: "the relay carries no voice" },
    });
    voice.send(JSON.stringify({ command: "voice/start" }));
    check.equal(JSON.parse(await voice.next()).command, "voice/unavailable");
    check.equal(voice.socket.readyState, WebSocket.OPEN);
    check.equal(log, []);
  }));

test("RT15 an internal error of a service closes the peer that triggered it, and the service continues", () =>
  withRelay(testSettings(), async ({ connect, log }) => {
    const [unlucky, other] = [await connect("neuro"), await connect("neuro")];
    const elsewhere = await connect("brain");
    unlucky.send("panic");
    check.equal((await unlucky.closed).code, 1011);
    check.equal(await other.ask("echo alive"), "alive");
    check.equal(await elsewhere.ask("echo alive"), "alive");
    check.that(log.some((line) => line.includes("internal error in neuro")));
  }));

test("SE1 a page of a foreign origin is refused over a real socket, and the log names the setting that allows it", () =>
  withRelay(testSettings(), async ({ urls, log }) => {
    const foreign = { headers: { origin: "https://evil.example" } };
    for (const url of [urls.intermediary, urls.neuro, urls.brain]) {
      await check.rejects(Client.connect(url, foreign), /403/);
    }
    check.equal(log.filter((line) => line.includes("security.allowed_origins")).length, 3);
  }));

test("SE3 a request with a rebound host name is refused", () =>
  withRelay(testSettings(), async ({ urls }) => {
    const response = await fetch(`${urls.web}/health`, { headers: { host: "evil.example" } });
    check.equal(response.status, 421);
  }));

test("SE5 no token is in the log, whether right or wrong", () => {
  const settings = testSettings((change) => {
    change["nakurity-backend"].token = "right-s3cret";
    change.log.level = "debug";
  });
  return withRelay(settings, async ({ connect, urls, log }) => {
    await check.rejects(Client.connect(`${urls.neuro}/t/wrong-s3cret/game/X`), /401/);
    await check.rejects(Client.connect(`${urls.neuro}/?token=wrong-s3cret`), /401/);
    const game = await connect("neuro", { path: "/t/right-s3cret/game/X" });
    check.equal(await game.ask("who"), "neuro-1 /game/X ");
    await fetch(`${urls.web}/metrics?token=wrong-s3cret`, { headers: { authorization: "Bearer wrong-s3cret" } });
    check.equal(log.filter((line) => line.includes("s3cret")), []);
    check.that(log.some((line) => line.includes("wrong token")));
  });
});

test("RT16 settings that may change at run time take effect", () =>
  withRelay(testSettings(), async ({ urls, connect, configure }) => {
    await connect("neuro");
    configure(testSettings((change) => (change["nakurity-backend"].token = "new")));
    await check.rejects(Client.connect(urls.neuro), /401/);
    await connect("neuro", { path: "/?token=new" });
  }));

test("OB8 a scrape shows connections and frames", () =>
  withRelay(testSettings(), async ({ urls, connect }) => {
    const game = await connect("neuro");
    await game.ask("echo x");
    const scrape = await (await fetch(`${urls.web}/metrics?token=web-token-of-the-tests`)).text();
    check.match(scrape, /^neuro_relay_connections\{listener="neuro"\} 1$/m);
    check.match(scrape, /^neuro_relay_frames_total\{listener="neuro",direction="in"\} 1$/m);
    check.match(scrape, /^neuro_relay_frames_total\{listener="neuro",direction="out"\} 1$/m);
    check.match(scrape, /^neuro_relay_event_loop_lag_seconds [0-9.e-]+$/m);
  }));

/** A game over plain TCP, which can stop reading. */
async function pausedClient(url: string, ...first: string[]) {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1" });
  let read = 0;
  const greeted = new Promise<void>((resolve) =>
    socket.on("data", (bytes: Uint8Array) => {
      read += bytes.length;
      resolve();
    })
  );
  socket.on("error", () => {});
  socket.write(
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await greeted;
  socket.pause();
  const send = (text: string) => {
    const bytes = Buffer.from(text);
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])); // a mask of zeros
  };
  for (const text of first) send(text);
  return { send, resume: () => socket.resume(), read: () => read, destroy: () => socket.destroy() };
}

/** Sends some bytes and disconnects. */
function tear(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.write(bytes);
      setImmediate(() => socket.destroy());
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

test("NB272 over sockets a cut connection ends without a close frame, and the game that reconnects is served", async () => {
  const settings = testSettings((change) => {
    change["nakurity-backend"].faults.enabled = true;
    change["nakurity-backend"].faults.percent.disconnect = 100;
  });
  const relay = await serve(settings, { print: () => {}, log: () => {} });
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      const game = await JsonClient.open(relay.urls.neuro ?? "");
      game.send({ command: "startup", game: "Chess" });
      check.equal(await game.closed, 1006);
    }
  } finally {
    await relay.drain();
  }
});
