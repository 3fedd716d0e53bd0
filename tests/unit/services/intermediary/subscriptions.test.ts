import { test } from "#runner";
import { isObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import { EVENT_BUFFER_MAX, EVENT_BUFFER_MS } from "../../../../src/core/limits.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import { check } from "../../../harness/check.ts";
import { Desk, ENHANCED } from "./fixture.ts";

const fact = (n: number): Observation => ({ is: "integration_message", from: "a", payload: n });

const note = (desk: Desk, what: Observation): void => desk.tell({ is: "observed", observation: what });

/** The payloads of events, and gaps as their number. */
const payloads = (frames: readonly Json[]): Json[] =>
  frames.flatMap((frame) => {
    if (!isObject(frame)) return [];
    if (frame.event === "gap") return [{ missed: frame.missed ?? null }];
    return frame.event === "integration_message" ? [frame.payload ?? null] : [];
  });

test("IM70 every event has an id, larger than that before, and its time", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  for (const n of [1, 2]) note(desk, fact(n));
  const frames = desk.seen(watcher).filter(isObject);
  check.that(frames.every(({ id, at }) => /^\d{13}-\d{10}$/.test(String(id)) && at === desk.harness.now));
  const ids = frames.map(({ id }) => String(id));
  check.equal(ids, [...new Set(ids)].sort());
});

test("IM71 what happens elsewhere is an event with the fields of the table; ids of other things have their own names", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.events(watcher);
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
    [{ is: "context_dropped", from: "Chess", slug: "chess" }, { from: "Chess", integration_id: "chess" }],
    [
      { is: "operator_acted", by: "web", did: "control", to: "chess", outcome: "done" },
      { by: "web", did: "control", to: "chess", outcome: "done" },
    ],
    [{ is: "action_expired", id: "1", name: "x", to: ["Chess"] }, { action_id: "1", name: "x", to: ["Chess"] }],
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
    [{ is: "input_repaired", from: "a", what: "w", hint: "h" }, { from: "a", what: "w", hint: "h" }],
  ];
  for (const [what, fields] of rows) {
    note(desk, what);
    check.equal(desk.events(watcher), [{ event: what.is, ...fields }]);
  }
  note(desk, { is: "store_failed", key: "k", reason: "r" });
  check.equal(desk.events(watcher), [], "what is no event is for the log");
});

test("IM72 a note that is told here leads to no other note", () => {
  const desk = new Desk();
  desk.watcher();
  const before = desk.observations.length;
  for (let n = 0; n < 100; n++) note(desk, fact(n));
  check.equal(desk.observations.length, before);
});

test("IM73 a watcher can have some events only", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.seen(watcher);
  desk.frame(watcher, { subscribe: { events: ["integration_connected", "no such event"] }, request_id: 5 });
  check.equal(desk.replies(watcher), [{ status: "subscribed", events: ["integration_connected"], request_id: 5 }]);
  note(desk, fact(1));
  desk.integration("a");
  check.equal(desk.events(watcher), [{ event: "integration_connected", name: "a" }]);
  desk.frame(watcher, { subscribe: {} });
  desk.seen(watcher);
  note(desk, fact(2));
  check.equal(desk.events(watcher).length, 1, "without a list it has all again");
});

test("IM74 a watcher that was away goes on after the last event it had, and misses nothing", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  note(desk, fact(1));
  const last = desk.seen(watcher).at(-1);
  desk.close(watcher);
  for (const n of [2, 3]) note(desk, fact(n));
  const again = desk.watcher("again");
  desk.frame(again, { subscribe: { after: isObject(last) ? last.id : undefined } });
  desk.pass(0);
  note(desk, fact(4));
  check.equal(payloads(desk.seen(again)), [2, 3, 4]);
});

test("IM75 after a cursor that is too old, of another run or nonsense comes a gap, then what there is", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const resume = (after: string) => {
    desk.seen(watcher);
    desk.frame(watcher, { subscribe: { events: ["integration_message"], after } });
    desk.pass(0);
    return payloads(desk.seen(watcher));
  };
  note(desk, fact(1));
  for (const after of ["", "nonsense", "0000000000000-0000000005", "0000000000009-0000000001"]) {
    check.equal(resume(after), [{ missed: null }, 1]);
  }
});

test("IM75 what the ring no longer holds is a gap: by number and by age", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const [first] = desk.seen(watcher);
  const after = isObject(first) ? String(first.id) : "";
  for (let n = 0; n <= EVENT_BUFFER_MAX; n++) note(desk, fact(n));
  desk.seen(watcher);
  desk.frame(watcher, { subscribe: { after } });
  desk.pass(0);
  const got = payloads(desk.seen(watcher));
  check.equal([got[0], got[1], got.length], [{ missed: null }, 1, EVENT_BUFFER_MAX + 1]);
  desk.pass(EVENT_BUFFER_MS);
  desk.frame(watcher, { subscribe: { after } });
  desk.pass(0);
  check.equal(payloads(desk.seen(watcher)), [{ missed: null }]);
});

test("IM76 a slow watcher is sent nothing until it has eased; then all of it, or a gap with the number it lost", () => {
  const desk = new Desk();
  const [slow, quick] = [desk.watcher("slow"), desk.watcher("quick")];
  for (const peer of [slow, quick]) desk.seen(peer);
  desk.step({ is: "backpressure", peer: slow });
  for (let n = 1; n <= 3; n++) note(desk, fact(n));
  check.equal([payloads(desk.seen(slow)), payloads(desk.seen(quick))], [[], [1, 2, 3]]);
  desk.step({ is: "relieved", peer: slow });
  note(desk, fact(4));
  desk.pass(0);
  check.equal(payloads(desk.seen(slow)), [1, 2, 3, 4]);
  desk.step({ is: "backpressure", peer: slow });
  for (let n = 1; n <= EVENT_BUFFER_MAX + 7; n++) note(desk, fact(n));
  desk.step({ is: "relieved", peer: slow });
  desk.pass(0);
  const got = payloads(desk.seen(slow));
  check.equal([got[0], got[1], got.length], [{ missed: 7 }, 8, EVENT_BUFFER_MAX + 1]);
});

test("IM76 one that is far behind is sent so much at a time", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.seen(watcher);
  desk.step({ is: "backpressure", peer: watcher });
  const large = "x".repeat(200_000);
  for (let n = 0; n < 4; n++) note(desk, { is: "backend_message", payload: large });
  desk.step({ is: "relieved", peer: watcher });
  desk.step({ is: "tick" });
  check.equal(desk.seen(watcher).length, 2);
  desk.step({ is: "tick" });
  check.equal(desk.seen(watcher).length, 2);
});

test("IM100 a watcher can have so many events a second: the first of each second, and how many there were besides", () => {
  const desk = new Desk();
  const [calm, eager] = [desk.watcher("calm"), desk.watcher("eager")];
  desk.frame(calm, { subscribe: { rate: 2 } });
  for (const peer of [calm, eager]) desk.seen(peer);
  for (let n = 1; n <= 5; n++) note(desk, fact(n));
  check.equal([payloads(desk.seen(calm)), payloads(desk.seen(eager))], [[1, 2], [1, 2, 3, 4, 5]]);
  desk.pass(1_000);
  check.equal(payloads(desk.seen(calm)), [{ missed: 3 }]);
  for (let n = 6; n <= 7; n++) note(desk, fact(n));
  desk.pass(1_000);
  check.equal(payloads(desk.seen(calm)), [6, 7]);
});

test("IM100 none is forgotten, whoever comes, asks or goes in a second in which nobody has room", () => {
  const desk = new Desk();
  const [one, other] = [desk.watcher("one"), desk.watcher("other")];
  desk.frame(one, { subscribe: { rate: 1 } });
  desk.frame(other, { subscribe: { rate: 2 } });
  for (const peer of [one, other]) desk.seen(peer);
  for (let n = 1; n <= 10; n++) note(desk, fact(n));
  desk.pass(400);
  for (let n = 11; n <= 20; n++) note(desk, fact(n));
  const whole = desk.watcher("whole");
  desk.seen(whole);
  for (let n = 21; n <= 30; n++) note(desk, fact(n));
  check.equal(desk.seen(whole).length, 10);
  desk.close(whole);
  for (let n = 31; n <= 40; n++) note(desk, fact(n));
  desk.pass(600);
  const sum = (seen: readonly Json[]) =>
    seen.filter(isObject).reduce((all, { event, missed }) => all + (event === "gap" ? Number(missed) : 1), 0);
  // Why so many: what is said of the one who came and went is an event, too.
  check.equal([sum(desk.seen(one)), sum(desk.seen(other))], [42, 42]);
  for (let n = 41; n <= 43; n++) note(desk, fact(n));
  check.equal([payloads(desk.seen(one)), payloads(desk.seen(other))], [[41], [41, 42]]);
});

test("IM100 events that it did not want count for nothing, and what it gets after a cursor is whole", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 1, events: ["backend_message"] } });
  const [last] = desk.seen(watcher).filter(isObject).filter(({ id }) => id !== undefined).slice(-1);
  for (let n = 1; n <= 3; n++) note(desk, fact(n));
  note(desk, { is: "backend_message", payload: "one" });
  desk.pass(1_000);
  check.equal(desk.seen(watcher).filter(isObject).map(({ event }) => event), ["backend_message"]);
  desk.frame(watcher, { subscribe: { rate: 1, after: String(last?.id) } });
  desk.pass(0);
  check.equal(payloads(desk.seen(watcher)), [1, 2, 3]);
});

test("IM100 what nobody had the time for is not kept; who comes back to it is told how much it was", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 2, events: ["integration_message"] } });
  desk.seen(watcher);
  for (let n = 1; n <= 4; n++) note(desk, fact(n));
  const [one] = desk.seen(watcher).filter(isObject);
  desk.close(watcher);
  for (let n = 5; n <= 6; n++) note(desk, fact(n));
  desk.pass(1_000);
  for (let n = 7; n <= 9; n++) note(desk, fact(n));
  const back = desk.watcher();
  desk.frame(back, { subscribe: { after: String(one?.id) } });
  desk.pass(0);
  check.equal(payloads(desk.seen(back)), [2, { missed: 5 }, 7, 8, { missed: 1 }]);
});

test("IM100 what it had not been told yet it is told when it asks for another rate", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 1 } });
  desk.seen(watcher);
  for (let n = 1; n <= 3; n++) note(desk, fact(n));
  desk.frame(watcher, { subscribe: {} });
  desk.pass(0);
  note(desk, fact(4));
  check.equal(payloads(desk.seen(watcher)), [1, { missed: 2 }, 4]);
});

test("IM100 how much is gone for good is said only where it was counted", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 1 } });
  desk.seen(watcher);
  desk.step({ is: "backpressure", peer: watcher });
  for (let n = 1; n <= 3; n++) note(desk, fact(n));
  desk.frame(watcher, { subscribe: {} });
  for (let n = 0; n < EVENT_BUFFER_MAX + 9; n++) note(desk, fact(n));
  desk.step({ is: "relieved", peer: watcher });
  desk.pass(0);
  check.equal(payloads(desk.seen(watcher)).slice(0, 2), [{ missed: null }, 9]);
});

test("IM100 while its socket holds too much it hears of no gap, and what is no rate asks for all", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 1 } });
  desk.seen(watcher);
  for (let n = 1; n <= 3; n++) note(desk, fact(n));
  desk.step({ is: "backpressure", peer: watcher });
  desk.pass(2_000);
  check.equal(payloads(desk.seen(watcher)), [1]);
  desk.step({ is: "relieved", peer: watcher });
  desk.pass(0);
  check.equal(payloads(desk.seen(watcher)), [{ missed: 2 }]);
  for (const rate of [0, -1, 0.5, "3", null]) {
    desk.frame(watcher, { subscribe: { rate } });
    desk.seen(watcher);
    for (let n = 1; n <= 3; n++) note(desk, fact(n));
    check.equal(payloads(desk.seen(watcher)), [1, 2, 3]);
  }
});

test("IM77 when nobody watches, or did within five minutes, nothing is kept", () => {
  const desk = new Desk();
  const peer = desk.integration("a");
  const ids = () => desk.harness.state.subscriptions.cursor;
  for (let n = 0; n < 10; n++) desk.frame(peer, "hello");
  check.equal(ids(), undefined);
  const watcher = desk.watcher();
  desk.close(watcher);
  check.that(ids() !== undefined);
  desk.pass(EVENT_BUFFER_MS);
  check.equal(ids(), undefined);
});

test("IM77 the memory of what is kept is bounded by size, too", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const [first] = desk.seen(watcher);
  for (let n = 0; n < 60; n++) note(desk, { is: "integration_message", from: "a", payload: "x".repeat(1_000_000) + n });
  desk.seen(watcher);
  desk.frame(watcher, { subscribe: { after: isObject(first) ? first.id : "" } });
  desk.pass(0);
  const kept = payloads(desk.seen(watcher));
  check.equal(kept[0], { missed: null });
  check.that(kept.length > 5 && kept.length < 25);
});

test("IM78 a snapshot says who is here, and from which event on to go on", () => {
  const desk = new Desk();
  const watcher = desk.watcher("os", ENHANCED);
  desk.integration("a");
  const last = desk.seen(watcher).at(-1);
  desk.frame(watcher, { subscribe: { snapshot: true } });
  const [reply] = desk.seen(watcher);
  check.that(isObject(reply) && isObject(reply.snapshot) && Array.isArray(reply.snapshot.peers) && isObject(last));
  check.equal(reply.snapshot.peers.map((peer) => isObject(peer) && peer.name), ["a", "os"]);
  check.equal([reply.snapshot.upstream, reply.snapshot.after], [{ configured: false, open: false }, last.id]);
});

test("IM79 a watcher that was connected over a panic is told that it may have missed something", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const resumed = [{
    peer: watcher,
    listener: "intermediary" as const,
    connection: { address: "", path: "", userAgent: "", via: "" },
    attachment: desk.attached.get(watcher) ?? null,
  }];
  const next = desk.restart({ resumed });
  next.pass(0);
  check.equal(next.seen(watcher), [{ event: "gap", missed: null }]);
  note(next, fact(1));
  check.equal(payloads(next.seen(watcher)), [1]);
});

test("IM100 it stays so over a panic", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.frame(watcher, { subscribe: { rate: 1 } });
  const connection = { address: "", path: "", userAgent: "", via: "" };
  const attachment = desk.attached.get(watcher) ?? null;
  const next = desk.restart({ resumed: [{ peer: watcher, listener: "intermediary" as const, connection, attachment }] });
  next.pass(0);
  next.seen(watcher);
  for (let n = 1; n <= 3; n++) note(next, fact(n));
  check.equal(payloads(next.seen(watcher)), [1]);
});
