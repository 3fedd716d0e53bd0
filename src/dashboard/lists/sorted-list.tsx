/** A long list: its rows are sorted by the heads of its columns, and drawn when they come in sight. */
import { type Child, useRef, useState } from "hono/jsx/dom";
import type { RouteParam } from "../lib/route.ts";
import { type SortColumn, sortList } from "../lib/sort-list.ts";
import { useVisible } from "../state/hooks.ts";
import { SortHead, useOrder } from "./sort-head.tsx";

export interface SortedListProps<Item> {
  /** The parameter of the address that has its order. */
  readonly param: RouteParam;
  readonly columns: readonly SortColumn<Item>[];
  readonly items: readonly Item[];
  readonly className?: string;
  keyOf(item: Item): string;
  row(item: Item): Child;
}

export function SortedList<Item>({ param, columns, items, className, keyOf, row }: SortedListProps<Item>) {
  const sorted = sortList(items, columns, useOrder(param));
  return (
    <div>
      {items.length < 2 ? null : <SortHead key="head" param={param} columns={columns} />}
      <ul class={className === undefined ? "plain-list" : `plain-list ${className}`}>
        {sorted.map((item, at) => <LazyRow key={keyOf(item)} at={at}>{row(item)}</LazyRow>)}
      </ul>
    </div>
  );
}

/** Rows that are drawn at once. Why: they are in sight when the list is opened. */
const FIRST_ROWS = 12;

export interface LazyRowProps {
  /** Its place in the list, from 0. */
  readonly at: number;
  readonly children: Child;
}

/**
 * A row that is drawn when it first comes nearly in sight. Until then it has the height of a usual row.
 *
 * Why it stays drawn: a person may have opened something in it. Out of sight it is not laid out (`content-visibility`).
 */
export function LazyRow({ at, children }: LazyRowProps) {
  const element = useRef<HTMLLIElement | null>(null);
  const isVisible = useVisible(element);
  const [wasDrawn, setDrawn] = useState(at < FIRST_ROWS);
  const isDrawn = wasDrawn || isVisible;
  if (isDrawn !== wasDrawn) setDrawn(true);
  return (
    <li ref={element} class={isDrawn ? undefined : "lazy-row"}>
      {isDrawn ? children : null}
    </li>
  );
}
