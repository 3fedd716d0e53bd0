/** What the peers of one address may send together. */
import fc from "fast-check";
import { test } from "#runner";
import { CONTROL_FRAMES_BURST_MAX } from "../../../src/core/limits.ts";
import { peerId } from "../../../src/core/ids.ts";
import { check } from "../../harness/check.ts";
import { setUp } from "./relay-fixture.ts";

const LIMITS = { messages_per_second: 100, burst: 100, bytes_per_second: 0, rates_per_address: 4 };
const FAR = "203.0.113.7";
const LOCAL = "127.0.0.1";

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `p${at}`);
const frames = (seen: readonly string[]): number => seen.filter((line) => / frame /.test(line)).length;

/** Lets peers of one address send frames at once, and returns how many pass. */
function passing(address: string, { peers = 64, each = 100, accepts = false, limits = {}, frame = "x" } = {}): number {
  const relay = setUp({ ...LIMITS, ...limits }, accepts ? ACCEPTING : {});
  for (const name of names(peers)) relay.open(name, "neuro", address);
  relay.seen();
  for (const name of names(peers)) for (let at = 0; at < each; at++) relay.frame(name, frame);
  return frames(relay.seen());
}

const ACCEPTING = {
  neuro: (event: { readonly is: string }, ctx: { emit(effect: unknown): void }) => {
    if (event.is === "opened" && "peer" in event) ctx.emit({ do: "attach", peer: event.peer, attachment: null });
  },
} as Parameters<typeof setUp>[1];

test("SE53b peers of one address together pass as much as limits.rates_per_address of them, a stranger's as much as one", () => {
  // Why a part for each of the others: a peer always has the first frames of its part.
  const parts = (rate: number) => (64 - rate) * Math.min(16, Math.ceil(100 * rate / 64));
  check.equal(passing(LOCAL), 400 + parts(4));
  check.equal(passing(FAR), 100 + parts(1));
  check.that(passing(FAR, { accepts: true }) >= 100 + parts(4));
  check.equal(passing(LOCAL, { limits: { rates_per_address: 0 } }), 6_400);
  check.equal(passing(LOCAL, { limits: { messages_per_second: 0 } }), 6_400);
  check.equal(passing(FAR, { peers: 1 }), 100, "one peer has its whole rate");
});

test("SE53b bytes of one address are charged together", () => {
  const limits = { messages_per_second: 0, bytes_per_second: 1_000, message_bytes: 1_000, rates_per_address: 4 };
  const passed = passing(LOCAL, { limits, frame: "x".repeat(100) });
  // Why 10 for each: a message of the largest size fits into its part.
  check.that(passed >= 40 && passed <= 40 + 64 * 10, `${passed}`);
  check.equal(passing(LOCAL, { limits: { ...limits, rates_per_address: 0 }, frame: "x".repeat(100) }), 64 * 10);
});

test("SE53b over time the peers of an address get its rate, and those that send more are closed", () => {
  const { open, frame, pass, seen } = setUp(LIMITS);
  for (const name of names(32)) open(name, "intermediary", LOCAL);
  const closed = new Set<string>();
  let passed = 0;
  for (let ms = 0; ms < 10_000; ms += 100) {
    seen();
    for (const name of names(32)) {
      for (let at = 0; at < 10 && !closed.has(name); at++) {
        if (frame(name, "x").some((effect) => effect.startsWith("close"))) closed.add(name);
      }
    }
    passed += frames(seen());
    pass(100);
  }
  check.that(passed <= 2 * (400 + 400 * 10), `${passed}`);
  check.that(closed.size > 0, "a peer that continues far above its part is closed");
});

test("SE53c a peer below its part passes while 63 others of its address send as fast as they can (property)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 30 }), (others, perTick) => {
      const { open, frame, pass, seen } = setUp(LIMITS);
      for (const name of [...names(others), "honest"]) open(name, "intermediary", LOCAL);
      const everyMs = Math.ceil(1_000 / (400 / (others + 1))) + 1;
      for (let ms = 0; ms < 5_000; ms += everyMs) {
        for (const name of names(others)) for (let at = 0; at < perTick; at++) frame(name, "x");
        seen();
        check.equal(frame("honest", "hello"), []);
        check.equal(seen(), ["intermediary frame honest hello"]);
        pass(everyMs);
      }
    }),
    { numRuns: 30 },
  );
});

test("SE53d an address that connects again has not more to send", () => {
  const { open, frame, step, seen } = setUp(LIMITS);
  let passed = 0;
  for (let round = 0; round < 50; round++) {
    open(`r${round}`, "intermediary", FAR);
    for (let at = 0; at < 100; at++) frame(`r${round}`, "x");
    passed += frames(seen());
    step({ is: "closed", peer: peerId(`r${round}`), code: 1000 });
  }
  check.that(passed <= 100 + 50 * 16, `${passed}`);
});

test("SE53b frames of games beyond what their address may send wait in order, and none is lost", () => {
  const { open, frame, pass, seen } = setUp({ ...LIMITS, messages_per_second: 50, burst: 10, rates_per_address: 2 });
  for (const name of names(8)) open(name, "neuro", LOCAL);
  seen();
  for (const name of names(8)) for (let at = 0; at < 20; at++) frame(name, `${at}`);
  for (let ms = 0; ms < 5_000; ms += 10) pass(10);
  const heard = seen();
  for (const name of names(8)) {
    check.equal(
      heard.filter((line) => line.startsWith(`neuro frame ${name} `)),
      Array.from({ length: 20 }, (_, at) => `neuro frame ${name} ${at}`),
    );
  }
});

test("SE52 pings of one address are charged together", () => {
  const { open, step } = setUp({ rates_per_address: 4 });
  const all = names(64);
  for (const name of all) open(name, "neuro", LOCAL);
  const pings = (name: string) =>
    Array.from({ length: CONTROL_FRAMES_BURST_MAX }, () => step({ is: "controlFrame", peer: peerId(name) }));
  const closed = all.filter((name) => pings(name).some(([effect]) => effect?.startsWith("close")));
  check.equal(closed.length, 60);
});

test("SE53e a peer that asks for more than its bytes a second waits, whatever the length of its questions", () => {
  const limits = { messages_per_second: 0, bytes_per_second: 100_000, message_bytes: 100_000 };
  const { open, frame, pass } = setUp(limits, {
    intermediary: (event, ctx) => {
      if (event.is === "frame") {
        ctx.emit({ do: "send", to: event.peer, frame: "x".repeat(event.frame === "all" ? 50_000 : 3) });
      }
      if (event.is === "throttled") ctx.emit({ do: "send", to: event.peer, frame: "later" });
    },
  });
  open("greedy", "intermediary", LOCAL);
  open("modest", "intermediary", LOCAL);
  const isAnswered = (name: string, question: string) => !frame(name, question).some((effect) => effect.endsWith("later"));
  let answered = 0;
  for (let ms = 0; ms < 10_000; ms += 100) {
    if (isAnswered("greedy", "all")) answered++;
    check.that(isAnswered("modest", "one"));
    pass(100);
  }
  check.that(answered >= 18 && answered <= 24, `${answered} lists of 50,000 characters in 10 s`);
});
