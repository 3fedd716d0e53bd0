/** Accepted connections, whatever the runtime. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Event } from "../../../src/core/event.ts";
import type { Observation } from "../../../src/core/observation.ts";
import { createMetrics } from "../../../src/observability/mod.ts";
import {
  CLOSING_BYTES_MAX,
  CLOSING_FRAME_BYTES_MIN,
  type ConnectionHandler,
  PeerConnections,
  type ServerSocket,
} from "../../../src/runtimes/connections.ts";
import { TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { check } from "../../harness/check.ts";

test("SE52b a peer that sends more than 1 MiB, or 256 frames, after the relay has closed it is disconnected at once", () => {
  const floods: readonly (readonly [count: number, send: (handler: ConnectionHandler) => void])[] = [
    [CLOSING_BYTES_MAX / CLOSING_FRAME_BYTES_MIN, (handler) => handler.controlFrame()],
    [CLOSING_BYTES_MAX / CLOSING_FRAME_BYTES_MIN, (handler) => handler.message("x")],
    [4, (handler) => handler.message("x".repeat(CLOSING_BYTES_MAX / 4))],
  ];
  for (const [count, send] of floods) {
    const events: Event["is"][] = [];
    const host = {
      metrics: createMetrics(),
      push: ({ is }: Event) => void events.push(is),
      observe: () => {},
      settings: DEFAULTS,
    };
    const peers = new PeerConnections(host);
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
    for (let at = 0; at < count; at++) send(handler);
    check.equal([calls, events], [["close 1008"], ["opened"]]);
    for (let at = 0; at < 5; at++) send(handler);
    check.equal([calls, events], [["close 1008", "terminate"], ["opened", "closed"]]);
  }
});

test("IM3c a peer of the Intermediary with more unread bytes than limits.greeting_bytes is disconnected; peers of other listeners are not", () => {
  for (const listener of ["intermediary", "neuro", "brain"] as const) {
    const observed: string[] = [];
    const host = {
      metrics: createMetrics(),
      settings: DEFAULTS,
      push: () => {},
      observe: ({ is }: Observation) => void observed.push(is),
    };
    const peers = new PeerConnections(host);
    let terminated = 0;
    const handler = peers.admit(listener, TEST_CONNECTION);
    handler.open({ write: () => 0, close: () => {}, terminate: () => void terminated++, ping: () => {} });
    handler.buffered(DEFAULTS.limits.greeting_bytes);
    check.equal(terminated, 0);
    handler.buffered(DEFAULTS.limits.greeting_bytes + 100);
    handler.buffered(DEFAULTS.limits.greeting_bytes + 200);
    check.equal([terminated, observed], listener === "intermediary" ? [1, ["greeting_refused"]] : [0, []]);
  }
});
