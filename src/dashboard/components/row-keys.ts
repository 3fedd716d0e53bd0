/**
 * The arrow keys in a list of rows. Each row is one stop of the Tab key, its first control; the arrow keys reach the other controls of the
 * row, and the same control of the next row.
 */

const CONTROLS = "button, a[href], summary";

/** For `onKeyDown` of the list. A row has the attribute `data-row`, and its controls except the first one have `tabindex` -1. */
export function moveInRows(event: KeyboardEvent): void {
  const { target } = event;
  const row = target instanceof HTMLElement ? target.closest<HTMLElement>("[data-row]") : null;
  if (row === null || !(target instanceof HTMLElement)) return;
  const controls = controlsOf(row);
  const place = controls.indexOf(target);
  const next = place < 0 ? undefined : nextOf(event.key, row, place);
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const controlsOf = (row: HTMLElement): readonly HTMLElement[] =>
  [...row.querySelectorAll<HTMLElement>(CONTROLS)].filter((control) =>
    control.closest("[data-row]") === row && control.getClientRects().length > 0
  );

function nextOf(key: string, row: HTMLElement, place: number): HTMLElement | undefined {
  const controls = controlsOf(row);
  switch (key) {
    case "ArrowRight":
      return controls[place + 1];
    case "ArrowLeft":
      return controls[place - 1];
    case "Home":
      return controls[0];
    case "End":
      return controls.at(-1);
    case "ArrowDown":
    case "ArrowUp": {
      const rows = [...row.closest("ul")?.querySelectorAll<HTMLElement>("[data-row]") ?? []];
      const other = rows[rows.indexOf(row) + (key === "ArrowDown" ? 1 : -1)];
      return other === undefined ? undefined : controlsOf(other)[place] ?? controlsOf(other)[0];
    }
    default: // Why not `assertNever`: a keyboard has many more keys.
      return undefined;
  }
}
