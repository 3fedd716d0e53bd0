/**
 * The clients and a session on real sockets: the porting guide's six steps, its traps, and what has to be survived.
 *
 * Runs against the fake session, or against a real one that `NALLELY_BUS_URL` and `NALLELY_TREVOR_URL` name; it is reset by these
 * tests. What a real session does and the fake does not is a mistake of the fake's.
 */
import { test } from "#runner";
import {
  connectionsOf,
  devicePath,
  devicesOf,
  encodeFrame,
  frameHead,
  hasDrift,
  Neuron,
  type NeuronOptions,
  proxyOf,
  Trevor,
  TrevorError,
} from "../../../src/clients/nallely.ts";
import { parseTolerantJson } from "../../../src/services/nallely/mod.ts";
import { check } from "../../harness/check.ts";
import { type NallelyServer, openSession } from "../../harness/nallely-server.ts";

const WITHIN = { timeoutMs: 5_000 };
const PARAMETERS = {
  out: { direction: "out", range: [0, 127] },
  back: { direction: "in", range: [0, 127] },
} as const;

let count = 0;
/** A name that no other test has used: the session may be real, and remembers. */
const newName = () => `t${Date.now().toString(36)}-${count++}`;

/** One test's session, its Trevor, and everything that it opened. */
async function during(run: (on: Session) => Promise<void>): Promise<void> {
  await using server = openSession();
  await using trevor = Trevor.open({ url: server.trevorUrl });
  await trevor.ready(WITHIN);
  const on = new Session(server, trevor);
  try {
    await run(on);
  } finally {
    await on.end();
  }
}

class Session {
  readonly server: NallelyServer;
  readonly trevor: Trevor;
  readonly #neurons: Neuron[] = [];
  readonly #sockets: WebSocket[] = [];

  constructor(server: NallelyServer, trevor: Trevor) {
    this.server = server;
    this.trevor = trevor;
  }

  async neuron(options: Partial<NeuronOptions<typeof PARAMETERS>> = {}): Promise<Neuron<typeof PARAMETERS>> {
    const name: string = options.name ?? newName();
    const neuron = Neuron.open<typeof PARAMETERS, string>({
      parameters: PARAMETERS,
      url: this.server.busUrl,
      ...options,
      name,
    });
    this.#neurons.push(neuron as unknown as Neuron);
    await neuron.ready(WITHIN);
    await this.trevor.waitFor((state) => proxyOf(state, name) !== undefined, WITHIN);
    return neuron;
  }

  /** The neuron's `out`, through a native amplifier, to its `back`, one to one. */
  async wire({ name }: { readonly name: string }): Promise<number> {
    const { trevor } = this;
    const known = new Set(devicesOf(await trevor.call("full_state"), "VCA").map(({ id }) => id));
    const vca = devicesOf(await trevor.call("create_device", { name: "VCA" }), "VCA").find(({ id }) => !known.has(id));
    check.that(vca !== undefined);
    await trevor.set(vca.id, "amplitude", 1);
    await trevor.connect(await trevor.pathOf(name, "out"), devicePath(vca.id, "input_cv"), false);
    await trevor.connect(devicePath(vca.id, "output_cv"), await trevor.pathOf(name, "back"), false);
    return vca.id;
  }

  /** A bare socket to the bus; resolves when it is open. */
  raw(path: string): Promise<WebSocket> {
    const socket = new WebSocket(`${this.server.busUrl}${path}`);
    socket.binaryType = "arraybuffer";
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error(`no socket at ${path}`));
    });
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    for (const neuron of this.#neurons) await neuron.unregister(this.trevor);
  }
}

const closeOf = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => (socket.onclose = ({ code }) => resolve(code)));

/** The value that returns. It is sent repeatedly, because new wiring takes effect after a delay. */
async function echo(neuron: Neuron<typeof PARAMETERS>, value: number): Promise<number> {
  const values = neuron.values("back", { keep: 16 });
  neuron.send("out", value);
  try {
    for await (const came of values) if (came === value) return came;
  } finally {
    await values.return();
  }
  return NaN;
}

test("NL35 the guide's six steps: registered, listed, sent, wired, reconnected, unregistered", () =>
  during(async (on) => {
    const synth = await on.neuron();
    const state = await on.trevor.call("full_state");
    check.equal(proxyOf(state, synth.name)?.meta.parameters.map(({ name }) => name), [
      `${synth.name}_out`,
      `${synth.name}_back`,
    ]);
    check.equal(hasDrift(await synth.drift(on.trevor)), false);
    await on.wire(synth);
    check.equal(await echo(synth, 42.5), 42.5);
    await synth.close();
    synth.retry();
    await synth.ready(WITHIN);
    check.equal(await echo(synth, 17), 17);
    check.equal(await synth.unregister(on.trevor), true);
    const after = await on.trevor.call("full_state");
    check.equal([proxyOf(after, synth.name), connectionsOf(after, synth.name)], [undefined, []]);
  }));

test("NL36 wiring survives a socket that is cut and a program that is killed", () =>
  during(async (on) => {
    const name = newName();
    const code = `
      const { Neuron } = await import(${JSON.stringify(import.meta.resolve("../../../src/clients/nallely.ts"))});
      const synth = Neuron.open({ name: ${JSON.stringify(name)}, url: ${JSON.stringify(on.server.busUrl)},
        parameters: ${JSON.stringify(PARAMETERS)} });
      await synth.ready();
      console.log("open");
      setInterval(() => {}, 1000);`;
    const program = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
    const { value } = await program.stdout.getReader().read();
    check.match(new TextDecoder().decode(value), /open/);
    await on.trevor.waitFor((state) => proxyOf(state, name) !== undefined, WITHIN);
    await on.wire({ name });
    program.kill("SIGKILL");
    await program.exited;
    const synth = await on.neuron({ name });
    check.equal(await echo(synth, 5), 5);
  }));

test("NL37 after a reset the neuron is connected, listed and usable on another bus", () =>
  during(async (on) => {
    const synth = await on.neuron();
    await on.wire(synth);
    const before = on.trevor.busId;
    await on.trevor.resetAll(WITHIN);
    check.that(on.trevor.busId !== before);
    const state = await on.trevor.waitFor((state) => proxyOf(state, synth.name) !== undefined, WITHIN);
    check.equal(connectionsOf(state, synth.name), []);
    await on.wire(synth);
    check.equal(await echo(synth, 3), 3);
  }));

test("NL38 at 1,000 values per second the median lag through a native neuron is below 60 ms", () =>
  during(async (on) => {
    const synth = await on.neuron();
    await on.wire(synth);
    await echo(synth, 1);
    const sentAt = new Map<number, number>();
    const lags: number[] = [];
    const end = synth.on("back", (value) => {
      const at = sentAt.get(value);
      if (at !== undefined) lags.push(performance.now() - at);
    });
    const start = performance.now();
    for (let value = 1_000; performance.now() - start < 1_500; await Bun.sleep(1)) {
      for (const due = 1_000 + (performance.now() - start); value < due; value++) {
        sentAt.set(value, performance.now());
        synth.send("out", value);
      }
    }
    await Bun.sleep(100);
    end();
    lags.sort((left, right) => left - right);
    const median = lags[lags.length >> 1] ?? Infinity;
    check.that(lags.length > 150, `${lags.length} came back`);
    // Why so wide: the target is 20 ms on a quiet machine; without the ceiling it is 400.
    check.that(median < 60, `median ${median.toFixed(1)} ms`);
    if (process.env.NALLELY_REPORT !== undefined) console.log(`lag: median ${median.toFixed(2)} ms of ${lags.length}`);
  }), { timeoutMs: 30_000 });

test(
  "NL40 the bus has the traps that the machine is made for: paths, poison, ignored registrations, silent drops",
  () =>
    during(async (on) => {
      const name = newName();
      check.equal(await closeOf(await on.raw(`/${name}`)), 1000, "an unknown name");
      check.equal(await closeOf(await on.raw(`/${name}/unregister`)), 1000, "an unknown name to unregister");
      check.equal(await closeOf(await on.raw(`/${name}/autoconfig?x=1`)), 1000, "a query");
      for (const text of ["{", "[]", "{}", '{"parameters":null}']) {
        const socket = await on.raw(`/${newName()}/autoconfig`);
        socket.send(text);
        check.equal(await closeOf(socket), 1011, text);
      }
      const poisoned = newName();
      const early = await on.raw(`/${poisoned}/autoconfig`);
      early.close();
      await closeOf(early);
      const late = Neuron.open<typeof PARAMETERS, string>({
        name: poisoned,
        parameters: PARAMETERS,
        url: on.server.busUrl,
      });
      await late.ready(WITHIN);
      await Bun.sleep(100);
      check.equal((await late.drift(on.trevor)).isListed, false);
      await late.close();
      const synth = await on.neuron();
      await on.wire(synth);
      const second = await on.raw(`/${synth.name}/autoconfig`);
      second.send(JSON.stringify({ kind: "external", parameters: ["other"] }));
      const heard: ArrayBuffer[] = [];
      second.onmessage = ({ data }) => heard.push(data);
      second.send(Uint8Array.of(9, 1));
      second.send(new Uint8Array());
      second.send("{");
      second.send(encodeFrame(frameHead("unknown"), 1));
      check.equal(await echo(synth, 8), 8);
      await Bun.sleep(50);
      check.that(heard.length > 0, "a second socket of a name hears what the first does");
      check.equal((await synth.drift(on.trevor)).extra, [], "the second registration was ignored");
    }),
  { timeoutMs: 30_000 },
);

test("NL40 the bus reads float32, the first of two concatenated frames, text, and everything that Python converts to a float", () =>
  during(async (on) => {
    const synth = await on.neuron();
    await on.wire(synth);
    await echo(synth, 1);
    const raw = await on.raw(`/${synth.name}`);
    const values = synth.values("back", { keep: 64 });
    const frame = encodeFrame(frameHead("out"), 0);
    const float32 = new Uint8Array(8);
    float32.set(frame.subarray(0, 4));
    new DataView(float32.buffer).setFloat32(4, 2.5);
    const sends: readonly (readonly [string | Uint8Array<ArrayBuffer>, number])[] = [
      [float32, 2.5],
      [Uint8Array.of(...encodeFrame(frameHead("out"), 3), ...encodeFrame(frameHead("out"), 99)), 3],
      ['{"on":"out","value":"9.25","x":1}', 9.25],
      ['{"on":"out","value":true}', 1],
      [encodeFrame(frameHead("out"), 500), 500],
    ];
    let previous = 1;
    for (const [sent, expected] of sends) {
      raw.send(sent);
      let { value } = await values.next();
      while (value === previous) value = (await values.next()).value; // Why: an amplifier may repeat its output.
      check.equal(value, expected);
      previous = expected;
    }
    await values.return();
  }));

test("NL40 NaN and the infinities make the state invalid JSON, and it is read nevertheless", () =>
  during(async (on) => {
    const name = newName();
    const both = await on.neuron({ name, nonFinite: "allow" });
    const texts: string[] = [];
    const socket = new WebSocket(`${on.server.trevorUrl}/trevor`);
    socket.onmessage = ({ data }) => texts.push(String(data));
    both.send("out", Infinity);
    await Bun.sleep(50);
    await on.trevor.call("full_state");
    await Bun.sleep(50);
    const last = texts.at(-2) ?? "";
    socket.close();
    check.that(texts.some((text) => /[:,\[] ?Infinity/.test(text)), `no Infinity in ${last.slice(0, 80)}`);
    check.that(texts.every((text) => parseTolerantJson(text) !== undefined));
    both.send("out", 1);
    await Bun.sleep(50);
  }));

test("NL40 Trevor closes with 1011 on failures, sends replies to every client, and answers the fence last", () =>
  during(async (on) => {
    await using other = Trevor.open({ url: on.server.trevorUrl });
    await other.ready(WITHIN);
    const failing = await on.trevor.call("create_device", { name: "NoSuchClass" }).catch((error: unknown) => error);
    check.that(failing instanceof TrevorError && failing.failure === "refused");
    const seen = other.states({ keep: 8 });
    const state = await on.trevor.call("create_device", { name: "VCA" });
    const pushed = (await seen.next()).value;
    check.that(pushed !== undefined && devicesOf(pushed, "VCA").length >= 1, "a reply to somebody else");
    const vca = devicesOf(state, "VCA").at(-1);
    check.that(vca !== undefined);
    const [capture, code, nothing, killed] = await Promise.all([
      on.trevor.call("stop_capture_io"),
      on.trevor.call("get_class_code", { device_id: vca.id }),
      on.trevor.call("get_class_code", { device_id: 12_345 }),
      on.trevor.call("kill_device", { device_id: vca.id }),
    ]);
    check.equal([capture, nothing, code?.className], [undefined, undefined, "VCA"]);
    check.that(!devicesOf(killed, "VCA").some(({ id }) => id === vca.id));
    await seen.return();
  }));

test("NL40 a connection to a neuron that is not registered yet waits for it", () =>
  during(async (on) => {
    const name = newName();
    const { trevor } = on;
    const [vca] = devicesOf(await trevor.call("create_device", { name: "VCA" }), "VCA").slice(-1);
    check.that(vca !== undefined);
    const state = await trevor.connect(devicePath(vca.id, "output_cv"), await trevor.pathOf(name, "back"), false);
    check.that(state.waiting_services.some(({ key, target }) => key === name && target === "back_cv"));
    await on.neuron({ name });
    const wired = await trevor.waitFor((state) => connectionsOf(state, name).length > 0, WITHIN);
    check.equal(connectionsOf(wired, name)[0]?.src.device, vca.id);
  }));
