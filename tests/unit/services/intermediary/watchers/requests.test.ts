import { test } from "#runner";
import type { PeerId } from "../../../../../src/core/ids.ts";
import { isObject } from "../../../../../src/core/json.ts";
import { key } from "../../../../../src/core/key.ts";
import { DIRECTORY_NAME_MS, DIRECTORY_NAMES_MAX } from "../../../../../src/core/limits.ts";
import { failed } from "../../../../../src/core/result.ts";
import { check } from "../../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture, SETTINGS, withoutHints } from "../fixture.ts";

test("IM20 a command for a connected integration reaches it and is answered sent", () => {
  const fixture = new IntermediaryFixture();
  const [spotify, watcher] = [fixture.integration("spotify"), fixture.watcher("os")];
  fixture.frame(watcher, { target: "spotify", cmd: { action: "ping" } });
  check.equal(fixture.repliesTo(watcher), [{ status: "sent" }]);
  check.equal(fixture.received(spotify), [{ from_watcher: "os", cmd: { action: "ping" } }]);
});

test("IM21 a command for an absent integration is answered queued and delivered in order when it connects", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher("os");
  fixture.close(fixture.integration("spotify"));
  fixture.repliesTo(watcher);
  for (const n of [1, 2]) fixture.frame(watcher, { target: "spotify", cmd: n });
  check.equal(fixture.repliesTo(watcher), [{ status: "queued" }, { status: "queued" }]);
  const back = fixture.integration("spotify", {}, "back");
  fixture.frame(watcher, { target: "spotify", cmd: 3 });
  check.equal(fixture.received(back).map((frame) => isObject(frame) && frame.cmd), [1, 2, 3]);
});

test("IM21b queued is answered only after the write, and queue unavailable after a failed write", () => {
  const fixture = new IntermediaryFixture({ isStoring: false });
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("a"));
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { target: "a", cmd: 1, request_id: "r" });
  fixture.frame(watcher, { target: "nobody", cmd: 1 });
  check.equal(fixture.repliesTo(watcher), [], "later replies wait behind it");
  fixture.isFailing = true;
  fixture.store();
  check.equal(withoutHints(fixture.repliesTo(watcher)), [
    { error: "queue unavailable", code: "storageFailed", request_id: "r" },
    { error: "invalid target/cmd", code: "notFound" },
  ]);
  fixture.isFailing = false;
  fixture.frame(watcher, { target: "a", cmd: 2 });
  fixture.integration("b");
  check.equal(
    fixture.received(watcher).map((frame) => isObject(frame) && frame.event).at(-1),
    "integration_connected",
    "events overtake",
  );
  fixture.store();
  check.equal(fixture.repliesTo(watcher), [{ status: "queued" }]);
});

test("IM22 an unknown target, or a missing target or cmd, is answered invalid target/cmd", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.integration("a");
  fixture.repliesTo(watcher);
  const requests = [
    { target: "nobody", cmd: 1 },
    { target: "a" },
    { target: "a", cmd: null },
    { cmd: 1 },
    { target: 7, cmd: 1 },
    { target: "__proto__", cmd: 1 },
    { target: "x".repeat(10_000), cmd: 1 },
    [],
    7,
    {},
  ];
  for (const request of requests) fixture.frame(watcher, JSON.stringify(request));
  check.equal(
    withoutHints(fixture.repliesTo(watcher)),
    requests.map(() => ({ error: "invalid target/cmd", code: "notFound" })),
  );
});

test("IM22b a watcher's frame that is not JSON is refused, text or bytes", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.repliesTo(watcher);
  for (const frame of ["hello", "", "{", new Uint8Array([255, 254]), "[".repeat(100_000)]) fixture.frame(watcher, frame);
  check.equal(
    withoutHints(fixture.repliesTo(watcher)),
    Array(5).fill({ error: "watcher messages must be JSON", code: "badMessage" }),
  );
  fixture.frame(watcher, new TextEncoder().encode('{"query":"peers"}'));
  check.equal(fixture.repliesTo(watcher).length, 1);
});

test("IM23 every reply contains the request_id of its request", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.integration("a");
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { target: "a", cmd: 1, request_id: "r1" });
  fixture.frame(watcher, { target: "b", cmd: 1, request_id: 2 });
  check.equal(withoutHints(fixture.repliesTo(watcher)), [
    { status: "sent", request_id: "r1" },
    { error: "invalid target/cmd", request_id: 2, code: "notFound" },
  ]);
});

test("IM23b a request whose request_id cannot be repeated is refused, and does nothing", () => {
  const fixture = new IntermediaryFixture();
  const [watcher, integration] = [fixture.watcher(), fixture.integration("a")];
  fixture.repliesTo(watcher);
  const wanted = "must be a number or a text of at most 256 characters";
  const wrong = [[{ not: "a scalar" }, "an object"], [[1], "a list"], [true, "true"], [
    "r".repeat(257),
    "a text of 257 characters",
  ]];
  for (const [request_id, found] of wrong) {
    const hint = `\`request_id\` ${wanted}, not ${found}`;
    for (const request of [{ target: "a", cmd: 1 }, { query: "peers" }, { subscribe: {} }, { choice: { selected: "x" } }]) {
      fixture.frame(watcher, { ...request, request_id });
      check.equal(fixture.repliesTo(watcher), [{ error: "invalid request_id", hint, code: "badMessage" }]);
    }
    fixture.received(integration);
    fixture.frame(integration, { query: "get_registered_actions", request_id });
    check.equal(fixture.received(integration), [{ error: hint, code: "badMessage" }]);
  }
  fixture.frame(watcher, { target: "a", cmd: 1, request_id: null });
  check.equal(fixture.repliesTo(watcher), [{ status: "sent" }]);
  check.equal(fixture.received(integration).length, 1);
});

test("IM24 the target * means every connected integration", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher("os");
  const [one, two] = [fixture.integration("a"), fixture.integration("b", { ack: true })];
  fixture.close(fixture.integration("c"));
  fixture.received(two);
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { target: "*", cmd: "hi" });
  check.equal(fixture.repliesTo(watcher), [{ status: "sent", count: 2 }]);
  check.equal(fixture.received(one), [{ from_watcher: "os", cmd: "hi" }]);
  check.equal(fixture.received(two).map((frame) => isObject(frame) && frame.cmd), ["hi"]);
});

test("IM25 direct_to_neuro needs the scope direct", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { direct_to_neuro: true, payload: { op: "x" } });
  check.equal(fixture.repliesTo(watcher), [{ error: "not allowed", needs: "direct", code: "notAllowed" }]);
  check.equal(fixture.posted, []);
});

test("IM26 direct_to_neuro is forwarded to Neuro, or to the relay acting as Neuro if no upstream is configured", () => {
  const fixture = new IntermediaryFixture();
  const boss = fixture.watcher("boss", ENHANCED);
  const say = () => {
    fixture.repliesTo(boss);
    fixture.frame(boss, { direct_to_neuro: true, payload: { op: "status" } });
    return fixture.repliesTo(boss);
  };
  check.equal(say(), [{ status: "forwarded_to_neuro" }]);
  fixture.receive({ is: "upstreamChanged", configured: true, open: true });
  check.equal(say(), [{ status: "forwarded_to_neuro" }]);
  check.equal(fixture.posted, Array(2).fill({ is: "directMessage", from: "boss", payload: { op: "status" } }));
  fixture.frame(boss, { direct_to_neuro: true });
  check.equal(withoutHints(fixture.repliesTo(boss)), [{ error: "invalid payload", code: "badMessage" }]);
});

test("IM52 a credential in direct_to_neuro does not reach Neuro", () => {
  const fixture = new IntermediaryFixture();
  const boss = fixture.watcher("boss", ENHANCED);
  fixture.frame(boss, { direct_to_neuro: true, payload: { op: "status", auth_token: ENHANCED }, auth_token: ENHANCED });
  check.equal(fixture.posted, [{ is: "directMessage", from: "boss", payload: { op: "status" } }]);
});

test("IM26a while Neuro is away direct_to_neuro is answered once the Neuro service reports the outcome", () => {
  const fixture = new IntermediaryFixture();
  const boss = fixture.watcher("boss", ENHANCED);
  fixture.receive({ is: "upstreamChanged", configured: true, open: false });
  const say = (): string => {
    fixture.repliesTo(boss);
    fixture.frame(boss, { direct_to_neuro: true, payload: { op: "status" }, request_id: 7 });
    check.equal(fixture.repliesTo(boss), []);
    const told = fixture.posted.at(-1);
    return told?.is === "directMessage" ? told.id ?? "" : "";
  };
  const taken = { is: "directSettled" as const, key: undefined, refusal: undefined };
  fixture.receive({ ...taken, id: say() });
  check.equal(fixture.repliesTo(boss), [{ status: "forwarded_to_neuro", request_id: 7 }]);
  fixture.receive({ ...taken, id: say(), refusal: failed("queueFull", "queue full") });
  check.equal(fixture.repliesTo(boss), [{ error: "queue full", code: "queueFull", request_id: 7 }]);
  fixture.receive({ ...taken, id: say(), key: key("neuro", "context", "x") });
  check.equal(fixture.repliesTo(boss), [{ status: "queued", request_id: 7 }]);
  say();
  fixture.receive({ is: "observed", observation: { is: "panicked", service: "neuro", reason: "x", stack: "" } });
  check.equal(fixture.repliesTo(boss), [{ error: "queue unavailable", code: "storageFailed", request_id: 7 }]);
});

test("IM26b direct_to_neuro is refused without an upstream and without the relay acting as Neuro", () => {
  const fixture = new IntermediaryFixture({
    settings: { ...SETTINGS, "nakurity-backend": { ...SETTINGS["nakurity-backend"], enabled: false } },
  });
  const boss = fixture.watcher("boss", ENHANCED);
  fixture.repliesTo(boss);
  fixture.frame(boss, { direct_to_neuro: true, payload: {} });
  check.equal(fixture.repliesTo(boss), [{ error: "neuro backend not available", code: "notFound" }]);
});

test("IM27 a watcher without the scope command can query but not command", () => {
  const tokens = [{ name: "page", token: "page", scopes: ["watch"] as const, names: [] }];
  const fixture = new IntermediaryFixture({
    settings: { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, tokens } },
  });
  fixture.integration("a");
  const page = fixture.watcher("page", "page");
  fixture.repliesTo(page);
  fixture.frame(page, { target: "a", cmd: 1 });
  fixture.frame(page, { choice: { selected: "x" } });
  const refusal = { error: "not allowed", needs: "command", code: "notAllowed" };
  check.equal(fixture.repliesTo(page), [refusal, refusal]);
  fixture.frame(page, { query: "get_registered_actions" });
  check.equal(fixture.repliesTo(page), [{ actions: {} }]);
});

test("IM28 peers lists connected integrations, watchers and games, and absent integrations with their queue length", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.integration("a");
  fixture.close(fixture.integration("gone"));
  fixture.frame(watcher, { target: "gone", cmd: 1 });
  fixture.receive({ is: "observed", observation: { is: "integration_connected_via_backend", name: "Chess" } });
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { query: "peers" });
  const [reply] = fixture.repliesTo(watcher);
  check.that(isObject(reply) && Array.isArray(reply.peers));
  check.equal(reply.peers.map((peer) => isObject(peer) && [peer.name, peer.type, peer.connected, peer.queued]), [
    ["a", "integration", true, 0],
    ["watcher", "neuro-os", true, undefined],
    ["Chess", "game", true, undefined],
    ["gone", "integration", false, 1],
  ]);
});

test("IM29 IM29c a name stays in the directory for seven days and over a restart, and the least recently seen are dropped first", () => {
  const fixture = new IntermediaryFixture();
  fixture.close(fixture.integration("a"));
  fixture.advance(2_000);
  const next = fixture.restart();
  const watcher = next.watcher();
  const status = () => {
    next.repliesTo(watcher);
    next.frame(watcher, { target: "a", cmd: 1 });
    return next.repliesTo(watcher).map((reply) => isObject(reply) && (reply.status ?? reply.error));
  };
  check.equal(status(), ["queued"]);
  next.advance(DIRECTORY_NAME_MS);
  check.equal(status(), ["invalid target/cmd"], "the queued command has expired");
  for (let n = 0; n < DIRECTORY_NAMES_MAX; n++) next.close(next.integration(`n${n}`));
  next.advance(2_000);
  const records = [...next.stored.keys()].filter((key) => key.startsWith("intermediary/directory/"));
  check.equal(records.length, DIRECTORY_NAMES_MAX);
});

test("IM29b a name that greeted just before the relay stopped is in the directory after the restart", () => {
  const fixture = new IntermediaryFixture();
  fixture.close(fixture.integration("a"));
  fixture.step({ is: "draining", until: fixture.harness.now + 5_000 });
  fixture.advance(0);
  const next = fixture.restart();
  const watcher = next.watcher();
  next.frame(watcher, { target: "a", cmd: 1 });
  check.equal(next.repliesTo(watcher).at(-1), { status: "queued" });
});

test("IM30 a command for a full queue is answered queue full", () => {
  const fixture = new IntermediaryFixture({ settings: { ...SETTINGS, queue: { ...SETTINGS.queue, per_recipient: 1 } } });
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("a"));
  fixture.repliesTo(watcher);
  for (const n of [1, 2]) fixture.frame(watcher, { target: "a", cmd: n });
  check.equal(fixture.repliesTo(watcher), [{ status: "queued" }, { error: "queue full", code: "queueFull" }]);
});

test("IM31 a client with acks gets unacked messages again, marked redelivered, and can send nak and term", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const peer = fixture.integration("a", { ack: true });
  fixture.received(peer);
  for (const n of [1, 2, 3]) fixture.frame(watcher, { target: "a", cmd: n });
  const ids = fixture.received(peer).map((frame) => (isObject(frame) ? frame.id : undefined));
  fixture.frame(peer, { ack: ids[0] });
  fixture.frame(peer, { term: ids[1] });
  fixture.frame(peer, { nak: ids[2], delay_ms: 100 });
  fixture.advance(100);
  check.equal(fixture.received(peer), [{ id: ids[2] ?? null, redelivered: true, from_watcher: "watcher", cmd: 3 }]);
  check.equal(fixture.request({ of: "intermediary", get: "deadLetters" }), {
    items: [{
      id: ids[1] ?? null,
      to: "a",
      kind: "command",
      bytes: JSON.stringify({ from_watcher: "watcher", cmd: 2 }).length,
      reason: "terminated",
      dead_at: 1_000_000,
    }],
    next: null,
  });
});

test("IM31b each frame with an id expects one ack that does not count against the rate, once for each connection", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const first = fixture.integration("a", { ack: true });
  fixture.frame(watcher, { target: "a", cmd: 1 });
  fixture.frame(first, { query: "get_registered_actions" });
  fixture.receive({ is: "contextShared", from: "b", peer: undefined, message: "hi", silent: true });
  const expected = (peer: PeerId) =>
    fixture.effects.flatMap((effect) =>
      (effect.do === "send" || effect.do === "reply") && effect.to === peer && String(effect.frame).includes('"id"')
        ? [effect.expectsReply]
        : []
    );
  check.equal(expected(first), [true, true, true]);
  fixture.advance(SETTINGS.queue.ack_timeout);
  check.equal(expected(first), [true, true, true, false], "asked again on the same connection");
  fixture.close(first);
  const second = fixture.integration("a", { ack: true }, "second");
  check.equal(expected(second), [true], "a new connection has not been asked before");
});

test("IM32 a peer that sends faster than its limit gets the time after which it can send again", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.repliesTo(watcher);
  fixture.step({ is: "throttled", peer: watcher, retryMs: 120 });
  check.equal(fixture.repliesTo(watcher), [{ error: "rate limit", retry_after_ms: 120, code: "rateLimit" }]);
});

test("IM33 draining waits for pending writes, then closes all peers and stores messages in flight", () => {
  const fixture = new IntermediaryFixture({ isStoring: false });
  const watcher = fixture.watcher();
  const here = fixture.integration("here");
  fixture.close(fixture.integration("away"));
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { target: "away", cmd: 1 });
  fixture.frame(watcher, { target: "here", cmd: 2 });
  fixture.step({ is: "draining", until: fixture.harness.now + 5_000 });
  check.equal([fixture.closed.size, fixture.drained], [0, 0]);
  fixture.frame(watcher, { target: "here", cmd: 3 });
  fixture.store();
  fixture.advance(0);
  check.equal(fixture.repliesTo(watcher), [{ status: "queued" }, { status: "sent" }]);
  check.equal([fixture.closed.get(watcher), fixture.closed.get(here), fixture.drained], ["restarting", "restarting", 1]);
  fixture.store();
  fixture.advance(10_000);
  check.equal(fixture.drained, 1);
  const next = fixture.restart({ isStoring: true });
  const [back, other] = [next.integration("here"), next.integration("away")];
  check.equal(next.received(back), [{ from_watcher: "watcher", cmd: 2 }]);
  check.equal(next.received(other), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM33b a store that hangs does not delay draining beyond its deadline", () => {
  const fixture = new IntermediaryFixture({ isStoring: false });
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("away"));
  fixture.frame(watcher, { target: "away", cmd: 1 });
  fixture.step({ is: "draining", until: fixture.harness.now + 5_000 });
  fixture.advance(5_000);
  check.equal([fixture.closed.get(watcher), fixture.drained], ["restarting", 1]);
  check.equal(fixture.closed.get(fixture.open("late")), "restarting");
});
