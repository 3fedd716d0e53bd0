/**
 * Free text of integrations, sent to Neuro as silent context: at most one context per integration and `FREE_TEXT_INTERVAL_MS`.
 *
 * Invariant: at most one context waits for each integration. It has at most `FREE_TEXT_BYTES_MAX` bytes, and the latest text is kept.
 */
import { lenientText } from "../../../core/text.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { isObject, type Json } from "../../../core/json.ts";
import { FREE_TEXT_BYTES_MAX, FREE_TEXT_INTERVAL_MS } from "../../../core/limits.ts";
import type { PeerTimers } from "../timers.ts";

interface PendingText {
  waiting: string;
  /** When the next context may be sent. */
  readyAt: Millis;
}

export class FreeTextBuffer {
  readonly #pending = new Map<PeerId, PendingText>();
  readonly #timers: PeerTimers;

  constructor(timers: PeerTimers) {
    this.#timers = timers;
  }

  /** Sends a message as text now, or joins it with the text that waits. */
  receive(from: PeerId, payload: Json, ctx: StepContext): void {
    const text = cutEnd(textFor(payload));
    if (text === "") return;
    const pending = this.#pending.get(from) ?? { waiting: "", readyAt: 0 };
    this.#pending.set(from, pending);
    if (ctx.now >= pending.readyAt) return send(from, pending, text, ctx);
    if (pending.waiting === "") {
      pending.waiting = text;
      this.#timers.set({ is: "freeText", peer: from }, pending.readyAt);
    } else pending.waiting = cutStart(`${pending.waiting}\n${text}`);
  }

  remove(peer: PeerId): void {
    this.#pending.delete(peer);
    this.#timers.clear({ is: "freeText", peer });
  }

  /** Sends the text that waits for its second. */
  sendWaiting(peer: PeerId, ctx: StepContext): void {
    const pending = this.#pending.get(peer);
    if (pending === undefined || pending.waiting === "") return;
    const text = pending.waiting;
    pending.waiting = "";
    send(peer, pending, text, ctx);
  }
}

function send(peer: PeerId, pending: PendingText, message: string, ctx: StepContext): void {
  pending.readyAt = ctx.now + FREE_TEXT_INTERVAL_MS;
  ctx.post("neuro", { is: "gameMessage", peer, message: { command: "context", message, silent: true } });
}

function textFor(payload: Json): string {
  if (typeof payload === "string") return payload;
  if (!isObject(payload)) return JSON.stringify(payload);
  const { action, raw, event, payload: inner } = payload;
  if (action === "raw_text" && typeof raw === "string") return raw;
  if (typeof event !== "string" || inner === undefined) return JSON.stringify(payload);
  return `${event}: ${typeof inner === "string" ? inner : JSON.stringify(inner)}`;
}

/** The first `FREE_TEXT_BYTES_MAX` bytes of a text, in whole characters. */
function cutEnd(text: string): string {
  if (text.length * 3 <= FREE_TEXT_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text.slice(0, FREE_TEXT_BYTES_MAX));
  return bytes.length <= FREE_TEXT_BYTES_MAX && text.length <= FREE_TEXT_BYTES_MAX
    ? text
    : lenientText(bytes.slice(0, FREE_TEXT_BYTES_MAX)).replace(/\uFFFD+$/, "");
}

/** The last `FREE_TEXT_BYTES_MAX` bytes of a text, in whole characters. */
function cutStart(text: string): string {
  if (text.length * 3 <= FREE_TEXT_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text.slice(-FREE_TEXT_BYTES_MAX));
  if (bytes.length <= FREE_TEXT_BYTES_MAX && text.length <= FREE_TEXT_BYTES_MAX) return text;
  return lenientText(bytes.slice(-FREE_TEXT_BYTES_MAX)).replace(/^\uFFFD+/, "");
}
