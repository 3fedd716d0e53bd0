/** The relay as a neuron: the service on virtual time, its statistics and triggers. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { StepOutput } from "../../../../src/testing/mod.ts";
import { type LinkId, linkId, NALLELY_PEER, toRequestId } from "../../../../src/core/ids.ts";
import { TREVOR_TEXT_MAX } from "../../../../src/core/limits.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import type { NallelyInput, NallelySettings, Scope, Settings } from "../../../../src/core/settings.ts";
import { decodeFrame, encodeFrame, frameHead, nallely, type NallelyState } from "../../../../src/services/nallely/mod.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";
import { textBytesIn } from "../../../harness/retained.ts";

const INPUT: NallelyInput = {
  parameter: "energy",
  range: [0, 127],
  context: "energy {value}",
  force: undefined,
  choose: undefined,
  data: "",
  threshold: 64,
  hysteresis: 4,
  every: 1_000,
  silent: true,
};
const ACTION = { name: "set_colour", description: "Sets the colour.", parameter: "colour", range: [0, 127] } as const;

const settingsWith = (changes: Partial<NallelySettings>): Settings => ({
  ...DEFAULTS,
  nallely: { ...DEFAULTS.nallely, enabled: true, ...changes },
});

class NallelyHarness extends ServiceHarness<NallelyState> {
  constructor(changes: Partial<NallelySettings> = {}) {
    super(nallely, { settings: settingsWith({ inputs: [INPUT], actions: [ACTION], ...changes }) });
  }
  /** The link of that name, as it was dialed last. */
  link(name: "neuron" | "trevor" | "addition" | "replacement"): LinkId {
    const dialed = this.#all.flatMap((effect) => (effect.do === "dial" ? [effect.link] : []));
    return dialed.findLast((link) => link.includes(`:${name}:`)) ?? linkId("none");
  }
  readonly #all: StepOutput[] = [];
  override step(event: Parameters<ServiceHarness<NallelyState>["step"]>[0]): readonly StepOutput[] {
    const effects = super.step(event);
    this.#all.push(...effects);
    return effects;
  }
  /** Its neuron is registered. */
  begin(): this {
    this.step({ is: "tick" });
    this.opened = this.step({ is: "dialed", link: this.link("neuron") });
    this.advance(100); // Why: the first value of each output has left, and the next one may.
    return this;
  }
  opened: readonly StepOutput[] = [];
  hear(observation: Observation): readonly StepOutput[] {
    return this.deliver({ is: "observed", observation });
  }
  receive(parameter: string, value: number): readonly StepOutput[] {
    return this.step({ is: "received", link: this.link("neuron"), frame: encodeFrame(frameHead(parameter), value) });
  }
  /** An operator sets a value. */
  set(parameter: string, value: number, scopes: readonly Scope[] = ["command"]): readonly StepOutput[] {
    const principal = { by: "vedal", scopes };
    const request = { of: "nallely", do: "setValue", parameter, value } as const;
    return this.step({ is: "requested", requestId: toRequestId("s"), principal, request });
  }
  ask(get: "ready" | "status" | "neuron"): unknown {
    const [answer] = this.step({
      is: "requested",
      requestId: toRequestId("c"),
      principal: { by: "test", scopes: [] },
      request: { of: "nallely", get },
    });
    return answer?.do === "respond" ? answer.body : undefined;
  }
}

/** Values that leave, as `name=value`. */
const values = (effects: readonly StepOutput[]): string[] =>
  effects.flatMap((effect) => {
    if (effect.do !== "send" || typeof effect.frame === "string") return [];
    const read = decodeFrame(effect.frame);
    return typeof read === "string" ? [] : [`${read.name}=${read.value}`];
  });
const tells = (effects: readonly StepOutput[]) =>
  effects.flatMap((effect) => (effect.do === "post" ? [effect.message] : []));
const said = (effects: readonly StepOutput[]) =>
  tells(effects).flatMap((message) => (message.is === "gameMessage" ? [message.message] : []));

const sent = (id: string): Observation => ({
  is: "action_sent",
  id,
  name: "x",
  to: ["g"],
  slugs: ["g"],
  forced: false,
  data: undefined,
});
const result = (id: string): Observation => ({
  is: "action_result",
  id,
  name: "x",
  from: "g",
  success: true,
  message: undefined,
  ms: 1,
  origin: "game",
});

test("NL50 without `nallely.enabled` the service dials nothing, and is ready", () => {
  const off = new ServiceHarness(nallely, { settings: DEFAULTS });
  check.equal(off.step({ is: "tick" }), []);
  check.equal(off.service.nextWakeup(off.state), undefined);
});

test("NL50 the relay registers its statistics, its inputs and the outputs of its actions, and is then an integration", () => {
  const on = new NallelyHarness().begin();
  const [registration] = on.opened;
  check.that(registration?.do === "send" && typeof registration.frame === "string");
  check.equal(JSON.parse(registration.frame).parameters.map(({ name }: { name: string }) => name), [
    "integrations",
    "actionrate",
    "pending",
    "queuedepth",
    "action",
    "forceopen",
    "energy",
    "colour",
  ]);
  check.equal(tells(on.opened).map((message) => message.is), ["integrationJoined", "gameMessage"]);
  const lost = on.step({ is: "dropped", link: on.link("neuron"), code: 1000, reason: "" });
  check.equal(tells(lost), [{ is: "integrationLeft", peer: NALLELY_PEER }]);
  check.equal(on.observations().map(({ is }) => is), ["nallely_connected", "nallely_lost"]);
});

test("NL51 integrations, actions per second, pending actions, queue depth and an open force are outputs", () => {
  const on = new NallelyHarness().begin();
  check.equal(values(on.hear({ is: "integration_connected", name: "a" })), ["integrations=1"]);
  on.advance(100);
  check.equal(values(on.hear({ is: "integration_connected_via_backend", name: "a" })), ["integrations=2"]);
  check.equal(values(on.hear(sent("1"))), ["action=1", "actionrate=1", "pending=1"]);
  on.advance(50);
  check.equal(values(on.hear(result("1"))), ["pending=0"]);
  check.equal(values(on.advance(1_100)), ["actionrate=0"]);
  check.equal(values(on.hear({ is: "message_queued", to: "b", id: "1", kind: "command", depth: 3 })), ["queuedepth=3"]);
  on.advance(100);
  check.equal(values(on.hear({ is: "message_delivered", to: "b", id: "1", confirmed: true })), ["queuedepth=2"]);
  check.equal(
    values(
      on.hear({
        is: "force_opened",
        id: "f1",
        integration: "g",
        slug: "g",
        query: "?",
        names: [],
        priority: "low",
        waited: 0,
      }),
    ),
    ["forceopen=1"],
  );
  on.advance(100);
  check.equal(values(on.hear({ is: "force_ended", id: "f1", integration: "g", slug: "g", end: "completed", ms: 1 })), [
    "forceopen=0",
  ]);
  check.equal(values(on.hear({ is: "service_rebuilt", service: "brain" })), []);
});

test("NL52 each action is a pulse with both edges, also when several are sent at once", () => {
  const on = new NallelyHarness().begin();
  const pulses = [1, 2, 3].flatMap((id) => values(on.hear(sent(String(id)))));
  pulses.push(...values(on.advance(500)));
  check.equal(pulses.filter((value) => value.startsWith("action=")), [
    "action=1",
    "action=0",
    "action=1",
    "action=0",
    "action=1",
    "action=0",
  ]);
});

test("NL53 a value above its threshold sends the context once, again after it has fallen by the hysteresis, at most once in `every`", () => {
  const on = new NallelyHarness().begin();
  const at = (value: number) =>
    said(on.receive("energy", value)).map((message) => message.command === "context" && message.message);
  check.equal([10, 64, 65, 70, 63, 66].map(at).flat(), ["energy 65"]);
  check.equal([60, 70].map(at).flat(), [], "too soon");
  check.equal(on.observations().flatMap((observation) => (observation.is === "nallely_input" ? [observation.did] : [])), [
    "context",
    "limited",
  ]);
  on.advance(1_000);
  check.equal([60, 70.12345].map(at).flat(), ["energy 70.123"]);
});

test("NL53 values for other parameters, and frames without a value, have no effect", () => {
  const on = new NallelyHarness().begin();
  check.equal(on.receive("integrations", 99), []);
  check.equal(on.step({ is: "received", link: on.link("neuron"), frame: "{" }), []);
  check.equal(on.step({ is: "received", link: linkId("nallely:neuron:old"), frame: "{" }), []);
});

test("NL54 an input can force the relay's own actions, or choose for the open force", () => {
  const on = new NallelyHarness({
    inputs: [{ ...INPUT, context: undefined, force: "Now at {value}?", choose: "set_colour", data: '{"value":{value}}' }],
  }).begin();
  const effects = on.receive("energy", 100);
  check.equal(said(effects), [
    { command: "actions/force", query: "Now at 100?", ephemeral: true, priority: "low", names: ["set_colour"] },
  ]);
  check.equal(tells(effects).at(-1), {
    is: "actionChosen",
    from: "neuro-relay",
    name: "set_colour",
    data: '{"value":100}',
  });
});

test("NL55 an action of Neuro sets its output within its range, and is answered at once", () => {
  const on = new NallelyHarness().begin();
  const act = (name: string, data: string | undefined) =>
    on.deliver({
      is: "neuroMessage",
      peer: NALLELY_PEER,
      message: { command: "action", id: "7", name, ...(data !== undefined && { data }) },
    });
  const played = act("set_colour", '{"value":500}');
  check.equal(values(played), ["colour=127"]);
  check.equal(said(played), [{ command: "action/result", id: "7", success: true, message: "set to 127" }]);
  for (const data of [undefined, "{", "{}", '{"value":"1"}', "[]"]) {
    const [answer] = said(act("set_colour", data));
    check.that(answer?.command === "action/result" && !answer.success);
  }
  check.equal(said(act("other", "{}"))[0]?.command, "action/result");
  on.step({ is: "dropped", link: on.link("neuron"), code: 1006, reason: "" });
  const [away] = said(act("set_colour", '{"value":1}'));
  check.that(away?.command === "action/result" && !away.success && away.message === "the Nallely session is offline");
});

test("NL55 the actions are registered again on request, and when the Neuro service was rebuilt", () => {
  const on = new NallelyHarness().begin();
  const again = on.deliver({ is: "neuroMessage", peer: NALLELY_PEER, message: { command: "actions/reregister_all" } });
  check.equal(said(again).map(({ command }) => command), ["actions/register"]);
  check.equal(tells(on.hear({ is: "service_rebuilt", service: "neuro" })).map(({ is }) => is), [
    "integrationJoined",
    "gameMessage",
  ]);
});

test("NL56 with settings that break a rule nothing is dialed, and `ready` gives the reason", () => {
  for (
    const [changes, reason] of [
      [{ name: "my_relay" }, /`_`/],
      [{ inputs: [{ ...INPUT, parameter: "pending" }] }, /declared twice/],
      [{ inputs: [{ ...INPUT, parameter: "uuid" }] }, /reserved/],
    ] as const
  ) {
    const on = new NallelyHarness(changes);
    check.equal(on.step({ is: "tick" }), []);
    check.match(JSON.stringify(on.ask("ready")), reason);
    check.equal(on.observations().map(({ is }) => is), ["nallely_refused"]);
  }
});

test("NL56 a URL of Trevor that can never be dialed is dialed once, reported once, and named by `ready`", () => {
  const on = new NallelyHarness({ trevor_url: "http://127.0.0.1:1" }).begin();
  on.step({ is: "dropped", link: on.link("trevor"), code: 1006, reason: "wrong scheme", isFinal: true });
  const again = on.advance(600_000).filter((effect) => effect.do === "dial" && effect.link.includes("trevor"));
  check.equal(again, []);
  check.equal(on.observations().flatMap((seen) => seen.is === "nallely_refused" ? [seen.reason] : []), [
    "Trevor can never be reached: wrong scheme; correct `nallely.trevor_url`",
  ]);
  check.match(JSON.stringify(on.ask("ready")), /Trevor can never be reached/);
});

test("NL56 changed settings make another neuron, and equal ones leave it alone", () => {
  const on = new NallelyHarness().begin();
  check.equal(on.step({ is: "configured", settings: on.settings }), []);
  const changed = on.step({ is: "configured", settings: settingsWith({ inputs: [], actions: [], name: "other" }) });
  check.equal(changed.map((effect) => effect.do), ["post", "closeLink", "closeLink", "dial", "dial"]);
  const off = on.step({ is: "configured", settings: DEFAULTS });
  check.that(off.every((effect) => effect.do !== "dial"));
});

test("NL57 differences to the session's registration are observed, and missing parameters are added with `repair`", () => {
  const on = new NallelyHarness({ repair: true }).begin();
  on.step({ is: "dialed", link: on.link("trevor") });
  const fence = on.take().flatMap((effect) =>
    effect.do === "send" && typeof effect.frame === "string" ? [JSON.parse(effect.frame)] : []
  ).at(-1);
  const proxy = {
    id: 9,
    meta: { name: "neuro-relay", parameters: [{ name: "neuro-relay_energy", range: [0, 1], stream: false }] },
    proxy: true,
  };
  const bus = { id: 9, meta: { name: "WebSocketBus", parameters: [] }, proxy: false };
  const state = { virtual_devices: [bus, proxy], connections: [], classes: {} };
  on.step({ is: "received", link: on.link("trevor"), frame: JSON.stringify(state) });
  const repaired = on.step({
    is: "received",
    link: on.link("trevor"),
    frame: JSON.stringify({ command: "completion", requestId: fence.requestId, options: [] }),
  });
  check.equal(repaired.map((effect) => effect.do), ["dial"]);
  const [note] = on.observations().filter(({ is }) => is === "nallely_drifted");
  check.that(note?.is === "nallely_drifted" && note.listed && note.missing.includes("colour"));
  check.equal(note.changed, ["energy"]);
  const added = on.step({ is: "dialed", link: on.link("addition") });
  check.that(added[0]?.do === "send" && String(added[0].frame).includes("add_parameters"));
});

test("NL58 status and values can be queried", () => {
  const on = new NallelyHarness().begin();
  on.receive("energy", 12);
  on.hear({ is: "integration_connected", name: "a" });
  const status = on.ask("status") as { state: string; inputs: object; outputs: { integrations: number } };
  check.equal([status.state, status.inputs, status.outputs.integrations], ["open", { energy: 12 }, 1]);
  check.equal(on.ask("ready"), { ok: true, reasons: [] });
});

test("NL59 the service is drained once no attempt has still to register, at the latest at the deadline", () => {
  const open = new NallelyHarness().begin();
  const drained = open.step({ is: "draining", until: open.now + 1_000 });
  check.equal(drained.map((effect) => effect.do), ["post", "closeLink", "closeLink", "drained"]);
  const dialing = new NallelyHarness();
  dialing.step({ is: "tick" });
  const link = dialing.link("neuron");
  check.that(!dialing.step({ is: "draining", until: dialing.now + 1_000 }).some((effect) => effect.do === "drained"));
  check.equal(dialing.step({ is: "dialed", link }).map((effect) => effect.do), ["send", "closeLink", "drained"]);
  const stuck = new NallelyHarness();
  stuck.step({ is: "tick" });
  stuck.step({ is: "draining", until: stuck.now + 1_000 });
  check.equal(stuck.advance(1_000).map((effect) => effect.do), ["drained"]);
});

test("NL60 the relay's own neuron replaces a silent link, and leaves Neuro when that fails", () => {
  const on = new NallelyHarness({ trevor_url: "" }).begin();
  const old = on.link("neuron");
  check.equal(on.advance(29_899), []);
  check.equal(on.advance(1).map((effect) => effect.do), ["dial"]);
  const second = on.link("replacement");
  check.equal(on.step({ is: "dialed", link: second }).map((effect) => effect.do), ["send"]);
  check.equal(on.advance(250)[0], { do: "closeLink", link: old });
  const value = on.step({ is: "received", link: second, frame: encodeFrame(frameHead("energy"), 65) });
  check.equal(said(value).map(({ command }) => command), ["context"]);
  const given = on.advance(40_000);
  check.equal(given.map((effect) => effect.do).slice(0, 3), ["dial", "closeLink", "post"]);
  check.equal(tells(given), [{ is: "integrationLeft", peer: NALLELY_PEER }]);
  check.equal(on.observations().at(-1)?.is, "nallely_lost");
});

test("NL62 whenever the link opens, all statistics are sent, because the session may still have those of an earlier run", () => {
  const all = ["action=0", "actionrate=0", "forceopen=0", "integrations=0", "pending=0", "queuedepth=0"];
  const on = new NallelyHarness().begin();
  check.equal(values(on.opened).sort(), all);
  on.hear({ is: "integration_connected", name: "a" });
  on.step({ is: "dropped", link: on.link("neuron"), code: 1006, reason: "" });
  on.hear({ is: "integration_disconnected", name: "a" });
  on.advance(2_000);
  const again = values(on.step({ is: "dialed", link: on.link("neuron") })).sort();
  check.equal(again, all.filter((value) => value !== "action=0"), "a pulse is not sent again");
});

test("NL51b `forceopen` stays 1 when a game's force is replaced by its next one", () => {
  const on = new NallelyHarness().begin();
  const force = (id: string): Observation => ({
    is: "force_opened",
    id,
    integration: "g",
    slug: "g",
    query: "?",
    names: [],
    priority: "low",
    waited: 0,
  });
  const ended = (id: string): Observation => ({
    is: "force_ended",
    id,
    integration: "g",
    slug: "g",
    end: "replaced",
    ms: 1,
  });
  check.equal(values(on.hear(force("f1"))), ["forceopen=1"]);
  check.equal(values([...on.hear(force("f2")), ...on.hear(ended("f1")), ...on.advance(100)]), []);
  check.equal(values(on.hear(ended("f2"))), ["forceopen=0"]);
});

test("NL65 of a session, nothing but the values of its inputs is kept, whatever it and Trevor send", () => {
  const on = new NallelyHarness().begin();
  on.step({ is: "dialed", link: on.link("trevor") });
  const text = (at: number) => `${at} ${"x".repeat(100_000)}`;
  const fromTrevor = (message: object) =>
    void on.step({ is: "received", link: on.link("trevor"), frame: JSON.stringify(message) });
  for (let at = 0; at < 300; at++) {
    fromTrevor({ command: text(at), arg: text(at) });
    fromTrevor({ command: "stdout", line: text(at) });
    fromTrevor({ virtual_devices: [], connections: [], classes: {}, playground_code: text(at) });
    on.step({ is: "received", link: on.link("neuron"), frame: JSON.stringify({ [text(at)]: 1 }) });
    on.receive("energy", at);
  }
  check.that(textBytesIn(on.state) <= 2 * TREVOR_TEXT_MAX + 1_000_000, "parts of a reply that is due are limited");
  on.advance(20_000);
  fromTrevor({ virtual_devices: [], connections: [], classes: {}, playground_code: text(0) });
  check.that(textBytesIn(on.state) <= 20_000, "and dropped when it is over");
});

/** The fault of the reply and its reason, or what it says was done. */
const replies = (effects: readonly StepOutput[]): readonly unknown[] =>
  effects.flatMap((effect) => {
    if (effect.do !== "respond") return [];
    return "fault" in effect ? [`${effect.fault}: ${effect.reason}`] : [effect.body];
  });

test("NL66 an operator sets an output within its range, or an input as if its value had arrived; each is observed", () => {
  const on = new NallelyHarness().begin();
  const view = on.ask("neuron") as { settable: unknown };
  check.equal(view.settable, [
    { name: "colour", side: "out", min: 0, max: 127 },
    { name: "energy", side: "in", min: 0, max: 127 },
  ]);
  const set = on.set("colour", 127);
  check.equal([values(set), replies(set)], [["colour=127"], [{ status: "set" }]]);
  const fired = on.set("energy", 70);
  check.equal([values(fired), said(fired)], [[], [{ command: "context", message: "energy 70", silent: true }]]);
  const { inputs, outputs } = on.ask("neuron") as { inputs: unknown; outputs: object };
  check.equal([inputs, Object.keys(outputs).slice(-2)], [{ energy: 70 }, ["forceopen", "colour"]], "an input is no output");
  check.equal(said(on.set("energy", 71)), [], "it is above its threshold already");
  check.equal(
    on.observations().flatMap((one) => one.is === "operator_acted" ? [[one.by, one.did, one.to, one.outcome]] : []),
    [["vedal", "set_value", "colour = 127", "done"], ["vedal", "set_value", "energy = 70", "done"], [
      "vedal",
      "set_value",
      "energy = 71",
      "done",
    ]],
  );
});

test("NL66b a value is refused with the reason: a statistic, outside the range, without the scope, while the session is offline", () => {
  const on = new NallelyHarness().begin();
  const refusals: readonly (readonly [readonly StepOutput[], RegExp])[] = [
    [on.set("pending", 1), /^notFound: no parameter pending can be set/],
    [on.set("colour", 127.5), /^badMessage: colour takes a number from 0 to 127, and not 127.5/],
    [on.set("energy", -1), /^badMessage: energy takes a number from 0 to 127/],
    [on.set("colour", NaN), /^badMessage: .* not NaN/],
    [on.set("colour", 1, ["watch", "admin"]), /^notAllowed: this needs the scope command/],
  ];
  for (const [effects, reason] of refusals) {
    check.equal([values(effects), said(effects)], [[], []]);
    check.match(String(replies(effects)[0]), reason);
  }
  on.step({ is: "dropped", link: on.link("neuron"), code: 1000, reason: "" });
  check.match(String(replies(on.set("colour", 1))[0]), /^notNow: the Nallely session is offline/);
  const off = new NallelyHarness({ enabled: false });
  check.match(String(replies(off.set("colour", 1))[0]), /^notNow: `nallely.enabled` is false/);
});
