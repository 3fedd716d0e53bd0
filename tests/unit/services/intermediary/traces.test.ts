/** Traces of commands: their path through the queue of their recipient. */
import { test } from "#runner";
import { isObject, type JsonObject } from "../../../../src/core/json.ts";
import type { TraceFilter, TraceView } from "../../../../src/core/traces/trace.ts";
import type { Page } from "../../../../src/core/view.ts";
import { check } from "../../../harness/check.ts";
import { IntermediaryFixture, SETTINGS } from "./fixture.ts";

// Why the casts, here and below: a reply is any JSON.
const tracesIn = (fixture: IntermediaryFixture, filter: TraceFilter = {}): readonly TraceView[] =>
  (fixture.request({ of: "intermediary", get: "traces", ...filter }) as unknown as Page<TraceView>).items;

function last(fixture: IntermediaryFixture, filter: TraceFilter = {}): TraceView {
  const [newest] = tracesIn(fixture, filter);
  check.that(newest !== undefined);
  return newest;
}

const path = ({ received_at, steps }: TraceView): readonly string[] =>
  steps.map(({ at, is, who, what }) => [`+${at - received_at}`, is, who, what].filter((part) => part !== null).join(" "));

function situation(more: JsonObject = {}) {
  const fixture = new IntermediaryFixture();
  return { fixture, watcher: fixture.watcher("os"), lamp: fixture.integration("lamp", more) };
}

test("TR10 the trace of a command has its watcher, its text and its path to its recipient", () => {
  const { fixture, watcher, lamp } = situation({ ack: true });
  fixture.frame(watcher, { target: "lamp", cmd: { on: true } });
  const open = last(fixture, { state: "open" });
  check.equal([open.kind, open.names, open.integrations, open.outcome], ["command", ["lamp"], [], null]);
  check.equal([open.texts, path(open)], [{ command: '{"from_watcher":"os","cmd":{"on":true}}' }, [
    "+0 received os",
    "+0 sent lamp",
  ]]);
  fixture.advance(50);
  fixture.frame(lamp, { ack: open.id });
  const ended = last(fixture);
  check.equal([ended.id, ended.state, ended.outcome, ended.ms], [open.id, "ended", "acknowledged", 50]);
  check.equal(path(ended), ["+0 received os", "+0 sent lamp", "+50 answered lamp ack", "+50 ended acknowledged"]);
  check.equal(fixture.request({ of: "intermediary", get: "trace", id: open.id }) as unknown, ended);
  check.equal(fixture.request({ of: "intermediary", get: "trace", id: "1-1" }), { fault: "notFound" });
});

test("TR11 a command that waits says for what, and each attempt and its end are in the path", () => {
  const { fixture, watcher, lamp } = situation();
  fixture.close(lamp);
  fixture.frame(watcher, { target: "lamp", cmd: 1 });
  fixture.frame(watcher, { target: "lamp", cmd: 2 });
  const [second, first] = tracesIn(fixture);
  check.equal([first, second].map((each) => each && path(each)), [
    ["+0 received", "+0 waiting integration_away"],
    ["+0 received", "+0 waiting integration_away"],
  ]);
  fixture.advance(1_000);
  const again = fixture.integration("lamp", { ack: true }, "back");
  check.equal(last(fixture).texts.command, '{"from_watcher":"os","cmd":2}');
  fixture.frame(again, { nak: first?.id, delay_ms: 500 });
  fixture.advance(500);
  fixture.frame(again, { ack: first?.id });
  fixture.frame(again, { term: second?.id });
  const [terminated, acknowledged] = tracesIn(fixture);
  check.equal(acknowledged && path(acknowledged), [
    "+0 received os",
    "+0 waiting integration_away",
    "+1000 sent lamp",
    "+1500 sent lamp attempt 2",
    "+1500 answered lamp ack",
    "+1500 ended acknowledged",
  ]);
  check.equal([terminated?.outcome, terminated && path(terminated).at(-1)], ["dead", "+1500 ended terminated"]);
  fixture.close(again);
  fixture.frame(watcher, { target: "lamp", cmd: 3 });
  fixture.advance(SETTINGS.queue.ttl.command);
  check.equal([last(fixture).outcome, path(last(fixture)).at(-1)?.split(" ").slice(1)], ["dead", ["ended", "expired"]]);
});

test("TR12 commands are listed by their recipient's name; without acks the end is `delivered`", () => {
  const { fixture, watcher } = situation();
  fixture.integration("fan");
  fixture.frame(watcher, { target: "lamp", cmd: 1 });
  fixture.frame(watcher, { target: "fan", cmd: 2 });
  fixture.advance(SETTINGS.queue.settle);
  check.equal(tracesIn(fixture).map(({ names, outcome }) => [names[0], outcome]), [["fan", "delivered"], [
    "lamp",
    "delivered",
  ]]);
  check.equal(tracesIn(fixture, { integration: "lamp" }).length, 1);
  check.equal([tracesIn(fixture, { kind: "action" }), tracesIn(fixture, { action: "x" })], [[], []]);
  const settings = { ...SETTINGS, traces: { ...SETTINGS.traces, per_integration: 0 } };
  fixture.step({ is: "configured", settings });
  check.equal([tracesIn(fixture), fixture.harness.state.traces.retained.bytes], [[], 0]);
});

test("TR13 the event `trace_ended` goes to watchers that name it, and to no other", () => {
  const { fixture, watcher } = situation();
  const all = fixture.watcher("all");
  fixture.frame(watcher, { subscribe: { events: ["trace_ended"] } });
  for (const peer of [watcher, all]) fixture.eventsFor(peer);
  fixture.frame(all, { target: "lamp", cmd: 1 });
  fixture.advance(SETTINGS.queue.settle);
  const events = fixture.eventsFor(watcher);
  check.equal(events.map(({ event, trace }) => [event, isObject(trace) && trace.id]), [["trace_ended", last(fixture).id]]);
  check.equal(fixture.eventsFor(all).filter(({ event }) => event === "trace_ended"), []);
});

test("TR14 an integration that greets with `trace: true` gets the traces of its own commands", () => {
  for (const ack of [false, true]) {
    const { fixture, watcher, lamp } = situation({ trace: true, ack });
    fixture.integration("fan");
    fixture.received(lamp);
    fixture.frame(watcher, { target: "fan", cmd: 1 });
    fixture.frame(watcher, { target: "lamp", cmd: 2 });
    if (ack) fixture.frame(lamp, { ack: last(fixture, { integration: "lamp" }).id });
    else fixture.advance(SETTINGS.queue.settle);
    const events = fixture.received(lamp).filter((frame) => isObject(frame) && frame.event === "neuro-relay/trace");
    const [event] = events;
    check.that(isObject(event) && events.length === 1);
    check.equal(event.payload, { trace: last(fixture, { integration: "lamp" }) });
    check.equal(typeof event.id, ack ? "string" : "undefined");
  }
});
