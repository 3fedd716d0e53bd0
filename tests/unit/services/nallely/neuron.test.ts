/** The neuron's machine on virtual time: registration, reconnect, the ceiling, and values while away. */
import { test } from "#runner";
import type { Effect } from "../../../../src/core/effect.ts";
import type { LinkEvent } from "../../../../src/core/event.ts";
import type { LinkId } from "../../../../src/core/ids.ts";
import type { StepContext } from "../../../../src/core/context.ts";
import {
  addParameters,
  createNeuron,
  createRegistry,
  decodeFrame,
  encodeFrame,
  flushAll,
  frameHead,
  handleNeuronLink,
  isNeuronStopped,
  isViolation,
  type NeuronDeclaration,
  type NeuronMachine,
  type NeuronUpdate,
  nextNeuronWakeup,
  queue,
  readDeclaration,
  receiveValue,
  register,
  remove,
  sendValue,
  startNeuron,
  stopNeuron,
  tickNeuron,
  waitingCount,
} from "../../../../src/services/nallely/mod.ts";
import { linkIdOf } from "../../../../src/core/link.ts";
import { check } from "../../../harness/check.ts";

/** One neuron and its step context, which records effects. */
class Bench implements StepContext {
  now = 1_000_000;
  effects: Effect[] = [];
  readonly hungUp: LinkId[] = [];
  readonly neuron: NeuronMachine;
  #ids = 0;

  constructor(declared: Partial<NeuronDeclaration> = {}) {
    const plan = readDeclaration({
      name: "n",
      parameters: { a: { direction: "out" }, b: { direction: "out", range: [0, 10] }, c: { direction: "in" } },
      ...declared,
    });
    if (isViolation(plan)) throw new Error(plan.reason);
    this.neuron = createNeuron(plan, { url: "ws://bus/", backoff: { baseMs: 100, capMs: 1_000 }, dialTimeoutMs: 5_000 });
  }
  random = () => 0.5;
  id = () => String(++this.#ids);
  secret = () => "";
  observe(): void {}
  post(): void {}
  count(): void {}
  emit(effect: Effect): void {
    this.effects.push(effect);
    if (effect.do === "closeLink") this.hungUp.push(effect.link);
  }

  get link(): LinkId {
    const id = linkIdOf(this.neuron.link);
    check.that(id !== undefined, "there is a link");
    return id;
  }
  event(event: LinkEvent): NeuronUpdate | undefined {
    return handleNeuronLink(this.neuron, event, this);
  }
  open(): void {
    startNeuron(this.neuron, this);
    this.event({ is: "dialed", link: this.link });
    this.effects = [];
  }
  drop(code = 1006): NeuronUpdate | undefined {
    return this.event({ is: "dropped", link: this.link, code, reason: "" });
  }
  send(name: string, ...values: number[]): void {
    for (const value of values) check.equal(sendValue(this.neuron, { name, value }, this), undefined);
  }
  /** Advances time, with a wakeup at each deadline; returns the frames that were sent meanwhile. */
  pass(ms: number): string[] {
    const until = this.now + ms;
    for (let at = nextNeuronWakeup(this.neuron); at !== undefined && at <= until; at = nextNeuronWakeup(this.neuron)) {
      this.now = Math.max(this.now, at);
      tickNeuron(this.neuron, this);
    }
    this.now = until;
    return this.sent();
  }
  /** What was sent since it was last asked, as `name=value`, or the text. */
  sent(): string[] {
    const taken = this.effects;
    this.effects = [];
    return taken.flatMap((effect) => {
      if (effect.do !== "send") return [];
      if (typeof effect.frame === "string") return [effect.frame];
      const read = decodeFrame(effect.frame);
      return [typeof read === "string" ? read : `${read.name}=${read.value}`];
    });
  }
}

test("NL9 the registration is the first frame on every socket, sent in the step in which it opens", () => {
  const bench = new Bench();
  bench.send("a", 1);
  startNeuron(bench.neuron, bench);
  check.equal(bench.effects.map((effect) => effect.do === "dial" && effect.url), ["ws://bus/n/autoconfig"]);
  bench.effects = [];
  check.equal(bench.event({ is: "dialed", link: bench.link }), { is: "open", again: false });
  check.equal(bench.sent(), [bench.neuron.registration, "a=1"]);
  bench.drop();
  bench.pass(1_000);
  bench.effects = [];
  check.equal(bench.event({ is: "dialed", link: bench.link }), { is: "open", again: true });
  check.equal(bench.sent()[0], bench.neuron.registration);
});

test("NL10 a neuron that is stopped while it dials registers before its socket is closed", () => {
  const bench = new Bench();
  startNeuron(bench.neuron, bench);
  const link = bench.link;
  bench.effects = [];
  check.equal(stopNeuron(bench.neuron, bench), { is: "closed" });
  check.equal(bench.effects, [], "the socket is not touched yet");
  check.that(!isNeuronStopped(bench.neuron));
  bench.event({ is: "dialed", link });
  check.equal(bench.effects, [{ do: "send", to: link, frame: bench.neuron.registration }, { do: "closeLink", link }]);
  check.that(isNeuronStopped(bench.neuron));
});

test("NL10 an attempt that takes too long is followed by another, and registers if it opens later", () => {
  const bench = new Bench();
  startNeuron(bench.neuron, bench);
  const late = bench.link;
  bench.pass(5_000);
  check.equal(bench.hungUp, []);
  bench.pass(1_000);
  check.that(bench.link !== late);
  bench.effects = [];
  bench.event({ is: "dialed", link: late });
  check.equal(bench.effects.map((effect) => effect.do), ["send", "closeLink"]);
  check.equal(bench.neuron.link.state.is, "dialing");
});

test("NL10 an abandoned attempt that fails is forgotten, and a second abandoned attempt closes the first", () => {
  const bench = new Bench();
  startNeuron(bench.neuron, bench);
  const first = bench.link;
  bench.pass(12_000);
  check.equal(bench.hungUp, [first]);
  stopNeuron(bench.neuron, bench);
  const { abandoned } = bench.neuron;
  check.that(abandoned !== undefined);
  bench.event({ is: "dropped", link: abandoned, code: 1006, reason: "" });
  check.that(isNeuronStopped(bench.neuron));
});

test("NL11 every close code, also 1000, leads to another attempt after a wait with full jitter that doubles up to its cap", () => {
  const bench = new Bench();
  bench.open();
  const waits = [1000, 1006, 1011, 1012, 1000, 1000].map((code) => {
    const news = bench.drop(code);
    check.that(news?.is === "waiting" && news.code === code);
    startNeuron(bench.neuron, bench);
    return news.retryMs;
  });
  check.equal(waits, [50, 100, 200, 400, 500, 500]);
});

test("NL11 events of an old socket are ignored", () => {
  const bench = new Bench();
  bench.open();
  const old = bench.link;
  bench.drop();
  bench.pass(1_000);
  check.equal(bench.event({ is: "dialed", link: old }), undefined);
  check.equal(bench.event({ is: "dropped", link: old, code: 1006, reason: "" }), undefined);
  check.equal(bench.neuron.link.state.is, "dialing");
});

test("NL11b a registration because of which the bus closes the link is not sent twice", () => {
  for (const code of [1007, 1009]) {
    const bench = new Bench();
    bench.open();
    const lost = bench.drop(code);
    check.equal(lost?.is === "waiting" && lost.retryMs, undefined);
    check.match(lost?.is === "waiting" ? lost.reason : "", new RegExp(`${code}.*registration of n with .* characters`));
    check.equal(bench.neuron.link.state.is, "failed");
    bench.pass(600_000);
    check.equal(bench.effects, []);
  }
});

test("NL12 values that arrive, binary or as text, go to their input; all others are counted and dropped", () => {
  const { neuron } = new Bench();
  check.equal(receiveValue(neuron, encodeFrame(frameHead("c"), 42))?.latest, 42);
  check.equal(receiveValue(neuron, '{"on":"c","value":7,"device":"n"}')?.latest, 7);
  check.equal(receiveValue(neuron, encodeFrame(frameHead("a"), 1)), undefined, "an output");
  check.equal(receiveValue(neuron, encodeFrame(frameHead("zzz"), 1)), undefined);
  check.equal(receiveValue(neuron, Uint8Array.of(3, 1)), undefined);
  check.equal(receiveValue(neuron, "{"), undefined);
  check.equal(receiveValue(neuron, encodeFrame(frameHead("c"), Infinity)), undefined);
  check.equal(neuron.counts, { received: 2, malformed: 2, unknown: 2, nonFinite: 1 });
});

test("NL13 each parameter is sent at its rate, and faster values are merged into the latest", () => {
  const bench = new Bench();
  bench.open();
  const sent: string[] = [];
  for (let ms = 0; ms < 100; ms++) {
    for (let part = 0; part < 10; part++) bench.send("a", ms * 10 + part); // 10,000 a second
    sent.push(...bench.pass(1));
  }
  check.that(sent.length >= 20 && sent.length <= 21, `${sent.length} in 100 ms`);
  check.equal(bench.pass(10).at(-1) ?? sent.at(-1), "a=999", "the last value always leaves");
  check.equal(bench.neuron.outputs.counts.sent + bench.neuron.outputs.counts.merged, 1_000);
  bench.send("a", 1);
  bench.send("b", 1);
  check.equal(bench.sent(), ["a=1", "b=1"], "the ceiling is each one's own");
});

test("NL13 a late timer does not lower the rate", () => {
  const bench = new Bench({ rate: 200 });
  bench.open();
  let sent = 0;
  for (let at = 0; at < 1_000; at += 7) {
    bench.now = 2_000_000 + at;
    tickNeuron(bench.neuron, bench);
    bench.send("a", at, at + 1, at + 2);
    sent += bench.sent().length;
  }
  check.that(sent >= 142 && sent <= 201, `${sent}`);
});

test("NL13 a parameter can have a rate of its own, and 0 is no limit", () => {
  const bench = new Bench({ parameters: { fast: { rate: 0 }, slow: { rate: 1 } } });
  bench.open();
  bench.send("fast", 1, 2, 3);
  bench.send("slow", 1, 2, 3);
  check.equal(bench.sent(), ["fast=1", "fast=2", "fast=3", "slow=1"]);
  check.equal(bench.pass(999), []);
  check.equal(bench.pass(1), ["slow=3"]);
});

test("NL14 pending values can be sent at once", () => {
  const bench = new Bench();
  bench.open();
  bench.send("a", 1, 2, 3);
  bench.send("b", 1, 2);
  bench.sent();
  flushAll(bench.neuron.outputs, bench);
  check.equal(bench.sent(), ["a=3", "b=2"]);
  check.equal(waitingCount(bench.neuron.outputs), 0);
});

test("NL15 while offline `drop` drops values, and counts them", () => {
  const bench = new Bench({ whileOffline: "drop" });
  bench.send("a", 1, 2);
  bench.open();
  check.equal(bench.pass(50), []);
  check.equal(bench.neuron.outputs.counts.dropped, 2);
});

test("NL15 while offline `latest` keeps the last value of each parameter", () => {
  const bench = new Bench();
  bench.send("a", 1, 2);
  bench.send("b", 3);
  startNeuron(bench.neuron, bench);
  bench.event({ is: "dialed", link: bench.link });
  check.equal(bench.sent().slice(1), ["a=2", "b=3"]);
});

test("NL15 while offline `queue(n)` keeps the last n values in order, and they are sent before any later value, at the rate", () => {
  const bench = new Bench({ whileOffline: queue(3) });
  bench.send("a", 1, 2, 3, 4);
  startNeuron(bench.neuron, bench);
  bench.event({ is: "dialed", link: bench.link });
  check.equal(bench.sent().slice(1), ["a=2"]);
  bench.send("a", 5, 6);
  check.equal(bench.pass(4), []);
  check.equal(bench.pass(20), ["a=3", "a=4", "a=6"]);
  check.equal(bench.neuron.outputs.counts.dropped, 1);
});

test("NL15 NL16 a queue that was not empty when the link was lost again continues in order", () => {
  const bench = new Bench({ whileOffline: queue(10) });
  bench.send("a", 1, 2, 3);
  startNeuron(bench.neuron, bench);
  bench.event({ is: "dialed", link: bench.link });
  bench.send("a", 4);
  bench.drop();
  bench.send("a", 5);
  bench.effects = [];
  bench.pass(1_000);
  bench.effects = [];
  bench.event({ is: "dialed", link: bench.link });
  check.equal([...bench.sent().slice(1), ...bench.pass(100)], ["a=2", "a=3", "a=4", "a=5"]);
});

test("NL16 the last value of each output is sent again after a reconnect, unless `resend` is false or a later value is pending", () => {
  const bench = new Bench({ parameters: { level: {}, other: {}, never: {}, pulse: { resend: false } } });
  bench.open();
  bench.send("level", 5);
  bench.send("other", 6);
  bench.send("pulse", 1);
  bench.pass(100);
  bench.drop();
  bench.send("other", 7);
  bench.pass(1_000);
  bench.effects = [];
  bench.event({ is: "dialed", link: bench.link });
  check.equal(bench.sent().slice(1), ["level=5", "other=7"]);
  check.equal(bench.neuron.outputs.counts.resent, 1);
});

test("NL17 NaN and the infinities are refused in both directions, unless they are allowed", () => {
  const bench = new Bench();
  for (const value of [NaN, Infinity, -Infinity]) {
    check.equal(sendValue(bench.neuron, { name: "a", value: value }, bench)?.rule, "value");
  }
  check.equal(bench.neuron.refused, 3);
  const open = new Bench({ nonFinite: "allow" });
  open.open();
  open.send("a", Infinity);
  check.equal(open.sent(), ["a=Infinity"]);
  check.equal(receiveValue(open.neuron, encodeFrame(frameHead("c"), -Infinity))?.latest, -Infinity);
});

test("NL18 a value outside its range passes, is clamped or is refused, as `outOfRange` says", () => {
  const passing = new Bench();
  passing.open();
  passing.send("b", 500);
  check.equal(passing.sent(), ["b=500"]);
  const clamping = new Bench({ outOfRange: "clamp" });
  clamping.open();
  clamping.send("b", 500);
  check.equal(clamping.sent(), ["b=10"]);
  const refusing = new Bench({ outOfRange: "refuse" });
  check.equal(sendValue(refusing.neuron, { name: "b", value: 500 }, refusing)?.rule, "value-range");
  check.equal(sendValue(refusing.neuron, { name: "b", value: 10 }, refusing), undefined);
});

test("NL19 values for undeclared parameters, for inputs, and values that are not numbers are refused by their rule", () => {
  const bench = new Bench();
  check.equal(sendValue(bench.neuron, { name: "zzz", value: 1 }, bench)?.rule, "parameter-unknown");
  check.equal(sendValue(bench.neuron, { name: "c", value: 1 }, bench)?.rule, "direction");
  check.equal(sendValue(bench.neuron, { name: "a", value: "1" as unknown as number }, bench)?.rule, "value");
});

test("NL20 values are merged during backpressure, and sent once it is relieved", () => {
  const bench = new Bench();
  bench.open();
  bench.event({ is: "linkBackpressure", link: bench.link });
  bench.send("a", 1, 2, 3);
  check.equal(bench.pass(100), []);
  bench.event({ is: "linkRelieved", link: bench.link });
  check.equal(bench.sent(), ["a=3"]);
});

test("NL21 neurons are registered by kind and name, once for each name", () => {
  const neurons = createRegistry<object>();
  const first = register(neurons, { kind: "k", name: "n" }, () => ({}));
  check.that(register(neurons, { kind: "k", name: "n" }, () => ({})) === first);
  const other = register(neurons, { kind: "other", name: "n" }, () => ({}));
  check.that(isViolation(other));
  check.equal(other.rule, "registry");
  check.that(remove(neurons, "k", "n") === first);
  check.that(!isViolation(register(neurons, { kind: "other", name: "n" }, () => ({}))));
});

test("NL32 parameters are added over a second socket, which is closed again", () => {
  const bench = new Bench();
  bench.open();
  check.equal(addParameters(bench.neuron, ["b"], bench), undefined);
  check.equal(addParameters(bench.neuron, ["b"], bench)?.rule, "busy");
  const { addition } = bench.neuron;
  check.that(addition.is === "dialing");
  const { id } = addition;
  bench.event({ is: "dialed", link: id });
  check.equal(JSON.parse(bench.sent()[0] ?? ""), {
    kind: "external",
    type: "add_parameters",
    parameters: [{ name: "b", range: [0, 10] }],
  });
  bench.now += 1_000;
  tickNeuron(bench.neuron, bench);
  check.equal(bench.effects, [{ do: "closeLink", link: id }]);
  check.equal(bench.neuron.link.state.is, "open");
});
