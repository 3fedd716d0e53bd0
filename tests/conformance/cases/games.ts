/** Games, and the Neuro above them. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { actionOf, Game } from "../clients.ts";

export const games: readonly Case[] = [
  {
    name: "RT40 two games are one to Neuro: a shared action reaches both, its first success counts; others reach their own",
    hasUpstream: true,
    async run(relay, neuro) {
      const [chess, poker] = [await Game.join(relay, "Chess"), await Game.join(relay, "Poker")];
      chess.register("look", "move", actionOf("greet", "Greet the players."));
      await neuro.knows("look", "move", "greet");
      poker.register("look", "bet", actionOf("greet", "Greet the dealer."));
      await neuro.knows("look", "move", "greet", "bet", "poker--greet");
      const shared = neuro.act("look");
      const [first, second] = [await chess.action("look"), await poker.action("look")];
      chess.result(first.id, false, "It is dark.");
      poker.result(second.id, true, "Two pairs.");
      const result = await neuro.resultOf(shared);
      check.equal([result.success, result.message], [true, "Two pairs."]);
      const conflicting = neuro.act("poker--greet");
      poker.result((await poker.action("greet")).id);
      check.equal((await neuro.resultOf(conflicting)).success, true);
      const own = neuro.act("bet");
      poker.result((await poker.action("bet")).id, true, "All in.");
      check.equal((await neuro.resultOf(own)).message, "All in.");
      check.equal([neuro.resultsOf(shared), chess.actions(), poker.actions()], [1, [], []]);
      check.equal(neuro.commands().filter((command) => command === "startup").length, 1);
    },
  },
  {
    name: "RT41 forces go up one at a time, the more important first, and an unregistration before its result",
    hasUpstream: true,
    async run(relay, neuro) {
      const players = [
        await Game.join(relay, "Chess"),
        await Game.join(relay, "Poker"),
        await Game.join(relay, "Go"),
      ] as const;
      const [chess, poker, go] = players;
      chess.register("move");
      poker.register("bet");
      go.register("place");
      await neuro.knows("move", "bet", "place");
      chess.force("your move", ["move"]);
      await neuro.forced("your move");
      poker.force("your bet", ["bet"], "low");
      go.force("your stone", ["place"], "high");
      const act = async (game: Game, name: string) => {
        const id = neuro.act(name);
        const { id: own } = await game.action(name);
        game.say("actions/unregister", { action_names: [name] });
        game.result(own);
        await neuro.resultOf(id);
        return id;
      };
      const id = await act(chess, "move");
      const order = neuro.heard.flatMap(({ command, data }) =>
        (command === "actions/unregister" && data.action_names.includes("move")) ||
          (command === "action/result" && data.id === id)
          ? [command]
          : []
      );
      check.equal(order, ["actions/unregister", "action/result"]);
      await neuro.forced("your stone");
      await act(go, "place");
      await neuro.forced("your bet");
      const forces = neuro.heard.filter(({ command }) => command === "actions/force").map(({ data }) => data.query);
      check.equal(forces, ["[Chess] your move", "[Go] your stone", "[Poker] your bet"]);
    },
  },
  {
    name: "RT42 contexts say whose they are; a startup of a game is no startup of the relay, and takes back what it had",
    hasUpstream: true,
    async run(relay, neuro) {
      const chess = await Game.join(relay, "Chess");
      chess.register("move");
      chess.say("context", { message: "The game begins.", silent: true });
      const { data, game } = await neuro.hear(({ command }) => command === "context", "the context");
      check.equal([data, game], [{ message: "[Chess] The game begins.", silent: true }, "Relay Integration"]);
      await neuro.knows("move");
      chess.say("startup");
      await neuro.hear(({ command }) => command === "actions/unregister", "that move is gone");
      check.equal(neuro.names(), []);
      check.equal(neuro.commands().filter((command) => command === "startup").length, 1);
    },
  },
  {
    name: "RT43 a game that reconnects within the grace period was not gone; one that does not is",
    hasUpstream: true,
    async run(relay, neuro) {
      const [chess, poker] = [await Game.join(relay, "Chess"), await Game.join(relay, "Poker")];
      chess.register("move");
      poker.register("bet");
      await neuro.knows("move", "bet");
      neuro.heard.length = 0;
      await Promise.all([chess.line.close(), poker.line.close()]);
      const back = await Game.join(relay, "Chess");
      back.register("move");
      const { data } = await neuro.hear(({ command }) => command === "actions/unregister", "that Poker is gone");
      check.equal(data.action_names, ["bet"]);
      check.equal(neuro.commands().filter((command) => command === "actions/register"), []);
      const id = neuro.act("move");
      back.result((await back.action("move")).id);
      check.equal((await neuro.resultOf(id)).success, true);
    },
  },
  {
    name: "RT44 after Neuro was away she gets one startup, all that is registered, and the force that was open",
    setup: { "nakurity-client.backoff.base": "50ms" },
    hasUpstream: true,
    async run(relay, neuro) {
      const [chess, poker] = [await Game.join(relay, "Chess"), await Game.join(relay, "Poker")];
      chess.register("move");
      poker.register("bet");
      await neuro.knows("move", "bet");
      chess.force("your move", ["move"]);
      await neuro.forced("your move");
      neuro.heard.length = 0;
      neuro.drop();
      await neuro.forced("your move");
      const commands = neuro.commands().filter((command) => command !== "context");
      check.equal(commands, ["startup", "actions/register", "actions/force"]);
      check.equal(neuro.names(), ["bet", "move"]);
    },
  },
  {
    name: "RT45 a game that dies with an action in flight: Neuro gets one answer, and the other games go on",
    hasUpstream: true,
    async run(relay, neuro) {
      const [chess, poker] = [await Game.join(relay, "Chess"), await Game.join(relay, "Poker")];
      chess.register("move");
      poker.register("bet");
      await neuro.knows("move", "bet");
      const lost = neuro.act("move");
      await chess.action("move");
      await chess.line.close();
      const going = neuro.act("bet");
      poker.result((await poker.action("bet")).id);
      check.equal((await neuro.resultOf(going)).success, true);
      check.equal((await neuro.resultOf(lost)).success, false);
      await neuro.hear(({ command }) => command === "actions/unregister", "that move is gone");
      check.equal(neuro.resultsOf(lost), 1);
    },
  },
  {
    name: "RT46 the relay is restarted on what it stored: games and Neuro find each other again",
    setup: { "nakurity-client.backoff.base": "50ms" },
    hasUpstream: true,
    async run(relay, neuro) {
      const chess = await Game.join(relay, "Chess");
      chess.register("move");
      await neuro.knows("move");
      neuro.heard.length = 0;
      await relay.restart();
      const [back, poker] = [await Game.join(relay, "Chess"), await Game.join(relay, "Poker")];
      back.register("move");
      poker.register("bet");
      await neuro.knows("move", "bet");
      for (const [game, name] of [[back, "move"], [poker, "bet"]] as const) {
        const id = neuro.act(name);
        game.result((await game.action(name)).id);
        check.equal((await neuro.resultOf(id)).success, true);
      }
      check.equal(neuro.commands().filter((command) => command === "startup").length, 1);
    },
  },
  {
    name: "RT47 without Neuro the relay decides itself, and a failed choice is made again",
    async run(relay) {
      const chess = await Game.join(relay, "Chess");
      await chess.line.next(({ command }) => command === "startup", "its acknowledgement");
      chess.register({
        ...actionOf("move"),
        schema: { type: "object", properties: { to: { enum: ["e4"] } }, required: ["to"] },
      });
      chess.force("your move", ["move"]);
      const first = await chess.action("move");
      check.equal(JSON.parse(first.data ?? ""), { to: "e4" });
      chess.result(first.id, false, "Not now.");
      chess.result((await chess.action("move")).id);
    },
    setup: { "nakurity-backend.choice_timeout": "100ms" },
  },
];
