/** NeuronGroup of the client against a fake session, on virtual time. */
import { test } from "#runner";
import {
  ClosedError,
  devicePath,
  devicesOf,
  hasDrift,
  Neuron,
  type NeuronEvent,
  NeuronGroup,
  proxyOf,
  RefusedError,
  WaitTimeoutError,
} from "../../../src/clients/nallely.ts";
import { FAKE_BUS_URL } from "../../../src/testing/fakes/nallely-network.ts";
import { check } from "../../harness/check.ts";
import { harness, type NallelyHarness, PARAMETERS } from "./nallely-fixture.ts";

/** A synth that is wired through a native amplifier to itself, one to one. */
async function wired(on: NallelyHarness) {
  const [trevor, synth] = [on.trevor(), on.neuron()];
  await on.settled(synth.ready());
  await on.settled(trevor.waitFor((state) => proxyOf(state, "synth") !== undefined));
  const [vca] = devicesOf(await on.settled(trevor.call("create_device", { name: "VCA" })), "VCA");
  check.that(vca !== undefined);
  await on.settled(trevor.set(vca.id, "amplitude", 1));
  await on.settled(trevor.connect(await trevor.pathOf("synth", "out"), devicePath(vca.id, "input_cv"), false));
  await on.settled(trevor.connect(devicePath(vca.id, "output_cv"), await trevor.pathOf("synth", "back"), false));
  return { trevor, synth };
}

test("NL12 a value is sent through the session and is received again", async () => {
  const on = harness();
  const { synth } = await wired(on);
  const values = synth.values("back");
  synth.send("out", 42.5);
  check.equal(await on.settled(values.next()), { done: false, value: 42.5 });
  check.equal(synth.latest("back"), 42.5);
  check.equal(synth.latest("both"), undefined);
});

test("NL9 NL10 closing a neuron that is dialing does not poison its name", async () => {
  const on = harness();
  await on.settled(on.neuron().close());
  const [again, trevor] = [on.neuron(), on.trevor()];
  await on.settled(again.ready());
  check.equal(hasDrift(await on.settled(again.drift(trevor))), false);
});

test("NL32 a poisoned name is reported as not listed, and no repair is tried", async () => {
  const on = harness();
  on.network.openSocket(`${FAKE_BUS_URL}/synth/autoconfig`).close();
  await on.network.pass(10);
  const [synth, trevor] = [on.neuron(), on.trevor()];
  await on.settled(synth.ready());
  check.equal((await on.settled(synth.drift(trevor))).isListed, false);
  check.equal((await on.settled(synth.repair(trevor))).isListed, false);
  await on.settled(trevor.resetAll());
  await on.settled(trevor.waitFor((state) => proxyOf(state, "synth") !== undefined));
  check.equal((await on.settled(synth.drift(trevor))).isListed, true, "a reset cures it");
});

test("NL32 differences to the session's registration are named, and missing parameters are added", async () => {
  const on = harness();
  const old = Neuron.open({
    name: "synth",
    parameters: { out: { range: [0, 1] }, gone: {} },
    url: FAKE_BUS_URL,
    ...on.lent,
  });
  await on.settled(old.ready());
  await on.settled(old.close());
  const [synth, trevor] = [on.neuron(), on.trevor()];
  await on.settled(synth.ready());
  check.equal(await on.settled(synth.drift(trevor)), {
    isListed: true,
    missing: ["back", "both"],
    extra: ["gone"],
    changed: ["out"],
  });
  check.equal((await on.settled(synth.repair(trevor))).missing, []);
  await on.network.pass(2_000);
  check.equal(on.network.sockets, 2, "the further socket is closed again");
});

test("NL29 `ready` resolves when the link is open, and rejects by timeout, signal and close", async () => {
  const on = harness();
  on.network.isDark = true;
  const synth = on.neuron();
  const ends = [synth.ready({ timeoutMs: 10 }), synth.ready({ signal: AbortSignal.abort("no") })].map((promise) =>
    promise.catch((error: unknown) => error)
  );
  await on.network.pass(20);
  const [late, aborted] = await Promise.all(ends);
  check.that(late instanceof WaitTimeoutError && aborted === "no");
  const closed = synth.ready().catch((error: unknown) => error);
  await on.settled(synth.close(), 20_000);
  check.that(await closed instanceof ClosedError);
  check.that(await synth.ready().catch((error: unknown) => error) instanceof ClosedError);
  on.network.isDark = false;
  synth.retry();
  await on.settled(synth.ready());
  await on.settled(synth.ready());
});

test("NL29 a signal and the end of a scope close a neuron", async () => {
  const on = harness();
  const abort = new AbortController();
  const first = Neuron.open({ name: "first", parameters: PARAMETERS, url: FAKE_BUS_URL, ...on.lent, signal: abort.signal });
  await on.settled(first.ready());
  abort.abort();
  check.equal(first.state, "idle");
  let second: Neuron | undefined;
  const scope = async () => {
    await using neuron = on.neuron("second");
    second = neuron as unknown as Neuron;
    await neuron.ready();
  };
  await on.settled(scope());
  check.equal(second?.state, "idle");
  const aborted = Neuron.open({
    name: "third",
    parameters: {},
    url: FAKE_BUS_URL,
    ...on.lent,
    signal: AbortSignal.abort(),
  });
  check.equal(aborted.state, "idle");
  await on.network.pass(100);
  check.equal(on.network.sockets, 0);
});

test("NL30 several listeners receive values until they are removed, and one that throws does not stop the others", async () => {
  const on = harness();
  const { synth } = await wired(on);
  const heard: string[] = [];
  const events: NeuronEvent[] = [];
  synth.onEvent((event) => events.push(event));
  const abort = new AbortController();
  synth.on("back", () => {
    throw new Error("mine");
  });
  const end = synth.on("back", (value) => heard.push(`a${value}`));
  synth.on("back", (value) => heard.push(`b${value}`), { signal: abort.signal });
  synth.send("out", 1);
  await on.network.pass(50);
  end();
  synth.send("out", 2);
  await on.network.pass(50);
  abort.abort();
  synth.send("out", 3);
  await on.network.pass(50);
  check.equal(heard, ["a1", "b1", "b2"]);
  check.equal(events.map(({ is }) => is), ["listenerFailed", "listenerFailed", "listenerFailed"]);
});

test("NL30 an iterator that is read too slowly gives the latest value, or the last `keep`, and counts the others", async () => {
  const on = harness();
  const { synth } = await wired(on);
  const [latest, some] = [synth.values("back"), synth.values("back", { keep: 2 })];
  for (const value of [1, 2, 3, 4]) {
    synth.send("out", value);
    await on.network.pass(50);
  }
  check.equal((await latest.next()).value, 4);
  check.equal([(await some.next()).value, (await some.next()).value, some.lost], [3, 4, 2]);
  const next = latest.next();
  await latest.return();
  check.equal((await next).done, true);
  check.equal((await latest.next()).done, true);
});

test("NL30 a batch contains the latest value of each parameter that changed", async () => {
  const on = harness();
  const { synth, trevor } = await wired(on);
  const batches = synth.batches({ everyMs: 40 });
  const bus = trevor.busId ?? 0;
  void trevor.set(bus, "synth_both", 5);
  synth.send("out", 1);
  synth.send("out", 2);
  const batch = await on.settled(batches.next());
  check.equal(batch.done === true ? [] : [...batch.value].sort(), [["back", 2], ["both", 5]]);
  await batches.return();
});

test("NL31 the states of the link are events", async () => {
  const on = harness();
  const synth = on.neuron();
  const events = synth.events();
  await on.settled(synth.ready());
  on.network.cut();
  await on.settled(synth.ready());
  await on.settled(synth.close());
  const seen: string[] = [];
  for (let at = 0; at < 5; at++) seen.push((await events.next()).value?.is ?? "");
  check.equal(seen, ["open", "waiting", "dialing", "open", "closed"]);
});

test("NL33 the neurons of a group share options and reconnect together", async () => {
  const on = harness();
  await using neurons = new NeuronGroup({ url: FAKE_BUS_URL, ...on.lent, backoff: { baseMs: 20_000, capMs: 60_000 } });
  const [one, two] = [
    neurons.register("kind", { name: "one", parameters: { a: {} } }),
    neurons.register("kind", { name: "two", parameters: { a: {} } }),
  ];
  check.that(neurons.register("kind", { name: "one", parameters: { a: {} } }) === one);
  check.throws(
    () => neurons.register("other", { name: "one", parameters: {} }),
    /registry: one is already registered as kind::one/,
  );
  await on.settled(Promise.all([one.ready(), two.ready()]));
  on.network.cut();
  check.equal([one.state, two.state], ["waiting", "waiting"]);
  one.retry();
  await on.settled(Promise.all([one.ready(), two.ready()]));
  check.that(neurons.send({ kind: "kind", name: "two" }, "a", 1));
  check.equal(neurons.send({ kind: "kind", name: "none" }, "a", 1), false);
  check.equal([...neurons.metrics].map(([key, { sent }]) => [key, sent]), [["kind::one", 0], ["kind::two", 1]]);
  check.equal([await on.settled(neurons.close("kind", "one")), await neurons.close("kind", "one")], [true, false]);
});

test("NL34 sent, merged, refused and received values and reconnects are counted", async () => {
  const on = harness();
  const { synth } = await wired(on);
  for (const value of [1, 2, 3]) synth.send("out", value);
  check.throws(() => synth.send("out", NaN), /^RefusedError: value: /);
  await on.network.pass(50);
  on.network.cut();
  await on.settled(synth.ready());
  await on.network.pass(50);
  const { sent, merged, refused, resent, reconnects, received, waiting } = synth.metrics;
  check.equal({ sent, merged, refused, resent, reconnects, waiting }, {
    sent: 2,
    merged: 1,
    refused: 1,
    resent: 1,
    reconnects: 1,
    waiting: 0,
  });
  check.that(received >= 2);
});

test("NL36 NL37 wiring survives a lost connection, and after a reset the neuron is back without it", async () => {
  const on = harness();
  const { synth, trevor } = await wired(on);
  on.network.cut();
  await on.settled(synth.ready());
  const values = synth.values("back");
  synth.send("out", 9);
  check.equal((await on.settled(values.next())).value, 9);
  await on.settled(trevor.resetAll());
  const state = await on.settled(trevor.waitFor((state) => proxyOf(state, "synth") !== undefined));
  check.equal(state.connections, []);
  check.equal(synth.state, "open");
  await on.settled(trevor.connect(await trevor.pathOf("synth", "out"), await trevor.pathOf("synth", "back"), false));
  synth.send("out", 11);
  check.equal((await on.settled(values.next())).value, 11);
});

test("NL5 NL6 NL39 a declaration that breaks a rule is refused before anything is dialed", () => {
  const on = harness();
  const open = (declared: object) => () => Neuron.open({ name: "n", parameters: {}, ...on.lent, ...declared } as never);
  check.throws(open({ name: "a_b" }), /^RefusedError: neuron-name: /);
  check.throws(open({ parameters: { uuid: {} } }), /^RefusedError: parameter-reserved: .*id of the bus/);
  check.throws(open({ parameters: { a: { range: [2, 1] } } }), /^RefusedError: range: /);
  check.equal(on.network.sockets, 0);
});

test("NL39 invalid names and directions are type errors", () => {
  const on = harness();
  const synth = on.neuron();
  const mistakes = [
    // @ts-expect-error an input
    () => synth.send("back", 1),
    // @ts-expect-error not declared
    () => synth.send("zzz", 1),
    // @ts-expect-error an output
    () => synth.on("out", () => {}),
    // @ts-expect-error a name that never receives
    () => Neuron.open({ name: "my_synth", parameters: {}, ...on.lent }),
  ];
  for (const mistake of mistakes) check.throws(mistake, /RefusedError/);
  synth.send("both", 1);
  check.that(RefusedError !== undefined);
});

test("NL35 a neuron unregisters by path", async () => {
  const on = harness();
  const { synth, trevor } = await wired(on);
  check.equal(await on.settled(synth.unregister()), undefined);
  check.equal(proxyOf(await on.settled(trevor.call("full_state")), "synth"), undefined);
});

test("NL60 a dead bus link is replaced, and the values that it lost are sent again", async () => {
  const on = harness();
  const { synth } = await wired(on);
  synth.send("out", 1);
  await on.network.pass(1_000);
  on.network.silence();
  const values = synth.values("back", { keep: 8 });
  synth.send("out", 2);
  synth.send("both", 3);
  await on.network.pass(31_000);
  check.equal(await on.settled(values.next()), { done: false, value: 2 });
  synth.send("out", 4);
  check.equal(await on.settled(values.next()), { done: false, value: 4 });
  check.equal([synth.state, synth.metrics.reconnects, synth.metrics.resent], ["open", 0, 2]);
});

test("NL60 an idle link that is alive is replaced without a lost or repeated value, and without an event", async () => {
  const on = harness();
  const { synth, trevor } = await wired(on);
  const events: string[] = [];
  const heard: number[] = [];
  synth.onEvent(({ is }) => events.push(is));
  synth.on("back", (value) => heard.push(value));
  const bus = trevor.busId ?? 0;
  const expected: number[] = [];
  for (let value = 1; value <= 70; value++) {
    await on.network.pass(value % 7 === 0 ? 30_000 : 29_990 + value);
    expected.push(value);
    await on.settled(trevor.set(bus, "synth_back", value));
  }
  check.equal([heard, events], [expected, []]);
  check.equal(on.network.sockets, 2);
});

test("NL60 a bus that cannot be reached any more is a lost link, even if no socket was closed", async () => {
  const on = harness();
  const { synth } = await wired(on);
  on.network.silence();
  on.network.isDark = true;
  const events = synth.events();
  await on.network.pass(41_000);
  const lost = (await events.next()).value;
  check.that(lost?.is === "waiting" && lost.code === 4408);
  check.match(lost.reason, /silent/);
  on.network.isDark = false;
  await on.settled(synth.ready(), 10_000);
});

test("NL60 keepalive can be set, and switched off", async () => {
  const on = harness();
  const open = (name: string, keepalive: "off" | { readonly idleMs: number; readonly answerMs: number }) =>
    Neuron.open<typeof PARAMETERS, string>({ name, parameters: PARAMETERS, url: FAKE_BUS_URL, ...on.lent, keepalive });
  const [off, quick] = [open("off", "off"), open("quick", { idleMs: 1_000, answerMs: 500 })];
  await on.settled(Promise.all([off.ready(), quick.ready()]));
  on.network.silence();
  on.network.isDark = true;
  await on.network.pass(2_000);
  check.equal([off.state, quick.state === "open"], ["open", false]);
  await on.network.pass(3_600_000);
  check.equal(off.state, "open");
});

test("NL40b repeated values pass an amplifier", async () => {
  const on = harness();
  const { synth } = await wired(on);
  const heard: number[] = [];
  synth.on("back", (value) => heard.push(value));
  for (const value of [7, 7, 7]) {
    synth.send("out", value);
    await on.network.pass(50);
  }
  check.equal(heard, [7, 7, 7]);
});
