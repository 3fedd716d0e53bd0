/** Accepted connections, whatever the runtime. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Event } from "../../../src/core/event.ts";
import type { PeerId } from "../../../src/core/ids.ts";
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

/** Connections of games, and what was written to each. */
class Flushes {
  readonly #turns: (() => void)[] = [];
  readonly #peers: PeerConnections;
  readonly #ids: readonly PeerId[];
  readonly writes: string[][];

  constructor(count: number, isLoop: boolean) {
    const host = { metrics: createMetrics(), settings: DEFAULTS, push: () => {}, observe: () => {} };
    const afterTurn = (run: () => void): void => void this.#turns.push(run);
    this.#peers = new PeerConnections({ ...host, ...(isLoop && { afterTurn }) });
    this.writes = Array.from({ length: count }, () => []);
    this.#ids = this.writes.map((writes) => {
      const handler = this.#peers.admit("neuro", TEST_CONNECTION);
      handler.open({
        write: (frames) => (writes.push(frames.join()), 0),
        close: () => {},
        terminate: () => {},
        ping: () => {},
      });
      return handler.id;
    });
  }

  /** Sends a frame to the first peers, or to each. */
  send(frame: string, count = this.#ids.length): this {
    for (const id of this.#ids.slice(0, count)) this.#peers.send(id, frame);
    return this;
  }

  flush(): this {
    this.#peers.flush();
    return this;
  }

  /** Ends a turn. Returns how many functions were due. */
  endTurn(): number {
    const due = this.#turns.splice(0);
    for (const run of due) run();
    return due.length;
  }

  close(index: number): void {
    const id = this.#ids[index];
    if (id !== undefined) this.#peers.close(id, 1001, "restarting");
  }
}

test("RT78 frames to at most 32 peers, or a quarter of all, are written at the end of the turn; others one turn later, with those of that turn", () => {
  const few = new Flushes(32, true);
  few.send("a").flush();
  check.equal(few.writes, Array.from({ length: 32 }, () => ["a"]));
  check.equal(few.endTurn(), 0);

  const quarter = new Flushes(160, true).send("a", 40).flush();
  check.equal([quarter.writes.flat().length, quarter.endTurn()], [40, 0]);
  const overAQuarter = new Flushes(160, true).send("a", 41).flush();
  check.equal([overAQuarter.writes.flat().length, overAQuarter.endTurn(), overAQuarter.writes.flat().length], [0, 1, 41]);

  const many = new Flushes(33, true);
  many.send("a").flush();
  check.equal(many.writes.flat(), []);
  many.send("b"); // Of the next turn, at whose end the connections run before the engine, because they were first to ask.
  check.equal(many.endTurn(), 1);
  many.flush();
  check.equal(many.writes, Array.from({ length: 33 }, () => ["a,b"]));
  check.equal(many.endTurn(), 0);
  many.send("c").flush();
  many.endTurn();
  check.equal(many.writes[0], ["a,b", "c"]);
});

test("RT78 a second flush writes at once, and so does a close, and a relay for which waiting gains nothing", () => {
  const flushed = new Flushes(33, true);
  flushed.send("a").flush().send("b").flush();
  check.equal(flushed.writes, Array.from({ length: 33 }, () => ["a,b"]));
  flushed.endTurn();
  check.equal(flushed.writes[32], ["a,b"]);

  const closed = new Flushes(33, true);
  closed.send("a").flush().close(1);
  check.equal(closed.writes.slice(0, 3), [[], ["a"], []]);
  closed.endTurn();
  check.equal(closed.writes, Array.from({ length: 33 }, () => ["a"]));

  check.equal(new Flushes(33, false).send("a").flush().writes, Array.from({ length: 33 }, () => ["a"]));
});
