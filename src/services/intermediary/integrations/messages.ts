/**
 * Frames of integrations.
 *
 * Invariant: a frame of an integration causes at most one message to the Neuro service and one event for watchers.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Frame, Json } from "../../../core/json.ts";
import { ACTIONS_PER_INTEGRATION_MAX, SCHEMA_BYTES_MAX } from "../../../core/limits.ts";
import type { Action, GameMessage, ResultMessage } from "../../../core/neuro-messages.ts";
import { errorReplyText, jsonOf, replyText, requestIdOf } from "../codec/frames.ts";
import { type IntegrationMessage, readIntegrationMessage } from "../codec/integration-messages.ts";
import { isGreeting } from "../codec/greeting.ts";
import type { Integration } from "../connections/peer.ts";
import type { IntermediaryState } from "../state.ts";
import { registeredActions } from "./actions.ts";
import { replyToIntegration } from "./outbound.ts";

/** Characters of an action as JSON: a schema of `SCHEMA_BYTES_MAX`, and as much for its name and description. */
const ACTION_LENGTH_MAX: number = 2 * SCHEMA_BYTES_MAX;

/** A frame of an integration: text is a message, bytes are an upload. */
export function receiveFromIntegration(state: IntermediaryState, from: Integration, frame: Frame, ctx: StepContext): void {
  from.lastFrameAt = ctx.now;
  from.messages++;
  if (typeof frame !== "string") {
    ctx.count("integration", "in", "binary");
    const upload = state.uploads.start(from, frame, ctx);
    if (!upload.ok) replyToIntegration(from, errorReplyText(upload.reason, upload.fault), ctx);
    return;
  }
  const json = jsonOf(frame, state.settings.limits.json_depth);
  const received: Json = json === undefined ? { action: "raw_text", raw: frame } : json;
  const payload = state.credentials.removeFrom(received, frame);
  const message = readIntegrationMessage(payload, from.acks);
  ctx.count("integration", "in", kindOf(message));
  if (message.is === "freeText" && isGreeting(received)) return refuseRepeatedGreeting(from, ctx);
  handle(state, from, message, payload, ctx);
}

function kindOf(message: IntegrationMessage): string {
  if (message.is === "game") return message.message.command;
  return message.is === "freeText" ? "free" : message.is;
}

/** `payload`: the whole message, for watchers. */
function handle(
  state: IntermediaryState,
  from: Integration,
  message: IntegrationMessage,
  payload: Json,
  ctx: StepContext,
): void {
  switch (message.is) {
    case "ack":
      if (from.hasQueue) state.queue.ack(from.name, message.id, ctx);
      return;
    case "nak":
      if (from.hasQueue) state.queue.nak(from.name, message, ctx);
      return;
    case "term":
      if (from.hasQueue) state.queue.term(from.name, message.id, ctx);
      return;
    case "actions": {
      const actions = registeredActions(state.connections.integrations);
      return replyToIntegration(from, replyText({ actions }, requestIdOf(payload)), ctx);
    }
    case "game":
      return forwardToNeuro(from, message.message, payload, ctx);
    case "choice": {
      const { name, data } = message;
      ctx.observe({ is: "integration_message", from: from.name, payload });
      return ctx.post("neuro", { is: "actionChosen", from: from.name, name, data });
    }
    case "freeText":
      ctx.observe({ is: "integration_message", from: from.name, payload });
      if (state.settings.intermediary.events_to_neuro) state.freeText.receive(from.peer, payload, ctx);
      return;
    default:
      return assertNever(message);
  }
}

/** A message of the Neuro API. */
function forwardToNeuro(from: Integration, message: GameMessage, payload: Json, ctx: StepContext): void {
  const { peer, name, actions } = from;
  if (message.command === "actions/register") {
    for (const action of message.actions) listAction(from, action);
    ctx.observe({
      is: "integration_registered_actions",
      from: name,
      actions: message.actions.map((action) => action.name),
    });
  } else {
    ctx.observe({ is: "integration_message", from: name, payload });
    if (message.command === "actions/unregister") { for (const removed of message.names) actions.delete(removed); }
    if (message.command === "startup") actions.clear();
    if (message.command === "action/result") reportMissingId(from, message, ctx);
  }
  ctx.post("neuro", { is: "gameMessage", peer, message });
}

/** Lists an action, unless it is larger than any that reaches Neuro: the list must not occupy more memory than her registry. */
function listAction({ actions }: Integration, action: Action): void {
  const hasCapacity = actions.has(action.name) || actions.size < ACTIONS_PER_INTEGRATION_MAX;
  if (hasCapacity && JSON.stringify(action).length <= ACTION_LENGTH_MAX) actions.set(action.name, action);
}

/** A greeting that is sent again is neither an event nor a context. */
function refuseRepeatedGreeting(from: Integration, ctx: StepContext): void {
  reportOnce(from, "a repeated greeting", "greet once for each connection: a later greeting is ignored", ctx);
  replyToIntegration(from, errorReplyText("already registered", "badMessage"), ctx);
}

/** Reports once that an integration sends results without an id. */
function reportMissingId(from: Integration, { id }: ResultMessage, ctx: StepContext): void {
  if (id !== undefined) return;
  const hint =
    "send the id of the action with its result: without an id the result counts only while a single action is pending";
  reportOnce(from, "result_id_missing", hint, ctx);
}

/** Tells the developer of an integration about a kind of input once. */
function reportOnce(from: Integration, what: string, hint: string, ctx: StepContext): void {
  if (from.repaired.has(what)) return;
  from.repaired.add(what);
  ctx.observe({ is: "input_repaired", from: from.name, what, hint });
}
