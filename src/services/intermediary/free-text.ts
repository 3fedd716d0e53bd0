/**
 * What an integration says beside the protocol, on its way to Neuro as silent context: one a second each, joined and cut.
 *
 * Invariant: an integration has at most one context waiting, of at most `CHATTER_BYTES_MAX` bytes; the latest words are kept.
 */
import type { Millis } from "../../core/ids.ts";
import { isObject, type Json } from "../../core/json.ts";
import { FREE_TEXT_BYTES_MAX, FREE_TEXT_INTERVAL_MS } from "../../core/limits.ts";
import type { StepContext } from "../../core/context.ts";
import type { Integration, State } from "./state.ts";

export interface FreeText {
  /** What waits for its second. */
  waiting: string;
  /** When the next one may go. */
  readyAt: Millis;
}

export const newFreeText = (): FreeText => ({ waiting: "", readyAt: 0 });

/** Passes a message on in words. */
export function receiveFreeText(
  state: State,
  { from, payload }: { from: Integration; payload: Json },
  ctx: StepContext,
): void {
  if (!state.settings.intermediary.events_to_neuro) return;
  const text = cutEnd(textOf(payload));
  if (text === "") return;
  const { freeText } = from;
  if (ctx.now >= freeText.readyAt) return sendToNeuro(from, text, ctx);
  freeText.waiting = cutStart(freeText.waiting === "" ? text : `${freeText.waiting}\n${text}`);
  state.freeTexts.set(from.peer, freeText.readyAt);
}

/** The second of an integration is over. */
export function freeTextDue(from: Integration, ctx: StepContext): void {
  const { waiting } = from.freeText;
  from.freeText.waiting = "";
  if (waiting !== "") sendToNeuro(from, waiting, ctx);
}

function sendToNeuro(from: Integration, message: string, ctx: StepContext): void {
  from.freeText.readyAt = ctx.now + FREE_TEXT_INTERVAL_MS;
  ctx.post("neuro", { is: "gameMessage", peer: from.peer, message: { command: "context", message, silent: true } });
}

function textOf(payload: Json): string {
  if (typeof payload === "string") return payload;
  if (!isObject(payload)) return JSON.stringify(payload);
  const { action, raw, event, payload: inner } = payload;
  if (action === "raw_text" && typeof raw === "string") return raw;
  if (typeof event !== "string" || inner === undefined) return JSON.stringify(payload);
  return `${event}: ${typeof inner === "string" ? inner : JSON.stringify(inner)}`;
}

/** The first bytes of a text, whole characters only. */
function cutEnd(text: string): string {
  if (text.length * 3 <= FREE_TEXT_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text.slice(0, FREE_TEXT_BYTES_MAX));
  return bytes.length <= FREE_TEXT_BYTES_MAX && text.length <= FREE_TEXT_BYTES_MAX
    ? text
    : new TextDecoder().decode(bytes.slice(0, FREE_TEXT_BYTES_MAX)).replace(/\uFFFD+$/, "");
}

/** The last bytes of a text, whole characters only. */
function cutStart(text: string): string {
  if (text.length * 3 <= FREE_TEXT_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text.slice(-FREE_TEXT_BYTES_MAX));
  if (bytes.length <= FREE_TEXT_BYTES_MAX && text.length <= FREE_TEXT_BYTES_MAX) return text;
  return new TextDecoder().decode(bytes.slice(-FREE_TEXT_BYTES_MAX)).replace(/^\uFFFD+/, "");
}
