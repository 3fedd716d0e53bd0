/** The outbox: replies in order and only after the writes that they confirm, slow peers disconnected, nothing after a close. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { type Key, type LinkId, linkId, type PeerId, peerId, rawKey } from "../../../src/core/ids.ts";
import { Outbox } from "../../../src/engine/outbox.ts";
import type { Sockets } from "../../../src/engine/ports.ts";
import { check } from "../../harness/check.ts";

const { limits } = DEFAULTS;
const [ann, bob] = [peerId("ann"), peerId("bob")];
const [one, two] = [rawKey("neuro/1"), rawKey("neuro/2")];

function setUp() {
  const sent: string[] = [];
  const hooked: string[] = [];
  const pending = new Set<Key>();
  let waitingBytes = 0;
  const sockets: Sockets = {
    send(to, frame) {
      sent.push(`${to}: ${frame}`);
      return waitingBytes;
    },
    close: (peer, code) => sent.push(`${peer} closed ${code}`),
    flush() {},
    ping() {},
    attach() {},
    dial() {},
    closeLink() {},
  };
  const outbox = new Outbox(sockets, {
    isPending: (key) => pending.has(key),
    backpressure: (to) => hooked.push(`pressed ${to}`),
    tooSlow: (to) => hooked.push(`too slow ${to}`),
  });
  return {
    outbox,
    sent,
    hooked,
    reply: (to: PeerId, frame: string, after?: Key, onFailure?: string) => {
      if (after !== undefined) pending.add(after);
      outbox.reply({ do: "reply", to, frame, ...(after && { after }), ...(onFailure && { onFailure }) }, limits);
    },
    send: (to: PeerId | LinkId, frame: string) => outbox.send({ do: "send", to, frame }, limits),
    settle: (key: Key, isStored: boolean) => {
      pending.delete(key);
      outbox.settled(key, isStored, limits);
    },
    backlog: (bytes: number) => (waitingBytes = bytes),
  };
}

test("a reply waits for the write that it confirms; later replies wait behind it, other peers and plain sends do not", () => {
  const { sent, reply, send, settle } = setUp();
  reply(ann, "queued 1", one);
  reply(ann, "pong");
  send(ann, "news");
  reply(bob, "hello");
  check.equal(sent, ["ann: news", "bob: hello"]);
  settle(one, true);
  check.equal(sent.slice(2), ["ann: queued 1", "ann: pong"]);
});

test("puts that land out of order do not turn the order of replies around", () => {
  const { sent, reply, settle } = setUp();
  reply(ann, "queued 1", one);
  reply(ann, "queued 2", two);
  settle(two, true);
  check.equal(sent, []);
  settle(one, true);
  check.equal(sent, ["ann: queued 1", "ann: queued 2"]);
});

test("if the put fails, the failure frame is sent instead, or without one the reply itself", () => {
  const { sent, reply, settle } = setUp();
  reply(ann, "queued", one, "unavailable");
  reply(bob, "noticed", one);
  settle(one, false);
  check.equal(sent, ["ann: unavailable", "bob: noticed"]);
});

test("a reply whose put is settled is sent at once", () => {
  const { sent, outbox } = setUp();
  outbox.reply({ do: "reply", to: ann, frame: "queued", after: one }, limits);
  check.equal(sent, ["ann: queued"]);
});

test("nothing is sent to a peer after its close, not even waiting replies, until its id is forgotten", () => {
  const { sent, outbox, reply, send, settle } = setUp();
  reply(ann, "queued", one);
  outbox.close(ann, "badToken");
  outbox.close(ann, "panic");
  settle(one, true);
  send(ann, "news");
  reply(ann, "late");
  check.equal(sent, ["ann closed 4401"]);
  check.that(outbox.isClosing(ann));
  outbox.forget(ann);
  check.that(!outbox.isClosing(ann));
});

test("backpressure of a peer is reported once, and again only after it was relieved", () => {
  const { hooked, outbox, send, backlog } = setUp();
  backlog(limits.backlog_soft_bytes + 1);
  send(ann, "1");
  send(ann, "2");
  check.equal(hooked, ["pressed ann"]);
  check.that(outbox.relieved(ann));
  check.that(!outbox.relieved(ann), "it is reported once");
  send(ann, "3");
  check.equal(hooked, ["pressed ann", "pressed ann"]);
});

test("a peer or link above the hard backlog limit is disconnected", () => {
  const { hooked, send, backlog } = setUp();
  backlog(limits.backlog_hard_bytes + 1);
  send(ann, "1");
  send(linkId("neuro:upstream:1"), "1");
  check.equal(hooked, ["too slow ann", "too slow neuro:upstream:1"]);
});

test("RT75 a peer whose replies wait and have more than `limits.backlog_hard_bytes` is reported as too slow", () => {
  const { sent, hooked, reply, settle } = setUp();
  const large = "x".repeat(1_000_000);
  reply(ann, "queued", one);
  for (let count = 0; count < 4; count++) reply(ann, large);
  reply(bob, "queued", two, "unavailable");
  check.equal(hooked, [], "8 MiB, at two bytes a character");
  reply(ann, large);
  check.equal(hooked, ["too slow ann"]);
  settle(two, false);
  check.equal(sent, ["bob: unavailable"]);
});

test("RT75 replies that were sent do not count any more", () => {
  const { hooked, reply, settle } = setUp();
  for (let round = 0; round < 10; round++) {
    const key = rawKey(`neuro/${round}`);
    reply(ann, "x".repeat(3_000_000), key, "unavailable");
    settle(key, round % 2 === 0);
  }
  check.equal(hooked, []);
});
