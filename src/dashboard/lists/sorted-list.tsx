/** A long list: its rows are sorted by the heads of its columns, and drawn when they come nearly in sight. */
import { type Child, useRef, useState } from "hono/jsx/dom";
import type { RouteParam } from "../lib/route.ts";
import { type SortColumn, sortList } from "../lib/sort-list.ts";
import { moveInRows } from "../components/row-keys.ts";
import { useVisible } from "../state/hooks.ts";
import { SortHead, useOrder } from "./sort-head.tsx";

/** Rows that are drawn at first, and each time that the end of those that are drawn comes nearly in sight. */
const ROWS_AT_ONCE = 24;
const USUAL_HEIGHT_PX = 40;

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
  const [drawn, setDrawn] = useState(ROWS_AT_ONCE);
  const sorted = sortList(items, columns, useOrder(param));
  const rest = sorted.length - drawn;
  return (
    <div>
      {items.length < 2 ? null : <SortHead key="head" param={param} columns={columns} />}
      <ul class={className === undefined ? "plain-list" : `plain-list ${className}`} onKeyDown={moveInRows}>
        {sorted.slice(0, drawn).map((item) => <li key={keyOf(item)} data-row>{row(item)}</li>)}
        {rest > 0 ? <Rest key={`rest ${drawn}`} count={rest} onVisible={() => setDrawn(drawn + ROWS_AT_ONCE)} /> : null}
      </ul>
    </div>
  );
}

/** The place of the rows that are not drawn yet. Why a new one after each time: it may still be in sight. */
function Rest({ count, onVisible }: { readonly count: number; onVisible(): void }) {
  const element = useRef<HTMLLIElement | null>(null);
  if (useVisible(element)) onVisible();
  return <li ref={element} style={{ height: `${count * USUAL_HEIGHT_PX}px` }} aria-hidden="true" />;
}
