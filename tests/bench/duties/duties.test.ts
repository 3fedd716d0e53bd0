/** The floor has its duties: without these tests it could be cheap because it does nothing. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import type { RawOutlet } from "../raw-sockets.ts";
import type { FloorGame } from "./game.ts";
import { DUTIES, FLOOR_DEFAULTS, type FloorOptions } from "./options.ts";
import { FloorRelay } from "./relay.ts";

class Outlet implements RawOutlet {
  readonly sent: string[] = [];
  backlog = 0;
  closed: number | undefined;

  send(text: string): void {
    this.sent.push(text);
  }

  close(code: number): void {
    this.closed = code;
  }

  /** The last frame, parsed. */
  get last(): { readonly command: string; readonly data: Record<string, unknown> } | undefined {
    const frame = this.sent.at(-1);
    return frame === undefined ? undefined : JSON.parse(frame);
  }
}

interface Client {
  readonly game: FloorGame;
  readonly outlet: Outlet;
  send(message: object): void;
}

const TECHNIQUES = [new Set(DUTIES), new Set([...DUTIES, "patterns"] as const)];

function fixture(options: Partial<FloorOptions> = {}) {
  const neuro = new Outlet();
  const clock = { now: 1_796_000_000_000, wakeAt: Infinity };
  const relay = new FloorRelay({ ...FLOOR_DEFAULTS, ...options }, {
    neuro,
    now: () => clock.now,
    wake: (ms) => void (clock.wakeAt = clock.now + ms),
  });
  const join = (name: string): Client => {
    const outlet = new Outlet();
    const game = relay.openGame(outlet);
    const send = (message: object): void => relay.fromGame(game, JSON.stringify(message));
    send({ command: "startup", game: name });
    send({ command: "actions/register", game: name, data: { actions: [{ name: "buy", description: "buys" }] } });
    return { game, outlet, send };
  };
  const act = (id: string, { game }: Client, more: object = {}): void =>
    relay.fromNeuro(
      JSON.stringify({ command: "action", data: { id, name: `g${game.id}--buy`, data: `{"n":1}`, ...more } }),
    );
  const passTo = (at: number): void => {
    while (clock.wakeAt <= at) {
      clock.now = clock.wakeAt;
      clock.wakeAt = Infinity;
      relay.tick();
    }
    clock.now = at;
  };
  return { relay, neuro, clock, join, act, passTo };
}

const result = (game: string, id: unknown, more: object = {}) => ({
  command: "action/result",
  game,
  data: { success: true, id, ...more },
});
const limits = FLOOR_DEFAULTS.limits;

for (const duties of TECHNIQUES) {
  const how = duties.has("patterns" as never) ? "with patterns" : "with the parser";

  test(`floor, ${how}: an action gets an id of the relay, its result Neuro's`, () => {
    const { neuro, join, act } = fixture({ with: duties });
    const chess = join("Chess");
    act("a-1", chess);
    const { id, ...rest } = chess.outlet.last?.data ?? {};
    check.match(String(id), /^\d{13}-\d{10}~a-1$/);
    check.equal(rest, { name: "buy", data: `{"n":1}` });
    chess.send(result("Chess", id, { message: `a "quote"` }));
    check.equal(neuro.last, {
      command: "action/result",
      game: "Relay",
      data: { id: "a-1", success: true, message: `a "quote"` },
    } as never);
    chess.send({ command: "context", game: "Chess", data: { message: "hello", silent: true } });
    check.equal(neuro.last?.data, { message: "[Chess] hello", silent: true });
  });

  test(`floor, ${how}: messages are checked`, () => {
    const { relay, neuro, join, act } = fixture({ with: duties });
    const [chess, poker] = [join("Chess"), join("Poker")];
    act("a-1", chess, { secret: 1 });
    check.equal(Object.keys(chess.outlet.last?.data ?? {}), ["id", "name", "data"]);
    const before = neuro.sent.length;
    for (const text of ["", "[1]", "{", `{"command":"context","game":"Chess","data":${"[".repeat(70)}${"]".repeat(70)}}`]) {
      relay.fromGame(chess.game, text);
    }
    chess.send({ command: "context", game: "Chess", data: { silent: true } });
    chess.send(result("Chess", { not: "a text" }));
    chess.send({ command: "context", game: "Poker", data: { message: "in another name", silent: true } });
    check.equal([neuro.sent.length, relay.counts.refused], [before, 7]);
    chess.send({ command: "context", game: "Chess", data: { message: "ok", silent: true, password: "x" } });
    check.equal(neuro.last?.data, { message: "[Chess] ok", silent: true });
    poker.send({ command: "context", game: "Poker", data: { message: 12345678901234567890n.toString(), silent: "yes" } });
    check.equal(neuro.last?.data, { message: "[Poker] 12345678901234567890", silent: false });
    relay.fromNeuro(`{"command":"action","data":{"id":7,"name":"g2--buy","data":{"n":1.10}}}`);
    check.equal([poker.outlet.last?.data["name"], poker.outlet.last?.data["data"]], ["buy", `{"n":1.10}`]);
    relay.fromNeuro(`{"command":"action","data":{"id":"é","name":"g2--buy","data":"{\\"s\\":\\"é\\"}"}}`);
    check.equal(poker.outlet.last?.data["data"], `{"s":"é"}`);
    check.match(poker.outlet.sent.at(-1) ?? "", /^[ -~]+$/);
  });

  test(`floor, ${how}: a result without a pending action of its game is ignored`, () => {
    const { relay, neuro, join, act, passTo, clock } = fixture({ with: duties });
    const [chess, poker] = [join("Chess"), join("Poker")];
    act("a-1", chess);
    act("a-1", chess);
    check.equal(chess.outlet.sent.length, 1, "an action that is sent again is delivered once");
    const id = chess.outlet.last?.data["id"];
    const before = neuro.sent.length;
    poker.send(result("Poker", id));
    poker.send(result("Poker", "nonsense"));
    check.equal(neuro.sent.length, before);
    chess.send(result("Chess", id));
    chess.send(result("Chess", id));
    act("a-2", chess);
    const late = chess.outlet.last?.data["id"];
    passTo(clock.now + 20_000);
    chess.send(result("Chess", late));
    check.equal(neuro.sent.length, before + 2);
    check.equal(relay.counts.ignored, { late: 1, twice: 1, foreign: 1, unknown: 1 });
    act("a-3", chess);
    chess.send(result("Chess", "a-3"));
    check.equal(neuro.last?.data, { id: "a-3", success: true }, "Neuro's id alone is understood");
    relay.fromNeuro(`{"command":"action","data":{"id":"a-4","name":"g9--buy"}}`);
    check.equal(neuro.last?.data["success"], false);
  });

  test(`floor, ${how}: an action that is not answered fails at its deadline, or succeeds by evidence`, () => {
    const { relay, neuro, join, act, passTo, clock } = fixture({ with: duties });
    const [chess, poker] = [join("Chess"), join("Poker")];
    const from = clock.now;
    act("a-1", chess);
    passTo(from + 5_000);
    act("a-2", poker);
    passTo(from + 17_999);
    check.equal(relay.pendingCount, 2);
    passTo(from + 18_000);
    check.equal(neuro.last?.data, { id: "a-1", success: false, message: "No answer came in time." });
    poker.send({ command: "context", game: "Poker", data: { message: "I buy it", silent: true } });
    passTo(from + 20_000);
    check.equal(neuro.last?.data, { id: "a-2", success: true });
    act("a-3", chess);
    relay.closeGame(chess.game);
    check.equal(neuro.last?.data["id"], "a-3");
    check.equal(relay.pendingCount, 0);
  });

  test(`floor, ${how}: what is kept, sent and not read has limits`, () => {
    const { relay, neuro, join, act } = fixture({ with: duties, limits: { ...limits, peer_bytes: 1_200 } });
    const chess = join("Chess");
    act("a-1", chess);
    act("a-2", chess);
    act("a-3", chess);
    check.match(String(neuro.last?.data["message"]), /^Too many actions wait/);
    check.equal([relay.pendingCount, relay.serviceBytes, relay.relayBytes], [2, relay.linkBytes, relay.linkBytes]);
    check.that(relay.linkBytes > 1_024 && relay.linkBytes <= 1_200);
    chess.outlet.backlog = limits.backlog_hard_bytes;
    relay.closeGame(chess.game);
    check.equal([relay.linkBytes, relay.serviceBytes, relay.relayBytes], [0, 0, 0]);
    const poker = join("Poker");
    poker.outlet.backlog = limits.backlog_hard_bytes;
    act("a-4", poker);
    check.equal(poker.outlet.closed, 4429);
    const loud = join("Loud");
    loud.send({ command: "context", game: "Loud", data: { message: "x".repeat(limits.message_bytes), silent: true } });
    check.equal(loud.outlet.closed, 1009);
  });

  test(`floor, ${how}: a game and its address have rates, and contexts wait for a backend that does not read`, () => {
    const rates = { messages_per_second: 10, burst: 20, bytes_per_second: 1_000_000 };
    const { neuro, join, clock } = fixture({ with: duties, limits: { ...limits, ...rates } });
    const chess = join("Chess");
    const context = { command: "context", game: "Chess", data: { message: "hello", silent: true } };
    for (let count = 0; count < 18; count++) chess.send(context);
    check.equal(chess.outlet.closed, undefined);
    clock.now += 100;
    chess.send(context);
    check.equal(chess.outlet.closed, undefined);
    const before = neuro.sent.length;
    chess.send(context);
    check.equal([chess.outlet.closed, neuro.sent.length], [1008, before]);
    const others = Array.from({ length: 80 }, (_, at) => join(`Game ${at}`));
    check.that(others.some(({ outlet }) => outlet.closed === 1008), "the address has a limit of its own");
    const quiet = fixture({ with: duties });
    const poker = quiet.join("Poker");
    quiet.neuro.backlog = limits.backlog_soft_bytes + 1;
    const sent = quiet.neuro.sent.length;
    for (let at = 0; at < 300; at++) poker.send({ ...context, game: "Poker" });
    check.equal(quiet.neuro.sent.length, sent);
    quiet.neuro.backlog = 0;
    poker.send({ ...context, game: "Poker" });
    check.equal(quiet.neuro.sent.length, sent + 201);
  });

  test(`floor, ${how}: metrics, traces and transcripts are kept within their limits`, () => {
    const { relay, join, act } = fixture({ with: duties });
    const chess = join("Chess");
    for (let at = 0; at < 1_000; at++) {
      act(`a-${at}`, chess);
      chess.send(result("Chess", chess.outlet.last?.data["id"]));
      chess.send({ command: "context", game: "Chess", data: { message: `context ${at}`, silent: true } });
    }
    const { actionsIn, actionsOut, resultsIn, resultsOut, contextsIn, contextsOut, successes, latency } = relay.counts;
    check.equal([actionsIn, actionsOut, resultsIn, resultsOut, contextsIn, contextsOut, successes], Array(7).fill(1_000));
    check.equal([latency.counts[0], chess.game.times.counts[0]], [1_000, 1_000]);
    const records = chess.game.traces?.items() ?? [];
    check.equal(records.length, 100);
    const last = records.at(-2);
    check.that(last !== undefined && "neuroId" in last && last.neuroId === "a-999" && last.success && last.by === "game");
    const kept = relay.transcript?.bytes ?? 0;
    check.that(kept > 250 * 1_024 && kept <= 256 * 1_024);
    check.equal(relay.ringBytes, kept + (chess.game.traces?.bytes ?? 0));
  });

  test(`floor, ${how}: an internal error costs the peer that caused it, and no effect of its step is carried out`, () => {
    const { relay, neuro, join, act } = fixture({ with: duties });
    const [chess, poker] = [join("Chess"), join("Poker")];
    const seen: object[] = [];
    relay.watchers.push((observation) => seen.push(observation));
    relay.watchers.push(() => {
      if (seen.length === 2) throw new Error("an internal error");
    });
    act("a-1", chess);
    const before = neuro.sent.length;
    chess.send(result("Chess", chess.outlet.last?.data["id"]));
    check.equal([neuro.sent.length, chess.outlet.closed, relay.counts.panics], [before, 1011, 1]);
    act("a-2", poker);
    poker.send(result("Poker", poker.outlet.last?.data["id"]));
    check.equal(neuro.last?.data, { id: "a-2", success: true });
  });
}
