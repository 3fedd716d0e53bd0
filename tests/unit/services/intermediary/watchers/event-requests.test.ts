import { test } from "#runner";
import { isObject, type JsonObject } from "../../../../../src/core/json.ts";
import { EVENT_BUFFER_MS } from "../../../../../src/core/limits.ts";
import type { Observation } from "../../../../../src/core/observation.ts";
import type { EventRequest } from "../../../../../src/core/request.ts";
import type { EventPage, WatcherView } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { IntermediaryFixture } from "../fixture.ts";

const message = (from: string, n: number): Observation => ({ is: "integration_message", from, payload: n });

class EventsFixture extends IntermediaryFixture {
  note(observation: Observation): void {
    this.receive({ is: "observed", observation });
  }

  /** The reply to a request for events; undefined while it waits. */
  ask(request: Partial<EventRequest> = {}): EventPage | undefined {
    const reply = this.request({ of: "intermediary", get: "events", limit: 100, ...request });
    return reply as unknown as EventPage | undefined; // Why the cast: the type of the reply follows from the request.
  }

  page(request: Partial<EventRequest> = {}): EventPage {
    const page = this.ask(request);
    check.that(page !== undefined, "it is answered at once");
    return page;
  }
}

const payloadsOf = ({ items }: EventPage) => items.map(({ payload }) => payload ?? null);

test("IM37c events are read page by page with the cursor, and none is lost or comes twice", () => {
  const fixture = new EventsFixture();
  const { cursor: start } = fixture.page({ limit: 0 });
  for (let n = 1; n <= 5; n++) fixture.note(message("lamp", n));
  const first = fixture.page({ after: start, limit: 2 });
  check.equal([payloadsOf(first), first.missed], [[1, 2], 0]);
  const second = fixture.page({ after: first.cursor, limit: 2 });
  fixture.note(message("lamp", 6));
  const third = fixture.page({ after: second.cursor });
  check.equal([payloadsOf(second), payloadsOf(third)], [[3, 4], [5, 6]]);
  check.equal(fixture.page({ after: third.cursor }), { items: [], cursor: third.cursor, missed: 0 });
  check.equal(payloadsOf(fixture.page({ limit: 2 })), [5, 6], "without a cursor: the latest ones");
});

test("IM37c a cursor whose events are gone, and one of another relay, say that events may be missing", () => {
  const fixture = new EventsFixture();
  const { cursor } = fixture.page();
  fixture.advance(EVENT_BUFFER_MS + 1);
  fixture.note(message("lamp", 1));
  check.equal(fixture.page({ after: cursor }).missed, null);
  fixture.note(message("lamp", 2));
  const future = fixture.page({ after: "9999999999999-0000000001" });
  check.equal([payloadsOf(future), future.missed], [[2], null]);
});

test("IM37d events are filtered by name and by integration", () => {
  const fixture = new EventsFixture();
  fixture.page();
  fixture.note(message("lamp", 1));
  fixture.note(message("fan", 2));
  fixture.note({ is: "action_sent", id: "1", name: "x", to: ["Lamp"], slugs: ["lamp"], forced: false, data: undefined });
  const names = (request: Partial<EventRequest>) => fixture.page(request).items.map(({ event, from }) => from ?? event);
  check.equal(names({ integration: "lamp" }), ["lamp", "action_sent"]);
  check.equal(names({ integration: "Lamp" }), ["action_sent"]);
  check.equal(names({ events: ["integration_message"] }), ["lamp", "fan"]);
  check.equal(names({ events: ["integration_message"], integration: "fan", limit: 1 }), ["fan"]);
  check.equal(names({ events: ["no_such_event"] }), []);
});

test("IM37e a request that waits is answered by the first event that it wants, or after its time", () => {
  const fixture = new EventsFixture();
  const { cursor: after } = fixture.page();
  const id = "call-2";
  check.equal(fixture.ask({ after, wait: 1_000, integration: "fan" }), undefined);
  fixture.note(message("lamp", 1));
  const reply = (): JsonObject | undefined => {
    const found = [...fixture.responses].find(([key]) => String(key) === id)?.[1];
    return isObject(found) ? found : undefined;
  };
  check.equal(reply(), undefined, "another integration");
  fixture.advance(900);
  fixture.note(message("fan", 2));
  check.equal(payloadsOf(reply() as unknown as EventPage), [2]);
  const { cursor } = fixture.page();
  check.equal(fixture.ask({ after: cursor, wait: 1_000 }), undefined);
  fixture.advance(999);
  check.equal(fixture.responses.size, 3);
  fixture.advance(1);
  const last = [...fixture.responses.values()].at(-1);
  check.that(isObject(last));
  check.equal([last.items, last.missed], [[], 0]);
});

test("IM37e while draining nothing waits for events", () => {
  const fixture = new EventsFixture();
  const { cursor: after } = fixture.page();
  check.equal(fixture.ask({ after, wait: 1_000 }), undefined);
  fixture.step({ is: "draining", until: fixture.harness.now + 1_000 });
  check.equal(fixture.responses.size, 2);
});

test("IM37f watchers are listed with their token, their scopes and what they get, and without credentials", () => {
  const fixture = new EventsFixture();
  const watcher = fixture.watcher();
  fixture.integration("lamp");
  fixture.frame(watcher, { subscribe: { events: ["add_context"], rate: 5 } });
  const reply = fixture.request({ of: "intermediary", get: "watchers" });
  check.that(isObject(reply) && Array.isArray(reply.items));
  const [one, ...others] = reply.items as unknown as WatcherView[];
  check.equal(others, []);
  check.equal([one?.via, one?.events, one?.rate], ["socket", ["add_context"], 5]);
  check.that((one?.token ?? "") !== "" && one?.scopes.includes("watch") === true);
  check.equal(/digest|session|auth/.test(JSON.stringify(reply)), false);
});
