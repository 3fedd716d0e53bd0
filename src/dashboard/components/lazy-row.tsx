/** A row of a long list. */
import { type Child, useRef, useState } from "hono/jsx/dom";
import { useVisible } from "../state/hooks.ts";

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
