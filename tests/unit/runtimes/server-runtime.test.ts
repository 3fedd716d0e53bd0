/** The end of a turn of the event loop. */
import { test } from "#runner";
import { createAfterTurn } from "../../../src/runtimes/server-runtime.ts";
import { check } from "../../harness/check.ts";

/** An event loop whose turns end when the test says so. */
class TestLoop {
  readonly immediates: (() => void)[] = [];
  readonly afterTurn: (run: () => void) => void = createAfterTurn((run) => void this.immediates.push(run));

  endTurn(): void {
    for (const run of this.immediates.splice(0)) run();
  }
}

test("RT77 what is due at the end of a turn shares one immediate, in order; what is given meanwhile waits for the next turn", () => {
  const loop = new TestLoop();
  const ran: string[] = [];
  loop.afterTurn(() => ran.push("first"));
  loop.afterTurn(() => loop.afterTurn(() => ran.push("next turn")));
  loop.afterTurn(() => ran.push("second"));
  check.equal(loop.immediates.length, 1);
  loop.endTurn();
  check.equal(ran.splice(0), ["first", "second"]);
  check.equal(loop.immediates.length, 1);
  loop.endTurn();
  check.equal(ran, ["next turn"]);
  check.equal(loop.immediates.length, 0);
});

test("RT77 an error of one costs the others nothing, and is thrown by itself", () => {
  const loop = new TestLoop();
  const ran: string[] = [];
  loop.afterTurn(() => {
    throw new Error("broken");
  });
  loop.afterTurn(() => ran.push("second"));
  loop.endTurn();
  check.equal(ran, ["second"]);
  check.throws(() => loop.endTurn(), /broken/);
});
