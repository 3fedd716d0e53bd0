/** Sessions and the store: replies wait for writes, and a crash loses nothing that was confirmed. */
import type { Key } from "../../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainStage, kinds } from "../fixture.ts";

const st = (session: string, changes: JsonObject, more: JsonObject = {}): JsonObject => ({
  cmd: "ApplyOperator",
  session_id: session,
  operator: "ST",
  params: { changes },
  ...more,
});

const started = () => {
  const stage = new BrainStage();
  const peer = stage.peer("ui");
  return { stage, peer, session: stage.create(peer) };
};

test("BR60 a reply is sent when the event that it shows is stored, and not before", () => {
  const { stage, peer, session } = started();
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  stage.send(peer, st(session, { a: 1 }));
  stage.settle();
  check.equal(stage.seen(peer), []);
  for (const key of held) stage.harness.step({ is: "stored", key });
  stage.settle();
  check.equal(stage.seen(peer).map(({ state }) => state), [{ a: 1 }]);
});

test("BR60 a reply to another peer that shows the event waits as well, one that does not is sent", () => {
  const { stage, peer, session } = started();
  const other = stage.peer("other");
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  stage.send(peer, st(session, { a: 1 }));
  stage.send(other, { cmd: "GetState", session_id: session });
  stage.settle();
  check.equal(stage.seen(other), []);
  const third = stage.peer("third");
  check.equal(stage.ask(third, { cmd: "Ping" })["type"], "Pong");
  for (const key of held.splice(0)) stage.harness.step({ is: "stored", key });
  stage.settle();
  check.equal(stage.seen(other).map(({ state }) => state), [{ a: 1 }]);
});

test("BR61 at most one segment of a log is being written; events that gather become the next", () => {
  const { stage, peer, session } = started();
  const other = stage.peer("other");
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  for (let count = 1; count <= 20; count++) stage.send(count % 2 === 0 ? peer : other, st(session, { count }));
  stage.settle();
  check.equal(held.length, 1);
  stage.store = (key) => (held.push(key), "keep");
  stage.harness.step({ is: "stored", key: held[0] as Key });
  stage.settle();
  check.equal(held.length, 2);
  check.equal(stage.seen(other).length + stage.seen(peer).length, 20);
});

test("BR60b if a write fails, all waiting requests get an error and the session returns to its last stored state", () => {
  const { stage, peer, session } = started();
  const other = stage.peer("other");
  stage.merge(peer, session, { kept: true });
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  stage.send(peer, st(session, { a: 1 }, { request_id: 1 }));
  stage.send(peer, st(session, { b: 1 }, { request_id: 2 }));
  stage.send(other, { cmd: "GetState", session_id: session, request_id: 3 });
  stage.settle();
  stage.harness.step({ is: "storeFailed", key: held[0] as Key, reason: "full" });
  stage.store = () => "keep";
  stage.settle();
  const replies = [...stage.seen(peer), ...stage.seen(other)];
  check.equal(
    replies.map(({ code, request_id }) => [code, request_id] as Json),
    [1, 2, 3].map((id) => ["StorageFailed", id]),
  );
  check.equal(stage.ask(peer, { cmd: "GetState", session_id: session })["state"], { kept: true });
  check.equal(stage.merge(peer, session, { c: 1 })["state"], { kept: true, c: 1 });
  check.equal(stage.ask(peer, { cmd: "ReplaySession", session_id: session })["ok"], true);
  const again = stage.restart();
  check.equal(again.ask(again.peer("x"), { cmd: "GetState", session_id: session })["state"], { kept: true, c: 1 });
});

test("BR60c a session whose first event could not be stored does not exist", () => {
  const stage = new BrainStage();
  const peer = stage.peer("ui");
  stage.store = () => "fail";
  check.equal(stage.ask(peer, { cmd: "CreateSession" })["code"], "StorageFailed");
  check.equal(stage.harness.state.sessions.size, 0);
});

test("BR5 replies to one peer are in the order of its requests, whatever each of them waits for", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 150; count++) stage.merge(peer, session, { count });
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  const requests: readonly JsonObject[] = [
    { cmd: "GetState", session_id: session, at_seq: 10 },
    st(session, { last: 1 }),
    { cmd: "Infer", payload: {} },
    { cmd: "nope" },
    { cmd: "GetAudit", session_id: session, limit: 3 },
    { cmd: "Ping" },
  ];
  for (const [request_id, fields] of requests.entries()) stage.send(peer, { ...fields, request_id });
  stage.send(peer, "not json");
  stage.settle();
  stage.store = () => "keep";
  while (held.length > 0) {
    for (const key of held.splice(0)) stage.harness.step({ is: "stored", key });
    stage.settle();
  }
  const replies = stage.seen(peer);
  check.equal(replies.map(({ request_id }) => request_id), [0, 1, 2, 3, 4, 5, undefined]);
  check.equal(replies.map(({ type }) => type), [
    "State.Snapshot",
    "State.Snapshot",
    "infer_result",
    undefined,
    "Audit.Page",
    "Pong",
    undefined,
  ]);
});

test("BR62 after a crash every confirmed operation is there, and requests during activation keep their order", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 150; count++) stage.merge(peer, session, { [`k${count % 40}`]: count });
  const before = stage.ask(peer, { cmd: "GetState", session_id: session });
  const audit = stage.audit(peer, session);
  const again = stage.restart();
  const next = again.peer("next");
  for (let count = 0; count < 5; count++) again.send(next, st(session, { after: count }, { want: ["meta"] }));
  again.settle();
  check.equal(again.seen(next).map(({ seq }) => seq), [151, 152, 153, 154, 155]);
  check.equal(again.audit(next, session).slice(0, 151), audit);
  const { state } = again.ask(next, { cmd: "GetState", session_id: session, at_seq: 150 });
  check.equal(state, before["state"]);
});

test("BR62 a crash between any two writes leaves a log that folds to everything that was confirmed", () => {
  for (let kill = 1; kill <= 140; kill += 7) {
    const { stage, peer, session } = started();
    let left = kill;
    stage.store = () => (left-- > 0 ? "keep" : "hang");
    let answered = 0;
    for (let count = 1; count <= 200; count++) {
      stage.send(peer, st(session, { count }));
      if (count % 3 === 0) stage.settle();
      for (const { state } of stage.seen(peer)) answered = Number((state as JsonObject)["count"]);
    }
    stage.settle();
    for (const { state } of stage.seen(peer)) answered = Number((state as JsonObject)["count"]);
    const again = stage.restart();
    again.store = () => "keep";
    const reply = again.ask(again.peer("x"), { cmd: "ReplaySession", session_id: session });
    check.equal(reply["ok"], true, `killed after ${kill} writes`);
    check.that(Number(reply["events"]) - 1 >= answered);
  }
});

test("BR63 segments are compacted, and the segments they replace are deleted", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 640; count++) stage.merge(peer, session, { count });
  stage.pass(120_000);
  const keys = [...stage.disk.keys()].filter((key) => key.includes(session));
  check.that(keys.length < 10 + 64, `${keys.length} entries for 641 events`);
  check.equal(stage.ask(peer, { cmd: "ReplaySession", session_id: session })["ok"], true);
});

test("BR63b a large burst is written once, with snapshots, and a crash in it loses nothing that was confirmed", () => {
  for (let kill = 2; kill <= 9; kill++) {
    const { stage, peer, session } = started();
    let left = kill;
    stage.store = () => (left-- > 0 ? "keep" : "hang");
    for (let count = 1; count <= 3_000; count++) stage.send(peer, st(session, { count }));
    stage.settle();
    const answered = stage.seen(peer).length;
    check.that(answered > 0 && answered < 3_000);
    const again = stage.restart();
    const next = again.peer("next");
    check.equal(again.ask(next, { cmd: "GetState", session_id: session })["state"], { count: answered });
    check.equal(again.ask(next, { cmd: "ReplaySession", session_id: session })["ok"], true);
    again.store = () => "keep";
    check.equal(again.merge(next, session, { more: 1 })["state"], { count: answered, more: 1 });
    check.equal(again.ask(next, { cmd: "GetState", session_id: session, at_seq: 1 })["state"], { count: 1 });
  }
});

test("BR63 segments that a crash left behind after compaction are ignored and deleted", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 100; count++) stage.merge(peer, session, { count });
  const both = new Map(stage.disk);
  stage.pass(60_000);
  const again = new BrainStage({ disk: both, epoch: 2, now: stage.harness.now });
  const next = again.peer("next");
  check.equal(again.ask(next, { cmd: "ReplaySession", session_id: session })["events"], 101);
  again.pass(60_000);
  check.equal(
    [...both.keys()].filter((key) => key.includes(session)),
    [...stage.disk.keys()].filter((key) => key.includes(session)),
  );
});

test("BR62b a torn write is ignored: of a segment, of a snapshot, or of a whole session", () => {
  const tear = (disk: Map<Key, Json>, key: Key | undefined): void => {
    check.that(key !== undefined);
    disk.set(key, undefined as unknown as Json); // Why: a torn entry is listed, but its value cannot be read.
  };
  const { stage, peer, session } = started();
  for (let count = 1; count <= 70; count++) stage.merge(peer, session, { count });
  const both = new Map(stage.disk);
  tear(both, [...both.keys()].find((key) => key.startsWith("brain/snapshot/")));
  tear(both, [...both.keys()].findLast((key) => key.startsWith("brain/log/")));
  const other = "00000000-0000-4000-8000-000000000000";
  tear(both, ([...both.keys()][0] ?? "").replace(session, other) as Key);
  const again = new BrainStage({ disk: both, epoch: 2, now: stage.harness.now });
  const next = again.peer("next");
  check.equal(again.ask(next, { cmd: "GetState", session_id: session })["state"], { count: 69 });
  check.equal(again.merge(next, session, { more: 1 })["state"], { count: 69, more: 1 });
  check.equal(again.ask(next, { cmd: "ReplaySession", session_id: session })["ok"], true);
  check.equal(again.ask(next, { cmd: "GetState", session_id: other }), { error: `unknown session '${other}'` });
});

test("BR63c parameters are stored once, although delta and audit repeat them, and read back unchanged", () => {
  const { stage, peer, session } = started();
  const big = { text: "x".repeat(10_000), "__proto__x": ["y".repeat(100)] };
  const apply = (operator: string, params: JsonObject) =>
    stage.ask(peer, { cmd: "ApplyOperator", session_id: session, operator, params });
  const stored = () => [...stage.disk].reduce((sum, [, value]) => sum + JSON.stringify(value).length, 0);
  for (const [operator, params] of [["ST", { changes: big }], ["CH", { changes: big }]] as const) {
    const before = stored();
    apply(operator, params);
    check.that(stored() - before < 12_000, `${operator}: ${stored() - before} characters`);
  }
  apply("XYZ", { key: "__proto__", value: { deep: "z".repeat(500) } });
  apply("ST", { changes: [["pair", "p".repeat(300)]] });
  const steps = [{ name: "CH", params: { changes: big } }, { name: "XYZ", params: { key: "a", value: "v".repeat(300) } }];
  stage.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps });
  const audit = JSON.stringify(stage.audit(peer, session));
  const again = stage.restart();
  const next = again.peer("next");
  check.equal(JSON.stringify(again.audit(next, session)), audit);
  for (let count = 0; count < 70; count++) again.merge(next, session, { count });
  check.equal(JSON.stringify(again.audit(next, session).slice(0, 6)), audit, "also after compaction");
  check.equal(again.ask(next, { cmd: "ReplaySession", session_id: session })["ok"], true);
});

test("BR64 a segment whose snapshot was changed is not used", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 100; count++) stage.merge(peer, session, { count });
  const page = [...stage.disk.keys()].find((key) => key.startsWith("brain/snapshot/")) as Key;
  const { after, ...rest } = stage.disk.get(page) as JsonObject;
  stage.disk.set(page, { ...rest, after: String(after).replace('"count":', '"c0unt":') });
  const again = stage.restart();
  const next = again.peer("next");
  const reply = again.ask(next, { cmd: "GetState", session_id: session });
  check.equal(reply["code"], "StorageFailed", "its checksum is wrong, so its events are not used either");
  check.equal(again.ask(next, { cmd: "ReplaySession", session_id: session })["ok"], false);
});

test("BR64 a session with a missing segment is refused, and can be replayed and closed", () => {
  const { stage, peer, session } = started();
  for (let count = 1; count <= 20; count++) stage.merge(peer, session, { count });
  const keys = [...stage.disk.keys()].filter((key) => key.includes(session));
  stage.disk.delete(keys[10] as Key);
  const again = stage.restart();
  const next = again.peer("next");
  check.equal(again.merge(next, session, { more: 1 })["code"], "StorageFailed");
  const report = again.ask(next, { cmd: "ReplaySession", session_id: session });
  check.equal([report["ok"], report["first_mismatch"]], [false, 10]);
  check.that(again.merge(next, again.create(next), { a: 1 })["state"] !== undefined, "other sessions go on");
  check.equal(again.ask(next, { cmd: "CloseSession", session_id: session })["type"], "SessionClosed");
});

test("BR64b while the store cannot be read, an evicted session answers StorageFailed; later it is there", () => {
  const { stage, peer, session } = started();
  stage.merge(peer, session, { a: 1 });
  const again = stage.restart();
  const next = again.peer("next");
  again.send(next, { cmd: "GetState", session_id: session });
  for (const effect of again.harness.take()) {
    if (effect.do === "load") again.harness.step({ is: "loadFailed", token: effect.token, reason: "away" });
  }
  again.settle();
  check.equal(again.seen(next).map(({ code }) => code), ["StorageFailed"]);
  check.equal(again.ask(next, { cmd: "GetState", session_id: session })["state"], { a: 1 });
});

test("BR66 with brain.persist false nothing is written, and the last events can be read", () => {
  const stage = new BrainStage({ persist: false });
  const peer = stage.peer("ui");
  const session = stage.create(peer);
  for (let count = 1; count <= 1_000; count++) stage.merge(peer, session, { count });
  check.equal(stage.puts, 0);
  const page = stage.ask(peer, { cmd: "GetAudit", session_id: session });
  const [first] = page["events"] as readonly JsonObject[];
  check.that(Number(first?.["seq"]) > 700 && Number(first?.["seq"]) <= 1_000 - 128);
  check.equal(stage.ask(peer, { cmd: "GetState", session_id: session, at_seq: 990 })["state"], { count: 990 });
  check.equal(stage.ask(peer, { cmd: "GetState", session_id: session, at_seq: 3 })["code"], "BadParams");
  check.equal(stage.ask(peer, { cmd: "ReplaySession", session_id: session })["ok"], true);
  check.equal(stage.ask(peer, { cmd: "ForkSession", session_id: session })["type"], "SessionForked");
  check.equal(stage.ask(peer, { cmd: "CloseSession", session_id: session })["type"], "SessionClosed");
  check.equal(kinds(stage.audit(peer, stage.create(peer))), ["SessionCreated"]);
});

test("BR67 draining answers earlier requests, accepts no new ones, and closes all peers", () => {
  const { stage, peer, session } = started();
  const held: Key[] = [];
  stage.store = (key) => (held.push(key), "hang");
  const idle = stage.peer("idle");
  stage.send(peer, st(session, { a: 1 }));
  stage.settle();
  stage.harness.take();
  stage.harness.step({ is: "draining", until: stage.harness.now + 5_000 });
  const closed = () =>
    stage.harness.take().flatMap((effect) => (effect.do === "close" || effect.do === "drained" ? [effect] : []));
  check.equal(closed().map((effect) => ("peer" in effect ? effect.peer : effect.do)), [idle]);
  stage.send(peer, { cmd: "Ping" });
  stage.harness.step({ is: "stored", key: held[0] as Key });
  const effects = stage.harness.take();
  check.equal(effects.map((effect) => effect.do), ["reply", "close", "drained"]);
});

test("BR67 draining ends at its deadline although the store does not answer", () => {
  const { stage, peer, session } = started();
  stage.store = () => "hang";
  stage.send(peer, st(session, { a: 1 }));
  stage.settle();
  stage.harness.step({ is: "draining", until: stage.harness.now + 5_000 });
  stage.harness.take();
  const effects = stage.harness.advance(5_000).map((effect) => effect.do).filter((kind) => kind !== "runJob");
  check.equal(effects, ["close", "drained"]);
});
