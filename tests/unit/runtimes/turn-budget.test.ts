/** The frames that all sockets of Node's server handle in one turn of the event loop. */
import { test } from "#runner";
import { TurnBudget } from "../../../src/runtimes/node-http/turn-budget.ts";
import { check } from "../../harness/check.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("RT76b all sockets together get 256 frames of a turn; those with more wait for the next turns, in order", async () => {
  const budget = new TurnBudget();
  check.equal(budget.left, 256);
  budget.spend(256);
  check.equal(budget.left, 0);
  const served: string[] = [];
  const send = (name: string, frames: number): void =>
    budget.wait((framesMax) => {
      const taken = Math.min(frames, framesMax);
      served.push(`${name}:${taken}`);
      budget.spend(taken);
      if (frames > taken) send(name, frames - taken);
    });
  for (let at = 0; at < 16; at++) send(String(at), at === 0 ? 100 : 32);
  await nextTurn();
  check.equal(served.splice(0), ["0:32", "1:32", "2:32", "3:32", "4:32", "5:32", "6:32", "7:32"]);
  check.equal(budget.left, 0, "nobody overtakes those who wait");
  await nextTurn();
  check.equal(served.splice(0), ["8:32", "9:32", "10:32", "11:32", "12:32", "13:32", "14:32", "15:32"]);
  await nextTurn();
  check.equal(served.splice(0), ["0:68"]);
  await nextTurn();
  check.equal(budget.left, 256);
});
