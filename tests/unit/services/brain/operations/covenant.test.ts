/** Evaluations of the covenant, and their consequences. */
import fc from "fast-check";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import { brainWith, operator, OPERATORS } from "../../../../../src/services/brain/mod.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture, kinds } from "../fixture.ts";

const started = (covenant: JsonObject, initial_state: JsonObject = {}) => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  return { harness: fixture, peer, session: fixture.create(peer, { covenant, initial_state }) };
};

type Started = ReturnType<typeof started>;
const apply = ({ harness: fixture, peer, session }: Started, operator: string, params: JsonObject = {}): JsonObject =>
  fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator, params });
const evaluate = ({ harness: fixture, peer, session }: Started, operator: string, params: JsonObject = {}): JsonObject =>
  fixture.ask(peer, { cmd: "EvaluateCovenant", session_id: session, operator, params });

test("BR50 in mode enforce an operator with reasons against it is refused and logged, and changes nothing", () => {
  const at = started({ mode: "enforce" }, { suspicious: true });
  const refused = apply(at, "CH", { changes: { a: 1 } });
  const { ledger_id, ...rest } = refused;
  check.equal(rest, {
    error: "covenant refused operator 'CH': suspicious_flag",
    code: "CovenantRefused",
    session_id: at.session,
    operator: "CH",
    reasons: ["suspicious_flag"],
    score: 0.3,
    required: 0.5,
  });
  const events = at.harness.audit(at.peer, at.session);
  check.equal(kinds(events), ["SessionCreated", "OperatorRefused"]);
  check.equal(events[1]?.["id"], ledger_id);
  const { operator, params, code, reason, score } = events[1]?.["payload"] as JsonObject;
  check.equal<Json>([operator, params, code, reason, score] as Json, [
    "CH",
    { changes: { a: 1 } },
    "CovenantRefused",
    "covenant refused operator 'CH': suspicious_flag",
    0.3,
  ]);
  check.equal(at.harness.ask(at.peer, { cmd: "GetState", session_id: at.session })["state"], { suspicious: true });
});

test("BR51 in mode advise, the default, an operator is applied and the reasons are logged", () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  const at = { harness: fixture, peer, session: fixture.create(peer, { initial_state: { suspicious: 1 } }) };
  check.equal(apply(at, "CH", { changes: { a: 1 } })["state"], { suspicious: 1, a: 1 });
  const { recommendations } = fixture.audit(peer, at.session)[1]?.["payload"] as JsonObject;
  check.equal((recommendations as JsonObject)["reasons"], ["suspicious_flag"]);
});

test("BR51b mode off finds no reasons; brain.covenant is the default of sessions", () => {
  const off = started({ mode: "off", max_risk: 0 }, { suspicious: 1 });
  check.equal(apply(off, "ST", { changes: { a: 1 } })["state"], { suspicious: 1, a: 1 });
  check.equal(evaluate(off, "ST")["decision"], "allow");
  const fixture = new BrainFixture({ covenant: "enforce" });
  const peer = fixture.peer("ui");
  const at = { harness: fixture, peer, session: fixture.create(peer, { initial_state: { suspicious: 1 } }) };
  check.equal(apply(at, "ST")["code"], "CovenantRefused");
});

test("BR52 under suspicion an operator that only clears it is allowed", () => {
  const at = started({ mode: "enforce" }, { suspicious: true, a: 1 });
  check.equal(apply(at, "ST", { changes: { suspicious: false, a: 2 } })["code"], "CovenantRefused");
  check.equal(apply(at, "ST", { changes: { suspicious: "still" } })["code"], "CovenantRefused");
  check.equal(apply(at, "ST", { changes: { suspicious: false, a: 1 } })["state"], { suspicious: false, a: 1 });
  check.equal(apply(at, "ST", { changes: { a: 2 } })["state"], { suspicious: false, a: 2 });
});

test("BR53 each rule of a policy refuses exactly what it describes", () => {
  const cases: readonly (readonly [JsonObject, string, JsonObject, Json])[] = [
    [{ max_risk: 0.15 }, "CH", {}, ["risk_above_max"]],
    [{ max_risk: 0.2 }, "CH", {}, []],
    [{ max_risk: 0.5 }, "XYZ", { key: "" }, ["risk_above_max"]],
    [{ risk_budget: 0.05 }, "ST", {}, ["risk_budget_spent"]],
    [{ risk_budget: 0.1 }, "ST", {}, []],
    [{ frozen_keys: ["id"] }, "ST", { changes: { id: 2 } }, ["frozen_key"]],
    [{ frozen_keys: ["id", "new"] }, "ST", { changes: { new: null } }, ["frozen_key"]],
    [{ frozen_keys: ["id"] }, "ST", { changes: { id: 1, other: 2 } }, []],
    [{ max_keys: 2 }, "ST", { changes: { b: 1, c: 1 } }, ["too_many_keys"]],
    [{ max_keys: 2 }, "ST", { changes: { b: 1 } }, []],
    [{ max_growth: 10 }, "ST", { changes: { text: "0123456789" } }, ["grows_too_fast"]],
    [{ max_growth: 20 }, "ST", { changes: { text: "0123456789" } }, []],
    [{ min_score: 0.81 }, "ST", {}, ["score_too_low"]],
    [{ min_score: 0.8 }, "ST", {}, []],
    [{ max_risk: 0.1, frozen_keys: ["id"] }, "CH", { changes: { id: 2 } }, ["risk_above_max", "frozen_key"]],
  ];
  for (const [policy, operator, params, reasons] of cases) {
    const at = started({ mode: "enforce", ...policy }, { id: 1 });
    const verdict = evaluate(at, operator, params);
    check.equal(verdict["reasons"], reasons, JSON.stringify(policy));
    check.equal("code" in apply(at, operator, params), (reasons as Json[]).length > 0);
  }
});

test("BR53 an operator that sets keys is evaluated like one that makes the same state", () => {
  const copying = operator<JsonObject>({
    name: "COPY",
    version: 1,
    params: { changes: "object" },
    read: ({ changes }) => ({ ok: true, value: changes as JsonObject }),
    apply: (state, changes) => {
      const next = Object.fromEntries([...Object.entries(state), ...Object.entries(changes)]) as JsonObject;
      return { state: next, delta: {}, audit: {}, risk: 200 };
    },
  });
  const name = fc.constantFrom("suspicious", "a", "é", "__proto__", "5");
  const value = fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>;
  const policy = fc.record({ max_keys: fc.nat(4), max_growth: fc.nat(40), frozen_keys: fc.array(name, { maxLength: 2 }) });
  const fixture = new BrainFixture({ service: brainWith([...OPERATORS, copying]) });
  fc.assert(fc.property(fc.dictionary(name, value), fc.dictionary(name, value), policy, (initial_state, changes, rules) => {
    const peer = fixture.peer("ui");
    const session = fixture.create(peer, { initial_state, covenant: { mode: "enforce", ...rules } });
    const [setting, making] = ["CH", "COPY"].map((each) =>
      evaluate({ harness: fixture, peer, session }, each, { changes })
    );
    check.equal(setting, making);
  }));
});

test("BR54 the risk budget counts all applied operations in thousandths, also across a restart", () => {
  const at = started({ mode: "enforce", risk_budget: 0.3 });
  apply(at, "ST");
  apply(at, "CH");
  check.equal(apply(at, "XYZ", { key: "a" })["reasons"], ["risk_budget_spent"]);
  const fixture = at.harness.restart();
  const again = { harness: fixture, peer: fixture.peer("again"), session: at.session };
  check.equal(apply(again, "XYZ", { key: "a" })["reasons"], ["risk_budget_spent"]);
});

test("BR55 EvaluateCovenant returns the evaluation and applies nothing", () => {
  const at = started({ mode: "enforce" }, { suspicious: true });
  check.equal(evaluate(at, "CH"), {
    type: "Covenant.Result",
    session_id: at.session,
    decision: "refuse",
    name: "Phase1Eval",
    result: { score: 0.3, fields: { empathy: 0.8, care: 0.9, trust: 0.1 } },
    reasons: ["suspicious_flag"],
  });
  const calm = started({ mode: "advise" });
  check.equal(evaluate(calm, "CH")["result"], { score: 0.8, fields: { empathy: 0.8, care: 0.9, trust: 0.7 } });
  check.equal(evaluate(calm, "CH")["decision"], "allow");
  check.match(String(evaluate(calm, "NOPE")["error"]), /Operator NOPE not found/);
  check.equal(at.harness.audit(at.peer, at.session).length, 1);
});

test("BR55b trust falls with the spent budget", () => {
  const at = started({ mode: "advise", risk_budget: 0.2 });
  apply(at, "ST");
  check.equal(evaluate(at, "ST")["result"], { score: 0.75, fields: { empathy: 0.8, care: 0.9, trust: 0.55 } });
});

test("BR43 the ledger has an entry for each evaluated operation", () => {
  const at = started({ mode: "enforce" }, {});
  apply(at, "ST", { changes: { suspicious: 1 } });
  apply(at, "CH", { changes: { a: 1 } });
  apply(at, "NOPE");
  const ledger = at.harness.ask(at.peer, { cmd: "GetLedger", session_id: at.session, after_seq: -1 });
  check.equal(ledger["type"], "Safety.Ledger");
  const entries = ledger["entries"] as readonly JsonObject[];
  check.equal(entries.map(({ note, data }) => [note, data] as Json), [
    ["ok", {}],
    ["safeguard_engaged", { reason: "suspicious_flag" }],
  ]);
  check.equal(Object.keys(entries[0] ?? {}), ["id", "timestamp", "note", "data"]);
  const later = at.harness.ask(at.peer, { cmd: "GetLedger", session_id: at.session, after_seq: 1 });
  check.equal((later["entries"] as Json[]).length, 1);
});

test("BR56 BR56b an invalid covenant, or an unknown field of it, is refused with the path", () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  const cases: readonly (readonly [Json, string])[] = [
    [5, "covenant"],
    [{ mode: "maybe" }, "covenant.mode"],
    [{ max_risk: -1 }, "covenant.max_risk"],
    [{ risk_budget: "10" }, "covenant.risk_budget"],
    [{ frozen_keys: [5] }, "covenant.frozen_keys"],
    [{ frozen_keys: Array(300).fill("a") }, "covenant.frozen_keys"],
    [{ min_score: null }, "covenant.min_score"],
    [{ max_keys: 1e9 }, "covenant.max_keys"],
    [{ mode: "enforce", frozen_key: ["id"] }, "covenant.frozen_key"],
    [{ Mode: "enforce" }, "covenant.Mode"],
    [JSON.parse('{"__proto__": {}}'), "covenant.__proto__"],
  ];
  for (const [covenant, path] of cases) {
    const reply = fixture.ask(peer, { cmd: "CreateSession", covenant });
    check.equal([reply["code"], reply["path"]], ["BadParams", path]);
  }
});
