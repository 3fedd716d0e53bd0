/** The Trevor client against a fake session, on virtual time. */
import { test } from "#runner";
import { connectionsOf, devicePath, devicesOf, proxyOf, RefusedError, TrevorError } from "../../../src/clients/nallely.ts";
import type { CommandName, CommandParams } from "../../../src/clients/nallely.ts";
import type { Json } from "../../../src/core/json.ts";
import { COMMANDS } from "../../../src/services/nallely/mod.ts";
import { check } from "../../harness/check.ts";
import { harness } from "./nallely-fixture.ts";

test("NL22 a command's reply is the last state before its fence, whatever other clients do", async () => {
  const { network, trevor, settled } = harness();
  const [mine, other] = [trevor(), trevor()];
  await settled(Promise.all([mine.ready(), other.ready()]));
  const spam = Array.from({ length: 20 }, () => other.call("create_device", { name: "LFO" }));
  const state = await settled(mine.call("create_device", { name: "VCA" }));
  check.equal(devicesOf(state, "VCA").length, 1);
  await settled(Promise.all(spam));
  check.equal(
    devicesOf(network.session.trevor === undefined ? state : await settled(mine.call("full_state")), "LFO").length,
    20,
  );
  check.equal([mine.metrics.answered, other.metrics.answered], [2, 20]);
  check.that(mine.metrics.fenceMs > 0);
});

test("NL22 commands without a reply complete, and no client takes another's completion", async () => {
  const { trevor, settled } = harness();
  const [mine, other] = [trevor(), trevor()];
  const replies = [
    mine.call("start_capture_io"),
    other.call("completion_request", { expression: "x.y" }),
    mine.call("get_class_code", { device_id: 1 }),
    mine.call("send_stdin", { thread_id: 1, text: "x" }),
  ];
  check.equal(await settled(Promise.all<unknown>(replies)), [undefined, [], undefined, undefined]);
});

test("NL23 a command that makes Trevor fail is rejected, and the next ones use a new connection, each sent once", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  const failing = mine.call("create_device", { name: "Nope" });
  const next = mine.call("create_device", { name: "VCA" });
  const error = await settled(failing).catch((error: unknown) => error);
  check.that(error instanceof TrevorError && error.failure === "refused" && error.command === "create_device");
  check.equal(devicesOf(await settled(next), "VCA").length, 1);
  const sent = network.sent.filter(({ frame }) => String(frame).includes("create_device")).map(({ frame }) =>
    JSON.parse(String(frame)).name
  );
  check.equal(sent, ["Nope", "VCA"]);
  check.equal(mine.metrics.reconnects, 1);
});

test("NL23b a command that is too large is sent once at most", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  const tooLarge = await settled(mine.call("save_code", { code: "例".repeat(340_000) })).catch((error: unknown) => error);
  check.that(tooLarge instanceof RefusedError && tooLarge.rule === "size");
  for (const code of [1007, 1009]) {
    const before = network.sent.length;
    const call = mine.call("save_code", { code: "a" });
    network.cut(code);
    const error = await settled(call).catch((error: unknown) => error);
    check.that(error instanceof TrevorError && error.failure === "refused", String(error));
    await settled(mine.ready());
    const sent = network.sent.slice(before).filter(({ frame }) => String(frame).includes("save_code"));
    check.equal(sent.length, 1);
  }
});

test("NL23 a command whose socket closes otherwise is lost, because it may have been carried out", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  const call = mine.call("create_device", { name: "VCA" });
  network.cut();
  const error = await settled(call).catch((error: unknown) => error);
  check.that(error instanceof TrevorError && error.failure === "lost");
});

test("NL24 a command ends at its deadline, and the client reconnects", async () => {
  const { network, lent, settled } = harness();
  const { Trevor } = await import("../../../src/clients/nallely.ts");
  const mine = Trevor.open({ url: "ws://trevor.test", ...lent, timeoutMs: 500 });
  await settled(mine.ready());
  network.latencyMs = 1_000;
  const error = await settled(mine.call("full_state")).catch((error: unknown) => error);
  check.that(error instanceof TrevorError && error.failure === "timeout");
  network.latencyMs = 1;
  await settled(mine.call("full_state"));
  network.isDark = true;
  network.cut();
  const unreached = await settled(mine.call("full_state")).catch((error: unknown) => error);
  check.that(unreached instanceof TrevorError && unreached.failure === "timeout");
});

test("NL25 a command for which Trevor would close the socket is refused before it is sent, with the parameter", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  const call = mine.call as (command: string, params?: object) => Promise<unknown>;
  const reasons: readonly (readonly [string, object | undefined, RegExp])[] = [
    ["execute_everything", {}, /no command/],
    ["toString", {}, /no command/],
    ["create_device", undefined, /requires name/],
    ["pause_device", { device_id: 1 }, /requires start/],
    ["unregister_service", { service_name: "n" }, /requires bus_id/],
    ["full_state", { requestId: 1 }, /has no parameter requestId/],
  ];
  for (const [command, params, reason] of reasons) {
    const error = await call.call(mine, command, params).catch((error: unknown) => error);
    check.that(error instanceof RefusedError && error.rule === "command", command);
    check.match(error.message, reason);
  }
  check.equal(network.sent, []);
});

test("NL26 the id of the bus is updated after a reset; the neuron is back, its wiring is not", async () => {
  const { trevor, neuron, settled } = harness();
  const [mine, other, synth] = [trevor(), trevor(), neuron()];
  await settled(synth.ready());
  const before = (await settled(mine.ready()), mine.busId);
  check.that(before !== undefined);
  await settled(other.ready());
  const buses: (number | undefined)[] = [];
  other.onEvent((event) => event.is === "bus" && buses.push(event.busId));
  const state = await settled(mine.resetAll());
  check.that(mine.busId !== undefined && mine.busId !== before);
  check.equal(devicesOf(state, "WebSocketBus").length, 1);
  const back = await settled(mine.waitFor((state) => proxyOf(state, "synth") !== undefined));
  check.equal(connectionsOf(back, "synth"), []);
  check.equal(synth.state, "open");
  check.equal(other.busId, mine.busId, "a client that did not ask for the reset follows too");
  check.equal(buses[0], undefined);
});

const EXAMPLES: { readonly [C in CommandName]: CommandParams<C> } = {
  full_state: {},
  create_device: { name: "VCA" },
  create_devices: { device_classes: { VCA: 2 } },
  clone_device: { device_id: 0 },
  kill_device: { device_id: 0 },
  pause_device: { device_id: 0, start: null },
  resume_device: { device_id: 0, start: null },
  random_preset: { device_id: 0 },
  force_note_off: { device_id: 0 },
  set_device_channel: { device_id: 0, channel: 1 },
  set_virtual_value: { device_id: 0, parameter: "gain", value: 2 },
  set_parameter_value: { device_id: 0, section_name: "s", parameter_name: "p", value: 1 },
  associate_parameters: {
    from_parameter: "0::__virtual__::output_cv",
    to_parameter: "0::__virtual__::input_cv",
    unbind: false,
  },
  create_scaler: { from_parameter: "a", to_parameter: "b", create: true },
  set_scaler_parameter: { scaler_id: 1, parameter: "to_min", value: 0 },
  make_link_bouncy: { from_parameter: "a", to_parameter: "b", bouncy: true },
  mute_link: { from_parameter: "a", to_parameter: "b", muted: true },
  set_link_velocity: { from_parameter: "a", to_parameter: "b", velocity: 1 },
  set_link_extrazero: { from_parameter: "a", to_parameter: "b", extra_zero: "none" },
  delete_all_connections: {},
  associate_midi_port: { device: 1, port: "p", direction: "input" },
  unregister_service: { bus_id: 1, service_name: "none" },
  reset_all: {},
  save_code: { code: "x" },
  execute_code: { code: "x" },
  create_new_vdev: { name: "Mine" },
  compile_inject: { device_id: 0, class_code: "x" },
  compile_inject_save: { device_id: 0, class_code: "x" },
  expose_neuron: { device_id: 0, friend_ip: "127.0.0.1" },
  unexpose_neuron: { device_id: 0, friend_ip: "127.0.0.1" },
  load_all: { name: "broken" },
  load_address: { address: "0001" },
  list_patches: {},
  save_all: { name: "x" },
  save_address: { address: "0001" },
  save_address_metadata: { address: "0001", name: "n", color: "c", description: "d" },
  get_used_addresses: {},
  clear_address: { address: "0001" },
  fetch_path_infos: { filename: "f" },
  all_virtual_schemas: {},
  get_class_code: { device_id: 0 },
  fetch_class_code: { device_id: 0 },
  completion_request: { expression: "x" },
  start_capture_io: {},
  stop_capture_io: {},
  send_stdin: { thread_id: 1, text: "x" },
  scan_for_friends: {},
  mount_nallelyfs: { mountpoint: "/mnt" },
  umount_nallelyfs: {},
};

/** What a reply looks like, in short. */
function look(reply: unknown): string {
  if (reply === undefined || typeof reply !== "object" || reply === null) return typeof reply;
  return Array.isArray(reply) ? "list" : Object.keys(reply).sort().join(" ");
}

test("NL27 every command has a reply of its own shape", async () => {
  const { trevor, settled } = harness();
  const mine = trevor();
  const STATE = look(await settled(mine.ready()));
  const looks = new Map<string, string[]>();
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const [device] = devicesOf(await settled(mine.call("create_device", { name: "VCA" })), "VCA");
    const params = JSON.parse(
      JSON.stringify(EXAMPLES[name]).replace('"device_id":0', `"device_id":${device?.id}`).replaceAll(
        '"0::',
        `"${device?.id}::`,
      ),
    );
    const reply = await settled((mine.call as (name: string, params: object) => Promise<unknown>).call(mine, name, params));
    const seen = look(reply) === STATE ? "state" : look(reply);
    looks.set(seen, [...looks.get(seen) ?? [], name]);
  }
  check.equal(Object.fromEntries([...looks].filter(([seen]) => seen !== "state")), {
    "diagnostic lines state": ["execute_code"],
    "code state": ["create_new_vdev"],
    "notification state": ["compile_inject", "compile_inject_save", "expose_neuron", "unexpose_neuron"],
    "errors state": ["load_all", "load_address"],
    list: ["list_patches", "get_used_addresses", "clear_address", "all_virtual_schemas", "completion_request"],
    "command message status": ["save_all", "save_address"],
    "addresses notification": ["save_address_metadata"],
    filename: ["fetch_path_infos"],
    "className methods": ["get_class_code", "fetch_class_code"],
    undefined: ["start_capture_io", "stop_capture_io", "send_stdin"],
    "": ["scan_for_friends"],
    string: ["mount_nallelyfs", "umount_nallelyfs"],
  });
  check.equal(looks.get("state")?.length, 24);
});

test("NL27 errors that Trevor reports without closing are part of the reply", async () => {
  const { trevor, settled } = harness();
  const mine = trevor();
  check.equal((await settled(mine.call("execute_code", { code: "syntax error" }))).diagnostic?.message, "invalid syntax");
  check.equal((await settled(mine.call("load_all", { name: "broken" }))).errors, ["broken link"]);
  check.equal((await settled(mine.call("load_all", { name: "whole" }))).errors, []);
});

test("NL4 NL22 a state with bare NaN and Infinity in it is read", async () => {
  const { network, trevor, neuron, settled } = harness();
  const [mine, synth] = [trevor(), neuron()];
  await settled(synth.ready());
  network.session.bus?.setValue("synth_out", NaN);
  network.session.bus?.setValue("synth_both", Infinity);
  const state = await settled(mine.call("full_state"));
  check.equal(devicesOf(state, "WebSocketBus")[0]?.config, { set_pause: 0, synth_out: null, synth_both: Infinity });
  check.equal(mine.metrics.unreadable, 0);
});

test("NL28 a neuron is unregistered with the id of the bus, and the client reports whether it is gone", async () => {
  const { trevor, neuron, settled } = harness();
  const [mine, synth] = [trevor(), neuron()];
  await settled(synth.ready());
  await settled(mine.waitFor((state) => proxyOf(state, "synth") !== undefined));
  check.equal(await settled(synth.unregister(mine)), true);
  check.equal(synth.state, "idle");
  const state = await settled(mine.call("full_state"));
  check.equal(proxyOf(state, "synth"), undefined);
});

test("NL29 waits and commands end by signal, timeout and close", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  const abort = new AbortController();
  const never = [
    mine.waitFor(() => false, { signal: abort.signal }),
    mine.waitFor(() => false, { timeoutMs: 50 }),
    mine.waitFor(() => false),
  ].map((promise) => promise.catch((error: unknown) => error instanceof Error ? error.name : error));
  await network.pass(100);
  abort.abort("enough");
  network.isDark = true;
  network.cut();
  const call = mine.call("full_state").catch((error: unknown) => error instanceof TrevorError ? error.failure : error);
  await mine.close();
  check.equal(await settled(Promise.all([...never, call])), ["enough", "WaitTimeoutError", "ClosedError", "closed"]);
  await check.rejects(mine.call("full_state"), /closed/);
});

test("NL31 notifications, output, states and changes of the link are events", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  const events: string[] = [];
  mine.onEvent((event) => events.push(event.is));
  const states = mine.states();
  await settled(mine.ready());
  network.session.trevor.notify("ok", "hello");
  network.session.create("VCA");
  network.session.trevor.pushState();
  await network.pass(10);
  network.cut();
  check.equal(events, ["open", "bus", "state", "message", "state", "bus", "waiting"]);
  const latest = await states.next();
  check.equal(latest.done === true ? 0 : devicesOf(latest.value, "VCA").length, 1, "a slow reader gets the latest");
  await states.return();
  check.equal(devicePath(1, "input_cv"), "1::__virtual__::input_cv");
});

test("NL22 every message of Trevor becomes a state, a message or a count", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  const first = await settled(mine.ready());
  const odd: readonly unknown[] = [
    null,
    1,
    "text",
    [],
    {},
    { command: "completion" },
    { command: 1, arg: 2 },
    { errors: 1, knownPatches: 2 },
    { virtual_devices: [null], connections: [], classes: {} },
    { virtual_devices: [{ id: 1, meta: { name: "x", parameters: [{}] } }], connections: [], classes: {} },
    { virtual_devices: [], connections: [{ src: {}, dest: {} }], classes: {} },
  ];
  for (const message of odd) network.session.trevor.broadcast(message as Json);
  await network.pass(10);
  check.that(mine.state === first, "none of it is a state");
  check.equal((await settled(mine.call("create_device", { name: "VCA" }))).virtual_devices.at(-1)?.meta.name, "VCA");
});

test("NL61 an idle client is probed, and one with a dead connection reconnects", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  await network.pass(300_000);
  check.equal([mine.linkState, mine.metrics.reconnects], ["open", 0]);
  const probes = network.sent.filter(({ frame }) => String(frame).includes("completion_request"));
  check.equal(probes.length, 9);
  network.silence();
  await network.pass(43_000);
  await settled(mine.call("create_device", { name: "VCA" }));
  check.equal(mine.metrics.reconnects, 1);
});

test("NL61 a command in flight is not taken for silence before its own deadline", async () => {
  const { network, lent, settled } = harness();
  const { Trevor } = await import("../../../src/clients/nallely.ts");
  const mine = Trevor.open({
    url: "ws://trevor.test",
    ...lent,
    timeoutMs: 60_000,
    keepalive: { idleMs: 1_000, answerMs: 500 },
  });
  await settled(mine.ready());
  network.latencyMs = 10_000;
  const reply = mine.call("full_state");
  await network.pass(31_000);
  network.latencyMs = 1;
  await settled(reply);
  check.equal(mine.metrics.reconnects, 0);
});

test("NL63 nothing is answered from the state of a lost session", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  network.isDark = true;
  network.cut();
  check.equal([mine.state, mine.busId], [undefined, undefined]);
  const waits = [mine.waitFor(() => true, { timeoutMs: 50 }), mine.pathOf("synth", "out", { timeoutMs: 50 })]
    .map((wait) => wait.catch((error: unknown) => error instanceof Error ? error.name : error));
  check.equal(await settled(Promise.all(waits)), ["WaitTimeoutError", "WaitTimeoutError"]);
  network.isDark = false;
  const path = await settled(mine.pathOf("synth", "out"), 10_000);
  check.equal(path, `${network.session.bus?.id}::__virtual__::synth_out_cv`);
  await mine.close();
  check.equal([mine.state, mine.busId], [undefined, undefined]);
  await check.rejects(mine.waitFor(() => true), /closed/);
});

test("NL64 an older state that Trevor sends for another client is not taken for the reply", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  const fake = network.session.trevor;
  const original = fake.message.bind(fake);
  let stale = 3;
  fake.message = (peer, frame) => {
    const before = network.session.state;
    original(peer, frame);
    if (!String(frame).includes("completion") && stale-- > 0) fake.broadcast(before);
  };
  const state = await settled(mine.call("create_device", { name: "VCA" }));
  check.equal(devicesOf(state, "VCA").length, 1);
  const sent = network.sent.map(({ frame }) => JSON.parse(String(frame)).command);
  check.equal(sent.filter((command) => command === "create_device").length, 1, "the command itself is sent once");
  check.equal(sent.filter((command) => command === "full_state").length, 3);
});

test("NL64 a client that never gets a state alone takes the last one after 32 requests", async () => {
  const { network, trevor, settled } = harness();
  const mine = trevor();
  await settled(mine.ready());
  const fake = network.session.trevor;
  const original = fake.message.bind(fake);
  fake.message = (peer, frame) => {
    original(peer, frame);
    if (!String(frame).includes("completion")) fake.pushState();
  };
  check.equal(devicesOf(await settled(mine.call("create_device", { name: "VCA" })), "VCA").length, 1);
  check.equal(network.sent.filter(({ frame }) => String(frame).includes("full_state")).length, 32);
});
