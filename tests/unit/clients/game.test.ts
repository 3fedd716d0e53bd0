/** The client of the Neuro API, against a real relay and a scripted backend. */
import { test } from "#runner";
import { GameClient, type GameEvent, RelayError, type SocketLike } from "../../../src/clients/game.ts";
import { check } from "../../harness/check.ts";
import { until } from "../runtimes/bun-relay.ts";
import { act, cuttable, openWatcher, QUICK, withIntermediary } from "./intermediary-fixture.ts";

const OPTIONS = { ...QUICK, game: "Chess" };

/** A command with its data. */
type Sent = [string, unknown];

interface Backend {
  readonly openSocket: () => SocketLike;
  /** What the game has sent on each connection: commands, with their data. */
  readonly received: Sent[][];
  say(command: string, data?: object): void;
  lose(code?: number): void;
}

/** The other end of a game's socket. */
function backend(): Backend {
  const sockets: SocketLike[] = [];
  const received: Sent[][] = [];
  return {
    openSocket: () => {
      const messages: Sent[] = [];
      received.push(messages);
      const socket: SocketLike = {
        send: (text) => {
          const { command, game, data } = JSON.parse(String(text));
          check.equal(game, "Chess");
          messages.push([command, data]);
        },
        close() {},
        onopen: null,
        onmessage: null,
        onclose: null,
        onerror: null,
      };
      sockets.push(socket);
      queueMicrotask(() => socket.onopen?.({} as never));
      return socket;
    },
    received,
    say: (command, data) => sockets.at(-1)?.onmessage?.({ data: JSON.stringify({ command, data }) } as never),
    lose: (code = 1006) => sockets.at(-1)?.onclose?.({ code, reason: "" } as never),
  };
}

const MOVE = {
  description: "Move.",
  schema: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
} as const;

test("CL19 a game registers, forces and answers; unusable data is a failure, and an unknown action, too", () =>
  withIntermediary(async ({ urls }) => {
    using game = new GameClient(urls.neuro, OPTIONS);
    const events: GameEvent[] = [];
    game.onEvent((event) => events.push(event));
    game.action("move", { ...MOVE, handler: ({ to }) => `moved to ${to satisfies string}` });
    game.context("The game begins.");
    game.force({ query: "Your turn.", actions: ["move"] });
    const watcher = await openWatcher(urls.intermediary);
    await game.ready();
    const { success, message } = await act(watcher, "move", { to: "e4" });
    check.equal([success, message], [true, "moved to e4"]);
    await until(() => events.some(({ is }) => is === "session"));
    watcher.close();
  }));

test("CL25 with `traces` a game gets the path of each of its messages, on each connection; without it none", () =>
  withIntermediary(async ({ urls }) => {
    const cut = cuttable();
    using game = new GameClient(urls.neuro, { ...OPTIONS, traces: true, openSocket: cut.openSocket });
    using other = new GameClient(urls.neuro, { ...QUICK, game: "Poker" });
    const events: GameEvent[] = [];
    for (const client of [game, other]) client.onEvent((event) => events.push(event));
    await Promise.all([game.ready(), other.ready()]);
    const traced = () => events.flatMap((event) => event.is === "trace" ? [event.trace] : []);
    game.context("The game begins.");
    other.context("Me too.");
    await until(() => traced().length > 0);
    const [trace] = traced();
    check.equal([trace?.kind, trace?.names, trace?.texts.context], ["context", ["Chess"], "The game begins."]);
    cut.cut();
    await until(() => events.filter(({ is }) => is === "connected").length > 2);
    game.context("Again.");
    await until(() => traced().length > 1);
    check.equal(traced().map(({ names }) => names), [["Chess"], ["Chess"]]);
    check.equal(events.filter(({ is }) => is === "neuro"), [], "nothing else is said");
  }));

test("CL20 each connection begins with startup and the registration, then what waits, then the open force", async () => {
  const { openSocket, received, say, lose } = backend();
  using game = new GameClient("ws://neuro", { ...OPTIONS, openSocket });
  game.action("move", { ...MOVE, handler: () => {} });
  game.action("resign", { description: "Resign.", handler: () => {} });
  game.context("hello");
  game.force({ query: "?", actions: ["move"] });
  await game.ready();
  const register: Sent = ["actions/register", {
    actions: [{ name: "move", ...MOVE }, { name: "resign", description: "Resign." }],
  }];
  const force: Sent = ["actions/force", { query: "?", action_names: ["move"] }];
  check.equal(received[0], [["startup", undefined], register, ["context", { message: "hello", silent: true }], force]);
  lose();
  game.context("while offline", { silent: false });
  await game.ready();
  check.equal(received[1], [
    ["startup", undefined],
    register,
    ["context", { message: "while offline", silent: false }],
    force,
  ]);
  say("actions/reregister_all");
  check.equal(received[1]?.at(-1), register);
  say("action", { id: "0", name: "move", data: '{"to":"e4"}' });
  await until(() => received[1]?.at(-1)?.[0] === "action/result");
  lose();
  await game.ready();
  check.equal(received[2], [["startup", undefined], register], "the force was answered");
});

test("CL20b a result of an earlier connection is not sent, because its id may mean another action there", async () => {
  const { openSocket, received, say, lose } = backend();
  const { promise, resolve } = Promise.withResolvers<string>();
  using game = new GameClient("ws://neuro", { ...OPTIONS, openSocket });
  let runs = 0;
  game.action("slow", { description: "Slow.", handler: () => runs++ === 0 ? promise : "second" });
  await game.ready();
  say("action", { id: "0", name: "slow" });
  lose();
  await game.ready();
  resolve("first");
  await Bun.sleep(1);
  say("action", { id: "0", name: "slow" });
  await until(() => received[1]?.at(-1)?.[0] === "action/result");
  check.equal(received.flat().filter(([command]) => command === "action/result"), [
    ["action/result", { id: "0", success: true, message: "second" }],
  ]);
});

test("CL20c an unregistered action ends its force, and a replaced one is unregistered first", async () => {
  const { openSocket, received, say, lose } = backend();
  using game = new GameClient("ws://neuro", { ...OPTIONS, openSocket });
  const remove = game.action("move", { ...MOVE, handler: () => {} });
  await game.ready();
  game.force({ query: "?", actions: ["move"] });
  game.action("move", { description: "Move again.", handler: () => remove() });
  check.equal(received[0]?.slice(-2).map(([command]) => command), ["actions/unregister", "actions/register"]);
  say("action", { id: "1", name: "move" });
  await until(() => received[0]?.at(-1)?.[0] === "action/result");
  check.equal(received[0]?.at(-2), ["actions/unregister", { action_names: ["move"] }]);
  lose();
  await game.ready();
  check.equal(received[1], [["startup", undefined]]);
});

test("CL21 Neuro's other messages are events, and a graceful shutdown can be answered", async () => {
  const { openSocket, received, say } = backend();
  using game = new GameClient("ws://neuro", { ...OPTIONS, openSocket });
  const events: GameEvent[] = [];
  game.onEvent((event) => {
    events.push(event);
    if (event.is === "shutdownRequested" && event.wanted) game.shutdownReady();
  });
  await game.ready();
  say("startup", { session: { sessionId: "s", characterId: "evil", displayName: "Evil Neuro" } });
  say("shutdown/graceful", { wants_shutdown: true });
  say("shutdown/graceful", { wants_shutdown: false });
  say("shutdown/immediate");
  say("speech_finished", { isFinal: true });
  check.equal(events.slice(1), [
    { is: "session", session: { sessionId: "s", characterId: "evil", displayName: "Evil Neuro" } },
    { is: "shutdownRequested", wanted: true },
    { is: "shutdownRequested", wanted: false },
    { is: "shutdownNow" },
    { is: "neuro", command: "speech_finished", data: { isFinal: true } },
  ]);
  check.equal(received[0]?.at(-1), ["shutdown/ready", undefined]);
});

test("CL21b the relay, as Neuro, gets one result for each action although the connection is lost again and again", () =>
  withIntermediary(async ({ urls }) => {
    const { openSocket, cut } = cuttable();
    using game = new GameClient(urls.neuro, { ...OPTIONS, openSocket });
    let runs = 0;
    game.action("move", { ...MOVE, handler: ({ to }) => `${++runs} ${to}` });
    const watcher = await openWatcher(urls.intermediary);
    for (let n = 1; n <= 5; n++) {
      await game.ready();
      for (let tries = 0;; tries++) {
        const { success } = await act(watcher, "move", { to: `e${n}` });
        if (success === true) break;
        check.that(tries < 100, "never registered again");
        await Bun.sleep(5);
      }
      check.equal(runs, n);
      cut();
      await until(() => game.phase === "connecting");
    }
    watcher.close();
  }));

test("CL21c a refused game does not dial again", async () => {
  const { openSocket, received, lose } = backend();
  using game = new GameClient("ws://neuro", { ...OPTIONS, openSocket });
  await game.ready();
  lose(4401);
  const error = await game.ready().catch((reason: unknown) => reason);
  check.that(error instanceof RelayError && error.code === "badToken");
  await Bun.sleep(20);
  check.equal([received.length, game.phase], [1, "refused"]);
  check.throws(() => game.context("x"), /closed/);
});

test("CL24 a game client sends a message that is too large not at all, and many actions in several messages", async () => {
  const { openSocket, received } = backend();
  using game = new GameClient("ws://backend", { ...OPTIONS, openSocket });
  const large = "例".repeat(340_000);
  for (
    const attempt of [
      () => game.context(large),
      () => game.force({ query: large, actions: ["move"] }),
      () => game.action("large", { description: large, handler: () => "" }),
    ]
  ) check.throws(attempt, /1020\d{3} bytes; at most 1000000/);
  for (let count = 0; count < 30; count++) {
    game.action(`move_${count}`, { description: "d".repeat(30_000), handler: () => "" });
  }
  await game.ready();
  const sizes = (received[0] ?? []).map((sent) => JSON.stringify(sent).length);
  check.that(Math.max(...sizes) < 300_000, String(sizes));
  const names = (received[0] ?? []).flatMap(([command, data]) =>
    command === "actions/register" ? (data as { actions: { name: string }[] }).actions.map(({ name }) => name) : []
  );
  check.equal(names.length, 30);
});

test("CL24b a message because of which the server closes is not sent again: a repeated one stops the client, any other does not", async () => {
  for (const code of [1007, 1009]) {
    const { openSocket, received, lose } = backend();
    using game = new GameClient("ws://backend", { ...OPTIONS, openSocket });
    game.action("move", { ...MOVE, handler: () => "" });
    await game.ready();
    game.context("c".repeat(5_000));
    lose(code);
    await until(() => received.length === 2);
    await game.ready();
    check.equal(received[1]?.map(([command]) => command), ["startup", "actions/register"]);
    game.force({ query: "q".repeat(5_000), actions: ["move"] });
    lose(code);
    const error: unknown = await game.ready().catch((reason: unknown) => reason);
    check.that(error instanceof RelayError && error.code === (code === 1009 ? "tooBig" : "badMessage"), String(error));
    check.equal(game.phase, "refused");
  }
});
