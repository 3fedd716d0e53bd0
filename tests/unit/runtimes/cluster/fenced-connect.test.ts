import { test } from "#runner";
import { OutputFence } from "../../../../src/cluster/output-fence.ts";
import { FencedConnections, HELD_BYTES_MAX } from "../../../../src/runtimes/cluster/fenced-connect.ts";
import { type ByteStreamListener, createRawDialer } from "../../../../src/websocket-client/raw-socket.ts";
import { createHash } from "node:crypto";
import { check } from "../../../harness/check.ts";

const MIB = 1_048_576;

/** A server that accepts the handshake, and notes what is written after it. */
function fixture() {
  let mayAct = true;
  const written: string[] = [];
  let listener: ByteStreamListener | undefined;
  let terminated = 0;
  let received = 0;
  const flow: string[] = [];
  const turns: (() => void)[] = [];
  const fence = new OutputFence(() => mayAct);
  const connections = new FencedConnections((_, theirs) => {
    listener = theirs;
    return () => {};
  }, fence);
  const dial = createRawDialer({ connect: connections.connect, afterTurn: (run) => void turns.push(run) });
  const socket = dial({ url: "ws://127.0.0.1:1/", headers: {} }, {
    opened() {},
    received: () => fence.pass(() => void received++),
    relieved() {},
    closed() {},
  });
  const stream = {
    write(bytes: Uint8Array) {
      const text = new TextDecoder("latin1").decode(bytes);
      const key = /Sec-WebSocket-Key: (\S+)/.exec(text)?.[1];
      if (key === undefined) written.push(text);
      else accept(key);
      return bytes.length;
    },
    end() {},
    terminate: () => void terminated++,
    pause: () => void flow.push("pause"),
    resume: () => void flow.push("resume"),
  };
  function accept(key: string): void {
    const digest = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const head =
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${digest}\r\n\r\n`;
    queueMicrotask(() => listener?.received(new TextEncoder().encode(head)));
  }
  return {
    socket,
    written,
    fence,
    connections,
    connected: async () => {
      listener?.connected(stream);
      await Promise.resolve();
    },
    endTurn: () => turns.splice(0).forEach((run) => run()),
    setLease: (isHeld: boolean) => {
      mayAct = isHeld;
    },
    flow,
    /** Neuro sends a frame with this many bytes. */
    neuroSends: (length: number) => {
      const head = new Uint8Array(10);
      head.set([0x81, 127]);
      new DataView(head.buffer).setBigUint64(2, BigInt(length));
      const frame = new Uint8Array(head.length + length).fill(32);
      frame.set(head);
      listener?.received(frame);
    },
    get received() {
      return received;
    },
    get terminated() {
      return terminated;
    },
  };
}

test("CN13 a frame that was sent while the lease held, and would be written when it does not, waits until it is confirmed", async () => {
  const relay = fixture();
  await relay.connected();
  relay.socket.send("first");
  relay.endTurn();
  check.equal(relay.written.length, 1);
  relay.socket.send("second");
  relay.setLease(false);
  relay.endTurn();
  check.equal(relay.written.length, 1, "below the batching");
  relay.socket.send("third");
  relay.endTurn();
  check.equal(relay.written.length, 1);
  relay.setLease(true);
  relay.fence.release();
  relay.connections.release();
  check.equal(relay.written.length, 2, "both leave in one write");
});

test("CN13 a lease that is lost ends dialled connections without a frame", async () => {
  const relay = fixture();
  await relay.connected();
  relay.socket.send("first");
  relay.setLease(false);
  relay.endTurn();
  relay.connections.terminate();
  relay.fence.discard();
  relay.setLease(true);
  relay.endTurn();
  check.equal([relay.written, relay.terminated], [[], 1]);
});

test("CN13 a connection that opens while the lease is in doubt sends its handshake when it is confirmed", async () => {
  const relay = fixture();
  relay.setLease(false);
  await relay.connected();
  relay.setLease(true);
  relay.fence.release();
  await Promise.resolve();
  relay.socket.send("first");
  relay.endTurn();
  check.equal(relay.written.length, 1);
});

test("CN41 what Neuro sends while the lease is in doubt is held up to 8 MiB; then she is not read, and nothing is lost", async () => {
  const relay = fixture();
  await relay.connected();
  await Promise.resolve();
  relay.neuroSends(MIB);
  check.equal(relay.received, 1);
  relay.setLease(false);
  for (let count = 0; count < HELD_BYTES_MAX / MIB - 1; count++) relay.neuroSends(MIB);
  check.equal([relay.received, relay.flow], [1, []]);
  relay.neuroSends(MIB);
  check.equal(relay.flow, ["pause"]);
  relay.connections.release();
  check.equal(relay.flow, ["pause"], "while the lease is in doubt");
  relay.setLease(true);
  relay.fence.release();
  relay.connections.release();
  check.equal([relay.received, relay.flow], [1 + HELD_BYTES_MAX / MIB, ["pause", "resume"]]);
});

test("CN41 what is sent to Neuro while the lease is in doubt is the backlog of its link", async () => {
  const relay = fixture();
  await relay.connected();
  await Promise.resolve();
  relay.setLease(false);
  const frame = "x".repeat(MIB);
  const backlogs = [1, 2, 3].map(() => Math.floor(relay.socket.send(frame) / MIB));
  check.equal([backlogs, relay.written.length], [[1, 2, 3], 0]);
  relay.setLease(true);
  relay.connections.release();
  const headerBytes = 14;
  check.equal(relay.written.join("").length, 3 * (MIB + headerBytes));
});
