/** Counts the items that code visits in maps, sets and arrays: the cost of an event, whatever else the machine does. */
import { check } from "./check.ts";
import type { Situation } from "./flat-cost.ts";

const ITERATORS: readonly object[] = [new Map().values(), new Set().values(), [].values()].map((iterator) =>
  Object.getPrototypeOf(iterator)
);
/** Methods that visit up to each item of an array. */
const ARRAY_METHODS = [
  ...["filter", "map", "flatMap", "forEach", "reduce", "find", "findIndex", "findLast", "findLastIndex", "some", "every"],
  ...[
    "includes",
    "indexOf",
    "lastIndexOf",
    "slice",
    "splice",
    "concat",
    "sort",
    "toSorted",
    "reverse",
    "toReversed",
    "join",
    "shift",
  ],
] as const;

/** The number of items that a function visits. */
export function visitsOf(run: () => void): number {
  let visits = 0;
  const restore: (() => void)[] = [];
  const patch = (owner: object, name: string, visit: (self: unknown) => number): void => {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    Object.defineProperty(owner, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]): unknown {
        visits += visit(this);
        return Reflect.apply(original, this, args);
      },
    });
    restore.push(() => Object.defineProperty(owner, name, { configurable: true, writable: true, value: original }));
  };
  for (const prototype of ITERATORS) patch(prototype, "next", () => 1);
  for (const prototype of [Map.prototype, Set.prototype]) {
    patch(prototype, "forEach", (self) => (self as Set<unknown>).size);
  }
  for (const name of ARRAY_METHODS) {
    if (name in Array.prototype) patch(Array.prototype, name, (self) => (self as readonly unknown[]).length);
  }
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return visits;
}

/** More than any window of an event, such as the 256 bodies that one load reads (`LOAD_ENTRIES_MAX`). */
const FEW = 500;
const MANY = 4_000;
/** Events of which the cheapest counts: some have work of their own to do now and then. */
const EVENTS = 5;
/** Visits that an event may have beside many items and not beside few, such as the levels of a heap. */
const MORE_MAX = 200;

const visitsBeside = ({ prepare }: Situation, retained: number): number => {
  const run = prepare(retained);
  for (let n = 0; n < EVENTS; n++) run();
  return Math.min(...Array.from({ length: EVENTS }, () => visitsOf(run)));
};

/** Fails if an event visits more items beside many retained ones than beside few. */
export function checkFlatVisits(situation: Situation): void {
  const [few, many] = [visitsBeside(situation, FEW), visitsBeside(situation, MANY)];
  check.that(many <= few + MORE_MAX, `${situation.what}: ${few} visits beside ${FEW} items, ${many} beside ${MANY}`);
}
