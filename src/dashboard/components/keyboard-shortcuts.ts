/** Keyboard shortcuts: single keys, ignored while a text field has the focus. `TEXTS.help.shortcuts` lists them. */
import { type Panel, PANELS } from "../panels/registry.ts";
import { focusNextDecision, pressInDecision } from "./decisions.ts";
import { store } from "../state/hooks.ts";

/** Names of the controls of the focused integration. */
const ROW_CONTROLS: ReadonlyMap<string, string> = new Map([["x", "pause"], ["m", "mute"], ["o", "solo"], ["a", "approve"]]);

export function handleKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { session, dialog } = store.state;
  if (event.key === "Escape") return leave(event.target);
  if (session.is === "signed_out" || dialog !== undefined || isTyping(event.target)) return;
  if (runShortcut(event.key)) event.preventDefault();
}

/** False when the key is no shortcut. */
function runShortcut(key: string): boolean {
  const panel = panelOf(key);
  if (panel !== undefined) store.openPanel(panel.name);
  else if (key === "?") store.openDialog("help");
  else if (key === "c") store.openDialog("connect");
  else if (key === "n") focusNextDecision();
  else if (key === "S") press("stop");
  else if (key === "/") focusSearch();
  else if (key === "p") store.feed.toggle();
  else if (key === "t") store.switchTheme();
  else if (key === "j") focusIntegration(1);
  else if (key === "k") focusIntegration(-1);
  else return pressDecisionControl(key) || pressRowControl(key);
  return true;
}

/** The digits as they stand on a keyboard: 0 follows 9. */
const panelOf = (key: string): Panel | undefined => /^\d$/.test(key) ? PANELS[(Number(key) + 9) % 10] : undefined;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement
    ? !/^(?:checkbox|radio)$/.test(target.type)
    : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

function leave(target: EventTarget | null): void {
  if (store.state.dialog !== undefined) store.openDialog(undefined);
  else if (isTyping(target) && target instanceof HTMLElement) target.blur();
}

function press(name: string, within: ParentNode = document): void {
  within.querySelector<HTMLElement>(`[data-name="${name}"]`)?.click();
}

function focusSearch(): void {
  store.openPanel("feed");
  // Why later: the panel may not have been drawn yet.
  setTimeout(() => document.querySelector<HTMLElement>(`[data-name="feed-text"]`)?.focus(), 30);
}

/** Moves the focus to the next integration, or to the previous one. */
function focusIntegration(step: 1 | -1): void {
  const heads = [...document.querySelectorAll<HTMLElement>("[data-name='integration-head']")];
  const current = heads.findIndex((head) => head.closest("li")?.contains(document.activeElement) === true);
  const first = step > 0 ? 0 : heads.length - 1;
  const next = heads[current < 0 ? first : Math.min(heads.length - 1, Math.max(0, current + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** Names of the controls of a question or an approval. */
const DECISION_CONTROLS: ReadonlyMap<string, string> = new Map([
  ["y", "approve-pending"],
  ["r", "reject-pending"],
  ["e", "edit-pending"],
  ["w", "answer"],
  ["v", "veto"],
]);

function pressDecisionControl(key: string): boolean {
  const name = DECISION_CONTROLS.get(key);
  return name !== undefined && pressInDecision(name);
}

function pressRowControl(key: string): boolean {
  const name = ROW_CONTROLS.get(key);
  const row = document.activeElement?.closest("[data-name='integration']");
  if (name === undefined || row === null || row === undefined) return false;
  press(name, row);
  return true;
}
