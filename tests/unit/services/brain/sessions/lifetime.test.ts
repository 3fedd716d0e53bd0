/** Eviction, TTL, and the end of sessions. */
import type { Key } from "../../../../../src/core/ids.ts";
import type { JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture, type BrainOptions } from "../fixture.ts";

const st = (session: string, changes: JsonObject): JsonObject => ({
  cmd: "ApplyOperator",
  session_id: session,
  operator: "ST",
  params: { changes },
});

const started = (options: BrainOptions = {}) => {
  const fixture = new BrainFixture(options);
  const peer = fixture.peer("ui");
  return { harness: fixture, peer, session: fixture.create(peer) };
};

test("BR44 a closed session is unknown, also after a crash, and its log is deleted", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 1; count <= 10; count++) fixture.merge(peer, session, { count });
  check.equal(fixture.ask(peer, { cmd: "CloseSession", session_id: session }), {
    type: "SessionClosed",
    session_id: session,
  });
  const unknown = { error: `unknown session '${session}'` };
  check.equal(fixture.merge(peer, session, { a: 1 }), unknown);
  const again = fixture.restart();
  const next = again.peer("next");
  check.equal(again.merge(next, session, { a: 1 }), unknown);
  again.pass(10_000);
  check.equal([...again.disk.keys()].filter((key) => key.includes(session)).map((key) => key.split("/")[1]), ["tombstone"]);
});

test("BR44 closing during a write is answered in order, and nothing of the session remains", () => {
  const { harness: fixture, peer, session } = started();
  const held: Key[] = [];
  fixture.store = (key) => (held.push(key), "hang");
  for (let count = 1; count <= 5; count++) fixture.send(peer, st(session, { count }));
  fixture.send(peer, { cmd: "CloseSession", session_id: session });
  fixture.settle();
  check.equal(fixture.seen(peer), []);
  fixture.store = () => "keep";
  for (const key of held.reverse()) fixture.harness.step({ is: "stored", key });
  fixture.settle();
  check.equal(fixture.seen(peer).map(({ type }) => type), [...Array(5).fill("State.Snapshot"), "SessionClosed"]);
  fixture.pass(10_000);
  check.equal(fixture.harness.state.sessions.size, 0);
  const { logs, sessionWrites } = fixture.harness.state;
  check.equal([logs.writes.size, sessionWrites.size], [0, 0]);
});

test("BR44b a session whose tombstone could not be stored stays open", () => {
  const { harness: fixture, peer, session } = started();
  fixture.store = (key) => (key.startsWith("brain/tombstone/") ? "fail" : "keep");
  check.equal(fixture.ask(peer, { cmd: "CloseSession", session_id: session })["code"], "StorageFailed");
  check.equal(fixture.merge(peer, session, { a: 1 })["state"], { a: 1 });
});

test("BR44c CloseSession waits for its tombstone although an earlier write fails", () => {
  for (const isStored of [true, false]) {
    const { harness: fixture, peer, session } = started();
    fixture.merge(peer, session, { kept: 1 });
    const held: Key[] = [];
    fixture.store = (key) => (held.push(key), "hang");
    fixture.send(peer, st(session, { lost: 1 }));
    fixture.send(peer, { cmd: "CloseSession", session_id: session });
    fixture.settle();
    const [segment, tombstone] = held;
    check.that(segment !== undefined && tombstone !== undefined && tombstone.startsWith("brain/tombstone/"));
    fixture.harness.step({ is: "storeFailed", key: segment, reason: "full" });
    fixture.settle();
    check.equal(fixture.seen(peer).map(({ error }) => error), ["storage failure: the operation was not stored"]);
    fixture.store = () => "keep";
    fixture.harness.step(
      isStored ? { is: "stored", key: tombstone } : { is: "storeFailed", key: tombstone, reason: "full" },
    );
    fixture.settle();
    const [reply] = fixture.seen(peer);
    const { state } = fixture.ask(peer, { cmd: "GetState", session_id: session });
    check.equal([reply?.["type"], reply?.["code"]], isStored ? ["SessionClosed", undefined] : [undefined, "StorageFailed"]);
    check.equal(state, isStored ? undefined : { kept: 1 });
  }
});

test("BR44c a new session whose first event and tombstone fail is not created", () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  const held: Key[] = [];
  fixture.store = (key) => (held.push(key), "hang");
  fixture.send(peer, { cmd: "CreateSession" });
  fixture.settle();
  const [session = ""] = fixture.harness.state.sessions.keys();
  fixture.send(peer, { cmd: "CloseSession", session_id: session });
  fixture.settle();
  for (const key of held) fixture.harness.step({ is: "storeFailed", key, reason: "full" });
  fixture.settle();
  check.equal(fixture.seen(peer).map(({ code }) => code), ["StorageFailed", "StorageFailed"]);
  check.equal(fixture.harness.state.sessions.size, 0);
});

test("BR45 a session that was unused for its TTL expires", () => {
  const fixture = new BrainFixture({ ttl: 100_000 });
  const peer = fixture.peer("ui");
  const [short, long] = [fixture.create(peer, { ttl_ms: 10_000 }), fixture.create(peer)];
  fixture.pass(9_000);
  fixture.merge(peer, short, { a: 1 });
  fixture.pass(9_000);
  check.equal(fixture.merge(peer, short, { a: 2 })["state"], { a: 2 });
  fixture.pass(11_000);
  const over = fixture.merge(peer, short, { a: 3 });
  check.equal(over, { error: `unknown session '${short}'`, code: "SessionExpired" });
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: long })["type"], "State.Snapshot");
  const again = fixture.restart();
  check.equal(again.merge(again.peer("x"), short, {})["code"], "SessionExpired");
  again.pass(126_000);
  check.equal(again.merge(again.peer("y"), long, {})["code"], "SessionExpired", "the TTL continues across a restart");
});

test("BR49 reading keeps a session alive, also across restarts, with few writes", () => {
  const fixture = new BrainFixture({ ttl: 100_000 });
  const peer = fixture.peer("ui");
  const session = fixture.create(peer, { ttl_ms: 80_000 });
  const puts = fixture.puts;
  let last = fixture;
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
  check.that(last.puts <= 600 / 20 && fixture.puts - puts <= 95 / 20, `${last.puts} puts of the last relay`);
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
  const fixture = new BrainFixture({ ttl: 86_400_000 });
  const peer = fixture.peer("ui");
  const [first, second] = [fixture.create(peer, { ttl_ms: 3_600_000 }), fixture.create(peer, { ttl_ms: 3_600_000 })];
  fixture.pass(3_500_000);
  check.equal(fixture.harness.state.sessions.get(first)?.log.contents.is, "stored", "it is evicted");
  check.equal(fixture.merge(peer, first, { a: 1 })["type"], "State.Snapshot");
  fixture.pass(700_000);
  check.equal(fixture.harness.state.sessions.get(first)?.log.contents.is, "stored", "it is evicted again");
  check.equal(fixture.merge(peer, second, {})["code"], "SessionExpired");
  const again = fixture.restart();
  again.pass(3_600_000 * 1.25);
  check.equal(again.merge(again.peer("x"), first, {})["code"], "SessionExpired");
});

test("BR49 a last use that could not be stored is stored later, and a crash leaves no garbage", () => {
  const { harness: fixture, peer, session } = started({ ttl: 100_000 });
  const read = () => fixture.ask(peer, { cmd: "GetState", session_id: session })["type"];
  fixture.store = (key) => (key.startsWith("brain/last_use/") ? "fail" : "keep");
  fixture.pass(30_000);
  check.equal(read(), "State.Snapshot");
  fixture.store = () => "keep";
  fixture.pass(30_000);
  check.equal(read(), "State.Snapshot");
  const both = new Map(fixture.disk);
  const [seen] = [...both].filter(([key]) => key.startsWith("brain/last_use/"));
  check.that(seen !== undefined);
  both.set(seen[0].replace(/last_use\/([^/]+)\/\d+/, (_, id) => `last_use/${id}/${"0".repeat(15)}1`) as Key, {
    v: 1,
    at: 1,
  });
  both.set(seen[0].replace(session, "00000000-0000-4000-8000-000000000000") as Key, { v: 1, at: 1 });
  const again = new BrainFixture({ disk: both, epoch: 2, now: fixture.harness.now, ttl: 100_000 });
  again.pass(99_000);
  check.equal([...both.keys()].filter((key) => key.startsWith("brain/last_use/")), [seen[0]]);
  check.equal(again.ask(again.peer("x"), { cmd: "GetState", session_id: session })["type"], "State.Snapshot");
});

test("BR46f an evicted session is only in the store, and is complete when it is activated", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { a: 1 });
  fixture.pass(700_000);
  check.equal(fixture.harness.state.sessions.get(session)?.log.contents.is, "stored");
  check.equal(fixture.merge(peer, session, { b: 2 })["state"], { a: 1, b: 2 });
});
