import { test } from "#runner";
import type { ToOwner } from "../../../../src/cluster/wire.ts";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { ConnectionInfo, ListenerName } from "../../../../src/core/event.ts";
import type { Frame } from "../../../../src/core/json.ts";
import type { LimitSettings } from "../../../../src/core/settings.ts";
import type { LinkTarget } from "../../../../src/http/app.ts";
import { Gateway } from "../../../../src/runtimes/cluster/gateway.ts";
import { check } from "../../../harness/check.ts";

const CONNECTION: ConnectionInfo = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };
const PATIENCE_MS = 30_000;

/** A client of the gateway, and what it was sent. */
function client(gateway: Gateway, listener: ListenerName | LinkTarget = "neuro", relay = "r") {
  const received: Frame[] = [];
  const events: string[] = [];
  const handler = gateway.admit(relay, listener, CONNECTION, undefined);
  handler.open({
    write: (frames) => {
      received.push(...frames);
      return 0;
    },
    close: (code) => void events.push(`closed ${code}`),
    terminate: () => void events.push("terminated"),
    ping: () => void events.push("pinged"),
  });
  return { handler, received, events };
}

function fixture(limits: Partial<LimitSettings> = {}) {
  const sent: [session: string, message: ToOwner][] = [];
  const turns: (() => void)[] = [];
  const found: string[] = [];
  const gateway = new Gateway("g.1", {
    send: (session, message) => void sent.push([session, message]),
    findOwner: (relay) => void found.push(relay),
    afterTurn: (run) => void turns.push(run),
    limits: () => ({ ...DEFAULTS.limits, greeting_bytes: 4_096, ...limits }),
    terminateLater: () => {},
    unconfirmed: () => {},
  });
  /** Takes what was sent to a session, in short. */
  const take = (session: string): string[] =>
    sent.splice(0).filter(([to]) => to === session).map(([, message]) => {
      if (message.is === "frame") return `frame ${message.sequence} ${String(message.frame)}`;
      if (message.is === "peers") return `peers ${message.peers.map(({ peer }) => peer).join(" ")}`.trim();
      return "peer" in message ? `${message.is} ${message.peer}` : message.is;
    });
  return { gateway, take, found, endTurn: () => turns.splice(0).forEach((run) => run()) };
}

const owner = (epoch: number) => ({ is: "owner" as const, relay: "r", epoch });
const about = (epoch: number, peer = "neuro-g.1-1") => ({ relay: "r", epoch, peer: peer as never });

test("CN14 frames wait for an owner, and reach it in order after the peer was introduced", () => {
  const { gateway, take, found } = fixture();
  const { handler } = client(gateway);
  handler.message("one");
  handler.message("two");
  check.equal([take("o.1"), found], [[], ["r"]]);
  gateway.joinOwner("r", "o.1");
  check.equal(take("o.1"), ["join"]);
  gateway.receive("o.1", owner(1));
  check.equal(take("o.1"), ["peers", "opened neuro-g.1-1", "frame 1 one", "frame 2 two"]);
  handler.message("three");
  check.equal(take("o.1"), ["frame 3 three"]);
  gateway.receive("o.1", owner(1));
  check.equal(take("o.1"), [], "the same owner again changes nothing");
});

test("CN15 after the loss of an owner, what it did not confirm is sent again for a game; another peer that waits for a reply is closed (1012)", () => {
  const { gateway, take, found } = fixture();
  const game = client(gateway);
  const busy = client(gateway, "intermediary");
  const idle = client(gateway, "intermediary");
  gateway.receive("o.1", owner(1));
  for (const { handler } of [game, busy]) handler.message("one");
  game.handler.message("two");
  gateway.receive("o.1", { is: "handled", relay: "r", epoch: 1, frames: [{ peer: about(1).peer, sequence: 1 }] });
  take("o.1");
  gateway.lost("o.1");
  check.equal(found.at(-1), "r");
  idle.handler.message("late"); // Why: it was never sent to the lost owner.
  gateway.receive("o.2", owner(2));
  check.equal([game.events, busy.events, idle.events], [[], ["closed 1012"], []]);
  check.equal(take("o.2"), [
    "closed intermediary-g.1-2",
    "peers neuro-g.1-1 intermediary-g.1-3",
    "frame 2 two",
    "frame 1 late",
  ]);
});

test("CN16 after a handover nothing is unsure: every frame that was not confirmed is sent again, and nobody is closed", () => {
  const { gateway, take } = fixture();
  const watcher = client(gateway, "intermediary");
  gateway.receive("o.1", owner(1));
  watcher.handler.message("one");
  take("o.1");
  gateway.receive("o.1", { is: "released", relay: "r", epoch: 1 });
  gateway.receive("o.2", owner(2));
  check.equal([take("o.2"), watcher.events], [["peers intermediary-g.1-1", "frame 1 one"], []]);
});

test("CN35 a linked program that no owner has asked for Neuro stays for the next owner; one that was asked is closed (1012)", () => {
  const { gateway, take, endTurn } = fixture();
  const idle = client(gateway, { link: "neuro" });
  const asked = client(gateway, { link: "other" });
  gateway.receive("o.1", owner(1));
  check.equal(take("o.1"), ["peers", "linked link-g.1-1", "linked link-g.1-2"]);
  gateway.receive("o.1", { is: "send", ...about(1, "link-g.1-2"), frame: '{"link":"dial","via":""}' });
  gateway.lost("o.1"); // Why before the end of the turn: a frame that waits to be written counts as written.
  gateway.receive("o.2", owner(2));
  check.equal(take("o.2"), ["closed link-g.1-2", "peers", "linked link-g.1-1"]);
  endTurn();
  check.equal([idle.events, asked.events], [[], ["closed 1012"]]);
  gateway.receive("o.2", { is: "send", ...about(2, "link-g.1-1"), frame: '{"link":"dial","via":""}' });
  endTurn();
  gateway.receive("o.2", { is: "released", relay: "r", epoch: 2 });
  gateway.receive("o.3", owner(3));
  check.equal([take("o.3"), idle.events], [["closed link-g.1-1", "peers"], ["closed 1012"]]);
});

test("CN44 when all connections of a node have ended at once, because it was declared dead, its peers are introduced to the same owner again", () => {
  const { gateway, take, found } = fixture();
  const { handler, events } = client(gateway);
  gateway.receive("o.1", owner(1));
  handler.message("one");
  take("o.1");
  gateway.lost();
  check.equal(found, ["r", "r"]);
  gateway.joinOwner("r", "o.1");
  check.equal(take("o.1"), ["join"]);
  gateway.receive("o.1", owner(1));
  check.equal([take("o.1"), events], [["peers neuro-g.1-1", "frame 1 one"], []]);
});

test("CN17 what a former owner says is ignored, also while nobody knows the next one", () => {
  const { gateway, endTurn } = fixture();
  const game = client(gateway);
  const say = (session: string, epoch: number, frame: string) => {
    gateway.receive(session, { is: "send", ...about(epoch), frame });
    endTurn();
  };
  gateway.receive("o.1", owner(1));
  say("o.1", 1, "first");
  gateway.receive("o.2", owner(2));
  say("o.1", 1, "former owner");
  say("o.2", 1, "former epoch");
  say("o.1", 2, "forged epoch");
  gateway.receive("o.1", owner(1));
  gateway.receive("o.1", { is: "close", ...about(1), code: 1000, reason: "" });
  say("o.2", 2, "second");
  gateway.lost("o.2");
  say("o.2", 2, "lost owner");
  check.equal([game.received, game.events], [["first", "second"], []]);
});

test("CN18 a peer for which more is kept than it may send at once is closed (1013), and its frames are released", () => {
  const KIB = 1_024;
  const cases = [
    { frame: "", expected: 1_001 },
    { frame: "", limits: { burst: 1_500 }, expected: 1_501 },
    { frame: "", limits: { burst: 1 }, expected: 1_001 },
    { frame: "x".repeat(16 * KIB), expected: 4 * 64 + 1 },
    { frame: "x".repeat(16 * KIB), limits: { bytes_per_second: 8 * 1_024 * KIB }, expected: 8 * 64 + 1 },
    { frame: "x".repeat(16 * KIB), limits: { bytes_per_second: KIB, message_bytes: KIB }, expected: 64 + 1 },
  ];
  for (const { frame, limits, expected } of cases) {
    const { gateway } = fixture(limits);
    const game = client(gateway);
    let count = 0;
    while (game.events.length === 0 && count < 2_000) {
      game.handler.message(frame);
      count++;
    }
    check.equal([game.events, count, gateway.keptBytes], [["closed 1013"], expected, 0], JSON.stringify(limits));
  }
  const { gateway } = fixture();
  const game = client(gateway);
  game.handler.message("x".repeat(2_000_000));
  check.equal(game.events, [], "one frame of any size that the listener accepts is kept");
});

test("CN19 a client is closed (1012) when no node has owned its relay for cluster.patience", () => {
  const { gateway, found } = fixture();
  const game = client(gateway);
  gateway.tick(1_000, PATIENCE_MS);
  gateway.tick(1_000 + PATIENCE_MS - 1, PATIENCE_MS);
  check.equal([game.events, found.length], [[], 3]);
  gateway.tick(1_000 + PATIENCE_MS, PATIENCE_MS);
  check.equal(game.events, ["closed 1012"]);
});
