import { test } from "#runner";
import { isObject } from "../../../../src/core/json.ts";
import { key } from "../../../../src/core/key.ts";
import { DIRECTORY_NAME_MS, DIRECTORY_NAMES_MAX } from "../../../../src/core/limits.ts";
import { check } from "../../../harness/check.ts";
import { Desk, ENHANCED, SETTINGS } from "./fixture.ts";

test("IM20 a command for an integration that is here reaches it, and is answered sent", () => {
  const desk = new Desk();
  const [spotify, watcher] = [desk.integration("spotify"), desk.watcher("os")];
  desk.frame(watcher, { target: "spotify", cmd: { action: "ping" } });
  check.equal(desk.replies(watcher), [{ status: "sent" }]);
  check.equal(desk.seen(spotify), [{ from_watcher: "os", cmd: { action: "ping" } }]);
});

test("IM21 a command for one that is known but away is answered queued, and comes when it is back, in order", () => {
  const desk = new Desk();
  const watcher = desk.watcher("os");
  desk.close(desk.integration("spotify"));
  desk.replies(watcher);
  for (const n of [1, 2]) desk.frame(watcher, { target: "spotify", cmd: n });
  check.equal(desk.replies(watcher), [{ status: "queued" }, { status: "queued" }]);
  const back = desk.integration("spotify", {}, "back");
  desk.frame(watcher, { target: "spotify", cmd: 3 });
  check.equal(desk.seen(back).map((frame) => isObject(frame) && frame.cmd), [1, 2, 3]);
});

test("IM21 queued is answered only after the write, and queue unavailable when there was none", () => {
  const desk = new Desk({ isStoring: false });
  const watcher = desk.watcher();
  desk.close(desk.integration("a"));
  desk.replies(watcher);
  desk.frame(watcher, { target: "a", cmd: 1, request_id: "r" });
  desk.frame(watcher, { target: "nobody", cmd: 1 });
  check.equal(desk.replies(watcher), [], "later replies keep their place behind it");
  desk.isFailing = true;
  desk.store();
  check.equal(desk.replies(watcher), [
    { error: "queue unavailable", code: "storageFailed", request_id: "r" },
    { error: "invalid target/cmd", code: "notFound" },
  ]);
  desk.isFailing = false;
  desk.frame(watcher, { target: "a", cmd: 2 });
  desk.integration("b");
  check.equal(
    desk.seen(watcher).map((frame) => isObject(frame) && frame.event).at(-1),
    "integration_connected",
    "events overtake",
  );
  desk.store();
  check.equal(desk.replies(watcher), [{ status: "queued" }]);
});

test("IM22 a name that was never here, or a missing cmd or target, is an invalid target/cmd", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.integration("a");
  desk.replies(watcher);
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
  for (const request of requests) desk.frame(watcher, JSON.stringify(request));
  check.equal(desk.replies(watcher), requests.map(() => ({ error: "invalid target/cmd", code: "notFound" })));
});

test("IM22 what is no JSON is said to be none, text or bytes", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.replies(watcher);
  for (const frame of ["hello", "", "{", new Uint8Array([255, 254]), "[".repeat(100_000)]) desk.frame(watcher, frame);
  check.equal(desk.replies(watcher), Array(5).fill({ error: "watcher messages must be JSON", code: "badMessage" }));
  desk.frame(watcher, new TextEncoder().encode('{"query":"peers"}'));
  check.equal(desk.replies(watcher).length, 1);
});

test("IM23 a reply brings back the request_id, be it good or bad", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.integration("a");
  desk.replies(watcher);
  desk.frame(watcher, { target: "a", cmd: 1, request_id: "r1" });
  desk.frame(watcher, { target: "b", cmd: 1, request_id: 2 });
  desk.frame(watcher, { target: "a", cmd: 1, request_id: { not: "a scalar" } });
  check.equal(desk.replies(watcher), [
    { status: "sent", request_id: "r1" },
    { error: "invalid target/cmd", request_id: 2, code: "notFound" },
    { status: "sent" },
  ]);
});

test("IM24 the target * means every integration that is here", () => {
  const desk = new Desk();
  const watcher = desk.watcher("os");
  const [one, two] = [desk.integration("a"), desk.integration("b", { ack: true })];
  desk.close(desk.integration("c"));
  desk.seen(two);
  desk.replies(watcher);
  desk.frame(watcher, { target: "*", cmd: "hi" });
  check.equal(desk.replies(watcher), [{ status: "sent", count: 2 }]);
  check.equal(desk.seen(one), [{ from_watcher: "os", cmd: "hi" }]);
  check.equal(desk.seen(two).map((frame) => isObject(frame) && frame.cmd), ["hi"]);
});

test("IM25 direct_to_neuro needs the scope direct", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.replies(watcher);
  desk.frame(watcher, { direct_to_neuro: true, payload: { op: "x" } });
  check.equal(desk.replies(watcher), [{ error: "not allowed", needs: "direct", code: "notAllowed" }]);
  check.equal(desk.tells, []);
});

test("IM26 direct_to_neuro says whether Neuro is here; without an upstream the relay's own Neuro hears it", () => {
  const desk = new Desk();
  const boss = desk.watcher("boss", ENHANCED);
  const say = () => {
    desk.replies(boss);
    desk.frame(boss, { direct_to_neuro: true, payload: { op: "status" } });
    return desk.replies(boss);
  };
  check.equal(say(), [{ status: "forwarded_to_neuro" }]);
  desk.tell({ is: "upstreamChanged", configured: true, open: true });
  check.equal(say(), [{ status: "forwarded_to_neuro" }]);
  check.equal(desk.tells, Array(2).fill({ is: "directMessage", from: "boss", payload: { op: "status" } }));
  desk.frame(boss, { direct_to_neuro: true });
  check.equal(desk.replies(boss), [{ error: "invalid payload", code: "badMessage" }]);
});

test("IM26a while Neuro is away direct_to_neuro is answered once her room says what became of it", () => {
  const desk = new Desk();
  const boss = desk.watcher("boss", ENHANCED);
  desk.tell({ is: "upstreamChanged", configured: true, open: false });
  const say = (): string => {
    desk.replies(boss);
    desk.frame(boss, { direct_to_neuro: true, payload: { op: "status" }, request_id: 7 });
    check.equal(desk.replies(boss), []);
    const told = desk.tells.at(-1);
    return told?.is === "directMessage" ? told.id ?? "" : "";
  };
  const taken = { is: "directSettled" as const, key: undefined, isFull: false };
  desk.tell({ ...taken, id: say() });
  check.equal(desk.replies(boss), [{ status: "forwarded_to_neuro", request_id: 7 }]);
  desk.tell({ ...taken, id: say(), isFull: true });
  check.equal(desk.replies(boss), [{ error: "queue full", code: "queueFull", request_id: 7 }]);
  desk.tell({ ...taken, id: say(), key: key("neuro", "context", "x") });
  check.equal(desk.replies(boss), [{ status: "queued", request_id: 7 }]);
  say();
  desk.tell({ is: "observed", observation: { is: "panicked", service: "neuro", reason: "x", stack: "" } });
  check.equal(desk.replies(boss), [{ error: "queue unavailable", code: "storageFailed", request_id: 7 }]);
});

test("IM26 where there is neither an upstream nor a Neuro of the relay's own, it says so", () => {
  const desk = new Desk({
    settings: { ...SETTINGS, "nakurity-backend": { ...SETTINGS["nakurity-backend"], enabled: false } },
  });
  const boss = desk.watcher("boss", ENHANCED);
  desk.replies(boss);
  desk.frame(boss, { direct_to_neuro: true, payload: {} });
  check.equal(desk.replies(boss), [{ error: "neuro backend not available", code: "notFound" }]);
});

test("IM27 a watcher that may only watch can ask, and not command", () => {
  const tokens = [{ name: "page", token: "page", scopes: ["watch"] as const, names: [] }];
  const desk = new Desk({ settings: { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, tokens } } });
  desk.integration("a");
  const page = desk.watcher("page", "page");
  desk.replies(page);
  desk.frame(page, { target: "a", cmd: 1 });
  desk.frame(page, { choice: { selected: "x" } });
  const refusal = { error: "not allowed", needs: "command", code: "notAllowed" };
  check.equal(desk.replies(page), [refusal, refusal]);
  desk.frame(page, { query: "get_registered_actions" });
  check.equal(desk.replies(page), [{ actions: {} }]);
});

test("IM28 peers lists who is here, who plays, and who is known and away with what waits for them", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.integration("a");
  desk.close(desk.integration("gone"));
  desk.frame(watcher, { target: "gone", cmd: 1 });
  desk.tell({ is: "observed", observation: { is: "integration_connected_via_backend", name: "Chess" } });
  desk.replies(watcher);
  desk.frame(watcher, { query: "peers" });
  const [reply] = desk.replies(watcher);
  check.that(isObject(reply) && Array.isArray(reply.peers));
  check.equal(reply.peers.map((peer) => isObject(peer) && [peer.name, peer.type, peer.connected, peer.queued]), [
    ["a", "integration", true, 0],
    ["watcher", "neuro-os", true, undefined],
    ["Chess", "game", true, undefined],
    ["gone", "integration", false, 1],
  ]);
});

test("IM29 a name stays known for seven days and over a restart; the least recently seen go first", () => {
  const desk = new Desk();
  desk.close(desk.integration("a"));
  desk.pass(2_000);
  const next = desk.restart();
  const watcher = next.watcher();
  const status = () => {
    next.replies(watcher);
    next.frame(watcher, { target: "a", cmd: 1 });
    return next.replies(watcher).map((reply) => isObject(reply) && (reply.status ?? reply.error));
  };
  check.equal(status(), ["queued"]);
  next.pass(DIRECTORY_NAME_MS);
  check.equal(status(), ["invalid target/cmd"], "and what waited has expired");
  for (let n = 0; n < DIRECTORY_NAMES_MAX; n++) next.close(next.integration(`n${n}`));
  next.pass(2_000);
  const known = [...next.stored.keys()].filter((key) => key.startsWith("intermediary/known/"));
  check.equal(known.length, DIRECTORY_NAMES_MAX);
});

test("IM29 a name that was greeted just before the relay stopped is known to the next one", () => {
  const desk = new Desk();
  desk.close(desk.integration("a"));
  desk.step({ is: "draining", until: desk.harness.now + 5_000 });
  desk.pass(0);
  const next = desk.restart();
  const watcher = next.watcher();
  next.frame(watcher, { target: "a", cmd: 1 });
  check.equal(next.replies(watcher).at(-1), { status: "queued" });
});

test("IM30 a full queue is said to be full", () => {
  const desk = new Desk({ settings: { ...SETTINGS, queue: { ...SETTINGS.queue, per_recipient: 1 } } });
  const watcher = desk.watcher();
  desk.close(desk.integration("a"));
  desk.replies(watcher);
  for (const n of [1, 2]) desk.frame(watcher, { target: "a", cmd: n });
  check.equal(desk.replies(watcher), [{ status: "queued" }, { error: "queue full", code: "queueFull" }]);
});

test("IM31 a client with acks gets again what it did not ack, marked redelivered; nak and term do what they say", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const peer = desk.integration("a", { ack: true });
  desk.seen(peer);
  for (const n of [1, 2, 3]) desk.frame(watcher, { target: "a", cmd: n });
  const ids = desk.seen(peer).map((frame) => (isObject(frame) ? frame.id : undefined));
  desk.frame(peer, { ack: ids[0] });
  desk.frame(peer, { term: ids[1] });
  desk.frame(peer, { nak: ids[2], delay_ms: 100 });
  desk.pass(100);
  check.equal(desk.seen(peer), [{ id: ids[2] ?? null, redelivered: true, from_watcher: "watcher", cmd: 3 }]);
  check.equal(desk.ask({ of: "intermediary", get: "deadLetters" }), {
    items: [{
      id: ids[1] ?? null,
      to: "a",
      kind: "command",
      bytes: JSON.stringify({ from_watcher: "watcher", cmd: 2 }).length,
      why: "terminated",
      died: 1_000_000,
    }],
    next: null,
  });
});

test("IM32 who sends too fast is told when to come back", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.replies(watcher);
  desk.step({ is: "throttled", peer: watcher, retryMs: 120 });
  check.equal(desk.replies(watcher), [{ error: "rate limit", retry_after_ms: 120, code: "rateLimit" }]);
});

test("IM33 draining waits for what somebody was promised, then sends everybody away, and writes what is in flight", () => {
  const desk = new Desk({ isStoring: false });
  const watcher = desk.watcher();
  const here = desk.integration("here");
  desk.close(desk.integration("away"));
  desk.replies(watcher);
  desk.frame(watcher, { target: "away", cmd: 1 });
  desk.frame(watcher, { target: "here", cmd: 2 });
  desk.step({ is: "draining", until: desk.harness.now + 5_000 });
  check.equal([desk.closed.size, desk.drained], [0, 0]);
  desk.frame(watcher, { target: "here", cmd: 3 });
  desk.store();
  desk.pass(0);
  check.equal(desk.replies(watcher), [{ status: "queued" }, { status: "sent" }]);
  check.equal([desk.closed.get(watcher), desk.closed.get(here), desk.drained], ["restarting", "restarting", 1]);
  desk.store();
  desk.pass(10_000);
  check.equal(desk.drained, 1);
  const next = desk.restart({ isStoring: true });
  const [back, other] = [next.integration("here"), next.integration("away")];
  check.equal(next.seen(back), [{ from_watcher: "watcher", cmd: 2 }]);
  check.equal(next.seen(other), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM33 a store that hangs does not keep the relay from leaving", () => {
  const desk = new Desk({ isStoring: false });
  const watcher = desk.watcher();
  desk.close(desk.integration("away"));
  desk.frame(watcher, { target: "away", cmd: 1 });
  desk.step({ is: "draining", until: desk.harness.now + 5_000 });
  desk.pass(5_000);
  check.equal([desk.closed.get(watcher), desk.drained], ["restarting", 1]);
  check.equal(desk.closed.get(desk.open("late")), "restarting");
});
