/** The writer: each write is settled once and in time, whatever the store does. */
import { test } from "#runner";
import { Panic } from "../../../src/core/assert.ts";
import { type Key, rawKey } from "../../../src/core/ids.ts";
import { WRITES_IN_FLIGHT_MAX } from "../../../src/core/limits.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { Writer } from "../../../src/engine/writer.ts";
import { yieldToTasks } from "../../../src/testing/clock.ts";
import { check } from "../../harness/check.ts";

interface Asked {
  readonly what: string;
  readonly land: () => void;
  readonly fail: (why: string) => void;
  readonly refuse: () => void;
}

const NOTHING: Asked = { what: "nothing", land: () => {}, fail: () => {}, refuse: () => {} };

/** A store whose operations are settled by the test. */
function setUp() {
  const asked: Asked[] = [];
  const outcomes: string[] = [];
  let now = 0;
  const ask = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(why));
      asked.push({ what, land: resolve, fail, refuse: () => reject(new Panic("key written twice")) });
    });
  const store: Store = {
    put: (key) => ask(`put ${key}`),
    delete: (key) => ask(`delete ${key}`),
    keys: () => Promise.resolve([]),
    read: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
  const writer = new Writer(store, {
    deadline: (times = 1) => now + times * 2_000,
    stored: (key) => outcomes.push(`stored ${key}`),
    failed: (key, reason) => outcomes.push(`failed ${key}: ${reason}`),
    deleteFailed: (key, reason) => outcomes.push(`delete failed ${key}: ${reason}`),
    deadlineChanged: () => {},
  });
  const at = (index: number): Asked => asked[index] ?? NOTHING;
  return {
    writer,
    outcomes,
    at,
    whatIsAsked: () => asked.map(({ what }) => what),
    tick: (ms: number) => writer.tick(now = ms),
    land: async (index: number) => (at(index).land(), await yieldToTasks()),
    fail: async (index: number) => (at(index).fail("no"), await yieldToTasks()),
  };
}

const a: Key = rawKey("neuro/a");

test("a put that lands is stored, and is pending until then", async () => {
  const { writer, outcomes, land } = setUp();
  writer.put(a, 1);
  check.that(writer.isPending(a));
  await land(0);
  check.equal([outcomes, writer.isPending(a)], [["stored neuro/a"], false]);
  check.equal(writer.nextDeadline(), undefined);
});

test("a put that fails is reported, and the entry that it may have left is deleted", async () => {
  const { writer, outcomes, fail, whatIsAsked } = setUp();
  writer.put(a, 1);
  await fail(0);
  check.equal(outcomes, ["failed neuro/a: no"]);
  check.equal(whatIsAsked(), ["put neuro/a", "delete neuro/a"]);
});

test("a put that hangs fails at its deadline, and its entry is deleted if it is written later", async () => {
  const { writer, outcomes, tick, land, whatIsAsked } = setUp();
  writer.put(a, 1);
  check.equal(writer.nextDeadline(), 2_000);
  tick(1_999);
  check.equal(outcomes, []);
  tick(2_000);
  check.equal(outcomes, ["failed neuro/a: the store took too long"]);
  await land(0);
  check.equal(outcomes.length, 1, "it is settled once");
  check.equal(whatIsAsked(), ["put neuro/a", "delete neuro/a"]);
});

test("the delete of a key follows its put, even if it is requested before the put is done", async () => {
  const { writer, outcomes, land, whatIsAsked } = setUp();
  writer.put(a, 1);
  writer.delete(a);
  check.equal(whatIsAsked(), ["put neuro/a"]);
  await land(0);
  check.equal(outcomes, ["stored neuro/a"]);
  check.equal(whatIsAsked(), ["put neuro/a", "delete neuro/a"]);
});

test("a delete that fails is retried with a growing delay until it succeeds, and reported once", async () => {
  const { writer, outcomes, tick, fail, land, whatIsAsked } = setUp();
  writer.delete(a);
  const asked: number[] = [];
  for (let seconds = 0; seconds <= 200; seconds += 2) {
    tick(seconds * 1_000);
    if (whatIsAsked().length > asked.length) {
      await fail(asked.length);
      asked.push(seconds);
    }
  }
  check.equal(asked, [0, 2, 6, 14, 30, 62, 126, 190]);
  check.equal(outcomes, ["delete failed neuro/a: no"]);
  tick(300_000);
  await land(asked.length);
  check.equal(whatIsAsked(), Array(asked.length + 1).fill("delete neuro/a"));
  check.equal(writer.nextDeadline(), undefined);
});

test("at most the allowed number of writes is pending in the store; the next begins when one ends", async () => {
  const { writer, land, whatIsAsked } = setUp();
  for (let n = 0; n < WRITES_IN_FLIGHT_MAX; n++) writer.put(rawKey(`neuro/${n}`), n);
  writer.delete(a);
  writer.put(rawKey("neuro/last"), 1);
  check.equal(whatIsAsked().length, WRITES_IN_FLIGHT_MAX);
  await land(3);
  check.equal(whatIsAsked().slice(WRITES_IN_FLIGHT_MAX), ["delete neuro/a"]);
  await land(4);
  check.equal(whatIsAsked().slice(WRITES_IN_FLIGHT_MAX), ["delete neuro/a", "put neuro/last"]);
});

test("a put that was given up before its turn came is never begun, a delete always is", async () => {
  const { writer, tick, land, whatIsAsked } = setUp();
  for (let n = 0; n < WRITES_IN_FLIGHT_MAX; n++) writer.put(rawKey(`neuro/${n}`), n);
  writer.put(rawKey("neuro/late"), 1);
  writer.delete(a);
  tick(2_000);
  await land(0);
  check.equal(whatIsAsked().slice(WRITES_IN_FLIGHT_MAX), ["delete neuro/a"]);
});

test("writing a key that is still being written is our own mistake", () => {
  const { writer } = setUp();
  writer.put(a, 1);
  check.throws(() => writer.put(a, 2), /key written twice/);
});

test("a key that exists is refused, and its first value stays", async () => {
  const { writer, outcomes, at, land, whatIsAsked } = setUp();
  writer.put(a, 1);
  await land(0);
  writer.put(a, 2);
  at(1).refuse();
  await yieldToTasks();
  check.equal(outcomes, ["stored neuro/a", "failed neuro/a: key written twice"]);
  check.equal(whatIsAsked(), ["put neuro/a", "put neuro/a"], "nothing is deleted");
});

test("idle waits for the writes with its prefix only, and not for abandoned ones", async () => {
  const { writer, land, tick } = setUp();
  const idle: string[] = [];
  writer.put(a, 1);
  writer.put(rawKey("brain/b"), 1);
  writer.idle("neuro/").then(() => idle.push("neuro"));
  writer.idle().then(() => idle.push("all"));
  await yieldToTasks();
  check.equal(idle, []);
  await land(0);
  check.equal(idle, ["neuro"]);
  tick(2_000);
  await yieldToTasks();
  check.equal(idle, ["neuro", "all"]);
});

test("QU97 the writes of one service do not wait for those of another, however many there are", () => {
  const { writer, whatIsAsked } = setUp();
  for (let n = 0; n < 10 * WRITES_IN_FLIGHT_MAX; n++) writer.put(rawKey(`brain/${n}`), n);
  writer.put(rawKey("neuro/controls"), 1);
  check.equal(whatIsAsked().length, WRITES_IN_FLIGHT_MAX + 1);
  check.equal(whatIsAsked().at(-1), "put neuro/controls");
});
