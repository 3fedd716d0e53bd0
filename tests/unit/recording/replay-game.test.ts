/** The replay of a recorded game to a backend. */
import { test } from "#runner";
import { replayGame } from "../../../src/recording/mod.ts";
import type { SimulatedRelay, TestSocket } from "../../../src/testing/mod.ts";
import { check } from "../../harness/check.ts";
import {
  action,
  FORCE,
  type ReceivedMessage,
  REGISTER,
  result,
  script,
  type ScriptLine,
  simulationOf,
  STARTUP,
} from "./replay-fixture.ts";

const UNREGISTER = { command: "actions/unregister", game: "Chess", data: { action_names: ["move"] } };
const LINES: readonly ScriptLine[] = [
  [0, "game", STARTUP],
  [100, "game", REGISTER],
  [200, "game", FORCE],
  [1_200, "backend", action("1")],
  [1_250, "game", UNREGISTER],
  [1_300, "game", result("1", false, "blocked")],
  [1_800, "backend", action("2")],
  [1_900, "game", result("2", true, "moved")],
  [2_400, "game", { command: "context", game: "Chess", data: { message: "well played", silent: true } }],
];

interface ReplayedGame {
  readonly simulation: SimulatedRelay;
  readonly heard: readonly ReceivedMessage[];
  readonly backend: TestSocket;
  readonly playing: ReturnType<typeof replayGame>;
  ask(id: string, name?: string, data?: string): void;
}

async function startReplay(
  lines: readonly ScriptLine[] = LINES,
  changes: Parameters<typeof script>[1] = {},
): Promise<ReplayedGame> {
  const playing = replayGame(script(lines, changes), "ws://backend");
  const wires: TestSocket[] = [];
  const received: ReceivedMessage[] = [];
  const simulation = await simulationOf(playing, (url) => (socket) => {
    check.equal(url, "ws://backend");
    wires.push(socket);
    socket.onFrame = (frame) => received.push({ at: simulation.clock.now, message: JSON.parse(String(frame)) });
  });
  const from = simulation.clock.now;
  // Why: a dial during the start is lost in the simulation.
  while (wires.length === 0 && simulation.clock.now < from + 10_000) await simulation.advance(1);
  const [backend] = wires;
  if (backend === undefined) throw new Error("it does not dial");
  return {
    simulation: simulation,
    playing,
    backend,
    heard: received,
    ask: (...of) => backend.send(JSON.stringify(action(...of))),
  };
}

const commands = (heard: readonly ReceivedMessage[]) => heard.map(({ message }) => message.command);

test("OB20 a game sends its lines in order and on time, and waits for as many actions as had come", async () => {
  const harness = await startReplay();
  await harness.simulation.advance(4_000);
  check.equal(commands(harness.heard), ["startup", "actions/register", "actions/force"]);
  const [first] = harness.heard;
  check.equal(harness.heard.map(({ at }) => at - (first?.at ?? 0)), [0, 100, 200]);
  harness.ask("hers-1");
  const asked = harness.simulation.clock.now;
  await harness.simulation.advance(100);
  check.equal(harness.heard.slice(3).map(({ at, message }) => [at - asked, message.command]), [
    [50, "actions/unregister"],
    [100, "action/result"],
  ]);
  harness.ask("hers-2");
  await harness.simulation.advance(100);
  check.equal(harness.heard.slice(4).map(({ message }) => message), [
    result("hers-1", false, "blocked"),
    result("hers-2", true, "moved"),
  ]);
  await harness.simulation.advance(10_000);
  check.equal(commands(harness.heard).at(-1), "context");
  check.equal(harness.playing.report(), { broken: undefined, played: 5, of: 5, agreed: 2, differing: 0, differences: [] });
  check.equal(harness.backend.isOpen, false);
});

test("OB20 at any speed, what a game sends between an action and its result precedes the result", async () => {
  const harness = await startReplay(LINES, { speed: Infinity });
  harness.ask("a");
  harness.ask("b");
  await harness.simulation.advance(10);
  check.equal(commands(harness.heard), [
    ...["startup", "actions/register", "actions/force", "actions/unregister"],
    ...["action/result", "action/result", "context"],
  ]);
});

test("OB21 every action is answered once: as recorded, then with the last result, or as a success", async () => {
  const harness = await startReplay(LINES, { speed: Infinity });
  for (const id of ["a", "b", "c"]) harness.ask(id);
  harness.ask("d", "dance");
  await harness.simulation.advance(20_000);
  const results = harness.heard.filter(({ message }) => message.command === "action/result");
  check.equal(results.map(({ message: { data } }) => [data.id, data.success, data.message]), [
    ["a", false, "blocked"],
    ["b", true, "moved"],
    ["c", true, "moved"],
    ["d", true, "not in the recording"],
  ]);
});

test("OB19 extra and missing actions of a backend are reported", async () => {
  const harness = await startReplay(LINES, { speed: Infinity });
  harness.ask("a", "move", '{ "to": "d4" }');
  harness.ask("b", "dance", "{}");
  await harness.simulation.advance(20_000);
  check.equal(
    harness.playing.report()?.differences.map(({ is, what, recorded, now }) => [is, what, recorded, now].join(" | ")),
    [
      'different | action move | {"to":"e4"} | {"to":"d4"}',
      "extra | action dance |  | {}",
      'missing | action move | {"to":"e4"} | ',
    ],
  );
});

test("OB18 a silent backend delays a line by at most the patience", async () => {
  const harness = await startReplay(LINES, { speed: Infinity });
  await harness.simulation.advance(5_900);
  check.equal(harness.heard.length, 3);
  await harness.simulation.advance(60_000);
  check.equal(commands(harness.heard).slice(3), ["actions/unregister", "context"]);
  check.equal(harness.playing.report()?.differing, 2);
});

test("OB20 a backend that is unreachable, or disconnects, ends the replay with the reason", async () => {
  const refused = replayGame(script(LINES), "ws://me:CANARY@nowhere/t/CANARY/x?token=CANARY");
  const simulation = await simulationOf(refused);
  await simulation.advance(9_000);
  check.equal(refused.report(), undefined);
  await simulation.advance(3_000);
  check.match(refused.report()?.broken ?? "", /^no connection to ws:\/\/nowhere\/t\/\.\.\.\/x: /);
  const harness = await startReplay();
  await harness.simulation.advance(150);
  harness.backend.close();
  await harness.simulation.advance(10);
  check.equal([harness.playing.report()?.broken, harness.playing.report()?.played], [
    "the backend closed the connection (1000)",
    2,
  ]);
});

test("OB20 a stopped replay reports the number of replayed messages", async () => {
  const harness = await startReplay();
  await harness.simulation.advance(150);
  void harness.simulation.engine?.drain();
  await harness.simulation.advance(1);
  check.equal([harness.playing.report()?.broken, harness.playing.report()?.played], ["stopped", 2]);
});

test("OB21 an action that the recorded game did not answer is not answered now", async () => {
  const harness = await startReplay([[0, "game", STARTUP], [10, "backend", action("1")]], { speed: Infinity });
  harness.ask("x");
  await harness.simulation.advance(10_000);
  check.equal(commands(harness.heard), ["startup"]);
  check.equal(harness.playing.report()?.differing, 0);
});
