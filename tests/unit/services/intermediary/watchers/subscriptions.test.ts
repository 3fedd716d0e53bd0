import { test } from "#runner";
import fc from "fast-check";
import type { PeerId } from "../../../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { EVENT_BUFFER_MAX, EVENT_BUFFER_MS } from "../../../../../src/core/limits.ts";
import type { Observation } from "../../../../../src/core/observation.ts";
import type { ChoiceRequest } from "../../../../../src/core/service-message.ts";
import { intermediary } from "../../../../../src/services/intermediary/mod.ts";
import { check } from "../../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture } from "../fixture.ts";

const fact = (n: number): Observation => ({ is: "integration_message", from: "a", payload: n });

const note = (fixture: IntermediaryFixture, what: Observation): void =>
  fixture.receive({ is: "observed", observation: what });

/** The payloads of events, and the numbers of gaps. */
const payloads = (frames: readonly Json[]): Json[] =>
  frames.flatMap((frame) => {
    if (!isObject(frame)) return [];
    if (frame.event === "gap") return [{ missed: frame.missed ?? null }];
    return frame.event === "integration_message" ? [frame.payload ?? null] : [];
  });

test("IM70 every event has a time and an id greater than the previous one", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  for (const n of [1, 2]) note(fixture, fact(n));
  const frames = fixture.received(watcher).filter(isObject);
  check.that(frames.every(({ id, at }) => /^\d{13}-\d{10}$/.test(String(id)) && at === fixture.harness.now));
  const ids = frames.map(({ id }) => String(id));
  check.equal(ids, [...new Set(ids)].sort());
});

test("IM71 observations of other services are events with the fields of the table", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.eventsFor(watcher);
  const rows: [Observation, JsonObject][] = [
    [{ is: "integration_connected_via_backend", name: "Chess", slug: "chess" }, { name: "Chess", integration_id: "chess" }],
    [{ is: "integration_disconnected_via_backend", name: "Chess" }, { name: "Chess" }],
    [{ is: "backend_message", payload: "{}" }, { payload: "{}" }],
    [
      {
        is: "force_opened",
        id: "f1",
        integration: "Chess",
        slug: "chess",
        query: "q",
        names: ["x"],
        priority: "low",
        waited: 3,
      },
      {
        force_id: "f1",
        integration: "Chess",
        integration_id: "chess",
        query: "q",
        actions: ["x"],
        priority: "low",
        waited_ms: 3,
      },
    ],
    [{ is: "force_ended", id: "f1", integration: "Chess", slug: "chess", end: "completed", ms: 9 }, {
      force_id: "f1",
      integration: "Chess",
      integration_id: "chess",
      end: "completed",
      ms: 9,
    }],
    [
      { is: "action_sent", id: "1", name: "x", to: ["Chess"], slugs: ["chess"], forced: true, data: undefined },
      { action_id: "1", name: "x", to: ["Chess"], to_ids: ["chess"], forced: true },
    ],
    [
      { is: "approval_wanted", id: "1", name: "x", to: ["Chess"], slugs: ["chess"], forced: false, data: "{}" },
      { action_id: "1", name: "x", to: ["Chess"], to_ids: ["chess"], forced: false, data: "{}" },
    ],
    [
      {
        is: "action_result",
        id: "1",
        name: "x",
        from: "Chess",
        slug: "chess",
        success: true,
        message: "m",
        ms: 5,
        origin: "game",
      },
      { action_id: "1", name: "x", from: "Chess", from_id: "chess", success: true, message: "m", ms: 5, origin: "game" },
    ],
    [
      { is: "context_dropped", id: "1", from: "Chess", slug: "chess" },
      { context_id: "1", from: "Chess", integration_id: "chess" },
    ],
    [
      { is: "operator_acted", by: "web", did: "control", to: "chess", outcome: "done" },
      { by: "web", did: "control", to: "chess", outcome: "done" },
    ],
    [{ is: "action_expired", id: "1", name: "x", to: ["Chess"] }, { action_id: "1", name: "x", to: ["Chess"] }],
    [{ is: "writes_suspended", service: "neuro" }, { service: "neuro" }],
    [{ is: "writes_resumed", service: "neuro" }, { service: "neuro" }],
    [{ is: "upstream_connected", upstream: "neuro", url: "ws://x" }, { upstream: "neuro", url: "ws://x" }],
    [{ is: "upstream_lost", upstream: "neuro", reason: "r", retry_ms: 5 }, { upstream: "neuro", reason: "r", retry_ms: 5 }],
    [{ is: "message_queued", to: "a", id: "7", kind: "command", depth: 1 }, {
      to: "a",
      message_id: "7",
      kind: "command",
      depth: 1,
    }],
    [{ is: "message_delivered", to: "a", id: "7", confirmed: true }, { to: "a", message_id: "7", confirmed: true }],
    [{ is: "message_dead", to: "a", id: "7", why: "expired" }, { to: "a", message_id: "7", why: "expired" }],
    [
      {
        is: "diagnostic",
        from: "a",
        slug: "a",
        what: "unregister_unknown",
        severity: "warning",
        detail: "x",
        count: 3,
        message: "m",
      },
      {
        from: "a",
        integration_id: "a",
        what: "unregister_unknown",
        severity: "warning",
        hint: "check the names: no such action was registered on this connection or before: x",
        count: 3,
        message: "m",
      },
    ],
    [{ is: "input_repaired", from: "a", what: "w", hint: "h" }, { from: "a", what: "w", hint: "h" }],
    [
      { is: "peer_closed_by_relay", from: "a", fault: "tooBig", reason: "r" },
      { from: "a", fault: "tooBig", reason: "r" },
    ],
    [
      { is: "input_refused", from: "a", fault: "tooBig", reason: "r" },
      { from: "a", fault: "tooBig", reason: "r" },
    ],
  ];
  for (const [what, fields] of rows) {
    note(fixture, what);
    check.equal(fixture.eventsFor(watcher), [{ event: what.is, ...fields }]);
  }
  note(fixture, { is: "store_failed", key: "k", reason: "r" });
  check.equal(fixture.eventsFor(watcher), [], "other observations are not events");
});

test("IM72 an observation handled here causes no other observation", () => {
  const fixture = new IntermediaryFixture();
  fixture.watcher();
  const before = fixture.observations.length;
  for (let n = 0; n < 100; n++) note(fixture, fact(n));
  check.equal(fixture.observations.length, before);
});

test("IM73 a watcher can subscribe to some events only", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  fixture.frame(watcher, { subscribe: { events: ["integration_connected"] }, request_id: 5 });
  check.equal(fixture.repliesTo(watcher), [{ status: "subscribed", events: ["integration_connected"], request_id: 5 }]);
  note(fixture, fact(1));
  fixture.integration("a");
  check.equal(fixture.eventsFor(watcher), [{ event: "integration_connected", name: "a" }]);
  fixture.frame(watcher, { subscribe: {} });
  fixture.received(watcher);
  note(fixture, fact(2));
  check.equal(fixture.eventsFor(watcher).length, 1, "without a list it gets all events");
});

test("IM74 a watcher resumes after the last event it got and misses nothing", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  note(fixture, fact(1));
  const last = fixture.received(watcher).at(-1);
  fixture.close(watcher);
  for (const n of [2, 3]) note(fixture, fact(n));
  const again = fixture.watcher("again");
  fixture.frame(again, { subscribe: { after: isObject(last) ? last.id : undefined } });
  fixture.advance(0);
  note(fixture, fact(4));
  check.equal(payloads(fixture.received(again)), [2, 3, 4]);
});

test("IM75 an unknown or outdated cursor yields a gap and then the recorded events", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const resume = (after: string) => {
    fixture.received(watcher);
    fixture.frame(watcher, { subscribe: { events: ["integration_message"], after } });
    fixture.advance(0);
    return payloads(fixture.received(watcher));
  };
  note(fixture, fact(1));
  for (const after of ["", "nonsense", "0000000000000-0000000005", "0000000000009-0000000001"]) {
    check.equal(resume(after), [{ missed: null }, 1]);
  }
});

test("IM75b events beyond the number or age limit of the buffer are a gap", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const [first] = fixture.received(watcher);
  const after = isObject(first) ? String(first.id) : "";
  for (let n = 0; n <= EVENT_BUFFER_MAX; n++) note(fixture, fact(n));
  fixture.received(watcher);
  fixture.frame(watcher, { subscribe: { after } });
  fixture.advance(0);
  const got = payloads(fixture.received(watcher));
  check.equal([got[0], got[1], got.length], [{ missed: null }, 1, EVENT_BUFFER_MAX + 1]);
  fixture.advance(EVENT_BUFFER_MS);
  fixture.frame(watcher, { subscribe: { after } });
  fixture.advance(0);
  check.equal(payloads(fixture.received(watcher)), [{ missed: null }]);
});

test("IM76 a watcher under backpressure gets nothing until it is relieved, then all events or a gap with their number", () => {
  const fixture = new IntermediaryFixture();
  const [slow, quick] = [fixture.watcher("slow"), fixture.watcher("quick")];
  for (const peer of [slow, quick]) fixture.received(peer);
  fixture.step({ is: "backpressure", peer: slow });
  for (let n = 1; n <= 3; n++) note(fixture, fact(n));
  check.equal([payloads(fixture.received(slow)), payloads(fixture.received(quick))], [[], [1, 2, 3]]);
  fixture.step({ is: "relieved", peer: slow });
  note(fixture, fact(4));
  fixture.advance(0);
  check.equal(payloads(fixture.received(slow)), [1, 2, 3, 4]);
  fixture.step({ is: "backpressure", peer: slow });
  for (let n = 1; n <= EVENT_BUFFER_MAX + 7; n++) note(fixture, fact(n));
  fixture.step({ is: "relieved", peer: slow });
  fixture.advance(0);
  const got = payloads(fixture.received(slow));
  check.equal([got[0], got[1], got.length], [{ missed: 7 }, 8, EVENT_BUFFER_MAX + 1]);
});

test("IM76b a watcher that is far behind gets events in batches", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  fixture.step({ is: "backpressure", peer: watcher });
  const large = "x".repeat(200_000);
  for (let n = 0; n < 4; n++) note(fixture, { is: "backend_message", payload: large });
  fixture.step({ is: "relieved", peer: watcher });
  fixture.step({ is: "tick" });
  check.equal(fixture.received(watcher).length, 2);
  fixture.step({ is: "tick" });
  check.equal(fixture.received(watcher).length, 2);
});

test("IM100 with a rate a watcher gets the first events of each second and a gap with the number of the others", () => {
  const fixture = new IntermediaryFixture();
  const [calm, eager] = [fixture.watcher("calm"), fixture.watcher("eager")];
  fixture.frame(calm, { subscribe: { rate: 2 } });
  for (const peer of [calm, eager]) fixture.received(peer);
  for (let n = 1; n <= 5; n++) note(fixture, fact(n));
  check.equal([payloads(fixture.received(calm)), payloads(fixture.received(eager))], [[1, 2], [1, 2, 3, 4, 5]]);
  fixture.advance(1_000);
  check.equal(payloads(fixture.received(calm)), [{ missed: 3 }]);
  for (let n = 6; n <= 7; n++) note(fixture, fact(n));
  fixture.advance(1_000);
  check.equal(payloads(fixture.received(calm)), [6, 7]);
});

test("IM100b skipped events are all counted when watchers connect, ask or leave in between", () => {
  const fixture = new IntermediaryFixture();
  const [one, other] = [fixture.watcher("one"), fixture.watcher("other")];
  fixture.frame(one, { subscribe: { rate: 1 } });
  fixture.frame(other, { subscribe: { rate: 2 } });
  for (const peer of [one, other]) fixture.received(peer);
  for (let n = 1; n <= 10; n++) note(fixture, fact(n));
  fixture.advance(400);
  for (let n = 11; n <= 20; n++) note(fixture, fact(n));
  const whole = fixture.watcher("whole");
  fixture.received(whole);
  for (let n = 21; n <= 30; n++) note(fixture, fact(n));
  check.equal(fixture.received(whole).length, 10);
  fixture.close(whole);
  for (let n = 31; n <= 40; n++) note(fixture, fact(n));
  fixture.advance(600);
  const sum = (seen: readonly Json[]) =>
    seen.filter(isObject).reduce((all, { event, missed }) => all + (event === "gap" ? Number(missed) : 1), 0);
  // Why 42: the connect and the disconnect of the third watcher are events, too.
  check.equal([sum(fixture.received(one)), sum(fixture.received(other))], [42, 42]);
  for (let n = 41; n <= 43; n++) note(fixture, fact(n));
  check.equal([payloads(fixture.received(one)), payloads(fixture.received(other))], [[41], [41, 42]]);
});

test("IM100c events outside the subscription do not use the rate, and a resumed stream is complete", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 1, events: ["backend_message"] } });
  const [last] = fixture.received(watcher).filter(isObject).filter(({ id }) => id !== undefined).slice(-1);
  for (let n = 1; n <= 3; n++) note(fixture, fact(n));
  note(fixture, { is: "backend_message", payload: "one" });
  fixture.advance(1_000);
  check.equal(fixture.received(watcher).filter(isObject).map(({ event }) => event), ["backend_message"]);
  fixture.frame(watcher, { subscribe: { rate: 1, after: String(last?.id) } });
  fixture.advance(0);
  check.equal(payloads(fixture.received(watcher)), [1, 2, 3]);
});

test("IM100d events that no watcher had room for are only counted, and a watcher that resumes gets their number", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 2, events: ["integration_message"] } });
  fixture.received(watcher);
  for (let n = 1; n <= 4; n++) note(fixture, fact(n));
  const [one] = fixture.received(watcher).filter(isObject);
  fixture.close(watcher);
  for (let n = 5; n <= 6; n++) note(fixture, fact(n));
  fixture.advance(1_000);
  for (let n = 7; n <= 9; n++) note(fixture, fact(n));
  const back = fixture.watcher();
  fixture.frame(back, { subscribe: { after: String(one?.id) } });
  fixture.advance(0);
  check.equal(payloads(fixture.received(back)), [2, { missed: 5 }, 7, 8, { missed: 1 }]);
});

test("IM100e a gap that was not sent yet is sent when the rate changes", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 1 } });
  fixture.received(watcher);
  for (let n = 1; n <= 3; n++) note(fixture, fact(n));
  fixture.frame(watcher, { subscribe: {} });
  fixture.advance(0);
  note(fixture, fact(4));
  check.equal(payloads(fixture.received(watcher)), [1, { missed: 2 }, 4]);
});

test("IM100f the number in a gap is null where it is unknown", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 1 } });
  fixture.received(watcher);
  fixture.step({ is: "backpressure", peer: watcher });
  for (let n = 1; n <= 3; n++) note(fixture, fact(n));
  fixture.frame(watcher, { subscribe: {} });
  for (let n = 0; n < EVENT_BUFFER_MAX + 9; n++) note(fixture, fact(n));
  fixture.step({ is: "relieved", peer: watcher });
  fixture.advance(0);
  check.equal(payloads(fixture.received(watcher)).slice(0, 2), [{ missed: null }, 9]);
});

test("IM100g a gap waits for the end of backpressure, and without a rate there is no limit", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 1 } });
  fixture.received(watcher);
  for (let n = 1; n <= 3; n++) note(fixture, fact(n));
  fixture.step({ is: "backpressure", peer: watcher });
  fixture.advance(2_000);
  check.equal(payloads(fixture.received(watcher)), [1]);
  fixture.step({ is: "relieved", peer: watcher });
  fixture.advance(0);
  check.equal(payloads(fixture.received(watcher)), [{ missed: 2 }]);
  for (const subscribe of [{ rate: null }, {}]) {
    fixture.frame(watcher, { subscribe });
    fixture.received(watcher);
    for (let n = 1; n <= 3; n++) note(fixture, fact(n));
    check.equal(payloads(fixture.received(watcher)), [1, 2, 3]);
  }
});

test("IM77 without a watcher for five minutes no event is recorded", () => {
  const fixture = new IntermediaryFixture();
  const peer = fixture.integration("a");
  const ids = () => fixture.harness.state.subscriptions.cursor;
  for (let n = 0; n < 10; n++) fixture.frame(peer, "hello");
  check.equal(ids(), undefined);
  const watcher = fixture.watcher();
  fixture.close(watcher);
  check.that(ids() !== undefined);
  fixture.advance(EVENT_BUFFER_MS);
  check.equal(ids(), undefined);
});

test("IM77b the recorded events are limited in size", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const [first] = fixture.received(watcher);
  for (let n = 0; n < 60; n++) note(fixture, { is: "integration_message", from: "a", payload: "x".repeat(1_000_000) + n });
  fixture.received(watcher);
  fixture.frame(watcher, { subscribe: { after: isObject(first) ? first.id : "" } });
  fixture.advance(0);
  const kept = payloads(fixture.received(watcher));
  check.equal(kept[0], { missed: null });
  check.that(kept.length > 5 && kept.length < 25);
});

test("IM78 a snapshot contains the peers and the cursor to resume from", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher("os", ENHANCED);
  fixture.integration("a");
  const last = fixture.received(watcher).at(-1);
  fixture.frame(watcher, { subscribe: { snapshot: true } });
  const [reply] = fixture.received(watcher);
  check.that(isObject(reply) && isObject(reply.snapshot) && Array.isArray(reply.snapshot.peers) && isObject(last));
  check.equal(reply.snapshot.peers.map((peer) => isObject(peer) && peer.name), ["a", "os"]);
  check.equal([reply.snapshot.upstream, reply.snapshot.after], [{ configured: false, open: false }, last.id]);
});

test("IM79 a watcher that was connected over a panic gets a gap of unknown size", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const resumed = [{
    peer: watcher,
    listener: "intermediary" as const,
    connection: { address: "", path: "", userAgent: "", via: "" },
    attachment: fixture.attached.get(watcher) ?? null,
  }];
  const next = fixture.restart({ resumed });
  next.advance(0);
  check.equal(next.received(watcher), [{ event: "gap", missed: null }]);
  note(next, fact(1));
  check.equal(payloads(next.received(watcher)), [1]);
});

/** A watcher, and observations delivered as the relay does: those that the service only counts as a number, before its next step. */
class CountingRelay {
  readonly fixture: IntermediaryFixture = new IntermediaryFixture();
  /** What watchers and requests got. */
  readonly seen: Json[] = [];
  peer: PeerId = this.fixture.watcher();
  counted = 0;
  readonly #isCounting: boolean;
  #count = 0;

  constructor(isCounting: boolean) {
    this.#isCounting = isCounting;
    this.subscribe({ rate: 3 });
  }

  subscribe(subscribe: JsonObject): void {
    this.fixture.frame(this.peer, { subscribe });
  }

  observe(what: Observation): void {
    const { state, now } = this.fixture.harness;
    const until = this.#isCounting ? intermediary.countsUntil?.(state, what.is) ?? 0 : 0;
    if (now < until) return void this.#count++;
    this.tellCounted();
    note(this.fixture, what);
  }

  tellCounted(): void {
    if (this.#count > 0) this.fixture.receive({ is: "observationsCounted", count: this.#count });
    this.counted += this.#count;
    this.#count = 0;
  }
}

const CHOICE: ChoiceRequest = {
  id: "1",
  game: "Chess",
  query: "Your move",
  ephemeral: false,
  actions: [{ name: "act", description: "Acts." }],
};

/** What else can happen to the Intermediary between observations. */
const STEPS: Readonly<Record<string, (relay: CountingRelay, n: number) => void>> = {
  advance: ({ fixture }, n) => fixture.advance(n * 150),
  rate: (relay, n) => relay.subscribe({ rate: n }),
  none: (relay) => relay.subscribe({}),
  events: (relay, n) => relay.subscribe({ rate: n, events: ["action_sent"] }),
  blocked: ({ fixture, peer }) => fixture.step({ is: "backpressure", peer }),
  relieved: ({ fixture, peer }) => fixture.step({ is: "relieved", peer }),
  choice: ({ fixture }) => fixture.receive({ is: "choiceRequested", choice: CHOICE }),
  page: ({ fixture, seen }) => seen.push(fixture.request({ of: "intermediary", get: "events", limit: 9 }) ?? null),
  wait({ fixture }) {
    const { cursor: after = "" } = fixture.harness.state.subscriptions;
    fixture.request({ of: "intermediary", get: "events", limit: 9, after, wait: 500 });
  },
  return(relay, n) {
    const { fixture, seen } = relay;
    seen.push(fixture.received(relay.peer));
    fixture.close(relay.peer);
    relay.peer = fixture.watcher(`w${n}`);
    relay.subscribe({ rate: n });
  },
};

test("IM100i a watcher gets the same if observations are only counted before the Intermediary gets them", () => {
  let counted = 0;
  const sent: Observation = { is: "action_sent", id: "1", name: "act", to: [], slugs: [], forced: true, data: undefined };
  const n = fc.integer({ min: 1, max: 9 });
  const ops = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ op: fc.constant("sent"), n }) },
      fc.record({ op: fc.constantFrom("observe", ...Object.keys(STEPS)), n }),
    ),
    { maxLength: 40 },
  );
  const play = (isCounting: boolean, script: readonly { readonly op: string; readonly n: number }[]): Json => {
    const relay = new CountingRelay(isCounting);
    const { fixture, seen } = relay;
    for (const { op, n } of script) {
      const step = STEPS[op];
      if (step !== undefined) {
        relay.tellCounted();
        step(relay, n);
      } else if (op === "observe") relay.observe(fact(n));
      else for (let k = 0; k < n; k++) relay.observe(sent);
    }
    relay.tellCounted();
    fixture.advance(5_000);
    counted += relay.counted;
    return [...seen, fixture.received(relay.peer), [...fixture.responses.values()]];
  };
  // Why this one: a choice is closed by a forced action, also while events are only counted.
  const closedChoice = [{ op: "sent", n: 3 }, { op: "choice", n: 1 }, { op: "sent", n: 1 }, { op: "return", n: 1 }];
  fc.assert(fc.property(ops, (script) => check.equal(play(true, script), play(false, script))), {
    numRuns: 300,
    examples: [[closedChoice]],
  });
  check.that(counted > 1_000, `only ${counted} observations were counted`);
});

test("IM100h a rate survives a panic", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.frame(watcher, { subscribe: { rate: 1 } });
  const connection = { address: "", path: "", userAgent: "", via: "" };
  const attachment = fixture.attached.get(watcher) ?? null;
  const next = fixture.restart({ resumed: [{ peer: watcher, listener: "intermediary" as const, connection, attachment }] });
  next.advance(0);
  next.received(watcher);
  for (let n = 1; n <= 3; n++) note(next, fact(n));
  check.equal(payloads(next.received(watcher)), [1]);
});

test("IM114 in place of an event that a watcher might not be able to receive it gets a gap", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  const large = (unit: string, count: number): Observation => ({
    is: "integration_message",
    from: "a",
    payload: unit.repeat(count),
  });
  note(fixture, fact(1));
  note(fixture, large("x", 999_800));
  note(fixture, large("x", 1_000_000));
  note(fixture, large("é", 500_000));
  note(fixture, fact(2));
  const shown = (payload: Json): Json => typeof payload === "string" ? payload.length : payload;
  check.equal(payloads(fixture.received(watcher)).map(shown), [1, 999_800, { missed: 1 }, { missed: 1 }, 2]);
});
