/** Silent peers make room for others, and work without a result has a limit. */
import fc from "fast-check";
import { test } from "#runner";
import { addressGroup } from "../../../src/core/access.ts";
import type { Millis } from "../../../src/core/ids.ts";
import { peerId } from "../../../src/core/ids.ts";
import { CONTROL_FRAMES_BURST_MAX, CONTROL_FRAMES_PER_SECOND_MAX } from "../../../src/core/limits.ts";
import { SilentPeers } from "../../../src/relay/silent-peers.ts";
import { check } from "../../harness/check.ts";
import { setUp } from "./relay-fixture.ts";

const LOCAL = "127.0.0.1";

test("IM4b the newcomer of the Intermediary that has waited longest is closed when limits.unauthenticated are silent", () => {
  const { open, frame } = setUp({ unauthenticated: 2 });
  open("old", "intermediary", LOCAL);
  open("game", "neuro", LOCAL);
  open("young", "intermediary", LOCAL);
  check.equal(open("honest", "intermediary", LOCAL), ["close old tooManyPeers"]);
  frame("honest", "greeting");
  check.equal(open("next", "intermediary", LOCAL), [], "one that has greeted does not count");
  check.equal(open("last", "intermediary", LOCAL), ["close young tooManyPeers"]);
});

test("SE50 strangers leave places for this machine, one address gets a share of them, and a network counts as one address", () => {
  const { open } = setUp({ unauthenticated: 8 });
  const closes = (name: string, address: string) => open(name, "intermediary", address);
  check.equal([closes("a1", "2001:db8::1"), closes("a2", "2001:db8::2")], [[], []]);
  check.equal(closes("a3", "2001:db8:0:0:9::3"), ["close a1 tooManyPeers"], "a quarter");
  for (let at = 0; at < 4; at++) check.equal(closes(`b${at}`, `10.0.0.${at}`), []);
  check.equal(closes("c", "10.0.1.1"), ["close a2 tooManyPeers"], "three quarters, and the oldest leaves");
  check.equal([closes("l1", LOCAL), closes("l2", LOCAL)], [[], []]);
  check.equal(closes("l3", LOCAL), ["close a3 tooManyPeers"], "a stranger leaves for this machine");
  for (let at = 0; at < 20; at++) {
    check.that(!closes(`d${at}`, `10.1.0.${at}`).join().includes("close l"), "never the reverse");
  }
});

test("SE50 an address with an accepted peer counts as known, until that peer leaves", () => {
  const far = "203.0.113.9";
  const { open, frame, step } = setUp({ unauthenticated: 4 }, {
    intermediary: (event, ctx) => event.is === "frame" && ctx.emit({ do: "attach", peer: event.peer, attachment: null }),
  });
  const opens = (name: string) => open(name, "intermediary", far);
  check.equal([opens("a"), opens("b")], [[], ["close a tooManyPeers"]]);
  frame("b", "greeting");
  check.equal([opens("c"), opens("d"), opens("e"), opens("f")], [[], [], [], []]);
  step({ is: "closed", peer: peerId("b"), code: 1000 });
  check.equal(opens("g").length, 1);
});

test("SE50 no order of connections breaks the shares (property)", () => {
  const places = fc.integer({ min: 1, max: 12 });
  const step = fc.tuple(fc.constantFrom("open", "open", "open", "speak"), fc.integer({ min: 0, max: 5 }));
  fc.assert(fc.property(places, fc.array(step, { maxLength: 80 }), (places, steps) => {
    const silent = new SilentPeers<{ group: string; isLocal: boolean }>();
    const present: { group: string; isLocal: boolean }[] = [];
    const leave = (at: number) => present.splice(at, 1).forEach((peer) => silent.delete(peer));
    for (const [what, number] of steps) {
      if (what === "speak") {
        if (present.length > 0) leave(number % present.length);
        continue;
      }
      const peer = { group: `g${number}`, isLocal: number === 0 };
      const place = silent.placeFor(peer, places);
      if (place === "none") {
        check.that(!peer.isLocal, "a local newcomer gets a place");
        continue;
      }
      if (place !== "free") {
        check.that(peer.isLocal || !place.isLocal, "S1");
        leave(present.indexOf(place));
      }
      silent.add(peer);
      present.push(peer);
      const strangers = present.filter(({ isLocal }) => !isLocal);
      check.that(present.length <= places);
      check.that(strangers.length <= places - Math.floor(places / 4), "S2");
      for (const { group } of strangers) {
        check.that(strangers.filter((other) => other.group === group).length <= Math.max(1, Math.floor(places / 4)), "S3");
      }
    }
  }));
});

test("SE52 pings and pongs count as work, before and after the greeting; a peer that floods with them is closed", () => {
  const { open, step, pass, seen } = setUp({ messages_per_second: 0, burst: 5 });
  open("quiet", "intermediary");
  open("game");
  seen();
  const control = (name: string) => step({ is: "controlFrame", peer: peerId(name) });
  for (const name of ["quiet", "game"]) {
    for (let at = 0; at < CONTROL_FRAMES_BURST_MAX; at++) check.equal(control(name), []);
    check.equal(control(name), [`close ${name} rateLimit`]);
  }
  check.equal(seen(), Array(2).fill("intermediary received peer_closed_by_relay"), "no service gets them");
  open("calm");
  for (let second = 0; second < 20; second++, pass(1_000)) {
    for (let at = 0; at < CONTROL_FRAMES_PER_SECOND_MAX; at++) check.equal(control("calm"), []);
  }
});

test("SE53 refused frames are charged with their bytes: at more than twice the rate a peer is closed, below it never", () => {
  const limits = { messages_per_second: 100, burst: 50 };
  const closedAfter = (perTick: number, frame: string, more: object = {}): Millis | undefined => {
    const { open, frame: send, pass } = setUp({ ...limits, ...more });
    open("watcher", "intermediary");
    for (let ms = 0; ms < 20_000; ms += 100) {
      for (let at = 0; at < perTick; at++) if (send("watcher", frame).join().includes("close")) return ms;
      pass(100);
    }
    return undefined;
  };
  check.equal(closedAfter(19, "x"), undefined);
  check.that((closedAfter(30, "x") ?? Infinity) < 2_000);
  const bytes = { messages_per_second: 1_000, burst: 1_000, bytes_per_second: 1_000, message_bytes: 1_000 };
  check.equal(closedAfter(19, "x".repeat(10), bytes), undefined);
  check.that((closedAfter(30, "x".repeat(10), bytes) ?? Infinity) < 2_000);
});

test("SE50 an address group is an IPv4 address or the first 64 bits of an IPv6 address", () => {
  const same = ["2001:db8::1", "2001:DB8:0:0:ffff::", "2001:0db8::", "2001:db8:0:0:1:2:3:4"];
  check.equal(new Set(same.map(addressGroup)), new Set(["2001:db8:0:0"]));
  check.equal(addressGroup("fe80::1%eth0"), "fe80:0:0:0");
  check.equal(["10.0.0.1", "unknown", ""].map(addressGroup), ["10.0.0.1", "unknown", ""]);
});
