/** Kills the relay after each single effect of a scenario, and checks the messages that a restart delivers. */
import { test } from "#runner";
import fc from "fast-check";
import type { Key, PeerId } from "../../../../src/core/ids.ts";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { check } from "../../../harness/check.ts";
import { IntermediaryFixture } from "./fixture.ts";

/** The state of the numbered commands at the moment of the kill. */
interface Scenario {
  readonly promised: Set<number>;
  /** Delivered to a client without acks, or acked by a client with acks, even if the relay was killed before it handled the ack. */
  readonly taken: Set<number>;
  /** The relay has handled the ack. */
  readonly acked: Set<number>;
}

const numberOf = (frame: Json): number | undefined =>
  isObject(frame) && isObject(frame.cmd) && typeof frame.cmd.n === "number" ? frame.cmd.n : undefined;

/** Sends commands while the integration is connected, away and back. It acks if it has acks. */
function live(fixture: IntermediaryFixture, acks: boolean): Scenario {
  const scenario: Scenario = { promised: new Set(), taken: new Set(), acked: new Set() };
  const watcher = fixture.watcher();
  let away = 0;
  let peer: PeerId = fixture.integration("a", { ack: acks });
  let n = 0;
  const command = () => {
    fixture.frame(watcher, { target: "a", cmd: { n: ++n }, request_id: n });
    collect();
  };
  const collect = () => {
    for (const reply of fixture.repliesTo(watcher)) {
      if (isObject(reply) && reply.status === "queued" && typeof reply.request_id === "number") {
        scenario.promised.add(reply.request_id);
      }
    }
    for (const frame of fixture.received(peer)) {
      const got = numberOf(frame);
      if (got === undefined) continue;
      if (!acks) scenario.taken.add(got);
      if (!acks || got % 3 === 0 || !isObject(frame)) continue;
      scenario.taken.add(got);
      fixture.frame(peer, { ack: frame.id });
      if (!fixture.isKilled) scenario.acked.add(got);
    }
  };
  const leave = () => {
    fixture.close(peer);
    fixture.repliesTo(watcher);
  };
  const back = () => {
    peer = fixture.integration("a", { ack: acks }, `a-${++away}`);
    collect();
  };
  for (let turn = 0; turn < 2; turn++) {
    command();
    command();
    leave();
    command();
    command();
    command();
    back();
    command();
    fixture.advance(turn * 300);
    collect();
  }
  return scenario;
}

/** The numbers that are delivered after a restart, in order. */
function rest(killed: IntermediaryFixture, acks: boolean, hasLanded: boolean): number[] {
  const fixture = killed.restart(hasLanded ? { stored: killed.storedAndWriting } : {});
  const peer = fixture.integration("a", { ack: acks });
  fixture.advance(100);
  return fixture.received(peer).flatMap((frame) => numberOf(frame) ?? []);
}

for (const acks of [true, false]) {
  const who = acks ? "that acks" : "without acks";
  test(`IM60 a kill after any effect loses no command answered queued for a client ${who}, and no acked command is sent again`, () => {
    const whole = new IntermediaryFixture();
    live(whole, acks);
    check.that(whole.effects.length > 60);
    for (let kill = 1; kill <= 2 * whole.effects.length; kill++) {
      const fixture = new IntermediaryFixture({ effectsMax: kill >> 1 });
      const { promised, taken, acked } = live(fixture, acks);
      const after = rest(fixture, acks, kill % 2 === 1);
      const claim = `killed after effect ${kill / 2}: ${JSON.stringify(fixture.effects.at(-1))}`;
      for (const n of promised) check.that(after.includes(n) || taken.has(n), `${n} is lost, ${claim}`);
      for (const n of acked) check.that(!after.includes(n), `${n} came again, ${claim}`);
      check.equal(after, [...after].sort((one, other) => one - other), claim);
    }
  });
}

/** An event for a watcher, an integration or the store. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant("command" as const) },
  fc.constantFrom("leave", "back", "ack", "pass", "slow", "store", "fail", "restart", "press"),
);

test("IM61 each integration gets its commands in order, whatever happens in between", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), fc.boolean(), (scenario, acks) => {
      let fixture = new IntermediaryFixture({ isStoring: false });
      let watcher = fixture.watcher();
      let peer: PeerId | undefined;
      let generation = 0;
      let n = 0;
      let newest = 0;
      const seen = new Set<number>();
      const ids = new Map<number, Json>();
      const collect = () => {
        for (const frame of peer === undefined ? [] : fixture.received(peer)) {
          const number = numberOf(frame);
          if (number === undefined || !isObject(frame)) continue;
          ids.set(number, frame.id ?? null);
          check.that(seen.has(number) || number > newest, `${number} comes for the first time after ${newest}`);
          seen.add(number);
          newest = Math.max(newest, number);
        }
      };
      for (const what of scenario) {
        if (what === "command") fixture.frame(watcher, { target: "a", cmd: { n: ++n } });
        if (what === "leave" && peer !== undefined) {
          fixture.close(peer);
          peer = undefined;
        }
        if (what === "back" && peer === undefined) peer = fixture.integration("a", { ack: acks }, `a-${++generation}`);
        if (what === "ack" && peer !== undefined) { for (const id of ids.values()) fixture.frame(peer, { ack: id }); }
        if (what === "pass") fixture.advance(50);
        if (what === "slow") fixture.advance(31_000);
        if (what === "store") fixture.store();
        if (what === "press" && peer !== undefined) {
          fixture.step({ is: "backpressure", peer });
          fixture.step({ is: "relieved", peer });
        }
        if (what === "fail") {
          fixture.isFailing = true;
          fixture.store();
          fixture.isFailing = false;
        }
        if (what === "restart") {
          fixture = fixture.restart({ isStoring: false });
          watcher = fixture.watcher();
          peer = undefined;
        }
        collect();
      }
    }),
    { numRuns: 300 },
  );
});

test("IM62 no frame of a peer makes the service throw or write an unexpected key", () => {
  const names = [
    "a",
    "__proto__",
    "constructor",
    "toString",
    "*",
    "",
    "\u202egnp",
    "שלום",
    "x".repeat(10_000),
    "unknown-1",
  ];
  const word = fc.constantFrom(
    "type",
    "name",
    "auth_token",
    "ack",
    "nak",
    "term",
    "event",
    "payload",
    "actions",
    "op",
    "command",
    "data",
    "target",
    "cmd",
    "query",
    "subscribe",
    "events",
    "after",
    "snapshot",
    "direct_to_neuro",
    "choice",
    "selected",
    "request_id",
    "id",
    "success",
    "__proto__",
    "register_actions",
    "unregister_actions",
    "action_result",
    "choose_force_action",
    "actions/register",
    "context",
    "actions/force",
    "action/result",
    "integration",
    "neuro-os",
    "plain",
    "peers",
    "get_registered_actions",
    "startup",
    ...names,
  );
  const leaf = fc.oneof(word, fc.constantFrom(null, true, false, 0, -1, 1e308), fc.string({ maxLength: 8 }));
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      tie("object"),
    ),
    object: fc.array(fc.tuple(word, tie("value")), { maxLength: 6 }).map((pairs) => {
      const text = pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
      return JSON.parse(`{${text.join(",")}}`) as unknown;
    }),
  }));
  const frame = fc.oneof(
    { weight: 6, arbitrary: json.object.map((value) => JSON.stringify(value)) },
    json.value.map((value) => JSON.stringify(value) ?? ""),
    fc.string(),
    fc.uint8Array({ maxLength: 16 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), frame), { maxLength: 40 }), (frames) => {
      const fixture = new IntermediaryFixture();
      const peers = [
        fixture.integration("a"),
        fixture.integration("b", { ack: true }),
        fixture.watcher(),
        fixture.watcher("boss", "enhanced"),
      ];
      for (const [who, raw] of frames) {
        const peer = peers[who] ?? fixture.open(`p${fixture.effects.length}`);
        if (!fixture.closed.has(peer)) fixture.frame(peer, raw);
      }
      fixture.advance(60_000);
      const keys: Key[] = [...fixture.stored.keys()];
      for (const key of keys) {
        check.match(key, /^intermediary\/(audit|directory|queue|dead|upload)\/[a-z0-9-]+(\/[a-z0-9-]+)?$/);
      }
      for (const file of fixture.saved.keys()) check.match(file, /^upload-[0-9-]+\.[a-z0-9]+$/);
    }),
    { numRuns: 400 },
  );
});
