import { test } from "#runner";
import { type Key, rawKey } from "../../../src/core/ids.ts";
import { isObject, type Json } from "../../../src/core/json.ts";
import { LOAD_ENTRIES_MAX } from "../../../src/core/limits.ts";
import { entryKey, readEntryKey } from "../../../src/queue/entry.ts";
import { check } from "../../harness/check.ts";
import { Post, QUEUE } from "./fixture.ts";

const DAY = 86_400_000;

/** Numbers from 1. */
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

test("QU1 to a peer that is here, and for whom nothing waits, a message is sent at once and nothing is written", () => {
  const post = new Post();
  const peer = post.open("a");
  check.equal(post.send("a", 1), { ok: true, value: { is: "sent" } });
  check.equal(post.numbers(peer), [1]);
  check.equal(post.effects.filter((effect) => effect.do === "put"), []);
});

test("QU2 what is for a peer that is away is promised only under the key that is then written", () => {
  const post = new Post();
  const sending = post.send("a", 1, false);
  check.that(sending.ok && sending.value.is === "queued");
  const put = post.effects.find((effect) => effect.do === "put");
  check.that(put?.do === "put");
  check.equal(sending.value.key, put.key);
  check.equal(post.observations, [], "nothing is said of it before it is stored");
  post.store();
  check.equal(post.observations.map(({ is }) => is), ["message_queued"]);
});

test("QU3 what waits is delivered in order, and before what is sent later", () => {
  const post = new Post();
  for (const n of upTo(3)) post.send("a", n);
  const peer = post.open("a");
  check.equal(post.numbers(peer), [1, 2, 3]);
});

test("QU3 a message that comes while the backlog is read waits behind it", () => {
  const post = new Post();
  post.send("a", 1);
  const peer = post.run((ctx) => {
    const socket = { peer: post.open("other"), acks: false };
    post.queue.open("a", socket, ctx);
    return socket.peer;
  });
  const sending = post.send("a", 2, false);
  check.that(sending.ok && sending.value.is === "queued");
  post.store();
  check.equal(post.numbers(peer), [1, 2]);
});

test("QU4 without acks an entry is gone once the socket has stayed open for the settling time", () => {
  const post = new Post();
  post.send("a", 1);
  post.open("a");
  check.equal(post.keys("queue").length, 1);
  post.pass(QUEUE.settle - 1);
  check.equal(post.keys("queue").length, 1);
  post.pass(1);
  check.equal(post.keys("queue"), []);
  check.equal(
    post.noted("message_delivered").map((observation) => observation.is === "message_delivered" && observation.confirmed),
    [false],
  );
});

test("QU5 what was sent to a socket that drops within the settling time is written, and comes again", () => {
  const post = new Post();
  post.open("a");
  post.send("a", 1);
  post.pass(QUEUE.settle);
  post.send("a", 2);
  post.send("a", 3);
  post.shut("a");
  check.equal(post.keys("queue").length, 2);
  check.equal(post.numbers(post.open("a")), [2, 3]);
});

test("QU6 a client with acks gets an id with each message, and what it acked never comes again", () => {
  const post = new Post();
  post.send("a", 1);
  const peer = post.open("a", true);
  post.send("a", 2);
  const [one, two] = post.frames(peer);
  check.equal([one?.n, two?.n], [1, 2]);
  check.equal(one?.redelivered, undefined);
  check.equal(post.ack("a", one?.id), true);
  check.equal(post.ack("a", one?.id), false, "there is nothing left to ack");
  post.shut("a");
  const again = post.open("a", true);
  check.equal(post.frames(again), [{ id: two?.id ?? null, redelivered: true, n: 2 }]);
});

test("QU6 what is not acked soon is on disk, so that no kill can lose it", () => {
  const post = new Post();
  const peer = post.open("a", true);
  post.send("a", 1);
  check.equal(post.keys("queue"), []);
  post.pass(QUEUE.settle);
  check.equal(post.keys("queue").length, 1);
  post.ack("a", post.frames(peer)[0]?.id);
  check.equal(post.keys("queue"), []);
});

test("QU7 after a restart the first send of every entry to a client with acks is a repeat", () => {
  const post = new Post();
  post.send("a", 1);
  const next = post.restart();
  check.equal(next.frames(next.open("a", true)).map(({ n, redelivered }) => [n, redelivered]), [[1, true]]);
});

test("QU8 no more than the window is in flight; each ack lets one more go", () => {
  const post = new Post({ ack_window: 2 });
  for (const n of upTo(4)) post.send("a", n);
  const peer = post.open("a", true);
  check.equal(post.numbers(peer), [1, 2]);
  post.ack("a", post.frames(peer)[0]?.id);
  check.equal(post.numbers(peer), [1, 2, 3]);
});

test("QU9 without an ack in time all that is in flight goes again, in order", () => {
  const post = new Post({ ack_window: 2 });
  const peer = post.open("a", true);
  for (const n of upTo(3)) post.send("a", n);
  post.pass(QUEUE.ack_timeout);
  check.equal(post.numbers(peer), [1, 2, 1, 2]);
  check.equal(post.frames(peer).map(({ redelivered }) => redelivered), [undefined, undefined, true, true]);
});

test("QU10 a nak brings the entry and all after it again, after its delay or the usual backoff", () => {
  const post = new Post();
  const peer = post.open("a", true);
  for (const n of upTo(3)) post.send("a", n);
  const nak = (id: unknown, delayMs?: number) => {
    post.run((ctx) => post.queue.nak("a", { id: String(id), delayMs }, ctx));
    post.store();
  };
  nak(post.frames(peer)[1]?.id, 1_000);
  post.pass(999);
  check.equal(post.numbers(peer), [1, 2, 3]);
  post.pass(1);
  check.equal(post.numbers(peer), [1, 2, 3, 2, 3]);
  nak(post.frames(peer)[1]?.id);
  post.pass(QUEUE.retry * 2 - 1);
  check.equal(post.numbers(peer).length, 5, "the second time the backoff has doubled");
  post.pass(1);
  check.equal(post.numbers(peer), [1, 2, 3, 2, 3, 2, 3]);
});

test("QU11 a term makes the entry a dead letter", () => {
  const post = new Post();
  const peer = post.open("a", true);
  post.send("a", 1);
  const [frame] = post.frames(peer);
  post.run((ctx) => post.queue.term("a", String(frame?.id), ctx));
  post.store();
  check.equal(post.keys("queue"), []);
  const [key = rawKey("")] = post.keys("dead");
  const letter = post.stored.get(key);
  check.that(isObject(letter));
  check.equal([letter.id, letter.to, letter.why, letter.body], [frame?.id, "a", "terminated", '{"n":1}']);
  check.equal(post.noted("message_dead").length, 1);
});

test("QU12 the entry at the head that is never acked dies after max_attempts, and takes no other with it", () => {
  const post = new Post({ max_attempts: 3, ack_window: 8 });
  for (const n of upTo(3)) post.send("a", n);
  const peer = post.open("a", true);
  for (let attempt = 0; attempt < 3; attempt++) post.pass(QUEUE.ack_timeout);
  check.equal(post.queue.dead.size, 1);
  check.equal(post.noted("message_dead").map((observation) => observation.is === "message_dead" && observation.why), [
    "attempts",
  ]);
  const ids = new Map(post.frames(peer).map(({ n, id }) => [n, id]));
  check.equal(post.ack("a", ids.get(2)), true);
  check.equal(post.ack("a", ids.get(3)), true);
});

test("QU13 an entry past its time becomes a dead letter, whether its recipient is here or away, over a restart too", () => {
  const post = new Post({ ttl: { ...QUEUE.ttl, command: 1_000 } });
  post.send("a", 1);
  post.pass(500);
  post.send("a", 2);
  post.pass(500);
  check.equal(post.queue.dead.size, 1);
  check.equal(post.numbers(post.open("a")), [2]);
  post.shut("a");
  const next = post.restart();
  check.equal(next.keys("queue").length, 1);
  next.pass(1_000);
  check.equal([next.keys("queue").length, next.queue.dead.size], [0, 2]);
});

test("QU14 a full queue refuses, by entries and by bytes, per recipient and in total", () => {
  const bytes = JSON.stringify({ n: 1 }).length;
  for (
    const settings of [{ per_recipient: 2 }, { per_recipient_bytes: 2 * bytes }, { total: 2 }, { total_bytes: 2 * bytes }]
  ) {
    const post = new Post(settings);
    const results = upTo(3).map((n) => post.send("a", n).ok);
    check.equal(results, [true, true, false], JSON.stringify(settings));
    check.equal(post.noted("queue_refused").length, 1);
    check.equal(post.numbers(post.open("a")), [1, 2]);
    post.pass(QUEUE.settle);
    post.shut("a");
    check.equal(post.send("a", 4).ok, true, "what is delivered makes room");
  }
});

test("QU15 with drop-oldest the oldest makes room, and is named", () => {
  const post = new Post({ per_recipient: 2, when_full: "drop-oldest" });
  for (const n of upTo(4)) check.equal(post.send("a", n).ok, true);
  check.equal(post.noted("message_dead").length, 2);
  check.equal(post.numbers(post.open("a")), [3, 4]);
});

test("QU16 an entry that cannot be written is taken back; one that was sent already is kept in memory", () => {
  const post = new Post();
  const peer = post.open("b");
  post.send("b", 7);
  post.isFailing = true;
  post.send("a", 1);
  post.shut("b");
  check.equal([post.keys("queue").length, post.queue.recipients.entries], [0, 0]);
  check.equal(post.numbers(post.open("a")), []);
  check.equal(post.numbers(post.open("b")), [7]);
  check.equal(post.numbers(peer), [7]);
  post.isFailing = false;
  post.shut("b");
  check.equal(post.keys("queue").length, 1, "it is tried again, under a new key");
});

test("QU17 an entry that is gone, torn, foreign or of a later version is counted, named and passed over", () => {
  const post = new Post();
  for (const n of upTo(5)) post.send("a", n);
  const keys = post.keys("queue");
  const spoil = (at: number, value: Json) => post.stored.set(keys[at] ?? rawKey(""), value);
  spoil(1, { v: 2, id: "x" });
  spoil(2, "torn");
  post.stored.set(rawKey("intermediary/queue/baa/readme"), {});
  const next = post.restart();
  next.stored.delete(keys[0] ?? rawKey(""));
  check.equal(next.numbers(next.open("a")), [4, 5]);
  check.equal(next.noted("entry_quarantined").length, 4);
  check.that(next.stored.has(keys[1] ?? rawKey("")), "what a later version wrote is left alone");
});

test("QU18 at a restart keys alone say what waits; bodies are read in windows when they are delivered", () => {
  const post = new Post({ per_recipient: 10_000 });
  for (const n of upTo(600)) post.send("a", n);
  const next = post.restart();
  check.equal([next.queue.recipients.entries, next.loads.length], [600, 0]);
  const peer = next.open("a");
  check.equal(next.numbers(peer), upTo(600));
  check.equal(next.loads.map((keys) => keys.length), [LOAD_ENTRIES_MAX, LOAD_ENTRIES_MAX, 600 - 2 * LOAD_ENTRIES_MAX]);
});

test("QU18 after a restart the oldest is as old as it is, not as the run that made it", () => {
  const post = new Post();
  post.pass(3_600_000);
  post.send("a", 1);
  const made = post.queue.recipients.oldest;
  check.that(made !== undefined);
  const next = post.restart();
  check.equal(next.queue.recipients.oldest, made);
  check.equal(next.queue.recipients.list("a").map(({ at }) => at), [made]);
});

test("QU18 one read holds at most a bounded number of bytes", () => {
  const post = new Post();
  const body = JSON.stringify({ n: 1, text: "x".repeat(600_000) });
  for (let n = 0; n < 3; n++) post.run((ctx) => post.queue.send("a", { kind: "command", body }, ctx));
  post.store();
  const next = post.restart();
  next.open("a");
  check.equal(next.loads.map((keys) => keys.length), [1, 1, 1]);
});

test("QU19 the work of a delivery does not grow with what waits", () => {
  const work = (waiting: number) => {
    const post = new Post({ ack_window: 1, per_recipient: 1e6 });
    for (const n of upTo(waiting)) post.send("a", n);
    const peer = post.open("a", true);
    const before = post.effects.length;
    for (let n = 0; n < 50; n++) post.ack("a", post.frames(peer).at(-1)?.id);
    return post.effects.length - before;
  };
  check.equal(work(5_000), work(100));
});

test("QU20 a read that fails is tried again later, and nothing is lost", () => {
  const post = new Post();
  post.send("a", 1);
  const next = post.restart();
  next.run((ctx) => next.queue.open("a", { peer: next.open("b"), acks: false }, ctx));
  next.failLoads();
  next.pass(QUEUE.retry - 1);
  check.equal(next.sent, []);
  next.pass(1);
  check.equal(next.sent.map(({ frame }) => frame.n), [1]);
});

test("QU21 dead letters are capped and aged, and outlive a restart", () => {
  const post = new Post({ dead_letters: 2, ttl: { ...QUEUE.ttl, command: 10 } });
  for (const n of upTo(3)) {
    post.send("a", n);
    post.pass(10);
  }
  check.equal([post.queue.dead.size, post.keys("dead").length], [2, 2]);
  const next = post.restart();
  check.equal(next.queue.dead.size, 2);
  next.pass(QUEUE.dead_letter_ttl);
  check.equal([next.queue.dead.size, next.keys("dead").length], [0, 0]);
});

test("QU22 an entry that is in both places after a crash is dead", () => {
  const post = new Post({ ttl: { ...QUEUE.ttl, command: 10 } });
  post.send("a", 1);
  const [entry = rawKey("")] = post.keys("queue");
  const value = post.stored.get(entry) ?? null;
  post.pass(10);
  post.stored.set(entry, value);
  const next = post.restart();
  check.equal(next.keys("queue"), []);
  check.equal(next.numbers(next.open("a")), []);
  check.equal(next.queue.dead.size, 1);
});

test("QU23 while a socket holds too much, messages wait on disk; they go when it has eased", () => {
  const post = new Post();
  const peer = post.open("a");
  post.run((ctx) => post.queue.setBackpressure("a", true, ctx));
  post.send("a", 1);
  post.pass(DAY / 2);
  check.equal([post.numbers(peer), post.keys("queue").length], [[], 1]);
  post.run((ctx) => post.queue.setBackpressure("a", false, ctx));
  post.store();
  check.equal(post.numbers(peer), [1]);
});

test("QU24 recipients are kept apart, whatever their names", () => {
  const post = new Post();
  const names = ["__proto__", "constructor", "a/b", "a", "A", "שלום", "x".repeat(10_000), "../../etc/passwd", ""];
  names.forEach((name, n) => post.send(name, n));
  check.equal(post.queue.recipients.depths().map(({ name }) => name), names);
  const next = post.restart();
  check.equal(names.map((name) => next.numbers(next.open(name))), names.map((_, n) => [n]));
});

test("QU25 a key says what its entry is, and is read back as it was made", () => {
  const head = {
    id: "0000000000001-0000000000002".slice(0, 24),
    exp: 1_790_000_000_000,
    bytes: 123_456,
    kind: "command",
  } as const;
  const place = { service: "intermediary", is: "queue", recipient: "bmfzq" } as const;
  check.equal(readEntryKey(entryKey(place, head)), { recipient: "bmfzq", head });
  const dead = { ...head, reason: "expired" } as const;
  check.equal(readEntryKey(entryKey({ ...place, is: "dead" }, dead)), { recipient: "bmfzq", head: dead });
  for (const last of ["", "x", `${head.id}-1-1`, `${head.id}-1-1-other`, `${head.id}--1-command`]) {
    check.equal(readEntryKey(rawKey(`intermediary/queue/b/${last}`) as Key), undefined);
  }
});
