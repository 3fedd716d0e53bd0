/** The order of a list, by one of its columns. */

/** A column by which a list can be sorted. */
export interface SortColumn<Item> {
  /** As in the address of the page. */
  readonly key: string;
  readonly title: string;
  /** Its values are texts, so the arrow of its order points upwards. */
  readonly isText?: boolean;
  /** Numbers and times: the greatest is first, unless the order is reversed. Texts: as in a dictionary. Null is always last. */
  valueOf(item: Item): number | string | null;
}

/** Why numeric: "Game 10" follows "Game 9". */
const COLLATOR = new Intl.Collator("en", { numeric: true });

/**
 * The items in the order that `by` says: the key of a column, with `-` before it in reverse. Items with equal values stay in their order,
 * and all items do for any other text.
 */
export function sortList<Item>(items: readonly Item[], columns: readonly SortColumn<Item>[], by: string): readonly Item[] {
  const { key, isReversed } = parseOrder(by);
  const column = columns.find((one) => one.key === key);
  if (column === undefined) return items;
  const sign = isReversed ? -1 : 1;
  return items.map((item) => ({ item, value: column.valueOf(item) }))
    .sort((left, right) => compare(left.value, right.value, sign))
    .map(({ item }) => item);
}

function compare(left: number | string | null, right: number | string | null, sign: number): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  if (typeof left === "number" && typeof right === "number") return (right - left) * sign;
  return COLLATOR.compare(String(left), String(right)) * sign;
}

/** The column and the direction of an order in the address. */
export const parseOrder = (by: string): { readonly key: string; readonly isReversed: boolean } => ({
  key: by.replace(/^-/, ""),
  isReversed: by.startsWith("-"),
});

/** The order after a press on the head of a column: by it, then in reverse, then the usual order again. */
export const nextOrder = (by: string, key: string): string => (by === key ? `-${key}` : by === `-${key}` ? "" : key);
