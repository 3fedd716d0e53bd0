/** Which steps of a service are reported to the Intermediary as a change. */
import { test } from "#runner";
import type { Effect } from "../../../src/core/effect.ts";
import type { Event, ServiceEvent } from "../../../src/core/event.ts";
import { type Key, type LinkId, type LoadToken, peerId, toRequestId } from "../../../src/core/ids.ts";
import { mayChange } from "../../../src/relay/service-changes.ts";
import { check } from "../../harness/check.ts";
import { setUp } from "./relay-fixture.ts";

const principal = { by: "test", scopes: [] };
const requestId = toRequestId("r1");
const peer = peerId("p");

const NEVER: readonly ServiceEvent[] = [
  { is: "requested", requestId, principal, request: { of: "neuro", get: "status" } },
  { is: "ponged", peer },
  { is: "backpressure", peer },
  { is: "relieved", peer },
  { is: "throttled", peer, retryMs: 1 },
  { is: "linkRelieved", link: "neuro:a" as LinkId },
  { is: "serviceMessage", message: { is: "serviceChanged", service: "neuro" } },
  { is: "serviceMessage", message: { is: "observed", observation: { is: "neuroos_disconnected", name: "w" } } },
];

const ALWAYS: readonly ServiceEvent[] = [
  { is: "requested", requestId, principal, request: { of: "neuro", do: "disconnect", id: "chess" } },
  { is: "frame", peer, frame: "{}" },
  { is: "closed", peer, code: 1000 },
  { is: "received", link: "neuro:a" as LinkId, frame: "{}" },
  { is: "stored", key: "intermediary/queue/x" as Key },
  {
    is: "serviceMessage",
    message: {
      is: "observed",
      observation: { is: "operator_acted", by: "web", did: "pause", to: "chess", outcome: "done" },
    },
  },
];

const BY_EFFECT: readonly ServiceEvent[] = [
  { is: "tick" },
  { is: "loaded", token: "brain:1" as LoadToken, entries: [] },
];

test("IM126 whatever may change a service is reported: a frame, a connection, a command, a deadline with a consequence", () => {
  const invisible: readonly Effect[] = [{ do: "ping", peer }, { do: "send", to: peer, frame: "{}" }];
  const visible: readonly Effect[] = [...invisible, {
    do: "observe",
    observation: { is: "neuroos_disconnected", name: "w" },
  }];
  check.equal(NEVER.filter((event) => mayChange(event, visible)), []);
  check.equal(ALWAYS.filter((event) => !mayChange(event, [])), []);
  check.equal(BY_EFFECT.filter((event) => mayChange(event, invisible)), []);
  check.equal(BY_EFFECT.filter((event) => !mayChange(event, visible)), []);
});

test("IM126 the Intermediary is told of a step that it wants to know of, its own included, and of no other", () => {
  const wanted = new Set<string>();
  const { open, frame, seen, step } = setUp({}, {}, (service) => wanted.has(service));
  open("game");
  open("watcher", "intermediary");
  seen();
  frame("game", "1");
  check.equal(seen(), ["neuro frame game 1"]);
  wanted.add("neuro");
  frame("game", "2");
  frame("watcher", "3");
  check.equal(seen(), ["neuro frame game 2", "intermediary received serviceChanged", "intermediary frame watcher 3"]);
  wanted.add("intermediary");
  frame("watcher", "4");
  check.equal(seen(), ["intermediary frame watcher 4", "intermediary received serviceChanged"]);
  const ponged: Event = { is: "ponged", peer: peerId("game") };
  step(ponged);
  check.equal(seen(), ["neuro ponged game"]);
});
