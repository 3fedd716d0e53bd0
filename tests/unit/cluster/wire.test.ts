import { test } from "#runner";
import fc from "fast-check";
import { encodeMessage, MessageReader, type NodeMessage } from "../../../src/cluster/wire.ts";
import { peerId } from "../../../src/core/ids.ts";
import type { ConnectionInfo } from "../../../src/core/event.ts";
import { check } from "../../harness/check.ts";

const relay = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const peer = fc.stringMatching(/^[\w.-]{1,80}$/).map(peerId);
const count = fc.nat();
const frame = fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array());
const connection: fc.Arbitrary<ConnectionInfo> = fc.record({
  address: fc.string(),
  path: fc.string(),
  userAgent: fc.string({ unit: "binary" }),
  via: fc.string(),
});
const listener = fc.constantFrom("neuro" as const, "intermediary" as const, "brain" as const);

const message: fc.Arbitrary<NodeMessage> = fc.oneof(
  fc.record({ is: fc.constant("hello" as const), session: peer, to: peer, version: count }),
  fc.record({ is: fc.constantFrom("want" as const, "join" as const, "notOwner" as const), relay }),
  fc.record({ is: fc.constant("take" as const), relay, declined: fc.array(peer) }),
  fc.record({ is: fc.constant("look" as const) }),
  fc.record({
    is: fc.constant("peers" as const),
    relay,
    epoch: count,
    peers: fc.array(fc.record({ peer, listener, connection, attachment: fc.jsonValue() as fc.Arbitrary<never> })),
  }),
  fc.record({ is: fc.constant("opened" as const), relay, peer, listener, connection }),
  fc.record({ is: fc.constant("linked" as const), relay, peer, link: relay, connection }),
  fc.record({ is: fc.constant("frame" as const), relay, peer, sequence: count, frame }),
  fc.record({ is: fc.constant("closed" as const), relay, peer, code: count, reason: fc.string() }),
  fc.record({ is: fc.constantFrom("ponged" as const, "controlFrame" as const), relay, peer }),
  fc.record({ is: fc.constant("taken" as const), relay, peer, bytes: count }),
  fc.record({ is: fc.constantFrom("owner" as const, "released" as const), relay, epoch: count }),
  fc.record({ is: fc.constant("send" as const), relay, epoch: count, peer, frame }),
  fc.record({ is: fc.constant("close" as const), relay, epoch: count, peer, code: count, reason: fc.string() }),
  fc.record({ is: fc.constantFrom("ping" as const, "terminate" as const), relay, epoch: count, peer }),
  fc.record({
    is: fc.constant("handled" as const),
    relay,
    epoch: count,
    frames: fc.array(fc.record({ peer, sequence: count })),
  }),
);

const read = (frame: string | Uint8Array): NodeMessage | undefined => new MessageReader().read(frame);

test("CN11 every message between nodes is read back unchanged, with text and with bytes", () => {
  fc.assert(fc.property(message, (sent) => {
    // Why as JSON: a value that JSON cannot hold, such as -0, is not sent by anybody.
    check.equal(plainOf(read(encodeMessage(sent))), plainOf(sent));
  }));
});

const plainOf = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => part instanceof Uint8Array ? [...part] : part) ?? "null");

test("CN11 a reader that has read similar messages before reads each as a new reader does, also a damaged one", () => {
  const id = fc.constantFrom("neuro-a-1", "neuro-a-12").map(peerId);
  const known = fc.oneof(
    fc.record({
      is: fc.constant("frame" as const),
      relay: fc.constant("r"),
      peer: id,
      sequence: fc.nat(99),
      frame: fc.string(),
    }),
    fc.record({
      is: fc.constant("send" as const),
      relay: fc.constant("r"),
      epoch: fc.nat(2),
      peer: id,
      frame: fc.string(),
    }),
  );
  const damage = fc.record({
    at: fc.nat(80),
    deleted: fc.nat(2),
    text: fc.constantFrom("", "0", "-", ":", "}", "\n", '"', "e", " "),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(known, fc.option(damage, { freq: 2 })), { maxLength: 30 }), (all) => {
      const reader = new MessageReader();
      for (const [sent, damaged] of all) {
        const text = String(encodeMessage(sent));
        const frame = damaged === null
          ? text
          : text.slice(0, damaged.at) + damaged.text + text.slice(damaged.at + damaged.deleted);
        check.equal(plainOf(reader.read(frame)), plainOf(read(frame)), frame);
      }
    }),
    { numRuns: 500 },
  );
});

test("CN11 garbage between nodes is no message, whatever it is", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array(), fc.json()), (garbage) => {
    check.equal(read(garbage), undefined);
  }));
  const cut = (text: string, bytes: Uint8Array = new Uint8Array()) => [read(text), read(bytes)];
  check.equal(cut('{"is":"frame","relay":"r","peer":"p","sequence":1}', Uint8Array.of(0, 0, 1, 0, 123)), [
    undefined,
    undefined,
  ]);
  for (
    const wrong of [
      '{"is":"join","relay":"../r"}',
      '{"is":"join","relay":7}',
      '{"is":"owner","relay":"r","epoch":-1}',
      '{"is":"owner","relay":"r","epoch":1.5}',
      '{"is":"owner","relay":"r","epoch":1}\nframe',
      '{"is":"opened","relay":"r","peer":"p","listener":"web","connection":{}}',
      '{"is":"linked","relay":"r","peer":"p","link":"a:b","connection":{"address":"","path":"","userAgent":"","via":""}}',
      '{"is":"peers","relay":"r","epoch":1,"peers":[{"peer":"a:b","listener":"neuro"}]}',
      '{"is":"toString"}',
      "[]",
    ]
  ) check.equal(read(wrong), undefined, wrong);
});
