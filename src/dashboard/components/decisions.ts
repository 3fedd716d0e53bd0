/** Moves the focus between the questions and approvals of the page, and runs their buttons by key. */
import { store } from "../state/hooks.ts";

const DECISION = "[data-decision]";

/** The questions and approvals in the order of the page. */
const decisions = (): readonly HTMLElement[] => [...document.querySelectorAll<HTMLElement>(DECISION)];

/** The decision that has the focus, or in which the focus is. */
export const focusedDecision = (): HTMLElement | null => document.activeElement?.closest<HTMLElement>(DECISION) ?? null;

/** Moves the focus to the decision at a place in the list. */
export function focusDecision(place: number): void {
  const isHidden = decisions().every((one) => one.getClientRects().length === 0);
  if (!isHidden) return focusAt(place);
  // Why later: a narrow screen has to draw them first.
  store.openPanel("now");
  setTimeout(() => focusAt(place), 0);
}

function focusAt(place: number): void {
  const all = decisions();
  const next = all[((place % all.length) + all.length) % all.length];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** Moves the focus to the next decision. */
export const focusNextDecision = (): void => focusDecision(decisions().indexOf(focusedDecision() ?? document.body) + 1);

/**
 * Presses a button of the focused decision. Why not of the first one if none has the focus: a new one could take its place at that
 * instant. The first press only moves the focus.
 */
export function pressInDecision(name: string): boolean {
  const focused = focusedDecision();
  if (focused === null) {
    const place = decisions().findIndex((one) => one.querySelector(`[data-name="${name}"]`) !== null);
    if (place < 0) return false;
    focusDecision(place);
    return true;
  }
  const button = focused.querySelector<HTMLElement>(`[data-name="${name}"]`);
  button?.click();
  return button !== null;
}
