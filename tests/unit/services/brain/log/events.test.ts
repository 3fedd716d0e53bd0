/** The events of a log: their content, the state that they fold to, and reading them. */
import fc from "fast-check";
import { hashText } from "../../../../../src/core/hash.ts";
import { canonicalJson, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture, kinds } from "../fixture.ts";

const started = (fields: JsonObject = {}) => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  return { harness: fixture, peer, session: fixture.create(peer, fields) };
};

test("BR30 the hash of an event covers its number, type, payload and the previous hash", () => {
  const { harness: fixture, peer, session } = started({ owner: "x" });
  fixture.merge(peer, session, { a: 1 });
  fixture.ask(peer, { cmd: "SealSession", session_id: session });
  const events = fixture.audit(peer, session);
  check.equal(events.length, 3);
  let previous = "";
  for (const [at, { seq, type, payload, hash, id, timestamp }] of events.entries()) {
    check.equal(seq, at);
    check.equal(
      hash,
      hashText(canonicalJson({ seq: at, type: type ?? null, payload: payload ?? null, prev_hash: previous })),
    );
    check.that(typeof id === "string" && /^\d{4}-.*Z$/.test(String(timestamp)));
    previous = String(hash);
  }
});

test("BR30 the same operations on a session give the same hashes at another time and with other ids", () => {
  const hashes = (fixture: BrainFixture): Json => {
    const peer = fixture.peer("ui");
    const session = fixture.create(peer, { owner: "x", initial_state: { b: 1, a: 2 } });
    fixture.merge(peer, session, { z: [1, { y: 2 }] });
    return fixture.audit(peer, session).map(({ hash = null }) => hash);
  };
  check.equal(hashes(new BrainFixture({ now: 1_000 })), hashes(new BrainFixture({ now: 2_000_000, epoch: 9 })));
});

test("BR31 the state is what the log folds to: 500 random operations with refusals, a macro and a fork", () => {
  const covenant = { mode: "enforce", frozen_keys: ["id"], max_risk: 0.5 };
  const { harness: fixture, peer, session } = started({ initial_state: { id: 1 }, covenant, ttl_ms: 3_600_000 });
  const operations = fc.sample(operation, { numRuns: 500, seed: 8 });
  for (const fields of operations) fixture.ask(peer, { ...fields, session_id: session });
  const child = String(fixture.ask(peer, { cmd: "ForkSession", session_id: session, at_seq: 250 })["child"]);
  for (const fields of operations.slice(0, 100)) fixture.ask(peer, { ...fields, session_id: child });
  for (const id of [session, child]) {
    const served = fixture.ask(peer, { cmd: "GetState", session_id: id });
    const report = fixture.ask(peer, { cmd: "ReplaySession", session_id: id });
    check.equal([report["ok"], report["first_mismatch"]], [true, null]);
    check.equal(report["events"], Number(served["seq"]) + 1);
    check.equal(report["state_hash"], hashText(canonicalJson(served["state"])));
    check.equal(refold(fixture.audit(peer, id)), served["state"]);
  }
  const found = new Set(kinds(fixture.audit(peer, session)));
  check.equal(found, new Set(["SessionCreated", "OperatorApplied", "OperatorRefused", "MacroApplied", "SessionForked"]));
  // Why a hash: this file runs on every runtime, and all must get these logs and states.
  const all = [session, child].map((id) => ({
    events: fixture.audit(peer, id).map(({ hash = null }) => hash),
    state: fixture.ask(peer, { cmd: "GetState", session_id: id })["state"] ?? null,
  }));
  check.equal(hashText(JSON.stringify(all)), GOLDEN);
});

const GOLDEN = "cc82312a19b1bdde24d7dfddb60aa2fa9dc318ac2eb581e7ef398ec59b1952a5";

const name = fc.constantFrom("a", "b", "id", "__proto__", "suspicious", "5", "constructor", "é");
const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const step = fc.oneof(
  fc.record({ operator: fc.constant("ST"), params: fc.record({ changes: fc.dictionary(name, value) }) }),
  fc.record({ operator: fc.constant("CH"), params: fc.record({ changes: fc.dictionary(name, value) }) }),
  fc.record({ operator: fc.constant("XYZ"), params: fc.record({ key: fc.oneof(name, fc.constant(5)), value }) }),
  fc.record({ operator: fc.constant("ST"), params: fc.constant({ changes: { suspicious: 0 } }) }),
);
const operation: fc.Arbitrary<JsonObject> = fc.oneof(
  { weight: 5, arbitrary: step.map((each) => ({ cmd: "ApplyOperator", ...each })) },
  {
    weight: 1,
    arbitrary: fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => ({
      cmd: "ApplyMacro",
      name: "m",
      steps: steps.map(({ operator, params }) => ({ name: operator, params })),
    })),
  },
) as fc.Arbitrary<JsonObject>;

/** A second, simpler fold, written from the protocol document alone. */
function refold(events: readonly JsonObject[]): JsonObject {
  const state = new Map<string, Json>();
  const apply = ({ operator, params }: JsonObject): void => {
    const { changes = {}, key, value: given = null } = params as JsonObject;
    if (operator === "XYZ") return void (typeof key === "string" && key !== "" && state.set(key, given));
    for (const [each, new_value = null] of Object.entries(changes as JsonObject)) state.set(each, new_value);
  };
  for (const { type, payload } of events as readonly { type: string; payload: JsonObject }[]) {
    if (type === "SessionCreated" || (type === "SessionForked" && payload["initial_state"] !== undefined)) {
      for (const [each, new_value = null] of Object.entries(payload["initial_state"] as JsonObject)) {
        state.set(each, new_value);
      }
    }
    if (type === "OperatorApplied") apply(payload);
    if (type === "MacroApplied") (payload["steps"] as readonly JsonObject[]).forEach(apply);
  }
  return JSON.parse(`{${[...state].map(([each, at]) => `${JSON.stringify(each)}:${JSON.stringify(at)}`).join(",")}}`);
}

test("BR32 events have the payload of the protocol", () => {
  const { harness: fixture, peer, session } = started({ owner: { who: "x" }, initial_state: { a: 1 } });
  fixture.merge(peer, session, { b: 2 });
  const { child } = fixture.ask(peer, { cmd: "ForkSession", session_id: session, at_seq: 0, owner: "y" });
  fixture.ask(peer, { cmd: "SealSession", session_id: session, reason: "done" });
  const [created, applied, forked, sealed] = fixture.audit(peer, session).map(({ payload }) => payload as JsonObject);
  check.equal([created?.["session_id"], created?.["owner"], created?.["initial_state"]], [session, { who: "x" }, { a: 1 }]);
  check.equal((created?.["covenant"] as JsonObject)["mode"], "advise");
  check.equal(applied, {
    session_id: session,
    operator: "ST",
    operator_version: 1,
    params: { changes: { b: 2 } },
    delta: { st_applied: true },
    audit: { op: "ST", details: { b: 2 } },
    risk: 0.1,
    recommendations: {},
    state_hash: hashText('{"a":1,"b":2}'),
  });
  check.equal(forked, { parent: session, child: child ?? "", at_seq: 0 });
  check.equal(sealed, { session_id: session, reason: "done" });
  const [birth] = fixture.audit(peer, String(child));
  const { parent, at_seq, initial_state, parent_hash, owner } = birth?.["payload"] as JsonObject;
  const hash = fixture.audit(peer, session)[0]?.["hash"];
  check.equal<Json>([parent, at_seq, initial_state, parent_hash, owner] as Json, [session, 0, { a: 1 }, hash, "y"] as Json);
  check.equal(birth?.["type"], "SessionForked");
});

test("BR33 GetState returns the state now and after any event", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 1; count <= 200; count++) fixture.merge(peer, session, { count });
  const at = (at_seq?: Json) =>
    fixture.ask(peer, { cmd: "GetState", session_id: session, ...(at_seq !== undefined && { at_seq }) });
  check.equal(at(), { type: "State.Snapshot", session_id: session, state: { count: 200 }, seq: 200 });
  check.equal(at(0), { type: "State.Snapshot", session_id: session, state: {}, seq: 0 });
  for (const seq of [1, 63, 64, 65, 128, 129, 199]) check.equal([at(seq)["state"], at(seq)["seq"]], [{ count: seq }, seq]);
  for (const bad of [-1, 201, 1.5, "3", null]) check.equal([at(bad)["code"], at(bad)["path"]], ["BadParams", "at_seq"]);
});

test("BR34 GetAudit returns pages with next_seq, head_seq and head_hash", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 1; count <= 150; count++) fixture.merge(peer, session, { count });
  const page = (fields: JsonObject) => fixture.ask(peer, { cmd: "GetAudit", session_id: session, ...fields });
  const first = page({});
  check.equal(Object.keys(first), ["type", "session_id", "events", "next_seq", "head_seq", "head_hash"]);
  check.equal([first["type"], first["next_seq"], first["head_seq"]], ["Audit.Page", 100, 150]);
  const [event] = first["events"] as readonly JsonObject[];
  check.equal(Object.keys(event ?? {}), ["seq", "id", "timestamp", "type", "payload", "hash"]);
  const last = page({ after_seq: 99, limit: 256 });
  check.equal([(last["events"] as Json[]).length, last["next_seq"]], [51, 151]);
  check.equal(page({ after_seq: 150 })["events"], []);
  check.equal(page({ after_seq: 150 })["next_seq"], 151);
  check.equal((last["events"] as JsonObject[]).at(-1)?.["hash"], last["head_hash"]);
  for (const bad of [{ limit: 0 }, { limit: 257 }, { limit: "1" }, { after_seq: -2 }, { after_seq: null }]) {
    check.equal(page(bad)["code"], "BadParams");
  }
});

test("BR35 a fork begins with the parent's state after an event, and neither affects the other afterwards", () => {
  const { harness: fixture, peer, session } = started({ owner: "parent", covenant: { mode: "enforce", max_risk: 0.15 } });
  fixture.merge(peer, session, { nested: { a: 1 } });
  fixture.merge(peer, session, { later: true });
  const reply = fixture.ask(peer, { cmd: "ForkSession", session_id: session, at_seq: 1 });
  const child = String(reply["child"]);
  check.equal(reply, { type: "SessionForked", parent: session, child, at_seq: 1 });
  fixture.merge(peer, child, { nested: { b: 2 } });
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session })["state"], { nested: { a: 1 }, later: true });
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: child })["state"], { nested: { b: 2 } });
  check.equal(kinds(fixture.audit(peer, session)).at(-1), "SessionForked");
  const refused = fixture.ask(peer, { cmd: "ApplyOperator", session_id: child, operator: "CH", params: {} });
  check.equal(refused["code"], "CovenantRefused", "the child has its parent's covenant");
  const head = fixture.ask(peer, { cmd: "ForkSession", session_id: session });
  check.equal(head["at_seq"], 3);
});

test("BR36 a sealed session accepts no operations, and sealing it again gives the same reply", () => {
  const { harness: fixture, peer, session } = started();
  fixture.merge(peer, session, { a: 1 });
  const seal = () => fixture.ask(peer, { cmd: "SealSession", session_id: session, reason: "done" });
  const sealed = seal();
  check.equal(Object.keys(sealed), ["type", "session_id", "seq", "head_hash"]);
  check.equal([sealed["type"], sealed["seq"]], ["SessionSealed", 2]);
  check.equal(seal(), sealed);
  const refusal = { error: "session sealed", code: "SessionSealed", session_id: session };
  check.equal(fixture.merge(peer, session, { a: 2 }), refusal);
  check.equal(fixture.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps: [{ name: "ST" }] }), refusal);
  const { child } = fixture.ask(peer, { cmd: "ForkSession", session_id: session });
  check.equal(
    fixture.merge(peer, String(child), { a: 3 })["state"],
    { a: 3 },
    "a fork of a sealed session accepts operations",
  );
  check.equal(fixture.audit(peer, session).length, 3);
});

test("BR37 ReplaySession finds a flipped byte anywhere in the stored log", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 1; count <= 100; count++) fixture.merge(peer, session, { count });
  const ask = () => fixture.ask(peer, { cmd: "ReplaySession", session_id: session });
  const report = ask();
  check.equal(Object.keys(report), ["type", "session_id", "ok", "events", "state_hash", "first_mismatch"]);
  check.equal([report["type"], report["ok"], report["events"], report["first_mismatch"]], [
    "Replay.Report",
    true,
    101,
    null,
  ]);
  fixture.pass(10_000);
  const keys = [...fixture.disk.keys()].filter((key) => key.includes(session));
  check.that(keys.some((key) => key.startsWith("brain/snapshot/")) && keys.some((key) => key.startsWith("brain/log/")));
  for (const key of keys) {
    const kept = fixture.disk.get(key) ?? null;
    for (const field of ["events", "after", "sum"]) {
      const text = (kept as JsonObject)[field];
      if (typeof text !== "string") continue;
      for (const at of [0, text.length >> 1, text.length - 1]) {
        const flipped = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
        fixture.disk.set(key, { ...(kept as JsonObject), [field]: flipped });
        const damaged = ask();
        check.equal(damaged["ok"], false, `${key} ${field} ${at}`);
        check.that(typeof damaged["first_mismatch"] === "number");
      }
    }
    fixture.disk.set(key, kept);
  }
  check.equal(ask()["ok"], true);
});

test("BR37b ReplaySession finds that the end of a log is missing if the client expects its head", () => {
  const { harness: fixture, peer, session } = started();
  for (let count = 1; count <= 10; count++) fixture.merge(peer, session, { count });
  const { head_seq = null, head_hash = null } = fixture.ask(peer, { cmd: "GetAudit", session_id: session, limit: 1 });
  const replay = (at: BrainFixture, fields: JsonObject) =>
    at.ask(at.peer("auditor"), { cmd: "ReplaySession", session_id: session, ...fields });
  check.equal(replay(fixture, { head_seq, head_hash })["ok"], true);
  fixture.merge(peer, session, { count: 11 });
  check.equal(replay(fixture, { head_seq, head_hash })["ok"], true, "a later head");
  const other = replay(fixture, { head_seq, head_hash: "0".repeat(64) });
  check.equal([other["ok"], other["first_mismatch"]], [false, 10]);
  const last = [...fixture.disk.keys()].filter((key) => key.includes(session)).slice(-2);
  for (const key of last) fixture.disk.delete(key);
  const again = fixture.restart();
  check.equal(replay(again, {})["ok"], true, "a shorter log is valid");
  const { ok, first_mismatch, why } = replay(again, { head_seq, head_hash });
  check.equal([ok, first_mismatch], [false, 10]);
  check.equal(why, "the log ends at event 9, before the expected head 10");
  for (const bad of [{ head_seq: 1 }, { head_hash: "" }, { head_seq: -1, head_hash: "" }, { head_seq: 1, head_hash: 5 }]) {
    check.equal(replay(again, bad)["code"], "BadParams");
  }
});

test("BR38 a request with if_seq is applied only if the session is at that event", () => {
  const { harness: fixture, peer, session } = started();
  const apply = (if_seq: Json) =>
    fixture.ask(peer, {
      cmd: "ApplyOperator",
      session_id: session,
      operator: "ST",
      params: { changes: { if_seq } },
      if_seq,
    });
  check.equal(apply(0)["state"], { if_seq: 0 });
  const conflict = apply(0);
  check.equal([conflict["code"], conflict["expected"], conflict["seq"]], ["VersionConflict", 0, 1]);
  check.equal(apply(1)["state"], { if_seq: 1 });
  for (const bad of ["1", 1.5, null]) check.equal(apply(bad)["code"], "BadParams");
});

test("BR39 BR39b a request with an op_id is applied once and gets the same reply each time", () => {
  const { harness: fixture, peer, session } = started({ covenant: { mode: "enforce", max_risk: 0.15 } });
  const base = { cmd: "ApplyOperator", session_id: session };
  const first = { ...base, operator: "ST", params: { changes: { a: 1 } }, op_id: "one" };
  const reply = fixture.ask(peer, first);
  const refused = fixture.ask(peer, { ...base, operator: "CH", params: { changes: { a: 9 } }, op_id: "two" });
  check.equal(refused["code"], "CovenantRefused");
  fixture.merge(peer, session, { a: 2 });
  check.equal(fixture.ask(peer, first), reply);
  check.equal(fixture.ask(peer, { ...base, operator: "CH", params: { changes: { a: 9 } }, op_id: "two" }), refused);
  check.equal(fixture.audit(peer, session).length, 4);
  const other = fixture.ask(peer, { ...first, params: { changes: { a: 5 } } });
  check.equal([other["code"], other["path"]], ["BadParams", "op_id"]);
  const again = fixture.restart();
  const later = again.peer("later");
  check.equal(again.ask(later, first), reply, "also after a restart");
  for (const op_id of [null, {}, "", "x".repeat(200)]) {
    check.equal(again.ask(later, { ...first, op_id })["code"], "BadParams");
  }
});

test("BR40 a macro is applied completely or not at all, as one event", () => {
  const { harness: fixture, peer, session } = started();
  const macro = (steps: Json, fields: JsonObject = {}) =>
    fixture.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps, ...fields });
  const reply = macro([{ name: "ST", params: { changes: { a: 1 } } }, { name: "XYZ", params: { key: "b", value: 2 } }], {
    want: ["meta"],
  });
  check.equal([reply["type"], reply["state"], reply["seq"], reply["risk"]], ["State.Snapshot", { a: 1, b: 2 }, 1, 0.15]);
  const failed = macro([{ name: "ST", params: { changes: { a: 9 } } }, { name: "NOPE" }]);
  check.match(String(failed["error"]), /step 1: Operator NOPE not found/);
  for (const steps of [[], null, "ST", [5], Array(100).fill({ name: "ST" })]) check.that("error" in macro(steps));
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session })["state"], { a: 1, b: 2 });
  check.equal(kinds(fixture.audit(peer, session)), ["SessionCreated", "MacroApplied"]);
});

test("BR40b a macro copies a large state once, not once for each step", () => {
  const initial_state = Object.fromEntries(Array.from({ length: 4_000 }, (_, at) => [`k${at}`, 1]));
  const { harness: fixture, peer, session } = started({ initial_state, covenant: { mode: "enforce", max_growth: 1_000 } });
  const macro = (count: number): number => {
    const steps = Array.from({ length: count }, () => ({ name: "XYZ", params: { key: "k1", value: 2 } }));
    const frame = { cmd: "ApplyMacro", session_id: session, name: "m", steps };
    const times = Array.from({ length: 15 }, () => {
      const start = performance.now();
      fixture.send(peer, frame);
      const ms = performance.now() - start;
      fixture.settle();
      check.equal(fixture.seen(peer)[0]?.["type"], "State.Snapshot");
      return ms;
    });
    return Math.min(...times);
  };
  macro(64);
  const [one, many] = [macro(1), macro(64)];
  check.that(many < 8 * one, `${one} ms for one step, ${many} ms for 64`);
});
