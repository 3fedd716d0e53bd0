/** Frames for integrations: replies, messages of Neuro, and context of others. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { GameMessage, NeuroMessage } from "../../../core/neuro-messages.ts";
import type { ServiceMessage } from "../../../core/service-message.ts";
import { fitsBytes, utf8Length } from "../../../core/text.ts";
import { withFields } from "../../../queue/entry.ts";
import type { Integration } from "../connections/peer.ts";

/** Sends a frame past the queue. An integration with acks gets an id to acknowledge; the ack is ignored. */
export function sendToIntegration({ peer, acks }: Integration, text: string, ctx: StepContext): void {
  ctx.emit({ do: "send", to: peer, frame: acks ? withFields({ id: ctx.id() }, text) : text, expectsReply: acks });
}

/** Replies to a frame of an integration. */
export function replyToIntegration({ peer, acks }: Integration, text: string, ctx: StepContext): void {
  ctx.emit({ do: "reply", to: peer, frame: acks ? withFields({ id: ctx.id() }, text) : text, expectsReply: acks });
}

/** An integration, and the largest message that it gets (`limits.message_bytes`). */
export interface Recipient {
  readonly to: Integration;
  readonly bytesMax: number;
}

/** Sends an integration a message of Neuro. Actions are sent once and never queued. */
export function deliverNeuroMessage(recipient: Recipient, message: NeuroMessage, ctx: StepContext): void {
  ctx.count("integration", "out", message.command);
  switch (message.command) {
    case "action": {
      const { id, name, data } = message;
      return sendNeuroEvent(recipient, "action", { id, name, data }, ctx);
    }
    case "startup": {
      const { sessionId, characterId, displayName } = message.session;
      const payload = { session_id: sessionId, character_id: characterId, display_name: displayName };
      return sendNeuroEvent(recipient, "startup", payload, ctx);
    }
    case "actions/reregister_all":
    case "shutdown/immediate":
      return sendNeuroEvent(recipient, message.command, {}, ctx);
    case "shutdown/graceful":
      return sendNeuroEvent(recipient, message.command, { wants_shutdown: message.wanted }, ctx);
    case "speech_finished":
      return sendNeuroEvent(recipient, message.command, message.data, ctx);
    case "other":
      return sendNeuroEvent(recipient, message.name, message.data ?? {}, ctx);
    default:
      return assertNever(message);
  }
}

/** A message that is too large for the integration is not sent. Actions are small enough: the Neuro service refuses larger ones. */
function sendNeuroEvent({ to, bytesMax }: Recipient, event: string, payload: JsonObject, ctx: StepContext): void {
  const text = JSON.stringify({ event, payload });
  if (fitsBytes(text, bytesMax)) return sendToIntegration(to, text, ctx);
  const reason = `${event} for ${to.name} has ${utf8Length(text)} bytes; \`limits.message_bytes\` allows ${bytesMax}`;
  ctx.observe({ is: "input_refused", from: "Neuro", fault: "tooBig", reason });
}

function sendEvent(to: Integration, event: string, payload: JsonObject | undefined, ctx: StepContext): void {
  sendToIntegration(to, JSON.stringify({ event, payload }), ctx);
}

/**
 * Neuro was given a context: the other integrations get it, too. An integration under backpressure is skipped, so that contexts of
 * others cannot fill its backlog and close it.
 */
export function broadcastContext(
  { integrations, bytesMax }: { readonly integrations: ReadonlyMap<string, Integration>; readonly bytesMax: number },
  { from, peer, message, silent }: Extract<ServiceMessage, { readonly is: "contextShared" }>,
  ctx: StepContext,
): void {
  if (integrations.size === 0) return;
  const text = JSON.stringify({ event: "context_update", payload: { from, context: message, message, silent } });
  const isTooLarge = !fitsBytes(text, bytesMax);
  for (const integration of integrations.values()) {
    if (integration.peer === peer) continue; // Why not by name: a game may have the name of an integration.
    if (integration.congestion !== undefined) integration.congestion.missedContexts++;
    else if (isTooLarge) sendEvent(integration, "context_gap", { missed: 1 }, ctx);
    else {
      ctx.count("integration", "out", "context_update");
      sendToIntegration(integration, text, ctx);
    }
  }
}

/**
 * The socket of an integration came under backpressure, or was relieved. When relieved, the integration gets the number of contexts that it
 * missed.
 */
export function setCongestion(integration: Integration, isCongested: boolean, ctx: StepContext): void {
  if (isCongested) {
    integration.congestion ??= { missedContexts: 0 };
    return;
  }
  const missed = integration.congestion?.missedContexts ?? 0;
  integration.congestion = undefined;
  if (missed > 0) sendEvent(integration, "context_gap", { missed }, ctx);
}

/** The Neuro service was rebuilt and may have lost the latest messages: posts an integration and its actions to it again. */
export function announce({ peer, name, connection, traces, actions }: Integration, ctx: StepContext): void {
  ctx.post("neuro", { is: "integrationJoined", peer, name, connection, ...(traces && { traces }) });
  if (actions.size === 0) return;
  const message: GameMessage = { command: "actions/register", actions: [...actions.values()] };
  ctx.post("neuro", { is: "gameMessage", peer, message });
}
