/** The heads of columns, by which a list is sorted. The order is in the address of the page. */
import type { Child } from "hono/jsx/dom";
import type { RouteParam } from "../lib/route.ts";
import { nextOrder, parseOrder } from "../lib/sort-list.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.sort;

/** The order of the list whose order is this parameter of the address. */
export const useOrder = (param: RouteParam): string => useStore(({ route }) => route.params[param] ?? "");

export interface SortHeadProps {
  readonly param: RouteParam;
  readonly columns: readonly HeadColumn[];
  readonly className?: string;
  /** What follows the columns. */
  readonly children?: Child;
}

interface HeadColumn {
  readonly key: string;
  readonly title: string;
  readonly isText?: boolean;
  /** Its values are at the end of the line. */
  readonly isAtEnd?: boolean;
}

export function SortHead({ param, columns, className = "sort-head", children }: SortHeadProps) {
  const by = useOrder(param);
  const current = parseOrder(by);
  return (
    <div class={className} role="group" aria-label={TEXT.order}>
      {columns.map(({ key, title, isText, isAtEnd }) => {
        const isCurrent = key === current.key;
        const isUpwards = (isText === true) !== current.isReversed;
        return (
          <button
            key={key}
            type="button"
            class={isAtEnd === true ? "sort end" : "sort"}
            aria-pressed={isCurrent ? "true" : "false"}
            data-name={`sort-${key}`}
            title={!isCurrent ? TEXT.byThis : current.isReversed ? TEXT.asUsual : TEXT.reverse}
            onClick={() => store.setParams({ [param]: nextOrder(by, key) })}
          >
            {title}
            <span class={isCurrent ? "sort-mark" : "hidden"} aria-hidden="true">{isUpwards ? "↑" : "↓"}</span>
          </button>
        );
      })}
      {children}
    </div>
  );
}
