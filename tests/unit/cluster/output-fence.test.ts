import { test } from "#runner";
import { OutputFence } from "../../../src/cluster/output-fence.ts";
import { check } from "../../harness/check.ts";

test("CN12 while the lease is in doubt everything waits, in order, also what follows after it is confirmed", () => {
  let mayAct = true;
  const fence = new OutputFence(() => mayAct);
  const passed: number[] = [];
  const pass = (number: number) => fence.pass(() => void passed.push(number));
  pass(1);
  mayAct = false;
  pass(2);
  check.that(!fence.isOpen());
  mayAct = true;
  pass(3);
  check.that(!fence.isOpen(), "what was held goes first");
  check.equal(passed, [1]);
  fence.pass(() => {
    passed.push(4);
    pass(6);
  });
  pass(5);
  fence.release();
  check.equal(passed, [1, 2, 3, 4, 5, 6]);
  check.that(fence.isOpen());
});

test("CN12 a lease that ends while held output passes stops it there, and a lost one discards it", () => {
  let left = 2;
  const fence = new OutputFence(() => left > 0);
  const passed: number[] = [];
  left = 0;
  for (const number of [1, 2, 3, 4]) fence.pass(() => void (passed.push(number), left--));
  left = 2;
  fence.release();
  check.equal(passed, [1, 2]);
  fence.discard();
  left = 9;
  fence.release();
  fence.pass(() => void passed.push(5));
  check.equal(passed, [1, 2]);
  check.that(!fence.isOpen());
});
