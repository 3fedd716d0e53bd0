/** The heap of deadlines, against a table that is searched from end to end. */
import { test } from "#runner";
import fc from "fast-check";
import { Deadlines } from "../../../src/core/deadlines.ts";
import { check } from "../../harness/check.ts";

type Act =
  | { readonly act: "set"; readonly id: string; readonly at: number }
  | { readonly act: "clear"; readonly id: string }
  | { readonly act: "due"; readonly now: number };

const id = fc.constantFrom(..."abcdefghij");
const at = fc.nat(30);
const acts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant("set" as const), id, at }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("clear" as const), id }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("due" as const), now: at }) },
  ),
  { maxLength: 400 },
);

const earliestOf = (table: ReadonlyMap<string, number>): number | undefined =>
  table.size === 0 ? undefined : Math.min(...table.values());

function compare(plan: readonly Act[]): void {
  const [deadlines, table] = [new Deadlines(), new Map<string, number>()];
  for (const step of plan) {
    switch (step.act) {
      case "set":
        deadlines.set(step.id, step.at);
        table.set(step.id, step.at);
        break;
      case "clear":
        deadlines.clear(step.id);
        table.delete(step.id);
        break;
      case "due": {
        const expected = [...table].filter(([, when]) => when <= step.now);
        const due = deadlines.due(step.now);
        check.equal([...due].sort(), expected.map(([name]) => name).sort());
        const times = due.map((name) => table.get(name) ?? -1);
        check.equal(times, [...times].sort((left, right) => left - right), "the earliest come first");
        for (const name of due) table.delete(name);
        check.that(step.now < (deadlines.earliest() ?? Infinity), "what is due was taken");
      }
    }
    // Why not equal: the time of a deadline that was cleared or moved may still be the earliest.
    check.equal(deadlines.earliest() === undefined, table.size === 0);
    check.that((deadlines.earliest() ?? 0) <= (earliestOf(table) ?? 0), "no deadline is missed");
    check.equal(deadlines.size, table.size);
    for (const name of "abcdefghij") check.equal(deadlines.get(name), table.get(name));
  }
  const earliest = earliestOf(table) ?? Infinity;
  if ((deadlines.earliest() ?? Infinity) < earliest) {
    check.equal(deadlines.due(deadlines.earliest() ?? 0), [], "a wake-up that is too early");
    check.equal(deadlines.earliest(), earliest, "is the only one");
  }
}

test("deadlines equal those of a plain table", () => {
  fc.assert(fc.property(acts, compare), { numRuns: 300 });
});

test("moving one deadline a million times takes little time and retains no memory", () => {
  const deadlines = new Deadlines();
  deadlines.set("far", 9);
  for (let round = 0; round < 1_000_000; round++) deadlines.set("a", round % 2);
  check.equal([deadlines.size, deadlines.earliest()], [2, 1]);
  check.equal(deadlines.due(9), ["a", "far"]);
});

test("two hundred thousand deadlines come out in order", () => {
  const deadlines = new Deadlines();
  const count = 200_000;
  for (let n = 0; n < count; n++) deadlines.set(String(n), (n * 7_919) % count);
  for (let n = 0; n < count; n += 2) deadlines.clear(String(n));
  for (let n = 1; n < count; n += 2) deadlines.set(String(n), (n * 104_729) % count);
  const due = deadlines.due(count);
  check.equal(due.length, count / 2);
  check.that(due.every((name, index) => index === 0 || time(due[index - 1] ?? "") <= time(name)));

  function time(name: string): number {
    return (Number(name) * 104_729) % count;
  }
});
