/** API requests about single messages: show, send, retry and drop. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { StoreEvent } from "../../../core/event.ts";
import { type Key, type LoadToken, loadToken } from "../../../core/ids.ts";
import { isObject, type JsonObject, parseJson } from "../../../core/json.ts";
import { MESSAGE_LOADS_MAX } from "../../../core/limits.ts";
import { respond } from "../../../core/request.ts";
import type { MessageView } from "../../../core/view.ts";
import { bodyOf } from "../../../queue/entry.ts";
import type { IntermediaryState } from "../state.ts";
import { gameHint, sendCommand } from "../watchers/commands.ts";
import {
  NO_MESSAGE,
  PENDING_LETTER,
  type PendingLoad,
  type RequestedBy,
  type RequestFailure,
  respondWithFailure,
} from "./responses.ts";

/** Distinguishes these loads from those of the queue. */
const TOKEN_PREFIX = "intermediary:operator:";

export const isOperatorLoad = (token: LoadToken): boolean => token.startsWith(TOKEN_PREFIX);

/** Shows a queued message or a dead letter. */
export function showMessage(state: IntermediaryState, requested: RequestedBy<"message">, ctx: StepContext): void {
  const { queue } = state;
  const { id } = requested.request;
  const letter = queue.deadLetters.get(id);
  if (letter !== undefined) return load(state, letter.key, { is: "show", requested, to: letter.recipient }, ctx);
  const found = queue.recipients.locate(id);
  if (found === undefined) return respondWithFailure(requested, missing(state, id), ctx);
  const { to, entry } = found;
  if (entry.body === undefined) return load(state, entry.key, { is: "show", requested, to }, ctx);
  const { kind, at: created_at, exp: expires_at } = entry;
  respond(requested, messageView({ id, to, kind, created_at, expires_at, reason: null, dead_at: null }, entry.body), ctx);
}

/** Sends a command to an integration, as a watcher does. */
export function sendMessage(state: IntermediaryState, requested: RequestedBy<"sendCommand">, ctx: StepContext): void {
  const { request: { from, to, cmd }, principal: { by } } = requested;
  const sent = sendCommand(state, { from, target: to, cmd }, ctx);
  if (sent.ok && sent.value.after !== undefined) {
    const kept = { ...requested, request: { ...requested.request, cmd: null } }; // Why: the queue keeps the command.
    state.pendingRequests.writes.set(sent.value.after, { is: "send", requested: kept, to });
    return;
  }
  ctx.observe({ is: "operator_acted", by, did: "send", to, outcome: sent.ok ? "done" : sent.fault });
  if (sent.ok) return respond(requested, sent.value.reply, ctx);
  respondWithFailure(requested, sent.fault === "notFound" ? unknownRecipient(state, to) : sent, ctx);
}

/** Drops a queued message or a dead letter; with `dead` only a dead letter. */
export function dropMessage(state: IntermediaryState, requested: RequestedBy<"dropMessage">, ctx: StepContext): void {
  const { queue } = state;
  const { request: { id, dead }, principal: { by } } = requested;
  const letter = queue.deadLetters.get(id);
  const found = letter === undefined && !dead ? queue.recipients.locate(id) : undefined;
  const to = letter?.recipient ?? found?.to;
  if (to === undefined) return respondWithFailure(requested, missing(state, id), ctx);
  if (letter !== undefined) queue.deadLetters.drop(letter, ctx);
  if (found !== undefined) queue.drop(found.to, id, ctx);
  // Why the recipient: the id of a deleted message cannot be looked up.
  ctx.observe({ is: "operator_acted", by, did: "drop", to, outcome: "done" });
  respond(requested, { status: "dropped" }, ctx);
}

/** Loads a dead letter, to send it to its recipient again. */
export function retryDeadLetter(state: IntermediaryState, requested: RequestedBy<"retryMessage">, ctx: StepContext): void {
  const { id } = requested.request;
  const letter = state.queue.deadLetters.get(id);
  if (letter === undefined) return respondWithFailure(requested, missing(state, id), ctx);
  load(state, letter.key, { is: "retry", requested }, ctx);
}

/** Why not the text that watchers get: that text is an identifier of their protocol, not a sentence. */
export const unknownRecipient = (state: IntermediaryState, name: string): RequestFailure => ({
  fault: "notFound",
  reason: gameHint(state, name) ?? `no integration called ${name.slice(0, 64)} was here lately`,
});

const missing = ({ queue }: IntermediaryState, id: string): RequestFailure =>
  queue.deadLetters.isPending(id) ? PENDING_LETTER : NO_MESSAGE;

function load(state: IntermediaryState, key: Key, pending: PendingLoad, ctx: StepContext): void {
  const { loads } = state.pendingRequests;
  if (loads.size >= MESSAGE_LOADS_MAX) { // Why: each one brings a whole message into memory.
    const reason = `${loads.size} requests wait for the store, and at most ${MESSAGE_LOADS_MAX} may; try again`;
    return respondWithFailure(pending.requested, { fault: "rateLimit", reason }, ctx);
  }
  const token = loadToken(`${TOKEN_PREFIX}${ctx.id()}`);
  loads.set(token, pending);
  ctx.emit({ do: "load", token, keys: [key] });
}

/** A load for a request has ended. */
export function messageLoaded(
  state: IntermediaryState,
  event: Extract<StoreEvent, { readonly token: LoadToken }>,
  ctx: StepContext,
): void {
  const pending = state.pendingRequests.loads.get(event.token);
  if (pending === undefined) return;
  state.pendingRequests.loads.delete(event.token);
  if (event.is === "loadFailed") return respondWithFailure(pending.requested, "storageFailed", ctx);
  const value = event.entries[0]?.value;
  const body = isObject(value) && typeof value.id === "string" ? bodyOf(value, value.id) : undefined;
  if (!isObject(value) || body === undefined) return respondWithFailure(pending.requested, "notFound", ctx);
  switch (pending.is) {
    case "show":
      return respond(pending.requested, messageView(storedView(value, pending.to), body), ctx);
    case "retry":
      return sendAgain(state, pending.requested, { to: String(value.to), body }, ctx);
    default:
      return assertNever(pending);
  }
}

function sendAgain(
  state: IntermediaryState,
  requested: RequestedBy<"retryMessage">,
  { to, body }: { readonly to: string; readonly body: string },
  ctx: StepContext,
): void {
  const { request: { id }, principal: { by } } = requested;
  const { writes } = state.pendingRequests;
  const kind = state.queue.deadLetters.get(id)?.kind;
  if (kind === undefined) return respondWithFailure(requested, NO_MESSAGE, ctx); // Why: it was dropped meanwhile.
  for (const pending of writes.values()) {
    if (pending.is !== "retry" || pending.requested.request.id !== id) continue;
    return respondWithFailure(requested, { fault: "notNow", reason: "this dead letter is being retried already" }, ctx);
  }
  const sent = state.queue.send(to, { kind, body }, ctx);
  if (sent.ok && sent.value.is === "queued") {
    writes.set(sent.value.key, { is: "retry", requested, to });
    return;
  }
  ctx.observe({ is: "operator_acted", by, did: "retry", to, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return respondWithFailure(requested, sent, ctx);
  dropLetter(state, id, ctx);
  respond(requested, { status: "sent" }, ctx);
}

/** The write of a queued message has ended, for which a request may wait. */
export function messageWritten(state: IntermediaryState, key: Key, isStored: boolean, ctx: StepContext): void {
  const pending = state.pendingRequests.writes.get(key);
  if (pending === undefined) return;
  state.pendingRequests.writes.delete(key);
  const { is: did, to, requested: { principal: { by } } } = pending;
  ctx.observe({ is: "operator_acted", by, did, to, outcome: isStored ? "done" : "storageFailed" });
  if (!isStored) return respondWithFailure(pending.requested, "storageFailed", ctx);
  switch (pending.is) {
    case "send":
      return respond(pending.requested, { status: "queued" }, ctx);
    case "retry":
      dropLetter(state, pending.requested.request.id, ctx);
      return respond(pending.requested, { status: "queued" }, ctx);
    default:
      return assertNever(pending);
  }
}

function dropLetter(state: IntermediaryState, id: string, ctx: StepContext): void {
  const letter = state.queue.deadLetters.get(id);
  if (letter !== undefined) state.queue.deadLetters.drop(letter, ctx);
}

/** The body is JSON that the relay wrote. If it is not, it is returned as text. */
const messageView = (view: Omit<MessageView, "body">, body: string): MessageView => ({
  ...view,
  body: parseJson(body, Infinity) ?? body,
});

/** A stored entry or dead letter. The relay wrote it, so only optional fields are checked. */
function storedView({ id, to, kind, at, exp, why, died }: JsonObject, recipient: string): Omit<MessageView, "body"> {
  return {
    id: String(id),
    to: typeof to === "string" ? to : recipient,
    kind: String(kind),
    created_at: Number(at),
    expires_at: Number(exp),
    reason: typeof why === "string" ? why : null,
    dead_at: typeof died === "number" ? died : null,
  };
}
