/** The loop as a whole, between a simulated network, store and clock. */
import { test } from "#runner";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Event } from "../../src/core/event.ts";
import { jobId, linkId, loadToken, type PeerId, peerId, rawKey } from "../../src/core/ids.ts";
import { key } from "../../src/core/key.ts";
import { check } from "../harness/check.ts";
import { connected, running, type Script } from "./room.ts";

/** Replies once what it was told is stored. */
const clerk: Script = {
  step(event, turn) {
    if (event.is !== "frame") return;
    const entry = key("neuro", "entry", turn.id());
    turn.put({ do: "put", key: entry, value: { v: 1, text: String(event.frame) } });
    turn.put({ do: "reply", to: event.peer, frame: `queued ${event.frame}`, after: entry, otherwise: "unavailable" });
  },
};

test("what a peer is told to be stored is on the disk by then", async () => {
  const world = await running([clerk]);
  world.disk.health = { delayMinMs: 50, delayMaxMs: 500, fails: 0, hangs: 0, hangMs: 0 };
  const ann = await connected(world);
  const storedWhenTold: number[] = [];
  for (const text of ["1", "2", "3"]) ann.say(text);
  for (let ms = 0; ms < 600; ms += 10) {
    await world.pass(10);
    storedWhenTold.push(world.disk.landed.size - ann.heard.length);
  }
  check.equal(ann.heard, ["queued 1", "queued 2", "queued 3"]);
  check.that(storedWhenTold.every((ahead) => ahead >= 0));
});

test("a store that hangs holds nobody up for longer than the time for a write", async () => {
  const world = await running([clerk]);
  world.disk.health = { delayMinMs: 0, delayMaxMs: 0, fails: 0, hangs: 1, hangMs: 60_000 };
  const ann = await connected(world);
  ann.say("1");
  await world.pass(DEFAULTS.queue.write_timeout - 1);
  check.equal(ann.heard, []);
  await world.pass(1);
  check.equal(ann.heard, ["unavailable"]);
  world.disk.health = { ...world.disk.health, hangs: 0 };
  await world.pass(60_000);
  check.equal([...world.disk.landed.keys()].filter((name) => name.startsWith("neuro/")), [], "what landed late is gone");
});

test("ids grow over steps, restarts and a clock that is set back", async () => {
  const ids: string[] = [];
  const world = await running([{ step: (_event, turn) => void ids.push(turn.id()) }]);
  for (const setBackMs of [0, 0, 3_600_000, 86_400_000]) {
    world.engine?.push({ is: "tick" });
    world.engine?.push({ is: "tick" });
    world.crash();
    world.clock.now -= setBackMs;
    await world.started();
  }
  check.that(ids.length >= 12);
  check.equal(ids, [...new Set(ids)].sort());
  check.that(ids.every((id) => /^\d{13}-\d{10}$/.test(id)));
});

test("what is pushed while a step runs is handled after it, in order", async () => {
  const seen: string[] = [];
  const world = await running([{
    step(event, turn) {
      if (event.is === "frame") seen.push(`frame ${event.frame}`);
      if (event.is !== "opened") return;
      turn.put({ do: "send", to: event.peer, frame: "welcome" });
      seen.push("opened");
    },
  }]);
  const { engine, network } = world;
  const send = network.send.bind(network);
  network.send = (to, frame) => {
    // A socket that calls back from within `send`.
    if (frame === "welcome") engine?.push({ is: "frame", peer: peerId("p1"), frame: "inner" });
    return send(to, frame);
  };
  await connected(world);
  check.equal(seen, ["opened", "frame inner"]);
});

test("an effect that cannot be carried out costs itself and nothing else", async () => {
  const same = rawKey("neuro/entry/same");
  const world = await running([{
    step(event, turn) {
      if (event.is !== "frame") return;
      turn.put({ do: "put", key: same, value: 1 });
      turn.put({ do: "put", key: same, value: 2 });
      turn.put({ do: "send", to: event.peer, frame: "still here" });
    },
  }]);
  const ann = await connected(world);
  ann.say("x");
  await world.pass(0);
  check.equal(ann.heard, ["still here"]);
  check.that(world.notes.some((note) => note.is === "panicked" && note.room === "neuro"));
});

test("a load that hangs is answered at its deadline, a job that fails as soon as it does", async () => {
  const answers: string[] = [];
  const world = await running([
    {
      step(event, turn) {
        if (event.is === "frame") {
          turn.put({ do: "load", token: loadToken("neuro:1"), keys: [rawKey("neuro/x/1")] });
          const job = { do: "run", job: jobId("neuro:2"), name: "decide", input: null, deadline: turn.now + 500 } as const;
          turn.put(job);
        }
        if (event.is === "loadFailed" || event.is === "ran") answers.push(`${event.is} after ${turn.now - began}`);
      },
    },
  ]);
  world.disk.health = { ...world.disk.health, hangs: 1, hangMs: 10_000_000 };
  const ann = await connected(world);
  const began = world.clock.now;
  ann.say("x");
  await world.pass(10_000);
  check.equal(answers, ["ran after 0", `loadFailed after ${DEFAULTS.queue.write_timeout}`]);
});

test("events of links and peers that are gone reach no room", async () => {
  const seen: Event["is"][] = [];
  const link = linkId("neuro:upstream:1");
  const world = await running([{
    step(event, turn) {
      if (event.is !== "tick" && event.is !== "told") seen.push(event.is);
      if (event.is === "frame" && event.frame === "dial") turn.put({ do: "dial", link, url: "ws://nowhere" });
      if (event.is === "frame" && event.frame === "hangup") turn.put({ do: "hangup", link });
    },
  }]);
  const ann = await connected(world);
  const { engine } = world;
  engine?.push({ is: "received", link, frame: "too early" });
  ann.say("dial");
  ann.say("hangup");
  await world.pass(1_000);
  engine?.push({ is: "dropped", link, code: 1006, reason: "" });
  engine?.push({ is: "eased", peer: peerId("p1") });
  engine?.push({ is: "frame", peer: peerId("nobody"), frame: "x" });
  check.equal(seen, ["opened", "frame", "frame"]);
});

test("a peer that does not read is cut off, and nobody else waits for it", async () => {
  const world = await running([{
    step(event, turn) {
      if (event.is === "frame") { for (const to of peers) turn.put({ do: "send", to, frame: `${event.frame}` }); }
      if (event.is === "opened") peers.add(event.peer);
      if (event.is === "closed") peers.delete(event.peer);
      if (event.is === "pressed") pressed++;
    },
  }]);
  const peers = new Set<PeerId>();
  let pressed = 0;
  const slow = await connected(world, 1);
  const quick = await connected(world);
  const megabyte = "x".repeat(1_000_000);
  for (let n = 0; n < 12; n++) {
    quick.say(megabyte);
    await world.pass(1_000);
  }
  check.equal(quick.heard.length, 12);
  check.equal(pressed, 1);
  await world.pass(60_000_000);
  check.equal(slow.closed(), 1013);
  check.that(slow.heard.length < 12);
});

test("draining ends when every room says so, and at the end of the grace when one does not; then everybody is gone", async () => {
  for (const isWilling of [true, false]) {
    const world = await running([
      { step: drainsAtOnce },
      {
        name: "brain",
        step: (event, turn) => event.is === "draining" && isWilling && turn.put({ do: "drained", room: "brain" }),
      },
    ]);
    const ann = await connected(world);
    ann.say("1");
    await world.pass(0);
    let isDone = false;
    const began = world.clock.now;
    world.engine?.drain().then(() => (isDone = true));
    await world.pass(0);
    check.equal(isDone, isWilling);
    await world.pass(DEFAULTS.shutdown.grace);
    check.that(isDone);
    check.equal([ann.heard, ann.closed()], [["queued 1"], 1012]);
    check.equal(world.clock.now - began, DEFAULTS.shutdown.grace);
  }
});

const drainsAtOnce: Script["step"] = (event, turn) => {
  clerk.step(event, turn);
  if (event.is === "draining") turn.put({ do: "drained", room: "neuro" });
};

test("a question is answered by its room, and by the relay when there is no such room", async () => {
  const world = await running([{
    step: (event, turn) => event.is === "asked" && turn.put({ do: "answer", call: event.call, body: "ready" }),
  }]);
  check.equal(await world.engine?.ask({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }), { body: "ready" });
  check.equal(await world.engine?.ask({ of: "brain", get: "ready" }, { by: "test", scopes: [] }), { fault: "notFound" });
});

test("an answer that says that something is stored is given once it is, or says that it could not be", async () => {
  const world = await running([{
    step: (event, turn) => {
      if (event.is !== "asked") return;
      const entry = key("neuro", "entry", turn.id());
      turn.put({ do: "put", key: entry, value: { v: 1 } });
      turn.put({ do: "answer", call: event.call, body: "queued", after: entry });
    },
  }]);
  const answers: unknown[] = [];
  const ask = (): unknown =>
    world.engine?.ask({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }).then((given) => answers.push(given));
  world.disk.health = { delayMinMs: 50, delayMaxMs: 50, fails: 0, hangs: 0, hangMs: 0 };
  ask();
  await world.pass(49);
  check.equal(answers, []);
  await world.pass(1);
  check.equal(answers, [{ body: "queued" }]);
  world.disk.health = { delayMinMs: 0, delayMaxMs: 0, fails: 1, hangs: 0, hangMs: 0 };
  ask();
  await world.pass(1);
  check.equal(answers.at(-1), { fault: "storageFailed" });
});

test("whoever waits for an answer is answered when its room is made anew, or the relay stops", async () => {
  const world = await running([{
    step: (event, turn) => {
      if (event.is === "frame") throw new Error("on purpose");
      if (event.is === "draining") turn.put({ do: "drained", room: "neuro" });
    },
  }]);
  const answers: unknown[] = [];
  const ask = (): unknown =>
    world.engine?.ask({ of: "neuro", get: "ready" }, { by: "test", scopes: [] }).then((given) => answers.push(given));
  const ann = await connected(world);
  ask();
  await world.pass(1_000);
  check.equal(answers, []);
  ann.say("boom");
  await world.pass(10);
  check.equal(answers, [{ fault: "panic" }]);
  ask();
  const drained = world.engine?.drain();
  await world.pass(1_000);
  await drained;
  check.equal(answers.at(-1), { fault: "restarting" });
});
