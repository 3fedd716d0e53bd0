/** Panics of a service: the lost effects, and the restored state. */
import { test } from "#runner";
import type { ServiceEvent } from "../../../src/core/event.ts";
import { key } from "../../../src/core/key.ts";
import type { RestoreInput } from "../../../src/core/service.ts";
import { connect, running, type Script } from "../engine/scripted-service.ts";
import { check } from "../../harness/check.ts";

/** Stores each frame and answers it; for some frames it panics between two effects. */
function fragile() {
  const seen: string[] = [];
  const pasts: RestoreInput[] = [];
  const script: Script = {
    name: "neuro",
    resident: ["neuro/text/"],
    restore: (input) => void pasts.push(input),
    step(event: ServiceEvent, ctx) {
      if (event.is === "opened" || event.is === "closed" || event.is === "draining") seen.push(event.is);
      if (event.is !== "frame") return;
      seen.push(String(event.frame));
      ctx.emit({ do: "send", to: event.peer, frame: `received ${event.frame}` });
      const stored = key("neuro", "text", ctx.id());
      ctx.emit({ do: "put", key: stored, value: String(event.frame) });
      ctx.post("brain", { is: "directMessage", from: "neuro", payload: String(event.frame) });
      if (event.frame === "panic") throw new Error("half a thought");
    },
  };
  return { seen, pasts, script };
}

const other = (seen: string[]): Script => ({
  name: "brain",
  step: (event) =>
    event.is === "serviceMessage" && event.message.is === "directMessage" &&
    void seen.push(`received ${event.message.payload}`),
});

test("a panic discards the effects of its step, closes only the peer that caused it, and is observed", async () => {
  const [{ script }, received] = [fragile(), [] as string[]];
  const simulation = await running([script, other(received)]);
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("1");
  bob.send("panic");
  await simulation.advance(0);
  check.equal([ann.received, bob.received, received], [["received 1"], [], ["received 1"]]);
  check.equal([ann.closed(), bob.closed()], [undefined, 1011]);
  check.that(![...simulation.disk.stored.values()].includes("panic"));
  check.that(
    simulation.observations.some((observation) => observation.is === "panicked" && observation.reason === "half a thought"),
  );
  check.that(simulation.observations.some((observation) => observation.is === "service_rebuilt"));
});

test("the service is rebuilt with the stored entries and the connected peers; other services are not affected", async () => {
  const { script, pasts } = fragile();
  const simulation = await running([script, other([])]);
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("1");
  await simulation.advance(0);
  bob.send("panic");
  await simulation.advance(1_000);
  check.equal(pasts.length, 2);
  check.equal(pasts[1]?.entries.map(({ value }) => value), ["1"]);
  check.that(pasts[1]?.resumed.some(({ peer }) => peer === "p1"));
  ann.send("2");
  await simulation.advance(0);
  check.equal(ann.received, ["received 1", "received 2"]);
});

test("a service is rebuilt only when all its own writes are settled, regardless of other services", async () => {
  const { script, pasts } = fragile();
  let wakeAt: number | undefined;
  const busy: Script = {
    name: "brain",
    nextWakeup: () => wakeAt,
    step(_event, ctx) {
      wakeAt = ctx.now + 10;
      ctx.emit({ do: "put", key: key("brain", "x", ctx.id()), value: 1 });
    },
  };
  const simulation = await running([script, busy]);
  simulation.disk.health = { delayMinMs: 200, delayMaxMs: 200, fails: 0, hangs: 0, hangMs: 0 };
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("1");
  bob.send("panic");
  await simulation.advance(199);
  check.equal(pasts.length, 1);
  await simulation.advance(801);
  check.equal(pasts[1]?.entries.map(({ value }) => value), ["1"]);
});

test("events during the rebuild wait in order; a new peer is opened once, and a closed one is not resumed", async () => {
  const { script, seen, pasts } = fragile();
  const simulation = await running([script]);
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  simulation.disk.health = { delayMinMs: 100, delayMaxMs: 100, fails: 0, hangs: 0, hangMs: 0 };
  bob.send("panic");
  await simulation.advance(0);
  seen.length = 0;
  ann.send("2");
  const carl = await connect(simulation);
  carl.send("3");
  ann.send("4");
  await simulation.advance(50);
  check.equal(seen, []);
  await simulation.advance(500);
  check.equal(seen, ["closed", "2", "opened", "3", "4"]);
  check.equal(pasts[1]?.resumed.map(({ peer }) => String(peer)), ["p1"]);
  check.equal([ann.received, carl.received], [["received 2", "received 4"], ["received 3"]]);
});

test("an event that causes a panic each time is dropped, and nothing else", async () => {
  const { script, seen } = fragile();
  const simulation = await running([script]);
  const peers = [
    await connect(simulation),
    await connect(simulation),
    await connect(simulation),
    await connect(simulation),
  ];
  simulation.disk.health = { delayMinMs: 100, delayMaxMs: 100, fails: 0, hangs: 0, hangMs: 0 };
  for (const [at, text] of ["panic", "panic", "panic", "fine"].entries()) peers[at]?.send(text);
  await simulation.advance(2_000);
  check.equal(seen.filter((what) => what === "panic").length, 3);
  check.equal(peers.map((peer) => peer.closed()), [1011, 1011, 1011, undefined]);
  check.equal(peers[3]?.received, ["received fine"]);
});

test("a load that fails or hangs during the rebuild is repeated until it succeeds", async () => {
  const { script, pasts } = fragile();
  const simulation = await running([script]);
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("1");
  await simulation.advance(0);
  simulation.disk.health = { ...simulation.disk.health, fails: 1 };
  bob.send("panic");
  await simulation.advance(1_000);
  simulation.disk.health = { ...simulation.disk.health, fails: 0, hangs: 1, hangMs: 100_000 };
  await simulation.advance(10_000);
  check.equal(pasts.length, 1);
  simulation.disk.health = { ...simulation.disk.health, hangs: 0 };
  await simulation.advance(5_000);
  check.equal(pasts[1]?.entries.map(({ value }) => value), ["1"]);
  await simulation.advance(200_000);
  check.equal(pasts.length, 2, "a read that ends late is ignored");
});

test("a service that panics on its stored entries is rebuilt without them", async () => {
  const { script, pasts } = fragile();
  const picky: Script = {
    ...script,
    restore(input) {
      if (pasts.length > 0 && input.entries.length > 0) throw new Error("indigestible");
      pasts.push(input);
    },
  };
  const simulation = await running([picky]);
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("1");
  bob.send("panic");
  await simulation.advance(1_000);
  ann.send("2");
  await simulation.advance(0);
  check.equal(ann.received, ["received 1", "received 2"]);
});

test("a service that panics during draining receives the draining event again", async () => {
  const { script, seen } = fragile();
  const simulation = await running([script]);
  const ann = await connect(simulation);
  void simulation.engine?.drain();
  ann.send("panic");
  await simulation.advance(100);
  check.equal(seen, ["opened", "draining", "panic", "closed", "draining"]);
});

test("a request that causes a panic is answered with the fault", async () => {
  const simulation = await running([{
    step(event) {
      if (event.is === "requested") throw new Error("too curious");
    },
  }]);
  check.equal(await simulation.engine?.request({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }), {
    fault: "panic",
  });
});
