import { test } from "#runner";
import { isObject, type Json } from "../../../../../src/core/json.ts";
import { CHANGE_NOTICE_MS } from "../../../../../src/core/limits.ts";
import { SERVICE_NAMES, type ServiceName } from "../../../../../src/core/service.ts";
import { intermediary } from "../../../../../src/services/intermediary/mod.ts";
import { TEST_CONNECTION } from "../../../../../src/testing/service-harness.ts";
import { check } from "../../../../harness/check.ts";
import { IntermediaryFixture } from "../fixture.ts";

const change = (fixture: IntermediaryFixture, service: ServiceName): void =>
  fixture.receive({ is: "serviceChanged", service });

/** The services of each notice. */
const noticesIn = (frames: readonly Json[]): Json[] =>
  frames.flatMap((frame) => (isObject(frame) && frame.event === "changed" ? [frame.services ?? null] : []));

function subscribed(more: object = {}) {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { changes: true, ...more } });
  fixture.received(watcher);
  return { fixture, watcher, notices: () => noticesIn(fixture.received(watcher)) };
}

test("IM125 a notice names all services that changed, once, 200 ms after the first change, and then again only after another change", () => {
  const { fixture, notices } = subscribed();
  change(fixture, "neuro");
  fixture.advance(CHANGE_NOTICE_MS - 1);
  change(fixture, "intermediary");
  change(fixture, "neuro");
  check.equal(notices(), []);
  fixture.advance(1);
  check.equal(notices(), [["neuro", "intermediary"]]);
  fixture.advance(60_000);
  check.equal(notices(), []);
  change(fixture, "brain");
  fixture.advance(CHANGE_NOTICE_MS);
  check.equal(notices(), [["brain"]]);
});

test("IM125 a service is wanted only while a watcher asks for changes and has it in no notice that waits", () => {
  const { fixture, watcher } = subscribed();
  const isWanted = (service: ServiceName) => intermediary.wantsChange?.(fixture.harness.state, service);
  check.equal([isWanted("neuro"), isWanted("brain")], [true, true]);
  change(fixture, "neuro");
  check.equal([isWanted("neuro"), isWanted("brain")], [false, true]);
  fixture.advance(CHANGE_NOTICE_MS);
  check.equal(isWanted("neuro"), true);
  change(fixture, "neuro");
  const other = fixture.watcher("other");
  check.equal(isWanted("neuro"), false);
  fixture.frame(other, { subscribe: { changes: true } });
  check.equal(isWanted("neuro"), true, "the other one has not heard of it");
  fixture.close(other);
  fixture.frame(watcher, { subscribe: {} });
  check.equal(isWanted("neuro"), false, "a subscription without `changes` ends it");
});

test("IM125b notices do not use the rate, and a watcher that does not ask gets none", () => {
  const { fixture, notices } = subscribed({ rate: 1, events: [] });
  const silent = fixture.watcher("silent");
  fixture.received(silent);
  for (let n = 0; n < 3; n++) {
    change(fixture, "neuro");
    fixture.advance(CHANGE_NOTICE_MS);
  }
  check.equal(notices(), [["neuro"], ["neuro"], ["neuro"]]);
  check.equal(noticesIn(fixture.received(silent)), []);
});

test("IM125c a watcher under backpressure gets one notice of all that changed when its socket is relieved", () => {
  const { fixture, watcher, notices } = subscribed();
  fixture.step({ is: "backpressure", peer: watcher });
  for (const service of ["neuro", "brain"] as const) {
    change(fixture, service);
    fixture.advance(10 * CHANGE_NOTICE_MS);
  }
  check.equal(notices(), []);
  fixture.step({ is: "relieved", peer: watcher });
  fixture.advance(0);
  check.equal(notices(), [["neuro", "brain"]]);
});

test("IM125d the subscription is kept while the service is rebuilt or sleeps; after a rebuild all services may have changed", () => {
  const { fixture, watcher } = subscribed();
  const attachment = fixture.attached.get(watcher) ?? null;
  const resumed = [{ peer: watcher, listener: "intermediary" as const, connection: TEST_CONNECTION, attachment }];
  const rebuilt = fixture.restart({ resumed });
  check.equal(noticesIn(rebuilt.received(watcher)), [SERVICE_NAMES]);
  change(rebuilt, "neuro");
  rebuilt.advance(CHANGE_NOTICE_MS);
  check.equal(noticesIn(rebuilt.received(watcher)), [["neuro"]]);
});

test("IM121b `changes` must be true or false", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { changes: "yes" } });
  const [reply] = fixture.repliesTo(watcher);
  check.equal(isObject(reply) && [reply.error, reply.hint], [
    "invalid subscribe",
    '`subscribe.changes` must be true or false, not "yes"',
  ]);
});
