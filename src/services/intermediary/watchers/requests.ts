/** Frames of watchers: each is a request and gets one reply, in order. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Reply } from "../../../core/effect.ts";
import type { FaultName } from "../../../core/fault.ts";
import { type Frame, type JsonObject, plain } from "../../../core/json.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { Scope } from "../../../core/settings.ts";
import { peerList } from "../operator/peer-list.ts";
import { jsonOf, replyText, requestIdOf, type WatcherRequestId } from "../codec/frames.ts";
import { newLostKeys } from "../codec/lost-keys.ts";
import { inWords, unreadable, wrongField } from "../codec/problems.ts";
import { readRequest, type WatcherRequest } from "../codec/watcher-requests.ts";
import { attachWatcher } from "../connections/attachment.ts";
import type { Watcher } from "../connections/peer.ts";
import { registeredActions } from "../integrations/actions.ts";
import type { IntermediaryState } from "../state.ts";
import { absentHint, gameHint, sendCommand } from "./commands.ts";
import { EVENT_NAMES } from "./events.ts";
import { replyWithError, unavailableText, type WatcherReply } from "./replies.ts";

export function receiveFromWatcher(state: IntermediaryState, from: Watcher, frame: Frame, ctx: StepContext): void {
  from.messages++;
  const depthMax = state.settings.limits.json_depth;
  const message = jsonOf(frame, depthMax);
  if (message === undefined) {
    ctx.count("watcher", "in", "unreadable");
    const fields = { hint: unreadable(frame, depthMax) };
    return replyWithError(from.peer, { code: "badMessage", error: "watcher messages must be JSON", fields }, ctx);
  }
  const requestId = requestIdOf(message);
  const request = readRequest(message);
  for (const { what, hint } of newLostKeys(from, frame)) {
    from.repaired.add(what);
    ctx.observe({ is: "input_repaired", from: from.name, what, hint });
  }
  ctx.count("watcher", "in", request.is);
  const needs = scopeFor(request);
  if (needs !== undefined && !from.scopes.has(needs)) {
    return replyWithError(from.peer, { code: "notAllowed", error: "not allowed", fields: { needs }, requestId }, ctx);
  }
  const result = execute(state, from, request, requestId, ctx);
  if (!result.ok) {
    state.watcherActs.record(from.name, request, result.fault, ctx);
    const fields = hintFor(state, request, result.fault);
    return replyWithError(from.peer, { code: result.fault, error: result.reason, fields, requestId }, ctx);
  }
  if (result.value === "later") return;
  const { reply, after } = result.value;
  if (after === undefined) state.watcherActs.record(from.name, request, "done", ctx);
  else state.watcherActs.recordAfter(after, from.name, request);
  const storage: Pick<Reply, "after" | "onFailure"> = after === undefined
    ? {}
    : { after, onFailure: unavailableText(requestId) };
  ctx.emit({ do: "reply", to: from.peer, frame: replyText(reply, requestId), ...storage });
}

/** What the author of a refused request has to change, where the error alone does not tell. */
function hintFor(state: IntermediaryState, request: WatcherRequest, fault: FaultName): JsonObject {
  switch (request.is) {
    case "command":
      return fault === "notFound" ? { hint: gameHint(state, request.target) ?? absentHint(request.target) } : {};
    case "direct":
      return fault === "badMessage" ? { hint: wrongField("payload", "what Neuro is to read", request.payload) } : {};
    case "unknown":
    case "invalid":
      return { hint: request.hint };
    case "choice":
    case "peers":
    case "actions":
    case "subscribe":
      return {};
    default:
      return assertNever(request);
  }
}

function scopeFor({ is }: WatcherRequest): Scope | undefined {
  switch (is) {
    case "direct":
      return "direct";
    case "command":
    case "choice":
      return "command";
    case "peers":
    case "actions":
    case "subscribe":
    case "unknown":
    case "invalid":
      return undefined;
    default:
      return assertNever(is);
  }
}

/** The reply to a request; `later` if another service has to decide first. */
function execute(
  state: IntermediaryState,
  from: Watcher,
  request: WatcherRequest,
  requestId: WatcherRequestId,
  ctx: StepContext,
): Result<WatcherReply | "later"> {
  switch (request.is) {
    case "command": {
      const sent = sendCommand(state, { from: from.name, target: request.target, cmd: request.cmd }, ctx);
      return sent.ok ? ok({ ...sent.value, reply: plain(sent.value.reply) }) : sent;
    }
    case "direct": {
      const isStandalone = state.settings["nakurity-backend"].enabled;
      const neuro = { upstream: state.upstream, isStandalone };
      const payload = request.payload && state.credentials.removeFrom(request.payload, JSON.stringify(request.payload));
      return state.forwardedRequests.sendDirect(from, { request: { ...request, payload }, requestId }, neuro, ctx);
    }
    case "choice":
      return state.forwardedRequests.sendChoice(from, request, requestId, ctx);
    case "peers":
      return ok({ reply: { peers: plain(peerList(state)) } });
    case "actions": {
      const actions = registeredActions(state);
      return actions.ok ? ok({ reply: { actions: actions.value } }) : actions;
    }
    case "subscribe":
      return ok({ reply: subscribe(state, from, request, ctx) });
    case "unknown":
      return failed("notFound", "invalid target/cmd");
    case "invalid":
      return failed("badMessage", request.error);
    default:
      return assertNever(request);
  }
}

const NAMES_SHOWN = 8;

const shownNames = (names: readonly string[]): string =>
  names.slice(0, NAMES_SHOWN).map(inWords).join(", ") + (names.length > NAMES_SHOWN ? ", ..." : "");

function subscribe(
  state: IntermediaryState,
  from: Watcher,
  request: Extract<WatcherRequest, { readonly is: "subscribe" }>,
  ctx: StepContext,
): WatcherReply["reply"] {
  const { changes, rate } = request;
  const events = state.subscriptions.change(from.peer, request, ctx);
  state.changeNotices.change(from.peer, { isWanted: changes, hasMissed: false }, ctx.now);
  attachWatcher(from, { ...(request.events && { events }), ...(rate && { rate }), ...(changes && { changes }) }, ctx);
  const unknown = request.events?.filter((name) => !EVENT_NAMES.has(name)) ?? [];
  const hint = unknown.length === 0 ? {} : { hint: `there are no such events: ${shownNames(unknown)}` };
  if (!request.snapshot) return { status: "subscribed", events, ...hint };
  const snapshot = { peers: plain(peerList(state)), upstream: plain(state.upstream), after: state.subscriptions.cursor };
  return { status: "subscribed", events, snapshot, ...hint };
}
