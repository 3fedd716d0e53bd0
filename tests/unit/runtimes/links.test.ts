/** Dialled connections: a URL that no WebSocket has. */
import { test } from "#runner";
import type { Event } from "../../../src/core/event.ts";
import { linkId } from "../../../src/core/ids.ts";
import { Links } from "../../../src/runtimes/links.ts";
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
