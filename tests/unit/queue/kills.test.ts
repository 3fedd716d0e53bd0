/** Kills during the life of dead letters, and random refusals: no message is lost, and nothing is dropped for one that is refused. */
import { test } from "#runner";
import fc from "fast-check";
import { isObject, type Json } from "../../../src/core/json.ts";
import { bodyOf } from "../../../src/queue/entry.ts";
import { check } from "../../harness/check.ts";
import { QUEUE, QueueFixture } from "./fixture.ts";

const SETTINGS = { ...QUEUE, ttl: { ...QUEUE.ttl, command: 5_000 }, max_attempts: 2 };

/** Four messages: one is refused by its recipient, one is never acked, and two expire. */
function live(fixture: QueueFixture): void {
  for (const n of [1, 2]) fixture.send("a", n);
  const peer = fixture.connect("a", true);
  fixture.step((ctx) => fixture.queue.term("a", String(fixture.frames(peer)[0]?.id), ctx));
  fixture.store();
  fixture.disconnect("a");
  for (const n of [3, 4]) fixture.send("b", n);
  fixture.advance(SETTINGS.ttl.command);
}

/** The numbers of the messages that can be read from the store. */
function storedNumbers({ stored }: QueueFixture): Json[] {
  const numbers = [...stored.values()].flatMap((value) => {
    const body = isObject(value) && typeof value.id === "string" ? bodyOf(value, value.id) : undefined;
    return body === undefined ? [] : [JSON.parse(body).n];
  });
  return [...new Set(numbers)].sort();
}

/** The numbers of the messages whose writes had ended before the kill. */
const queued = (fixture: QueueFixture): number => fixture.observations.filter(({ is }) => is === "message_queued").length;

test("QU22b QU22c a kill after any effect loses no queued message, also if it tears the writes under way", () => {
  const whole = new QueueFixture(SETTINGS);
  live(whole);
  check.that(whole.effects.length > 20);
  for (let kill = 1; kill <= whole.effects.length; kill++) {
    for (const torn of [false, true]) {
      const fixture = new QueueFixture(SETTINGS, { effectsMax: kill });
      live(fixture);
      const next = fixture.restartAfterKill({ torn });
      next.store();
      next.advance(SETTINGS.ttl.command + 10);
      const claim = `killed after effect ${kill}, torn: ${torn}, ${JSON.stringify(whole.effects[kill - 1])}`;
      const expected = Array.from({ length: queued(fixture) }, (_, at) => at + 1);
      check.that(expected.every((n) => storedNumbers(next).includes(n)), `${claim}: ${storedNumbers(next)}`);
      check.equal(next.keys("queue").filter((key) => next.stored.get(key) !== null), [], claim);
    }
  }
});

test("QU15b a message that is refused drops nothing, whatever is queued", () => {
  const limit = fc.integer({ min: 1, max: 5 });
  const message = fc.record({ to: fc.constantFrom("a", "b", "c"), length: fc.nat(40) });
  fc.assert(
    fc.property(fc.record({ per_recipient: limit, total: limit }), fc.array(message, { maxLength: 30 }), (limits, all) => {
      const bytes = { per_recipient_bytes: limits.per_recipient * 30, total_bytes: limits.total * 30 };
      const fixture = new QueueFixture({ ...limits, ...bytes, when_full: "drop-oldest" });
      for (const { to, length } of all) {
        const before = fixture.keys("queue");
        const body = JSON.stringify({ text: "x".repeat(length) });
        const sent = fixture.step((ctx) => fixture.queue.send(to, { kind: "command", body }, ctx));
        fixture.store();
        if (!sent.ok) check.equal(fixture.keys("queue"), before);
        check.that(fixture.queue.recipients.entries <= limits.total && fixture.queue.recipients.bytes <= bytes.total_bytes);
      }
    }),
  );
});
