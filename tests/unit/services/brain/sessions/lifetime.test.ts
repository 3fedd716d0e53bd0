/** Eviction, TTL, and the end of sessions. */
import type { Key } from "../../../../../src/core/ids.ts";
import type { JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { type BrainOptions, BrainStage } from "../fixture.ts";

const st = (session: string, changes: JsonObject): JsonObject => ({
  cmd: "ApplyOperator",
  session_id: session,
  operator: "ST",
  params: { changes },
});

const started = (options: BrainOptions = {}) => {
  const stage = new BrainStage(options);
  const peer = stage.peer("ui");
  return { stage, peer, session: stage.create(peer) };
};

test("BR44 a closed session is unknown, also after a crash, and its log is deleted", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 10; count++) stage.merge(peer, session, { count });
  check.equal(stage.ask(peer, { cmd: "CloseSession", session_id: session }), {
    type: "SessionClosed",
    session_id: session,
  });
  const unknown = { error: `unknown session '${session}'` };
  check.equal(stage.merge(peer, session, { a: 1 }), unknown);
  const again = stage.restart();
  const next = again.peer("next");
  check.equal(again.merge(next, session, { a: 1 }), unknown);
  again.pass(10_000);
  check.equal([...again.disk.keys()].filter((key) => key.includes(session)).map((key) => key.split("/")[1]), ["tombstone"]);
});

test("BR44 closing during a write is answered in order, and nothing of the session remains", () => {
  const { stage, peer, session } = started();
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  for (let count = 1; count <= 5; count++) stage.send(peer, st(session, { count }));
  stage.send(peer, { cmd: "CloseSession", session_id: session });
  stage.settle();
  check.equal(stage.seen(peer), []);
  stage.store = () => "keep";
  for (const key of held.reverse()) stage.harness.step({ is: "stored", key });
  stage.settle();
  check.equal(stage.seen(peer).map(({ type }) => type), [...Array(5).fill("State.Snapshot"), "SessionClosed"]);
  stage.pass(10_000);
  check.equal(stage.harness.state.sessions.size, 0);
  const { logs, sessionWrites } = stage.harness.state;
  check.equal([logs.writes.size, sessionWrites.size], [0, 0]);
});

test("BR44b a session whose tombstone could not be stored goes on", () => {
  const { stage, peer, session } = started();
  stage.store = (key) => (key.startsWith("brain/tombstone/") ? "fail" : "keep");
  check.equal(stage.ask(peer, { cmd: "CloseSession", session_id: session })["code"], "StorageFailed");
  check.equal(stage.merge(peer, session, { a: 1 })["state"], { a: 1 });
});

test("BR44c CloseSession waits for its tombstone although an earlier write fails", () => {
  for (const isStored of [true, false]) {
    const { stage, peer, session } = started();
    stage.merge(peer, session, { kept: 1 });
    const held: Key[] = [];
    stage.store = (key) => (held.push(key), "hang");
    stage.send(peer, st(session, { lost: 1 }));
    stage.send(peer, { cmd: "CloseSession", session_id: session });
    stage.settle();
    const [segment, tombstone] = held;
    check.that(segment !== undefined && tombstone !== undefined && tombstone.startsWith("brain/tombstone/"));
    stage.harness.step({ is: "storeFailed", key: segment, reason: "full" });
    stage.settle();
    check.equal(stage.seen(peer).map(({ error }) => error), ["storage failure: the operation was not stored"]);
    stage.store = () => "keep";
    stage.harness.step(isStored ? { is: "stored", key: tombstone } : { is: "storeFailed", key: tombstone, reason: "full" });
    stage.settle();
    const [reply] = stage.seen(peer);
    const { state } = stage.ask(peer, { cmd: "GetState", session_id: session });
    check.equal([reply?.["type"], reply?.["code"]], isStored ? ["SessionClosed", undefined] : [undefined, "StorageFailed"]);
    check.equal(state, isStored ? undefined : { kept: 1 });
  }
});

test("BR44c a new session whose first event and tombstone fail is not created", () => {
  const stage = new BrainStage();
  const peer = stage.peer("ui");
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  stage.send(peer, { cmd: "CreateSession" });
  stage.settle();
  const [session = ""] = stage.harness.state.sessions.keys();
  stage.send(peer, { cmd: "CloseSession", session_id: session });
  stage.settle();
  for (const key of held) stage.harness.step({ is: "storeFailed", key, reason: "full" });
  stage.settle();
  check.equal(stage.seen(peer).map(({ code }) => code), ["StorageFailed", "StorageFailed"]);
  check.equal(stage.harness.state.sessions.size, 0);
});

test("BR45 a session that was unused for its TTL expires", () => {
  const stage = new BrainStage({ ttl: 100_000 });
  const peer = stage.peer("ui");
  const [short, long] = [stage.create(peer, { ttl_ms: 10_000 }), stage.create(peer)];
  stage.pass(9_000);
  stage.merge(peer, short, { a: 1 });
  stage.pass(9_000);
  check.equal(stage.merge(peer, short, { a: 2 })["state"], { a: 2 });
  stage.pass(11_000);
  const over = stage.merge(peer, short, { a: 3 });
  check.equal(over, { error: `unknown session '${short}'`, code: "SessionExpired" });
  check.equal(stage.ask(peer, { cmd: "GetState", session_id: long })["type"], "State.Snapshot");
  const again = stage.restart();
  check.equal(again.merge(again.peer("x"), short, {})["code"], "SessionExpired");
  again.pass(126_000);
  check.equal(again.merge(again.peer("y"), long, {})["code"], "SessionExpired", "the TTL continues across a restart");
});

test("BR49 reading keeps a session alive, also across restarts, with few writes", () => {
  const stage = new BrainStage({ ttl: 100_000 });
  const peer = stage.peer("ui");
  const session = stage.create(peer, { ttl_ms: 80_000 });
  const puts = stage.puts;
  let last = stage;
  let reader = peer;
  for (let second = 1; second <= 600; second++) {
    last.pass(1_000);
    check.equal(last.ask(reader, { cmd: "GetState", session_id: session })["type"], "State.Snapshot", `second ${second}`);
    if (second % 95 === 0) {
      last = last.restart();
      reader = last.peer("again");
      last.pass(79_000);
    }
  }
  check.that(last.puts <= 600 / 20 && stage.puts - puts <= 95 / 20, `${last.puts} puts of the last relay`);
  last.pass(10_000);
  check.that([...last.disk.keys()].filter((key) => key.includes(session)).length <= 2);
  const again = last.restart();
  const next = again.peer("next");
  again.pass(101_000);
  check.equal(again.merge(next, session, {})["code"], "SessionExpired", "at most a quarter of its TTL later");
  again.pass(10_000);
  check.equal([...again.disk.keys()].filter((key) => key.includes(session)).map((key) => key.split("/")[1]), ["tombstone"]);
});

test("BR45 an evicted session keeps its TTL, also across a restart", () => {
  const stage = new BrainStage({ ttl: 86_400_000 });
  const peer = stage.peer("ui");
  const [first, second] = [stage.create(peer, { ttl_ms: 3_600_000 }), stage.create(peer, { ttl_ms: 3_600_000 })];
  stage.pass(3_500_000);
  check.equal(stage.harness.state.sessions.get(first)?.log.contents.is, "stored", "it is evicted");
  check.equal(stage.merge(peer, first, { a: 1 })["type"], "State.Snapshot");
  stage.pass(700_000);
  check.equal(stage.harness.state.sessions.get(first)?.log.contents.is, "stored", "it is evicted again");
  check.equal(stage.merge(peer, second, {})["code"], "SessionExpired");
  const again = stage.restart();
  again.pass(3_600_000 * 1.25);
  check.equal(again.merge(again.peer("x"), first, {})["code"], "SessionExpired");
});

test("BR49 a last use that could not be stored is stored later, and a crash leaves no garbage", () => {
  const { stage, peer, session } = started({ ttl: 100_000 });
  const read = () => stage.ask(peer, { cmd: "GetState", session_id: session })["type"];
  stage.store = (key) => (key.startsWith("brain/last_use/") ? "fail" : "keep");
  stage.pass(30_000);
  check.equal(read(), "State.Snapshot");
  stage.store = () => "keep";
  stage.pass(30_000);
  check.equal(read(), "State.Snapshot");
  const both = new Map(stage.disk);
  const [seen] = [...both].filter(([key]) => key.startsWith("brain/last_use/"));
  check.that(seen !== undefined);
  both.set(seen[0].replace(/last_use\/([^/]+)\/\d+/, (_, id) => `last_use/${id}/${"0".repeat(15)}1`) as Key, {
    v: 1,
    at: 1,
  });
  both.set(seen[0].replace(session, "00000000-0000-4000-8000-000000000000") as Key, { v: 1, at: 1 });
  const again = new BrainStage({ disk: both, epoch: 2, now: stage.harness.now, ttl: 100_000 });
  again.pass(99_000);
  check.equal([...both.keys()].filter((key) => key.startsWith("brain/last_use/")), [seen[0]]);
  check.equal(again.ask(again.peer("x"), { cmd: "GetState", session_id: session })["type"], "State.Snapshot");
});

test("BR46f an evicted session is only in the store, and is complete when it is activated", () => {
  const { stage, peer, session } = started();
  stage.merge(peer, session, { a: 1 });
  stage.pass(700_000);
  check.equal(stage.harness.state.sessions.get(session)?.log.contents.is, "stored");
  check.equal(stage.merge(peer, session, { b: 2 })["state"], { a: 1, b: 2 });
});
