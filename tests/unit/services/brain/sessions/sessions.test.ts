/** Limits, followers, added operators, and the overview. */
import { brainWith, operator, OPERATORS } from "../../../../../src/services/brain/mod.ts";
import type { ResumedPeer } from "../../../../../src/core/event.ts";
import { type PeerId, toRequestId } from "../../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import { TEST_CONNECTION } from "../../../../../src/testing/service-harness.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainStage } from "../fixture.ts";

const started = (options: ConstructorParameters<typeof BrainStage>[0] = {}) => {
  const stage = new BrainStage(options);
  const peer = stage.peer("ui");
  return { stage, peer, session: stage.create(peer) };
};
const survivor = (peer: PeerId): ResumedPeer => ({ peer, listener: "brain", connection: TEST_CONNECTION });

test("BR47 followers get State.Delta for changes by others once they are stored", () => {
  const { stage, peer, session } = started();
  const [follower, stranger] = [stage.peer("follower"), stage.peer("stranger")];
  stage.merge(peer, session, { a: 1 });
  const subscribed = stage.ask(follower, { cmd: "Subscribe", session_id: session });
  check.equal(subscribed, { type: "Subscribed", session_id: session, seq: 1 });
  stage.merge(peer, session, { a: 1, b: { c: 2 } });
  const delta = { type: "State.Delta", session_id: session, seq: 2, operator: "ST", changes: { b: { c: 2 } }, risk: 0.1 };
  check.equal(stage.seen(follower), [delta]);
  check.equal(stage.merge(follower, session, { own: 1 })["type"], "State.Snapshot");
  check.equal(stage.seen(follower), []);
  check.equal(stage.seen(peer), []);
  check.equal(stage.seen(stranger), []);
  check.equal(stage.ask(follower, { cmd: "Unsubscribe", session_id: session })["type"], "Unsubscribed");
  stage.merge(peer, session, { a: 5 });
  check.equal(stage.seen(follower), []);
});

test("BR47 a change that could not be stored is not notified", () => {
  const { stage, peer, session } = started();
  const follower = stage.peer("follower");
  stage.ask(follower, { cmd: "Subscribe", session_id: session });
  stage.store = () => "fail";
  check.equal(stage.merge(peer, session, { a: 1 })["code"], "StorageFailed");
  check.equal(stage.seen(follower), []);
});

test("BR47 a macro is one notification, and applying it gives the state", () => {
  const { stage, peer, session } = started();
  const follower = stage.peer("follower");
  stage.ask(follower, { cmd: "Subscribe", session_id: session });
  const steps = [{ name: "ST", params: { changes: { a: 1 } } }, { name: "CH", params: { changes: { a: 2, __proto: 3 } } }];
  const { state } = stage.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps });
  check.equal(stage.seen(follower).map(({ operator, changes }) => [operator, changes] as Json), [["m", state ?? null]]);
});

test("BR47c subscriptions survive hibernation and end with the connection", () => {
  const { stage, peer, session } = started();
  stage.send(peer, { cmd: "Subscribe", session_id: session });
  const attached = stage.harness.take().findLast((effect) => effect.do === "attach");
  check.that(attached?.do === "attach");
  const again = stage.restart({ resumed: [{ ...survivor(peer), attachment: attached.attachment }] });
  again.inbox.set(peer, []);
  const other = again.peer("other");
  again.merge(other, session, { a: 1 });
  check.equal(again.seen(peer).map(({ type }) => type), ["State.Delta"]);
  again.harness.step({ is: "closed", peer, code: 1006 });
  check.equal(again.harness.state.sessions.get(session)?.followers.size, 0);
});

test("BR42 a follower under backpressure gets one State.Gap with the number of missed changes", () => {
  const { stage, peer, session } = started();
  const follower = stage.peer("follower");
  stage.ask(follower, { cmd: "Subscribe", session_id: session });
  stage.harness.step({ is: "backpressure", peer: follower });
  for (let count = 1; count <= 3; count++) stage.merge(peer, session, { count });
  stage.merge(follower, session, { own: 1 });
  stage.settle();
  check.equal(stage.seen(follower), []);
  stage.harness.step({ is: "relieved", peer: follower });
  stage.settle();
  check.equal(stage.seen(follower), [{ type: "State.Gap", session_id: session, seq: 3, missed: 3 }]);
  stage.merge(peer, session, { a: 2 });
  check.equal(stage.seen(follower).map(({ type, seq }) => [type, seq] as Json), [["State.Delta", 5]]);
  check.equal(stage.seen(peer), []);
});

test("BR42c a follower that missed nothing, or unsubscribed, gets no State.Gap", () => {
  const { stage, peer, session } = started();
  const [follower, silent] = [stage.peer("follower"), stage.peer("silent")];
  const [other, closed] = [stage.create(peer), stage.create(peer)];
  for (const session_id of [session, other, closed]) stage.ask(follower, { cmd: "Subscribe", session_id });
  for (const each of [follower, silent]) stage.harness.step({ is: "backpressure", peer: each });
  stage.merge(peer, session, { a: 1 });
  stage.merge(peer, closed, { a: 1 });
  stage.ask(follower, { cmd: "Unsubscribe", session_id: session });
  stage.ask(peer, { cmd: "CloseSession", session_id: closed });
  for (const each of [follower, silent]) stage.harness.step({ is: "relieved", peer: each });
  stage.settle();
  check.equal([...stage.seen(follower), ...stage.seen(silent)], []);
});

test("BR42b after an internal error followers get a State.Gap with an unknown number", () => {
  const { stage, peer, session } = started();
  const silent = stage.peer("silent");
  stage.ask(peer, { cmd: "Subscribe", session_id: session });
  const resumed = [{ ...survivor(peer), attachment: { follows: [session] } }, survivor(silent)];
  const again = stage.restart({ resumed });
  for (const each of [peer, silent]) again.inbox.set(each, []);
  for (let count = 0; count < 2; count++) again.harness.step({ is: "tick" });
  again.settle();
  check.equal(again.seen(peer), [{ type: "State.Gap", session_id: session, seq: 0, missed: null }]);
  check.equal(again.seen(silent), []);
});

test("BR47b a peer follows at most 64 sessions", () => {
  const { stage, peer } = started();
  const ids = Array.from({ length: 65 }, () => stage.create(peer));
  const replies = ids.map((session_id) => stage.ask(peer, { cmd: "Subscribe", session_id }));
  check.equal(replies.filter(({ code }) => code === "LimitExceeded").length, 1);
});

test("BR23 no client gets a State.Snapshot that it did not request", () => {
  const { stage, peer, session } = started();
  const others = ["a", "b", "c"].map((name) => stage.peer(name));
  for (const other of others) stage.ask(other, { cmd: "Subscribe", session_id: session });
  for (let count = 0; count < 10; count++) stage.merge(peer, session, { count });
  stage.ask(peer, { cmd: "SealSession", session_id: session });
  stage.ask(peer, { cmd: "CloseSession", session_id: session });
  stage.pass(1_000_000);
  for (const other of others) check.equal(new Set(stage.seen(other).map(({ type }) => type)), new Set(["State.Delta"]));
});

test("BR68 two clients of one session each see a strictly growing state", () => {
  const { stage, peer, session } = started();
  const other = stage.peer("other");
  const st = (who: string, count: number): JsonObject => ({
    cmd: "ApplyOperator",
    session_id: session,
    operator: "ST",
    params: { changes: { [`${who}${count}`]: count } },
  });
  for (let count = 0; count < 100; count++) {
    stage.send(peer, st("p", count));
    stage.send(other, st("o", count));
    if (count % 7 === 0) stage.settle();
  }
  stage.settle();
  for (const each of [peer, other]) {
    const sizes = stage.seen(each).map(({ state }) => Object.keys(state as JsonObject).length);
    check.equal(sizes.length, 100);
    check.that(sizes.every((size, at) => at === 0 || size > (sizes[at - 1] ?? 0)));
  }
});

test("BR46 state, params, keys, owner and sessions are limited, and the error names the limit", () => {
  const { stage, peer, session } = started({ sessions: 3, state_bytes: 4_096 });
  const big = "x".repeat(3_000);
  stage.merge(peer, session, { big });
  const more = stage.merge(peer, session, { more: big });
  check.equal(more, {
    error: "limit exceeded: state_bytes (max 4096)",
    code: "LimitExceeded",
    limit: "state_bytes",
    max: 4_096,
  });
  check.equal(stage.merge(peer, session, { junk: "x".repeat(5_000) })["limit"], "params_bytes");
  check.equal(stage.merge(peer, session, { big: 1 })["state"], { big: 1 });
  check.equal(stage.ask(peer, { cmd: "CreateSession", initial_state: { a: "x".repeat(5_000) } })["limit"], "state_bytes");
  check.equal(stage.ask(peer, { cmd: "CreateSession", owner: "x".repeat(5_000) })["limit"], "owner_bytes");
  stage.create(peer);
  stage.create(peer);
  const full = stage.ask(peer, { cmd: "CreateSession" });
  check.equal([full["code"], full["limit"], full["max"]], ["LimitExceeded", "sessions", 3]);
  const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, 1]));
  const wide = started({ state_bytes: 1_000_000 });
  check.equal(wide.stage.merge(wide.peer, wide.session, keys)["limit"], "keys");
});

test("BR46b at the limit of sessions, one that is unused for 60 s is ended; a used one never is", () => {
  const { stage, peer, session } = started({ sessions: 2 });
  stage.merge(peer, session, { used: 1 });
  const unused = stage.create(peer);
  stage.pass(120_000);
  stage.create(peer);
  check.equal(stage.merge(peer, unused, {})["code"], "SessionExpired");
  check.equal(stage.merge(peer, session, {})["state"], { used: 1 });
  stage.pass(120_000);
  stage.create(peer);
  stage.merge(peer, stage.create(stage.peer("x")), {});
});

test("BR46c a peer that creates sessions too fast is told when to retry", () => {
  const { stage, peer } = started();
  const replies = Array.from({ length: 300 }, () => stage.ask(peer, { cmd: "CreateSession" }));
  const refused = replies.filter(({ code }) => code === "RateLimited");
  check.equal(refused.length, 300 - 255);
  check.that(Number(refused[0]?.["retry_after_ms"]) > 0);
  stage.pass(1_000);
  check.equal(stage.ask(peer, { cmd: "CreateSession" })["type"], "SessionCreated");
});

test("BR46d a throttled frame gets its reply", () => {
  const { stage, peer } = started();
  stage.harness.step({ is: "throttled", peer, retryMs: 40 });
  stage.settle();
  check.equal(stage.seen(peer), [{ error: "rate limit", code: "RateLimited", retry_after_ms: 40 }]);
});

test("BR46e a peer with 4,096 outstanding replies is closed", () => {
  const { stage, peer, session } = started();
  stage.store = () => "hang";
  for (let count = 0; count <= 4_096; count++) {
    stage.send(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST" });
  }
  check.that(stage.harness.take().some((effect) => effect.do === "close" && effect.peer === peer));
});

test("BR46g the stored logs of a session, and of all sessions, have a maximum size, also across a restart", () => {
  const big = "x".repeat(50_000);
  const fill = (stage: BrainStage, peer: PeerId, session: string): JsonObject => {
    for (let count = 0; count < 100; count++) {
      const reply = stage.merge(peer, session, { big, count });
      if ("code" in reply) return reply;
    }
    return {};
  };
  const one = started({ log_bytes: 1_048_576 });
  const { limit, max } = fill(one.stage, one.peer, one.session);
  check.equal([limit, max], ["log_bytes", 1_048_576]);
  const size = () => [...one.stage.disk.values()].reduce((sum: number, value) => sum + JSON.stringify(value).length, 0);
  one.stage.pass(10_000);
  check.that(size() < 2 * 1_048_576, `${size()} characters`);
  const again = one.stage.restart();
  const next = again.peer("next");
  check.equal(fill(again, next, one.session)["limit"], "log_bytes");
  check.equal(again.ask(next, { cmd: "GetState", session_id: one.session })["type"], "State.Snapshot", "it can be read");
  const all = started({ store_bytes: 1_048_576 });
  check.equal(fill(all.stage, all.peer, all.session)["limit"], "store_bytes");
  const create = () => all.stage.ask(all.peer, { cmd: "CreateSession", initial_state: { big } });
  check.equal(create()["limit"], "store_bytes");
  all.stage.ask(all.peer, { cmd: "CloseSession", session_id: all.session });
  check.equal(create()["type"], "SessionCreated", "an ended session makes room");
  check.that(all.stage.harness.state.logs.storedLength < 60_000 * 2);
});

test("BR46h one client may have 64 MiB stored in a burst, and then 1 MiB per second", () => {
  const { stage, peer, session } = started({ log_bytes: 1e12, store_bytes: 1e12 });
  const changes = { big: "x".repeat(60_000) };
  const st = { cmd: "ApplyOperator", session_id: session, operator: "ST", params: { changes } };
  let accepted = 0;
  let reply = stage.ask(peer, st);
  for (; reply["code"] === undefined && accepted < 2_000; accepted++) reply = stage.ask(peer, st);
  check.equal(reply["code"], "RateLimited");
  check.that(accepted > 1_000 && accepted < 1_200, `${accepted} requests of 60 kB`);
  check.equal(stage.ask(stage.peer("other"), st)["type"], "State.Snapshot", "another client has its own quota");
  stage.pass(Number(reply["retry_after_ms"]));
  check.equal(stage.ask(peer, st)["type"], "State.Snapshot");
});

test("BR41 ListOperators lists operators with version and parameters", () => {
  const { stage, peer } = started();
  check.equal(stage.ask(peer, { cmd: "ListOperators" }), {
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
  check.equal(first.stage.ask(first.peer, { ...inc, session_id: first.session })["state"], { n: 1 });
  check.equal(first.stage.ask(first.peer, { ...inc, session_id: first.session, params: {} }), {
    error: "key must be a text",
  });
  const again = first.stage.restart({ service: brainWith([...OPERATORS, increment(1, 1), increment(2, 10)]) });
  const peer = again.peer("again");
  check.equal(again.ask(peer, { ...inc, session_id: first.session })["state"], { n: 11 });
  check.equal(again.ask(peer, { cmd: "ReplaySession", session_id: first.session })["ok"], true);
  const without = again.restart({ service: brainWith(OPERATORS) });
  check.equal(without.ask(without.peer("x"), { ...inc, session_id: first.session })["code"], "StorageFailed");
});

test("BR57 invalid values of fields are refused with their path", () => {
  const { stage, peer, session } = started();
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ cmd: "CreateSession", initial_state: [] }, "initial_state"],
    [{ cmd: "CreateSession", initial_state: null }, "initial_state"],
    [{ cmd: "CreateSession", ttl_ms: 0 }, "ttl_ms"],
    [{ cmd: "CreateSession", ttl_ms: "1h" }, "ttl_ms"],
    [{ cmd: "ApplyMacro", session_id: session, name: "m", steps: {} }, "steps"],
    [{ cmd: "ForkSession", session_id: session, at_seq: 9 }, "at_seq"],
  ];
  for (const [fields, path] of cases) {
    const { code, path: at } = stage.ask(peer, fields);
    check.equal([code, at], ["BadParams", path]);
  }
  for (const cmd of ["GetState", "GetAudit", "SealSession", "CloseSession", "ReplaySession", "Subscribe", "GetLedger"]) {
    check.equal(stage.ask(peer, { cmd }), { error: "missing field 'session_id'" });
    check.equal(stage.ask(peer, { cmd, session_id: "nope" }), { error: "unknown session 'nope'" });
  }
});

test("BR58 the overview counts, and contains no complete session id", () => {
  const { stage, peer, session } = started();
  stage.merge(peer, session, { a: 1 });
  const asked = (get: "status" | "ready"): Json => {
    stage.harness.step({
      is: "requested",
      requestId: toRequestId("1"),
      principal: { by: "test", scopes: ["watch"] },
      request: { of: "brain", get },
    });
    const answer = stage.harness.take().find((effect) => effect.do === "respond");
    return answer?.do === "respond" ? answer.body ?? null : null;
  };
  const status = asked("status") as JsonObject;
  check.equal([status["sessions"], status["peers"], status["awake"]], [1, 1, 1]);
  check.that(!JSON.stringify(status).includes(session));
  check.equal((status["latest"] as readonly JsonObject[])[0]?.["name"], session.slice(0, 8));
  check.equal(asked("ready"), { ok: true, reasons: [] });
});
