/** Guarantees of a relay with default settings, and isolation of its peers. */
import { test } from "#runner";
import { DEFAULTS, PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { sameDigest } from "../../src/core/hash.ts";
import { isLoopback } from "../../src/core/access.ts";
import type { ServiceName } from "../../src/core/service.ts";
import { AccessControl } from "../../src/http/app.ts";
import { tokensOf } from "../../src/services/intermediary/connections/tokens.ts";
import { listenersOf } from "../../src/runtimes/listeners.ts";
import { isKey } from "../../src/storage/entry.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer, settingsOf } from "./fixture.ts";

const SERVICES: readonly ServiceName[] = ["intermediary", "neuro", "brain", "proxy"];
const KIB = 1_024;
const MIB = 1_024 * KIB;
const HOUR = 3_600_000;
/** Names that mean something to a language, a file system, a log or a terminal. */
const NAMES = ["__proto__", "constructor", "toString", "../../etc/passwd", "C:\\aux", "a/b", "CON", "x:y", "~"];

test("SE20 every listener is on loopback by default", () => {
  const all = listenersOf(settingsOf({ path: "intercept-proxy.enabled", text: "true" }), SERVICES);
  check.equal(all.length, 5);
  for (const { name, host } of all) check.that(isLoopback(host), name);
  const open = settingsOf({ path: "brain.host", text: "0.0.0.0" }, ["brain.open=true"]);
  check.equal(listenersOf(open, SERVICES).filter(({ host }) => !isLoopback(host)).map(({ name }) => name), ["brain"]);
});

test("SE21 the defaults of `limits` are the documented ones", () => {
  const { peers_per_address: _, bytes_per_second: __, ...limits } = settingsOf(undefined).limits;
  check.equal(limits, {
    peers: 1_000,
    actions: 2_000,
    actions_per_integration: 500,
    schema_bytes: 64 * KIB,
    unauthenticated: 64,
    greeting: 5_000,
    greeting_bytes: 4 * KIB,
    peer_bytes: 8 * MIB,
    total_bytes: 96 * MIB,
    message_bytes: MIB,
    json_depth: 64,
    messages_per_second: 500,
    burst: 1_000,
    requests_per_second: 1_000,
    rates_per_address: 8,
    backlog_soft_bytes: 4 * MIB,
    backlog_hard_bytes: 8 * MIB,
    event_streams: 64,
    idempotency_keys: 1_000,
    metric_integrations: 100,
    macros: 100,
  });
});

test("SE22 a silent game or Brain client stays connected; a silent Intermediary peer is closed with 4408", async () => {
  const fixture = await LimitFixture.start(DEFAULTS);
  const silent = [await fixture.connect("neuro"), await fixture.connect("brain"), await fixture.connect("intermediary")];
  await fixture.advance(HOUR);
  check.equal(silent.map(({ closed }) => closed?.code), [undefined, undefined, 4408]);
});

test("SE23 a peer above its rate gets the time after which it can retry, and is closed with 1008 if it continues", async () => {
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.burst", text: "10" }));
  for (const peer of [await fixture.watcher(), await fixture.integration("a"), await fixture.connect("brain")]) {
    for (let at = 0; at < 15; at++) peer.sendJson({ query: "peers" });
    await fixture.advance(0);
    const [refused] = peer.all(({ error }) => error === "rate limit");
    check.equal(refused?.message.retry_after_ms, 2);
    check.equal(peer.closed, undefined);
    for (let at = 0; at < 10; at++) peer.sendJson({ query: "peers" });
    await fixture.advance(0);
    check.equal(peer.closed?.code, 1008);
  }
});

test("SE23b messages of a game above its rate are delayed in order; a game that floods is closed with 1008", async () => {
  const fixture = await LimitFixture.start(
    settingsOf({ path: "limits.burst", text: "10" }, ["nakurity-client.url=ws://n.test"]),
  );
  const sent: string[] = [];
  fixture.simulation.network.accept = () => (socket) => (socket.onFrame = (frame) => sent.push(String(frame)));
  await fixture.advance(30_000);
  const game = (await fixture.connect("neuro")).sendJson({ command: "startup", game: "Fast" });
  for (let at = 0; at < 40; at++) {
    game.sendJson({ command: "context", game: "Fast", data: { message: `<${at}>`, silent: false } });
  }
  await fixture.advance(30_000);
  const order = [...sent.join().matchAll(/<(\d+)>/g)].map(([, number]) => Number(number));
  check.equal(order, Array.from({ length: 40 }, (_, at) => at));
  check.equal(game.closed, undefined);
  for (let at = 0; at < 3_000; at++) game.sendJson({ command: "context", game: "Fast", data: { message: "x" } });
  await fixture.advance(0);
  check.equal(game.closed?.code, 1008);
});

test("SE24 a slow peer is closed with 4429, a slow game or Brain client with 1013, and its messages stay queued", async () => {
  const bounds = ["limits.backlog_hard_bytes=128KiB", "limits.messages_per_second=0"];
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.backlog_soft_bytes", text: "64KiB" }, bounds));
  const jukebox = await fixture.integration("jukebox", { bytesPerMs: 50 });
  const watcher = await fixture.watcher();
  for (let at = 0; at < 30; at++) watcher.sendJson({ target: "jukebox", cmd: `${at} ${"x".repeat(8 * KIB)}` });
  await fixture.advance(10);
  const answers = watcher.all(({ status }) => status !== undefined).map(({ message }) => message.status);
  check.equal([...new Set(answers)], ["sent", "queued"]);
  for (let at = 0; at < 40; at++) jukebox.sendJson({ event: "get_registered_actions", query: "x".repeat(8 * KIB) });
  jukebox.leave();
  await fixture.advance(100);
  const back = await fixture.integration("jukebox");
  await fixture.advance(1_000);
  const numbers = back.all(({ cmd }) => cmd !== undefined).map(({ message }) => parseInt(message.cmd));
  check.equal(numbers, Array.from({ length: 30 }, (_, at) => at), "none is lost, and they come in order");

  await closesSlow(fixture, await fixture.watcher({ bytesPerMs: 1 }), { query: "get_registered_actions" }, 4429);
  await closesSlow(fixture, await fixture.connect("brain", { bytesPerMs: 1 }), { cmd: "ListOperators" }, 1013);
});

/** Sends requests without reading until the relay closes the connection. */
async function closesSlow(fixture: LimitFixture, peer: Peer, request: object, code: number): Promise<void> {
  const offers = await fixture.integration("offers");
  const schema = { type: "object", description: "x".repeat(10_000) };
  offers.sendJson({ command: "actions/register", data: { actions: [{ name: "a", description: "x", schema }] } });
  await fixture.advance(1);
  for (let at = 0; at < 2_000; at++) peer.send(JSON.stringify(request));
  await fixture.until(() => peer.closed !== undefined, HOUR);
  check.equal(peer.closed?.code, code);
}

test("SE25 tokens are kept as digests, and digests are compared to their end", () => {
  const more = ["brain.token=the-brain-s", "web.token=the-web-one"];
  const settings = settingsOf({ path: "intermediary.auth_token", text: "a-token-of-my-own" }, more);
  const kept = new AccessControl(settings);
  check.that(kept.grantOf("a-token-of-my-own", "10.0.0.1").scopes.includes("integration"));
  const inspected = `${Bun.inspect(kept, { depth: 10 })} ${JSON.stringify(tokensOf(settings))}`;
  for (const token of ["a-token-of-my-own", "the-brain-s", "the-web-one"]) check.that(!inspected.includes(token), token);
  const digest = "0123456789abcdef";
  check.that(sameDigest(digest, digest));
  for (let at = 0; at < digest.length; at++) {
    const other = `${digest.slice(0, at)}x${digest.slice(at + 1)}`;
    check.that(!sameDigest(digest, other) && !sameDigest(other, digest), other);
  }
  for (const other of ["", digest.slice(1), `${digest}0`]) check.that(!sameDigest(digest, other), other);
});

test("SE26 no name reaches a prototype, a path or another queue", async () => {
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.messages_per_second", text: "0" }));
  for (const name of NAMES) await fixture.absent(name);
  const watcher = await fixture.watcher();
  for (const name of NAMES) watcher.sendJson({ target: name, cmd: { to: name, __proto__: { polluted: true } } });
  watcher.send(
    '{"target":"__proto__","cmd":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
  );
  await fixture.advance(10);
  check.equal(watcher.all(({ status }) => status === "queued").length, NAMES.length + 1);
  check.that(!("polluted" in {}), "Object.prototype is as it was");
  for (const key of fixture.simulation.disk.stored.keys()) check.that(isKey(key), key);
  for (const name of NAMES) {
    const back = await fixture.integration(name);
    await fixture.advance(10);
    check.equal(back.all(({ cmd }) => cmd?.to !== undefined).map(({ message }) => message.cmd.to), [name]);
  }
});

test("SE26b the name * is refused", async () => {
  const fixture = await LimitFixture.start(DEFAULTS);
  const [star, other] = [await fixture.integration("*"), await fixture.integration("other")];
  (await fixture.watcher()).sendJson({ target: "*", cmd: 1 });
  await fixture.advance(1);
  check.equal([star.closed?.code, other.all(({ cmd }) => cmd === 1).length], [4400, 1]);
});

test("SE27 an integration can acknowledge thousands of messages at once", async () => {
  const others = ["queue.per_recipient=100000"];
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.messages_per_second", text: "100" }, others));
  await fixture.absent("jukebox");
  const watcher = await fixture.watcher();
  for (let cmd = 0; cmd < 5_000; cmd++) {
    watcher.sendJson({ target: "jukebox", cmd });
    await fixture.advance(11);
  }
  const jukebox = await fixture.connect("intermediary");
  jukebox.onMessage = ({ id }) => id !== undefined && jukebox.sendJson({ ack: id });
  jukebox.sendJson({ type: "integration", name: "jukebox", auth_token: PUBLISHED_TOKEN, ack: true });
  await fixture.advance(1_000);
  check.equal(jukebox.all(({ error }) => error !== undefined), []);
  check.equal(jukebox.all(({ cmd }) => cmd !== undefined).length, 5_000);
  check.equal(jukebox.all(({ redelivered }) => redelivered === true), []);
  check.equal((await fixture.request({ of: "intermediary", get: "status" })).queue.entries, 0);
});

test("SE27 unrequested and repeated acknowledgements count against the rate", async () => {
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.burst", text: "10" }));
  const jukebox = await fixture.integration("jukebox", { acks: true });
  const watcher = await fixture.watcher();
  for (let cmd = 0; cmd < 3; cmd++) watcher.sendJson({ target: "jukebox", cmd });
  await fixture.advance(0);
  for (let at = 0; at < 20; at++) jukebox.sendJson({ event: "get_registered_actions" });
  await fixture.advance(0);
  const passed = jukebox.all(({ error }) => error === "rate limit").length;
  check.equal(passed, 20 - (10 - 1) - 3, "nine that were left of the burst, and three answers");
  await fixture.advance(60_000);
  const commands = jukebox.all(({ cmd }) => cmd !== undefined);
  check.that(commands.length > 3, "it came again");
  for (let at = 0; at < 20; at++) jukebox.sendJson({ nak: commands[0]?.message.id, delay_ms: 0 });
  await fixture.advance(0);
  check.equal(jukebox.all(({ error }) => error === "rate limit").length - passed, 20 - 10);
});
