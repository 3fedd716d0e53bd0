/** Timers of a closed union, against a list that is searched from end to end. */
import { test } from "#runner";
import fc from "fast-check";
import { Timers } from "../../../src/core/deadlines.ts";
import { check } from "../../harness/check.ts";

type Timer =
  | { readonly is: "keepalive" }
  | { readonly is: "grace"; readonly game: string }
  | { readonly is: "retry"; readonly game: string; readonly link: string };

/** Values that would meet if a key were only the fields joined by a separator. */
const value = fc.constantFrom("", "a", "b", " ", "=", "1:a", " link=1:a", "a link=1:a", "keepalive");
const timer: fc.Arbitrary<Timer> = fc.oneof(
  fc.constant<Timer>({ is: "keepalive" }),
  value.map((game): Timer => ({ is: "grace", game })),
  fc.tuple(value, value).map(([game, link]): Timer => ({ is: "retry", game, link })),
);
const step = fc.record({ act: fc.constantFrom("set", "earlier", "clear", "due"), timer, at: fc.nat(20) });

const isSame = (one: Timer, other: Timer): boolean => {
  const sorted = (each: Timer) => JSON.stringify(Object.entries(each).sort());
  return sorted(one) === sorted(other);
};

test("timers are due in the same order as in a plain list, one for each combination of fields", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const timers = new Timers<Timer>();
    let expected: { readonly timer: Timer; readonly at: number }[] = [];
    const without = (gone: Timer) => expected.filter((each) => !isSame(each.timer, gone));
    const atOf = (wanted: Timer) => expected.find((each) => isSame(each.timer, wanted))?.at;
    for (const { act, timer, at } of steps) {
      const before = atOf(timer);
      if (act === "set") timers.set(timer, at);
      if (act === "earlier") timers.setEarlier(timer, at);
      if (act === "clear") timers.clear(timer);
      if (act === "clear") expected = without(timer);
      const isMoved = act === "set" || (act === "earlier" && (before === undefined || at < before));
      if (isMoved) expected = [...without(timer), { timer, at }];
      if (act === "due") {
        const wanted = expected.filter((each) => each.at <= at);
        const due = timers.due(at);
        check.equal(due.length, wanted.length);
        check.that(wanted.every((each) => due.some((one) => isSame(one, each.timer))));
        check.equal(due.map((each) => atOf(each)), wanted.map((each) => each.at).sort((left, right) => left - right));
        expected = expected.filter((each) => each.at > at);
      }
      check.equal(timers.get(timer), atOf(timer));
      check.equal(timers.size, expected.length);
      check.equal(timers.earliest() === undefined, expected.length === 0);
      // Why not equal: the time of a timer that was cleared or moved may still be the earliest.
      check.that(expected.every((each) => (timers.earliest() ?? Infinity) <= each.at), "no timer is missed");
    }
  }));
});

test("a timer is the same one in whatever order its fields are written", () => {
  const timers = new Timers<Timer>();
  timers.set({ is: "retry", game: "a", link: "b" }, 5);
  timers.set({ link: "b", game: "a", is: "retry" }, 7);
  check.equal([timers.size, timers.get({ game: "a", is: "retry", link: "b" })], [1, 7]);
  timers.clear({ link: "b", is: "retry", game: "a" });
  check.equal([timers.size, timers.due(10)], [0, []]);
});
