/**
 * Integrations: what they say, to Neuro and to watchers, and what is said to them.
 *
 * Invariant: whatever an integration sends is at most one command to Neuro's side and one event for watchers.
 */
import type { GameMessage, NeuroMessage, ResultMessage } from "../../core/neuro-messages.ts";
import type { Frame, Json } from "../../core/json.ts";
import { ACTIONS_PER_INTEGRATION_MAX } from "../../core/limits.ts";
import { withFields } from "../../queue/entry.ts";
import type { StepContext } from "../../core/context.ts";
import { receiveFreeText } from "./free-text.ts";
import type { Integration, State } from "./state.ts";
import { errorText, jsonOf, replyText, requestIdOf } from "./wire.ts";
import { type IntegrationMessage, readIntegrationMessage } from "./integration-messages.ts";

/** A message of an integration, as it came and as it was understood. */
interface Received<Meaning extends IntegrationMessage = IntegrationMessage> {
  readonly from: Integration;
  readonly payload: Json;
  readonly utterance: Meaning;
}

/** A frame of an integration. */
export function receive(state: State, { from, frame }: { from: Integration; frame: Frame }, ctx: StepContext): void {
  from.heardAt = ctx.now;
  from.messages++;
  if (typeof frame !== "string") {
    ctx.count("integration", "in", "binary");
    const taken = state.uploads.take(from, frame, ctx);
    if (!taken.ok) reply(from, errorText(taken.reason, taken.fault), ctx);
    return;
  }
  const message = jsonOf(frame, state.settings.limits.json_depth);
  const payload: Json = message === undefined ? { action: "raw_text", raw: frame } : message;
  const utterance = readIntegrationMessage(payload, from.acks);
  ctx.count("integration", "in", utterance.is === "game" ? utterance.message.command : utterance.is);
  dispatch(state, { from, payload, utterance }, ctx);
}

function dispatch(state: State, { from, payload, utterance }: Received, ctx: StepContext): void {
  switch (utterance.is) {
    case "ack":
      if (from.hasQueue) state.queue.ack(from.name, utterance.id, ctx);
      return;
    case "nak":
      if (from.hasQueue) state.queue.nak(from.name, utterance, ctx);
      return;
    case "term":
      if (from.hasQueue) state.queue.term(from.name, utterance.id, ctx);
      return;
    case "actions":
      return reply(from, replyText({ actions: registeredActions(state) }, requestIdOf(payload)), ctx);
    case "game":
      return forwardToNeuro({ from, payload, utterance }, ctx);
    case "choice": {
      const { name, data } = utterance;
      ctx.observe({ is: "integration_message", from: from.name, payload });
      return ctx.post("neuro", { is: "actionChosen", from: from.name, name, data });
    }
    case "freeText":
      ctx.observe({ is: "integration_message", from: from.name, payload });
      return receiveFreeText(state, { from, payload }, ctx);
  }
}

/** Neuro's room was made anew, and may have lost what was said to it last: says again who takes part, with what. */
export function announce({ peer, name, connection, actions }: Integration, ctx: StepContext): void {
  ctx.post("neuro", { is: "integrationJoined", peer, name, connection });
  if (actions.size === 0) return;
  const message: GameMessage = { command: "actions/register", actions: [...actions.values()] };
  ctx.post("neuro", { is: "gameMessage", peer, message });
}

/** Something in the words of the Neuro API. */
function forwardToNeuro(
  { from, payload, utterance: { message } }: Received<Extract<IntegrationMessage, { is: "game" }>>,
  ctx: StepContext,
): void {
  const { peer, name, actions } = from;
  if (message.command === "actions/register") {
    for (const action of message.actions) {
      if (actions.has(action.name) || actions.size < ACTIONS_PER_INTEGRATION_MAX) actions.set(action.name, action);
    }
    ctx.observe({
      is: "integration_registered_actions",
      from: name,
      actions: message.actions.map((action) => action.name),
    });
  } else {
    ctx.observe({ is: "integration_message", from: name, payload });
    if (message.command === "actions/unregister") { for (const gone of message.names) actions.delete(gone); }
    if (message.command === "startup") actions.clear();
    if (message.command === "action/result") reportMissingId(from, message, ctx);
  }
  ctx.post("neuro", { is: "gameMessage", peer, message });
}

/** Says once what an integration's results lack. */
function reportMissingId(from: Integration, { id }: ResultMessage, ctx: StepContext): void {
  if (id !== undefined || from.repaired.has("action_result without an id")) return;
  from.repaired.add("action_result without an id");
  const hint = "send back the id that came with the action: without it only a single pending action can be meant";
  ctx.observe({ is: "input_repaired", from: from.name, what: "action_result without an id", hint });
}

/** All actions of connected integrations, by `<integration>.<action>`, with their schemas. */
export function registeredActions(state: State): { readonly [name: string]: Json } {
  const all: [string, Json][] = [];
  for (const { name, actions } of state.integrations.values()) {
    for (const action of actions.values()) all.push([`${name}.${action.name}`, action.schema ?? {}]);
  }
  return Object.fromEntries(all); // Why: it is made to be written; nothing is ever looked up in it.
}

/** A frame for an integration beside its queue; those with acks get an id to answer, and nothing comes of it. */
export function send(to: Integration, text: string, ctx: StepContext): void {
  ctx.emit({ do: "send", to: to.peer, frame: to.acks ? withFields({ id: ctx.id() }, text) : text, expectsReply: to.acks });
}

/** The reply to a frame of an integration. */
export function reply(to: Integration, text: string, ctx: StepContext): void {
  ctx.emit({ do: "reply", to: to.peer, frame: to.acks ? withFields({ id: ctx.id() }, text) : text });
}

/** Neuro says something to an integration. Actions are sent once and never kept. */
export function deliver(to: Integration, message: NeuroMessage, ctx: StepContext): void {
  ctx.count("integration", "out", message.command);
  switch (message.command) {
    case "action": {
      const { id, name, data } = message;
      return send(to, JSON.stringify({ event: "action", payload: { id, name, data } }), ctx);
    }
    case "startup": {
      const { sessionId, characterId, displayName } = message.session;
      const payload = { session_id: sessionId, character_id: characterId, display_name: displayName };
      return send(to, JSON.stringify({ event: "startup", payload }), ctx);
    }
    case "actions/reregister_all":
    case "shutdown/immediate":
      return send(to, JSON.stringify({ event: message.command, payload: {} }), ctx);
    case "shutdown/graceful":
      return send(to, JSON.stringify({ event: message.command, payload: { wants_shutdown: message.wanted } }), ctx);
    case "speech_finished":
      return send(to, JSON.stringify({ event: message.command, payload: message.data }), ctx);
    case "other":
      return send(to, JSON.stringify({ event: message.name, payload: message.data ?? {} }), ctx);
  }
}

/** Somebody told Neuro something: the others get to know it too. */
export function broadcastContext(
  state: State,
  context: { from: string; message: string; silent: boolean },
  ctx: StepContext,
): void {
  if (state.integrations.size === 0) return;
  const { from, message, silent } = context;
  const text = JSON.stringify({ event: "context_update", payload: { from, context: message, message, silent } });
  for (const integration of state.integrations.values()) {
    if (integration.name === from) continue;
    ctx.count("integration", "out", "context_update");
    send(integration, text, ctx);
  }
}
