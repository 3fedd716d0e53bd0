import { test } from "#runner";
import { encodeMessage, type NodeMessage, WIRE_VERSION } from "../../../../src/cluster/wire.ts";
import { NodeConnections } from "../../../../src/runtimes/cluster/node-connections.ts";
import { check } from "../../../harness/check.ts";

function fixture() {
  const log: string[] = [];
  const writes: number[] = [];
  let afterTurns = 0;
  const nodes = new NodeConnections({
    dial: () => ({ send: () => 0, close() {} }),
    secret: "a secret of at least thirty-two characters",
    session: () => "a.2",
    afterTurn: (run) => {
      afterTurns++;
      run();
    },
    toOwner: (session, message) => void log.push(`${session}: ${message.is}`),
    toGateway: () => {},
    ownerReached: () => {},
    gatewayReached: () => {},
    ownerLost: () => {},
    refused: (session, reason) => void log.push(`refused ${session}: ${reason.slice(0, 20)}`),
    gatewayLost: (session) => void log.push(`lost ${session}`),
  });
  const connect = (...messages: (NodeMessage | string)[]) => {
    const handler = nodes.accept();
    handler.open({ write: () => 0, close() {}, terminate: () => void log.push("terminated"), ping() {} });
    for (const message of messages) handler.message(typeof message === "string" ? message : encodeMessage(message));
    return handler;
  };
  return { nodes, log, connect, writes, turns: () => afterTurns };
}

const hello = (session: string, to: string): NodeMessage => ({ is: "hello", session, to, version: WIRE_VERSION });

test("CN30 a connection for a former session at the same place is ended, and does not replace the one for the present session", () => {
  const { log, connect, nodes } = fixture();
  connect(hello("b.1", "a.2"), { is: "join", relay: "r" });
  connect(hello("b.1", "a.1"));
  check.equal(log, ["b.1: join", "terminated"]);
  check.equal(nodes.gateways(), ["a.2", "b.1"]);
});

test("CN44 when a node greets under its next session, the connection of its former one ends first, and what that still brings is ignored", () => {
  const { log, connect, nodes } = fixture();
  const former = connect(hello("b.1", "a.2"), { is: "join", relay: "r" });
  connect(hello("b.2", "a.2"), { is: "join", relay: "r" });
  former.message(encodeMessage({ is: "join", relay: "r" }));
  check.equal(log.slice(0, 4), ["b.1: join", "terminated", "lost b.1", "b.2: join"]);
  check.that(!log.slice(4).includes("b.1: join"));
  check.equal(nodes.gateways(), ["a.2", "b.2"]);
});

test("what relays send to a gateway at the end of a turn leaves in one write, without another turn", () => {
  const { nodes, writes, turns } = fixture();
  const handler = nodes.accept();
  handler.open({ write: (frames) => writes.push(frames.length), close() {}, terminate() {}, ping() {} });
  handler.message(encodeMessage(hello("b.1", "a.2")));
  const send = () => nodes.sendToGateway("b.1", { is: "notOwner", relay: "r" });
  nodes.endTurn(() => [send(), send()]);
  check.equal([writes, turns()], [[2], 0]);
  send();
  check.equal([writes, turns()], [[2, 1], 1]);
});

test("CN11 a node that sends garbage, greets twice or does not greet loses its connection, with the reason in the log", () => {
  const { log, connect, nodes } = fixture();
  connect({ is: "join", relay: "r" });
  connect(hello("b.1", "a.2"), "garbage");
  connect(hello("c.1", "a.2"), hello("c.1", "a.2"));
  connect(hello("d.1", "a.2"), { is: "owner", relay: "r", epoch: 1 });
  connect({ is: "hello", session: "e.1", to: "a.2", version: 1 });
  check.equal(log, [
    "refused undefined: it did not greet",
    "terminated",
    "refused b.1: invalid message garb",
    "terminated",
    "lost b.1",
    "refused c.1: it greeted twice",
    "terminated",
    "lost c.1",
    'refused d.1: invalid message {"is',
    "terminated",
    "lost d.1",
    "refused undefined: its version 1 is not",
    "terminated",
  ]);
  check.equal(nodes.gateways(), ["a.2"]);
});
