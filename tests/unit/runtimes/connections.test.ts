/** Accepted connections, whatever the runtime. */
import { test } from "#runner";
import type { Event } from "../../../src/core/event.ts";
import { createMetrics } from "../../../src/observability/mod.ts";
import { CLOSING_FRAMES_MAX, PeerConnections, type ServerSocket } from "../../../src/runtimes/connections.ts";
import { TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { check } from "../../harness/check.ts";

test("SE52b a peer that sends more than 1,000 frames after the relay has closed it is disconnected at once", () => {
  for (const kind of ["message", "controlFrame"] as const) {
    const events: Event["is"][] = [];
    const host = { metrics: createMetrics(), push: ({ is }: Event) => void events.push(is), observe: () => {} };
    const peers = new PeerConnections(host, { afterTurn: (run) => run() });
    const calls: string[] = [];
    const socket: ServerSocket = {
      write: () => 0,
      close: (code) => void calls.push(`close ${code}`),
      terminate: () => void calls.push("terminate"),
      ping: () => {},
    };
    const handler = peers.admit("neuro", TEST_CONNECTION);
    handler.open(socket);
    peers.close(handler.id, 1008, "too many messages");
    for (let at = 0; at < CLOSING_FRAMES_MAX; at++) handler[kind]("x");
    check.equal([calls, events], [["close 1008"], ["opened"]]);
    for (let at = 0; at < 5; at++) handler[kind]("x");
    check.equal([calls, events], [["close 1008", "terminate"], ["opened", "closed"]]);
  }
});
