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

const FAULTY = { "nakurity-backend.faults.enabled": true, "nakurity-backend.faults.seed": 5 };

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
  {
    name: "NB277 messages are delayed, and connections are cut, as `nakurity-backend.faults` asks for",
    setup: {
      ...LIVELY,
      ...FAULTY,
      "nakurity-backend.faults.delay": "150ms",
      "nakurity-backend.faults.percent.disconnect": 10,
    },
    async run(relay) {
      const began = performance.now();
      const chess = await Game.join(relay, "Chess");
      await chess.line.next(({ command }) => command === "startup", "the session");
      check.that(performance.now() - began >= 300, "two messages took less than their delays");
      chess.register("move");
      const answerAll = async () => {
        for (;;) chess.result((await chess.action("move")).id);
      };
      await Promise.race([answerAll().catch(() => {}), chess.line.closed]);
      const { code } = await chess.line.closed;
      // Why two: workerd cannot disconnect a peer without a close frame.
      check.that(code === 1006 || code === 1001, `closed with ${code}`);
    },
  },
];
