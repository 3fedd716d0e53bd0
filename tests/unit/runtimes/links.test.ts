/** Dialled connections: a URL that no WebSocket has. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Event } from "../../../src/core/event.ts";
import { linkId } from "../../../src/core/ids.ts";
import { createMetrics } from "../../../src/observability/mod.ts";
import { createSockets, PeerConnections } from "../../../src/runtimes/connections.ts";
import { Links } from "../../../src/runtimes/links.ts";
import type { Dialer } from "../../../src/websocket-client/dialer.ts";
import { createRawDialer } from "../../../src/websocket-client/raw-socket.ts";
import { check } from "../../harness/check.ts";

test("CL5 a URL with another scheme, with a fragment or without a host is a final failure, and no other one is", () => {
  const urls = { "http://x": true, "ws:": true, "ws://x/#a": true, "x": true, "": true, "ws://nowhere.invalid": false };
  for (const [url, isFinal] of Object.entries(urls)) {
    const events: Event[] = [];
    const dialer = createRawDialer({
      connect: (_, listener) => {
        setTimeout(() => listener.closed("no such host"));
        return () => {};
      },
      afterTurn: (run) => run(),
    });
    new Links((event) => events.push(event), dialer).dial(linkId("neuro:a:1"), url, {});
    check.equal(events.map((event) => event.is === "dropped" && event.isFinal), isFinal ? [true] : [], url);
  }
});

test("RT79 a flush of the engine writes to links that can, as to peers", () => {
  const calls: string[] = [];
  const dialer: Dialer = ({ url }) => ({
    send: (frame) => calls.push(`${url} ${frame}`),
    close: () => {},
    ...(url === "ws://one" && { flush: () => void calls.push(`${url} written`) }),
  });
  const links = new Links(() => {}, dialer);
  const host = { metrics: createMetrics(), settings: DEFAULTS, push: () => {}, observe: () => {} };
  const sockets = createSockets(new PeerConnections(host), links);
  for (const name of ["one", "two"]) {
    sockets.dial(linkId(`neuro:${name}:1`), `ws://${name}`, {});
    sockets.send(linkId(`neuro:${name}:1`), "a");
  }
  sockets.flush();
  check.equal(calls, ["ws://one a", "ws://two a", "ws://one written"]);
});
