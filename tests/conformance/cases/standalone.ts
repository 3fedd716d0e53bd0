/** The relay in the place of Neuro: what it does without a force, and what an operator changes at run time. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { Game } from "../clients.ts";
import { type Relay, TOKENS } from "../platform.ts";

async function api({ web }: Pick<Relay, "web">, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${web}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKENS.web}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return await response.json();
}

const LIVELY = { "nakurity-backend.behaviour.preset": "lively", "nakurity-backend.behaviour.interval": "200ms" };

export const standalone: readonly Case[] = [
  {
    name: "NB268 a game that never forces is played, until an operator selects another preset; the session is sent again",
    setup: { ...LIVELY, "nakurity-backend.display_name": "Robo-Neuro" },
    async run(relay) {
      const chess = await Game.join(relay, "Chess");
      const session = () => chess.line.next(({ command }) => command === "startup", "the session");
      check.equal((await session()).data.session.displayName, "Robo-Neuro");
      chess.register("move");
      for (let count = 0; count < 2; count++) chess.result((await chess.action("move")).id);
      check.equal(await api(relay, "PATCH", "/controls", { behaviour: "polite" }), {
        ...{ stopped: false, approval: false },
        behaviour: "polite",
      });
      check.equal(await api(relay, "POST", "/session"), { status: "asked", count: 1 });
      check.equal((await session()).data.session.displayName, "Robo-Neuro");
    },
  },
];
