/** What a kill may cost, and what it may not: the relay is killed after every single effect of a story, and asked for the rest. */
import { test } from "#runner";
import fc from "fast-check";
import type { Key, PeerId } from "../../../../src/core/ids.ts";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { check } from "../../../harness/check.ts";
import { Desk } from "./fixture.ts";

/** What both sides know of the numbered commands at the moment of the kill. */
interface Story {
  readonly promised: Set<number>;
  /** Given to a client without acks, or acked by one with them, be it heard or not. */
  readonly taken: Set<number>;
  /** The ack was heard to its end. */
  readonly acked: Set<number>;
}

const numberOf = (frame: Json): number | undefined =>
  isObject(frame) && isObject(frame.cmd) && typeof frame.cmd.n === "number" ? frame.cmd.n : undefined;

/** Commands while the integration is here, away, back, slow; acks where it gives any. */
function live(desk: Desk, acks: boolean): Story {
  const story: Story = { promised: new Set(), taken: new Set(), acked: new Set() };
  const watcher = desk.watcher();
  let away = 0;
  let peer: PeerId = desk.integration("a", { ack: acks });
  let n = 0;
  const command = () => {
    desk.frame(watcher, { target: "a", cmd: { n: ++n }, request_id: n });
    collect();
  };
  const collect = () => {
    for (const reply of desk.replies(watcher)) {
      if (isObject(reply) && reply.status === "queued" && typeof reply.request_id === "number") {
        story.promised.add(reply.request_id);
      }
    }
    for (const frame of desk.seen(peer)) {
      const got = numberOf(frame);
      if (got === undefined) continue;
      if (!acks) story.taken.add(got);
      if (!acks || got % 3 === 0 || !isObject(frame)) continue;
      story.taken.add(got);
      desk.frame(peer, { ack: frame.id });
      if (!desk.isDead) story.acked.add(got);
    }
  };
  const leave = () => {
    desk.close(peer);
    desk.replies(watcher);
  };
  const back = () => {
    peer = desk.integration("a", { ack: acks }, `a-${++away}`);
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
    desk.pass(turn * 300);
    collect();
  }
  return story;
}

/** All numbers that come after a restart, in the order in which they come. */
function rest(killed: Desk, acks: boolean, hasLanded: boolean): number[] {
  const desk = killed.restart(hasLanded ? { stored: killed.landed } : {});
  const peer = desk.integration("a", { ack: acks });
  desk.pass(100);
  return desk.seen(peer).flatMap((frame) => numberOf(frame) ?? []);
}

for (const acks of [true, false]) {
  const who = acks ? "that acks" : "without acks";
  test(`IM60 killed after any effect, nothing that was answered queued is lost for a client ${who}, and nothing acked comes again`, () => {
    const whole = new Desk();
    live(whole, acks);
    check.that(whole.effects.length > 60);
    for (let kill = 1; kill <= 2 * whole.effects.length; kill++) {
      const desk = new Desk({ effectsMax: kill >> 1 });
      const { promised, taken, acked } = live(desk, acks);
      const after = rest(desk, acks, kill % 2 === 1);
      const claim = `killed after effect ${kill / 2}: ${JSON.stringify(desk.effects.at(-1))}`;
      for (const n of promised) check.that(after.includes(n) || taken.has(n), `${n} is lost, ${claim}`);
      for (const n of acked) check.that(!after.includes(n), `${n} came again, ${claim}`);
      check.equal(after, [...after].sort((one, other) => one - other), claim);
    }
  });
}

/** Something that happens to a watcher, an integration or the store. */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.constant("command" as const) },
  fc.constantFrom("leave", "back", "ack", "pass", "slow", "store", "fail", "restart", "press"),
);

test("IM61 whatever happens in whatever order, each integration gets its commands in order", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80 }), fc.boolean(), (story, acks) => {
      let desk = new Desk({ isStoring: false });
      let watcher = desk.watcher();
      let peer: PeerId | undefined;
      let generation = 0;
      let n = 0;
      let newest = 0;
      const seen = new Set<number>();
      const ids = new Map<number, Json>();
      const collect = () => {
        for (const frame of peer === undefined ? [] : desk.seen(peer)) {
          const number = numberOf(frame);
          if (number === undefined || !isObject(frame)) continue;
          ids.set(number, frame.id ?? null);
          check.that(seen.has(number) || number > newest, `${number} comes for the first time after ${newest}`);
          seen.add(number);
          newest = Math.max(newest, number);
        }
      };
      for (const what of story) {
        if (what === "command") desk.frame(watcher, { target: "a", cmd: { n: ++n } });
        if (what === "leave" && peer !== undefined) {
          desk.close(peer);
          peer = undefined;
        }
        if (what === "back" && peer === undefined) peer = desk.integration("a", { ack: acks }, `a-${++generation}`);
        if (what === "ack" && peer !== undefined) { for (const id of ids.values()) desk.frame(peer, { ack: id }); }
        if (what === "pass") desk.pass(50);
        if (what === "slow") desk.pass(31_000);
        if (what === "store") desk.store();
        if (what === "press" && peer !== undefined) {
          desk.step({ is: "backpressure", peer });
          desk.step({ is: "relieved", peer });
        }
        if (what === "fail") {
          desk.isFailing = true;
          desk.store();
          desk.isFailing = false;
        }
        if (what === "restart") {
          desk = desk.restart({ isStoring: false });
          watcher = desk.watcher();
          peer = undefined;
        }
        collect();
      }
    }),
    { numRuns: 300 },
  );
});

test("IM62 no frame of anybody, at any moment, makes the room throw or grow without bound", () => {
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
      const desk = new Desk();
      const peers = [
        desk.integration("a"),
        desk.integration("b", { ack: true }),
        desk.watcher(),
        desk.watcher("boss", "enhanced"),
      ];
      for (const [who, raw] of frames) {
        const peer = peers[who] ?? desk.open(`p${desk.effects.length}`);
        if (!desk.closed.has(peer)) desk.frame(peer, raw);
      }
      desk.pass(60_000);
      const keys: Key[] = [...desk.stored.keys()];
      for (const key of keys) {
        check.match(key, /^intermediary\/(audit|known|queue|dead|upload)\/[a-z0-9-]+(\/[a-z0-9-]+)?$/);
      }
      for (const file of desk.saved.keys()) check.match(file, /^upload-[0-9-]+\.[a-z0-9]+$/);
    }),
    { numRuns: 400 },
  );
});
