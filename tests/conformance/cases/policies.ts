/** Policies of integrations, over sockets and the API. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { Game } from "../clients.ts";
import type { Message } from "../json-socket.ts";
import { type Relay, TOKENS } from "../platform.ts";

const POLICIES = JSON.stringify([
  { match: "Alarm", critical_preempts: true, admission: "open" },
  {
    match: "*",
    admission: "approval",
    deny: ["quit"],
    hide: ["secret*"],
    debounce: "400ms",
    coalesce: ["Score: *"],
    coalesce_interval: "400ms",
    context_template: "<{game}> {message}",
  },
]);

async function approve(relay: Relay, id: string): Promise<string> {
  const response = await fetch(`${relay.web}/api/integrations/${id}/decision`, {
    method: "POST",
    headers: { "authorization": `Bearer ${TOKENS.web}`, "content-type": "application/json" },
    body: '{"approve":true}',
  });
  return ((await response.json()) as Message).admission;
}

export const policies: readonly Case[] = [
  {
    name: "NB350 ten flaps cost Neuro two messages, a critical force goes first, and an approval outlives the relay",
    hasUpstream: true,
    setup: { integrations: POLICIES },
    async run(relay, neuro) {
      const chess = await Game.join(relay, "Chess");
      chess.register("move", "secret_move", "quit");
      const alarm = await Game.join(relay, "Alarm");
      alarm.register("flee");
      await neuro.knows("flee");
      check.equal(neuro.names(), ["flee"]);
      check.equal(await approve(relay, "chess"), "approved");
      await neuro.knows("move");
      const before = neuro.heard.length;
      for (let at = 0; at < 10; at++) {
        chess.say("actions/unregister", { action_names: ["move"] });
        chess.register({ name: "move", description: `Move ${at}.` }, `jump_${at}`);
        chess.say("context", { message: `Score: ${at}`, silent: true });
      }
      await neuro.knows("move", "jump_9");
      await neuro.hear(({ data }) => data?.message === "<Chess> Score: 9", "the last score");
      const since = neuro.heard.slice(before);
      check.equal(since.filter(({ command }) => command.startsWith("actions/")).map(({ command }) => command), [
        "actions/unregister",
        "actions/register",
      ]);
      check.equal(since.flatMap(({ command, data }) => command === "context" ? [data.message] : []), [
        "<Chess> Score: 0",
        "<Chess> Score: 9",
      ]);
      check.equal(neuro.names().filter((name) => name.includes("secret") || name === "quit"), []);
      chess.force("your move", ["move"]);
      await neuro.forced("your move");
      alarm.force("fire", ["flee"], "critical");
      await neuro.forced("fire");
      const fled = neuro.act("flee");
      alarm.result((await alarm.action("flee")).id);
      await neuro.resultOf(fled);
      const asked = () => neuro.heard.filter(({ data }) => String(data?.query).includes("your move")).length;
      await neuro.hear(() => asked() === 2, "the force that gave way");
      await relay.restart();
      (await Game.join(relay, "Chess")).register("again");
      await neuro.knows("again");
    },
  },
];
