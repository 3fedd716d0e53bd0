/** Rules for all services: admission, size and rate of frames, service messages, draining. */
import { test } from "#runner";
import type { Event } from "../../../src/core/event.ts";
import { type PeerId, peerId } from "../../../src/core/ids.ts";
import { FRAMES_THROTTLED_MAX, SERVICE_MESSAGES_PER_STEP_MAX } from "../../../src/core/limits.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { RetainedBytes } from "../../../src/core/retained-bytes.ts";
import type { StepClock, StepContext } from "../../../src/core/context.ts";
import type { ServiceMessage } from "../../../src/core/service-message.ts";
import { Relay, supervise } from "../../../src/relay/mod.ts";
import { TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { check } from "../../harness/check.ts";
import { type Script, scripted } from "../engine/scripted-service.ts";
import { setUp } from "./relay-fixture.ts";

const clockAt = (now: number): StepClock => ({ now, random: () => 0, id: () => "id", secret: () => "secret" });

test("each peer reaches the service of its listener, and no other", () => {
  const { open, frame, step, seen } = setUp();
  open("game");
  open("watcher", "intermediary");
  frame("game", "1");
  frame("watcher", "2");
  step({ is: "closed", peer: peerId("game"), code: 1000 });
  check.equal(seen(), [
    "neuro opened game",
    "intermediary opened watcher",
    "neuro frame game 1",
    "intermediary frame watcher 2",
    "neuro closed game",
  ]);
});

test("a peer of a listener without a service is refused", () => {
  const { open, frame, seen } = setUp();
  check.equal(open("operator", "brain"), ["close operator tooManyPeers"]);
  check.equal(frame("operator", "x"), []);
  check.equal(seen(), ["intermediary received peer_closed_by_relay"]);
});

test("SE51 at limits.peers or limits.peers_per_address the peer leaves that has been silent for the longest time", () => {
  const { open, frame, step } = setUp({ peers: 3, peers_per_address: 2 });
  open("a");
  open("b");
  frame("a", "x");
  check.equal(open("c"), ["close b tooManyPeers"], "b is the silent one of this address");
  frame("c", "x");
  check.equal(open("d"), ["close d tooManyPeers"], "both have spoken");
  open("e", "neuro", "10.0.0.1");
  check.equal(open("f", "neuro", "10.0.0.2"), ["close e tooManyPeers"], "the third place");
  frame("f", "x");
  check.equal(open("g", "neuro", "10.0.0.3"), ["close g tooManyPeers"]);
  step({ is: "closed", peer: peerId("b"), code: 1013 });
  check.equal(open("h", "neuro", "10.0.0.4"), ["close h tooManyPeers"], "the place of b was given away before");
  step({ is: "closed", peer: peerId("a"), code: 1000 });
  check.equal(open("i"), []);
});

test("a frame above the limit closes its peer; bytes may be as large as an upload on the intermediary only", () => {
  const { open, frame, seen } = setUp({ message_bytes: 100 });
  open("game");
  open("integration", "intermediary");
  seen();
  check.equal(frame("game", "x".repeat(100)), []);
  check.equal(frame("game", "x".repeat(101)), ["close game tooBig"]);
  check.equal(frame("game", new Uint8Array(101)), ["close game tooBig"]);
  check.equal(frame("integration", new Uint8Array(101)), []);
  check.equal(frame("integration", "x".repeat(101)), ["close integration tooBig"]);
});

test("a game that is too fast waits: its frames arrive later, all of them, in order, among themselves only", () => {
  const { open, frame, pass, seen } = setUp({ messages_per_second: 10, burst: 5 });
  open("fast");
  open("calm");
  seen();
  for (let n = 0; n < 20; n++) frame("fast", String(n));
  frame("calm", "hello");
  const numbers = (from: number, to: number): string[] => {
    return Array.from({ length: to - from }, (_, index) => `neuro frame fast ${from + index}`);
  };
  check.equal(seen(), [...numbers(0, 5), "neuro frame calm hello"]);
  pass(100);
  check.equal(seen(), numbers(5, 6));
  frame("fast", "20");
  check.equal(seen(), [], "a frame does not overtake those that wait");
  pass(1_000);
  check.equal(seen(), numbers(6, 11), "never more at once than the burst");
  for (let n = 0; n < 10; n++) pass(100);
  check.equal(seen(), numbers(11, 21));
});

test("the next waiting frame has a wakeup, which is removed when its peer disconnects", () => {
  const { open, frame, relay, step } = setUp({ messages_per_second: 10, burst: 1 });
  open("fast");
  frame("fast", "1");
  check.equal(relay.nextWakeup(), undefined);
  frame("fast", "2");
  check.equal(relay.nextWakeup(), 1_000_100);
  step({ is: "closed", peer: peerId("fast"), code: 1000 });
  check.equal(relay.nextWakeup(), undefined);
});

test("a peer above its rate, except a game, is limited with a retry time; one that continues is closed", () => {
  const { open, frame, seen } = setUp({ messages_per_second: 10, burst: 3 });
  open("watcher", "intermediary");
  for (let n = 0; n < 3; n++) frame("watcher", String(n));
  seen();
  frame("watcher", "lost");
  check.equal(seen(), ["intermediary limited watcher 100"]);
  check.equal([frame("watcher", "x"), frame("watcher", "x")], [[], []]);
  check.equal(frame("watcher", "x"), ["close watcher rateLimit"]);
});

test("a game that floods is closed once too many frames, or too many bytes, wait", () => {
  const frames = setUp({ messages_per_second: 1, burst: 1 });
  frames.open("fast");
  frames.frame("fast", "first");
  for (let n = 0; n < FRAMES_THROTTLED_MAX; n++) check.equal(frames.frame("fast", "x"), []);
  check.equal(frames.frame("fast", "x"), ["close fast rateLimit"]);
  const bytes = setUp({ messages_per_second: 1, burst: 1, backlog_hard_bytes: 1_000 });
  bytes.open("fast");
  bytes.frame("fast", "first");
  check.equal(bytes.frame("fast", "x".repeat(1_000)), []);
  check.equal(bytes.frame("fast", "x"), ["close fast rateLimit"]);
});

test("bytes have their own rate, and a frame that waits for it does not count as a message yet", () => {
  const { open, frame, pass, seen } = setUp({
    messages_per_second: 1,
    burst: 2,
    bytes_per_second: 1_000,
    message_bytes: 1_000,
  });
  open("fast");
  frame("fast", "x".repeat(1_000));
  seen();
  frame("fast", "big".padEnd(900, "."));
  check.equal(seen(), []);
  pass(900);
  check.equal(seen().length, 1);
});

test("a rate of 0 switches the limit off", () => {
  const { open, frame, seen } = setUp({ messages_per_second: 0 });
  open("fast");
  seen();
  for (let n = 0; n < 5_000; n++) frame("fast", "x");
  check.equal(seen().length, 5_000);
});

test("messages between services are handled after the step that posted them, first in, first out; those that they cause come last", () => {
  const tell = (n: number): ServiceMessage => ({ is: "directMessage", from: String(n), payload: null });
  const order: string[] = [];
  const { open } = setUp({}, {
    neuro(event, ctx) {
      if (event.is === "opened") {
        for (const n of [1, 2]) ctx.post("intermediary", tell(n));
      }
      if (event.is === "opened") order.push("opened");
    },
    intermediary(event, ctx) {
      if (event.is !== "serviceMessage" || event.message.is !== "directMessage") return;
      const n = Number(event.message.from);
      order.push(String(n));
      if (n < 10) ctx.post("intermediary", tell(n * 10));
    },
  });
  open("game");
  check.equal(order, ["opened", "1", "2", "10", "20"]);
});

test("services that post to each other endlessly lose the messages, but not the effects of the step", () => {
  let received = 0;
  const back: Script["step"] = (event, ctx) => {
    if (event.is === "opened") ctx.emit({ do: "send", to: event.peer, frame: "welcome" });
    if (event.is === "serviceMessage" && event.message.is !== "observed") received++;
    const isLoop = event.is === "opened" || (event.is === "serviceMessage" && event.message.is === "directMessage");
    if (isLoop) ctx.post("neuro", { is: "directMessage", from: "", payload: null });
  };
  const { open } = setUp({}, { neuro: back });
  check.equal(open("game"), ["send game welcome", "rebuild"]);
  check.that(received <= SERVICE_MESSAGES_PER_STEP_MAX + 1);
});

test("many observations at once are not taken for a loop", () => {
  const count = SERVICE_MESSAGES_PER_STEP_MAX * 2;
  const { observations, seen } = setUp({}, {
    neuro(event, ctx) {
      if (event.is !== "opened") return;
      for (let n = 0; n < count; n++) ctx.observe({ is: "integration_connected", name: String(n) });
    },
  });
  check.equal(
    observations({ is: "opened", peer: peerId("game"), listener: "neuro", connection: TEST_CONNECTION }).length,
    count,
  );
  check.equal(seen().length, count + 1);
});

test("a service receives the observations that it asks for, and no other one", () => {
  const seen: string[] = [];
  const watching = scripted({
    name: "intermediary",
    step: (event) => void (event.is === "serviceMessage" && seen.push(JSON.stringify(event.message))),
    observes: (name) => name === "integration_connected",
  });
  const source = scripted({
    step(_event, ctx) {
      ctx.observe({ is: "integration_disconnected", name: "a" });
      ctx.observe({ is: "integration_connected", name: "b" });
    },
  });
  const relay = new Relay([watching, source], DEFAULTS);
  for (const { name } of relay.services) relay.restore(name, { entries: [], resumed: [], now: 0 });
  const effects = relay.step({ is: "tick" }, clockAt(0));
  check.equal(effects.map(({ do: what }) => what), ["observe", "observe"]);
  check.equal(seen, ['{"is":"observed","observation":{"is":"integration_connected","name":"b"}}']);
});

test("OB10 an observation that neither a service nor the log reads is only counted", () => {
  let isRead = false;
  const unread: (boolean | undefined)[] = [];
  const watching = scripted({ name: "intermediary", step() {}, observes: () => isRead });
  const source = scripted({ step: (_event, ctx) => void unread.push(ctx.countUnread?.("action_sent")) });
  let isLogged = false;
  const relay = new Relay([watching, source], DEFAULTS, {
    reads: (name) => isLogged && name === "action_sent",
    countResult() {},
  });
  for (const { name } of relay.services) relay.restore(name, { entries: [], resumed: [], now: 0 });
  const step = () => relay.step({ is: "tick" }, clockAt(0));
  for ([isRead, isLogged] of [[false, false], [true, false], [false, true], [false, false]] as const) step();
  check.equal(unread, [true, false, false, true]);
  check.equal([...relay.takeUnread()], [["action_sent", 2]]);
  check.equal([...relay.takeUnread()], []);
});

test("OB10b a service that only counts observations gets their number before its next step", () => {
  const seen: string[] = [];
  const watching = scripted({
    name: "intermediary",
    step: (event) => void seen.push(event.is === "serviceMessage" ? JSON.stringify(event.message) : event.is),
    countsUntil: (name) => (name === "action_sent" ? 10 : 0),
  });
  let [isPanicking, isLogged] = [false, false];
  const counted: (boolean | undefined)[] = [];
  const source = scripted({
    step(event, ctx) {
      if (event.is !== "opened") return;
      counted.push(ctx.countUnread?.("action_sent"), ctx.countUnread?.("action_result"));
      ctx.observe({ is: "action_sent", id: "1", name: "act", to: [], slugs: [], forced: false, data: undefined });
      if (isPanicking) throw new Error("a panic");
    },
  });
  const relay = new Relay([watching, source], DEFAULTS, { reads: () => isLogged, countResult() {} });
  for (const { name } of relay.services) relay.restore(name, { entries: [], resumed: [], now: 0 });
  const step = (event: Event, now: number) => relay.step(event, clockAt(now));
  const open = (peer: string, now: number) =>
    step({ is: "opened", peer: peerId(peer), listener: "neuro", connection: TEST_CONNECTION }, now);
  open("one", 0);
  isLogged = true;
  open("two", 9);
  check.equal([counted, seen], [[true, false, false, false], []]);
  step({ is: "tick" }, 9);
  check.equal(seen.splice(0), ['{"is":"observationsCounted","count":3}', "tick"]);
  isPanicking = true;
  open("three", 9);
  check.equal(seen.splice(0).filter((message) => message.includes("Counted")), [], "its observations never were");
  isPanicking = false;
  step({ is: "rebuilt", service: "neuro", entries: [], resumed: [] }, 10);
  open("four", 10);
  check.equal(seen.splice(0).filter((message) => message.includes("action_sent")).length, 1, "from then on it gets each");
});

test("a service is told which messages another one would ignore now", () => {
  let ignored: ServiceMessage["is"] | undefined;
  const ignoring = supervise<true>({
    name: "intermediary",
    resident: [],
    restore: () => true,
    step() {},
    nextWakeup: () => undefined,
    ignores: (_state, name) => name === ignored,
  });
  const told: (boolean | undefined)[] = [];
  const source = scripted({
    step(_event, ctx) {
      told.push(ctx.isIgnored?.("intermediary", "contextShared"), ctx.isIgnored?.("neuro", "observed"));
    },
  });
  const relay = new Relay([ignoring, source], DEFAULTS);
  for (const { name } of relay.services) relay.restore(name, { entries: [], resumed: [], now: 0 });
  for (ignored of ["contextShared", "upstreamChanged", undefined] as const) {
    relay.step({ is: "tick" }, clockAt(0));
  }
  check.equal(told, [true, false, false, false, false, false]);
});

test("while the relay drains, no peer is admitted and every service gets the event", () => {
  const { open, step, seen } = setUp();
  open("early");
  seen();
  step({ is: "draining", until: 5 });
  check.equal(open("late"), ["close late restarting"]);
  check.equal(seen(), ["intermediary draining", "neuro draining"]);
});

test("changed settings reach every service, and the relay's own limits", () => {
  const { open, frame, step, settings } = setUp();
  open("game");
  step({ is: "configured", settings: { ...settings, limits: { ...settings.limits, message_bytes: 3 } } });
  check.equal(frame("game", "1234"), ["close game tooBig"]);
});

test("peers that were connected before hibernation are counted, and their frames are handled", () => {
  const { relay, settings, frame, seen } = setUp();
  const resumedPeer = { peer: peerId("old") as PeerId, listener: "neuro" as const, connection: TEST_CONNECTION };
  relay.restore("neuro", { entries: [], resumed: [resumedPeer], now: 1_000_000 });
  frame("old", "hello");
  check.equal(seen(), ["neuro frame old hello"]);
  check.equal(settings.limits.peers, 1_000);
});

test("SE28 frames that wait for a service that is being rebuilt occupy at most 32 MiB; events of the relay still wait", () => {
  const handled: string[] = [];
  const service = supervise<true>({
    name: "neuro",
    resident: [],
    restore: () => true,
    step: (_state, event) => {
      handled.push(event.is);
      if (event.is === "tick") throw new Error("test");
    },
    nextWakeup: () => undefined,
  });
  const input = { entries: [], resumed: [], now: 0, retained: new RetainedBytes() };
  // Why the cast: the script does not use its context.
  const ctx = {} as StepContext;
  service.restore(DEFAULTS, input);
  check.throws(() => service.step({ is: "tick" }, ctx), /test/);
  const frame = "x".repeat(1_000_000);
  let accepted = 0;
  while (accepted < 100 && service.step({ is: "frame", peer: peerId("p"), frame }, ctx)) accepted++;
  check.equal(accepted, 16);
  check.equal(service.step({ is: "closed", peer: peerId("p"), code: 1006 }, ctx), true);
  check.equal(service.restore(DEFAULTS, input).length, 17);
});

test("SE28b frames of games that wait because of the rate occupy at most `limits.total_bytes` together", () => {
  const { open, frame, step } = setUp({ total_bytes: 4_000_000, messages_per_second: 1, burst: 1, bytes_per_second: 0 });
  const floods: string[] = [];
  const flood = (name: string) => {
    open(name, "neuro", "127.0.0.1");
    for (let more = 0; more < 2; more++) floods.push(...frame(name, "x".repeat(500_000)));
  };
  for (let at = 0; at < 6; at++) flood(`p${at}`);
  check.equal(floods.filter((effect) => effect.startsWith("close")), ["close p4 rateLimit", "close p5 rateLimit"]);
  step({ is: "closed", peer: peerId("p0"), code: 1006 });
  flood("p6");
  check.equal(floods.filter((effect) => effect.startsWith("close")).length, 2, "a peer that leaves makes space");
});
