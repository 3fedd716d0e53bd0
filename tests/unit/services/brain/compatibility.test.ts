/** Behaviour that clients of the original relay depend on. */
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import { check } from "../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture, kinds } from "./fixture.ts";

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const started = () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  return { harness: fixture, peer, session: fixture.create(peer, { owner: "nexus-ui" }) };
};

test("BR1 CreateSession replies with its type and a version 4 UUID only, whatever the owner is", () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  for (const owner of ["nexus-ui", null, 5, ["a"], { b: 1 }, undefined] as const) {
    const reply = fixture.ask(peer, owner === undefined ? { cmd: "CreateSession" } : { cmd: "CreateSession", owner });
    check.equal(Object.keys(reply), ["type", "session_id"]);
    check.equal(reply["type"], "SessionCreated");
    check.match(String(reply["session_id"]), UUID4);
  }
});

test("BR2 ApplyOperator replies with the whole state and exactly three keys", () => {
  const { harness: fixture, peer, session } = started();
  check.equal(fixture.merge(peer, session, { tick: 1 }), {
    type: "State.Snapshot",
    session_id: session,
    state: { tick: 1 },
  });
  check.equal(fixture.merge(peer, session, { tock: { deep: [1] } })["state"], { tick: 1, tock: { deep: [1] } });
  const plain = fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST" });
  check.equal(plain["state"], { tick: 1, tock: { deep: [1] } });
});

test("BR2b the three operators change state and log like the original", () => {
  const { harness: fixture, peer, session } = started();
  const apply = (operator: string, params: JsonObject) =>
    fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator, params })["state"];
  check.equal(apply("ST", { changes: { a: { x: 1 } } }), { a: { x: 1 } });
  check.equal(apply("CH", { changes: { a: { y: 2 }, b: null } }), { a: { y: 2 }, b: null });
  check.equal(apply("XYZ", { key: "c", value: [3], ignored: true }), { a: { y: 2 }, b: null, c: [3] });
  check.equal(apply("XYZ", { key: "d" }), { a: { y: 2 }, b: null, c: [3], d: null });
  const rows = fixture.audit(peer, session).slice(1).map(({ payload }) => {
    const { operator, delta, audit, risk, recommendations } = payload as JsonObject;
    return { operator, delta, audit, risk, recommendations };
  });
  check.equal<Json>(rows as Json, [
    {
      operator: "ST",
      delta: { st_applied: true },
      audit: { op: "ST", details: { a: { x: 1 } } },
      risk: 0.1,
      recommendations: {},
    },
    {
      operator: "CH",
      delta: { a: { y: 2 }, b: null },
      audit: { op: "CH", changes: { a: { y: 2 }, b: null } },
      risk: 0.2,
      recommendations: {},
    },
    { operator: "XYZ", delta: { c: [3] }, audit: { op: "XYZ", ok: true, key: "c" }, risk: 0.05, recommendations: {} },
    { operator: "XYZ", delta: { d: null }, audit: { op: "XYZ", ok: true, key: "d" }, risk: 0.05, recommendations: {} },
  ]);
});

test("BR3 every other cmd gets the error `unknown command`", () => {
  const { harness: fixture, peer } = started();
  for (const cmd of [undefined, null, 5, ["Infer"], "createsession", "constructor", "__proto__", {}] as const) {
    check.equal(fixture.ask(peer, cmd === undefined ? {} : { cmd }), { error: "unknown command" });
  }
  check.equal(fixture.ask(peer, { kind: "memory.write", version: "world.envelope@v1" }), { error: "unknown command" });
});

test("BR4 of several errors of one request, the one that the original finds first is reported", () => {
  const { harness: fixture, peer, session } = started();
  const error = (fields: JsonObject) => fixture.ask(peer, { cmd: "ApplyOperator", ...fields })["error"];
  check.equal(error({}), "missing field 'session_id'");
  check.equal(error({ operator: "ST" }), "missing field 'session_id'");
  check.equal(error({ session_id: "nope" }), "missing field 'operator'");
  check.equal(error({ session_id: "nope", operator: "NOPE", params: 5 }), "unknown session 'nope'");
  check.match(String(error({ session_id: session, operator: "NOPE", params: 5 })), /mapping, not int/);
  check.equal(error({ session_id: session, operator: "NOPE", params: {} }), "Operator NOPE not found");
});

test("BR8 an unknown session is reported with Python's repr of its id", () => {
  const { harness: fixture, peer } = started();
  const cases: readonly (readonly [Json, string])[] = [
    ["nope", "'nope'"],
    ["it's", `"it's"`],
    [null, "None"],
    [5, "5"],
    [true, "True"],
    [[], "unhashable type: 'list'"],
    [{}, "unhashable type: 'dict'"],
    ["__proto__", "'__proto__'"],
  ];
  for (const [session_id, token] of cases) {
    const reply = fixture.ask(peer, { cmd: "ApplyOperator", session_id, operator: "ST" });
    check.equal(Object.keys(reply), ["error"]);
    check.that(String(reply["error"]).includes(token), `${reply["error"]} has ${token}`);
  }
});

test("BR9 an unknown operator is reported, and names are case-sensitive", () => {
  const { harness: fixture, peer, session } = started();
  const cases: readonly (readonly [Json, string])[] = [
    ["X", "Operator X not found"],
    ["st", "Operator st not found"],
    ["constructor", "Operator constructor not found"],
    [null, "Operator None not found"],
    [[], "unhashable type: 'list'"],
  ];
  for (const [operator, token] of cases) {
    const reply = fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator });
    check.equal(Object.keys(reply), ["error"]);
    check.that(String(reply["error"]).includes(token), `${reply["error"]} has ${token}`);
  }
});

test("BR10 a message that is not an object is refused with the name of its type", () => {
  const { harness: fixture, peer } = started();
  const cases = { "[]": "list", "null": "NoneType", "5": "int", '"x"': "str", "true": "bool", "1.5": "float" };
  for (const [frame, type] of Object.entries(cases)) {
    check.match(String(fixture.ask(peer, frame)["error"]), new RegExp(`'${type}' object has no attribute 'get'`));
  }
});

test("BR11 params that are not an object, or contain a reserved name, are refused", () => {
  const { harness: fixture, peer, session } = started();
  const error = (params: Json) =>
    String(fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST", params })["error"]);
  for (const [params, type] of [[null, "NoneType"], [[], "list"], [5, "int"], ["x", "str"], [false, "bool"]] as const) {
    check.match(error(params), new RegExp(`params must be an object.*must be a mapping, not ${type}`));
  }
  for (const name of ["name", "state", "self"]) {
    check.match(error({ [name]: 1 }), new RegExp(`got multiple values for argument '${name}'`));
  }
});

test("BR12 changes of ST that cannot be read as pairs are refused with the original's text", () => {
  const { harness: fixture, peer, session } = started();
  const cases: readonly (readonly [Json, string])[] = [
    [null, "'NoneType' object is not iterable"],
    [5, "'int' object is not iterable"],
    [1.5, "'float' object is not iterable"],
    [true, "'bool' object is not iterable"],
    ["ab", "dictionary update sequence element #0 has length 1; 2 is required"],
    [["xyz"], "dictionary update sequence element #0 has length 3; 2 is required"],
    [["xy", ["a"]], "dictionary update sequence element #1 has length 1; 2 is required"],
    [[1], "cannot convert dictionary update sequence element #0 to a sequence"],
    [[[[], 1]], "unhashable type: 'list'"],
  ];
  for (const [changes, token] of cases) {
    const { error } = fixture.merge(peer, session, changes);
    check.that(String(error).includes(token), `${error} has ${token}`);
  }
  check.equal(kinds(fixture.audit(peer, session)), ["SessionCreated"]);
});

test("BR13 changes of ST may be a list of pairs of any kind; other keys become texts", () => {
  const { harness: fixture, peer, session } = started();
  check.equal(fixture.merge(peer, session, "")["state"], {});
  check.equal(fixture.merge(peer, session, [])["state"], {});
  check.equal(fixture.merge(peer, session, [["k", "v"], "xy", { p: 1, q: 2 }])["state"], { k: "v", x: "y", p: "q" });
  const { state } = fixture.merge(peer, session, [[5, 1], [null, 2], [true, 3], [1.5, 4]]);
  check.equal(state, { 5: 1, k: "v", x: "y", p: "q", null: 2, true: 3, "1.5": 4 });
});

test("BR14 changes of CH must be an object", () => {
  const { harness: fixture, peer, session } = started();
  for (const [changes, type] of [[null, "NoneType"], [[], "list"], ["", "str"], [5, "int"], [true, "bool"]] as const) {
    const reply = fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "CH", params: { changes } });
    check.match(String(reply["error"]), new RegExp(`'${type}' object has no attribute 'items'`));
  }
});

test("BR15 XYZ with an invalid key is not an error: nothing changes and the risk is logged", () => {
  const { harness: fixture, peer, session } = started();
  for (const key of ["", null, 5, undefined] as const) {
    const params: JsonObject = key === undefined ? { value: 1 } : { key, value: 1 };
    const reply = fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "XYZ", params });
    check.equal(reply, { type: "State.Snapshot", session_id: session, state: {} });
  }
  const { payload } = fixture.audit(peer, session).at(-1) ?? {};
  const { delta, audit, risk } = payload as JsonObject;
  check.equal<Json>([delta ?? 0, audit ?? 0, risk ?? 0], [
    {},
    { op: "XYZ", ok: false, error: "key must be a non-empty string" },
    0.6,
  ]);
});

test("BR19 a refused request leaves state and audit unchanged", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { kept: 1 });
  const before = fixture.audit(peer, session);
  const refused: readonly JsonObject[] = [
    { operator: "NOPE" },
    { operator: "ST", params: { changes: ["xyz"] } },
    { operator: "ST", params: { changes: [["fine", 1], 5] } },
    { operator: "CH", params: { changes: [] } },
    { operator: "ST", params: null },
  ];
  for (const fields of refused) {
    check.that("error" in fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, ...fields }));
  }
  check.equal(fixture.audit(peer, session), before);
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session })["state"], { kept: 1 });
});

test("BR20 __proto__ and similar keys are data in requests and replies, and no prototype is touched", () => {
  const { harness: fixture, peer, session } = started();
  const changes = '{"__proto__":{"polluted":true},"constructor":1,"toString":null,"hasOwnProperty":2}';
  for (const operator of ["ST", "CH"]) {
    fixture.send(
      peer,
      `{"cmd":"ApplyOperator","session_id":"${session}","operator":"${operator}","params":{"changes":${changes}}}`,
    );
    fixture.settle();
    const [reply] = fixture.seen(peer);
    check.equal(JSON.stringify(reply?.["state"]), changes);
  }
  check.equal(fixture.merge(peer, session, [["__proto__", 5]])["state"] !== undefined, true);
  check.equal(({} as JsonObject)["polluted"], undefined);
  const again = fixture.restart();
  const watcher = again.peer("again");
  const { state } = again.ask(watcher, { cmd: "GetState", session_id: session });
  check.equal(JSON.stringify(state), changes.replace('{"polluted":true}', "5"));
});

test("BR21 if a key is repeated, its last value is used", () => {
  const { harness: fixture, peer, session } = started();
  const reply = fixture.ask(
    peer,
    `{"cmd":"Ping","cmd":"ApplyOperator","session_id":"${session}","operator":"ST","params":{"changes":{"a":1,"a":2}}}`,
  );
  check.equal(reply["state"], { a: 2 });
});

test("BR22 additional fields are in a reply only if the request asked for them", () => {
  const { harness: fixture, peer, session } = started();
  const base = { cmd: "ApplyOperator", session_id: session, operator: "ST" };
  check.equal(Object.keys(fixture.ask(peer, { ...base, request_id: 7 })), ["type", "session_id", "state", "request_id"]);
  const meta = fixture.ask(peer, { ...base, want: ["meta"] });
  check.equal(Object.keys(meta), ["type", "session_id", "state", "seq", "state_hash", "risk"]);
  check.equal([meta["seq"], meta["risk"]], [2, 0.1]);
  check.equal(fixture.ask(peer, { cmd: "nope", request_id: "r" }), { error: "unknown command", request_id: "r" });
});

test("BR22b a request whose request_id is neither a text nor a number is refused", () => {
  const { harness: fixture, peer, session } = started();
  const error = "bad value of 'request_id': expected a text or a number";
  for (const request_id of [{ not: "echoed" }, [1], true]) {
    const refusal = { error, code: "BadParams", path: "request_id" };
    check.equal(fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST", request_id }), refusal);
  }
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session, request_id: null })["state"], {});
});

test("BR6 any socket may use any session, and sessions outlive the socket that made them", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { from: "first" });
  fixture.harness.step({ is: "closed", peer, code: 1000 });
  const other = fixture.peer("other");
  check.equal(fixture.merge(other, session, { to: "second" })["state"], { from: "first", to: "second" });
});

test("BR48 Ping is answered by Pong", () => {
  const { harness: fixture, peer } = started();
  check.equal(fixture.ask(peer, { cmd: "Ping", request_id: 1 }), { type: "Pong", request_id: 1 });
});
