/** The Brain: its results are the same on every platform, to the last bit. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { JsonSocket, type Message } from "../json-socket.ts";
import { type Relay, TOKENS } from "../platform.ts";

async function dial(relay: Relay): Promise<(request: Message) => Promise<Message>> {
  const line = await JsonSocket.open(`${relay.urls.brain}/?token=${TOKENS.brain}`);
  return (request) => {
    line.send(request);
    return line.next();
  };
}

/** The expected prediction of each text, to the bit. */
const PREDICTIONS: readonly (readonly [Message, number])[] = [
  [{ math: "6 / 3" }, 1.108852744102478],
  [{ text: "six over three" }, 1.1479231119155884],
  [{ physics: "8 m / 2 s is 8 m/s by 2" }, 1.0623353719711304],
  [{ text: "one over two", math: "1 / 2", physics: "1 m / 2 s" }, 1.6660411357879639],
];
const STATE_HASHES = [
  "6535ae32f1671a1519d003f0d1fbaabb52efab8541d6659dd45789227a94b9eb",
  "3748031b0ffafdf163f36e05f4569e5972f851d2237c7b9134b3b2917d94aa76",
];

export const brain: readonly Case[] = [
  {
    name:
      "RT55 a session folds to the same state, and the artifact that comes with the program predicts the same, to the bit",
    setup: { "brain.artifact": "built-in" },
    async run(relay) {
      let ask = await dial(relay);
      const covenant = { mode: "enforce", frozen_keys: ["id"] };
      const { session_id } = await ask({ cmd: "CreateSession", initial_state: { id: 1, é: 1e-7 }, covenant });
      const apply = (operator: string, params: Message) => ask({ cmd: "ApplyOperator", session_id, operator, params });
      await apply("ST", { changes: { "5": [0.1 + 0.2], __proto__x: "\u2028" } });
      await apply("CH", { changes: { constructor: null, deep: { b: 1, a: [true, {}] } } });
      check.equal((await apply("XYZ", { key: "id", value: 2 })).code, "CovenantRefused");
      const { child } = await ask({ cmd: "ForkSession", session_id, at_seq: 1 });
      await ask({ cmd: "ApplyOperator", session_id: child, operator: "ST", params: { changes: { forked: -0 } } });
      await relay.restart();
      ask = await dial(relay);
      const hashes: unknown[] = [];
      for (const id of [session_id, child]) {
        const { ok, state_hash } = await ask({ cmd: "ReplaySession", session_id: id });
        check.equal(ok, true);
        hashes.push(state_hash);
      }
      check.equal(hashes, STATE_HASHES);
      for (const [payload, value] of PREDICTIONS) {
        check.equal((await ask({ cmd: "Infer", payload })).prediction, { value });
      }
    },
  },
];
