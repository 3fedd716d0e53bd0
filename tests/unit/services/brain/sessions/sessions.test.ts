/** Limits, followers, added operators, and the overview. */
import { brainWith, operator, OPERATORS } from "../../../../../src/services/brain/mod.ts";
import { hashText } from "../../../../../src/core/hash.ts";
import type { ResumedPeer } from "../../../../../src/core/event.ts";
import { type PeerId, toRequestId } from "../../../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import type { Scope } from "../../../../../src/core/settings.ts";
import { TEST_CONNECTION } from "../../../../../src/testing/service-harness.ts";
import { check } from "../../../../harness/check.ts";
import { textBytesIn } from "../../../../harness/retained.ts";
import { test } from "#runner";
import { BrainFixture } from "../fixture.ts";

const started = (options: ConstructorParameters<typeof BrainFixture>[0] = {}) => {
  const fixture = new BrainFixture(options);
  const peer = fixture.peer("ui");
  return { harness: fixture, peer, session: fixture.create(peer) };
};
const resumedPeer = (peer: PeerId): ResumedPeer => ({ peer, listener: "brain", connection: TEST_CONNECTION });

test("BR47 followers get State.Delta for changes by others once they are stored", () => {
  const { harness: fixture, peer, session } = started();
  const [follower, stranger] = [fixture.peer("follower"), fixture.peer("stranger")];
  fixture.merge(peer, session, { a: 1 });
  const subscribed = fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  check.equal(subscribed, { type: "Subscribed", session_id: session, seq: 1 });
  fixture.merge(peer, session, { a: 1, b: { c: 2 } });
  const delta = { type: "State.Delta", session_id: session, seq: 2, operator: "ST", changes: { b: { c: 2 } }, risk: 0.1 };
  check.equal(fixture.seen(follower), [delta]);
  check.equal(fixture.merge(follower, session, { own: 1 })["type"], "State.Snapshot");
  check.equal(fixture.seen(follower), []);
  check.equal(fixture.seen(peer), []);
  check.equal(fixture.seen(stranger), []);
  check.equal(fixture.ask(follower, { cmd: "Unsubscribe", session_id: session })["type"], "Unsubscribed");
  fixture.merge(peer, session, { a: 5 });
  check.equal(fixture.seen(follower), []);
});

test("BR47 a change that could not be stored is not notified", () => {
  const { harness: fixture, peer, session } = started();
  const follower = fixture.peer("follower");
  fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  fixture.store = () => "fail";
  check.equal(fixture.merge(peer, session, { a: 1 })["code"], "StorageFailed");
  check.equal(fixture.seen(follower), []);
});

test("BR47 a macro is one notification, and applying it gives the state", () => {
  const { harness: fixture, peer, session } = started();
  const follower = fixture.peer("follower");
  fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  const steps = [{ name: "ST", params: { changes: { a: 1 } } }, { name: "CH", params: { changes: { a: 2, __proto: 3 } } }];
  const { state } = fixture.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps });
  check.equal(fixture.seen(follower).map(({ operator, changes }) => [operator, changes] as Json), [["m", state ?? null]]);
});

test("BR47c subscriptions survive hibernation and end with the connection", () => {
  const { harness: fixture, peer, session } = started();
  fixture.send(peer, { cmd: "Subscribe", session_id: session });
  const attached = fixture.harness.take().findLast((effect) => effect.do === "attach");
  check.that(attached?.do === "attach");
  const again = fixture.restart({ resumed: [{ ...resumedPeer(peer), attachment: attached.attachment }] });
  again.inbox.set(peer, []);
  const other = again.peer("other");
  again.merge(other, session, { a: 1 });
  check.equal(again.seen(peer).map(({ type }) => type), ["State.Delta"]);
  again.harness.step({ is: "closed", peer, code: 1006 });
  check.equal(again.harness.state.sessions.get(session)?.followers.size, 0);
});

test("BR42 a follower under backpressure gets one State.Gap with the number of missed changes", () => {
  const { harness: fixture, peer, session } = started();
  const follower = fixture.peer("follower");
  fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  fixture.harness.step({ is: "backpressure", peer: follower });
  for (let count = 1; count <= 3; count++) fixture.merge(peer, session, { count });
  fixture.merge(follower, session, { own: 1 });
  fixture.settle();
  check.equal(fixture.seen(follower), []);
  fixture.harness.step({ is: "relieved", peer: follower });
  fixture.settle();
  check.equal(fixture.seen(follower), [{ type: "State.Gap", session_id: session, seq: 3, missed: 3 }]);
  fixture.merge(peer, session, { a: 2 });
  check.equal(fixture.seen(follower).map(({ type, seq }) => [type, seq] as Json), [["State.Delta", 5]]);
  check.equal(fixture.seen(peer), []);
});

test("BR42c a follower that missed nothing, or unsubscribed, gets no State.Gap", () => {
  const { harness: fixture, peer, session } = started();
  const [follower, silent] = [fixture.peer("follower"), fixture.peer("silent")];
  const [other, closed] = [fixture.create(peer), fixture.create(peer)];
  for (const session_id of [session, other, closed]) fixture.ask(follower, { cmd: "Subscribe", session_id });
  for (const each of [follower, silent]) fixture.harness.step({ is: "backpressure", peer: each });
  fixture.merge(peer, session, { a: 1 });
  fixture.merge(peer, closed, { a: 1 });
  fixture.ask(follower, { cmd: "Unsubscribe", session_id: session });
  fixture.ask(peer, { cmd: "CloseSession", session_id: closed });
  for (const each of [follower, silent]) fixture.harness.step({ is: "relieved", peer: each });
  fixture.settle();
  check.equal([...fixture.seen(follower), ...fixture.seen(silent)], []);
});

test("BR42b after an internal error followers get a State.Gap with an unknown number", () => {
  const { harness: fixture, peer, session } = started();
  const silent = fixture.peer("silent");
  fixture.ask(peer, { cmd: "Subscribe", session_id: session });
  const resumed = [{ ...resumedPeer(peer), attachment: { follows: [session] } }, resumedPeer(silent)];
  const again = fixture.restart({ resumed });
  for (const each of [peer, silent]) again.inbox.set(each, []);
  for (let count = 0; count < 2; count++) again.harness.step({ is: "tick" });
  again.settle();
  check.equal(again.seen(peer), [{ type: "State.Gap", session_id: session, seq: 0, missed: null }]);
  check.equal(again.seen(silent), []);
});

test("BR47b a peer follows at most 64 sessions", () => {
  const { harness: fixture, peer } = started();
  const ids = Array.from({ length: 65 }, () => fixture.create(peer));
  const replies = ids.map((session_id) => fixture.ask(peer, { cmd: "Subscribe", session_id }));
  check.equal(replies.filter(({ code }) => code === "LimitExceeded").length, 1);
});

test("BR23 no client gets a State.Snapshot that it did not request", () => {
  const { harness: fixture, peer, session } = started();
  const others = ["a", "b", "c"].map((name) => fixture.peer(name));
  for (const other of others) fixture.ask(other, { cmd: "Subscribe", session_id: session });
  for (let count = 0; count < 10; count++) fixture.merge(peer, session, { count });
  fixture.ask(peer, { cmd: "SealSession", session_id: session });
  fixture.ask(peer, { cmd: "CloseSession", session_id: session });
  fixture.pass(1_000_000);
  for (const other of others) check.equal(new Set(fixture.seen(other).map(({ type }) => type)), new Set(["State.Delta"]));
});

test("BR68 two clients of one session each see a strictly growing state", () => {
  const { harness: fixture, peer, session } = started();
  const other = fixture.peer("other");
  const st = (who: string, count: number): JsonObject => ({
    cmd: "ApplyOperator",
    session_id: session,
    operator: "ST",
    params: { changes: { [`${who}${count}`]: count } },
  });
  for (let count = 0; count < 100; count++) {
    fixture.send(peer, st("p", count));
    fixture.send(other, st("o", count));
    if (count % 7 === 0) fixture.settle();
  }
  fixture.settle();
  for (const each of [peer, other]) {
    const sizes = fixture.seen(each).map(({ state }) => Object.keys(state as JsonObject).length);
    check.equal(sizes.length, 100);
    check.that(sizes.every((size, at) => at === 0 || size > (sizes[at - 1] ?? 0)));
  }
});

test("BR46 state, params, keys, owner and sessions are limited, and the error names the limit", () => {
  const { harness: fixture, peer, session } = started({ sessions: 3, state_bytes: 4_096 });
  const big = "x".repeat(3_000);
  fixture.merge(peer, session, { big });
  const more = fixture.merge(peer, session, { more: big });
  check.equal(more, {
    error: "limit exceeded: state_bytes (max 4096)",
    code: "LimitExceeded",
    limit: "state_bytes",
    max: 4_096,
  });
  check.equal(fixture.merge(peer, session, { junk: "x".repeat(5_000) })["limit"], "params_bytes");
  check.equal(fixture.merge(peer, session, { big: 1 })["state"], { big: 1 });
  check.equal(fixture.ask(peer, { cmd: "CreateSession", initial_state: { a: "x".repeat(5_000) } })["limit"], "state_bytes");
  check.equal(fixture.ask(peer, { cmd: "CreateSession", owner: "x".repeat(5_000) })["limit"], "owner_bytes");
  fixture.create(peer);
  fixture.create(peer);
  const full = fixture.ask(peer, { cmd: "CreateSession" });
  check.equal([full["code"], full["limit"], full["max"]], ["LimitExceeded", "sessions", 3]);
  const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, 1]));
  const wide = started({ state_bytes: 1_000_000 });
  check.equal(wide.harness.merge(wide.peer, wide.session, keys)["limit"], "keys");
});

test("BR46b at the limit of sessions, one that is unused for 60 s is ended; a used one never is", () => {
  const { harness: fixture, peer, session } = started({ sessions: 2 });
  fixture.merge(peer, session, { used: 1 });
  const unused = fixture.create(peer);
  fixture.pass(120_000);
  fixture.create(peer);
  check.equal(fixture.merge(peer, unused, {})["code"], "SessionExpired");
  check.equal(fixture.merge(peer, session, {})["state"], { used: 1 });
  fixture.pass(120_000);
  fixture.create(peer);
  fixture.merge(peer, fixture.create(fixture.peer("x")), {});
});

test("BR46c a peer that creates sessions too fast gets the time after which it can retry", () => {
  const { harness: fixture, peer } = started();
  const replies = Array.from({ length: 300 }, () => fixture.ask(peer, { cmd: "CreateSession" }));
  const refused = replies.filter(({ code }) => code === "RateLimited");
  check.equal(refused.length, 300 - 255);
  check.that(Number(refused[0]?.["retry_after_ms"]) > 0);
  fixture.pass(1_000);
  check.equal(fixture.ask(peer, { cmd: "CreateSession" })["type"], "SessionCreated");
});

test("BR46d a throttled frame gets its reply", () => {
  const { harness: fixture, peer } = started();
  fixture.harness.step({ is: "throttled", peer, retryMs: 40 });
  fixture.settle();
  check.equal(fixture.seen(peer), [{ error: "rate limit", code: "RateLimited", retry_after_ms: 40 }]);
});

test("BR46e a peer with 4,096 outstanding replies is closed", () => {
  const { harness: fixture, peer, session } = started();
  fixture.store = () => "hang";
  for (let count = 0; count <= 4_096; count++) {
    fixture.send(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST" });
  }
  check.that(fixture.harness.take().some((effect) => effect.do === "close" && effect.peer === peer));
});

test("BR46g the stored logs of a session, and of all sessions, have a maximum size, also across a restart", () => {
  const big = "x".repeat(50_000);
  const fill = (fixture: BrainFixture, peer: PeerId, session: string): JsonObject => {
    for (let count = 0; count < 100; count++) {
      const reply = fixture.merge(peer, session, { big, count });
      if ("code" in reply) return reply;
    }
    return {};
  };
  const one = started({ log_bytes: 1_048_576 });
  const { limit, max } = fill(one.harness, one.peer, one.session);
  check.equal([limit, max], ["log_bytes", 1_048_576]);
  const size = () => [...one.harness.disk.values()].reduce((sum: number, value) => sum + JSON.stringify(value).length, 0);
  one.harness.pass(10_000);
  check.that(size() < 2 * 1_048_576, `${size()} characters`);
  const again = one.harness.restart();
  const next = again.peer("next");
  check.equal(fill(again, next, one.session)["limit"], "log_bytes");
  check.equal(again.ask(next, { cmd: "GetState", session_id: one.session })["type"], "State.Snapshot", "it can be read");
  const all = started({ store_bytes: 1_048_576 });
  check.equal(fill(all.harness, all.peer, all.session)["limit"], "store_bytes");
  const create = () => all.harness.ask(all.peer, { cmd: "CreateSession", initial_state: { big } });
  check.equal(create()["limit"], "store_bytes");
  all.harness.ask(all.peer, { cmd: "CloseSession", session_id: all.session });
  check.equal(create()["type"], "SessionCreated", "an ended session makes room");
  check.that(all.harness.harness.state.logs.storedLength < 60_000 * 2);
});

test("BR46h one client may have 64 MiB stored in a burst, and then 1 MiB per second", () => {
  const { harness: fixture, peer, session } = started({ log_bytes: 1e12, store_bytes: 1e12 });
  const changes = { big: "x".repeat(60_000) };
  const st = { cmd: "ApplyOperator", session_id: session, operator: "ST", params: { changes } };
  let accepted = 0;
  let reply = fixture.ask(peer, st);
  for (; reply["code"] === undefined && accepted < 2_000; accepted++) reply = fixture.ask(peer, st);
  check.equal(reply["code"], "RateLimited");
  check.that(accepted > 1_000 && accepted < 1_200, `${accepted} requests of 60 kB`);
  check.equal(fixture.ask(fixture.peer("other"), st)["type"], "State.Snapshot", "another client has its own quota");
  fixture.pass(Number(reply["retry_after_ms"]));
  check.equal(fixture.ask(peer, st)["type"], "State.Snapshot");
});

test("BR41 ListOperators lists operators with version and parameters", () => {
  const { harness: fixture, peer } = started();
  check.equal(fixture.ask(peer, { cmd: "ListOperators" }), {
    type: "Operator.List",
    operators: [
      { name: "ST", version: 1, params: { changes: "object" } },
      { name: "CH", version: 1, params: { changes: "object" } },
      { name: "XYZ", version: 1, params: { key: "string", value: "any" } },
    ],
  });
});

test("BR41b requests use the newest version of an added operator, and logs fold with the recorded version", () => {
  const increment = (version: number, by: number) =>
    operator<{ readonly key: string }>({
      name: "INC",
      version,
      params: { key: "string" },
      read: ({ key }) =>
        typeof key === "string" ? { ok: true, value: { key } } : { ok: false, error: { message: "key must be a text" } },
      apply: (state, { key }) => ({
        state: { ...state, [key]: Number(state[key] ?? 0) + by },
        delta: { [key]: by },
        audit: { op: "INC", key },
        risk: 10,
      }),
    });
  const first = started({ service: brainWith([...OPERATORS, increment(1, 1)]) });
  const inc = { cmd: "ApplyOperator", operator: "INC", params: { key: "n" } };
  check.equal(first.harness.ask(first.peer, { ...inc, session_id: first.session })["state"], { n: 1 });
  check.equal(first.harness.ask(first.peer, { ...inc, session_id: first.session, params: {} }), {
    error: "key must be a text",
  });
  const again = first.harness.restart({ service: brainWith([...OPERATORS, increment(1, 1), increment(2, 10)]) });
  const peer = again.peer("again");
  check.equal(again.ask(peer, { ...inc, session_id: first.session })["state"], { n: 11 });
  check.equal(again.ask(peer, { cmd: "ReplaySession", session_id: first.session })["ok"], true);
  const without = again.restart({ service: brainWith(OPERATORS) });
  check.equal(without.ask(without.peer("x"), { ...inc, session_id: first.session })["code"], "StorageFailed");
});

test("BR57 invalid values of fields are refused with their path", () => {
  const { harness: fixture, peer, session } = started();
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ cmd: "CreateSession", initial_state: [] }, "initial_state"],
    [{ cmd: "CreateSession", initial_state: null }, "initial_state"],
    [{ cmd: "CreateSession", ttl_ms: 0 }, "ttl_ms"],
    [{ cmd: "CreateSession", ttl_ms: "1h" }, "ttl_ms"],
    [{ cmd: "ApplyMacro", session_id: session, name: "m", steps: {} }, "steps"],
    [{ cmd: "ForkSession", session_id: session, at_seq: 9 }, "at_seq"],
  ];
  for (const [fields, path] of cases) {
    const { code, path: at } = fixture.ask(peer, fields);
    check.equal([code, at], ["BadParams", path]);
  }
  for (const cmd of ["GetState", "GetAudit", "SealSession", "CloseSession", "ReplaySession", "Subscribe", "GetLedger"]) {
    check.equal(fixture.ask(peer, { cmd }), { error: "missing field 'session_id'" });
    check.equal(fixture.ask(peer, { cmd, session_id: "nope" }), { error: "unknown session 'nope'" });
  }
});

test("BR58 the overview counts, and contains no complete session id", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { a: 1 });
  const asked = (get: "status" | "ready"): Json => {
    fixture.harness.step({
      is: "requested",
      requestId: toRequestId("1"),
      principal: { by: "test", scopes: ["watch"] },
      request: { of: "brain", get },
    });
    const answer = fixture.harness.take().find((effect) => effect.do === "respond");
    return answer?.do === "respond" ? answer.body ?? null : null;
  };
  const status = asked("status") as JsonObject;
  check.equal([status["sessions"], status["peers"], status["awake"]], [1, 1, 1]);
  check.that(!JSON.stringify(status).includes(session));
  check.equal((status["latest"] as readonly JsonObject[])[0]?.["name"], session.slice(0, 8));
  check.equal(asked("ready"), { ok: true, reasons: [] });
});

test("BR58b an admin looks into a session, and finds neither its id nor that of a fork", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { a: 1, copy: `my id is ${session}` });
  const forked = String(fixture.ask(peer, { cmd: "ForkSession", session_id: session })["child"]);
  const asked = (name: string, scopes: readonly Scope[]) => {
    const request = { of: "brain", get: "session", name } as const;
    fixture.harness.step({ is: "requested", requestId: toRequestId("1"), principal: { by: "test", scopes }, request });
    const answer = fixture.harness.take().find((effect) => effect.do === "respond");
    return answer?.do === "respond" ? answer : undefined;
  };
  const name = session.slice(0, 8);
  check.equal(asked(name, ["watch"])?.fault, "notAllowed");
  check.equal(asked("none", ["admin"])?.fault, "notFound");
  const body = asked(name, ["admin"])?.body as JsonObject;
  check.equal(body["state"], { a: 1, copy: `my id is ${name}` });
  check.equal((body["events"] as readonly JsonObject[]).map(({ seq, type }) => [seq, type]), [
    [0, "SessionCreated"],
    [1, "OperatorApplied"],
    [2, "SessionForked"],
  ]);
  const text = JSON.stringify([body, asked(forked.slice(0, 8), ["admin"])?.body ?? null]);
  check.that(!text.includes(session) && !text.includes(forked));
});

test("BR97 sessions in memory occupy a quarter of `limits.total_bytes`: the least recently used stored ones leave it", () => {
  const fixture = new BrainFixture({ limits: { total_bytes: 8 * 1_048_576 } });
  const peer = fixture.peer("p");
  const big = "x".repeat(50_000);
  const sessions = Array.from({ length: 40 }, () => fixture.create(peer, { initial_state: { big } }));
  const { state, retained } = fixture.harness;
  const loaded = () => [...state.sessions.values()].filter(({ log }) => log.contents.is === "loaded").map(({ id }) => id);
  check.that(retained.bytes <= 2 * 1_048_576 && retained.bytes > 1_048_576, `${retained.bytes} bytes are accounted for`);
  check.that(textBytesIn([...state.sessions.values()]) <= retained.bytes + 100_000, "and no more is kept");
  check.equal(loaded().at(-1), sessions.at(-1), "the last one is in memory");
  check.that(!loaded().includes(String(sessions[0])), "the first one is not");
  for (const session of sessions) {
    check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session })["state"], { big });
    check.that(retained.bytes <= 2 * 1_048_576 + 1_000_000, "one that is used again replaces another");
  }
  for (const session of sessions) fixture.ask(peer, { cmd: "CloseSession", session_id: session });
  fixture.pass(10_000);
  check.equal(retained.bytes, 0);
});

test("BR97b without persistence, more is refused with LimitExceeded", () => {
  const fixture = new BrainFixture({ persist: false, limits: { total_bytes: 8 * 1_048_576 } });
  const peer = fixture.peer("p");
  const changes = { big: "x".repeat(50_000) };
  let reply: JsonObject = {};
  for (let count = 0; count < 200 && reply["code"] === undefined; count++) {
    reply = fixture.ask(peer, { cmd: "CreateSession", initial_state: changes });
  }
  check.equal([reply["code"], reply["limit"], reply["max"]], ["LimitExceeded", "total_bytes", 8 * 1_048_576]);
  check.that(textBytesIn([...fixture.harness.state.sessions.values()]) <= 2.5 * 1_048_576);
  const one = new BrainFixture({ persist: false, limits: { total_bytes: 8 * 1_048_576 } });
  const [other, session] = [one.peer("p"), one.create(one.peer("q"))];
  let last: JsonObject = {};
  for (let count = 0; count < 1_000 && last["code"] === undefined; count++) {
    last = one.ask(other, { cmd: "ApplyOperator", session_id: session, operator: "ST", params: { changes } });
  }
  check.that(textBytesIn([...one.harness.state.sessions.values()]) <= 4 * 1_048_576, "its last events count, too");
});

test("BR98 at most 8 reads of logs wait for the store at a time, and all are answered", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 0; count < 100; count++) fixture.merge(peer, session, { big: "x".repeat(10_000), count });
  const next = fixture.restart();
  const reader = next.peer("reader");
  next.ask(reader, { cmd: "GetState", session_id: session });
  for (let count = 0; count < 50; count++) {
    next.send(reader, { cmd: "GetAudit", session_id: session, after_seq: 1 + count });
  }
  const { reads, waitingReads } = next.harness.state.logs;
  check.equal([reads.size, waitingReads.length], [8, 42]);
  next.settle();
  const replies = next.seen(reader);
  check.equal(replies.map(({ events }) => Array.isArray(events) && isObject(events[0]) ? events[0]["seq"] : undefined), [
    ...Array.from({ length: 50 }, (_, at) => at + 2),
  ]);
  check.equal([reads.size, waitingReads.length], [0, 0]);
});

test("BR99 a client whose replies wait and have more than `limits.backlog_hard_bytes` is closed", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { big: "x".repeat(50_000) });
  fixture.store = () => "hang";
  fixture.send(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST", params: { changes: { a: 1 } } });
  let asked = 0;
  const isClosed = () => fixture.harness.take().some((effect) => effect.do === "close" && effect.peer === peer);
  while (asked < 1_000 && !isClosed()) {
    fixture.send(peer, { cmd: "GetState", session_id: session });
    asked++;
  }
  check.that(asked > 70 && asked < 90, `${asked} replies of 100 kB`);
  check.equal(fixture.ask(fixture.peer("other"), { cmd: "ListOperators" })["type"], "Operator.List");
});

test("SE107 a token with names creates and forks sessions of these owners only", () => {
  const tokens = [{ name: "nexus", token: "token of nexus", names: ["nexus-*"] }];
  const brain = new BrainFixture({ tokens });
  const peer = brain.peer("a", { credential: hashText("token of nexus") });
  const session = brain.create(peer, { owner: "nexus-ui" });
  for (const owner of [{}, { owner: "other" }, { owner: ["nexus-ui"] }]) {
    check.equal(brain.ask(peer, { cmd: "CreateSession", ...owner }).code, "NotAllowed");
  }
  check.equal(brain.ask(peer, { cmd: "ForkSession", session_id: session, owner: "other" }).code, "NotAllowed");
  check.equal(brain.ask(peer, { cmd: "ForkSession", session_id: session }).type, "SessionForked");
});
