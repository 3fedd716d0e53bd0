import { test } from "#runner";
import { type Key, rawKey } from "../../../src/core/ids.ts";
import { isObject, type Json } from "../../../src/core/json.ts";
import { LOAD_ENTRIES_MAX } from "../../../src/core/limits.ts";
import { entryKey, readEntryKey } from "../../../src/queue/entry.ts";
import { LOAD_ATTEMPTS_MAX } from "../../../src/queue/loader.ts";
import { check } from "../../harness/check.ts";
import { QUEUE, QueueFixture } from "./fixture.ts";

const DAY = 86_400_000;

/** Numbers from 1. */
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

test("QU1 a message for a connected recipient without waiting entries is sent at once and nothing is written", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a");
  check.equal(fixture.send("a", 1), { ok: true, value: { is: "sent" } });
  check.equal(fixture.numbers(peer), [1]);
  check.equal(fixture.effects.filter((effect) => effect.do === "put"), []);
});

test("QU2 a message for an absent recipient is reported as queued under the key that is then written", () => {
  const fixture = new QueueFixture();
  const sending = fixture.send("a", 1, false);
  check.that(sending.ok && sending.value.is === "queued");
  const put = fixture.effects.find((effect) => effect.do === "put");
  check.that(put?.do === "put");
  check.equal(sending.value.key, put.key);
  check.equal(fixture.observations, [], "nothing is reported before it is stored");
  fixture.store();
  check.equal(fixture.observations.map(({ is }) => is), ["message_queued"]);
});

test("QU3 waiting entries are delivered in order, and before later messages", () => {
  const fixture = new QueueFixture();
  for (const n of upTo(3)) fixture.send("a", n);
  const peer = fixture.connect("a");
  check.equal(fixture.numbers(peer), [1, 2, 3]);
});

test("QU3 a message that arrives while the backlog is loaded waits behind it", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  const peer = fixture.step((ctx) => {
    const socket = { peer: fixture.connect("other"), acks: false };
    fixture.queue.connect("a", socket, ctx);
    return socket.peer;
  });
  const sending = fixture.send("a", 2, false);
  check.that(sending.ok && sending.value.is === "queued");
  fixture.store();
  check.equal(fixture.numbers(peer), [1, 2]);
});

test("QU4 without acks an entry is deleted once its socket has stayed open for queue.settle", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  fixture.connect("a");
  check.equal(fixture.keys("queue").length, 1);
  fixture.advance(QUEUE.settle - 1);
  check.equal(fixture.keys("queue").length, 1);
  fixture.advance(1);
  check.equal(fixture.keys("queue"), []);
  check.equal(
    fixture.observed("message_delivered").map((observation) =>
      observation.is === "message_delivered" && observation.confirmed
    ),
    [false],
  );
});

test("QU5 an entry sent to a socket that drops within queue.settle is stored and sent again", () => {
  const fixture = new QueueFixture();
  fixture.connect("a");
  fixture.send("a", 1);
  fixture.advance(QUEUE.settle);
  fixture.send("a", 2);
  fixture.send("a", 3);
  fixture.disconnect("a");
  check.equal(fixture.keys("queue").length, 2);
  check.equal(fixture.numbers(fixture.connect("a")), [2, 3]);
});

test("QU6 a client with acks gets an id with each message, and an acked message is never sent again", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  const peer = fixture.connect("a", true);
  fixture.send("a", 2);
  const [one, two] = fixture.frames(peer);
  check.equal([one?.n, two?.n], [1, 2]);
  check.equal(one?.redelivered, undefined);
  check.equal(fixture.ack("a", one?.id), true);
  check.equal(fixture.ack("a", one?.id), false, "there is no such entry any more");
  fixture.disconnect("a");
  const again = fixture.connect("a", true);
  check.equal(fixture.frames(again), [{ id: two?.id ?? null, redelivered: true, n: 2 }]);
});

test("QU6 a message without ack is stored after queue.settle, so that no kill can lose it", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a", true);
  fixture.send("a", 1);
  check.equal(fixture.keys("queue"), []);
  fixture.advance(QUEUE.settle);
  check.equal(fixture.keys("queue").length, 1);
  fixture.ack("a", fixture.frames(peer)[0]?.id);
  check.equal(fixture.keys("queue"), []);
});

test("QU7 after a restart the first delivery of each entry to a client with acks is marked redelivered", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  const next = fixture.restart();
  check.equal(next.frames(next.connect("a", true)).map(({ n, redelivered }) => [n, redelivered]), [[1, true]]);
});

test("QU8 at most queue.ack_window entries are in flight, and each ack releases one more", () => {
  const fixture = new QueueFixture({ ack_window: 2 });
  for (const n of upTo(4)) fixture.send("a", n);
  const peer = fixture.connect("a", true);
  check.equal(fixture.numbers(peer), [1, 2]);
  fixture.ack("a", fixture.frames(peer)[0]?.id);
  check.equal(fixture.numbers(peer), [1, 2, 3]);
});

test("QU9 without an ack within queue.ack_timeout all entries in flight are sent again in order", () => {
  const fixture = new QueueFixture({ ack_window: 2 });
  const peer = fixture.connect("a", true);
  for (const n of upTo(3)) fixture.send("a", n);
  fixture.advance(QUEUE.ack_timeout);
  check.equal(fixture.numbers(peer), [1, 2, 1, 2]);
  check.equal(fixture.frames(peer).map(({ redelivered }) => redelivered), [undefined, undefined, true, true]);
});

test("QU10 after a nak the entry and all later ones are sent again, after its delay or the backoff of queue.retry", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a", true);
  for (const n of upTo(3)) fixture.send("a", n);
  const nak = (id: unknown, delayMs?: number) => {
    fixture.step((ctx) => fixture.queue.nak("a", { id: String(id), delayMs }, ctx));
    fixture.store();
  };
  nak(fixture.frames(peer)[1]?.id, 1_000);
  fixture.advance(999);
  check.equal(fixture.numbers(peer), [1, 2, 3]);
  fixture.advance(1);
  check.equal(fixture.numbers(peer), [1, 2, 3, 2, 3]);
  nak(fixture.frames(peer)[1]?.id);
  fixture.advance(QUEUE.retry * 2 - 1);
  check.equal(fixture.numbers(peer).length, 5, "the second backoff is twice as long");
  fixture.advance(1);
  check.equal(fixture.numbers(peer), [1, 2, 3, 2, 3, 2, 3]);
});

test("QU11 after a term the entry is a dead letter", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a", true);
  fixture.send("a", 1);
  const [frame] = fixture.frames(peer);
  fixture.step((ctx) => fixture.queue.term("a", String(frame?.id), ctx));
  fixture.store();
  check.equal(fixture.keys("queue"), []);
  const [key = rawKey("")] = fixture.keys("dead");
  const letter = fixture.stored.get(key);
  check.that(isObject(letter));
  check.equal([letter.id, letter.to, letter.why, letter.body], [frame?.id, "a", "terminated", '{"n":1}']);
  check.equal(fixture.observed("message_dead").length, 1);
});

test("QU12 the first entry without ack becomes a dead letter after queue.max_attempts, and no other entry does", () => {
  const fixture = new QueueFixture({ max_attempts: 3, ack_window: 8 });
  for (const n of upTo(3)) fixture.send("a", n);
  const peer = fixture.connect("a", true);
  for (let attempt = 0; attempt < 3; attempt++) fixture.advance(QUEUE.ack_timeout);
  check.equal(fixture.queue.deadLetters.size, 1);
  check.equal(fixture.observed("message_dead").map((observation) => observation.is === "message_dead" && observation.why), [
    "attempts",
  ]);
  const ids = new Map(fixture.frames(peer).map(({ n, id }) => [n, id]));
  check.equal(fixture.ack("a", ids.get(2)), true);
  check.equal(fixture.ack("a", ids.get(3)), true);
});

test("QU13 an entry becomes a dead letter after queue.ttl, with its recipient connected or away, and after a restart", () => {
  const fixture = new QueueFixture({ ttl: { ...QUEUE.ttl, command: 1_000 } });
  fixture.send("a", 1);
  fixture.advance(500);
  fixture.send("a", 2);
  fixture.advance(500);
  check.equal(fixture.queue.deadLetters.size, 1);
  check.equal(fixture.numbers(fixture.connect("a")), [2]);
  fixture.disconnect("a");
  const next = fixture.restart();
  check.equal(next.keys("queue").length, 1);
  next.advance(1_000);
  check.equal([next.keys("queue").length, next.queue.deadLetters.size], [0, 2]);
});

test("QU14 QU14b a full queue refuses messages, by entries and bytes, for one recipient and in total", () => {
  const bytes = JSON.stringify({ n: 1 }).length;
  for (
    const settings of [{ per_recipient: 2 }, { per_recipient_bytes: 2 * bytes }, { total: 2 }, { total_bytes: 2 * bytes }]
  ) {
    const fixture = new QueueFixture(settings);
    const results = upTo(3).map((n) => fixture.send("a", n).ok);
    check.equal(results, [true, true, false], JSON.stringify(settings));
    check.equal(fixture.observed("queue_refused").length, 1);
    check.equal(fixture.numbers(fixture.connect("a")), [1, 2]);
    fixture.advance(QUEUE.settle);
    fixture.disconnect("a");
    check.equal(fixture.send("a", 4).ok, true, "a delivery makes room");
  }
});

test("QU15 with when_full drop-oldest the oldest entry is dropped and reported", () => {
  const fixture = new QueueFixture({ per_recipient: 2, when_full: "drop-oldest" });
  for (const n of upTo(4)) check.equal(fixture.send("a", n).ok, true);
  check.equal(fixture.observed("message_dead").length, 2);
  check.equal(fixture.numbers(fixture.connect("a")), [3, 4]);
});

test("QU15b with when_full drop-oldest nothing is dropped for a message that is refused", () => {
  const bytes = JSON.stringify({ n: 1 }).length;
  for (const settings of [{ total: 3 }, { total_bytes: 3 * bytes }]) {
    const fixture = new QueueFixture({ ...settings, when_full: "drop-oldest" });
    for (const n of upTo(3)) fixture.send("b", n);
    check.equal(fixture.send("a", 1).ok, false, "the room belongs to another recipient");
    check.equal(fixture.keys("queue").length, 3);
    check.equal(fixture.observed("message_dead"), []);
  }
  const fixture = new QueueFixture({ total_bytes: 4 * bytes, when_full: "drop-oldest" });
  for (const n of upTo(3)) fixture.send("b", n);
  fixture.send("a", 4);
  const body = JSON.stringify({ text: "x".repeat(2 * bytes) });
  const sent = fixture.step((ctx) => fixture.queue.send("a", { kind: "command", body }, ctx));
  check.equal(
    [sent.ok, fixture.keys("queue").length],
    [false, 4],
    "its own entry stays, because it would not make enough room",
  );
});

test("QU16 an entry whose write failed is dropped, and one that was sent already stays in memory", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("b");
  fixture.send("b", 7);
  fixture.isFailing = true;
  fixture.send("a", 1);
  fixture.disconnect("b");
  check.equal([fixture.keys("queue").length, fixture.queue.recipients.entries], [0, 0]);
  check.equal(fixture.numbers(fixture.connect("a")), []);
  check.equal(fixture.numbers(fixture.connect("b")), [7]);
  check.equal(fixture.numbers(peer), [7]);
  fixture.isFailing = false;
  fixture.disconnect("b");
  check.equal(fixture.keys("queue").length, 1, "it is written again, under a new key");
});

test("QU17 an entry that is missing, torn, foreign or of a later version is reported and skipped", () => {
  const fixture = new QueueFixture();
  for (const n of upTo(5)) fixture.send("a", n);
  const keys = fixture.keys("queue");
  const spoil = (at: number, value: Json) => fixture.stored.set(keys[at] ?? rawKey(""), value);
  spoil(1, { v: 2, id: "x" });
  spoil(2, "torn");
  fixture.stored.set(rawKey("intermediary/queue/baa/readme"), {});
  const next = fixture.restart();
  next.stored.delete(keys[0] ?? rawKey(""));
  check.equal(next.numbers(next.connect("a")), [4, 5]);
  check.equal(next.observed("entry_quarantined").length, 4);
  check.that(next.stored.has(keys[1] ?? rawKey("")), "an entry of a later version stays stored");
});

test("QU18 a restart reads keys only, and bodies are loaded in windows when they are delivered", () => {
  const fixture = new QueueFixture({ per_recipient: 10_000 });
  for (const n of upTo(600)) fixture.send("a", n);
  const next = fixture.restart();
  check.equal([next.queue.recipients.entries, next.loads.length], [600, 0]);
  const peer = next.connect("a");
  check.equal(next.numbers(peer), upTo(600));
  check.equal(next.loads.map((keys) => keys.length), [LOAD_ENTRIES_MAX, LOAD_ENTRIES_MAX, 600 - 2 * LOAD_ENTRIES_MAX]);
});

test("QU18 after a restart an entry keeps its own age", () => {
  const fixture = new QueueFixture();
  fixture.advance(3_600_000);
  fixture.send("a", 1);
  const made = fixture.queue.recipients.oldest;
  check.that(made !== undefined);
  const next = fixture.restart();
  check.equal(next.queue.recipients.oldest, made);
  check.equal(next.queue.recipients.list("a").map(({ at }) => at), [made]);
});

test("QU18 one load is limited in bytes", () => {
  const fixture = new QueueFixture();
  const body = JSON.stringify({ n: 1, text: "x".repeat(600_000) });
  for (let n = 0; n < 3; n++) fixture.step((ctx) => fixture.queue.send("a", { kind: "command", body }, ctx));
  fixture.store();
  const next = fixture.restart();
  next.connect("a");
  check.equal(next.loads.map((keys) => keys.length), [1, 1, 1]);
});

test("QU19 the work of a delivery does not grow with the length of the queue", () => {
  const work = (waiting: number) => {
    const fixture = new QueueFixture({ ack_window: 1, per_recipient: 1e6 });
    for (const n of upTo(waiting)) fixture.send("a", n);
    const peer = fixture.connect("a", true);
    const before = fixture.effects.length;
    for (let n = 0; n < 50; n++) fixture.ack("a", fixture.frames(peer).at(-1)?.id);
    return fixture.effects.length - before;
  };
  check.equal(work(5_000), work(100));
});

test("QU20 a failed load is repeated after queue.retry, and nothing is lost", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  const next = fixture.restart();
  next.step((ctx) => next.queue.connect("a", { peer: next.connect("b"), acks: false }, ctx));
  next.failLoads();
  next.advance(QUEUE.retry - 1);
  check.equal(next.sent, []);
  next.advance(1);
  check.equal(next.sent.map(({ frame }) => frame.n), [1]);
});

test("QU21 dead letters are limited in number and age, and survive a restart", () => {
  const fixture = new QueueFixture({ dead_letters: 2, ttl: { ...QUEUE.ttl, command: 10 } });
  for (const n of upTo(3)) {
    fixture.send("a", n);
    fixture.advance(10);
  }
  check.equal([fixture.queue.deadLetters.size, fixture.keys("dead").length], [2, 2]);
  const next = fixture.restart();
  check.equal(next.queue.deadLetters.size, 2);
  next.advance(QUEUE.dead_letter_ttl);
  check.equal([next.queue.deadLetters.size, next.keys("dead").length], [0, 0]);
});

test("QU22 an entry that is stored in both places after a crash is a dead letter", () => {
  const fixture = new QueueFixture({ ttl: { ...QUEUE.ttl, command: 10 } });
  fixture.send("a", 1);
  const [entry = rawKey("")] = fixture.keys("queue");
  const value = fixture.stored.get(entry) ?? null;
  fixture.advance(10);
  fixture.stored.set(entry, value);
  const next = fixture.restart();
  next.store();
  check.equal(next.keys("queue"), []);
  check.equal(next.numbers(next.connect("a")), []);
  check.equal(next.queue.deadLetters.size, 1);
});

test("QU22b a dead letter that a kill has torn is written again from its entry, which is deleted only then", () => {
  const fixture = new QueueFixture({ ttl: { ...QUEUE.ttl, command: 10 } });
  fixture.send("a", 1);
  const [entry = rawKey("")] = fixture.keys("queue");
  const value = fixture.stored.get(entry) ?? null;
  fixture.advance(10);
  const [torn = rawKey("")] = fixture.keys("dead");
  fixture.stored.set(entry, value);
  fixture.stored.set(torn, null);
  const next = fixture.restart();
  check.equal(next.keys("queue"), [entry], "the entry stays stored until the letter was read");
  check.equal(next.queue.deadLetters.size, 1);
  next.store();
  check.equal(next.keys("queue"), [entry]);
  next.advance(1);
  const letters = next.keys("dead").filter((key) => key !== torn).map((key) => next.stored.get(key));
  check.equal(letters.map((letter) => isObject(letter) && [letter.why, letter.body]), [["expired", '{"n":1}']]);
  check.equal(next.keys("queue"), []);
  check.equal(next.numbers(next.connect("a")), [], "the entry was given up before");
});

test("QU22c an entry is deleted only after its dead letter has been read back", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a", true);
  fixture.send("a", 1);
  fixture.advance(QUEUE.settle);
  const [entry = rawKey("")] = fixture.keys("queue");
  fixture.step((ctx) => fixture.queue.term("a", String(fixture.frames(peer)[0]?.id), ctx));
  const written = fixture.effects.findLast((effect) => effect.do === "put");
  check.that(written?.do === "put");
  fixture.endWrite(written.key, written.value);
  check.equal([fixture.keys("queue"), fixture.loads.at(-1)], [[entry], [written.key]]);
  fixture.store();
  check.equal(fixture.keys("queue"), []);
});

test("QU21b a dead letter whose load or write failed stays listed and is written later", () => {
  for (const fault of ["load", "write"] as const) {
    const fixture = new QueueFixture({ ttl: { ...QUEUE.ttl, command: 10 } });
    fixture.send("a", 1);
    const [entry = rawKey("")] = fixture.keys("queue");
    if (fault === "load") fixture.unreadable.add(entry);
    else fixture.isFailing = true;
    fixture.advance(10);
    check.equal([...fixture.queue.deadLetters.all()].map(({ reason }) => reason), ["expired"], fault);
    check.equal([fixture.keys("queue"), fixture.keys("dead")], [[entry], []], fault);
    fixture.unreadable.clear();
    fixture.isFailing = false;
    fixture.advance(QUEUE.retry);
    check.equal([fixture.keys("queue").length, fixture.keys("dead").length, fixture.queue.deadLetters.size], [0, 1, 1]);
  }
});

test("QU17b an entry that cannot be read is reported and skipped, and does not block those behind it", () => {
  const fixture = new QueueFixture();
  for (const n of upTo(4)) fixture.send("a", n);
  const [, second = rawKey("")] = fixture.keys("queue");
  const next = fixture.restart();
  next.unreadable.add(second);
  const peer = next.connect("a");
  check.equal(next.numbers(peer), []);
  for (let attempt = 0; attempt <= LOAD_ATTEMPTS_MAX; attempt++) next.advance(QUEUE.retry);
  check.equal(next.numbers(peer), [1, 3, 4]);
  check.equal(next.observed("entry_quarantined").map((observation) => "key" in observation && observation.key), [second]);
  check.equal(next.observed("store_failed").map((observation) => "key" in observation && observation.key), [second]);
  check.that(next.stored.has(second), "it stays stored for a person to inspect");
});

test("QU17c while no entry can be read, none is skipped", () => {
  const fixture = new QueueFixture();
  for (const n of upTo(3)) fixture.send("a", n);
  const next = fixture.restart();
  for (const key of next.keys("queue")) next.unreadable.add(key);
  const peer = next.connect("a");
  for (let attempt = 0; attempt < 20; attempt++) next.advance(QUEUE.retry);
  next.unreadable.clear();
  next.advance(QUEUE.retry);
  check.equal(next.numbers(peer), [1, 2, 3]);
  check.equal(next.observed("entry_quarantined"), []);
});

test("QU17d a single unreadable entry is skipped once another message was stored behind it", () => {
  const fixture = new QueueFixture();
  fixture.send("a", 1);
  const [first = rawKey("")] = fixture.keys("queue");
  const next = fixture.restart();
  next.unreadable.add(first);
  const peer = next.connect("a");
  for (let attempt = 0; attempt < 5; attempt++) next.advance(QUEUE.retry);
  check.equal(next.observed("entry_quarantined"), []);
  next.send("a", 2);
  next.advance(2 * QUEUE.retry);
  check.equal(next.numbers(peer), [2]);
});

test("QU23 during backpressure messages are stored, and they are sent once it ends", () => {
  const fixture = new QueueFixture();
  const peer = fixture.connect("a");
  fixture.step((ctx) => fixture.queue.setBackpressure("a", true, ctx));
  fixture.send("a", 1);
  fixture.advance(DAY / 2);
  check.equal([fixture.numbers(peer), fixture.keys("queue").length], [[], 1]);
  fixture.step((ctx) => fixture.queue.setBackpressure("a", false, ctx));
  fixture.store();
  check.equal(fixture.numbers(peer), [1]);
});

test("QU24 recipients are kept apart, whatever their names are", () => {
  const fixture = new QueueFixture();
  const names = ["__proto__", "constructor", "a/b", "a", "A", "שלום", "x".repeat(10_000), "../../etc/passwd", ""];
  names.forEach((name, n) => fixture.send(name, n));
  check.equal(fixture.queue.recipients.depths().map(({ name }) => name), names);
  const next = fixture.restart();
  check.equal(names.map((name) => next.numbers(next.connect(name))), names.map((_, n) => [n]));
});

test("QU25b an entry that was queued while the clock was beyond the year 2286 survives restarts, and the order is kept", () => {
  const before = new QueueFixture();
  before.send("a", 1);
  const epoch = Date.UTC(2300, 0);
  const after = new QueueFixture({}, { stored: before.stored, now: before.now, epoch });
  for (const n of [2, 3]) after.send("a", n);
  const next = new QueueFixture({}, { stored: after.stored, now: after.now, epoch: epoch + 1 });
  check.equal(next.observed("entry_quarantined"), []);
  const peer = next.connect("a", true);
  check.equal(next.numbers(peer), [1, 2, 3]);
  next.step((ctx) => next.queue.nak("a", { id: String(next.frames(peer)[0]?.id), delayMs: 1 }, ctx));
  next.advance(1);
  check.equal(next.numbers(peer), [1, 2, 3, 1, 2, 3]);
});

test("QU25 a key describes its entry and is read back unchanged", () => {
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

test("QU95 a recipient has at most `queue.per_recipient_bytes` in flight, with and without acks", () => {
  for (const acks of [true, false]) {
    const fixture = new QueueFixture({ per_recipient_bytes: 100_000, ack_window: 1_000 });
    fixture.connect("a", acks);
    for (const n of upTo(20)) {
      fixture.step((ctx) => fixture.queue.send("a", { kind: "command", body: bodyOf(n, 20_000) }, ctx));
    }
    check.equal(fixture.sent.length, 5, `acks: ${acks}`);
  }
});

test("QU96 dead letters occupy at most `queue.total_bytes`; the oldest are dropped first", () => {
  const fixture = new QueueFixture({ total_bytes: 100_000, ttl: { ...QUEUE.ttl, command: 10 } });
  for (const n of upTo(20)) {
    fixture.step((ctx) => fixture.queue.send("a", { kind: "command", body: bodyOf(n, 20_000) }, ctx));
    fixture.advance(10);
  }
  check.equal([fixture.queue.deadLetters.size, fixture.keys("dead").length], [4, 4]);
  const next = fixture.restart();
  next.step((ctx) => next.queue.send("a", { kind: "command", body: bodyOf(21, 20_000) }, ctx));
  next.advance(10);
  check.equal([next.queue.deadLetters.size, next.keys("dead").length], [4, 4], "those of an earlier process count");
});

const bodyOf = (n: number, length: number): string => JSON.stringify({ n, text: "x".repeat(length) });
