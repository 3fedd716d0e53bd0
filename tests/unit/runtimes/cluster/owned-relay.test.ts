/** A relay at its owner, while its gateways come and go: the real host on a store in memory. */
import { test } from "#runner";
import type { ToGateway } from "../../../../src/cluster/wire.ts";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { ResumedPeer } from "../../../../src/core/event.ts";
import { peerId } from "../../../../src/core/ids.ts";
import { openLog } from "../../../../src/observability/mod.ts";
import { services } from "../../../../src/relay/services.ts";
import { OwnedRelay } from "../../../../src/runtimes/cluster/owned-relay.ts";
import { openStore } from "../../../../src/storage/open-store.ts";
import { memoryUploads } from "../../../../src/storage/uploads.ts";
import { check } from "../../../harness/check.ts";
import { until } from "../../../cluster/fixture.ts";

const PEER = peerId("neuro-g.1-1");
const GAME: ResumedPeer = {
  peer: PEER,
  listener: "neuro",
  connection: { address: "127.0.0.1", path: "/", userAgent: "", via: "" },
};

async function fixture() {
  const sent: ToGateway[] = [];
  let mayAct = true;
  const settings = { ...DEFAULTS, "nakurity-clients": [], queue: { ...DEFAULTS.queue, backend: "memory" as const } };
  const relay = new OwnedRelay({
    name: "r",
    record: { session: "a.1", epoch: 3 },
    isClean: false,
    settings,
    services: services(settings),
    log: await openLog(settings.log, () => {}),
    webToken: "token",
    jobs: { run: () => Promise.reject(new Error("no jobs")) },
    print() {},
    surroundings: { relays: () => Promise.resolve([]), nodes: () => Promise.resolve([]) },
  }, {
    connect: () => () => {},
    afterTurn: (run) => void setTimeout(run),
    atTurnEnd: (run) => void setTimeout(run),
    mayAct: () => mayAct,
    gateways: () => ["g.1"],
    send: (_session, message) => void sent.push(message),
    openStore: () => openStore(settings.queue, { onQuarantine() {} }),
    openUploads: () => memoryUploads(),
  });
  const isHandled = (sequence: number) =>
    sent.some((message) => message.is === "handled" && message.frames.some((frame) => frame.sequence === sequence));
  const kinds = () => sent.splice(0).map(({ is }) => is);
  const peers = () => relay.receive("g.1", { is: "peers", relay: "r", epoch: 3, peers: [GAME] });
  const frame = (sequence: number, command: string, data?: object) =>
    relay.receive("g.1", {
      is: "frame",
      relay: "r",
      peer: PEER,
      sequence,
      frame: JSON.stringify({ command, game: "Chess", ...(data !== undefined && { data }) }),
    });
  return { relay, sent, isHandled, kinds, peers, frame, setLease: (isHeld: boolean) => void (mayAct = isHeld) };
}

test("CN31 a gateway whose connection broke while the relay was starting names its peers again, and none of them is lost", async () => {
  const { relay, kinds, peers, frame, isHandled } = await fixture();
  const started = relay.start();
  peers();
  frame(1, "startup");
  relay.lost("g.1");
  peers();
  frame(1, "startup");
  await started;
  frame(2, "context", { message: "hello", silent: true });
  await until(() => isHandled(2), "the second frame");
  check.that(!kinds().includes("close"));
  await relay.stop();
});

test("CN31 a relay that starts waits for the peers of a gateway that has not connected so far", async () => {
  const { relay, kinds, peers, frame, sent } = await fixture();
  const started = relay.start();
  await new Promise((resolve) => setTimeout(resolve, 30));
  check.equal([kinds(), relay.isRunning], [["owner"], false], "it is asked, and is not there");
  relay.gatewayReached("g.1");
  check.equal(kinds(), ["owner"]);
  peers();
  await started;
  frame(1, "startup");
  await until(() => sent.some((message) => message.is === "handled"), "the first frame");
  check.that(!kinds().includes("close"));
  await relay.stop();
});

test("CN31 a frame that is sent again is handled once, and confirmed", async () => {
  const { relay, peers, frame, isHandled } = await fixture();
  const started = relay.start();
  peers();
  await started;
  for (const sequence of [1, 1, 2, 1, 2]) frame(sequence, "context", { message: `line ${sequence}`, silent: true });
  await until(() => isHandled(2), "the second frame");
  const received = relay.host.metrics.frames.labels("neuro", "in").value;
  check.equal(received, 2);
  await relay.stop();
});

test("CN31 the frames of several games are confirmed by one message, and each game's last one is named", async () => {
  const { relay, peers, frame, sent, isHandled } = await fixture();
  const started = relay.start();
  peers();
  await started;
  const other: ResumedPeer = { ...GAME, peer: peerId("neuro-g.1-2") };
  relay.receive("g.1", { is: "opened", relay: "r", ...other });
  frame(1, "startup");
  relay.receive("g.1", {
    is: "frame",
    relay: "r",
    peer: other.peer,
    sequence: 1,
    frame: '{"command":"startup","game":"Go"}',
  });
  frame(2, "context", { message: "hello", silent: true });
  await until(() => isHandled(2), "the last frame");
  const confirmations = sent.flatMap((message) => message.is === "handled" ? [message.frames] : []);
  check.equal(confirmations, [[{ peer: PEER, sequence: 2 }, { peer: other.peer, sequence: 1 }]]);
  await relay.stop();
});

test("CN44 a node that was declared dead lists its clients under its next session before its former connection breaks here", async () => {
  const { relay, peers, frame, isHandled } = await fixture();
  const started = relay.start();
  peers();
  await started;
  frame(1, "startup");
  relay.receive("g.2", { is: "peers", relay: "r", epoch: 3, peers: [GAME] });
  relay.lost("g.1");
  frame(2, "context", { message: "hello", silent: true });
  await until(() => isHandled(2), "the second frame");
  await relay.stop();
});

test("CN12 while the lease is in doubt a relay takes nothing and says nothing, and then continues in order", async () => {
  const { relay, peers, frame, sent, isHandled, setLease, kinds } = await fixture();
  const started = relay.start();
  peers();
  await started;
  frame(1, "startup");
  await until(() => sent.some((message) => message.is === "handled"), "the first frame");
  kinds();
  setLease(false);
  frame(2, "actions/register", { actions: [{ name: "move", description: "Moves." }] });
  frame(3, "actions/force", { query: "Your turn", action_names: ["move"] });
  await new Promise((resolve) => setTimeout(resolve, 30));
  check.equal(kinds(), []);
  setLease(true);
  relay.release();
  const isAnswered = () => sent.some((message) => message.is === "send" && String(message.frame).includes('"action"'));
  await until(isAnswered, "the answer to the force");
  check.that(isHandled(3));
  await relay.stop();
});
