/** The replay of a recorded backend to a game. */
import { test } from "#runner";
import { replayBackend } from "../../../src/recording/mod.ts";
import { check } from "../../harness/check.ts";
import {
  action,
  FORCE,
  listen,
  type ReceivedMessage,
  REGISTER,
  result,
  script,
  type ScriptLine,
  simulationOf,
  STARTUP,
} from "./replay-fixture.ts";

const LINES: readonly ScriptLine[] = [
  [0, "game", STARTUP],
  [10, "backend", {
    command: "startup",
    data: { session: { sessionId: "s", characterId: "neuro", displayName: "Neuro" } },
  }],
  [20, "game", REGISTER],
  [30, "game", { command: "context", game: "Chess", data: { message: "hi", silent: true } }],
  [40, "game", FORCE],
  [1_040, "backend", action("7", "move")],
  [1_100, "game", result("7", false, "not there")],
  [1_600, "backend", action("8", "move", '{"to":"d4"}')],
  [1_700, "game", result("8")],
];

/** A game, its socket and its received messages. */
async function played(lines: readonly ScriptLine[] = LINES, changes: Parameters<typeof script>[1] = {}) {
  const playing = replayBackend(script(lines, changes));
  const simulation = await simulationOf(playing);
  const socket = simulation.network.connect("neuro");
  const received: ReceivedMessage[] = listen(simulation, socket);
  const codes: number[] = [];
  socket.onClose = (code) => codes.push(code);
  await simulation.advance(1);
  return {
    playing,
    simulation,
    heard: received,
    codes,
    wire: socket,
    say: (message: unknown) => socket.send(JSON.stringify(message)),
  };
}

test("OB17 a backend sends each line once the game has sent what came before it, with the recorded pause", async () => {
  const { playing, simulation, heard: received, codes, say } = await played();
  await simulation.advance(3_000);
  check.equal(received, []);
  say(STARTUP);
  await simulation.advance(10);
  check.equal(received.map(({ message }) => message.command), ["startup"]);
  say(FORCE); // Why: the order among what a game says before a line does not matter.
  await simulation.advance(2_000);
  check.equal(received.length, 1);
  say(REGISTER);
  const registered = simulation.clock.now;
  await simulation.advance(2_000);
  check.equal(received.slice(1).map(({ at, message }) => [at - registered, message]), [[1_000, action("7")]]);
  say(result("7", false, "not there"));
  const failed = simulation.clock.now;
  await simulation.advance(1_000);
  check.equal(received.slice(2).map(({ at, message }) => [at - failed, message.data.id]), [[500, "8"]]);
  say(result("8"));
  say({ command: "context", game: "Chess", data: { message: "hi", silent: true } });
  await simulation.advance(510);
  check.equal(playing.report(), { broken: undefined, played: 3, of: 3, agreed: 7, differing: 0, differences: [] });
  check.equal(codes, [1000]);
});

test("OB17 a higher speed shortens the pauses, and max removes them; the game may take its recorded time", async () => {
  for (const [speed, pause] of [[4, 250], [Infinity, 0]] as const) {
    const { simulation, heard: received, say } = await played(LINES, { speed });
    for (const message of [STARTUP, REGISTER, FORCE]) say(message);
    const from = simulation.clock.now;
    await simulation.advance(5_000);
    check.equal(received.map(({ at }) => at - from), speed === 4 ? [3, 3 + pause] : [0, 0]);
  }
});

test("OB17 a registration may be split differently than recorded", async () => {
  const { simulation, heard: received, say } = await played(LINES, { speed: Infinity });
  for (const message of [STARTUP, FORCE]) say(message);
  for (const name of ["resign", "move"]) {
    const description = name === "move" ? "Move." : "Resign.";
    say({ command: "actions/register", game: "Chess", data: { actions: [{ name, description, schema: {} }] } });
  }
  await simulation.advance(10);
  check.equal(received.map(({ message }) => message.command), ["startup", "action"]);
});

test("OB18 a silent game delays a line by at most the patience, and its facts are missing", async () => {
  const { playing, simulation, heard: received, say } = await played(LINES, { speed: Infinity });
  say(STARTUP);
  await simulation.advance(5_030);
  check.equal(received.length, 1);
  await simulation.advance(30_000);
  check.equal(received.map(({ message }) => message.data.id).slice(1), ["7", "8"]);
  const report = playing.report();
  check.equal(report?.differences.map(({ is, what }) => `${is} ${what}`), [
    "missing registration of move",
    "missing registration of resign",
    "missing context",
    "missing force over move",
    "missing result of move (7)",
    "missing result of move (8)",
  ]);
});

test("OB19 differences are reported: different, extra and missing facts", async () => {
  const { playing, simulation, say } = await played(LINES, { speed: Infinity });
  say(STARTUP);
  say({ command: "actions/register", game: "Chess", data: { actions: [{ name: "move", description: "Walk." }] } });
  say({ command: "actions/register", game: "Chess", data: { actions: [{ name: "resign", description: "Resign." }] } });
  say({ command: "actions/register", game: "Chess", data: { actions: [{ name: "castle", description: "Castle." }] } });
  say({ ...FORCE as object, data: { query: "Go!", action_names: ["move"] } });
  say("nonsense");
  await simulation.advance(10);
  say(result("7"));
  await simulation.advance(10);
  say(result("8"));
  await simulation.advance(60_000);
  check.equal(playing.report()?.differences.map(({ is, what, recorded, now }) => [is, what, recorded, now].join(" | ")), [
    'different | registration of move | {"description":"Move.","schema":null} | {"description":"Walk.","schema":null}',
    'extra | registration of castle |  | {"description":"Castle.","schema":null}',
    'different | force over move | {"query":"Go."} | {"query":"Go!"}',
    'extra | no message |  | "\\"nonsense\\""',
    'different | result of move (7) | {"message":"not there","success":false} | {"message":"done","success":true}',
    'missing | context | {"message":"hi","silent":true} | ',
  ]);
});

test("OB17 a game that disconnects early ends the replay, and a second game is refused", async () => {
  const { playing, simulation, wire: socket, say } = await played();
  const second = simulation.network.connect("neuro");
  const codes: number[] = [];
  second.onClose = (code) => codes.push(code);
  say(STARTUP);
  await simulation.advance(100);
  check.equal(codes, [1013]);
  socket.close();
  await simulation.advance(10);
  check.equal([playing.report()?.broken, playing.report()?.played], ["the game disconnected (1000)", 1]);
});

test("OB17 a stopped replay reports what was played and what was missing", async () => {
  const { playing, simulation, say } = await played();
  say(STARTUP);
  await simulation.advance(100);
  void simulation.engine?.drain();
  await simulation.advance(1);
  const { broken, played: count, agreed, differing } = playing.report() ?? {};
  check.equal([broken, count, agreed, differing], ["stopped", 1, 1, 6]);
});

test("OB17 binary frames are replayed as binary frames, and read as text", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify(STARTUP));
  const { playing, simulation, wire: socket } = await played([[0, "game", bytes], [5, "backend", {
    command: "actions/reregister_all",
  }]]);
  socket.send(bytes);
  await simulation.advance(520);
  check.equal([playing.report()?.agreed, playing.report()?.played], [1, 1]);
});
