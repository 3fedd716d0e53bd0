/** The whole loop with a simulated network, store and clock. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Event } from "../../../src/core/event.ts";
import { jobId, linkId, loadToken, type PeerId, peerId, rawKey } from "../../../src/core/ids.ts";
import { key } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";
import { TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { connect, running, type Script, scripted } from "./scripted-service.ts";

/** Stores each frame, and replies when it is stored. */
const clerk: Script = {
  step(event, ctx) {
    if (event.is !== "frame") return;
    const entry = key("neuro", "entry", ctx.id());
    ctx.emit({ do: "put", key: entry, value: { v: 1, text: String(event.frame) } });
    ctx.emit({ do: "reply", to: event.peer, frame: `queued ${event.frame}`, after: entry, onFailure: "unavailable" });
  },
};

test("a value is on the disk when the peer receives the reply that it is stored", async () => {
  const simulation = await running([clerk]);
  simulation.disk.health = { delayMinMs: 50, delayMaxMs: 500, fails: 0, hangs: 0, hangMs: 0 };
  const ann = await connect(simulation);
  const storedWhenTold: number[] = [];
  for (const text of ["1", "2", "3"]) ann.send(text);
  for (let ms = 0; ms < 600; ms += 10) {
    await simulation.advance(10);
    storedWhenTold.push(simulation.disk.stored.size - ann.received.length);
  }
  check.equal(ann.received, ["queued 1", "queued 2", "queued 3"]);
  check.that(storedWhenTold.every((ahead) => ahead >= 0));
});

test("a store that hangs delays no reply longer than the write timeout", async () => {
  const simulation = await running([clerk]);
  simulation.disk.health = { delayMinMs: 0, delayMaxMs: 0, fails: 0, hangs: 1, hangMs: 60_000 };
  const ann = await connect(simulation);
  ann.send("1");
  await simulation.advance(DEFAULTS.queue.write_timeout - 1);
  check.equal(ann.received, []);
  await simulation.advance(1);
  check.equal(ann.received, ["unavailable"]);
  simulation.disk.health = { ...simulation.disk.health, hangs: 0 };
  await simulation.advance(60_000);
  check.equal(
    [...simulation.disk.stored.keys()].filter((name) => name.startsWith("neuro/")),
    [],
    "what landed late is gone",
  );
});

test("ids grow over steps, restarts and a clock that is set back", async () => {
  const ids: string[] = [];
  const simulation = await running([{ step: (_event, ctx) => void ids.push(ctx.id()) }]);
  for (const setBackMs of [0, 0, 3_600_000, 86_400_000]) {
    simulation.engine?.push({ is: "tick" });
    simulation.engine?.push({ is: "tick" });
    simulation.crash();
    simulation.clock.now -= setBackMs;
    await simulation.started();
  }
  check.that(ids.length >= 12);
  check.equal(ids, [...new Set(ids)].sort());
  check.that(ids.every((id) => /^\d{13}-\d{10}$/.test(id)));
});

test("events pushed during a step are handled after it, in order", async () => {
  const seen: string[] = [];
  const simulation = await running([{
    step(event, ctx) {
      if (event.is === "frame") seen.push(`frame ${event.frame}`);
      if (event.is !== "opened") return;
      ctx.emit({ do: "send", to: event.peer, frame: "welcome" });
      seen.push("opened");
    },
  }]);
  const { engine, network } = simulation;
  const send = network.send.bind(network);
  network.send = (to, frame) => {
    // A socket that calls back from within `send`.
    if (frame === "welcome") engine?.push({ is: "frame", peer: peerId("p1"), frame: "inner" });
    return send(to, frame);
  };
  await connect(simulation);
  check.equal(seen, ["opened", "frame inner"]);
});

test("an effect that cannot be carried out costs itself and nothing else", async () => {
  const same = rawKey("neuro/entry/same");
  const simulation = await running([{
    step(event, ctx) {
      if (event.is !== "frame") return;
      ctx.emit({ do: "put", key: same, value: 1 });
      ctx.emit({ do: "put", key: same, value: 2 });
      ctx.emit({ do: "send", to: event.peer, frame: "still here" });
    },
  }]);
  const ann = await connect(simulation);
  ann.send("x");
  await simulation.advance(0);
  check.equal(ann.received, ["still here"]);
  check.that(
    simulation.observations.some((observation) => observation.is === "panicked" && observation.service === "neuro"),
  );
});

test("a load that hangs fails at its deadline, a job that fails does so at once", async () => {
  const answers: string[] = [];
  const simulation = await running([
    {
      step(event, ctx) {
        if (event.is === "frame") {
          ctx.emit({ do: "load", token: loadToken("neuro:1"), keys: [rawKey("neuro/x/1")] });
          const job = {
            do: "runJob",
            job: jobId("neuro:2"),
            name: "decide",
            input: null,
            deadline: ctx.now + 500,
          } as const;
          ctx.emit(job);
        }
        if (event.is === "loadFailed" || event.is === "jobFinished") answers.push(`${event.is} after ${ctx.now - began}`);
      },
    },
  ]);
  simulation.disk.health = { ...simulation.disk.health, hangs: 1, hangMs: 10_000_000 };
  const ann = await connect(simulation);
  const began = simulation.clock.now;
  ann.send("x");
  await simulation.advance(10_000);
  check.equal(answers, ["jobFinished after 0", `loadFailed after ${DEFAULTS.queue.write_timeout}`]);
});

test("events of closed links and peers reach no service", async () => {
  const seen: Event["is"][] = [];
  const link = linkId("neuro:upstream:1");
  const simulation = await running([{
    step(event, ctx) {
      if (event.is !== "tick" && event.is !== "serviceMessage") seen.push(event.is);
      if (event.is === "frame" && event.frame === "dial") ctx.emit({ do: "dial", link, url: "ws://nowhere" });
      if (event.is === "frame" && event.frame === "hangup") ctx.emit({ do: "closeLink", link });
    },
  }]);
  const ann = await connect(simulation);
  const { engine } = simulation;
  engine?.push({ is: "received", link, frame: "too early" });
  ann.send("dial");
  ann.send("hangup");
  await simulation.advance(1_000);
  engine?.push({ is: "dropped", link, code: 1006, reason: "" });
  engine?.push({ is: "relieved", peer: peerId("p1") });
  engine?.push({ is: "frame", peer: peerId("nobody"), frame: "x" });
  check.equal(seen, ["opened", "frame", "frame"]);
});

test("a peer that does not read is disconnected, and no other peer waits for it", async () => {
  const simulation = await running([{
    step(event, ctx) {
      if (event.is === "frame") { for (const to of peers) ctx.emit({ do: "send", to, frame: `${event.frame}` }); }
      if (event.is === "opened") peers.add(event.peer);
      if (event.is === "closed") peers.delete(event.peer);
      if (event.is === "backpressure") pressed++;
    },
  }]);
  const peers = new Set<PeerId>();
  let pressed = 0;
  const slow = await connect(simulation, 1);
  const quick = await connect(simulation);
  const megabyte = "x".repeat(1_000_000);
  for (let n = 0; n < 12; n++) {
    quick.send(megabyte);
    await simulation.advance(1_000);
  }
  check.equal(quick.received.length, 12);
  check.equal(pressed, 1);
  await simulation.advance(60_000_000);
  check.equal(slow.closed(), 1013);
  check.that(slow.received.length < 12);
});

test("draining ends when every service has drained, or at the end of the grace; then every peer is disconnected", async () => {
  for (const isWilling of [true, false]) {
    const simulation = await running([
      { step: drainsAtOnce },
      {
        name: "brain",
        step: (event, ctx) => event.is === "draining" && isWilling && ctx.emit({ do: "drained", service: "brain" }),
      },
    ]);
    const ann = await connect(simulation);
    ann.send("1");
    await simulation.advance(0);
    let isDone = false;
    const began = simulation.clock.now;
    simulation.engine?.drain().then(() => (isDone = true));
    await simulation.advance(0);
    check.equal(isDone, isWilling);
    await simulation.advance(DEFAULTS.shutdown.grace);
    check.that(isDone);
    check.equal([ann.received, ann.closed()], [["queued 1"], 1012]);
    check.equal(simulation.clock.now - began, DEFAULTS.shutdown.grace);
  }
});

const drainsAtOnce: Script["step"] = (event, ctx) => {
  clerk.step(event, ctx);
  if (event.is === "draining") ctx.emit({ do: "drained", service: "neuro" });
};

const READY = { ok: true, reasons: [] };

test("a request is answered by its service, or by the relay if there is no such service", async () => {
  const simulation = await running([{
    step: (event, ctx) => event.is === "requested" && ctx.emit({ do: "respond", requestId: event.requestId, body: READY }),
  }]);
  check.equal(await simulation.engine?.request({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }), { body: READY });
  check.equal(await simulation.engine?.request({ of: "brain", get: "ready" }, { by: "test", scopes: [] }), {
    fault: "notFound",
  });
});

test("a reply that confirms a write is sent when the write is done, or reports that it failed", async () => {
  const simulation = await running([{
    step: (event, ctx) => {
      if (event.is !== "requested") return;
      const entry = key("neuro", "entry", ctx.id());
      ctx.emit({ do: "put", key: entry, value: { v: 1 } });
      ctx.emit({ do: "respond", requestId: event.requestId, body: "queued", after: entry });
    },
  }]);
  const answers: unknown[] = [];
  const ask = (): unknown =>
    simulation.engine?.request({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }).then((given) =>
      answers.push(given)
    );
  simulation.disk.health = { delayMinMs: 50, delayMaxMs: 50, fails: 0, hangs: 0, hangMs: 0 };
  ask();
  await simulation.advance(49);
  check.equal(answers, []);
  await simulation.advance(1);
  check.equal(answers, [{ body: "queued" }]);
  simulation.disk.health = { delayMinMs: 0, delayMaxMs: 0, fails: 1, hangs: 0, hangMs: 0 };
  ask();
  await simulation.advance(1);
  check.equal(answers.at(-1), { fault: "storageFailed" });
});

test("a pending request is answered when its service is rebuilt or the relay stops", async () => {
  const simulation = await running([{
    step: (event, ctx) => {
      if (event.is === "frame") throw new Error("on purpose");
      if (event.is === "draining") ctx.emit({ do: "drained", service: "neuro" });
    },
  }]);
  const answers: unknown[] = [];
  const ask = (): unknown =>
    simulation.engine?.request({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }).then((given) =>
      answers.push(given)
    );
  const ann = await connect(simulation);
  ask();
  await simulation.advance(1_000);
  check.equal(answers, []);
  ann.send("boom");
  await simulation.advance(10);
  check.equal(answers, [{ fault: "panic" }]);
  ask();
  const drained = simulation.engine?.drain();
  await simulation.advance(1_000);
  await drained;
  check.equal(answers.at(-1), { fault: "restarting" });
});

test("an observation that cannot be passed on stops neither the panic handler nor the events that follow", async () => {
  const simulation = await running([{
    step(event, ctx) {
      if (event.is !== "frame") return;
      if (event.frame === "panic") throw new Error("on purpose");
      ctx.observe({ is: "backend_message", payload: "lost" });
      ctx.emit({ do: "send", to: event.peer, frame: `reply to ${event.frame}` });
    },
  }]);
  simulation.onObservation = () => {
    throw new Error("no log");
  };
  const [ann, bob] = [await connect(simulation), await connect(simulation)];
  ann.send("panic");
  await simulation.advance(10_000);
  bob.send("x");
  await simulation.advance(10_000);
  check.equal(bob.received, ["reply to x"]);
});

test("a panic outside every service is attributed to the relay", async () => {
  const simulation = await running([{ step: () => undefined }]);
  simulation.engine?.push({ is: "stored", key: rawKey("unknown/key") });
  await simulation.advance(0);
  const panics = simulation.observations.flatMap((observation) =>
    observation.is === "panicked" ? [observation.service] : []
  );
  check.equal(panics, ["relay"]);
});

test("RT79 what an event sends is written at once after a turn with one event, otherwise at the end of the turn", async () => {
  const due: (() => void)[] = [];
  const answer: Script["step"] = (event, ctx) => {
    if (event.is === "frame") ctx.emit({ do: "send", to: event.peer, frame: "done" });
  };
  const services = () => [scripted({ step: answer })];
  const simulation = new SimulatedRelay({ settings: DEFAULTS, services, afterTurn: (run) => void due.push(run) });
  const { network } = simulation;
  const engine = await simulation.started();
  const peer = peerId("p1");
  engine.push({ is: "opened", peer, listener: "neuro", connection: TEST_CONNECTION });
  let sent = 0;
  const writes: number[] = [];
  network.send = () => (sent++, 0);
  network.flush = () => {
    if (sent > 0) writes.push(sent);
    sent = 0;
  };
  const endTurn = (): void => due.splice(0).forEach((run) => run());
  /** A turn with this many frames: what was written before its end, and at its end. */
  const turn = (frames: number) => {
    for (let at = 0; at < frames; at++) engine.push({ is: "frame", peer, frame: "do" });
    const before = writes.splice(0);
    endTurn();
    return { before, atEnd: writes.splice(0) };
  };
  endTurn();
  turn(2);
  check.equal(turn(1), { before: [], atEnd: [1] });
  check.equal(turn(1), { before: [1], atEnd: [] });
  check.equal(turn(3), { before: [1], atEnd: [2] });
  check.equal(turn(3), { before: [], atEnd: [3] });
});
