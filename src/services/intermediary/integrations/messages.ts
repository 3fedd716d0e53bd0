/**
 * Frames of integrations.
 *
 * Invariant: a frame of an integration causes at most one message to the Neuro service, and one event for watchers besides reports of
 * problems.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { hintFor } from "../../../core/diagnostics/catalogue.ts";
import { type Frame, isObject, type Json } from "../../../core/json.ts";
import type { Action, ResultMessage } from "../../../core/neuro-messages.ts";
import { retainedBytes } from "../../../core/retained-bytes.ts";
import type { ServiceMessage } from "../../../core/service-message.ts";
import type { LimitSettings } from "../../../core/settings.ts";
import { errorReplyText, jsonOf, replyText, requestIdOf } from "../codec/frames.ts";
import { type IntegrationMessage, readIntegrationMessage } from "../codec/integration-messages.ts";
import { newLostKeys } from "../codec/lost-keys.ts";
import { unreadable } from "../codec/problems.ts";
import type { ChosenAction } from "../codec/watcher-requests.ts";
import { isGreeting } from "../codec/greeting.ts";
import type { Integration } from "../connections/peer.ts";
import type { IntermediaryState } from "../state.ts";
import { registeredActions } from "./actions.ts";
import { replyToIntegration } from "./outbound.ts";

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
  const { limits } = state.settings;
  const json = jsonOf(frame, limits.json_depth);
  const received: Json = json === undefined ? { action: "raw_text", raw: frame } : json;
  const payload = state.credentials.removeFrom(received, frame);
  for (const { what, detail, hint } of json === undefined ? [] : newLostKeys(from, frame)) {
    postProblem(from, { what, detail, message: payload }, ctx);
    reportOnce(from, what, hint, ctx);
  }
  const message: IntegrationMessage = json === undefined
    ? plainText(payload, limits.json_depth)
    : readIntegrationMessage(payload, { acks: from.acks, limits });
  ctx.count("integration", "in", kindOf(message));
  if (message.is === "freeText" && isGreeting(received)) return refuseRepeatedGreeting(from, payload, ctx);
  handle(state, from, message, payload, ctx);
}

/** Text that is not JSON is free text. One that begins like an object was hardly meant so. `payload`: it without credentials. */
function plainText(payload: Json, depthMax: number): IntegrationMessage {
  const text = isObject(payload) && typeof payload.raw === "string" ? payload.raw : "";
  return /^[\s\ufeff]*[[{]/.test(text) ? { is: "freeText", problem: unreadable(text, depthMax) } : { is: "freeText" };
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
      const actions = registeredActions(state);
      const reply = actions.ok
        ? replyText({ actions: actions.value }, requestIdOf(payload))
        : errorReplyText(actions.reason, actions.fault);
      return replyToIntegration(from, reply, ctx);
    }
    case "game":
      if (message.choice !== undefined && state.choices.offers(message.choice.name)) {
        return forwardChoice(from, message.choice, payload, ctx);
      }
      return forwardToNeuro(state, from, message, payload, ctx);
    case "refused": {
      const { fault, reason } = message;
      ctx.observe({ is: "integration_message", from: from.name, payload });
      ctx.observe({ is: "input_refused", from: from.name, fault, reason });
      postProblem(from, { what: "message_invalid", detail: reason, message: payload }, ctx);
      return replyToIntegration(from, errorReplyText(reason, fault), ctx);
    }
    case "choice":
      return forwardChoice(from, message, payload, ctx);
    case "freeText":
      ctx.observe({ is: "integration_message", from: from.name, payload });
      if (message.problem !== undefined) reportProblem(from, message.problem, payload, ctx);
      if (state.settings.intermediary.events_to_neuro) state.freeText.receive(from.peer, payload, ctx);
      return;
    default:
      return assertNever(message);
  }
}

function forwardChoice({ name: from }: Integration, { name, data }: ChosenAction, payload: Json, ctx: StepContext): void {
  ctx.observe({ is: "integration_message", from, payload });
  ctx.post("neuro", { is: "actionChosen", from, name, data });
}

/** A message of the Neuro API. */
function forwardToNeuro(
  { settings: { limits } }: IntermediaryState,
  from: Integration,
  { message, repairs }: Extract<IntegrationMessage, { readonly is: "game" }>,
  payload: Json,
  ctx: StepContext,
): void {
  const { peer, name } = from;
  if (message.command === "actions/register") {
    listActions(from, message.actions, limits, ctx);
    ctx.observe({
      is: "integration_registered_actions",
      from: name,
      actions: message.actions.map((action) => action.name),
    });
  } else {
    ctx.observe({ is: "integration_message", from: name, payload });
    if (message.command === "actions/unregister") unlistActions(from, message.names);
    if (message.command === "startup") unlistActions(from, from.actions.keys());
    if (message.command === "action/result") reportMissingId(from, message, payload, ctx);
  }
  ctx.post("neuro", { is: "gameMessage", peer, message, ...(repairs.length > 0 && { repairs }) });
}

/** Lists the actions that are within the limits. The integration is told of the first one that is not. */
function listActions(from: Integration, actions: readonly Action[], limits: LimitSettings, ctx: StepContext): void {
  let refused: string | undefined;
  for (const action of actions) {
    const reason = listAction(from, action, limits);
    if (reason !== undefined) refused ??= `${action.name.slice(0, 64)}: ${reason}`;
  }
  if (refused !== undefined) replyToIntegration(from, errorReplyText(`too many actions: ${refused}`, "queueFull"), ctx);
}

/** Lists an action. Returns the limit that prevents it. */
function listAction({ actions, retained }: Integration, action: Action, limits: LimitSettings): string | undefined {
  const listed = actions.get(action.name);
  if (listed === undefined && actions.size >= limits.actions_per_integration) {
    return `${actions.size} actions are registered; \`limits.actions_per_integration\` allows ${limits.actions_per_integration}`;
  }
  const growth = listedBytes(action) - (listed === undefined ? 0 : listedBytes(listed));
  const refusal = retained.refusal(growth, limits);
  if (refusal !== undefined) return refusal.reason;
  retained.charge(growth);
  actions.set(action.name, action);
  return undefined;
}

function unlistActions({ actions, retained }: Integration, names: Iterable<string>): void {
  for (const name of [...names]) {
    const listed = actions.get(name);
    if (listed === undefined) continue;
    actions.delete(name);
    retained.release(listedBytes(listed));
  }
}

/** An entry of the list without its action. */
const LISTED_BYTES = 256;

const listedBytes = (action: Action): number => LISTED_BYTES + retainedBytes(action);

/** A greeting that is sent again is neither an event nor a context. */
function refuseRepeatedGreeting(from: Integration, payload: Json, ctx: StepContext): void {
  postProblem(from, { what: "greeting_repeated", detail: "", message: payload }, ctx);
  reportOnce(from, "a repeated greeting", "greet once for each connection: a later greeting is ignored", ctx);
  replyToIntegration(from, errorReplyText("already registered", "badMessage"), ctx);
}

/** Kinds of input of one integration that are reported. */
const REPORTS_MAX = 32;

/**
 * A message without a known meaning was read as free text. The original relay was silent here and its clients expect no answer, so only
 * an integration with acks gets one. Watchers and the log are told of each problem once.
 */
function reportProblem(from: Integration, problem: string, payload: Json, ctx: StepContext): void {
  postProblem(from, { what: "message_not_understood", detail: problem, message: payload }, ctx);
  const reason = `${problem}; the message was read as free text`;
  if (from.acks) replyToIntegration(from, errorReplyText("message not understood", "badMessage", { hint: reason }), ctx);
  if (from.repaired.has(problem) || from.repaired.size >= REPORTS_MAX) return;
  from.repaired.add(problem);
  ctx.observe({ is: "input_refused", from: from.name, fault: "badMessage", reason });
}

/** Reports once that an integration sends results without an id. */
function reportMissingId(from: Integration, { id }: ResultMessage, payload: Json, ctx: StepContext): void {
  if (id !== undefined) return;
  postProblem(from, { what: "result_id_missing", detail: "", message: payload }, ctx);
  reportOnce(from, "result_id_missing", hintFor("result_id_missing", ""), ctx);
}

type FoundProblem = Pick<ServiceMessage & { readonly is: "problemFound" }, "what" | "detail" | "message">;

/** The Neuro service keeps the diagnostics of all integrations. */
const postProblem = ({ peer }: Integration, problem: FoundProblem, ctx: StepContext): void =>
  ctx.post("neuro", { is: "problemFound", peer, ...problem });

/** Tells the developer of an integration about a kind of input once. */
function reportOnce(from: Integration, what: string, hint: string, ctx: StepContext): void {
  if (from.repaired.has(what)) return;
  from.repaired.add(what);
  ctx.observe({ is: "input_repaired", from: from.name, what, hint });
}
