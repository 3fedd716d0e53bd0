/** The keyboard: one letter each, never while somebody types. */
import { openPanel } from "../state/relay.ts";
import { type PanelName, store } from "../state/store.ts";
import { nextTheme } from "../state/theme.ts";
import { toggleFeed } from "../panels/feed.tsx";

/** What the help shows. */
export const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ["?", "this help"],
  ["Shift S", "stop everything, or go on"],
  ["j  k", "next and previous integration"],
  ["Enter", "open what has the focus"],
  ["x  m  o  a", "pause, mute, solo, approve the integration that has the focus"],
  ["1 … 6", "feed, queue, Brain, Nallely, audit, tools"],
  ["/", "search the feed"],
  ["p", "hold the feed, or let it go on"],
  ["t", "dark, light, as the system"],
  ["Esc", "close"],
];

const PANELS: readonly PanelName[] = ["feed", "queue", "brain", "nallely", "audit", "tools"];

export function handleKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { key } = event;
  if (key === "Escape") return escape(event);
  if (store.state.session === "out" || store.state.isHelpOpen || isTyping(event.target)) return;
  const panel = PANELS[Number(key) - 1];
  if (panel !== undefined) openPanel(panel);
  else if (key === "?") store.set({ isHelpOpen: true });
  else if (key === "S") press("stop");
  else if (key === "/") search();
  else if (key === "p") toggleFeed();
  else if (key === "t") store.set({ theme: nextTheme() });
  else if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  else if (!pressInRow(key)) return;
  event.preventDefault();
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement
    ? !/^(?:checkbox|radio)$/.test(target.type)
    : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

function escape({ target }: KeyboardEvent): void {
  if (store.state.isHelpOpen) store.set({ isHelpOpen: false });
  else if (isTyping(target) && target instanceof HTMLElement) target.blur();
}

function press(name: string, within: ParentNode = document): void {
  within.querySelector<HTMLElement>(`[data-name="${name}"]`)?.click();
}

function search(): void {
  openPanel("feed");
  // Why later: the panel may not be there yet.
  setTimeout(() => document.querySelector<HTMLElement>(`[data-name="feed-text"]`)?.focus(), 30);
}

const heads = (): readonly HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-name='integration-head']")];

function walk(by: number): void {
  const all = heads();
  const at = all.findIndex((head) => head.closest("li")?.contains(document.activeElement) === true);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const IN_ROW: ReadonlyMap<string, string> = new Map([["x", "pause"], ["m", "mute"], ["o", "solo"], ["a", "approve"]]);

function pressInRow(key: string): boolean {
  const name = IN_ROW.get(key);
  const row = document.activeElement?.closest("[data-name='integration']");
  if (name === undefined || row === null || row === undefined) return false;
  press(name, row);
  return true;
}
