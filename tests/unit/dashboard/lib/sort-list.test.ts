/** The order of lists, and what equal replies share. */
import { test } from "#runner";
import { reuseEqual } from "../../../../src/dashboard/lib/reuse-equal.ts";
import { ROUTE_PARAMS } from "../../../../src/dashboard/lib/route.ts";
import { nextOrder, type SortColumn, sortList } from "../../../../src/dashboard/lib/sort-list.ts";
import { servicesOf } from "../../../../src/dashboard/lib/view-services.ts";
import { check } from "../../../harness/check.ts";

interface Item {
  readonly name: string;
  readonly size: number | null;
}

const COLUMNS: readonly SortColumn<Item>[] = [
  { key: "name", title: "Name", isText: true, valueOf: ({ name }) => name },
  { key: "size", title: "Size", valueOf: ({ size }) => size },
];

test("DB64 a list is sorted by a column, in reverse, and as usual; items without a value are last either way", () => {
  const items: readonly Item[] = [
    { name: "Game 10", size: 1 },
    { name: "Game 9", size: null },
    { name: "ada", size: 5 },
    { name: "Game 8", size: 1 },
  ];
  const names = (by: string) => sortList(items, COLUMNS, by).map(({ name }) => name);
  check.equal(names("name"), ["ada", "Game 8", "Game 9", "Game 10"]);
  check.equal(names("-name"), ["Game 10", "Game 9", "Game 8", "ada"]);
  check.equal(names("size"), ["ada", "Game 10", "Game 8", "Game 9"]);
  check.equal(names("-size"), ["Game 10", "Game 8", "ada", "Game 9"]);
  for (const by of ["", "-", "no such column", "__proto__"]) check.that(sortList(items, COLUMNS, by) === items, by);
});

test("DB64 the presses on a head go from the column over its reverse to the usual order", () => {
  const presses = ["size", "size", "size", "name"];
  const orders = presses.reduce<string[]>((before, key) => [...before, nextOrder(before.at(-1) ?? "", key)], [""]);
  check.equal(orders, ["", "size", "-size", "", "name"]);
  check.equal(nextOrder("-size", "name"), "name", "another column is not reversed");
  check.that(ROUTE_PARAMS.filter((name) => name.startsWith("by_")).length >= 7, "each list has an order of its own");
});

test("DB26c each part of a reply that equals one before keeps its identity, wherever it stands in a list", () => {
  const before = { list: [{ id: "a", n: { x: 1 } }, { id: "b", n: { x: 2 } }], plain: [1, [2]], text: "t" };
  const copy = structuredClone(before);
  check.that(reuseEqual(before, copy) === before);
  const now = reuseEqual(before, {
    list: [{ id: "b", n: { x: 2 } }, { id: "a", n: { x: 9 } }],
    plain: [1, [2], 3],
    text: "t",
  });
  check.equal(now, { list: [{ id: "b", n: { x: 2 } }, { id: "a", n: { x: 9 } }], plain: [1, [2], 3], text: "t" });
  check.that(now.list[0] === before.list[1] && now.list[1] !== before.list[0]);
  check.that(now.plain[1] === before.plain[1]);
  const others: readonly (readonly [before: unknown, now: unknown])[] = [
    [undefined, { a: 1 }],
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [[1], { 0: 1 }],
    [{ a: null }, { a: {} }],
    [{ a: {} }, { a: null }],
    [1, "1"],
  ];
  for (const [one, other] of others) check.that(reuseEqual(one, other) !== one, JSON.stringify([one, other]));
});

test("DB26e each path of the API belongs to the services whose changes concern it", () => {
  check.equal(servicesOf("integrations/a%2Fb"), ["neuro"]);
  check.equal(servicesOf("traces?limit=100&kind=force"), ["neuro", "intermediary"]);
  check.equal(servicesOf("audit?limit=500"), ["intermediary"]);
  for (const path of ["tokens", "relays?limit=5", "nodes", "__proto__", ""]) check.equal(servicesOf(path), undefined, path);
});
